"""Pulse traces: what was read after which pulses.

Three kinds of file are told apart by their header:

``up_data,down_data`` (AIHWKit)
    Two trains. Each row is one reading of a cell in its SET train and one in its RESET train,
    with one pulse from row to row. Values are normalised weights unless a unit is given.
``states,mean,std`` (NeuroSim V1.5)
    States 0, 1, 2, ... with mean and standard deviation of the conductance. NeuroSim does not
    say how a state is reached. Our reading: one pulse leads from each state to the next, SET
    pulses where the mean rises from the first to the last state, RESET pulses where it falls.
``pulse,conductance`` and, if there are several, ``device``
    One reading per row, in the order of time. ``pulse`` says what came just before the reading:
    +1 a SET pulse, -1 a RESET pulse, 0 nothing (read again); or it counts the pulses of a train,
    1, 2, 3, ... for SET and -1, -2, -3, ... for RESET. Trains follow each other in one column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...errors import DataError, nearest
from ..models.aihwkit_presets import G_UNIT, G_ZERO
from .csv_rows import Table, read_table

__all__ = ["UNITS", "Traces", "describe", "read_traces"]

UNITS = {"S": 1.0, "mS": 1e-3, "uS": 1e-6, "nS": 1e-9}
"""Units of conductance, in siemens; beside them there is ``weight``, see :func:`read_traces`."""

FEWEST = 8
_MOST_SIEMENS = 10.0
_FORMATS = (
    "up_data,down_data | states,mean,std | pulse,conductance,device (device may be left out)"
)


@dataclass(frozen=True)
class Traces:
    """Readings of one or more cells under trains of pulses.

    Attributes
    ----------
    g : ndarray, shape (n,)
        Conductances read [S].
    pulses : ndarray of int64, shape (n,)
        Pulses between the reading before and this one: > 0 SET, < 0 RESET. The first reading of
        a segment has 0.
    segment : ndarray of int64, shape (n,)
        Number of the train this reading belongs to, rising from 0; each starts where nothing is
        known of the cell's past.
    device : ndarray of int64, shape (n,)
        Number of the cell.
    spread : ndarray, shape (n,), or None
        Standard deviation [S] of each reading, where the file gives it.
    source : str
        Name of the file.
    kind : str
        Its header.
    """

    g: np.ndarray
    pulses: np.ndarray
    segment: np.ndarray
    device: np.ndarray
    spread: np.ndarray | None = None
    source: str = ""
    kind: str = ""

    @property
    def starts(self) -> np.ndarray:
        """True at the first reading of each segment."""
        return np.diff(self.segment, prepend=-1) != 0

    @property
    def segments(self) -> int:
        """Number of segments."""
        return int(self.segment[-1]) + 1

    @property
    def devices(self) -> int:
        """Number of cells."""
        return len(np.unique(self.device))

    def of_device(self, device: int) -> Traces:
        """Return the traces of one cell."""
        chosen = self.device == device
        segment = np.unique(self.segment[chosen], return_inverse=True)[1]
        return replace(
            self,
            g=self.g[chosen],
            pulses=self.pulses[chosen],
            segment=segment,
            device=self.device[chosen],
            spread=None if self.spread is None else self.spread[chosen],
        )


def read_traces(path: str | Path, unit: str | None = None) -> Traces:
    """Read pulse traces from a CSV file.

    Parameters
    ----------
    path
        The file; its header says which of the three kinds it is.
    unit
        ``"S"``, ``"mS"``, ``"uS"``, ``"nS"``, or ``"weight"``: AIHWKit's dimensionless weight w,
        read as 50 uS + 25 uS w as in this package's presets. Default: weight for
        ``up_data,down_data``, else S.

    Raises
    ------
    DataError
        The file is no such trace; the message names the line.
    """
    if unit is not None and unit not in (*UNITS, "weight"):
        raise DataError(nearest(unit, (*UNITS, "weight"), "unit"))
    table = read_table(path, _wrong_header, text_columns=("device",))
    read, usual = _READERS[frozenset(table.columns)]
    return _checked(read(table, unit or usual), table)


def describe(traces: Traces) -> str:
    """Return in words how much was measured."""
    up, down = (int(np.abs(traces.pulses[s * traces.pulses > 0]).sum()) for s in (1, -1))
    cells = f"{traces.devices} cells" if traces.devices > 1 else "one cell"
    return f"{traces.g.size:,} readings of {cells}, {up:,} SET and {down:,} RESET pulses"


def _wrong_header(columns: tuple[str, ...]) -> str:
    if frozenset(columns) in _READERS:
        return ""
    shown = ",".join(columns)
    shown = shown if len(shown) < 60 else shown[:57] + "..."
    try:
        [float(column) for column in columns]
    except ValueError:
        return f"the header is '{shown}'; allowed is {_FORMATS}."
    return f"there is no header, only '{shown}'; the first line must be {_FORMATS}."


def _column(table: Table, name: str) -> np.ndarray:
    at = table.columns.index(name)
    return np.array([row.values[at] for row in table.rows])


def _siemens(table: Table, name: str, unit: str, *, spread: bool = False) -> np.ndarray:
    """Return a column of conductances [S], checked."""
    values = _column(table, name)
    if unit == "weight":
        g = G_UNIT * values if spread else G_ZERO + G_UNIT * values
    else:
        g = values * UNITS[unit]
    for row, value, siemens in zip(table.rows, values, g, strict=True):
        if siemens < 0 and unit == "weight":
            raise table.error(
                row.line,
                f"{name} is a weight of {value:g}, below the {-G_ZERO / G_UNIT:g} that stands for "
                "no conductance; give the unit of the file with --unit.",
            )
        if siemens < 0:
            hint = "; if these are normalised weights, say --unit weight" if not spread else ""
            raise table.error(row.line, f"{name} is {value:g} {unit}; it must be >= 0{hint}.")
        if siemens > _MOST_SIEMENS:
            raise table.error(
                row.line,
                f"{name} is {value:g} {unit}, more than {_MOST_SIEMENS:g} S; give the unit of the "
                "file with --unit (S, mS, uS, nS or weight).",
            )
    return g


def _two_trains(table: Table, unit: str) -> Traces:
    n = len(table.rows)
    steps = np.ones(n, np.int64)
    steps[0] = 0
    return Traces(
        g=np.concatenate([_siemens(table, c, unit) for c in ("up_data", "down_data")]),
        pulses=np.concatenate([steps, -steps]),
        segment=np.repeat(np.arange(2), n),
        device=np.zeros(2 * n, np.int64),
    )


def _states(table: Table, unit: str) -> Traces:
    g, spread = _siemens(table, "mean", unit), _siemens(table, "std", unit, spread=True)
    for expected, (row, state) in enumerate(
        zip(table.rows, _column(table, "states"), strict=True)
    ):
        if state != expected:
            raise table.error(row.line, f"states is {state:g}; it must be {expected}, in order.")
    steps = np.full(g.size, 1 if g[-1] >= g[0] else -1, np.int64)
    steps[0] = 0
    zeros = np.zeros(g.size, np.int64)
    return Traces(g, steps, zeros, zeros, spread if spread.any() else None)


def _plain(table: Table, unit: str) -> Traces:
    g, numbers = _siemens(table, "conductance", unit), _column(table, "pulse")
    device = np.zeros(g.size, np.int64)
    if "device" in table.columns:
        device = _column(table, "device").astype(np.int64)
    for row, number in zip(table.rows, numbers, strict=True):
        if number != int(number):
            raise table.error(row.line, f"pulse is {number:g}; it must be a whole number.")
    order = np.argsort(device, kind="stable")
    lines = [table.rows[k].line for k in order]
    device, numbers = device[order], numbers[order].astype(np.int64)
    starts = np.diff(device, prepend=-1) != 0
    pulses = numbers if np.abs(numbers).max() <= 1 else _counted(table, lines, numbers, starts)
    return Traces(g[order], np.where(starts, 0, pulses), np.cumsum(starts) - 1, device)


def _counted(
    table: Table, lines: list[int], numbers: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """Return the pulses before each reading where the column counts the pulses of a train."""
    pulses = np.zeros_like(numbers)
    for k in range(1, numbers.size):
        now, before = int(numbers[k]), int(numbers[k - 1])
        if starts[k]:
            continue
        same_train = now * before > 0
        if same_train and now == before:
            raise table.error(lines[k], f"pulse {now} comes twice in one train.")
        if same_train and abs(now) < abs(before):
            raise table.error(
                lines[k],
                f"pulse {now} comes after pulse {before}; the numbers of a train must grow, and a "
                "train of the same sign needs a train of the other sign before it.",
            )
        pulses[k] = now - before if same_train else now
    return pulses


def _checked(traces: Traces, table: Table) -> Traces:
    """Return *traces* with its source, or say why nothing can be fitted to it."""
    last = table.rows[-1].line
    if traces.g.size < FEWEST:
        raise table.error(
            last, f"only {traces.g.size} readings; a fit needs at least {FEWEST} of them."
        )
    if not traces.pulses.any():
        raise table.error(last, "no reading follows a pulse; there is no response to fit.")
    if np.ptp(traces.g) <= 1e-9 * np.abs(traces.g).max():
        raise table.error(
            last, f"the conductance is constant ({traces.g[0]:g} S); there is no response to fit."
        )
    return replace(traces, source=table.path.name, kind=",".join(table.columns))


_READERS: Mapping[frozenset[str], tuple[Callable[[Table, str], Traces], str]] = {
    frozenset({"up_data", "down_data"}): (_two_trains, "weight"),
    frozenset({"states", "mean", "std"}): (_states, "S"),
    frozenset({"pulse", "conductance"}): (_plain, "S"),
    frozenset({"pulse", "conductance", "device"}): (_plain, "S"),
}
"""For each set of columns the function that reads it, and the unit where none is given."""
