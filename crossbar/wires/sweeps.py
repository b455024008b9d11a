"""Block Gauss-Seidel sweeps over the lines of an array, for one drive and small changes.

The iteration is that of :mod:`.lanes`, b <- b + omega (T_b^-1 (S w(b) + f) - b), one pass over
the rows per step, in float32. Two things make a small change cheap:

* the factors may be those of conductances from before some cells changed. What the changed
  cells carry beyond that is a current into their nodes, known from the sweep before;
* the slowest mode of the iteration, W with T_b^-1 S T_w^-1 S W = lam W, is smooth and far from
  all others. Its share of the error is taken away as a whole in every sweep.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...jit import inner, inner_part, kernel
from .ladders import ROWS, Ladders, factor, factor_upward, solve_rows
from .lanes import TwoWay

__all__ = ["Base", "Changes", "Room", "empty_base", "find_mode", "rebase", "sweep"]


class Base(NamedTuple):
    """Conductances that were factorised: float64 and float32, and their factors.

    ``mode`` is the slowest mode W, scaled so that its product with T_b W is 1.
    """

    exact: NDArray
    g: NDArray
    bits: TwoWay
    mode: NDArray


class Changes(NamedTuple):
    """Cells that differ from the base.

    Attributes
    ----------
    first : (rows + 1,) of int
        Where the cells of a row begin.
    column : (n,) of int
    dg : (n,)
        Conductance beyond that of the base [S].
    w : (n,)
        Voltage of their word line's node in the sweep before [V].
    """

    first: NDArray
    column: NDArray
    dg: NDArray
    w: NDArray


class Room(NamedTuple):
    """Work space.

    Attributes
    ----------
    f, c : (rows, columns)
        Currents of sources, and through the cells.
    b, q : (rows, columns)
        Voltages of the bit lines, and those half solved.
    narrow, wide : (6, columns), (11, columns)
        Rows at hand, of float32 and float64.
    """

    f: NDArray
    c: NDArray
    b: NDArray
    q: NDArray
    narrow: NDArray
    wide: NDArray


def _aligned(shape: tuple[int, ...], kind: Any) -> NDArray:
    """Return an empty array that begins where a line of the cache does."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    raw = np.empty(size + 64, np.uint8)
    at = -raw.ctypes.data % 64
    return raw[at : at + size].view(kind).reshape(shape)


def empty_base(rows: int, columns: int) -> tuple[Base, Room]:
    """Return room for a base, and to work in."""
    kind: Any = np.float32
    block = _aligned((9, rows, columns), kind)
    block[4] = 0
    edges = np.empty((3, max(rows, columns)), kind)
    down = Ladders(block[0], edges[0, :rows], block[1], edges[1, :columns])
    never = np.full((rows, columns), np.nan)  # equals no conductance
    base = Base(never, block[2], TwoWay(down, block[3], edges[2, :columns]), block[4])
    narrow, wide = _aligned((2 + ROWS, columns), kind), _aligned((11, columns), np.float64)
    return base, Room(*(block[k] for k in range(5, 9)), narrow, wide)


@inner
def rebase(g, lines, base):
    """Factorise conductances *g*."""
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            base.exact[i, j] = g[i, j]
            base.g[i, j] = g[i, j]
    factor(base.g, lines, base.bits.down)
    factor_upward(base.g, lines, base.bits.up, base.bits.up_last)


@inner_part
def _substitute_row(behind, last, r, edge, i, q, z):
    """Finish the bit lines' elimination in row *i*."""
    if edge:
        for j in range(z.size):
            z[j] = last[j] * q[i, j]
    else:
        for j in range(z.size):
            z[j] = behind[i, j] * (z[j] + r * q[i, j])


@inner_part
def _relax_row(g, i, omega, alpha, mode, z, b):
    """Move row *i* of *b* towards *z*; return the squared change of its cells' currents."""
    moved = g.dtype.type(0.0)
    for j in range(z.size):
        d = z[j] - b[i, j]
        b[i, j] += omega * d + alpha * mode[i, j]
        c = g[i, j] * d
        moved += c * c
    return moved


@inner_part
def _ask_row(g, i, f, b, first, column, beyond, seen, t, k):
    """Write the right side of word line *i*."""
    for j in range(t.shape[1]):
        t[k, j] = g[i, j] * b[i, j] - f[i, j]
    for n in range(first[i], first[i + 1]):
        j = column[n]
        t[k, j] -= beyond[n] * (seen[n] - b[i, j])


@inner_part
def _answer_row(g, i, f, b, mode, first, column, beyond, seen, t, k, c):
    """Write the currents of the cells of row *i*; return the mode's share of what they drive."""
    share = g.dtype.type(0.0)
    for j in range(t.shape[1]):
        x = g[i, j] * t[k, j]
        share += mode[i, j] * x
        c[i, j] = f[i, j] + (x - g[i, j] * b[i, j])
    for n in range(first[i], first[i + 1]):
        j = column[n]
        seen[n] = t[k, j]
        c[i, j] += beyond[n] * (t[k, j] - b[i, j])
    return share


@inner_part
def _eliminate_row(g, i, b, c, ahead, passed, q):
    """Begin the next solve of the bit lines in row *i*; *passed* is what rows hand on."""
    for j in range(passed.size):
        q[i, j] = c[i, j] + g[i, j] * b[i, j] + passed[j]
    for j in range(passed.size):
        passed[j] = ahead[i, j] * q[i, j]


@inner
def sweep(base, lines, changes, room, upward, first, omega, alpha):
    """Run one step over all rows, *upward* or downward.

    With *first* the bit lines stay as they are. Returns the square of the cells' change of
    current, and the mode's share of what the word lines drive into the bit lines.
    """
    g, bits, mode = base.g, base.bits, base.mode
    f, c, b, q, narrow, _ = room
    first_of, column, beyond, seen = changes
    word, word_last = bits.down.word, bits.down.word_last
    rows, kind = len(g), g.dtype.type
    r_word, r_bit = kind(lines.r_word), kind(lines.r_bit)
    z, passed, t = narrow[0], narrow[1], narrow[2:]
    z[:] = 0
    passed[:] = 0
    behind, last = (bits.down.bit, bits.down.bit_last) if upward else (bits.up, bits.up_last)
    ahead = bits.up if upward else bits.down.bit
    moved, share = kind(0.0), kind(0.0)
    for n in range(0, rows, ROWS):
        side = min(ROWS, rows - n)
        at = rows - n - side if upward else n
        for m in range(side):
            k = side - 1 - m if upward else m
            if not first:
                _substitute_row(behind, last, r_bit, n + m == 0, at + k, q, z)
                moved += _relax_row(g, at + k, omega, alpha, mode, z, b)
            _ask_row(g, at + k, f, b, first_of, column, beyond, seen, t, k)
        solve_rows(word, word_last, at, r_word, t, side)
        for m in range(side):
            k = side - 1 - m if upward else m
            share += _answer_row(
                g, at + k, f, b, mode, first_of, column, beyond, seen, t, k, c
            )  # fmt: skip
            _eliminate_row(g, at + k, b, c, ahead, passed, q)
    return moved, share


@kernel
def find_mode(base, lines, changes, room, steps):
    """Sharpen the base's mode by *steps* steps; return lam, 0 where there is none.

    *changes* must be empty.
    """
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
