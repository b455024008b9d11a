"""The verb ``report``: fast, byte for byte the same, and one sentence per mistake."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app

BUDGET = Path(__file__).resolve().parents[2] / "examples" / "energy_budget.toml"
SOURCE = Path(__file__).resolve().parents[2] / "src"
WRITES = {"set_pulses": 5, "reset_pulses": 2, "set_energy": 2e-12, "reset_energy": 1e-12,
          "transistor_energy": 1e-13, "set_slots": 3, "reset_slots": 2}  # fmt: skip
HEAVY = ("numba", "matplotlib", "PySpice", "scipy")


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture
def run(hand_record) -> Path:
    generator = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        f"g_{arm}_1": generator.uniform(5e-6, 1e-4, (3, 2)) for arm in ("plus", "minus")
    }
    arrays |= {f"activity_{k}": generator.uniform(0, 1, 2) for k in (0, 1)}
    arrays["writes_1"] = generator.integers(0, 9, (3, 2, 2)).astype(np.uint32)
    return hand_record(arrays, [WRITES], pulses_total=7, cells=12)


def invoke(*arguments: object):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_text_has_the_four_scopes_and_the_verdict(run):
    result = invoke(run)
    assert result.exit_code == 0, result.output
    for word in ("inference", "training sample", "epoch", "whole run", "Sources", "Assumptions"):
        assert word in result.output
    assert "% of the energy" in result.output


def test_a_terminal_of_80_letters_cuts_nothing_off(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = invoke(run).output
    table = text[text.index("Constants") : text.index("Sources")].split()
    constants = json.loads(invoke(run, "--json").stdout)["constants"]
    for name, found in constants.items():
        assert name in table
        for word in f"{found['meaning']}; {found['source']}".split():
            assert word in table, name


def test_json_and_csv_are_alone_on_stdout_and_agree(run):
    found = json.loads(invoke(run, "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(invoke(run, "--csv").stdout)))
    for scope in ("inference", "training sample"):
        ours = [float(row["energy_J"]) for row in rows if row["scope"] == scope]
        assert sum(ours) == pytest.approx(found["scopes"][scope]["energy"], rel=1e-12)
        shares = [float(row["share"]) for row in rows if row["scope"] == scope]
        assert sum(shares) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_same_record_gives_the_same_bytes(run, form, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(run, copy)
    assert invoke(run, form).stdout_bytes == invoke(copy, form).stdout_bytes


def test_a_key_of_the_hardware_can_be_changed_afterwards(run):
    slow, fast = (
        json.loads(invoke(run, "--json", "--set", f"hardware.t_step={t}").stdout)
        for t in ("1e-6", "1e-8")
    )
    assert slow["headline"]["latency_per_inference"] > fast["headline"]["latency_per_inference"]


def test_an_experiment_file_is_reported_on_before_it_is_run():
    assert "Writes dominate" in invoke(BUDGET).output


def wrong(*arguments: object, code: int) -> str:
    result = invoke(*arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def test_no_run(tmp_path):
    assert "no such folder" in wrong(tmp_path / "nothing", code=2)
    assert "no finished run" in wrong(tmp_path, code=2)


def test_damaged_record(run):
    (run / "arrays.npz").write_bytes(b"PK")
    assert "arrays.npz is damaged" in wrong(run, code=1)


def test_summary_cut_short(run):
    (run / "record.json").write_text("{")
    assert "record.json is damaged or incomplete" in wrong(run, code=1)


def test_wrong_options(run):
    assert "choose one" in wrong(run, "--json", "--csv", code=2)
    assert "only keys of [hardware]" in wrong(run, "--set", "learning.beta=1", code=2)
    assert "did you mean 't_step'" in wrong(run, "--set", "hardware.tstep=1", code=2)
    assert "did you mean '65'" in wrong(run, "--set", "hardware.node=66", code=2)
    assert "hardware.assume_conductance" in wrong(
        BUDGET.parent / "mnist_1t1r.toml", "--json", code=2
    )


def test_a_page_is_not_written_over_a_file_of_another_kind(run, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text("keep me")
    assert "must end in .html" in wrong(run, "--html", mine, code=2)
    assert mine.read_text() == "keep me"


def test_page_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot write" in wrong(run, "--html", tmp_path / "file" / "page.html", code=1)


def test_old_record_is_reported_as_far_as_it_goes(hand_record):
    arrays = {f"g_{arm}_1": np.full((3, 2), 1e-5) for arm in ("plus", "minus")}
    result = invoke(hand_record(arrays))
    assert result.exit_code == 0
    assert "Note: The record holds no signals" in result.output


def test_report_starts_without_what_takes_seconds_to_load(run):
    code = (
        "import sys\n"
        "from ohmlearn.cli import app\n"
        f"try: app(['report', {str(run)!r}, '--json'])\n"
        "except SystemExit as end: assert not end.code\n"
        f"print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"
