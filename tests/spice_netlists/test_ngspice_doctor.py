"""``ohmlearn doctor``: what was found is tried, and what is missing is named."""

import json

import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app

RUNNER = CliRunner()


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    monkeypatch.delenv("OHMLEARN_NGSPICE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(tmp_path / "none.so"))


@pytest.mark.spice
def test_what_was_found_is_tried(ngspice):
    done = RUNNER.invoke(app, ["doctor", "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told["ngspice"] == ngspice
    assert told["version"] > 0
    assert told["batch"] == "works"
    table = RUNNER.invoke(app, ["doctor"])
    assert table.exit_code == 0
    assert ngspice in table.stdout


@pytest.mark.usefixtures("nothing")
def test_nothing_to_simulate_with_is_a_failure_that_says_what_to_install():
    done = RUNNER.invoke(app, ["doctor"])
    assert done.exit_code == 1
    words = " ".join(done.stdout.split())
    assert "apt-get install ngspice libngspice0" in words
    assert "apt-get install libngspice0" in words
    told = json.loads(RUNNER.invoke(app, ["doctor", "--json"]).stdout)
    assert told["ngspice"] is None
    assert told["batch"] == told["shared"] == "not available"


def test_a_program_that_does_not_simulate_is_told(monkeypatch, tmp_path):
    path = tmp_path / "ngspice"
    path.write_text("#!/bin/sh\necho '** ngspice-39'\n")
    path.chmod(0o755)
    monkeypatch.setenv("OHMLEARN_NGSPICE", str(path))
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(tmp_path / "none.so"))
    done = RUNNER.invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "fails: ngspice: no results were written" in " ".join(done.stdout.split())


def test_a_wrong_setting_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("OHMLEARN_NGSPICE", str(tmp_path / "none"))
    done = RUNNER.invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "OHMLEARN_NGSPICE" in done.stderr
