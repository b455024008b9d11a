"""The verb ``cosim``: kernels against ngspice, from an experiment file to a figure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app
from ohmlearn.cosimulation import comparison
from ohmlearn.cosimulation.circuit import circuit_of
from ohmlearn.cosimulation.comparison import run_cosim
from ohmlearn.cosimulation.figures import _apart, _time_unit, draw_cosim
from ohmlearn.cosimulation.result import Comparison, EnergyComparison
from ohmlearn.experiment import load_experiment, parse_experiment

pytestmark = [pytest.mark.spice, pytest.mark.usefixtures("ngspice")]

TEXT = """
name = "small"
[data]
name = "digits"
limit_train = 40
limit_test = 20
[network]
layers = [64, 8, 10]
[device]
preset = "HfO2-1T1R-demo"
[learning]
rule = "cep"
beta = 0.5
eta = 0.02
free_steps = 10
nudged_steps = 3
[training]
epochs = 1
"""


@pytest.fixture(scope="module")
def circuit():
    return circuit_of(parse_experiment(TEXT, "small.toml"))


@pytest.fixture(scope="module")
def result(circuit):
    return run_cosim(circuit, [2, 5])


def test_both_simulators_agree(result):
    assert result.passed
    steady = [each for each in result.comparisons if each.level == "steady state"]
    assert [(each.phase, each.sample) for each in steady] == [
        ("free", 2),
        ("nudged", 2),
        ("free", 5),
        ("nudged", 5),
    ]
    assert all(each.largest < 1e-9 for each in steady)
    waves = [each for each in result.comparisons if each.level == "waveform"]
    assert [(each.phase, each.sample) for each in waves] == [("free", 2), ("nudged", 2)]
    assert all(0 < each.rms <= each.largest < 1e-3 for each in waves)
    names = {(each.phase, each.name) for each in result.energies}
    assert ("nudged", "dissipated nudge") in names
    assert ("free", "dissipated nudge") not in names
    supplied = {f"supplied {name}" for name in ("inputs", "bias", "neurons")}
    assert supplied | {"dissipated leaks"} <= {name for _, name in names}


def test_the_nudge_moves_the_waveform(result):
    waves = result.waves
    before = waves.kernel[waves.t <= waves.ends[0]][-1]
    assert np.abs(waves.kernel[-1] - before).max() > 1e-3
    assert waves.kernel.shape[1] == sum(waves.sizes) == 18


def test_a_circuit_that_differs_from_its_netlist_fails(circuit, monkeypatch):
    # The netlist is that of another network: one conductance off by 2 %.
    plus = tuple(g.copy() for g in circuit.network.plus)
    plus[0][10:40, 3] *= 1.02
    other = replace(circuit, network=replace(circuit.network, plus=plus))
    genuine = comparison.deck_of
    monkeypatch.setattr(
        comparison,
        "deck_of",
        lambda _, *rest, **options: genuine(other, *rest, **options),
    )
    found = run_cosim(circuit, [0])
    assert not found.passed
    worst = max(found.comparisons, key=lambda each: each.largest)
    assert not worst.passed
    assert "xnet.n1_3" in {each.node for each in found.comparisons}


GATE = Path(__file__).parents[1] / "experiments" / "gate.toml"
SHOCKLEY = ("resistive.diode=shockley", "resistive.diode_parameters={ i_s = 1e-9 }")
DOUBLED = (
    "network.layers=[6, 10, 4]",
    "resistive.doubled_outputs=true",
    "resistive.nudge=current",
)


@pytest.mark.parametrize(
    ("changes", "doubled"), [(DOUBLED, True), (SHOCKLEY, False)], ids=["piecewise", "shockley"]
)
def test_resistive_networks_agree_too(changes, doubled):
    circuit = circuit_of(load_experiment(GATE, changes))
    assert "resistive network 6-10-" in circuit.title
    _, nudged = circuit.phases([1])
    assert (nudged.current is not None) == doubled
    assert (nudged.nudge > 0) == (not doubled)
    found = run_cosim(circuit, [1])
    assert found.passed, found.as_dict()
    assert {"supplied inputs", "supplied amplifiers"} <= {each.name for each in found.energies}


def test_what_counts_as_agreement():
    row = Comparison("waveform", "free", 0, 2e-3, 1e-4, "n1_0", 1.0, 1.0, 1e-3)
    assert not row.passed
    assert replace(row, largest=9e-4).passed
    assert not replace(row, largest=float("nan")).passed
    energy = EnergyComparison("free", "leak", 1e-12, 1.02e-12)
    assert not energy.passed
    assert replace(energy, spice=1.005e-12).passed


def test_the_figure_is_drawn(result, tmp_path):
    (path,) = draw_cosim(tmp_path, result)
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert path.stat().st_size > 20_000


def verb(*arguments):
    return CliRunner().invoke(app, ["cosim", *map(str, arguments)])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_verb_prints_a_table_and_ends_well(file, tmp_path):
    done = verb(file, "--sample", 1, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    for word in ("steady", "waveform", "nudged", "pass", "figure:", "note:"):
        assert word in done.output
    assert "FAIL" not in done.output
    assert (tmp_path / "out" / "cosim_waveforms.png").is_file()


def test_the_verb_prints_json_alone(file, tmp_path):
    done = verb(file, "--sample", 1, "--json", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["passed"] is True
    assert {each["phase"] for each in told["comparisons"]} == {"free", "nudged"}
    assert told["energies"]


def test_a_difference_beyond_the_tolerance_ends_with_status_1(file, tmp_path, monkeypatch):
    monkeypatch.setattr(comparison, "STEADY_TOLERANCE", 1e-30)
    done = verb(file, "--sample", 1, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "allowed are 1e-30 V" in done.output


def test_without_ngspice_a_sentence_says_what_to_install(file, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("OHMLEARN_NGSPICE", raising=False)
    done = verb(file, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "install" in done.output


def test_a_sample_that_is_not_there_is_named(file, tmp_path):
    done = verb(file, "--sample", 99, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "rows 0 to 19" in done.output


def test_labels_of_lines_that_coincide_stand_apart():
    heights = np.array([0.0, 0.01, 0.02, 5.0, 5.0])
    placed = _apart(heights, 0.5)
    assert np.diff(placed).min() >= 0.5 - 1e-12
    np.testing.assert_allclose(placed, [0.0, 0.5, 1.0, 5.0, 5.5])


@pytest.mark.parametrize(
    ("seconds", "unit"), [(9e-13, "fs"), (9e-12, "ps"), (4e-7, "ns"), (2e-5, "µs"), (7.0, "s")]
)
def test_times_have_the_unit_that_fits_them(seconds, unit):
    factor, found = _time_unit(seconds)
    assert found == unit
    assert 3 <= seconds * factor < 3e3
