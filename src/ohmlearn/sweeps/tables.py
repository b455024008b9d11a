"""Sweeps and tolerances as tables for the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType

from ..terminal import empty_table
from .tidy import Interval

if TYPE_CHECKING:
    from .sweep import Sweep
    from .tolerance import Tolerance

__all__ = ["sweep_tables", "tolerance_tables"]

_MOST = 60  # rows of a table in the terminal
_COLUMNS = {
    "test_error_percent": "test error %",
    "rested_error_percent": "after rest %",
    "pulses": "pulses",
}


def sweep_tables(sweep: Sweep, figures: Sequence[Path]) -> Iterator[RenderableType]:
    """Yield the means and intervals of all points, and where the files are."""
    named = {name for point in sweep.points for name in point.metrics}
    metrics = [name for name in _COLUMNS if name in named]
    table = empty_table(f"{sweep.name}: mean over seeds and {100 * sweep.confidence:g} % interval")
    for heading in (*_short(sweep.keys), *(_COLUMNS[name] for name in metrics), "seeds"):
        table.add_column(heading, justify="right")
    for point in sweep.points[:_MOST]:
        cells = [_cell(name, point.metrics[name]) if name in point.metrics else "-"
                 for name in metrics]  # fmt: skip
        known = max((found.n for found in point.metrics.values()), default=0)
        counts = [f"{known}"] * bool(known) + [f"{point.failed} failed"] * bool(point.failed)
        seeds = ", ".join(counts)
        table.add_row(*point.values, *cells, seeds)
    yield table
    if len(sweep.points) > _MOST:
        yield f"... and {len(sweep.points) - _MOST} more points"
    if sweep.failed:
        row = sweep.failed[0]
        where = ", ".join(f"{k} = {v}" for k, v in zip(sweep.keys, row.task.values, strict=True))
        yield f"{len(sweep.failed)} of {len(sweep.rows)} failed, the first at {where}, seed "\
              f"{row.task.seed}: {row.result['reason']}"  # fmt: skip
    yield f"results: {sweep.results}"
    for path in figures:
        yield f"figure: {path}"


def _short(keys: Sequence[str]) -> list[str]:
    """Return the last words of the keys where these tell them apart."""
    last = [key.rpartition(".")[2] for key in keys]
    return last if len(set(last)) == len(last) else list(keys)


def _cell(name: str, found: Interval) -> str:
    if name == "pulses":
        return f"{found.mean:,.0f}"
    if math.isnan(found.low):
        return f"{found.mean:.2f}"
    return f"{found.mean:.2f} ± {found.high - found.mean:.2f}"


def tolerance_tables(found: Tolerance, figures: Sequence[Path]) -> Iterator[RenderableType]:
    """Yield every value that was tried, and the answer."""
    table = empty_table(f"{found.name}: {found.seeds} seeds at every value")
    for heading in (found.key, "accuracy %", f"lower bound {100 * found.confidence:g} %", ""):
        table.add_column(heading, justify="right")
    for trial in sorted(found.trials, key=lambda trial: trial.value):
        if trial.failed:
            table.add_row(f"{trial.value:g}", "-", "-", f"{trial.failed} failed: {trial.reason}")
            continue
        verdict = "meets" if trial.meets else "fails"
        table.add_row(
            f"{trial.value:g}", f"{100 * trial.mean:.2f}", f"{100 * trial.bound:.2f}", verdict
        )
    yield table
    yield found.sentence()
    for path in figures:
        yield f"figure: {path}"
