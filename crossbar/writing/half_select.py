"""Half-select disturb: what a programming pulse does to the other cells of a passive array.

Without transistors every cell of the array sees part of the pulse. With V across the selected
cells (the selected word line at V, their bit lines at 0):

======  ==========================  =======================  =====================  ============
scheme  other lines                 others on the word line  others on a bit line   all others
======  ==========================  =======================  =====================  ============
V/2     all at V/2                  V/2                      V/2                    0
V/3     word at V/3, bit at 2 V/3   V/3                      V/3                    -V/3
======  ==========================  =======================  =====================  ============

A cell moves by its model's own rate at that voltage, over the time it sees it. Pulse-response
models do not move below ``WRITE_THRESHOLD`` (0.75) of the nominal amplitude, so neither scheme
disturbs them. Disturb is without noise. In an array with access transistors the gates of the
other rows are off, and there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...devices.cell.dispatch import program_cell
from ...devices.dispatch import cell
from ...errors import ConfigError, nearest
from ...jit import kernel
from ..bank import fire
from .schemes import Programming, cell_counts, result, row_slots

if TYPE_CHECKING:
    from ..array import Crossbar

__all__ = ["SCHEMES", "HalfSelect", "half_select", "row_serial_passive"]


class HalfSelect(NamedTuple):
    """Fractions of the pulse amplitude that cells see which are not selected."""

    row: float
    column: float
    unselected: float


SCHEMES = {"V/2": HalfSelect(0.5, 0.5, 0.0), "V/3": HalfSelect(1 / 3, 1 / 3, -1 / 3)}


def half_select(scheme: str) -> HalfSelect:
    """Return the fractions of *scheme*, ``"V/2"`` or ``"V/3"``.

    Raises
    ------
    ConfigError
        If there is no such scheme.
    """
    if scheme not in SCHEMES:
        raise ConfigError(nearest(scheme, SCHEMES, "half-select scheme"))
    return SCHEMES[scheme]


def row_serial_passive(xbar: Crossbar, counts: NDArray, scheme: str) -> Programming:
    """Apply pulses row by row in an array without selectors, and disturb its other cells.

    In each row first all SET pulses, then all RESET pulses; a bit line that has fired its own
    count is no longer selected for the rest of the row. The amplitudes are the nominal ones. A
    cell that was disturbed shows its conductance anew, with a new write error if it has one.

    Parameters
    ----------
    xbar : Crossbar
    counts : (rows, columns) of int
        Signed pulses per weight.
    scheme : str
        ``"V/2"`` or ``"V/3"``.

    Raises
    ------
    ConfigError
        If *counts* does not fit or there is no such scheme.
    """
    fractions = half_select(scheme)
    cells = cell_counts(xbar, counts)
    n_set, n_reset = row_slots(cells)
    lines = cells.reshape(xbar.rows, -1)
    moved = np.zeros(xbar.cells, np.bool_)
    tick, pulses = xbar.tick(), 0
    for row in np.flatnonzero(n_set + n_reset):
        weights = row * xbar.columns + np.flatnonzero(cells[row, :, 0])
        own = cells[row, :, 0][cells[row, :, 0] != 0]
        pulses += fire(xbar.bank, 0, xbar.arms, weights, own, tick)
        disturb(xbar.bank, row, lines[row], int(n_set[row]), int(n_reset[row]),
                fractions, _pulses(xbar.params), moved)  # fmt: skip
    changed = np.flatnonzero(moved)
    if changed.size:
        # A programming of no pulses: the cells show their state.
        fire(xbar.bank, 0, 1, changed, np.zeros(changed.size, np.int64), xbar.tick())
    xbar.pulses += pulses
    return result(xbar, pulses, int(n_set.sum()), int(n_reset.sum()))


class _Pulses(NamedTuple):
    """Magnitude [V] and width [s] of the nominal pulses."""

    v_set: float
    t_set: float
    v_reset: float
    t_reset: float


def _pulses(p: Any) -> _Pulses:
    return _Pulses(*(abs(float(v)) for v in (p.v_set, p.t_set, p.v_reset, p.t_reset)))


@kernel
def disturb(bank, row, own, n_set, n_reset, fractions, pulses, moved):
    """Let every cell of an array see the pulses that were not meant for it, on one row.

    Parameters
    ----------
    bank : CellBank
        All cells of the array.
    row : int
        The selected word line.
    own : (lines,) of int
        Signed pulses that each cell on it took.
    n_set, n_reset : int
        SET and RESET slots of that row.
    fractions : HalfSelect
    pulses : _Pulses
    moved : (cells,) of bool
        Set where a cell moved.
    """
    like, table, x, stuck = bank.like, bank.table, bank.x, bank.stuck
    lines = own.size
    for c in range(x.size):
        if stuck[c] != 0:
            continue
        line = c % lines
        ups, downs = max(own[line], 0), max(-own[line], 0)
        selected = c // lines == row
        meant = 0.0 if selected else fractions.column
        other = fractions.row if selected else fractions.unselected
        p, before = cell(like, table, c), x[c]
        after = before * 1.0
        for share, slots in ((meant, ups), (other, n_set - ups)):
            if share != 0.0 and slots > 0:
                after = program_cell(
                    p, None, 0.0, share * pulses.v_set, slots * pulses.t_set, after
                )
        for share, slots in ((meant, downs), (other, n_reset - downs)):
            if share != 0.0 and slots > 0:
                after = program_cell(
                    p, None, 0.0, -share * pulses.v_reset, slots * pulses.t_reset, after
                )
        x[c] = after
        moved[c] = moved[c] or x[c] != before
