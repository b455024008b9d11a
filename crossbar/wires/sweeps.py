"""Block Gauss-Seidel sweeps over the lines of an array, for one drive and small changes.

The iteration is that of :mod:`.lanes`, b <- b + omega (T_b^-1 (S w(b) + f) - b), one pass over
the rows per step, in float32. Two things make a small change cheap:

* the factors may be those of conductances from before some cells changed. What the changed
  cells carry beyond that is a current into their nodes, known from the sweep before;
* the slowest mode of the iteration, W with T_b^-1 S T_w^-1 S W = lam W, is smooth and far from
  all others. Its share of the error is taken away as a whole in every sweep.
"""

from __future__ import annotations

import numpy as np

from ...jit import inner, inner_part, kernel
from .ladders import ROWS, factor, factor_upward, solve_rows
from .store import arranged

__all__ = ["eliminate", "find_changes", "find_mode", "rebase", "sweep"]


@inner
def rebase(g, lines, base):
    """Factorise conductances *g*."""
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            base.g[i, j] = g[i, j]
    factor(base.g, lines, base.bits.down)
    factor_upward(base.g, lines, base.bits.up, base.bits.up_last)


@inner
def find_changes(g, base, changes):
    """List the cells of *g* that differ from the base; return how many, -1 if too many."""
    columns = g.shape[1]
    now, then = g.reshape(-1), base.g.reshape(-1)
    first, cell, beyond, _ = changes
    kind = then.dtype.type
    differs = np.zeros(now.size + -now.size % 8, np.bool_)
    for m in range(now.size):
        differs[m] = kind(now[m]) != then[m]
    eights = differs.view(np.int64)
    count = 0
    for n in range(eights.size):
        if eights[n] != 0:
            if count + 8 > cell.size:
                return -1
            for m in range(8 * n, 8 * n + 8):  # to ask each of them takes longer
                cell[count] = m
                count += differs[m]
    row = 0
    for n in range(count):
        beyond[n] = now[cell[n]] - then[cell[n]]
        while row * columns <= cell[n]:
            first[row] = n
            row += 1
    first[row:] = count
    return count


@inner_part
def _substitute_edge(last, i, q, z, k):
    """Finish the bit lines' elimination in the row *i* that is first: row *k* of *z*.

    A loop that asks for the first row is not vectorised for any.
    """
    for j in range(last.size):
        z[k, j] = last[j] * q[i, j]


@inner_part
def _substitute_row(behind, r, i, q, z, before, k):
    """Do so in another one, from row *before* of *z*."""
    for j in range(q.shape[1]):
        z[k, j] = behind[i, j] * (z[before, j] + r * q[i, j])


@inner_part
def _relax(g, at, size, omega, alpha, mode, z, b):
    """Move *size* cells of *b* from *at* on towards *z*; return their squared change of current.

    Arrays are flat here and in the next two: rows end to end are one loop. Its index is unsigned,
    since one that might count from an array's end would not be vectorised.
    """
    moved, at = g.dtype.type(0.0), np.uint64(at)
    for m in range(np.uint64(size)):
        d = z[m] - b[at + m]
        b[at + m] += omega * d + alpha * mode[at + m]
        c = g[at + m] * d
        moved += c * c
    return moved


@inner_part
def _ask(g, at, size, f, b, cell, beyond, seen, begin, end, t):
    """Write the right side of word lines; *begin* to *end* are their changed cells."""
    base = np.uint64(at)
    for m in range(np.uint64(size)):
        t[m] = g[base + m] * b[base + m] - f[base + m]
    for n in range(begin, end):
        m = cell[n]
        t[m - at] -= beyond[n] * (seen[n] - b[m])


@inner_part
def _answer(g, at, size, f, b, mode, cell, beyond, seen, begin, end, t, c):
    """Write the currents of their cells; return the mode's share of what they drive."""
    share, base = g.dtype.type(0.0), np.uint64(at)
    for m in range(np.uint64(size)):
        x = g[base + m] * t[m]
        share += mode[base + m] * x
        c[base + m] = f[base + m] + (x - g[base + m] * b[base + m])
    for n in range(begin, end):
        m = cell[n]
        seen[n] = t[m - at]
        c[m] += beyond[n] * (t[m - at] - b[m])
    return share


@inner
def eliminate(base, room, upward):
    """Begin the next solve of the bit lines, upward or downward, by the currents of the cells."""
    g, b, c, q, passed = base.g, room.b, room.c, room.q, room.narrow[0]
    ahead = base.bits.up if upward else base.bits.down.bit
    rows, columns = g.shape
    passed[:] = 0
    for n in range(rows):
        i = rows - 1 - n if upward else n
        for j in range(columns):
            q[i, j] = c[i, j] + g[i, j] * b[i, j] + passed[j]
        for j in range(columns):
            passed[j] = ahead[i, j] * q[i, j]


@inner
def sweep(base, lines, changes, room, upward, first, omega, alpha):
    """Run one step over all rows, *upward* or downward, after an elimination the other way.

    With *first* the bit lines stay as they are. Returns the square of the cells' change of
    current, and the mode's share of what the word lines drive into the bit lines.
    """
    g, bits, mode = base.g, base.bits, base.mode
    f, c, b, q, narrow, _ = room
    starts, cell, beyond, seen = changes
    word, word_last = bits.down.word, bits.down.word_last
    (rows, columns), kind = g.shape, g.dtype.type
    r_word, r_bit = kind(lines.r_word), kind(lines.r_bit)
    z, t = narrow[1 : 1 + ROWS], narrow[1 + ROWS :]
    gs, modes, zs, ts = g.reshape(-1), mode.reshape(-1), z.reshape(-1), t.reshape(-1)
    fs, cs, bs = f.reshape(-1), c.reshape(-1), b.reshape(-1)
    behind, last = (bits.down.bit, bits.down.bit_last) if upward else (bits.up, bits.up_last)
    moved, share, before = kind(0.0), kind(0.0), 0
    for n in range(0, rows, ROWS):
        side = min(ROWS, rows - n)
        at = rows - n - side if upward else n
        start, size = at * columns, side * columns
        begin, end = starts[at], starts[at + side]
        if not first:
            if n == 0:
                before = side - 1 if upward else 0
                _substitute_edge(last, at + before, q, z, before)
            for m in range(1 if n == 0 else 0, side):
                k = side - 1 - m if upward else m
                _substitute_row(behind, r_bit, at + k, q, z, before, k)
                before = k
            moved += _relax(gs, start, size, omega, alpha, modes, zs, bs)
        _ask(gs, start, size, fs, bs, cell, beyond, seen, begin, end, ts)
        solve_rows(word, word_last, at, r_word, t, side)
        share += _answer(
            gs, start, size, fs, bs, modes, cell, beyond, seen, begin, end, ts, cs
        )  # fmt: skip
    return moved, share


@kernel
def find_mode(lines, steps, block, edges, narrow, wide, first, cell, beyond):
    """Sharpen the mode of the base of a :class:`.store.Store` by *steps* steps.

    Returns lam, 0 where there is no mode.
    """
    unchanged = np.zeros_like(first)
    base, changes, room = arranged(block, edges, narrow, wide, unchanged, cell, beyond)
    f, b = room.f, room.b
    mode, kind = base.mode, base.g.dtype.type
    rows, columns = mode.shape
    f[...] = 0
    b[...] = mode
    one, none = kind(1.0), kind(0.0)
    sweep(base, lines, changes, room, False, True, one, none)
    share = none
    for n in range(steps):
        mode[...] = b
        eliminate(base, room, n % 2 == 1)
        _, share = sweep(base, lines, changes, room, n % 2 == 0, False, one, none)
    before, now = none, none
    for i in range(rows):
        for j in range(columns):
            before += mode[i, j] * mode[i, j]
            now += mode[i, j] * b[i, j]
    # T_b^-1 S T_w^-1 S is symmetric in the product with T_b: the last share is b T_b b.
    lam = now / before if before > 0 else none
    if not (share > 0 and 0 < lam < 1):
        mode[...] = 0
        return none
    scale = one / np.sqrt(share)
    for i in range(rows):
        for j in range(columns):
            mode[i, j] = scale * b[i, j]
    return lam
