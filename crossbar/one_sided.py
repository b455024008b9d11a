"""Pairs of one-sided cells (phase change): a weight moves by SET pulses on one arm at a time.

A RESET pulse erases such a cell, so a request to raise a weight is a SET pulse on the plus cell,
and one to lower it a SET pulse on the minus cell. Where that has filled one of them beyond the
state ``FULL``, and the other one beyond ``1 - FULL``, the pair is refreshed: both are RESET, and
the difference that they had is written anew by SET pulses on whichever arm lags behind, with a
read in between, for as long as a nominal pulse brings it nearer. It is kept to half a step, and
all these pulses count. Without room on both sides (a weight near the end of its range, a stuck or
failed cell) a refresh would gain nothing, and there is none.

The scheme and its limit are our choice. The reads are free of noise, and so is the RESET, which
melts the cell whatever it was. SET pulses of a refresh have the noise of any other.
"""

from __future__ import annotations

import numpy as np

from ..devices.cell.dispatch import read_conductance
from ..devices.counter_rng import Stream
from ..devices.dispatch import cell, potentiation
from ..jit import inlined, kernel
from .cells import FIRST, move, noise, shown
from .history import begin, endures, used
from .metering import book

__all__ = ["FULL", "fire_pairs"]

FULL = 0.9
"""State above which an arm is full."""

_C2C, _WRITE = np.int64(Stream.C2C), np.int64(Stream.WRITE)
_MOST = 1 << 20  # SET pulses of one refresh; their random numbers are counted up to 2**24


@kernel
def fire_pairs(bank, first, weights, counts, tick):
    """Apply programming pulses to pairs of one-sided cells; return the pulses on single cells.

    Arguments as for :func:`~.bank.fire`.
    """
    kind = bank.table.dtype.type
    noisy = bank.c2c_step > 0 or bank.c2c_add > 0
    total = 0
    for k in range(weights.size):
        c, count = first + weights[k] * 2, counts[k]
        lead = c if count > 0 else c + 1
        drawn, renewed = 0, False
        for _ in range(abs(count)):
            _pulse(bank, lead, True, _draw(noisy, tick, drawn, weights[k], lead - c, kind))
            drawn += 1
            if _is_full(bank, c):
                total += 2
                drawn = _refresh(bank, c, noisy, tick, drawn, weights[k])
                renewed = True
        total += drawn
        a, b = kind(0.0), kind(0.0)
        if bank.write_sigma > 0:
            a, b = noise(tick, FIRST, _WRITE, weights[k], 2, kind)
        for arm in range(2):
            if renewed or (count != 0 and c + arm == lead):
                _show(bank, c + arm, a if arm == 0 else b)
    return total


@inlined
def _draw(noisy, tick, drawn, weight, arm, kind):
    """Return the standard normal number of a pulse, the number *drawn* of its weight."""
    if not noisy:
        return kind(0.0)
    a, b = noise(tick, drawn, _C2C, weight, 2, kind)
    return a if arm == 0 else b


@inlined
def _pulse(bank, c, up, z):
    """Apply one pulse to cell *c*, with wear if there is any."""
    cycles, limit, law = bank.wear
    like, table, x, stuck = bank.like, bank.table, bank.x, bank.stuck
    c2c_step, c2c_add, window = bank.c2c_step, bank.c2c_add, bank.window
    pulses, energy, squares = bank.meter
    before = x[c]
    if cycles.size == 0:
        move(like, table, x, stuck, c, up, z, c2c_step, c2c_add, window)
    elif stuck[c] == 0 and cycles[c] <= limit[c]:
        cycles[c] += 1
        p = cell(like, table, c)
        x[c] = used(p, x[c], up, z, c2c_step, c2c_add, window, cycles[c], limit[c], law)
    if pulses.size > 0:
        book(like, table, c, up, before, x[c], pulses, energy, squares)


@inlined
def _is_alive(bank, c):
    return bank.stuck[c] == 0 and endures(bank.wear.cycles, bank.wear.limit, c)


@inlined
def _is_full(bank, c):
    """Return whether the pair from cell *c* on needs a refresh, and gains by it."""
    plus, minus = bank.x[c], bank.x[c + 1]
    one = type(bank.full)(1.0)
    full = max(plus, minus) > bank.full and min(plus, minus) > one - bank.full
    return full and _is_alive(bank, c) and _is_alive(bank, c + 1)


@inlined
def _conductance(bank, c, x):
    return read_conductance(cell(bank.like, bank.table, c), bank.channel, bank.v_read, x)


@kernel
def _refresh(bank, c, noisy, tick, drawn, weight):
    """Erase the pair from cell *c* on and write its difference anew.

    Returns *drawn* with the SET pulses that took added.
    """
    x, kind = bank.x, bank.table.dtype.type
    wanted = _conductance(bank, c, x[c]) - _conductance(bank, c + 1, x[c + 1])
    _pulse(bank, c, False, kind(0.0))
    _pulse(bank, c + 1, False, kind(0.0))
    for _ in range(_MOST):
        gap = wanted - _conductance(bank, c, x[c]) + _conductance(bank, c + 1, x[c + 1])
        lag = c if gap > 0 else c + 1
        ahead = x[lag] + potentiation(cell(bank.like, bank.table, lag), x[lag])
        if bank.window:
            ahead = min(ahead, kind(1.0))
        step = _conductance(bank, lag, ahead) - _conductance(bank, lag, x[lag])
        if step <= 0 or step >= 2 * abs(gap) or not _is_alive(bank, lag):
            break
        _pulse(bank, lag, True, _draw(noisy, tick, drawn, weight, lag - c, kind))
        drawn += 1
    return drawn


@inlined
def _show(bank, c, error):
    """Let cell *c* show what it was programmed to, and begin its age."""
    bank.g[c] = shown(
        bank.like, bank.table, bank.x, c, bank.channel, bank.v_read, bank.levels,
        bank.write_sigma, error,
    )  # fmt: skip
    if bank.past.age.size > 0:
        programmed, age, writes, occupied, trap = bank.past
        begin(bank.g, programmed, age, writes, occupied, trap, c)
