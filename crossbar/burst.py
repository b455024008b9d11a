"""Programming a whole array at once: one pulse on most cells, computed cell after cell.

Where every cell is pulsed, looking up one cell's parameters after another wastes most of the
time. Here the parameters lie column by column, the noise of a block of cells is drawn ahead, and
the loop over its cells vectorises. States and conductances come out as from
:func:`~ohmlearn.crossbar.bank.fire`, which draws the same numbers for the same cells; they differ
from its results by the rounding of fused multiplications only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..devices.cell.dispatch import read_conductance
from ..devices.counter_rng import Stream, normal_pair
from ..devices.dispatch import cell_of_columns
from ..devices.variability import pulse
from ..jit import kernel, loop
from .bank import CellBank, Tick, words

__all__ = ["Demand", "fire_all", "suits", "survey"]

_C2C = np.int64(Stream.C2C)
_BLOCK = 1024  # cells: noise, signs and a few columns of them fit in the first-level cache
_DENSE = 0.2  # fraction of weights from which this is faster than one by one


class Demand(NamedTuple):
    """What pulse counts ask of an array: weights to pulse, most pulses of one, and their sum."""

    weights: int
    most: int
    total: int


@loop
def _survey(counts):
    weights, most, total = 0, 0, 0
    for k in range(counts.size):
        size = abs(counts[k])
        weights += 1 if size > 0 else 0
        most = max(most, size)
        total += size
    return weights, most, total


def survey(counts: NDArray) -> Demand:
    """Return what *counts* (weights,) asks."""
    return Demand(*_survey(counts))


def suits(bank: CellBank, counts: NDArray, demand: Demand) -> bool:
    """Return whether :func:`fire_all` can do what is asked, and faster than one by one.

    Cells with levels, write noise, wear or a past, those of one-sided models, and those whose
    pulses are accounted for, are programmed one by one.
    """
    plain = bank.levels == 0 and float(bank.write_sigma) == 0.0
    plain = plain and bank.full is None and bank.wear.cycles.size == 0 and bank.past.age.size == 0
    return plain and bank.meter.pulses.size == 0 and demand.weights > _DENSE * counts.size


@kernel
def _noise(tick, draw, first, out):
    """Fill *out* with the standard normal numbers of the cells from *first*, a multiple of 4."""
    for b in range(out.size // 4):
        u0, u1, u2, u3 = words(tick, draw, _C2C, (first >> 2) + b)
        out[4 * b], out[4 * b + 1] = normal_pair(u0, u1)
        out[4 * b + 2], out[4 * b + 3] = normal_pair(u2, u3)


@loop
def _signs(counts, arms, draw, stuck, out):
    """Write +1 (SET), -1 (RESET) or 0 for every cell of the weights *counts* in pulse *draw*."""
    one, zero = out.dtype.type(1.0), out.dtype.type(0.0)
    for k in range(counts.size):
        count = counts[k]
        sign = one if count > draw else (-one if -count > draw else zero)
        out[arms * k] = sign
        if arms == 2:
            out[2 * k + 1] = -sign
    for c in range(stuck.size):
        out[c] = zero if stuck[c] != 0 else out[c]


@loop
def _pulse_block(like, columns, first, x, signs, noise, c2c_step, c2c_add, clip):
    for k in range(x.size):
        p = cell_of_columns(like, columns, first + k)
        moved = pulse(p, x[k], signs[k] > 0, noise[k], c2c_step, c2c_add, clip)
        x[k] = moved if signs[k] != 0 else x[k]


@loop
def _show_block(like, columns, first, channel, v_read, x, signs, g):
    kind = g.dtype.type
    for k in range(x.size):
        p = cell_of_columns(like, columns, first + k)
        shown = max(kind(read_conductance(p, channel, v_read, x[k])), kind(0.0))
        g[k] = shown if signs[k] != 0 else g[k]


@kernel
def _fire_all(bank, columns, arms, counts, most, tick):
    like, x, g, stuck = bank.like, bank.x, bank.g, bank.stuck
    c2c_step, c2c_add, clip, v_read = bank.c2c_step, bank.c2c_add, bank.window, bank.v_read
    noisy = c2c_step > 0 or c2c_add > 0
    noise, signs = np.zeros(_BLOCK, x.dtype), np.empty(_BLOCK, x.dtype)
    per_block = _BLOCK // arms
    for first in range(0, x.size, _BLOCK):
        last = min(first + _BLOCK, x.size)
        size = last - first
        block = counts[first // arms : first // arms + per_block]
        for draw in range(most):
            _signs(block, arms, draw, stuck[first:last], signs)
            if noisy:
                _noise(tick, draw, first, noise[: size + (-size) % 4])
            _pulse_block(
                like, columns, first, x[first:last], signs[:size], noise[:size], c2c_step,
                c2c_add, clip,
            )  # fmt: skip
        if most > 1:  # a pulse after the first may not touch all cells that were pulsed
            _signs(block, arms, 0, stuck[first:last], signs)
        _show_block(
            like, columns, first, bank.channel, v_read, x[first:last], signs, g[first:last]
        )


def fire_all(
    bank: CellBank, columns: NDArray, arms: int, counts: NDArray, demand: Demand, tick: Tick
) -> int:
    """Apply programming pulses to all weights of an array; return the pulses on single cells.

    Parameters
    ----------
    bank : CellBank
        The cells of one array, see :func:`suits`.
    columns : (fields, cells)
        Its table with the parameters of all cells side by side, C-contiguous.
    arms : int
        Cells per weight.
    counts : (weights,) of int64
        Signed pulses of every weight.
    demand : Demand
        Their :func:`survey`.
    tick : Tick
        The moment, which decides the random numbers.
    """
    kernel_of: Any = _fire_all
    kernel_of(bank, columns, arms, counts, demand.most, tick)
    return demand.total * arms
