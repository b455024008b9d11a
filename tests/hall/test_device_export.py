"""``ohmlearn devices NAME --verilog-a FILE --spice FILE``: models as files of other programs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app
from ohmlearn.devices import contract, get_preset
from ohmlearn.devices.registry import devices
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.parts import DIALECTS, verilog_a

PRESET = """
name = "mine"
model = "SoftBounds"
[parameters]
g_max = 80e-6
[effects]
read_noise = 0.01
"""


def verb(*arguments: object):
    return CliRunner().invoke(app, ["devices", *map(str, arguments)])


def test_a_preset_is_written_as_a_module_with_its_numbers(tmp_path: Path):
    file = tmp_path / "cell.va"
    done = verb("HfO2-1T1R-demo", "--verilog-a", file)
    assert done.exit_code == 0, done.output
    assert "module hfo2_1t1r_demo(te, be, x)" in done.output
    assert "nominal cell" in done.output  # the preset has effects, which are not in the module
    params = get_preset("HfO2-1T1R-demo")[1].params
    assert file.read_text() == verilog_a(params, label="HfO2-1T1R-demo")


def test_a_module_of_a_preset_compiles(openvaf: str, tmp_path: Path):
    assert verb("PCM", "--verilog-a", tmp_path / "pcm.va").exit_code == 0
    done = subprocess.run([openvaf, "pcm.va"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.spice
def test_a_subcircuit_runs_as_it_stands(ngspice: str, tmp_path: Path):
    done = verb("vteam", "--spice", tmp_path / "cell.lib")
    assert done.exit_code == 0, done.output
    assert "subckt vteam te be x" in done.output
    (tmp_path / "tb.sp").write_text(
        "* bench\n.include cell.lib\nv1 a 0 0.2\nx1 a 0 x vteam x0=0.3\n.op\n.end\n"
    )
    plot = run_batch(tmp_path / "tb.sp")[0]
    wanted = contract.current(devices()["VTEAM"].params(), 0.2, 0.3)
    assert -plot["i(v1)"][0] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - {"ngspice"}))
def test_another_dialect_says_that_it_was_not_run(dialect: str, tmp_path: Path):
    file = tmp_path / "cell.sp"
    done = verb("Stanford-PKU", "--spice", file, "--dialect", dialect)
    assert done.exit_code == 0, done.output
    assert re.search(r"written by the manual of \w+, and not run", done.output)
    assert "subckt stanford_pku" in file.read_text()


def test_a_preset_file_is_written_too_and_both_at_once(tmp_path: Path):
    (tmp_path / "my cell.toml").write_text(PRESET)
    files = tmp_path / "a.va", tmp_path / "a.sp"
    done = verb(tmp_path / "my cell.toml", "--verilog-a", files[0], "--spice", files[1])
    assert done.exit_code == 0, done.output
    assert all("my_cell" in file.read_text() for file in files)
    assert all("8e-05" in file.read_text() for file in files)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--spice", "a.sp"], "need the NAME"),
        (["VTEAM", "--spice", "a.sp", "--dialect", "hspic"], "did you mean 'hspice'"),
        (["VTEAM", "--dialect", "hspice"], "is for --spice"),
        (["VTEAM", "--verilog-a", "a.va", "--plot"], "choose one"),
        (["VTEAM", "--spice", "a.sp", "--check"], "choose one"),
        (["VTEAMM", "--spice", "a.sp"], "did you mean 'VTEAM'"),
    ],
)
def test_wrong_options_are_explained(arguments, said, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = verb(*arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--spice", "--verilog-a"])
def test_a_file_that_holds_something_else_is_not_lost(option, tmp_path: Path):
    mine = tmp_path / "notes.txt"
    mine.write_text("my notes on the subckt and the module\n")
    refused = verb("VTEAM", option, mine)
    assert refused.exit_code == 2
    assert "is no" in refused.stderr
    assert mine.read_text().startswith("my notes")
    again = tmp_path / "new" / "cell.lib"  # its folder is made
    for name in ("VTEAM", "SoftBounds"):
        assert verb(name, option, again).exit_code == 0
    assert "softbounds" in again.read_text().lower()


def test_a_place_that_cannot_be_written_is_a_failure(tmp_path: Path):
    (tmp_path / "file").write_text("")
    failed = verb("VTEAM", "--spice", tmp_path / "file" / "a.sp")
    assert failed.exit_code == 1
    assert "cannot write" in failed.stderr
