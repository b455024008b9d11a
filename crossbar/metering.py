"""What programming costs: every pulse counted on its cell, with the energy it dissipates there.

A pulse finds a memristor in one state and leaves it in another; the current is taken as the mean
of both. The energy in the memristor is v (i_before + i_after) / 2 times the width of the nominal
pulse, also where the cell is stuck or worn out. What the lines, drivers and transistors spend on
top follows from the counts and from the squared currents.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..devices.dispatch import cell, current
from ..jit import inlined, kernel

__all__ = ["Meter", "book", "count_slots", "make_meter", "written"]


class Meter(NamedTuple):
    """The account of every cell; the arrays are empty where nobody asks.

    Attributes
    ----------
    pulses : (cells, 2) uint32
        SET and RESET pulses.
    energy : (cells, 2)
        Energy dissipated in the memristor by them [J].
    squares : (cells, 2)
        Integral of the squared current [A^2 s]; with a transistor in series only.
    """

    pulses: NDArray[np.uint32]
    energy: NDArray[np.float64]
    squares: NDArray[np.float64]


def make_meter(cells: int, transistors: bool = False) -> Meter:
    """Return an empty account of so many cells, 0 for none."""
    return Meter(
        np.zeros((cells, 2), np.uint32),
        np.zeros((cells, 2)),
        np.zeros((cells if transistors else 0, 2)),
    )


@inlined
def book(like, table, c, up, before, after, pulses, energy, squares):
    """Add a pulse on cell *c*, which moved its state from *before* to *after*, to its account."""
    p = cell(like, table, c)
    v, width, side = (p.v_set, p.t_set, 0) if up else (p.v_reset, p.t_reset, 1)
    first, last = np.float64(current(p, v, before)), np.float64(current(p, v, after))
    pulses[c, side] += np.uint32(1)
    energy[c, side] += np.float64(v) * (0.5 * (first + last)) * np.float64(width)
    if squares.shape[0] > 0:
        squares[c, side] += 0.5 * (first * first + last * last) * np.float64(width)


@kernel
def count_slots(bank, arms, rows, columns, weights, counts, slots):
    """Add to *slots* (2,) the SET and RESET slots that pulses take, the rows taking turns.

    Cells of a row are pulsed together, those that rise and those that fall one after the other.
    One cell of a pair rises where the other one falls, but one-sided cells only rise.

    Parameters
    ----------
    bank : CellBank
    arms, rows, columns : int
        Of the array.
    weights, counts : (n,) of int
        As for :func:`~.bank.fire`.
    """
    most = np.zeros((rows, 2), np.int64)
    for k in range(weights.size):
        row, size = weights[k] // columns, abs(counts[k])
        if arms == 2 or counts[k] > 0:
            most[row, 0] = max(most[row, 0], size)
        if bank.full is None and (arms == 2 or counts[k] < 0):
            most[row, 1] = max(most[row, 1], size)
    for row in range(rows):
        slots[0] += most[row, 0]
        slots[1] += most[row, 1]


def written(meter: Meter, resistance: float, slots: NDArray) -> dict[str, float]:
    """Return what programming an array took, in words.

    Pulses on single cells and their energy in the memristors [J], in the access transistors of
    *resistance* [ohm] each [J], and pulse slots with the rows of the array taking turns.
    """
    pulses, energy = meter.pulses.sum(axis=0, dtype=np.int64), meter.energy.sum(axis=0)
    return {
        "set_pulses": int(pulses[0]),
        "reset_pulses": int(pulses[1]),
        "set_energy": float(energy[0]),
        "reset_energy": float(energy[1]),
        "transistor_energy": resistance * float(meter.squares.sum()),
        "set_slots": int(slots[0]),
        "reset_slots": int(slots[1]),
    }
