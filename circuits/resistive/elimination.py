"""Elimination layer by layer: linear systems with the network's block-tridiagonal matrix.

The matrix has a diagonal block per layer, and beside it -A g^T to the layer before and -B g to
the layer after. Eliminating from the input on leaves the Schur complement

    S_l = D_l - A B g_l^T S_{l-1}^-1 g_l,        S_1 = D_1,

which is symmetric whatever the amplifiers, A and B being numbers. Each is factored by Cholesky;
layer 1 stays diagonal, so one hidden layer costs no more than a dense system of the outputs. A
negative pivot means that the co-content has no minimum there. An infinite diagonal entry holds a
node where it is.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...jit import inner, kernel

__all__ = ["Factors", "add_coupling", "eliminate", "make_factors", "solve"]

_WIDE = 48  # outputs from which BLAS forms a Schur complement faster than our loop


class Factors(NamedTuple):
    """Work space and result of :func:`eliminate`.

    Attributes
    ----------
    pivots : (nodes,)
        Reciprocal roots of the pivots.
    lower : flat
        Cholesky factors L_l of layers 2 to N, (n_l, n_l) each; the diagonal is in *pivots*.
    scaled : flat
        L_{l-1}^-1 g_l of layers 2 to N, stored as the conductances are.
    """

    pivots: NDArray
    lower: NDArray
    scaled: NDArray


def make_factors(flat) -> Factors:
    """Return work space for the network *flat*."""
    return Factors(
        np.empty(len(flat.conductance)), np.empty(int(flat.lower_at[-1])), np.empty(len(flat.rows))
    )


@kernel
def _matrix(values, at, rows, columns):
    return values[at : at + rows * columns].reshape(rows, columns)


@inner
def _forward(lower, pivots, r):
    """Replace r by L^-1 r."""
    for i in range(r.size):
        total = r[i]
        for j in range(i):
            total -= lower[i, j] * r[j]
        r[i] = total * pivots[i]


@inner
def _backward(lower, pivots, r):
    """Replace r by L^-T r."""
    for i in range(r.size - 1, -1, -1):
        r[i] *= pivots[i]
        for j in range(i):
            r[j] -= lower[i, j] * r[i]


@inner
def _scale(g, pivots, scaled):
    for k in range(g.shape[0]):
        for j in range(g.shape[1]):
            scaled[k, j] = g[k, j] * pivots[j]


@inner
def _gram(scaled, factor, s):
    """Write -factor Y Y^T to the lower half of *s*."""
    for k in range(s.shape[0]):
        for i in range(k + 1):
            total = 0.0
            for j in range(scaled.shape[1]):
                total += scaled[k, j] * scaled[i, j]
            s[k, i] = -factor * total


@inner
def _cholesky(s, pivots):
    """Factor the lower half of *s* in place; return whether it is positive definite."""
    for i in range(s.shape[0]):
        for j in range(i):
            total = s[i, j]
            for k in range(j):
                total -= s[i, k] * s[j, k]
            s[i, j] = total * pivots[j]
        pivot = s[i, i]
        for k in range(i):
            pivot -= s[i, k] * s[i, k]
        if not pivot > 0.0:
            return False
        pivots[i] = 1.0 / math.sqrt(pivot)
    return True


@kernel
def eliminate(flat, diagonal, factors):
    """Factor the matrix with the given *diagonal* (nodes,) [S].

    Returns
    -------
    int
        0, or the layer in which a pivot is not positive.
    """
    at, sizes = flat.at, flat.sizes
    for i in range(sizes[1]):
        if not diagonal[i] > 0.0:
            return 1
        factors.pivots[i] = 1.0 / math.sqrt(diagonal[i])
    for layer in range(2, sizes.size):
        m, n = sizes[layer - 1], sizes[layer]
        g = _matrix(flat.rows, flat.rows_at[layer], n, m)
        scaled = _matrix(factors.scaled, flat.rows_at[layer], n, m)
        before = factors.pivots[at[layer - 1] : at[layer]]
        if layer == 2:
            _scale(g, before, scaled)
        else:
            lower = _matrix(factors.lower, flat.lower_at[layer - 1], m, m)
            for k in range(n):
                scaled[k] = g[k]
                _forward(lower, before, scaled[k])
        s = _matrix(factors.lower, flat.lower_at[layer], n, n)
        factor = flat.gain[layer] * flat.back_gain[layer]
        if n < _WIDE:
            _gram(scaled, factor, s)
        else:
            s[:] = -factor * np.dot(scaled, scaled.T)
        for i in range(n):
            s[i, i] += diagonal[at[layer] + i]
        if not _cholesky(s, factors.pivots[at[layer] : at[layer + 1]]):
            return layer
    return 0


@inner
def _add_rows(rows, v, factor, out):
    """Add factor v rows to *out*."""
    for k in range(rows.shape[0]):
        amount = factor * v[k]
        for j in range(rows.shape[1]):
            out[j] += amount * rows[k, j]


@inner
def _add_sums(rows, v, factor, out):
    """Add factor rows v to *out*."""
    for k in range(rows.shape[0]):
        total = 0.0
        for j in range(rows.shape[1]):
            total += rows[k, j] * v[j]
        out[k] += factor * total


@kernel
def solve(flat, factors, r):
    """Replace the right-hand side *r* (nodes,) by the solution."""
    at, sizes = flat.at, flat.sizes
    last = sizes.size - 1
    for i in range(sizes[1]):
        r[i] *= factors.pivots[i]
    for layer in range(2, last + 1):
        m, n = sizes[layer - 1], sizes[layer]
        own = r[at[layer] : at[layer + 1]]
        scaled = _matrix(factors.scaled, flat.rows_at[layer], n, m)
        _add_sums(scaled, r[at[layer - 1] : at[layer]], flat.gain[layer], own)
        lower = _matrix(factors.lower, flat.lower_at[layer], n, n)
        _forward(lower, factors.pivots[at[layer] : at[layer + 1]], own)
    for layer in range(last, 1, -1):
        m, n = sizes[layer - 1], sizes[layer]
        own = r[at[layer] : at[layer + 1]]
        lower = _matrix(factors.lower, flat.lower_at[layer], n, n)
        _backward(lower, factors.pivots[at[layer] : at[layer + 1]], own)
        scaled = _matrix(factors.scaled, flat.rows_at[layer], n, m)
        _add_rows(scaled, own, flat.back_gain[layer], r[at[layer - 1] : at[layer]])
    for i in range(sizes[1]):
        r[i] *= factors.pivots[i]


@kernel
def add_coupling(flat, v, out):
    """Add the currents [A] that each node receives from its neighbours at *v* to *out*."""
    at, sizes = flat.at, flat.sizes
    for layer in range(2, sizes.size):
        before, own = slice(at[layer - 1], at[layer]), slice(at[layer], at[layer + 1])
        rows = _matrix(flat.rows, flat.rows_at[layer], sizes[layer], sizes[layer - 1])
        _add_sums(rows, v[before], flat.gain[layer], out[own])
        _add_rows(rows, v[own], flat.back_gain[layer], out[before])
