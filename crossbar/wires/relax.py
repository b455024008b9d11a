"""The iteration of :mod:`.lanes` for one drive, for small corrections in float32.

What eight lanes are there, four word lines side by side are here.
"""

from __future__ import annotations

import numpy as np

from ...jit import inner, kernel
from .ladders import ROWS, solve_rows

__all__ = ["relax_one"]


@inner
def _relax_row(g, i, fw, ratio, back, omega, b, q, z, t, k):
    """Substitute row *i* of the bit lines, relax, write the word line's right side to *t*."""
    moved = g.dtype.type(0.0)
    for j in range(z.size):
        x = ratio[j] * z[j] + back[j] * q[i, j]
        z[j] = x
        d = x - b[i, j]
        y = b[i, j] + omega * d
        b[i, j] = y
        t[k, j] = fw[i, j] + g[i, j] * y
        c = g[i, j] * d
        moved += c * c
    return moved


@inner
def _eliminate_row(g, i, fb, ahead, t, k, passed, q):
    """Begin the next solve of the bit lines in row *i*; *passed* is what rows hand on."""
    for j in range(passed.size):
        x = fb[i, j] + g[i, j] * t[k, j] + passed[j]
        q[i, j] = x
        passed[j] = ahead[i, j] * x


@inner
def _sweep(g, fw, fb, lines, bits, upward, first, omega, b, q):
    """Run one iteration over all rows; return the square of the cells' change of current."""
    rows, columns = g.shape
    kind = g.dtype.type
    r_word, r_bit = kind(lines.r_word), kind(lines.r_bit)
    z, passed = np.zeros(columns, g.dtype), np.zeros(columns, g.dtype)
    ratio, back = np.zeros(columns, g.dtype), np.empty(columns, g.dtype)
    t = np.empty((ROWS, columns), g.dtype)
    behind, last = (bits.down.bit, bits.down.bit_last) if upward else (bits.up, bits.up_last)
    ahead = bits.up if upward else bits.down.bit
    moved = kind(0.0)
    for n in range(0, rows, ROWS):
        side = min(ROWS, rows - n)
        at = rows - n - side if upward else n
        for m in range(side):
            k = side - 1 - m if upward else m
            i = at + k
            if first:
                for j in range(columns):
                    t[k, j] = fw[i, j] + g[i, j] * b[i, j]
            else:
                edge = n + m == 0
                for j in range(columns):
                    back[j] = last[j] if edge else r_bit * behind[i, j]
                    ratio[j] = kind(0.0) if edge else behind[i, j]
                moved += _relax_row(g, i, fw, ratio, back, omega, b, q, z, t, k)
        solve_rows(bits.down.word, bits.down.word_last, at, r_word, t, side)
        for m in range(side):
            k = side - 1 - m if upward else m
            _eliminate_row(g, at + k, fb, ahead, t, k, passed, q)
    return moved


@kernel
def relax_one(g, fw, fb, lines, bits, omega, absolute, limit, b, q):
    """Solve the bit lines *b* for node currents; return the iterations, -1 if too few.

    Parameters
    ----------
    g, fw, fb : (rows, columns)
        Slopes of the cells [S], currents into the nodes of word and bit lines [A].
    lines, bits
        The wires, and their factors both ways.
    omega : (n,)
        Inverse roots, used in turn.
    absolute
        Stop when the cells' currents would change by less, root of the sum of squares [A].
    b, q : (rows, columns)
        Voltages of the bit lines [V], start and result; room to work in.
    """
    kind = g.dtype.type
    enough = kind(absolute) ** 2
    _sweep(g, fw, fb, lines, bits, False, True, kind(0.0), b, q)
    before = kind(0.0)
    for n in range(limit):
        step = kind(omega[n % omega.size])
        moved = _sweep(g, fw, fb, lines, bits, n % 2 == 0, False, step, b, q)
        # What moved is the distance before this step; the next would shrink it at least as much.
        if moved <= enough or moved * (moved / before) <= enough:
            return n + 1
        if not moved < np.inf:
            break
        before = moved
    return -1
