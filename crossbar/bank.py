"""A bank of cells: the flat arrays that kernels work on, and what one programming does to them.

The cells of one array, or of all arrays of a network one after the other, lie in flat vectors.
A weight owns ``arms`` neighbouring cells: two in a differential pair (plus, minus), one where the
minus side is a reference. ``x`` is the hidden state that pulses move; ``g`` is the conductance
that a read sees: that of the state, rounded to the levels a cell has, plus the error made when it
was last programmed, and what time has made of it since (:mod:`.ageing`).

What use and time do to cells is kept in :mod:`.history`, where an effect asks for it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..devices.cell.dispatch import read_conductance
from ..devices.counter_rng import Stream
from ..devices.dispatch import cell
from ..jit import inlined, kernel
from .cells import FIRST, move, noise, shown, state_at, words
from .history import Past, Wear, begin, endures, held, used
from .metering import Meter, book
from .one_sided import fire_pairs

__all__ = [
    "SLOTS",
    "CellBank",
    "Tick",
    "fire",
    "place",
    "shift",
    "shown",
    "words",
]

_C2C, _WRITE = np.int64(Stream.C2C), np.int64(Stream.WRITE)

SLOTS = 4096
"""Time steps of one sample that can be told apart by its random numbers."""


class CellBank(NamedTuple):
    """Cells as the kernels take them; numbers have the precision of the table.

    Attributes
    ----------
    like
        Any parameter tuple of the device model; gives the kernels its type.
    table : (cells, fields)
        Parameters of every cell, SI units.
    x, g : (cells,)
        Hidden state, 0 to 1; conductance shown to a read [S].
    stuck : (cells,) int8
        0 free, 1 stuck low, 2 stuck high.
    v_read : float
        Read voltage at which conductances are meant [V].
    c2c_step, c2c_add : float
        Cycle-to-cycle noise, see :class:`~ohmlearn.devices.variability.PulseNoise`.
    write_sigma : float
        Standard deviation of the write error [S].
    levels : int
        Number of conductance levels of a cell; 0 for a continuum.
    window : bool
        Whether the state is held in [0, 1].
    wear : Wear
        Use of the cells by pulses.
    past : Past
        What the conductance at a later time depends on.
    meter : Meter
        What programming has cost, where it is asked for.
    channel : Channel or None
        The access transistor of every cell as a read sees it.
    full : float or None
        For one-sided cells the state above which a pair is refreshed, see :mod:`.one_sided`.
    """

    like: Any
    table: NDArray
    x: NDArray
    g: NDArray
    stuck: NDArray[np.int8]
    v_read: Any
    c2c_step: Any
    c2c_add: Any
    write_sigma: Any
    levels: int
    window: bool
    wear: Wear
    past: Past
    meter: Meter
    channel: Any = None
    full: Any = None


class Tick(NamedTuple):
    """The moment of a programming or read, from which its random numbers follow.

    Attributes
    ----------
    k0, k1 : uint32
        Key of the seed.
    step : int
        Sample or operation number of the run, below 2**48.
    slot : int
        Slot within the sample, below 4096.
    array : int
        Number of the array, below 256.
    """

    k0: np.uint32
    k1: np.uint32
    step: int
    slot: int
    array: int


@kernel
def fire(bank, first, arms, weights, counts, tick):
    """Apply programming pulses to some weights of one array; return the pulses on single cells.

    Parameters
    ----------
    bank : CellBank
    first : int
        First cell of the array.
    arms : int
        Cells per weight.
    weights, counts : (n,) of int
        Number of each weight within the array, and its signed pulses: positive raises it (SET on
        the plus cell, RESET on the minus cell of a pair). No weight twice.
    tick : Tick
        The moment, which decides the random numbers.

    One-sided cells in pairs are pulsed as :mod:`.one_sided` says.
    """
    if bank.full is not None and arms == 2:
        return _fire_one_sided(bank.full, bank, first, weights, counts, tick)
    if bank.wear.cycles.size > 0 or bank.past.age.size > 0:
        return _fire_with_history(bank, first, arms, weights, counts, tick)
    # Arrays are taken out of the tuple once: inside the loop each access would count references.
    like, table, x, g, stuck = bank.like, bank.table, bank.x, bank.g, bank.stuck
    c2c_step, c2c_add, window = bank.c2c_step, bank.c2c_add, bank.window
    channel, v_read = bank.channel, bank.v_read
    levels, write_sigma = bank.levels, bank.write_sigma
    pulses, energy, squares = bank.meter
    kind = table.dtype.type
    noisy, metered = c2c_step > 0 or c2c_add > 0, pulses.size > 0
    total = 0
    for k in range(weights.size):
        c, count = first + weights[k] * arms, counts[k]
        up = count > 0
        a, b = kind(0.0), kind(0.0)
        for n in range(abs(count)):
            if noisy:
                a, b = noise(tick, n, _C2C, weights[k], arms, kind)
            for arm in range(arms):
                z, rise, i = (a, up, c) if arm == 0 else (b, not up, c + 1)
                before = x[i]
                move(like, table, x, stuck, i, rise, z, c2c_step, c2c_add, window)
                if metered:
                    book(like, table, i, rise, before, x[i], pulses, energy, squares)
        total += abs(count) * arms
        if write_sigma > 0:
            a, b = noise(tick, FIRST, _WRITE, weights[k], arms, kind)
        g[c] = shown(like, table, x, c, channel, v_read, levels, write_sigma, a)
        if arms == 2:
            g[c + 1] = shown(like, table, x, c + 1, channel, v_read, levels, write_sigma, b)
    return total


@inlined
def _fire_one_sided(full, bank, first, weights, counts, tick):
    """Leave pairs of one-sided cells to their own loop, which other banks need not compile."""
    return 0 if full is None else fire_pairs(bank, first, weights, counts, tick)


@kernel
def _fire_with_history(bank, first, arms, weights, counts, tick):
    """Do what :func:`fire` does, to cells that wear or age.

    A loop of its own, with the same random numbers: to ask each cell would slow down all others.
    """
    like, table, x, g, stuck = bank.like, bank.table, bank.x, bank.g, bank.stuck
    c2c_step, c2c_add, window = bank.c2c_step, bank.c2c_add, bank.window
    channel, v_read = bank.channel, bank.v_read
    levels, write_sigma = bank.levels, bank.write_sigma
    cycles, limit, law = bank.wear
    programmed, age, writes, occupied, trap = bank.past
    pulses, energy, squares = bank.meter
    kind, metered = table.dtype.type, pulses.size > 0
    noisy, wearing, ageing = c2c_step > 0 or c2c_add > 0, cycles.size > 0, age.size > 0
    total = 0
    for k in range(weights.size):
        c, count = first + weights[k] * arms, counts[k]
        up = count > 0
        a, b = kind(0.0), kind(0.0)
        for n in range(abs(count)):
            if noisy:
                a, b = noise(tick, n, _C2C, weights[k], arms, kind)
            for arm in range(arms):
                z, rise, i = (a, up, c) if arm == 0 else (b, not up, c + 1)
                before = x[i]
                if not wearing:
                    move(like, table, x, stuck, i, rise, z, c2c_step, c2c_add, window)
                elif stuck[i] == 0 and cycles[i] <= limit[i]:
                    cycles[i] += 1
                    p = cell(like, table, i)
                    n_used, most = cycles[i], limit[i]
                    x[i] = used(p, x[i], rise, z, c2c_step, c2c_add, window, n_used, most, law)
                if metered:
                    book(like, table, i, rise, before, x[i], pulses, energy, squares)
        total += abs(count) * arms
        if write_sigma > 0:
            a, b = noise(tick, FIRST, _WRITE, weights[k], arms, kind)
        for arm in range(arms):
            i, error = c + arm, a if arm == 0 else b
            g[i] = shown(like, table, x, i, channel, v_read, levels, write_sigma, error)
            if ageing:
                begin(g, programmed, age, writes, occupied, trap, i)
    return total


@kernel
def place(bank, cells, g_target):
    """Bring *cells* (n,) to *g_target* (n,) [S] exactly, as an ideal write-verify would.

    Only a cell's own window, its levels, wear and being stuck limit it; no pulses are counted.
    """
    like, table, x, g, stuck = bank.like, bank.table, bank.x, bank.g, bank.stuck
    for k in range(cells.size):
        _settle(bank, like, table, x, g, stuck, cells[k], g_target[k])


@inlined
def _settle(bank, like, table, x, g, stuck, c, g_target):
    """Bring cell *c* to *g_target* [S] as far as it goes."""
    cycles, limit, law = bank.wear
    programmed, age, writes, occupied, trap = bank.past
    none = table.dtype.type(0.0)
    if stuck[c] == 0 and endures(cycles, limit, c):
        x[c] = state_at(like, table, c, bank.channel, bank.v_read, g_target)
        if cycles.size > 0 and bank.window:
            x[c] = held(x[c], cycles[c], limit[c], law)
    g[c] = shown(like, table, x, c, bank.channel, bank.v_read, bank.levels, none, none)
    if age.size > 0:
        begin(g, programmed, age, writes, occupied, trap, c)


@kernel
def shift(bank, first, arms, weights, change):
    """Change the conductance of some weights of one array exactly; no pulses are counted.

    The hidden state moves, from where it is to where it shows *change* (n,) [S] more, and as much
    less on the minus cell of a pair; a cell's own window, wear and being stuck limit it. Arguments
    as for :func:`fire`.
    """
    like, table, x, g, stuck = bank.like, bank.table, bank.x, bank.g, bank.stuck
    kind = table.dtype.type
    for k in range(weights.size):
        for arm in range(arms):
            c = first + weights[k] * arms + arm
            now = kind(read_conductance(cell(like, table, c), bank.channel, bank.v_read, x[c]))
            target = now + change[k] if arm == 0 else now - change[k]
            _settle(bank, like, table, x, g, stuck, c, target)
