"""A run that takes a second, and what its command says when it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app

__all__ = ["BASE", "DEVICE", "contents", "error", "errors", "invoke", "prepare", "run"]

BASE = """
name = "small"
[data]
name = "digits"
limit_train = 40
limit_test = 20
[network]
layers = [64, 12, 10]
[learning]
rule = "cep"
beta = 0.3
eta = 0.02
free_steps = 8
nudged_steps = 4
[training]
epochs = 2
"""
DEVICE = ("device.preset=HfO2-1T1R-demo", "run.level=device")


def prepare(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make *folder* the current one, with the experiment as ``small.toml``."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("OHMLEARN_DATA", raising=False)
    Path("small.toml").write_text(BASE)


def invoke(*arguments: object):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def run(*arguments: object, sets: tuple[str, ...] = (), file: str = "small.toml"):
    changes = [part for one in sets for part in ("--set", one)]
    return invoke("run", file, "--out", "out", *changes, *arguments)


def errors(result, code: int = 2) -> list[str]:
    """Return the sentences of a refused command; anything else it said is a note, not a trace."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    for line in lines:
        assert line.endswith("."), line
    return lines


def error(result, code: int = 2) -> str:
    lines = errors(result, code)
    assert len(lines) == 1, result.output
    return lines[0]


def contents(folder: str) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}
