"""Word lines and bit lines as ladders: wires in a row, a cell at every node, a terminal.

A line alone is solved by eliminating its nodes from the open end. The ladder is kept as
resistances: e' = g + e / (1 + r e) is a sum of positive terms, so no digits are lost and r = 0 is
an ordinary value.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...jit import inner, kernel, loop

__all__ = [
    "ROWS",
    "Ladders",
    "Lines",
    "empty_ladders",
    "factor",
    "factor_upward",
    "solve_rows",
]

ROWS = 4
"""Word lines swept side by side, since the sweep is a chain of dependent products."""


class Lines(NamedTuple):
    """Resistances of the wires [ohm]: segments, and first segment with its terminal."""

    r_word: float
    t_word: float
    r_bit: float
    t_bit: float


class Ladders(NamedTuple):
    """What :func:`factor` keeps: pass-on ratios (rows, columns) and the last nodes' resistances.

    ``word[i, j]`` passes from node j towards the terminal at j = 0, ``bit[i, j]`` from node i
    towards the terminal behind the last row.
    """

    word: NDArray
    word_last: NDArray
    bit: NDArray
    bit_last: NDArray


def empty_ladders(rows: int, columns: int, dtype: Any) -> Ladders:
    """Return room for the ladders of an array."""
    shape = rows, columns
    return Ladders(
        np.empty(shape, dtype), np.empty(rows, dtype), np.empty(shape, dtype),
        np.empty(columns, dtype),
    )  # fmt: skip


@inner
def factor(g, lines, ladders):
    """Eliminate every line from its open end towards its terminal."""
    rows, columns = g.shape
    one = g.dtype.type(1.0)
    r, t = g.dtype.type(lines.r_word), g.dtype.type(lines.t_word)
    word, word_last, bit, bit_last = ladders
    seen = np.empty(8, g.dtype)
    for i in range(0, rows, 8):
        side = min(8, rows - i)
        seen[:] = 0
        for j in range(columns - 1, 0, -1):
            for k in range(side):
                e = seen[k] + g[i + k, j]
                ratio = one / (one + r * e)
                word[i + k, j] = ratio
                seen[k] = e * ratio
        for k in range(side):
            word_last[i + k] = one / (seen[k] + g[i + k, 0] + one / t)
            word[i + k, 0] = 0
    r, t = g.dtype.type(lines.r_bit), g.dtype.type(lines.t_bit)
    above = np.zeros(columns, g.dtype)
    for i in range(rows - 1):
        for j in range(columns):
            e = above[j] + g[i, j]
            ratio = one / (one + r * e)
            bit[i, j] = ratio
            above[j] = e * ratio
    for j in range(columns):
        bit_last[j] = one / (above[j] + g[rows - 1, j] + one / t)
        bit[rows - 1, j] = 0


@inner
def factor_upward(g, lines, bit, bit_last):
    """Eliminate every bit line the other way round, from its terminal to its open end."""
    rows, columns = g.shape
    one = g.dtype.type(1.0)
    r, t = g.dtype.type(lines.r_bit), g.dtype.type(lines.t_bit)
    below = np.empty(columns, g.dtype)
    if t == 0:  # ideal bit lines: nothing moves them
        bit[...] = 0
        bit_last[:] = 0
        return
    below[:] = one / t
    for i in range(rows - 1, 0, -1):
        for j in range(columns):
            e = below[j] + g[i, j]
            ratio = one / (one + r * e)
            bit[i, j] = ratio
            below[j] = e * ratio
    for j in range(columns):
        bit_last[j] = one / (below[j] + g[0, j])
        bit[0, j] = 0


@loop
def _word_row(ladder, last, i, r, t, k):
    """Solve word line *i*: row *k* of *t* holds its right side, then its voltages.

    Compiled without reordering: to factor ratios out would make the chain of products longer.
    """
    columns = t.shape[1]
    v = t[k, columns - 1]
    for j in range(columns - 2, -1, -1):
        v = t[k, j] + ladder[i, j + 1] * v
        t[k, j] = v
    v *= last[i]
    t[k, 0] = v
    for j in range(1, columns):
        c = ladder[i, j]
        v = c * v + (r * c) * t[k, j]
        t[k, j] = v


@loop
def _word_rows(ladder, last, i, r, t):
    """Solve word lines *i* to i + 3 at once; *t* (4, columns) as for one line."""
    n = t.shape[1]
    v0, v1, v2, v3 = t[0, n - 1], t[1, n - 1], t[2, n - 1], t[3, n - 1]
    for j in range(n - 2, -1, -1):
        v0 = t[0, j] + ladder[i, j + 1] * v0
        v1 = t[1, j] + ladder[i + 1, j + 1] * v1
        v2 = t[2, j] + ladder[i + 2, j + 1] * v2
        v3 = t[3, j] + ladder[i + 3, j + 1] * v3
        t[0, j], t[1, j], t[2, j], t[3, j] = v0, v1, v2, v3
    v0, v1, v2, v3 = v0 * last[i], v1 * last[i + 1], v2 * last[i + 2], v3 * last[i + 3]
    t[0, 0], t[1, 0], t[2, 0], t[3, 0] = v0, v1, v2, v3
    for j in range(1, n):
        c0, c1, c2, c3 = ladder[i, j], ladder[i + 1, j], ladder[i + 2, j], ladder[i + 3, j]
        v0 = c0 * v0 + (r * c0) * t[0, j]
        v1 = c1 * v1 + (r * c1) * t[1, j]
        v2 = c2 * v2 + (r * c2) * t[2, j]
        v3 = c3 * v3 + (r * c3) * t[3, j]
        t[0, j], t[1, j], t[2, j], t[3, j] = v0, v1, v2, v3


@kernel
def solve_rows(ladder, last, i, r, t, side):
    """Solve *side* word lines from *i* on, at most ROWS; *t* holds right sides, then voltages."""
    if side == ROWS:
        _word_rows(ladder, last, i, r, t)
    else:
        for k in range(side):
            _word_row(ladder, last, i + k, r, t, k)
