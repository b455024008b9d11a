"""Resistive networks from an experiment file: runs, records, resumption, and sentences."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ohmlearn import checkpoint
from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.resistive.energy import power
from ohmlearn.cosimulation.circuit import circuit_of, open_source
from ohmlearn.errors import ConfigError
from ohmlearn.experiment import load_experiment, parse_experiment
from ohmlearn.progress import SilentProgress
from ohmlearn.record import read_record
from ohmlearn.run import run

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
XOR, IRIS, DRN = (EXAMPLES / f"{n}.toml" for n in ("xor_resistive", "iris_resistive", "drn_xs"))

DIGITS = """
name = "digits_resistive"
[data]
name = "digits"
[network]
kind = "resistive"
layers = [128, 20, 10]
[resistive]
input_gain = 20.0
[learning]
rule = "centred-ep"
beta = 0.2
eta = 0.01
eta_decay = 0.9
free_steps = 4
nudged_steps = 4
[training]
epochs = 3
batch_size = 4
"""

ON_CELLS = (
    "run.level=device",
    "device.preset=HfO2-1T1R-demo",
    "device.read_noise=false",
    "crossbar.weight_range=10",
)


class Listener(SilentProgress):
    """Keeps the messages of a run."""

    def __init__(self):
        self.messages = []

    def message(self, text):
        self.messages.append(text)


def weights(record):
    return np.concatenate([v.ravel() for k, v in record.arrays.items() if k.startswith("g_plus")])


@pytest.mark.parametrize("gate", ["or", "and", "xor"])
def test_gates_reach_100_percent(gate, tmp_path):
    record = run(load_experiment(XOR, [f"data.name={gate}"]), tmp_path / "run")
    assert record.summary["test_accuracy"] == 1.0
    assert record.events[-1]["test_loss"] < 0.2
    g = weights(record)
    assert 0.1e-6 <= g.min() <= g.max() <= 10e-6


@pytest.mark.parametrize("rule", ["ep", "cep"])
def test_xor_on_pulsed_cells(rule, tmp_path):
    more = [] if rule == "ep" else ["learning.beta=1.0", "learning.eta=3.0"]
    more += ["learning.nudged_steps=4"] if rule == "cep" else []
    experiment = load_experiment(XOR, [*ON_CELLS, f"learning.rule={rule}", *more])
    record = run(experiment, tmp_path / "run")
    assert record.summary["test_accuracy"] == 1.0
    assert record.summary["pulses_total"] > 0
    assert record.summary["cells"] == 100
    names = [row["name"] for row in record.summary["effects"] if row["on"]]
    assert "device_to_device" in names


def test_xor_is_impossible_with_the_bias_at_the_middle_of_the_clamps(tmp_path):
    odd = ["resistive.rails=[0.0]", "network.layers=[5, 10, 4]", "training.epochs=50"]
    record = run(load_experiment(XOR, odd), tmp_path / "run")
    assert max(event["test_accuracy"] for event in record.events) <= 0.75


def test_iris(tmp_path):
    record = run(load_experiment(IRIS), tmp_path / "run")
    assert record.summary["test_rows"] == 45
    assert record.summary["test_accuracy"] >= 0.91
    assert record.summary["train_accuracy"] >= 0.95


def test_a_deep_resistive_network_learns_digits(tmp_path):
    experiment = parse_experiment(DIGITS, "here", ["training.epochs=10"])
    record = run(experiment, tmp_path / "run")
    assert record.summary["test_accuracy"] > 0.92
    assert record.arrays["g_plus_1"].shape == (128, 20)
    assert record.arrays["bias_2"].shape == (10,)


@pytest.mark.parametrize("level", ["ideal", "device"])
def test_a_killed_run_ends_with_the_same_bits(level, tmp_path):
    cells = (*ON_CELLS, "crossbar.weight_range=0.5") if level == "device" else ()
    settings = [*cells, "training.epochs=4"]
    (tmp_path / "own.toml").write_text(DIGITS)
    whole = run(load_experiment(tmp_path / "own.toml", settings), tmp_path / "whole")
    out = tmp_path / "killed"
    often = [*settings, "run.checkpoint_seconds=0.05"]
    options = [part for setting in often for part in ("--set", setting)]
    child = subprocess.Popen(
        [sys.executable, "-m", "ohmlearn", "run", tmp_path / "own.toml", *options, "--out", out],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"MPLBACKEND": "Agg"},
    )
    while not checkpoint.exists(out) and child.poll() is None:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    listener = Listener()
    experiment = load_experiment(tmp_path / "own.toml", settings)
    record = run(experiment, out, resume=True, progress=listener)
    assert any("resumed at epoch" in text for text in listener.messages)
    assert set(record.arrays) == set(whole.arrays)
    for name, array in whole.arrays.items():
        assert np.array_equal(array, record.arrays[name]), name
    losses = [[event["test_loss"] for event in r.events] for r in (whole, record)]
    assert losses[0] == losses[1]


def test_a_finished_run_goes_on(tmp_path):
    whole = run(parse_experiment(DIGITS, "here", ["training.epochs=2"]), tmp_path / "whole")
    run(parse_experiment(DIGITS, "here", ["training.epochs=1"]), tmp_path / "parts")
    longer = parse_experiment(DIGITS, "here", ["training.epochs=2"])
    parts = run(longer, tmp_path / "parts", resume=True)
    assert np.array_equal(weights(whole), weights(parts))


def test_threads_change_no_bit(tmp_path):
    losses = []
    for threads in (1, 3):
        few = [f"run.threads={threads}", "training.epochs=1"]
        record = run(parse_experiment(DIGITS, "here", few), tmp_path / str(threads))
        losses.append(record.events[-1]["test_loss"])
    assert losses[0] == losses[1]


def test_the_resolved_experiment_reads_back(tmp_path):
    for path, settings in ((XOR, ()), (DRN, ()), (XOR, ON_CELLS)):
        experiment = load_experiment(path, settings)
        text = experiment.to_toml()
        assert "activation" not in text
        again = parse_experiment(text, "the record")
        assert again == experiment
        assert again.digest() == experiment.digest()


def test_a_record_says_what_it_is(tmp_path):
    run(load_experiment(XOR, ["training.epochs=1"]), tmp_path / "run")
    record = read_record(tmp_path / "run")
    assert record.summary["weights"] == 6 * 10 + 10 * 4 + 14
    assert len(record.summary["loop_gain"]["mean"]) == 2
    assert (tmp_path / "run" / "figures" / "conductances.png").exists()


def test_uncorrected_amplifiers_are_warned_of(tmp_path):
    listener = Listener()
    settings = ["resistive.correct_gain=false", "training.epochs=1"]
    run(load_experiment(XOR, settings), tmp_path / "run", progress=listener)
    assert any("(B/A)^k = 0.0625, 1" in text for text in listener.messages)
    listener = Listener()
    run(load_experiment(XOR, ["training.epochs=1"]), tmp_path / "other", progress=listener)
    assert not any("warning" in text for text in listener.messages)


def test_a_loop_gain_beyond_all_sense_is_refused(tmp_path):
    settings = ["learning.rule=cep", "learning.eta=1e5"]
    with pytest.raises(ConfigError, match="the loop gain would be"):
        run(load_experiment(XOR, settings), tmp_path / "run")


BAD = [
    (["learning.rule=cvf"], "a resistive network conducts both ways: use 'ep', 'cep'"),
    (["network.symmetric=false"], r"network.symmetric is False; a resistive network has none"),
    (["network.activation=tanh"], "network.activation is 'tanh'; a resistive network has none"),
    (["learning.slope=true"], "learning.slope does nothing in a resistive network"),
    (["learning.free_steps=3"], "with diode 'piecewise' a step is a full settling"),
    (["learning.nudged_steps=3"], "with rule 'ep' it must be 1"),
    (["resistive.nudge=conductance"], "a conductance nudges down the squared error only"),
    (
        ["resistive.nudge=conductance", "resistive.loss=squared-error"],
        "the difference of two nodes is nudged by 'current'",
    ),
    (["learning.rule=centred-ep", "learning.beta=-0.1"], "nudges with both signs"),
    (["resistive.low=1.0"], "resistive.low is 1 V; it must not exceed high, 0 V"),
    (["resistive.clamp=halves", "resistive.high=1.0"], "voltages of clamp 'rails'"),
    (["resistive.diode=ideal", "resistive.diode_parameters={}"], "holds every hidden node"),
    (["resistive.diode_parameters.i_s=1e-9"], "diode 'piecewise' has v_on, r_on, r_off"),
    (["resistive.diode=ideal", "resistive.high=0.1"], "diode 'ideal' has no parameters"),
    (["network.layers=[6, 4]", "learning.eta=1.0"], "amplifiers behind hidden layers"),
    (["resistive.eta_currents=[1.0]"], "resistive.eta_currents has 1 entries"),
    (["resistive.eta_currents=1.0"], "but resistive.currents is false"),
    (["resistive.g_max=0.05"], "resistive.g_max is 0.05; it must be above g_floor, 0.1"),
    (["resistive.g_initial=[3, 1]"], "the lower end comes first"),
    (["resistive.unit=-1"], "resistive.unit is -1; it must be a conductance above 0"),
    (["resistive.gian=4"], "did you mean 'gain'"),
    (["network.kind=resistve"], "network.kind is \"resistve\"; it must be 'hopfield' or"),
    (["network.kind=hopfield"], "section [resistive] describes a network of network.kind"),
    ([*ON_CELLS, "crossbar.encoding=pair"], "held by single cells: 'single'"),
    ([*ON_CELLS, "crossbar.weight_range=[1, 2]"], "it must be one number"),
    ([*ON_CELLS, "crossbar.tile=[8, 8]"], "crossbar.tile is not simulated"),
    ([*ON_CELLS, "wires.node=22"], "section [wires] is not simulated"),
    ([*ON_CELLS, "converters.adc_bits=6"], "section [converters] is not simulated"),
]


@pytest.mark.parametrize(("settings", "sentence"), BAD)
def test_wrong_settings_get_a_sentence(settings, sentence):
    with pytest.raises(ConfigError) as caught:
        load_experiment(XOR, settings)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["network.layers=[5, 10, 4]"], "takes 6 input nodes"),
        (["resistive.doubled_outputs=false"], "2 output nodes"),
        (["data.name=digits"], "with 64 inputs and 10 classes"),
        (ON_CELLS[:2], "device.read_noise is on, but it is not simulated"),
    ],
)
def test_what_does_not_fit_the_data_gets_a_sentence(settings, sentence, tmp_path):
    with pytest.raises(ConfigError) as caught:
        run(load_experiment(XOR, settings), tmp_path / "run")
    assert sentence in str(caught.value)


def test_the_section_may_be_left_out():
    bare = DIGITS.replace("[resistive]\ninput_gain = 20.0\n", "")
    experiment = parse_experiment(bare, "here")
    assert experiment.resistive is not None
    assert experiment.resistive.input_gain == 1.0
    assert experiment.crossbar.encoding == "single"


@pytest.mark.slow
@pytest.mark.data
def test_drn_xs_begins_as_it_should(data_dir, tmp_path):
    settings = ["training.epochs=1", "data.limit_train=12000"]
    record = run(load_experiment(DRN, settings), tmp_path / "run", data_dir)
    assert record.summary["test_error_percent"] < 10.0


def test_the_power_in_the_record_is_that_of_the_circuit(tmp_path):
    """Tellegen: sources, rails and amplifiers supply what conductances and diodes take."""
    experiment = load_experiment(XOR, [*ON_CELLS, "training.epochs=3", "run.level=device"])
    record = run(experiment, tmp_path / "run")
    circuit = circuit_of(*open_source(tmp_path / "run"))
    phase = replace(circuit.phases(range(4))[0], nudge=0.0, target=None, current=None)
    state = NumbaSimulator().settle(circuit.network, phase)
    found = {k: float(v.mean()) for k, v in power(circuit.network, phase, state.voltages).items()}
    written = record.summary["settled_power"]
    conductances = sum(v for k, v in found.items() if k.startswith("dissipated conductances"))
    assert written["cells"] == pytest.approx(conductances, rel=1e-9)
    assert written["diodes"] == pytest.approx(found["dissipated diodes"], rel=1e-6, abs=1e-18)
    supplied = sum(v for k, v in found.items() if k.startswith("supplied"))
    assert written["cells"] + written["diodes"] == pytest.approx(supplied, rel=1e-9)
    assert written["amplifiers"] == pytest.approx(found["supplied amplifiers"], rel=1e-9)


def test_learning_in_ngspice_is_learning_by_the_kernels(ngspice, tmp_path):
    path, short = EXAMPLES / "xor_in_spice.toml", "training.epochs=2"
    ours = run(load_experiment(path, [short]), tmp_path / "ours")
    spice = run(load_experiment(path, [short, "run.simulator=ngspice"]), tmp_path / "spice")
    for mine, other in zip(ours.events, spice.events, strict=True):
        assert other["train_loss"] == pytest.approx(mine["train_loss"], rel=2e-3)
    assert spice.summary["pulses_total"] == pytest.approx(ours.summary["pulses_total"], rel=0.03)
    moved = ours.arrays["g_plus_1"]
    np.testing.assert_allclose(spice.arrays["g_plus_1"], moved, atol=2e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["run.simulator=ngspice", "resistive.diode=ideal"], "run.simulator is 'ngspice'"),
        (["run.simulator=ngspice", "learning.policy=ideal"], "programs cells by pulses"),
        (["run.simulator=spectre"], "'numba' or 'ngspice'"),
    ],
)
def test_what_does_not_learn_in_ngspice_is_refused(change, says):
    with pytest.raises(ConfigError, match=says):
        load_experiment(EXAMPLES / "xor_in_spice.toml", change)
