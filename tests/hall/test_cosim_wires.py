"""An experiment with wires: its circuit, its netlist and its co-simulation are one thing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from ohmlearn.assembly.periphery import LARGEST_PRODUCTS, choose_wires
from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.cli import app
from ohmlearn.cosimulation.circuit import circuit_of, learner_of
from ohmlearn.cosimulation.leaky import leaky_notes
from ohmlearn.crossbar.wires.resistances import Wires
from ohmlearn.crossbar.wires.solver import solve_array
from ohmlearn.errors import ConfigError
from ohmlearn.experiment import parse_experiment

TEXT = """
name = "wired"
[data]
name = "iris"
[network]
layers = [4, 12, 3]
[device]
preset = "HfO2-1T1R-demo"
[crossbar]
tile = [8, 8]
encoding = "{encoding}"
[wires]
r_word = 10.0
r_bit = 8.0
r_driver = 20.0
[learning]
rule = "cep"
beta = 0.5
eta = 0.02
free_steps = 10
nudged_steps = 3
[training]
epochs = 1
[run]
level = "{level}"
precision = "float64"
"""


def text(encoding="pair", level="device"):
    return TEXT.format(encoding=encoding, level=level)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "wired.toml"
    path.write_text(text(), encoding="utf-8")
    return path


def verb(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.mark.parametrize("encoding", ["pair", "offset", "single"])
def test_the_circuit_sees_the_weights_that_training_sees(encoding):
    experiment = parse_experiment(text(encoding), "wired.toml")
    learner, _ = learner_of(experiment)
    network = circuit_of(experiment).network
    layout = learner.network.layout
    for layer, (plus, minus, leak) in enumerate(
        zip(network.edges.plus, network.edges.minus, network.leak, strict=True), start=1
    ):
        w = np.vstack([layout.weight(learner.theta, layer), layout.bias(learner.theta, layer)])
        np.testing.assert_allclose((plus - minus) / leak, w, atol=1e-8)
        bare = (network.plus[layer - 1] - network.minus[layer - 1]) / leak
        assert np.abs(bare - w).max() > 1e-3


def test_wires_move_the_nodes():
    circuit = circuit_of(parse_experiment(text(), "wired.toml"))
    free, _ = circuit.phases([0])
    with_wires, without = (
        np.concatenate(NumbaSimulator().settle(network, free).voltages, axis=1)
        for network in (circuit.network, replace(circuit.network, tiling=None))
    )
    assert np.abs(with_wires - without).max() > 1e-3


@pytest.mark.spice
@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("encoding", ["pair", "offset"])
def test_both_simulators_agree_with_wires(tmp_path, encoding):
    path = tmp_path / "wired.toml"
    path.write_text(text(encoding), encoding="utf-8")
    done = verb("cosim", path, "--sample", 1, "--json", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["passed"] is True
    heat = [each for each in told["energies"] if each["name"] == "dissipated wires"]
    assert [each["phase"] for each in heat] == ["free", "nudged"]
    assert all(each["spice"] > 0 for each in heat)
    (note,) = (each for each in told["notes"] if each.startswith("Wires"))
    assert "tiles of at most 8 word lines" in note


def test_the_netlist_holds_every_segment(file, tmp_path):
    done = verb("netlist", file, "-o", tmp_path / "deck")
    assert done.exit_code == 0, done.output
    assert "note: Wires are in" in done.output
    told = json.loads((tmp_path / "deck" / "map.json").read_text())
    assert len(told["tiles"]) == 3 + 2  # 5 x 12 weights and 13 x 3, of 8 x 4 at most
    assert "backward" in told["tiles"][-1]
    assert "backward" not in told["tiles"][0]
    weights = (tmp_path / "deck" / "weights.inc").read_text()
    assert weights.count("\nrc_") == 2 * (5 * 12 + 13 * 3)
    assert weights.count("\nrw_") == weights.count("\nrc_")


def test_what_is_left_out_is_said():
    with_adc = text() + "[converters]\nadc_bits = 6\n"
    (note,) = leaky_notes(parse_experiment(with_adc, "wired.toml"))
    assert "continuous time has no time steps" in note
    (note,) = leaky_notes(parse_experiment(text(level="ideal"), "wired.toml"))
    assert note.startswith("Wires are left out")


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("crossbar.g_max=1e10", r"wires\.r_word is 10 ohm .* 1e\+10 S; .* 1e\+11 .* at most 1,"),
        ("wires.r_bit=2e6", r"wires\.r_bit is 2e\+06 ohm .* at most 1,"),
        ("wires.r_driver=1e10", r"wires\.r_driver is 1e\+10 ohm .* at most 10000,"),
    ],
)
def test_wires_that_resist_more_than_the_cells_are_refused_in_a_sentence(override, named):
    experiment = parse_experiment(text(), "the test", [override])
    with pytest.raises(ConfigError, match=named):
        choose_wires(experiment)


def test_a_transistor_in_series_limits_the_conductance_on_the_wires():
    experiment = parse_experiment(text(), "the test", ["crossbar.g_max=1e10", "access.v_gate=3.3"])
    assert choose_wires(experiment) is not None


def test_every_product_that_is_allowed_is_solved():
    for name, most in LARGEST_PRODUCTS.items():
        g = np.random.default_rng(0).uniform(1e-3, 1e-2, (24, 16))
        g[3, 5] = 1e-2
        wires = replace(Wires(1.0, 1.0), **{name: most / 1e-2})
        found = solve_array(g, wires, np.ones(24))
        assert found.converged
        assert found.residual < 1e-8
