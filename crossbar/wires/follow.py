"""A solution after a change of the cells or drives, in one kernel.

Arrays of a hundred lines take less time for any of the steps than a call from Python does. Each
round solves for what is left at the nodes in float32 and adds that in float64; the cells' currents
of one round are the starting point of the next. What the last round leaves is a source of the
solution that starts from this one, or it would add up from change to change.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...jit import inlined, inner, kernel
from .balance import (
    SIZE,
    SIZE_SINGLE,
    State,
    as_number,
    as_single,
    bit_balance,
    bit_block,
    integrate_eight,
    integrate_rows,
    largest,
    linear_row,
    sum_row,
    word_block,
)
from .ladders import Lines
from .store import BLOCK, arranged
from .sweeps import eliminate, find_changes, rebase, sweep

__all__ = ["Progress", "Tuning", "follow"]

_TINY = float(np.finfo(np.float64).tiny)
_ROUNDS = 5
_ROUNDING = 1e-6  # of float32, in what a round leaves
_STUCK = 0.1  # a round that leaves more than this share is not worth repeating


class Tuning(NamedTuple):
    """What steers the sweeps.

    Attributes
    ----------
    omega : (n,)
        Inverse roots of a polynomial, used in turn.
    lam : float
        Share of the slowest mode that a sweep leaves; 0 if the mode is not known.
    rate : float
        What integrating leaves at a node, relative to the last change of the cells' currents.
    limit : int
        Most sweeps per round.
    """

    omega: np.ndarray
    lam: float
    rate: float
    limit: int


class Progress(NamedTuple):
    """What came of it.

    Attributes
    ----------
    iterations : int
    rest, scale : float
        Largest current that stays at a node, and at a terminal [A].
    rate : float
        As in :class:`Tuning`, the largest seen; 0 where only rounding was left.
    rebased : bool
        Whether so many cells had changed that the base was renewed.
    """

    iterations: int
    rest: float
    scale: float
    rate: float
    rebased: bool


@inner
def _sources(g, state, start, before, excess, scale, f):
    """Write what the cells carry beyond *before* less *excess* [A], times *scale*, to *f*."""
    v, u = state.v, state.u
    drop, rise = start
    for i in range(g.shape[0]):
        vi = v[i]
        for j in range(g.shape[1]):
            current = g[i, j] * ((vi - u[j]) - (drop[i, j] + rise[i, j]))
            f[i, j] = scale * ((current - before[i, j]) + excess[i, j])
    return as_single(largest(f.reshape(-1).view(np.int32), 0, f.size, SIZE_SINGLE, np.int32(0)))


@inner
def _eliminate_sources(f, ahead, q):
    """Begin the bit lines' solve for the sources alone, downwards."""
    rows, columns = f.shape
    passed = np.zeros(columns, f.dtype)
    for i in range(rows):
        for j in range(columns):
            q[i, j] = f[i, j] + passed[j]
        for j in range(columns):
            passed[j] = ahead[i, j] * q[i, j]


@inner
def _relax(base, lines, changes, room, tuning):
    """Sweep until integrating will leave less than 1; return sweeps and last change."""
    kind = base.g.dtype.type
    room.b[...] = 0
    changes.w[: changes.first[-1]] = 0
    _eliminate_sources(room.f, base.bits.down.bit, room.q)
    one = kind(1.0)
    _, share = sweep(base, lines, changes, room, True, False, one, kind(0.0))
    gain = 1.0 / (1.0 - tuning.lam) if tuning.lam > 0 else 0.0
    done, last, count = 0.0, 0.0, 0
    while count < tuning.limit:
        omega = tuning.omega[count % tuning.omega.size]
        left = share - done  # of the residual, along the mode
        alpha = (gain - omega) * left if gain > 0 else 0.0
        done += (omega * left) + alpha
        eliminate(base, room, count % 2 == 0)
        moved, share = sweep(
            base, lines, changes, room, count % 2 == 1, False, kind(omega), kind(alpha)
        )
        count += 1
        moved = np.sqrt(moved)
        # Unless the change came from the mode, the next one shrinks at least as much as this.
        shrinks = last > 0 and moved * (moved / last) <= 1
        last = moved
        if not moved < np.inf or moved * tuning.rate <= 1 or shrinks:
            break
    return count, last


@inlined
def _integrate_words(c, r, t, scale, at, side, dw):
    """Write what currents *c* times *scale* out of the nodes of *side* word lines cause."""
    columns = dw.shape[1]
    cells, out = c.reshape(-1)[at * columns :], dw.reshape(-1)
    for m in range(side * columns):
        out[m] = -scale * cells[m]
    if side == BLOCK:
        integrate_eight(r, t, dw)
    else:
        integrate_rows(r, t, dw, side)


@inlined
def _integrate_bits(c, r, scale, i, flow, db, below, k):
    """Write what currents into the bit lines cause in row *i* to row *k* of *db*."""
    for j in range(flow.size):
        x = flow[j]
        db[k, j] = db[below, j] + r * x
        flow[j] = x - scale * c[i, j]


@inlined
def _move(g, at, side, drop, rise, sign, dw, db, scale, c, w, b, f):
    """Write the voltages of *side* rows, and to *f* what their cells carry beyond *c*.

    All arrays are flat; rows end to end are one loop.
    """
    at, side = np.uint64(at), np.uint64(side)
    for m in range(side):
        w[at + m] = sign * drop[at + m] + dw[m]
    for m in range(side):
        b[at + m] = rise[at + m] + db[m]
    for m in range(side):
        f[at + m] += scale * (g[at + m] * (dw[m] - db[m])) - c[at + m]


@inner
def _settle(g, lines, state, start, sign, scale, room):
    """Add the correction whose cells carry ``room.c`` to the voltages *start*.

    Wire currents follow from the cells' by Kirchhoff's current law and the voltages from them by
    Ohm's, in float64, so that rounding of float32 reaches the nodes through the cells only. What
    the cells then carry beyond it is written to ``room.f``. Returns the largest of that, and the
    largest current that stays at a node [A].
    """
    # Arrays are taken out of their tuples once: doing so for every row would take half the time.
    v, u, w, b, current, supply, output = state
    drop, rise = start
    f, c, _, _, _, wide = room
    flow, dw, db = wide[0], wide[1 : 1 + BLOCK], wide[1 + BLOCK : 1 + 2 * BLOCK]
    rest = wide[1 + 2 * BLOCK :]
    left, excess = rest.reshape(-1).view(np.int64), f.reshape(-1).view(np.int32)
    flat = g.reshape(-1), drop.reshape(-1), rise.reshape(-1), dw.reshape(-1), db.reshape(-1)
    gs, drops, rises, dws, dbs = flat
    cs, ws, bs, fs = c.reshape(-1), w.reshape(-1), b.reshape(-1), f.reshape(-1)
    rows, columns = g.shape
    r_word, t_word, r_bit, t_bit = lines
    inverse = 1.0 / scale
    flow[:] = 0
    output[:] = 0
    db[0] = 0
    rest[...] = 0
    for i in range(rows):
        for j in range(columns):
            flow[j] += inverse * c[i, j]
    top, most, below = np.int64(0), np.int32(0), 0
    for n in range(0, rows, BLOCK):
        side = min(BLOCK, rows - n)
        at = rows - n - side
        _integrate_words(c, r_word, t_word, inverse, at, side, dw)
        for k in range(side - 1, -1, -1):
            r = t_bit if at + k == rows - 1 else r_bit
            _integrate_bits(c, r, inverse, at + k, flow, db, below, k)
            below = k
        first, size = at * columns, side * columns
        _move(gs, first, size, drops, rises, sign, dws, dbs, scale, cs, ws, bs, fs)
        most = max(most, largest(excess, first, first + size, SIZE_SINGLE, np.int32(0)))
        for k in range(side - 1, -1, -1):
            i = at + k
            linear_row(g, i, v, u, w, b, current)
            supply[i] = sum_row(current, i, output)
        word_block(current, w, at, side, r_word, t_word, supply, rest)
        # The rows on either side of these are settled now.
        bit_block(current, b, at + 1, min(at + side, rows - 2) - at, r_bit, rest[BLOCK:])
        top = largest(left, 0, left.size, SIZE, top)
    for i in (0, rows - 1):  # what the last row gives is complete now
        bit_balance(current, b, i, r_bit, t_bit, output, rest, 0)
        top = largest(left, 0, columns, SIZE, top)
    return as_single(most), as_number(top)


@inner
def _keep(f, scale, excess):
    """Write sources *f* in amperes."""
    inverse = f.dtype.type(1.0 / scale)
    for i in range(f.shape[0]):
        for j in range(f.shape[1]):
            excess[i, j] = inverse * f[i, j]


@inner
def _largest_of(supply, output):
    """Return the largest terminal current [A], above 0."""
    top = largest(supply.view(np.int64), 0, supply.size, SIZE, np.int64(0))
    top = largest(output.view(np.int64), 0, output.size, SIZE, top)
    return max(as_number(top), _TINY)


@kernel
def follow(
    g, wires, v, u, w, b, current, supply, output, drop, rise, before, excess, supplied, put_out,
    left, tolerance, omega, lam, rate, limit,
    block, edges, narrow, wide, first, cell, beyond,
):  # fmt: skip
    """Solve one drive, starting from the solution before a change.

    Parameters
    ----------
    g : (rows, columns)
        Conductances now [S].
    wires : (4,)
        The numbers of :class:`.ladders.Lines`.
    v, u
        Terminal voltages, see :class:`.balance.State`.
    w, b, current, supply, output
        The rest of a state; all are written.
    drop, rise : (rows, columns)
        Voltage drops of word lines and rises of bit lines before [V].
    before : (rows, columns)
        The cells' currents then [A].
    excess : (rows, columns)
        What of these the wires did not carry [A], float32.
    supplied, put_out : (rows,), (columns,)
        Currents into word lines and out of bit lines then [A].
    left : (rows, columns)
        Receives the excess now [A], float32.
    tolerance : float
        Share of the largest of these that may stay at a node.
    omega, lam, rate, limit
        See :class:`Tuning`.
    block, edges, narrow, wide, first, cell, beyond
        See :class:`.store.Store`.

    Returns
    -------
    tuple
        The fields of :class:`Progress`.
    """
    lines = Lines(wires[0], wires[1], wires[2], wires[3])
    state, start = State(v, u, w, b, current, supply, output), (drop, rise)
    base, changes, room = arranged(block, edges, narrow, wide, first, cell, beyond)
    tuning = Tuning(omega, lam, rate, limit)
    rebased = find_changes(g, base, changes) < 0
    if rebased:
        rebase(g, lines, base)
        changes.first[:] = 0
    # What may be left is 1 in the sweeps: far from where squares of float32 lose their digits.
    scale = 1.0 / (0.5 * tolerance * _largest_of(supplied, put_out))
    top = _sources(g, state, start, before, excess, scale, room.f)
    count, seen, rest = 0, 0.0, 0.0
    for n in range(_ROUNDS):
        was, last = top, np.inf
        if top > 1:
            taken, last = _relax(base, lines, changes, room, tuning)
            count += taken
        if not last < np.inf:
            room.c[...] = 0
        if n == 0:
            top, rest = _settle(g, lines, state, start, -1.0, scale, room)
        else:
            now = state.w, state.b
            top, rest = _settle(g, lines, state, now, 1.0, scale, room)
        if last > 0 and top > _ROUNDING * was:
            seen = max(seen, float(top / last))
        if not (1 < top < _STUCK * was):
            break
    _keep(room.f, scale, left)
    return count, rest, _largest_of(state.supply, state.output), seen, rebased
