"""A learned sample of cells that reads move: the toolkit's own simulation against ngspice."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.cosimulation.circuit import learner_of
from ohmlearn.cosimulation.sample import learn_sample, netlist_of
from ohmlearn.cosimulation.sample_comparison import compare
from ohmlearn.crossbar.read_motion import moves
from ohmlearn.devices.registry import devices
from ohmlearn.experiment import parse_experiment
from ohmlearn.spice_netlists.networks.sample_deck import run_sample

TEXT = """
name = "reads"
[data]
name = "iris"
[network]
layers = [4, 2, 3]
[device]
model = "LinearIonDrift"
parameters = {{ g_on = 1e-4, g_off = 1e-5, mu_v = 1e-11, t_set = 1e-7, t_reset = 1e-7{more} }}
device_to_device = {{ step = 0.2 }}
[access]
w = 20e-6
v_gate = 5.0
[crossbar]
weight_range = 1.0
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


def learned(more=""):
    experiment = parse_experiment(TEXT.format(more=more), "test")
    learner, data = learner_of(experiment)
    target = np.eye(data.classes)[data.y_train[0]]
    return experiment, learn_sample(experiment, learner, data.x_train[0], target)


@pytest.mark.spice
def test_ngspice_confirms_what_reads_do(ngspice):
    experiment, sample = learned()
    found = compare(sample, run_sample(netlist_of(experiment, sample)))
    assert found.passed
    # Far more than what is left between the two.
    assert found.read > 0.02
    assert found.conductance < 0.002
    assert found.resting < 1e-4
    assert found.voltage < 1e-3
    assert any(each.startswith("reads alone moved cells by up to") for each in found.sentences())


def test_below_a_threshold_reads_move_nothing():
    _, sample = learned(", v_th = 0.5")
    assert not any(each.any() for each in sample.disturbed)


def test_a_read_moves_a_cell_with_its_row():
    """Positive rows set cells and those at 0 V leave them; the change is what is added up."""
    _, sample = learned()
    for xbar, disturbed in zip(sample.crossbars, sample.disturbed, strict=True):
        assert xbar.params.v_set > 0
        assert (disturbed >= 0).all()
    first = sample.disturbed[0]
    x = np.append(sample.free.inputs[0], sample.network.v_ref)
    weak, strong = np.argmin(x), np.argmax(x)
    assert 0 <= first[weak].mean() < first[strong].mean()
    pulsed = np.any([np.abs(each[0]) for each in sample.counts], axis=0)
    rested = ~pulsed
    assert rested.any()
    change = sample.after[0] - sample.before[0]
    np.testing.assert_allclose(change[rested], first[rested], rtol=0, atol=1e-18)


@pytest.mark.parametrize(
    ("name", "seconds", "wanted"),
    [("SoftBounds", 1.0, False), ("VTEAM", 1.0, False), ("LinearIonDrift", 1e-3, True),
     ("LinearIonDrift", 1e-9, False)],
)  # fmt: skip
def test_which_models_rest_in_reads(name, seconds, wanted):
    class Array:
        params = devices()[name].params()
        bank = type("Bank", (), {"table": np.array([params, params])})

    assert moves([Array()], 0.2, seconds) is wanted
