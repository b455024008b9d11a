"""A learned sample on tiles with wires: the toolkit's own simulation against ngspice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ohmlearn.cosimulation.circuit import learner_of
from ohmlearn.cosimulation.sample import learn_sample, netlist_of
from ohmlearn.cosimulation.sample_comparison import compare
from ohmlearn.experiment import parse_experiment
from ohmlearn.spice_netlists.networks.sample_deck import run_sample

TEXT = """
name = "wired"
[data]
name = "iris"
[network]
layers = [4, 3, 3]
[device]
model = "SoftBounds"
parameters = {{ dg_up = 0.475e-6, dg_down = 0.475e-6 }}
device_to_device = {{ step = 0.2, g_max = 0.1 }}
[access]
w = 20e-6
v_gate = 5.0
[crossbar]
weight_range = 1.0
{tile}
[wires]
r_word = {ohms}
r_bit = {ohms}
r_driver = 50.0
r_sense = 30.0
[circuit]
capacitance = 1e-11
slot_duration = 1e-7
[learning]
rule = "cep"
beta = 2.0
eta = 1.6
free_steps = 10
nudged_steps = 2
policy = "deterministic-residue"
[training]
epochs = 1
[run]
precision = "float64"
seed = 3
"""
TILES = {"whole": "", "tiles": "tile = [3, 4]"}


def learned(tile="", ohms=20.0):
    experiment = parse_experiment(TEXT.format(tile=tile, ohms=ohms), "test")
    learner, data = learner_of(experiment)
    target = np.eye(data.classes)[data.y_train[0]]
    return experiment, learn_sample(experiment, learner, data.x_train[0], target)


@pytest.mark.spice
@pytest.mark.parametrize("tile", TILES.values(), ids=TILES)
def test_ngspice_confirms_the_toolkit(tile, ngspice):
    experiment, sample = learned(tile)
    tiling = sample.network.tiling
    assert tiling is not None
    found = compare(sample, run_sample(netlist_of(experiment, sample)))
    assert found.passed
    assert found.voltage < 5e-4
    assert found.conductance < 0.001
    assert found.moved > 0.01
    assert found.moved > 20 * found.conductance
    # Without wires the circuit is another one, by far more than what is left.
    ideal = replace(sample, network=replace(sample.network, tiling=None))
    without = run_sample(netlist_of(experiment, ideal))
    assert np.abs(without.voltages - sample.voltages).max() > 2e-3


def test_every_tile_stands_in_the_netlist_with_its_readers():
    experiment, sample = learned("tile = [3, 4]")
    deck = netlist_of(experiment, sample).deck
    text = deck.flat()
    places = [len(list(sample.network.tiling.places(g.shape))) for g in sample.network.plus]
    assert places == [4, 4]
    for layer, (rows, columns) in enumerate([(5, 6), (4, 6)], start=1):
        states = deck.map["states"][layer - 1]
        assert np.shape(states) == (rows, columns)
        assert len({x for row in states for x in row}) == rows * columns
        assert text.count(f"\nxa{layer}_") == 4
    assert text.count("\nbk2_") == 4 * 6  # the word line of the biases included
