"""A whole sample of continual learning: the circuit and pulses of the toolkit against ngspice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ohmlearn.circuits.leaky.transient import transient
from ohmlearn.cli import app
from ohmlearn.cosimulation.circuit import learner_of
from ohmlearn.cosimulation.sample import CepSample, learn_sample, learn_test_sample, netlist_of
from ohmlearn.cosimulation.sample_comparison import compare
from ohmlearn.errors import ConfigError, NetlistError
from ohmlearn.experiment import Experiment, load_experiment, parse_experiment
from ohmlearn.spice_netlists.networks.sample_deck import run_sample, sample_deck

FILE = Path(__file__).parents[1] / "experiments" / "learned_sample.toml"
WIDER = (
    "network.layers=[4, 3, 3]",
    "learning.nudged_steps=3",
    "device.device_to_device={ step = 0.2, g_max = 0.1 }",
    "run.seed=3",
)


def learned(*overrides: str, row: int = 0) -> tuple[Experiment, CepSample]:
    experiment = load_experiment(FILE, [*WIDER, *overrides])
    learner, data = learner_of(experiment)
    target = np.eye(data.classes)[data.y_train[row]]
    return experiment, learn_sample(experiment, learner, data.x_train[row], target)


SIGNS = ("learning.policy=sign-threshold", "learning.threshold=1.0")
VTEAM = ("device.model=VTEAM", "device.parameters={}", "device.device_to_device=false")


@pytest.mark.spice
@pytest.mark.parametrize(
    ("overrides", "row", "moves"), [((), 0, 0.05), (SIGNS, 60, 0.03)], ids=["residue", "sign"]
)
def test_ngspice_confirms_the_toolkit(ngspice, overrides, row, moves):
    experiment, sample = learned(*overrides, row=row)
    for counts in sample.counts:
        assert all(each.min() < 0 < each.max() for each in counts)
        assert all(np.any(each == 0) for each in counts)
    ends = run_sample(netlist_of(experiment, sample))
    found = compare(sample, ends)
    assert found.voltage < 1e-3
    assert found.drop < 1e-4
    assert found.conductance < 0.002
    assert found.moved > moves
    assert found.moved > 10 * found.conductance
    assert found.resting < 1e-6
    assert found.passed


@pytest.mark.spice
def test_each_slot_hears_the_changed_weights(ngspice):
    experiment, sample = learned()
    ends = run_sample(netlist_of(experiment, sample))
    path = transient(sample.network, [sample.free, *[sample.slot] * 3], points=1)
    frozen = np.concatenate([layer[-1, 0] for layer in path.voltages])
    far = np.abs(ends.voltages[-1] - frozen).max()
    assert far > 0.01
    assert far > 20 * np.abs(ends.voltages[-1] - sample.voltages[-1]).max()


@pytest.mark.spice
def test_cells_that_are_set_by_a_negative_voltage(ngspice):
    experiment, sample = learned(*VTEAM)
    assert sample.crossbars[0].params.v_set < 0
    found = compare(sample, run_sample(netlist_of(experiment, sample)))
    assert found.voltage < 1e-3
    assert found.conductance < 0.004
    assert found.moved > 0.025


@pytest.mark.spice
def test_a_network_of_one_layer(ngspice):
    experiment, sample = learned("network.layers=[4, 3]", "learning.nudged_steps=2")
    found = compare(sample, run_sample(netlist_of(experiment, sample)))
    assert found.passed
    assert found.moved > 0.02


def test_the_pulses_are_those_of_the_rule():
    _, sample = learned()
    network = sample.network
    signals = 1 / (1 + np.exp(2 - 4 * sample.voltages / network.v_ref))
    x = sample.free.inputs[0] / network.v_ref
    hidden = np.hstack([signals[:, :3], np.ones((4, 1))])
    q = [
        np.append(x, 1)[None, :, None] * signals[:, None, :3],
        hidden[:, :, None] * signals[:, None, 3:],
    ]
    for a, xbar in enumerate(sample.crossbars):
        rest = np.zeros(xbar.shape)
        for slot, counts in enumerate(sample.counts):
            rest += 1.6 / 2.0 * (q[a][slot + 1] - q[a][slot]) / xbar.step
            asked = np.rint(rest)
            rest -= asked
            np.testing.assert_array_equal(counts[a], np.stack([asked, -asked], axis=2))


@pytest.mark.spice
def test_the_verb_learns_a_sample_and_draws_it(ngspice, tmp_path):
    words = ["cosim", str(FILE), "--learn", "--sample", "2", "--json", "-o", str(tmp_path)]
    changes = [word for change in WIDER for word in ("--set", change)]
    told = CliRunner().invoke(app, [*words, *changes])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert found["passed"]
    assert found["moved"] > 0.05
    assert (tmp_path / "learned_sample.png").stat().st_size > 10_000


def test_a_sample_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="rows 0 to 44"):
        learn_test_sample(load_experiment(FILE), None, 45)


def test_the_netlist_is_one_transient_and_the_same_text_every_time():
    experiment, sample = learned()
    first, second = (netlist_of(experiment, sample).deck for _ in range(2))
    assert first.files == second.files
    text = first.flat()
    assert text.count("\n.tran ") == 1
    # Every weight of layer 2 but the biases is read backward too, by both arms.
    assert text.count("\nbk2_") == 2 * 3 * 3
    assert [len(layer) for layer in first.map["nodes"]] == [3, 3]
    assert np.shape(first.map["states"][0]) == (5, 6)


@pytest.mark.parametrize(
    ("override", "needed"),
    [
        ("learning.rule=ep", "cep"),
        ("crossbar.encoding=offset", "pair"),
        ("learning.policy=ideal", "policy"),
        ("run.precision=float32", "float64"),
        ("run.level=ideal", "device"),
        ("device.cycle_to_cycle=0.3", "cycle_to_cycle = false"),
        ("device.stuck={low=0.3}", "stuck = false"),
    ],
)
def test_what_the_netlist_leaves_out_is_refused(override, needed):
    with pytest.raises(ConfigError, match=needed):
        learned(override)


def test_cells_need_a_transistor():
    text = FILE.read_text().replace("[access]\nw = 20e-6\nv_gate = 5.0\n", "")
    experiment = parse_experiment(text, "test", WIDER)
    learner, data = learner_of(experiment)
    with pytest.raises(ConfigError, match=r"\[access\]"):
        learn_sample(experiment, learner, data.x_train[0], np.eye(3)[0])


def test_cells_and_pulses_must_fit():
    _, sample = learned()
    given = sample.network, sample.cells, sample.free, sample.slot
    with pytest.raises(NetlistError, match="shapes"):
        sample_deck(*given, [each[::-1] for each in sample.counts], v_gate=5.0)
    with pytest.raises(NetlistError, match="pairs"):
        sample_deck(given[0], sample.cells[::-1], *given[2:], sample.counts, v_gate=5.0)
    experiment, large = learned("network.layers=[4, 80, 3]")
    with pytest.raises(NetlistError, match="1000"):
        netlist_of(experiment, large)
