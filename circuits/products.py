"""Numba kernels of the small matrix products inside a time step.

A layer of ten outputs is too narrow for BLAS, whose call costs more than the product. These
loops work on two samples and a few rows at once, so that sums stay in registers and loads are
shared; the inner index always runs along contiguous memory. A vector that straddles two cache
lines is loaded twice, which halves the speed, so work space starts on a line (:func:`aligned`).
"""

from __future__ import annotations

import numpy as np

from ..jit import inlined, inner, kernel, loop

__all__ = [
    "WIDE",
    "add_backward",
    "add_columns",
    "add_forward",
    "add_gram",
    "add_rows",
    "aligned",
    "block",
    "input_rows",
    "set_backward",
]

WIDE = 24  # below this many rows our own loops beat the fixed cost of a BLAS call
_LINE = 64  # bytes


@kernel
def block(flat, at, rows, columns):
    """Return the (rows, columns) view of a flat array that starts at *at*."""
    return flat[at : at + rows * columns].reshape(rows, columns)


@kernel
def aligned(rows, columns, like):
    """Return an empty (rows, columns) array, of *like*'s dtype, that starts on a cache line."""
    size, itemsize = rows * columns, like.itemsize
    buffer = np.empty(size + _LINE // itemsize, like.dtype)
    start = (-buffer.ctypes.data % _LINE) // itemsize
    return buffer[start : start + size].reshape(rows, columns)


@inner
def input_rows(x, weight, bias, active, drive):
    """Write x W + b to *drive*, *active* being work space (n_0,).

    Eight word lines at a time; the list of lit ones is made without branches to mispredict.
    """
    batch, n = drive.shape
    for b in range(batch):
        count = 0
        for i in range(x.shape[1]):
            active[count] = i
            count += 1 if x[b, i] != 0 else 0
        for j in range(n):
            drive[b, j] = bias[j]
        for a in range(0, count - 7, 8):
            i0, i1, i2, i3 = active[a], active[a + 1], active[a + 2], active[a + 3]
            i4, i5, i6, i7 = active[a + 4], active[a + 5], active[a + 6], active[a + 7]
            x0, x1, x2, x3 = x[b, i0], x[b, i1], x[b, i2], x[b, i3]
            x4, x5, x6, x7 = x[b, i4], x[b, i5], x[b, i6], x[b, i7]
            for j in range(n):
                w0, w1, w2, w3 = weight[i0, j], weight[i1, j], weight[i2, j], weight[i3, j]
                w4, w5, w6, w7 = weight[i4, j], weight[i5, j], weight[i6, j], weight[i7, j]
                low = x0 * w0 + x1 * w1 + x2 * w2 + x3 * w3
                drive[b, j] += low + x4 * w4 + x5 * w5 + x6 * w6 + x7 * w7
        for a in range(count - count % 8, count):
            i0 = active[a]
            x0 = x[b, i0]
            for j in range(n):
                drive[b, j] += x0 * weight[i0, j]


@kernel
def add_forward(s, rows, out):
    """Add s W to *out*, *rows* being W^T, for few columns."""
    _add_sums(s, rows, rows.shape[0], out)


@kernel
def add_gram(s, out):
    """Add s s^T to *out*, a symmetric matrix; only half of the sums are computed."""
    _add_sums(s, s, 2, out)
    for b in range(s.shape[0]):
        for k in range(b):
            out[k, b] = out[b, k]


@inner
def _add_sums(s, rows, first, out):
    """Add s rows^T to *out*, two samples by five sums at a time.

    Only *first* columns, or a few more to make fives, are computed for the first two samples, and
    two more for every following two.
    """
    batch, m = s.shape
    zero = s.dtype.type(0.0)
    for b in range(0, batch, 2):
        c = min(b + 1, batch - 1)  # the last of an odd number is its own partner
        n = min(rows.shape[0], 5 * ((first + b + 4) // 5))
        for k in range(0, n - 4, 5):
            f0, f1, f2, f3, f4 = zero, zero, zero, zero, zero
            g0, g1, g2, g3, g4 = zero, zero, zero, zero, zero
            for j in range(m):
                r0, r1, r2 = rows[k, j], rows[k + 1, j], rows[k + 2, j]
                r3, r4 = rows[k + 3, j], rows[k + 4, j]
                s0, s1 = s[b, j], s[c, j]
                f0 += s0 * r0
                f1 += s0 * r1
                f2 += s0 * r2
                f3 += s0 * r3
                f4 += s0 * r4
                g0 += s1 * r0
                g1 += s1 * r1
                g2 += s1 * r2
                g3 += s1 * r3
                g4 += s1 * r4
            _add_five(b, k, f0, f1, f2, f3, f4, out)
            if c != b:
                _add_five(c, k, g0, g1, g2, g3, g4, out)
        for k in range(n - n % 5, n):
            f0, g0 = zero, zero
            for j in range(m):
                f0 += s[b, j] * rows[k, j]
                g0 += s[c, j] * rows[k, j]
            out[b, k] += f0
            if c != b:
                out[c, k] += g0


@inlined
def _add_five(b, k, f0, f1, f2, f3, f4, out):
    out[b, k] += f0
    out[b, k + 1] += f1
    out[b, k + 2] += f2
    out[b, k + 3] += f3
    out[b, k + 4] += f4


@loop
def add_backward(s, rows, out):
    """Add s B to *out*, for few rows: two samples by five rows at a time share their loads."""
    batch, n = out.shape
    p = rows.shape[0]
    for b in range(0, batch - 1, 2):
        c = b + 1
        for k in range(0, p - 4, 5):
            f0, f1, f2, f3, f4 = s[b, k], s[b, k + 1], s[b, k + 2], s[b, k + 3], s[b, k + 4]
            g0, g1, g2, g3, g4 = s[c, k], s[c, k + 1], s[c, k + 2], s[c, k + 3], s[c, k + 4]
            for j in range(n):
                r0, r1, r2 = rows[k, j], rows[k + 1, j], rows[k + 2, j]
                r3, r4 = rows[k + 3, j], rows[k + 4, j]
                out[b, j] = out[b, j] + f0 * r0 + f1 * r1 + f2 * r2 + f3 * r3 + f4 * r4
                out[c, j] = out[c, j] + g0 * r0 + g1 * r1 + g2 * r2 + g3 * r3 + g4 * r4
        for k in range(p - p % 5, p):
            f0, g0 = s[b, k], s[c, k]
            for j in range(n):
                out[b, j] += f0 * rows[k, j]
                out[c, j] += g0 * rows[k, j]
    if batch % 2 == 1:
        b = batch - 1
        for k in range(0, p - 4, 5):
            f0, f1, f2, f3, f4 = s[b, k], s[b, k + 1], s[b, k + 2], s[b, k + 3], s[b, k + 4]
            for j in range(n):
                r0, r1, r2 = rows[k, j], rows[k + 1, j], rows[k + 2, j]
                r3, r4 = rows[k + 3, j], rows[k + 4, j]
                out[b, j] = out[b, j] + f0 * r0 + f1 * r1 + f2 * r2 + f3 * r3 + f4 * r4
        for k in range(p - p % 5, p):
            f0 = s[b, k]
            for j in range(n):
                out[b, j] += f0 * rows[k, j]


@loop
def set_backward(base, s, rows, out):
    """Write base + s B to *out*, as :func:`add_backward` does, but for a copy of *base*."""
    batch, n = out.shape
    p = rows.shape[0]
    paired = batch - batch % 2 if p >= 5 else 0
    for b in range(0, paired, 2):
        c = b + 1
        f0, f1, f2, f3, f4 = s[b, 0], s[b, 1], s[b, 2], s[b, 3], s[b, 4]
        g0, g1, g2, g3, g4 = s[c, 0], s[c, 1], s[c, 2], s[c, 3], s[c, 4]
        for j in range(n):
            r0, r1, r2, r3, r4 = rows[0, j], rows[1, j], rows[2, j], rows[3, j], rows[4, j]
            out[b, j] = base[b, j] + f0 * r0 + f1 * r1 + f2 * r2 + f3 * r3 + f4 * r4
            out[c, j] = base[c, j] + g0 * r0 + g1 * r1 + g2 * r2 + g3 * r3 + g4 * r4
        for k in range(5, p - 4, 5):
            f0, f1, f2, f3, f4 = s[b, k], s[b, k + 1], s[b, k + 2], s[b, k + 3], s[b, k + 4]
            g0, g1, g2, g3, g4 = s[c, k], s[c, k + 1], s[c, k + 2], s[c, k + 3], s[c, k + 4]
            for j in range(n):
                r0, r1, r2 = rows[k, j], rows[k + 1, j], rows[k + 2, j]
                r3, r4 = rows[k + 3, j], rows[k + 4, j]
                out[b, j] = out[b, j] + f0 * r0 + f1 * r1 + f2 * r2 + f3 * r3 + f4 * r4
                out[c, j] = out[c, j] + g0 * r0 + g1 * r1 + g2 * r2 + g3 * r3 + g4 * r4
        for k in range(p - p % 5, p):
            f0, g0 = s[b, k], s[c, k]
            for j in range(n):
                out[b, j] += f0 * rows[k, j]
                out[c, j] += g0 * rows[k, j]
    for b in range(paired, batch):
        for j in range(n):
            out[b, j] = base[b, j]
    if paired < batch:
        add_backward(s[paired:], rows, out[paired:])


@loop
def _add(what, into):
    for b in range(what.shape[0]):
        for j in range(what.shape[1]):
            into[b, j] += what[b, j]


@kernel
def add_columns(s, rows, out):
    """Add s W to *out*, *rows* being W^T, by whichever of our loops and BLAS is faster."""
    if s.shape[0] == 1 or rows.shape[0] < WIDE:
        add_forward(s, rows, out)
    else:
        _add(np.dot(s, rows.T), out)


@kernel
def add_rows(s, rows, out):
    """Add s B to *out* by whichever of our loops and BLAS is faster."""
    if s.shape[0] == 1 or rows.shape[0] < WIDE:
        add_backward(s, rows, out)
    else:
        _add(np.dot(s, rows), out)
