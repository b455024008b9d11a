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

from ..devices.counter_rng import Stream, normal_pair, philox
from ..devices.dispatch import cell, conductance
from ..devices.variability import pulse
from ..jit import inlined, kernel
from .history import Past, Wear, begin, endures, held, used

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
_FIRST = np.int64(0)  # an int literal would be a type of its own, and compile words once more


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


@inlined
def words(tick, draw, stream, index):
    """Return the four random words of *index* at this moment; *draw*, below 2**24, counts on."""
    c1 = (tick.array << 24) | (tick.slot << 12) | (draw & 0xFFF)
    c3 = (draw >> 12 << 20) | (stream << 16) | (tick.step >> 32)
    return philox(
        tick.k0,
        tick.k1,
        np.uint32(index),
        np.uint32(c1),
        np.uint32(tick.step & 0xFFFFFFFF),
        np.uint32(c3),
    )


@inlined
def shown(like, table, x, c, v_read, levels, write_sigma, error):
    """Return the conductance that cell *c* shows; *error* is a standard normal number."""
    kind = table.dtype.type
    p = cell(like, table, c)
    g = conductance(p, v_read, x[c])
    if levels > 0:
        low = conductance(p, v_read, kind(0.0))
        gap = (conductance(p, v_read, kind(1.0)) - low) / kind(levels - 1)
        g = low + gap * np.floor((g - low) / gap + kind(0.5))
    return max(g + write_sigma * kind(error), kind(0.0))


@inlined
def _move(like, table, x, stuck, c, up, noise, c2c_step, c2c_add, window):
    """Apply one pulse to cell *c*; a stuck cell takes it and does not move."""
    if stuck[c] == 0:
        x[c] = pulse(cell(like, table, c), x[c], up, noise, c2c_step, c2c_add, window)


@inlined
def _noise(tick, draw, stream, weight, arms, kind):
    """Return the standard normal numbers of a weight's cells, the second unused for one arm.

    Four neighbouring cells of an array share one block of random words.
    """
    first = weight * arms
    u0, u1, u2, u3 = words(tick, draw, stream, first >> 2)
    a, b = normal_pair(u2, u3) if first & 2 else normal_pair(u0, u1)
    return (kind(b), kind(a)) if first & 1 else (kind(a), kind(b))


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
    """
    if bank.wear.cycles.size > 0 or bank.past.age.size > 0:
        return _fire_with_history(bank, first, arms, weights, counts, tick)
    # Arrays are taken out of the tuple once: inside the loop each access would count references.
    like, table, x, g, stuck = bank.like, bank.table, bank.x, bank.g, bank.stuck
    c2c_step, c2c_add, window = bank.c2c_step, bank.c2c_add, bank.window
    v_read, levels, write_sigma = bank.v_read, bank.levels, bank.write_sigma
    kind = table.dtype.type
    noisy = c2c_step > 0 or c2c_add > 0
    total = 0
    for k in range(weights.size):
        c, count = first + weights[k] * arms, counts[k]
        up = count > 0
        a, b = kind(0.0), kind(0.0)
        for n in range(abs(count)):
            if noisy:
                a, b = _noise(tick, n, _C2C, weights[k], arms, kind)
            _move(like, table, x, stuck, c, up, a, c2c_step, c2c_add, window)
            if arms == 2:
                _move(like, table, x, stuck, c + 1, not up, b, c2c_step, c2c_add, window)
        total += abs(count) * arms
        if write_sigma > 0:
            a, b = _noise(tick, _FIRST, _WRITE, weights[k], arms, kind)
        g[c] = shown(like, table, x, c, v_read, levels, write_sigma, a)
        if arms == 2:
            g[c + 1] = shown(like, table, x, c + 1, v_read, levels, write_sigma, b)
    return total


@kernel
def _fire_with_history(bank, first, arms, weights, counts, tick):
    """Do what :func:`fire` does, to cells that wear or age.

    A loop of its own, with the same random numbers: to ask each cell would slow down all others.
    """
    like, table, x, g, stuck = bank.like, bank.table, bank.x, bank.g, bank.stuck
    c2c_step, c2c_add, window = bank.c2c_step, bank.c2c_add, bank.window
    v_read, levels, write_sigma = bank.v_read, bank.levels, bank.write_sigma
    cycles, limit, law = bank.wear
    programmed, age, writes, occupied, trap = bank.past
    kind = table.dtype.type
    noisy, wearing, ageing = c2c_step > 0 or c2c_add > 0, cycles.size > 0, age.size > 0
    total = 0
    for k in range(weights.size):
        c, count = first + weights[k] * arms, counts[k]
        up = count > 0
        a, b = kind(0.0), kind(0.0)
        for n in range(abs(count)):
            if noisy:
                a, b = _noise(tick, n, _C2C, weights[k], arms, kind)
            for arm in range(arms):
                z, rise, i = (a, up, c) if arm == 0 else (b, not up, c + 1)
                if not wearing:
                    _move(like, table, x, stuck, i, rise, z, c2c_step, c2c_add, window)
                elif stuck[i] == 0 and cycles[i] <= limit[i]:
                    cycles[i] += 1
                    p = cell(like, table, i)
                    n_used, most = cycles[i], limit[i]
                    x[i] = used(p, x[i], rise, z, c2c_step, c2c_add, window, n_used, most, law)
        total += abs(count) * arms
        if write_sigma > 0:
            a, b = _noise(tick, _FIRST, _WRITE, weights[k], arms, kind)
        for arm in range(arms):
            error = a if arm == 0 else b
            g[c + arm] = shown(like, table, x, c + arm, v_read, levels, write_sigma, error)
            if ageing:
                begin(g, programmed, age, writes, occupied, trap, c + arm)
    return total


@inlined
def _state_at(like, table, c, v_read, g_target):
    """Return the state of cell *c* with conductance *g_target* [S], or the nearest end."""
    kind = table.dtype.type
    p = cell(like, table, c)
    low, high = kind(0.0), kind(1.0)
    if conductance(p, v_read, high) <= g_target:
        return high
    middle = kind(0.5)
    while low < middle < high:
        if conductance(p, v_read, middle) <= g_target:
            low = middle
        else:
            high = middle
        middle = kind(0.5) * (low + high)
    return low


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
        x[c] = _state_at(like, table, c, bank.v_read, g_target)
        if cycles.size > 0 and bank.window:
            x[c] = held(x[c], cycles[c], limit[c], law)
    g[c] = shown(like, table, x, c, bank.v_read, bank.levels, none, none)
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
    for k in range(weights.size):
        for arm in range(arms):
            c = first + weights[k] * arms + arm
            now = conductance(cell(like, table, c), bank.v_read, x[c])
            target = now + change[k] if arm == 0 else now - change[k]
            _settle(bank, like, table, x, g, stuck, c, target)
