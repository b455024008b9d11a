"""Runs side by side: what differs, what came out, and wrong input."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app
from ohmlearn.experiment import load_experiment
from ohmlearn.record import read_record
from ohmlearn.reporting.comparison import compare_runs
from ohmlearn.run import run

SMALL = ("data.limit_train=40", "data.limit_test=30", "network.layers=[64,8,10]")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the folders of an ideal run and of two on cells."""
    home = tmp_path_factory.mktemp("runs")
    changes = {
        "ideal": ("training.epochs=3", "run.level=ideal"),
        "cells": ("training.epochs=2",),
        "noisy": ("training.epochs=2", "device.cycle_to_cycle=2.0"),
    }
    for name, own in changes.items():
        run(load_experiment(None, [*SMALL, *own]), home / name, figures=False)
    return [home / name for name in changes]


def invoke(tmp_path, *arguments):
    result = CliRunner().invoke(app, ["compare", *map(str, arguments), "-o", str(tmp_path)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_only_settings_that_differ_are_shown(runs):
    found = compare_runs(runs)
    assert found.labels == ("ideal", "cells", "noisy")
    assert found.settings["training.epochs"] == (3, 2, 2)
    assert found.settings["run.level"] == ("ideal", "device", "device")
    assert found.settings["device.cycle_to_cycle.sigma"] == (None, 0.3, 2.0)
    assert set(found.settings) == {"training.epochs", "run.level", "device.cycle_to_cycle.sigma"}
    assert compare_runs([runs[0], runs[0]]).settings == {}


def test_a_preset_is_compared_by_its_numbers(runs, tmp_path):
    other = load_experiment(
        None, [*SMALL, "training.epochs=2", "device.preset=ReRamSB", "crossbar.g_max=90e-6"]
    )
    run(other, tmp_path / "other", figures=False)
    found = compare_runs([runs[1], tmp_path / "other"]).settings
    assert found["device.preset"] == ("HfO2-1T1R-demo", "ReRamSB")
    assert found["crossbar.g_max"] == pytest.approx((100e-6, 90e-6))
    assert found["crossbar.g_min"] == pytest.approx((5e-6, 31.25e-6))
    assert found["device.write_noise"] == (0.0, 56.0)
    assert found["device.cycle_to_cycle.of"] == ("step", "nominal")
    assert found["device.device_to_device.asymmetry"] == (None, 0.01)
    assert "device.model" not in found  # both are of the same
    assert "device.parameters.v_set" not in found


def test_numbers_are_those_of_the_records(runs):
    found = compare_runs(runs)
    summaries = [read_record(folder).summary for folder in runs]
    for name in ("test_error_percent", "cpu_seconds", "epochs"):
        assert found.outcome[name] == tuple(s[name] for s in summaries)
    pulses = found.outcome["pulses_total"]
    assert pulses == (None, summaries[1]["pulses_total"], summaries[2]["pulses_total"])
    assert "rested_error_percent" not in found.outcome


def test_command_writes_table_and_figure(runs, tmp_path):
    result = invoke(tmp_path, *runs, "--json")
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content["runs"] == ["ideal", "cells", "noisy"]
    with open(tmp_path / "compare.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == content["runs"]
    errors = [float(row["test_error_percent"]) for row in rows]
    assert errors == content["outcome"]["test_error_percent"]
    assert (tmp_path / "compare.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_has_whole_names_and_units(runs, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = invoke(tmp_path, *runs).stdout.splitlines()
    shown = {line[:35].strip(): line[35:].split() for line in lines}
    assert shown["device.cycle_to_cycle.sigma"] == ["-", "0.3", "2"]
    assert shown["energy per training sample"][2::2] == ["nJ", "nJ"]
    assert len(shown["area"]) == 5  # "-", and twice a number with its unit


def test_runs_of_the_same_name_are_told_apart(runs, tmp_path):
    shutil.copytree(runs[1], tmp_path / "other" / "cells")
    found = compare_runs([runs[1], tmp_path / "other" / "cells"])
    assert found.labels == (f"{runs[1].parent.name}/cells", "other/cells")
    assert compare_runs([runs[1]] * 2).labels == ("cells (1)", "cells (2)")


def test_wrong_input_is_one_sentence(runs, tmp_path):
    (tmp_path / "empty").mkdir()
    shutil.copytree(runs[1], tmp_path / "broken")
    (tmp_path / "broken" / "events.csv").write_text("epoch\n1\n")
    for arguments, code, says in (
        (runs[:1], 2, "at least two"),
        ((runs[0], tmp_path / "empty"), 2, "holds no finished run"),
        ((runs[0], tmp_path / "absent"), 2, "is no folder"),
        ((runs[0], Path(__file__)), 2, "is no folder"),
        ((runs[0], tmp_path / "broken"), 1, "is damaged"),
    ):
        result = invoke(tmp_path, *arguments)
        assert result.exit_code == code, result.output
        (line,) = result.stderr.strip().splitlines()
        assert says in line
