"""Products with a batch of inputs most of which are zero, as Numba kernels in tiles.

A dark word line draws no current. Five samples share the loads of the word lines that any of them
lights: the second cache, where the weights lie, delivers a line in two cycles, and one sample
alone would wait for it.
"""

from __future__ import annotations

import numpy as np

from ..jit import kernel, loop
from .products import input_rows
from .tiles import FIVE, five
from .vectors import REGISTER, load, put, spread

__all__ = ["add_lit_products", "lit_drive"]

_WIDE = 4  # registers of a tile of the drive
_LONG = 16  # registers of a tile of the weights' change


@loop
def _mark(x, lit):
    """Write to *lit* whether each column of *x* has a number other than zero."""
    for i in range(lit.size):
        lit[i] = 0
    for b in range(x.shape[0]):
        for i in range(lit.size):
            lit[i] |= np.uint8(x[b, i] != 0)


@loop
def _list(lit, lines):
    """Write the numbers of the marked columns to *lines*; return how many they are."""
    count = np.uint64(0)
    for i in range(lit.size):  # no branch to mispredict
        lines[count] = i
        count += lit[i]
    return np.int64(count)


@loop
def _gather(x, f, lines, count, step, out, places):
    """Write the inputs of five samples side by side, and the places of the lit lines' weights."""
    x0, x1, x2, x3, x4 = x[f[0]], x[f[1]], x[f[2]], x[f[3]], x[f[4]]
    for k in range(count):
        i = np.uint64(lines[k])
        out[k, 0], out[k, 1], out[k, 2], out[k, 3], out[k, 4] = x0[i], x1[i], x2[i], x3[i], x4[i]
        places[k] = i * step


@kernel
def _drive_five(x, places, count, weight, bias, at, out, f):
    """Write columns *at* and on of rows *f* of *out*."""
    n = out.shape[1]
    rows, drive, s = weight.ravel(), out.ravel(), x.ravel()
    a0 = load(bias, at, _WIDE)
    a1 = a2 = a3 = a4 = a0
    for k in range(count):
        r = load(rows, places[np.uint64(k)] + at, _WIDE)
        a0 = a0 + spread(s, 5 * k, _WIDE) * r
        a1 = a1 + spread(s, 5 * k + 1, _WIDE) * r
        a2 = a2 + spread(s, 5 * k + 2, _WIDE) * r
        a3 = a3 + spread(s, 5 * k + 3, _WIDE) * r
        a4 = a4 + spread(s, 5 * k + 4, _WIDE) * r
    put(a0, drive, f[0] * n + at)
    put(a1, drive, f[1] * n + at)
    put(a2, drive, f[2] * n + at)
    put(a3, drive, f[3] * n + at)
    put(a4, drive, f[4] * n + at)


@kernel
def lit_drive(x, weight, bias, drive):
    """Write x W + b to *drive*."""
    batch, m = x.shape
    n, columns = drive.shape[1], _WIDE * REGISTER // x.itemsize
    if batch < FIVE or n < columns:
        input_rows(x, weight, bias, np.empty(m, np.uint32), drive)
        return
    lit, lines = np.empty(m, np.uint8), np.empty(m + 1, np.uint32)
    gathered, places = np.empty((m, FIVE), x.dtype), np.empty(m, np.int64)
    for b in range(0, batch, FIVE):
        _mark(x[b : b + FIVE], lit)
        count, f = _list(lit, lines), five(b, batch)
        _gather(x, f, lines, count, n, gathered, places)
        for at in range(0, n, columns):  # the last tile overlaps where the width is odd
            _drive_five(gathered, places, count, weight, bias, min(at, n - columns), drive, f)


@loop
def _lit_samples(x, i, scale, step, places, factors):
    """List the samples that light line *i*: their places in steps of *step*, and their inputs."""
    count = np.uint64(0)
    for b in range(x.shape[0]):
        places[count], factors[count] = b * step, scale * x[b, i]
        count += np.uint64(x[b, i] != 0)
    return np.int64(count)


@kernel
def add_lit_products(scale, x, change, weight):
    """Add scale x^T change to *weight*, word line by word line."""
    batch, n = change.shape
    m = x.shape[1]
    lit, lines = np.empty(m, np.uint8), np.empty(m + 1, np.uint32)
    places, factors = np.empty(batch + 1, np.int64), np.empty(batch + 1, x.dtype)
    rows, s = weight.ravel(), change.ravel()
    short = REGISTER // x.itemsize
    long = _LONG * short
    _mark(x, lit)
    for k in range(_list(lit, lines)):
        i = np.int64(lines[k])
        count = _lit_samples(x, i, scale, n, places, factors)
        for at in range(0, n - long + 1, long):
            a = load(rows, i * n + at, _LONG)
            for c in range(count):
                a = a + spread(factors, c, _LONG) * load(s, places[np.uint64(c)] + at, _LONG)
            put(a, rows, i * n + at)
        for at in range(n - n % long, n - short + 1, short):
            a = load(rows, i * n + at, 1)
            for c in range(count):
                a = a + spread(factors, c, 1) * load(s, places[np.uint64(c)] + at, 1)
            put(a, rows, i * n + at)
        for c in range(count):
            for j in range(n - n % short, n):
                weight[i, j] += factors[c] * s[places[c] + j]
