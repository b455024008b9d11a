"""The results of a sweep: one row per point and seed, and what the seeds of a point say together.

``results.csv`` holds nothing that depends on when, where or in what order points were computed;
times are in ``times.csv``.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..storage import write_file
from .design import Point
from .plan import Task
from .points import DONE, Result

__all__ = ["Interval", "Row", "Summary", "interval", "summaries", "write_results"]

RESULTS, TIMES = "results.csv", "times.csv"


class Row(NamedTuple):
    """A task and its result."""

    task: Task
    result: Mapping[str, Any]

    @property
    def done(self) -> bool:
        """Whether there are metrics."""
        return self.result["status"] == DONE


class Interval(NamedTuple):
    """Mean over seeds, and the ends of its two-sided confidence interval (NaN for one seed)."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Summary:
    """All seeds of one point."""

    point: int
    values: Point
    metrics: Mapping[str, Interval]
    failed: int
    reason: str


def write_results(folder: Path, keys: Sequence[str], rows: Sequence[Row]) -> Path:
    """Write ``results.csv`` and ``times.csv``; return the path of the first.

    Raises
    ------
    RecordError
        A file cannot be written.
    """
    metrics = list(dict.fromkeys(name for row in rows for name in row.result["metrics"]))
    spent = ("cpu_seconds", "wall_seconds", "host")
    results, times = io.StringIO(newline=""), io.StringIO(newline="")
    table, log = (csv.writer(text, lineterminator="\n") for text in (results, times))
    table.writerow(["point", *keys, "seed", "status", "reason", *metrics])
    log.writerow(["point", "seed", *spent])
    for task, result in rows:
        cells = [result["metrics"].get(name, "") for name in metrics]
        head = [task.point, *task.values, task.seed]
        table.writerow([*head, result["status"], result["reason"], *cells])
        log.writerow([task.point, task.seed, *(result["spent"].get(name, "") for name in spent)])
    for name, text in ((RESULTS, results), (TIMES, times)):
        write_file(folder / name, lambda file, text=text: file.write(text.getvalue().encode()))
    return folder / RESULTS


def interval(values: Sequence[float], confidence: float) -> Interval:
    """Return the mean of *values* and its Student t interval at *confidence*, in (0, 1)."""
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Interval(mean, math.nan, math.nan, n)
    from scipy.stats import t

    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1) / n)
    half = float(t.ppf(0.5 + 0.5 * confidence, n - 1)) * spread
    return Interval(mean, mean - half, mean + half, n)


def summaries(rows: Sequence[Row], confidence: float) -> list[Summary]:
    """Return one summary per point, in their order."""
    points: dict[int, list[Row]] = {}
    for row in rows:
        points.setdefault(row.task.point, []).append(row)
    return [_summary(number, seeds, confidence) for number, seeds in sorted(points.items())]


def _summary(number: int, rows: Sequence[Row], confidence: float) -> Summary:
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.result["metrics"].items():
            values.setdefault(name, []).append(float(value))
    wrong: list[Result] = [dict(row.result) for row in rows if not row.done]
    return Summary(
        number,
        rows[0].task.values,
        {name: interval(found, confidence) for name, found in values.items()},
        len(wrong),
        wrong[0]["reason"] if wrong else "",
    )
