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
from ..jit import inlined

__all__ = ["Meter", "book", "make_meter"]


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
