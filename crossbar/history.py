"""What use and time leave behind in cells: counts of pulses, ages, programmed conductances.

The arrays are empty where no effect needs them, so that other cells pay nothing for them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..devices.variability import pulse, telegraphed
from ..jit import inlined

__all__ = ["Past", "Trap", "Wear", "WearLaw", "begin", "changing", "endures", "held", "used"]


class WearLaw(NamedTuple):
    """The numbers of :class:`~ohmlearn.devices.effects.wear.Endurance` as the kernels take them.

    ``fails`` is where a failed cell stands: 0 low, 1 high, 2 where it failed.
    """

    fade: Any
    close_low: Any
    close_high: Any
    exponent: float
    fails: int


class Wear(NamedTuple):
    """Use of the cells by pulses.

    Attributes
    ----------
    cycles : (cells,) int64
        Pulses so far; empty where endurance is off, as is *limit*.
    limit : (cells,) float64
        Pulses that a cell endures.
    law : WearLaw
    """

    cycles: NDArray[np.int64]
    limit: NDArray[np.float64]
    law: WearLaw


class Trap(NamedTuple):
    """What an occupied trap takes away, see :class:`~ohmlearn.devices.RandomTelegraph`.

    ``g_top`` is the upper end of the nominal window [S].
    """

    amplitude: Any
    exponent: Any
    g_top: Any


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
    trap : Trap
    """

    programmed: NDArray
    age: NDArray[np.float64]
    writes: NDArray[np.int64]
    occupied: NDArray[np.int8]
    trap: Trap


def changing(bank: Any) -> dict[str, NDArray]:
    """Return the arrays of a bank that programming and time change, by name; views."""
    past = bank.past
    return {
        "x": bank.x,
        "g": bank.g,
        "cycles": bank.wear.cycles,
        "programmed": past.programmed,
        "age": past.age,
        "writes": past.writes,
        "occupied": past.occupied,
        "metered_pulses": bank.meter.pulses,
        "metered_energy": bank.meter.energy,
        "metered_squares": bank.meter.squares,
    }


# Functions that return early take the numbers of one cell: with arrays as arguments, each call
# would count references.


@inlined
def endures(cycles, limit, c):
    """Return whether cell *c* has not failed."""
    return cycles.size == 0 or cycles[c] <= limit[c]


@inlined
def worn(cycles, limit, law):
    """Return how far a cell is through its life, 0 to 1, as wear goes with it."""
    spent = cycles / limit
    return spent if law.exponent == 1.0 else spent**law.exponent


@inlined
def held(x, cycles, limit, law):
    """Return the state *x*, within [0, 1], held in what wear has left of the cell's window."""
    if law.close_low == 0 and law.close_high == 0:
        return x
    one = type(x)(1)
    w = type(x)(worn(cycles, limit, law))
    return min(max(x, law.close_low * w), one - law.close_high * w)


@inlined
def used(p, x, up, noise, c2c_step, c2c_add, window, cycles, limit, law):
    """Return the state after a pulse from state *x*, the last of *cycles* on a cell that wears.

    The first arguments are those of :func:`~ohmlearn.devices.variability.pulse`.
    """
    if cycles > limit:
        return type(x)(law.fails) if law.fails < 2 else x
    after = pulse(p, x, up, noise, c2c_step, c2c_add, window)
    if law.fade > 0:
        left = type(x)(1) - law.fade * type(x)(worn(cycles, limit, law))
        after = x + left * (after - x)
    return held(after, cycles, limit, law) if window else after


@inlined
def begin(g, programmed, age, writes, occupied, trap, c):
    """Begin the age of cell *c*, whose *g* has just been programmed; its trap, if any, remains."""
    programmed[c] = g[c]
    age[c] = 0.0
    writes[c] += 1
    g[c] = telegraphed(g[c], occupied[c], trap.amplitude, trap.exponent, trap.g_top)
