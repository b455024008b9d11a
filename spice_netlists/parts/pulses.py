"""Programming pulses as piecewise-linear sources on row, column and gate lines.

A pulse of polarity 1 (SET) puts its amplitude across the selected cell from row to column, one of
polarity -1 (RESET) from column to row. All voltages are positive; between pulses every line is
at 0.

==========  ============  ================  =============  ===============  ==========
scheme      selected row  selected columns  other rows     other columns    gates
==========  ============  ================  =============  ===============  ==========
1T1R  SET   V             0                 0, gate off    V                own row on
1T1R RESET  0             V                 0, gate off    0                own row on
V/2    SET  V             0                 V/2            V/2              none
V/2  RESET  0             V                 V/2            V/2              none
V/3    SET  V             0                 V/3            2 V/3            none
V/3  RESET  0             V                 2 V/3          V/3              none
==========  ============  ================  =============  ===============  ==========

Pulses that begin at one time are one slot: they share row, polarity, amplitude, width and gate
voltage and differ in their column. A pulse rises from its time on over ``edge``, is flat until its
width has passed and falls over ``edge``: it is ``width`` long at half its height. The gate is on
from ``edge`` before to ``edge`` after the pulse, with edges of its own outside that, so a
slot takes from two edges before its time to three edges after the width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from ...errors import NetlistError, nearest
from ..names import name, number
from .devices import node, wrapped

__all__ = ["SCHEMES", "CellPulse", "Lines", "Waveform", "programming_sources",
           "programming_waveforms"]  # fmt: skip


class CellPulse(NamedTuple):
    """One pulse on one cell.

    Attributes
    ----------
    time : float
        When it begins to rise [s].
    row, column : int
        The cell.
    polarity : int
        1 for SET, -1 for RESET.
    amplitude, width : float
        Magnitude [V] and length [s], > 0.
    v_gate : float
        Gate voltage of a cell with a transistor [V].
    """

    time: float
    row: int
    column: int
    polarity: int
    amplitude: float
    width: float
    v_gate: float = 0.0


class Lines(NamedTuple):
    """Nodes of the lines to drive; without gates for cells without a transistor."""

    rows: Sequence[str]
    columns: Sequence[str]
    gates: Sequence[str] = ()


Waveform = tuple[tuple[float, float], ...]
"""Corners of a voltage over time: time [s], rising, and voltage [V]."""


class _Levels(NamedTuple):
    """Voltages of a slot, in units of the amplitude."""

    row: float
    column: float
    other_rows: float
    other_columns: float


SCHEMES: Mapping[str, tuple[_Levels, _Levels]] = {
    "1T1R": (_Levels(1.0, 0.0, 0.0, 1.0), _Levels(0.0, 1.0, 0.0, 0.0)),
    "V/2": (_Levels(1.0, 0.0, 0.5, 0.5), _Levels(0.0, 1.0, 0.5, 0.5)),
    "V/3": (_Levels(1.0, 0.0, 1 / 3, 2 / 3), _Levels(0.0, 1.0, 2 / 3, 1 / 3)),
}
"""Levels of SET and of RESET by scheme."""


def programming_sources(
    pulses: Iterable[CellPulse],
    lines: Lines,
    scheme: str = "1T1R",
    *,
    edge: float = 1e-9,
    label: str = "p",
) -> str:
    """Return one source for every line, at 0 V where no pulse asks for more.

    Parameters
    ----------
    pulses : iterable of CellPulse
        In any order.
    lines : Lines
    scheme : str
        A name of :data:`SCHEMES`.
    edge : float
        Rise and fall time [s], > 0 and at most half a width.
    label : str
        What the names of the sources begin with, after ``v``.

    Raises
    ------
    NetlistError
        If a pulse or the scheme is not allowed, or slots overlap.
    """
    shape = len(lines.rows), len(lines.columns)
    waves = programming_waveforms(pulses, shape, scheme, edge=edge)
    if (scheme == "1T1R") != bool(lines.gates) or len(lines.gates) not in (0, shape[0]):
        raise NetlistError(
            f"programming: {len(lines.gates)} gate lines for {shape[0]} rows under scheme "
            f"'{scheme}'; allowed is one for each row under '1T1R', and none otherwise."
        )
    named = {"row": lines.rows, "col": lines.columns, "gate": lines.gates}
    cards = []
    for kind, nodes in named.items():
        for k, at in enumerate(nodes):
            source = f"v{name(label, 'p')}_{kind}_{k}"
            cards.append(_source(source, node(at), waves.get((kind, k), ())))
    return "\n".join(cards) + "\n"


def _source(label: str, at: str, wave: Waveform) -> str:
    if not wave:
        return f"{label} {at} 0 0.0"
    points = [f"{number(t)} {number(v)}" for t, v in wave]
    return wrapped([label, at, "0", "pwl(" + points[0], *points[1:-1], points[-1] + ")"])


def programming_waveforms(
    pulses: Iterable[CellPulse], shape: tuple[int, int], scheme: str = "1T1R", *,
    edge: float = 1e-9,
) -> dict[tuple[str, int], Waveform]:  # fmt: skip
    """Return the corners of every line that moves, by its kind (row, col, gate) and number.

    Arguments and errors are those of :func:`programming_sources`.
    """
    if scheme not in SCHEMES:
        raise NetlistError(nearest(str(scheme)[:40], SCHEMES, "programming scheme"))
    if not (isfinite(edge) and edge > 0.0):
        raise NetlistError(f"programming: edge is {edge} s; allowed is > 0.")
    corners: dict[tuple[str, int], list[tuple[float, float]]] = {}
    end = -1.0
    for slot in _slots(pulses, shape, edge):
        first = slot[0]
        begin, down = first.time - 2.0 * edge, first.time + first.width
        if begin < max(end, 0.0) - 1e-3 * edge:
            raise NetlistError(
                f"programming: a pulse at {first.time:g} s begins before the one before it, or "
                f"time 0, is {2.0 * edge:g} s (two edges) past; move it."
            )
        end = down + 3.0 * edge
        own = (first.time, first.time + edge, down, down + edge)
        gate = (begin, begin + edge, end - edge, end)
        for line, level in _levels(slot, shape, scheme).items():
            times = gate if line[0] == "gate" else own
            _append(corners.setdefault(line, [(0.0, 0.0)]), times, level)
    return {line: tuple(points) for line, points in corners.items()}


def _slots(
    pulses: Iterable[CellPulse], shape: tuple[int, int], edge: float
) -> list[list[CellPulse]]:
    """Return the pulses slot by slot, checked."""
    slots: dict[float, list[CellPulse]] = {}
    for pulse in pulses:
        _check(pulse, shape, edge)
        slots.setdefault(pulse.time, []).append(pulse)
    for time, slot in slots.items():
        alike = {p._replace(column=0) for p in slot}
        if len(alike) > 1 or len({p.column for p in slot}) < len(slot):
            raise NetlistError(
                f"programming: the {len(slot)} pulses at {time:g} s are no slot; allowed are "
                "pulses that differ in their column only, one for each."
            )
    return [slots[time] for time in sorted(slots)]


def _check(pulse: CellPulse, shape: tuple[int, int], edge: float) -> None:
    if not (0 <= pulse.row < shape[0] and 0 <= pulse.column < shape[1]):
        raise NetlistError(
            f"programming: a pulse on cell ({pulse.row}, {pulse.column}) of an array of "
            f"{shape[0]} x {shape[1]}."
        )
    if pulse.polarity not in (1, -1):
        raise NetlistError(f"programming: polarity {pulse.polarity}; allowed is 1 or -1.")
    sizes = (pulse.amplitude, pulse.width)
    finite = all(map(isfinite, (*sizes, pulse.time, pulse.v_gate)))
    if not finite or min(sizes) <= 0.0 or pulse.width < 2.0 * edge:
        raise NetlistError(
            f"programming: a pulse of {pulse.amplitude} V and {pulse.width} s at {pulse.time} s, "
            f"gate at {pulse.v_gate} V; allowed are finite numbers, an amplitude > 0 and a "
            f"width of at least two edges ({2.0 * edge:g} s)."
        )


def _levels(
    slot: list[CellPulse], shape: tuple[int, int], scheme: str
) -> dict[tuple[str, int], float]:
    """Return the voltage of every line that moves in a slot."""
    first = slot[0]
    levels = SCHEMES[scheme][first.polarity < 0]
    chosen = {p.column for p in slot}
    found = {("row", i): levels.other_rows for i in range(shape[0])}
    found[("row", first.row)] = levels.row
    for j in range(shape[1]):
        found[("col", j)] = levels.column if j in chosen else levels.other_columns
    volts = {line: part * first.amplitude for line, part in found.items() if part != 0.0}
    if scheme == "1T1R":
        volts[("gate", first.row)] = first.v_gate
    return volts


def _append(points: list[tuple[float, float]], times: Iterable[float], level: float) -> None:
    """Add a pulse: the times at which it begins, is up, begins to fall and is down again."""
    for corner in zip(times, (0.0, level, level, 0.0), strict=True):
        if corner[0] > points[-1][0]:
            points.append(corner)
