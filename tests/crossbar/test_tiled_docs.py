"""The example of docs/arrays.md runs as it stands and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "arrays.md"
LINE = re.compile(r"(.+?)\s+([0-9.]+) %")


def block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return found


def figures(text: str) -> dict[str, float]:
    matches = (LINE.fullmatch(line) for line in text.strip().splitlines())
    return {m[1]: float(m[2]) for m in matches if m}


def test_the_example_prints_its_figures(capsys):
    exec(compile(block("python"), str(PAGE), "exec"), {})
    printed, stored = figures(capsys.readouterr().out), figures(block("text"))
    assert printed == pytest.approx(stored, rel=0.02, abs=0.011)
    assert printed["ideal"] == 0.0
    assert len(printed) == 10
    assert printed["1 ohm, tiles of 32 x 32"] < printed["1 ohm per segment"]
