"""What is printed: nothing is taken for markup, cut off or broken, whatever the width."""

import io

import numpy as np
import pytest
import typer

from ohmlearn import terminal
from ohmlearn.cosimulation.comparison import Comparison, CosimResult, Waves
from ohmlearn.exits import explained_errors
from ohmlearn.reporting.advice import halving
from ohmlearn.reporting.budget import Phase
from ohmlearn.reporting.content import Grid
from ohmlearn.reporting.text import _table
from ohmlearn.sweeps.store import Store
from ohmlearn.tables import effects
from ohmlearn.verbs.cosim import _report


def printed(part, width=80) -> str:
    console = terminal.console()
    console.file, console.width = io.StringIO(), width
    console.print(part)
    return console.file.getvalue()


def test_brackets_are_printed_as_they_stand():
    assert printed("runs/a [red] b") == "runs/a [red] b\n"
    row = {"name": "wires", "on": True, "numbers": {}, "meaning": "resistance [ohm] of lines"}
    assert "resistance [ohm] of lines" in printed(effects([row]))


def test_a_title_is_not_broken_to_the_width_of_a_narrow_table():
    table = terminal.empty_table("a title much wider than its table")
    table.add_column("x")
    table.add_row("1")
    assert printed(table).splitlines()[0] == "a title much wider than its table"
    assert printed(terminal.empty_table()).strip() == ""


@pytest.mark.parametrize("verdict", [True, False])
def test_the_verdict_of_a_cosimulation_fits_into_80_columns(verdict):
    largest = 1e-12 if verdict else 1.0
    row = Comparison(
        level="waveform",
        phase="nudged",
        sample=9999,
        largest=largest,
        rms=1e-13,
        node="xnet.n1_1023",
        kernel_seconds=999e-6,
        spice_seconds=0.999,
        tolerance=1e-3,
    )
    none = np.zeros(1)
    waves = Waves(0, (1.0,), none, none, none, none, none, (1,))
    result = CosimResult("small", (row,), (), waves, ())
    shown = "".join(printed(part) for part in _report(result))
    assert ("pass" if verdict else "FAIL") in shown
    assert "…" not in shown


def test_no_word_of_a_report_is_broken_where_columns_have_room_for_words():
    rows = (("x" * 30, "one " * 30 + "conversion", "1 J"),)
    grid = Grid("Constants", ("constant", "meaning", "value"), rows, 2)
    assert "conversion" in printed(_table(grid), 50)


def test_advice_keeps_abbreviations():
    phases = [Phase("read-out", 1, 1e-6, {"ADC": 1e-9})]
    assert any(sentence.startswith("ADC in read-out") for sentence in halving(phases))


def test_a_lack_of_memory_is_one_sentence(capsys):
    with pytest.raises(typer.Exit) as caught, explained_errors():
        raise MemoryError("Unable to allocate 53.6 GiB for an array")
    assert caught.value.exit_code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: out of memory (Unable to allocate 53.6 GiB")


def test_the_log_of_a_sweep_keeps_the_order_of_the_columns(tmp_path):
    metrics = {"test_loss": 1.0, "cells": 3, "area": 2.0}
    entry = {"key": "k", "status": "done", "reason": "", "metrics": metrics, "spent": {}}
    with Store(tmp_path, {"kind": "train"}) as store:
        store.add(entry)
    with Store(tmp_path, {"kind": "train"}) as store:
        assert list(store.done["k"]["metrics"]) == list(metrics)
