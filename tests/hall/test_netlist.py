"""From an experiment or a run to a circuit and a deck; the verb ``netlist``."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ohmlearn.assembly import build
from ohmlearn.circuits.leaky.signals import signals_of
from ohmlearn.cli import app
from ohmlearn.cosimulation.circuit import circuit_of, open_source
from ohmlearn.cosimulation.comparison import deck_of
from ohmlearn.cosimulation.sample import learn_test_sample
from ohmlearn.cosimulation.sample_comparison import shown_by
from ohmlearn.errors import ConfigError, RecordError
from ohmlearn.experiment import parse_experiment
from ohmlearn.run import run

TEXT = """
name = "small"
[data]
name = "digits"
limit_train = 40
limit_test = 20
[network]
layers = [64, 8, 10]
symmetric = {symmetric}
activation = "tanh"
[learning]
rule = "{rule}"
beta = 0.5
eta = 0.02
free_steps = 10
nudged_steps = 3
[training]
epochs = 1
[circuit]
capacitance = 2e-12
free_duration = 4e-7
slot_duration = 5e-8
"""
CELLS = """
[device]
model = "SoftBounds"
device_to_device = 0.1
[crossbar]
encoding = "{encoding}"
weight_range = [1.0, 2.0]
{wires}
"""


def text(symmetric=True, encoding=None, wires=""):
    rule = "cep" if symmetric else "cvf"
    base = TEXT.format(symmetric=str(symmetric).lower(), rule=rule)
    return base if encoding is None else base + CELLS.format(encoding=encoding, wires=wires)


def experiment(**options):
    return parse_experiment(text(**options), "small.toml")


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("encoding", [None, "pair", "offset", "single"])
def test_the_circuit_has_the_weights_of_the_experiment(symmetric, encoding):
    small = experiment(symmetric=symmetric, encoding=encoding)
    circuit = circuit_of(small)
    network = circuit.network
    learner = build(small, circuit.data).learner
    np.testing.assert_allclose(signals_of(network).theta, learner.theta, rtol=1e-4, atol=2e-6)
    assert network.v_ref == 0.2
    assert network.activation == "tanh"
    assert network.capacitance == (2e-12, 2e-12)
    for g in (*network.plus, *network.minus, *network.back_plus, *network.back_minus):
        assert (g > 0).all()
        assert g.max() < 2e-4
    if encoding:
        np.testing.assert_allclose(network.leak, (95e-6, 47.5e-6), rtol=1e-6)


def test_wires_stand_between_the_cells():
    with_wires = experiment(encoding="pair", wires="[wires]\nr_word = 20.0\nr_bit = 20.0")
    circuit = circuit_of(with_wires)
    ideal = circuit_of(experiment(encoding="pair"))
    learner = build(with_wires, circuit.data).learner
    np.testing.assert_allclose(
        signals_of(circuit.network).theta, learner.theta, rtol=1e-4, atol=2e-6
    )
    np.testing.assert_array_equal(circuit.network.plus[0], ideal.network.plus[0])
    assert circuit.network.edges.plus[0].sum() < 0.99 * ideal.network.edges.plus[0].sum()
    assert any("Wires" in note for note in circuit.notes)


def test_a_sample_becomes_voltages_and_durations():
    circuit = circuit_of(experiment())
    free, nudged = circuit.phases([4, 0])
    np.testing.assert_allclose(free.inputs, 0.2 * circuit.data.x_test[[4, 0]], rtol=1e-6)
    assert free.nudge == 0
    assert nudged.target is not None
    assert (nudged.target.argmax(axis=1) == circuit.data.y_test[[4, 0]]).all()
    assert nudged.nudge == pytest.approx(0.5 * circuit.network.leak[-1])
    assert (free.duration, nudged.duration) == (4e-7, pytest.approx(3 * 5e-8))
    with pytest.raises(ConfigError, match="rows 0 to 19"):
        circuit.phases([20])


def test_durations_left_out_are_multiples_of_the_longest_time_constant():
    short = parse_experiment(text(encoding="pair").partition("[circuit]")[0], "small.toml")
    circuit = circuit_of(short)
    tau = circuit.network.time_constants().max()
    free, nudged = circuit.phases([0])
    assert free.duration == pytest.approx(20 * tau)
    assert nudged.duration == pytest.approx(3 * 5 * tau)


@pytest.fixture(scope="module", params=["pair", None])
def finished(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return run(experiment(encoding=request.param), folder)


def test_a_run_gives_its_trained_conductances(finished):
    stored, record = open_source(finished.folder)
    assert record is not None
    trained = circuit_of(stored, record)
    initial = circuit_of(stored)
    assert trained.trained
    assert "trained" in trained.title
    moved = np.abs(trained.network.plus[0] - initial.network.plus[0]).max()
    assert moved > 1e-8
    if "g_plus_1" in finished.arrays:
        np.testing.assert_array_equal(
            trained.network.plus[1], finished.arrays["g_plus_2"].astype(np.float64)
        )
        np.testing.assert_array_equal(
            trained.network.minus[0], finished.arrays["g_minus_1"].astype(np.float64)
        )
    else:
        theta = signals_of(trained.network)
        w = theta.layout.weight(theta.theta, 1)
        np.testing.assert_allclose(w, finished.arrays["w_1"], atol=1e-6)


def test_of_a_run_only_the_circuit_section_can_change(finished):
    slower, _ = open_source(finished.folder, ["circuit.capacitance=5e-12"])
    assert slower.circuit.capacitance == 5e-12
    with pytest.raises(ConfigError, match=r"learning\.beta"):
        open_source(finished.folder, ["learning.beta=0.1"])


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RecordError, match="no finished run"):
        open_source(tmp_path)


def test_the_circuit_section_changes_no_digest():
    other = text().replace("capacitance = 2e-12", "capacitance = 3e-12")
    assert parse_experiment(other, "other.toml").digest() == experiment().digest()


def test_hostile_names_do_not_reach_the_deck():
    hostile = parse_experiment(text(), "small.toml", ['name="x-.control_shell.endc"'])
    deck = deck_of(circuit_of(hostile), 0)
    for content in deck.files.values():
        for line in content.splitlines():
            assert not re.match(r"\s*\.(control|endc|shell)", line)


def verb(*arguments):
    return CliRunner().invoke(app, ["netlist", *map(str, arguments)])


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(text(encoding="pair"), encoding="utf-8")
    return path


def test_the_verb_writes_a_deck_and_says_how_to_run_it(file, tmp_path):
    out = tmp_path / "deck"
    done = verb(file, "-o", out, "--sample", 3)
    assert done.exit_code == 0, done.output
    names = ("params.inc", "weights.inc", "dut.sp", "tb_free.sp", "tb_nudged.sp", "tb_step.sp")
    for name in names:
        assert (out / name).is_file()
        assert name in done.output
    assert "ngspice -b tb_step.sp" in done.output
    told = json.loads((out / "map.json").read_text("utf-8"))
    assert len(told["nodes"][0]) == 8
    cells = [line for line in (out / "weights.inc").read_text().splitlines() if line[0] == "r"]
    assert len(cells) == 2 * (65 * 8 + 9 * 10 + 8 * 10)
    assert "test sample 3" in (out / "tb_free.sp").read_text("utf-8")


def test_the_same_experiment_gives_the_same_bytes(file, tmp_path):
    for folder in ("a", "b"):
        assert verb(file, "-o", tmp_path / folder, "--phase", "free").exit_code == 0
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert "tb_free.sp" in names
    assert "tb_step.sp" not in names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--phase", "frei"], "did you mean 'free'"),
        (["--dialect", "hspic"], "did you mean 'hspice'"),
        (["--sample", "20"], "rows 0 to 19"),
        (["--phase", "learn", "--phase", "free"], "ask for it alone"),
        (["--phase", "learn", "--dialect", "hspice"], "ngspice only"),
        (["--phase", "learn"], "run.precision = 'float64'"),
    ],
)
def test_wrong_options_are_explained(file, tmp_path, arguments, said):
    done = verb(file, "-o", tmp_path / "deck", *arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "deck").exists()


def test_another_dialect_says_that_it_was_not_run(file, tmp_path):
    done = verb(file, "-o", tmp_path / "deck", "--dialect", "xyce")
    assert done.exit_code == 0
    assert "what Xyce reads is written by its manual, and was not run" in done.output


def test_the_command_to_run_a_deck_can_be_pasted_whatever_its_folder(file, tmp_path):
    done = verb(file, "-o", tmp_path / "a deck", "--phase", "free")
    assert f"cd '{tmp_path / 'a deck'}' && ngspice -b tb_free.sp" in done.output


LEARNING = Path(__file__).parents[1] / "experiments" / "learned_sample.toml"


def test_a_learned_sample_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = verb(LEARNING, "--phase", "learn", "--sample", 2)
    assert done.exit_code == 0, done.output
    assert "ngspice -b tb_learn.sp" in done.output
    assert re.search(r"The [1-9]\d* pulses on cells", done.output)
    first = Path("netlists/sample-learn")
    told = json.loads((first / "map.json").read_text("utf-8"))
    assert [np.shape(array) for array in told["states"]] == [(5, 4), (3, 6)]
    assert verb(LEARNING, "--phase", "learn", "--sample", 2, "-o", "again").exit_code == 0
    for name in told["files"]:
        assert (first / name).read_bytes() == (Path("again") / name).read_bytes()


@pytest.mark.spice
def test_a_learned_sample_runs_as_it_stands(ngspice, tmp_path):
    assert verb(LEARNING, "--phase", "learn", "--sample", 2, "-o", tmp_path).exit_code == 0
    done = subprocess.run(
        [ngspice, "-b", "tb_learn.sp"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {
        name: float(value)
        for name, value in re.findall(r"^((?:free|slot|state)\w+) += +(\S+)", done.stdout, re.M)
    }
    experiment, record = open_source(LEARNING)
    sample = learn_test_sample(experiment, record, 2)
    nodes = [f"n{layer}_{i}" for layer, n in ((1, 2), (2, 3)) for i in range(n)]
    ends = [[found[f"{when}_{node}"] for node in nodes] for when in ("free", "slot1", "slot2")]
    np.testing.assert_allclose(ends, sample.voltages, rtol=0, atol=1e-3)
    states = [np.array([[found[f"state{a}_{j}_{k}"] for k in range(n)] for j in range(m)])
              for a, m, n in ((1, 5, 4), (2, 3, 6))]  # fmt: skip
    for xbar, shown, before in zip(sample.crossbars, states, sample.before, strict=True):
        assert np.abs(shown_by(xbar, shown) - xbar.conductance).max() < 1e-6
        assert np.abs(xbar.conductance - before).max() > 2e-6
