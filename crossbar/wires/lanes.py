"""Kernels that solve eight drives of an array at once, in one pass over memory per iteration.

The fixed-point step b <- T_b^-1 (S w(b) + S d) of the bit lines, relaxed by the inverse roots of
a residual polynomial, needs no inner products. So one sweep over the rows can finish the bit
lines' substitution, relax, solve the word line, and begin the elimination of the next iteration,
if the next one eliminates the other way round. The roots are the Ritz values that conjugate
gradients found for one drive of the same array (:func:`roots`): with them the other drives
converge in about as many iterations.

Arrays are (rows, LANES, columns), so that every loop runs along contiguous memory.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...jit import inner, kernel, loop
from .ladders import Ladders

__all__ = ["LANES", "TwoWay", "finish", "finish_map", "relax", "roots"]

LANES = 8


class TwoWay(NamedTuple):
    """Ladders of the bit lines in both directions; fields as in :class:`Ladders`."""

    down: Ladders
    up: NDArray
    up_last: NDArray


def roots(trace: NDArray, count: int) -> NDArray:
    """Return the Ritz values of *count* iterations, ordered so that partial products stay small.

    *trace* is that of :func:`~.kernels.conjugate_gradients`. The order is Leja's.
    """
    alpha, beta = trace[:count], trace[len(trace) // 2 :][:count]
    diagonal = 1.0 / alpha
    diagonal[1:] += beta[:-1] / alpha[:-1]
    beside = np.sqrt(beta[:-1]) / alpha[:-1]
    matrix = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    left = np.linalg.eigvalsh(matrix).tolist()
    chosen = [left.pop()]
    while left:
        distance = [sum(log(abs(x - y) + 1e-300) for y in chosen) for x in left]
        chosen.append(left.pop(distance.index(max(distance))))
    return np.array(chosen)


@inner
def _relax_row(g, i, ratio, back, omega, v, u, b, q, z, t):
    """Substitute row *i* of the bit lines, relax, write the word lines' right side to *t*.

    Returns the squared distance from the fixed-point step.
    """
    moved = g.dtype.type(0.0)
    for k in range(LANES):
        vk = v[i, k]
        for j in range(g.shape[1]):
            x = ratio[j] * z[k, j] + back[j] * q[i, k, j]
            z[k, j] = x
            d = x - b[i, k, j]
            y = b[i, k, j] + omega * d
            b[i, k, j] = y
            t[k, j] = g[i, j] * (y + u[k, j] - vk)
            moved += d * d
    return moved


@inner
def _plain_row(g, i, v, u, b, t):
    """Write the word lines' right side for the bit lines as they are."""
    for k in range(LANES):
        vk = v[i, k]
        for j in range(g.shape[1]):
            t[k, j] = g[i, j] * (b[i, k, j] + u[k, j] - vk)


@loop
def _word_line(ladder, last, i, r, t):
    """Solve word line *i* for all lanes; *t* (LANES, columns) is replaced by the answer."""
    n, s = t.shape[1], last[i]
    e = n - 1
    v0, v1, v2, v3 = t[0, e], t[1, e], t[2, e], t[3, e]
    v4, v5, v6, v7 = t[4, e], t[5, e], t[6, e], t[7, e]
    for j in range(n - 2, -1, -1):
        c = ladder[i, j + 1]
        v0, v1, v2, v3 = t[0, j] + c * v0, t[1, j] + c * v1, t[2, j] + c * v2, t[3, j] + c * v3
        v4, v5, v6, v7 = t[4, j] + c * v4, t[5, j] + c * v5, t[6, j] + c * v6, t[7, j] + c * v7
        t[0, j], t[1, j], t[2, j], t[3, j] = v0, v1, v2, v3
        t[4, j], t[5, j], t[6, j], t[7, j] = v4, v5, v6, v7
    v0, v1, v2, v3, v4, v5, v6, v7 = v0 * s, v1 * s, v2 * s, v3 * s, v4 * s, v5 * s, v6 * s, v7 * s
    t[0, 0], t[1, 0], t[2, 0], t[3, 0] = v0, v1, v2, v3
    t[4, 0], t[5, 0], t[6, 0], t[7, 0] = v4, v5, v6, v7
    for j in range(1, n):
        c = ladder[i, j]
        h = r * c
        v0, v1, v2 = c * v0 + h * t[0, j], c * v1 + h * t[1, j], c * v2 + h * t[2, j]
        v3, v4, v5 = c * v3 + h * t[3, j], c * v4 + h * t[4, j], c * v5 + h * t[5, j]
        v6, v7 = c * v6 + h * t[6, j], c * v7 + h * t[7, j]
        t[0, j], t[1, j], t[2, j], t[3, j] = v0, v1, v2, v3
        t[4, j], t[5, j], t[6, j], t[7, j] = v4, v5, v6, v7


@inner
def _eliminate_row(g, i, before, ratio, t, v, u, q):
    """Begin the next solve of the bit lines: their right side, and what row *before* passes on."""
    for k in range(LANES):
        vk = v[i, k]
        for j in range(g.shape[1]):
            q[i, k, j] = g[i, j] * (t[k, j] + vk - u[k, j]) + ratio[j] * q[before, k, j]


@inner
def _sweep(g, lines, bits, upward, first, omega, v, u, b, q):
    """Run one iteration over all rows, *upward* or downward; return the squared distance."""
    rows, columns = g.shape
    kind = g.dtype.type
    r_word, r_bit = kind(lines.r_word), kind(lines.r_bit)
    z, t = np.zeros((LANES, columns), g.dtype), np.empty((LANES, columns), g.dtype)
    ratio, back = np.zeros(columns, g.dtype), np.empty(columns, g.dtype)
    behind, last = (bits.down.bit, bits.down.bit_last) if upward else (bits.up, bits.up_last)
    ahead = bits.up if upward else bits.down.bit
    start, step = (rows - 1, -1) if upward else (0, 1)
    moved = kind(0.0)
    for n in range(rows):
        i = start + step * n
        if first:
            _plain_row(g, i, v, u, b, t)
        else:
            for j in range(columns):
                back[j] = last[j] if n == 0 else r_bit * behind[i, j]
                ratio[j] = behind[i, j] if n > 0 else 0.0
            moved += _relax_row(g, i, ratio, back, omega, v, u, b, q, z, t)
        _word_line(bits.down.word, bits.down.word_last, i, r_word, t)
        before = i - step if n > 0 else i
        if n == 0:
            q[i] = 0
        for j in range(columns):
            ratio[j] = ahead[before, j] if n > 0 else 0.0
        _eliminate_row(g, i, before, ratio, t, v, u, q)
    return moved


@kernel
def relax(g, lines, bits, v, u, omega, tolerance, limit, b, q):
    """Solve the bit lines for eight drives; return the iterations, -1 if *limit* was too few.

    Parameters
    ----------
    g : (rows, columns)
        Conductances [S].
    lines, bits
        The wires and their factors.
    v, u : (rows, LANES), (LANES, columns)
        Terminal voltages of word and bit lines [V], at most 1 in size.
    omega : (n,)
        Inverse roots, used in turn.
    tolerance
        Root mean square [V] of the distance from the fixed point at which to stop.
    b, q : (rows, LANES, columns)
        Shift of the bit lines [V], start and result; room to work in.
    """
    enough = g.dtype.type(tolerance) ** 2 * g.dtype.type(b.size)
    _sweep(g, lines, bits, False, True, g.dtype.type(0.0), v, u, b, q)
    for n in range(limit):
        step = g.dtype.type(omega[n % omega.size])
        moved = _sweep(g, lines, bits, n % 2 == 0, False, step, v, u, b, q)
        if moved <= enough:
            return n + 1
        if not moved < np.inf:
            break
    return -1


@inner
def finish(g, lines, bits, v, u, b, wide, scale, w_out, b_out, current, supply, output):
    """Solve the word lines and write *wide* lanes, times *scale* (LANES,), to the results.

    *w_out*, *b_out* and *current* are (lanes, rows, columns), *supply* (lanes, rows) and *output*
    (lanes, columns).
    """
    t = np.empty((LANES, g.shape[1]), g.dtype)
    for k in range(wide):
        output[k, :] = 0
    for i in range(g.shape[0]):
        _plain_row(g, i, v, u, b, t)
        _word_line(bits.down.word, bits.down.word_last, i, g.dtype.type(lines.r_word), t)
        for k in range(wide):
            total, vk, s = g.dtype.type(0.0), v[i, k], scale[k]
            for j in range(g.shape[1]):
                c = s * (g[i, j] * ((vk - u[k, j]) + (t[k, j] - b[i, k, j])))
                w_out[k, i, j] = s * t[k, j]
                b_out[k, i, j] = s * b[i, k, j]
                current[k, i, j] = c
                output[k, j] += c
                total += c
            supply[k, i] = total


@inner
def finish_map(g, lines, bits, v, u, b, backward, at, wide, drop, output):
    """Solve the word lines; write the drop across the cells of each lane's own line.

    Lane k drives word line at + k, or with *backward* bit line at + k; *drop* (rows, columns)
    receives that line of it, and *output* (lanes, columns) the currents of the bit lines.
    """
    t = np.empty((LANES, g.shape[1]), g.dtype)
    for k in range(wide):
        output[k, :] = 0
    for i in range(g.shape[0]):
        _plain_row(g, i, v, u, b, t)
        _word_line(bits.down.word, bits.down.word_last, i, g.dtype.type(lines.r_word), t)
        for k in range(wide):
            vk = v[i, k]
            for j in range(g.shape[1]):
                t[k, j] = (vk - u[k, j]) + (t[k, j] - b[i, k, j])
                output[k, j] += g[i, j] * t[k, j]
            if backward:
                drop[i, at + k] = -t[k, at + k]
            elif i == at + k:
                drop[i] = t[k]
