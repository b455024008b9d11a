"""Finished runs side by side: what differs in their settings, and what came out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..figures import COLOURS, canvas, save_figures, style
from ..record import Record, is_record, read_record
from ..storage import write_file
from ..terminal import empty_table
from .report import recorded_headline
from .resolved import Settings, settings_of
from .words import quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.table import Table

__all__ = ["Comparison", "compare_runs", "comparison_table", "draw_comparison", "write_table"]

_UNITS = ("J", "s", "m^2", "B", "1")
#: Numbers of a summary that are compared, their labels, and their unit or how they are shown.
_OUTCOME = {
    "test_error_percent": ("test error (%)", ".2f"),
    "train_error_percent": ("training error (%)", ".2f"),
    "rested_error_percent": ("test error after rest (%)", ".2f"),
    "epochs": ("epochs", "d"),
    "cells": ("memristor cells", ",d"),
    "pulses_total": ("programming pulses", "1"),
    "pulses_per_sample_per_cell": ("pulses per sample per cell", ".3g"),
    "energy_per_inference": ("energy per inference", "J"),
    "energy_per_training_sample": ("energy per training sample", "J"),
    "latency_per_inference": ("latency per inference", "s"),
    "latency_per_training_sample": ("latency per training sample", "s"),
    "area": ("area", "m^2"),
    "cpu_seconds": ("CPU time (s)", ".2f"),
    "cpu_seconds_per_epoch": ("CPU time per epoch, median (s)", ".2f"),
    "peak_memory_bytes": ("peak memory", "B"),
}
_BARS = ("test_error_percent", "pulses_total", "cpu_seconds")


@dataclass(frozen=True)
class Comparison:
    """Runs by their labels; one entry per run in every row."""

    labels: tuple[str, ...]
    settings: Mapping[str, tuple[Any, ...]]
    """Dotted keys in which the runs differ, presets by their numbers; None: no such key."""
    outcome: Mapping[str, tuple[float | None, ...]]
    curves: tuple[tuple[tuple[int, ...], tuple[float, ...]], ...]
    """Epochs and test errors in percent."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON knows."""
        return {
            "runs": list(self.labels),
            "settings": {key: list(values) for key, values in self.settings.items()},
            "outcome": {key: list(values) for key, values in self.outcome.items()},
        }


def compare_runs(folders: Sequence[Path]) -> Comparison:
    """Read the records in *folders* and put them side by side.

    Raises
    ------
    ConfigError
        There are fewer than two, or a folder holds no finished run.
    RecordError
        A record is damaged.
    """
    if len(folders) < 2:
        raise ConfigError("compare needs at least two folders of finished runs.")
    for folder in folders:
        if not is_record(folder):
            what = "holds no finished run" if folder.is_dir() else "is no folder"
            raise ConfigError(f"{folder} {what} (there is no record.json in it).")
    records = [read_record(folder) for folder in folders]
    found = [_outcome(record) for record in records]
    outcome = {name: tuple(row.get(name) for row in found) for name in _OUTCOME}
    return Comparison(
        _labels(folders),
        _differing([settings_of(record) for record in records]),
        {name: row for name, row in outcome.items() if any(v is not None for v in row)},
        tuple(_curve(record) for record in records),
    )


def _labels(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return the names of the folders, or as much of their paths as tells them apart."""
    paths = [folder.absolute().parts for folder in folders]
    for count in range(1, max(map(len, paths)) + 1):
        names = tuple("/".join(parts[-count:]) for parts in paths)
        if len(set(names)) == len(names):
            return names
    return tuple(f"{folder.name} ({number})" for number, folder in enumerate(folders, start=1))


def _differing(settings: Sequence[Settings]) -> dict[str, tuple[Any, ...]]:
    """Return the keys whose values differ; those of cells, between runs that have cells."""
    cells = [found.cells for found in settings]
    rows = _unequal([found.given for found in settings])
    return rows | {
        key: tuple(c.get(key) for c in cells) for key in _unequal([*filter(None, cells)])
    }


def _unequal(tables: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    keys = dict.fromkeys(key for table in tables for key in table)
    rows = {key: tuple(table.get(key) for table in tables) for key in keys}
    return {key: row for key, row in rows.items() if any(value != row[0] for value in row)}


def _outcome(record: Record) -> dict[str, float | None]:
    summary = record.summary
    spent = recorded_headline(record)
    found = {name: summary.get(name, spent.get(name)) for name in _OUTCOME}
    found["train_error_percent"] = _error(summary.get("train_accuracy"))
    rests = summary.get("after_rest") or ()
    found["rested_error_percent"] = _error(rests[-1]["test_accuracy"]) if rests else None
    for name in ("cells", "pulses_total", "pulses_per_sample_per_cell"):
        found[name] = found[name] or None  # there is none at level 'ideal'
    return found


def _error(accuracy: float | None) -> float | None:
    return None if accuracy is None else 100.0 * (1.0 - accuracy)


def _curve(record: Record) -> tuple[tuple[int, ...], tuple[float, ...]]:
    rows = [event for event in record.events if event.get("test_accuracy") is not None]
    errors = (100.0 * (1.0 - float(event["test_accuracy"])) for event in rows)
    return tuple(int(event["epoch"]) for event in rows), tuple(errors)


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name in _OUTCOME:
        shown = _OUTCOME[name][1]
        return quantity(value, shown) if shown in _UNITS else f"{value:{shown}}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def _written(value: Any) -> str:
    """Return a setting for the CSV file, with every digit."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def comparison_table(found: Comparison) -> Table:
    """Return the table for the terminal: a column per run, settings first."""
    table = empty_table()
    table.add_column("", no_wrap=True)
    for label in found.labels:
        table.add_column(label, justify="right", overflow="fold", min_width=9)
    for key, values in found.settings.items():
        table.add_row(key, *(_shown(key, value) for value in values))
    if found.settings:
        table.add_section()
    for name, values in found.outcome.items():
        table.add_row(_OUTCOME[name][0], *(_shown(name, value) for value in values))
    return table


def write_table(folder: Path, found: Comparison) -> Path:
    """Write ``compare.csv`` into *folder*, a row per run; return its path.

    Raises
    ------
    RecordError
        The file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", *found.settings, *found.outcome])
    for number, label in enumerate(found.labels):
        settings = (_written(row[number]) for row in found.settings.values())
        outcome = ("" if row[number] is None else row[number] for row in found.outcome.values())
        writer.writerow([label, *settings, *outcome])
    path = folder / "compare.csv"
    write_file(path, lambda file: file.write(text.getvalue().encode()))
    return path


def draw_comparison(folder: Path, found: Comparison) -> list[Path]:
    """Draw ``compare.png`` into *folder*: test error per epoch, and bars; return its path.

    Raises
    ------
    RecordError
        The file cannot be written.
    """
    bars = [name for name in _BARS if name in found.outcome]
    runs = len(found.labels)
    figure = canvas(
        1, 1 + len(bars), width=4.6 + 2.9 * len(bars), height=1.9 + 0.42 * max(runs, 5)
    )
    with style():
        _draw_curves(figure.axes[0], found)
        for axes, name in zip(figure.axes[1:], bars, strict=True):
            _draw_bars(axes, found, name)
        _legend(figure, found)
    return save_figures(folder, {"compare": figure})


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _draw_curves(axes: Axes, found: Comparison) -> None:
    from matplotlib.ticker import MaxNLocator

    for number, (epochs, errors) in enumerate(found.curves):
        look = "-" if number < len(COLOURS) else "--"
        size = 4.0 if len(epochs) <= 40 else 0.0
        axes.plot(epochs, errors, look, marker="o", ms=size, color=_colour(number))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    axes.set_title("test error (%) per epoch")


def _draw_bars(axes: Axes, found: Comparison, name: str) -> None:
    from matplotlib.ticker import EngFormatter

    values = found.outcome[name]
    axes.barh(
        range(len(values)),
        [value or 0.0 for value in values],
        color=[_colour(number) for number in range(len(values))],
    )
    for at, value in enumerate(values):
        text = _engineering(name, value)
        axes.annotate(text, (value or 0.0, at), (3, 0), textcoords="offset points", va="center",
                      fontsize="small")  # fmt: skip
    axes.set_yticks([])
    axes.margins(x=0.35)
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    if name == "pulses_total":
        axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
    axes.locator_params(axis="x", nbins=4)
    axes.set_title(_OUTCOME[name][0])


def _engineering(name: str, value: float | None) -> str:
    from matplotlib.ticker import EngFormatter

    if value is None:
        return "none"
    if name == "pulses_total":
        return EngFormatter(places=1, sep=" ")(value)
    return f"{value:.2f}"


def _legend(figure: Figure, found: Comparison) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=_colour(n), label=label) for n, label in enumerate(found.labels)]
    columns = max(1, min(len(handles), 120 // max(len(label) + 8 for label in found.labels)))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)
