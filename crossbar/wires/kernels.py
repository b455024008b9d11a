"""Conjugate gradients for an array with resistive wires.

Unknowns are the shifts of the node voltages from the voltage at their line's own terminal, so
that they vanish with the wires. With S the cells' slopes (conductances), the nodes obey

    (L_w + S) w - S b = f_w,    (L_b + S) b - S w = f_b

where L_w and L_b are the wires of all word lines and all bit lines. Eliminating the word lines
leaves (T_b - S T_w^-1 S) b = r, with T = L + S solved line by line (:mod:`.ladders`), which
conjugate gradients solve with the bit lines T_b as preconditioner. T_b times a direction follows
by recurrence and is never computed from voltages.
"""

from __future__ import annotations

import numpy as np

from ...jit import inner, kernel
from .ladders import ROWS, solve_rows

__all__ = ["conjugate_gradients", "word_lines"]


@inner
def _start(g, fw, fb, ladders, r_word, r, t):
    """Write the reduced right side f_b + S T_w^-1 f_w to *r*; return its squared norm."""
    rows, columns = g.shape
    norm = g.dtype.type(0.0)
    for i in range(0, rows, ROWS):
        side = min(ROWS, rows - i)
        for k in range(side):
            for j in range(columns):
                t[k, j] = fw[i + k, j]
        solve_rows(ladders.word, ladders.word_last, i, r_word, t, side)
        for k in range(side):
            for j in range(columns):
                y = fb[i + k, j] + g[i + k, j] * t[k, j]
                r[i + k, j] = y
                norm += y * y
    return norm


@inner
def _apply(g, ladders, r_word, beta, z, r, p, q, s, t):
    """Renew direction p and q = T_b p, write s = S_b p; return p s."""
    rows, columns = g.shape
    dot = g.dtype.type(0.0)
    for i in range(0, rows, ROWS):
        side = min(ROWS, rows - i)
        for k in range(side):
            for j in range(columns):
                x = z[i + k, j] + beta * p[i + k, j]
                p[i + k, j] = x
                t[k, j] = g[i + k, j] * x
                q[i + k, j] = r[i + k, j] + beta * q[i + k, j]
        solve_rows(ladders.word, ladders.word_last, i, r_word, t, side)
        for k in range(side):
            for j in range(columns):
                y = q[i + k, j] - g[i + k, j] * t[k, j]
                s[i + k, j] = y
                dot += y * p[i + k, j]
    return dot


@inner
def _advance(bit, alpha, p, s, b, r, z, row):
    """Step along p, and eliminate the bit lines for the new residual; return its squared norm.

    What one row hands to the next stays in *row* (columns,): a loop that reads the row it did
    not write can be vectorised.
    """
    norm = r.dtype.type(0.0)
    row[:] = 0
    for i in range(r.shape[0]):
        for j in range(row.size):
            b[i, j] += alpha * p[i, j]
            y = r[i, j] - alpha * s[i, j]
            r[i, j] = y
            norm += y * y
            x = y + row[j]
            z[i, j] = x
            row[j] = bit[i, j] * x
    return norm


@inner
def _substitute(bit, bit_last, r_bit, r, z, row):
    """Finish z = T_b^-1 r after the elimination; return z r."""
    dot = r.dtype.type(0.0)
    last = r.shape[0] - 1
    for j in range(row.size):
        row[j] = z[last, j] * bit_last[j]
        z[last, j] = row[j]
        dot += row[j] * r[last, j]
    for i in range(last - 1, -1, -1):
        for j in range(row.size):
            x = bit[i, j] * (row[j] + r_bit * z[i, j])
            z[i, j] = x
            row[j] = x
        for j in range(row.size):
            dot += row[j] * r[i, j]
    return dot


@inner
def word_lines(g, fw, b, ladders, r_word, w):
    """Write the word lines' answer w = T_w^-1 (f_w + S b)."""
    rows, columns = g.shape
    t = np.empty((ROWS, columns), g.dtype)
    for i in range(0, rows, ROWS):
        side = min(ROWS, rows - i)
        for k in range(side):
            for j in range(columns):
                t[k, j] = fw[i + k, j] + g[i + k, j] * b[i + k, j]
        solve_rows(ladders.word, ladders.word_last, i, r_word, t, side)
        for k in range(side):
            for j in range(columns):
                w[i + k, j] = t[k, j]


@kernel
def conjugate_gradients(g, fw, fb, lines, ladders, relative, absolute, limit, work, w, b, trace):
    """Solve the array for node currents *fw*, *fb* [A]; return the iterations taken.

    Parameters
    ----------
    g, fw, fb : (rows, columns)
        Slopes of the cells [S], currents into the nodes of word and bit lines [A].
    lines, ladders
        The wires and their factors, see :func:`factor`.
    relative, absolute
        Stop when the norm of the residual is below *relative* of that at the start, or below
        *absolute* [A].
    limit : int
        Most iterations allowed, at most half the size of *trace*.
    work : (5, rows, columns)
        Room to work in.
    w, b : (rows, columns)
        Receive the voltages of word and bit lines [V].
    trace : (2 * limit,)
        Receives the step lengths, then the ratios between directions; they hold the spectrum.

    Returns
    -------
    int
        Iterations; -1 where *limit* did not suffice.
    """
    kind = g.dtype.type
    r_word, r_bit = kind(lines.r_word), kind(lines.r_bit)
    t, row = np.empty((ROWS, g.shape[1]), g.dtype), np.empty(g.shape[1], g.dtype)
    r, z, p, q, s = work[0], work[1], work[2], work[3], work[4]
    p[...] = 0
    q[...] = 0
    b[...] = 0
    start = _start(g, fw, fb, ladders, r_word, r, t)
    enough = max(start * kind(relative) ** 2, kind(absolute) ** 2)
    count, norm, beta = 0, start, kind(0.0)
    if lines.t_bit == 0:
        norm = kind(0.0)  # ideal bit lines: nothing moves them
    rz = kind(0.0)
    if norm > enough:
        _advance(ladders.bit, kind(0.0), p, q, b, r, z, row)
        rz = _substitute(ladders.bit, ladders.bit_last, r_bit, r, z, row)
    while norm > enough and count < limit:
        ps = _apply(g, ladders, r_word, beta, z, r, p, q, s, t)
        if not ps > 0:  # rounding has eaten the direction
            break
        alpha = rz / ps
        norm = _advance(ladders.bit, alpha, p, s, b, r, z, row)
        new = _substitute(ladders.bit, ladders.bit_last, r_bit, r, z, row)
        beta = new / rz
        rz = new
        trace[count], trace[limit + count] = alpha, beta
        count += 1
    word_lines(g, fw, b, ladders, r_word, w)
    return count if norm <= enough else -1
