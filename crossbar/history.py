"""What use and time leave behind in cells: counts of pulses, ages, programmed conductances.

The arrays are empty where no effect needs them, so that other cells pay nothing for them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..devices.variability import telegraphed
from ..jit import inlined

__all__ = ["Past", "Wear", "begin", "held", "worn", "writable"]


class Wear(NamedTuple):
    """Use of the cells by pulses, see :class:`~ohmlearn.devices.wear.Endurance`.

    Attributes
    ----------
    cycles : (cells,) int64
        Pulses so far; empty where endurance is off.
    limit : (cells,) float64
        Pulses that a cell endures.
    fade, close_low, close_high, exponent
        The law of wear.
    fails : int
        Where a failed cell stands: 0 low, 1 high, 2 where it failed.
    """

    cycles: NDArray[np.int64]
    limit: NDArray[np.float64]
    fade: Any
    close_low: Any
    close_high: Any
    exponent: float
    fails: int


class Past(NamedTuple):
    """What the conductance shown at a later time depends on.

    Attributes
    ----------
    programmed : (cells,)
        Conductance shown just after the last programming, without any trap [S]; as the other
        arrays empty where no effect depends on time.
    age : (cells,) float64
        Time since the last programming [s].
    writes : (cells,) int64
        Programming operations so far.
    occupied : (cells,) int8
        1 where the cell has a trap and it is occupied.
    amplitude, exponent : float
        What an occupied trap takes away, see
        :class:`~ohmlearn.devices.fluctuations.RandomTelegraph`.
    g_top : float
        Upper end of the nominal window [S].
    """

    programmed: NDArray
    age: NDArray[np.float64]
    writes: NDArray[np.int64]
    occupied: NDArray[np.int8]
    amplitude: Any
    exponent: Any
    g_top: Any


@inlined
def writable(stuck, wear, c):
    """Return whether programming moves cell *c*: it is not stuck and has not failed."""
    return stuck[c] == 0 and (wear.cycles.size == 0 or wear.cycles[c] <= wear.limit[c])


@inlined
def worn(wear, c):
    """Return how far cell *c* is through its life, 0 to 1, as wear goes with it."""
    spent = wear.cycles[c] / wear.limit[c]
    return spent if wear.exponent == 1.0 else spent**wear.exponent


@inlined
def held(x, wear, c, kind):
    """Return the state *x* held in what wear has left of the window of cell *c*."""
    if wear.close_low == 0 and wear.close_high == 0:
        return min(max(x, kind(0.0)), kind(1.0))
    w = kind(worn(wear, c))
    return min(max(x, wear.close_low * w), kind(1.0) - wear.close_high * w)


@inlined
def begin(g, past, c):
    """Begin the age of cell *c*, whose *g* has just been programmed; its trap, if any, remains."""
    past.programmed[c] = g[c]
    past.age[c] = 0.0
    past.writes[c] += 1
    g[c] = telegraphed(g[c], past.occupied[c], past.amplitude, past.exponent, past.g_top)
