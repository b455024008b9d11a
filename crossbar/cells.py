"""One cell, or one weight, of a bank: its random numbers, its pulse, and what it shows.

The functions take the arrays of a bank one by one: inside a loop each access to the bank would
count references.
"""

from __future__ import annotations

import numpy as np

from ..devices.cell.dispatch import memristor_share, read_conductance
from ..devices.counter_rng import normal_pair, philox
from ..devices.dispatch import cell, conductance
from ..devices.variability import pulse
from ..jit import inlined

__all__ = ["FIRST", "move", "noise", "shown", "state_at", "words"]

FIRST = np.int64(0)
"""The first draw; an int literal would be a type of its own, and compile words once more."""


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
def noise(tick, draw, stream, weight, arms, kind):
    """Return the standard normal numbers of a weight's cells, the second unused for one arm.

    Four neighbouring cells of an array share one block of random words.
    """
    first = weight * arms
    u0, u1, u2, u3 = words(tick, draw, stream, first >> 2)
    a, b = normal_pair(u2, u3) if first & 2 else normal_pair(u0, u1)
    return (kind(b), kind(a)) if first & 1 else (kind(a), kind(b))


@inlined
def move(like, table, x, stuck, c, up, z, c2c_step, c2c_add, window):
    """Apply one pulse to cell *c*; a stuck cell takes it and does not move."""
    if stuck[c] == 0:
        x[c] = pulse(cell(like, table, c), x[c], up, z, c2c_step, c2c_add, window)


@inlined
def shown(like, table, x, c, channel, v_read, levels, write_sigma, error):
    """Return the conductance that cell *c* shows; *error* is a standard normal number."""
    kind = table.dtype.type
    p = cell(like, table, c)
    g = kind(read_conductance(p, channel, v_read, x[c]))
    if levels > 0:
        low = kind(read_conductance(p, channel, v_read, kind(0.0)))
        high = kind(read_conductance(p, channel, v_read, kind(1.0)))
        gap = (high - low) / kind(levels - 1)
        g = low + gap * np.floor((g - low) / gap + kind(0.5))
    return max(g + write_sigma * kind(error), kind(0.0))


@inlined
def state_at(like, table, c, channel, v_read, g_target):
    """Return the state of cell *c* in which it has *g_target* [S], or the nearest end."""
    kind = table.dtype.type
    p = cell(like, table, c)
    if channel is not None:
        v, g = memristor_share(channel, v_read, g_target)
        if v == 0.0:
            return kind(1.0)
        return _memristor_state_at(p, kind(v) if p.v_set > 0 else kind(-v), kind(g))
    return _memristor_state_at(p, v_read, g_target)


@inlined
def _memristor_state_at(p, v, g_target):
    """Return the state of a memristor that has *g_target* [S] at *v* [V], or the nearest end."""
    kind = type(v)
    low, high = kind(0.0), kind(1.0)
    if conductance(p, v, high) <= g_target:
        return high
    middle = kind(0.5)
    while low < middle < high:
        if conductance(p, v, middle) <= g_target:
            low = middle
        else:
            high = middle
        middle = kind(0.5) * (low + high)
    return low
