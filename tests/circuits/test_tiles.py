"""Vectors as values, panels and tiles: any shape gives the sums that NumPy gives."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.activation import ACTIVATIONS, activate
from ohmlearn.circuits.lit import add_lit_products, lit_drive
from ohmlearn.circuits.tiles import (
    FIVE,
    PANEL,
    add_five,
    collect,
    five,
    five_sums,
    from_panels,
    put_five,
    rho,
    sums_room,
    to_panels,
    width,
)
from ohmlearn.circuits.vectors import TOTALS, load, put, spread, totals
from ohmlearn.jit import kernel

both_precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])
ROUNDING = {np.float32: 2e-6, np.float64: 4e-15}


@kernel
def combine(a, b, out):
    """Write (a - b) * b[0] / 2 + a, its least and largest with b, to three rows."""
    size = out.size // 3
    x, y, two = load(a, 0, 2), load(b, 0, 2), a.dtype.type(2.0)
    put((x - y) * spread(b, 0, 2) / two + x, out, 0)
    put(min(x, y), out, size)
    put(max(x, y), out, 2 * size)


@kernel
def sums_of_rows(rows, step, out):
    a, b, c = load(rows, 0, 1), load(rows, step, 1), load(rows, 2 * step, 1)
    put(totals((a, b, c)), out, 0)


@kernel
def size_of_panel(like):
    return width(like)


@kernel
def through_panels(source, rows, first, out):
    w = width(source)
    panels = np.full((source.shape[1] + w - 1) // w * rows * w, source.dtype.type(7.0))
    to_panels(source, rows * w, panels[first * w :])
    from_panels(panels[first * w :], rows * w, out)
    return panels


@kernel
def rho_of_panel(code, a, out):
    put(rho(code, load(a, 0, PANEL), a.dtype.type(1.0)), out, 0)


@kernel
def multiply(base, s, rows, out):
    """Write base + s rows to *out*, in tiles; *base* and *out* (batch, n)."""
    batch, n = base.shape
    depth, w = rows.shape[0], width(base)
    count = (n + w - 1) // w
    p, r = np.empty(count * batch * w, base.dtype), np.empty(count * depth * w, base.dtype)
    to_panels(base, batch * w, p)
    to_panels(rows, depth * w, r)
    for q in range(count):
        for b in range(0, batch, FIVE):
            f, o = five(b, batch), q * batch
            at = (o + f[0]) * w, (o + f[1]) * w, (o + f[2]) * w, (o + f[3]) * w, (o + f[4]) * w
            k = f[0] * depth, f[1] * depth, f[2] * depth, f[3] * depth, f[4] * depth
            put_five(add_five(p, at, s.ravel(), k, r, q * depth * w, w, depth), p, at)
    from_panels(p, batch * w, out)


@kernel
def products(s, rows, bias, out):
    """Write bias + s rows^T to *out*, in tiles."""
    batch, n = s.shape
    p, w = rows.shape[0], width(s)
    count = (n + w - 1) // w
    a, r = np.empty(count * batch * w, s.dtype), np.empty(count * p * w, s.dtype)
    to_panels(s, batch * w, a)
    to_panels(rows, p * w, r)
    sums, end = np.empty(sums_room(batch, p), s.dtype), 0
    for b in range(0, batch, FIVE):
        f = five(b, batch)
        at = f[0] * w, f[1] * w, f[2] * w, f[3] * w, f[4] * w
        for k in range(0, p, 2):
            second = min(k + 1, p - 1) * w
            put(five_sums(a, at, batch * w, r, k * w, second, p * w, count), sums, end)
            end += TOTALS
    collect(sums, p, bias, out)


@both_precisions
def test_arithmetic_is_that_of_every_number(dtype):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 32)).astype(dtype)
    out = np.empty(96, dtype)
    combine(a, b, out)
    size = 32
    lanes = size_of_panel(a) * 2 // PANEL
    rows = out.reshape(3, size)[:, :lanes]
    a, b = a[:lanes], b[:lanes]
    fused = ROUNDING[dtype]
    np.testing.assert_allclose(rows[0], (a - b) * b[0] / 2 + a, 0, fused)
    np.testing.assert_array_equal(rows[1:], [np.minimum(a, b), np.maximum(a, b)])


@both_precisions
def test_a_number_that_is_none_stays_none(dtype):
    a, out = np.full(64, np.nan, dtype), np.zeros(64, dtype)
    for code in ACTIVATIONS.values():
        rho_of_panel(code, a, out)
        assert np.isnan(out[: size_of_panel(a)]).all()


@both_precisions
def test_totals_are_the_sums_in_order(dtype):
    lanes = size_of_panel(np.empty(0, dtype)) // PANEL
    rows = np.arange(48, dtype=dtype)
    out = np.zeros(TOTALS, dtype)
    sums_of_rows(rows, 16, out)
    expected = [rows[at : at + lanes].sum() for at in (0, 16, 32)]
    np.testing.assert_array_equal(out, expected + expected[-1:] * 13)


@both_precisions
@pytest.mark.parametrize("n", [1, 31, 32, 64, 70, 129])
def test_panels_keep_a_matrix_and_pad_with_zeros(n, dtype):
    source = 1 + np.arange(3 * n, dtype=dtype).reshape(3, n)
    out = np.zeros_like(source)
    panels = through_panels(source, 5, 1, out)
    np.testing.assert_array_equal(out, source)
    w = size_of_panel(source)
    own = panels.reshape(-1, 5, w)
    assert (own[:, [0, 4]] == 7).all()  # rows of others are left alone
    padding = own[-1, 1:4, n - (len(own) - 1) * w :]
    assert (padding == 0).all()


@both_precisions
@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_vectors_are_activated_as_arrays_are(name, dtype):
    w = size_of_panel(np.empty(0, dtype))
    a = np.random.default_rng(1).normal(0, 30, w).astype(dtype)
    found, expected = np.empty_like(a), np.empty_like(a)
    rho_of_panel(ACTIVATIONS[name], a, found)
    activate(ACTIVATIONS[name], a, expected)
    np.testing.assert_array_equal(found, expected)


@both_precisions
@pytest.mark.parametrize(
    ("batch", "depth", "n"), [(1, 1, 1), (5, 10, 64), (7, 3, 70), (12, 30, 37)]
)
def test_tiles_multiply_as_numpy_does(batch, depth, n, dtype):
    rng = np.random.default_rng(2)
    base, s, rows = (
        rng.normal(size=z).astype(dtype) for z in ((batch, n), (batch, depth), (depth, n))
    )
    out = np.empty_like(base)
    multiply(base, s, rows, out)
    np.testing.assert_allclose(out, base + s @ rows, 0, 30 * ROUNDING[dtype])

    bias, heard = rng.normal(size=depth + 2).astype(dtype), np.empty((batch, depth + 2), dtype)
    products(base, rows, bias, heard)
    expected = np.tile(bias, (batch, 1))
    expected[:, :depth] += base @ rows.T
    np.testing.assert_allclose(heard, expected, 0, 30 * ROUNDING[dtype])


@both_precisions
@pytest.mark.parametrize("n", [3, 64, 70, 300])
@pytest.mark.parametrize("batch", [1, 5, 13])
def test_dark_lines_make_no_difference(batch, n, dtype):
    rng = np.random.default_rng(3)
    x = (rng.random((batch, 41)) * (rng.random((batch, 41)) < 0.2)).astype(dtype)
    x[0] = 0
    weight, bias = rng.normal(size=(41, n)).astype(dtype), rng.normal(size=n).astype(dtype)
    drive, change = np.empty((batch, n), dtype), rng.normal(size=(batch, n)).astype(dtype)
    lit_drive(x, weight, bias, drive)
    np.testing.assert_allclose(drive, x @ weight + bias, 0, 10 * ROUNDING[dtype])

    moved = weight.copy()
    add_lit_products(dtype(0.3), x, change, moved)
    np.testing.assert_allclose(moved, weight + 0.3 * x.T @ change, 0, 10 * ROUNDING[dtype])
    dark = ~x.any(axis=0)
    assert dark.any()
    np.testing.assert_array_equal(moved[dark], weight[dark])


def test_a_sample_does_not_hear_of_the_others():
    """Its drive is the same bits alone, among five and in a tile with others' lit lines."""
    rng = np.random.default_rng(4)
    x = (rng.random((12, 90)) * (rng.random((12, 90)) < 0.3)).astype(np.float32)
    weight = rng.normal(size=(90, 128)).astype(np.float32)
    bias, drive = np.zeros(128, np.float32), np.empty((12, 128), np.float32)
    lit_drive(x, weight, bias, drive)
    for rows in (slice(3, 8), slice(7, 12)):
        own = np.empty((5, 128), np.float32)
        lit_drive(x[rows].copy(), weight, bias, own)
        np.testing.assert_array_equal(own, drive[rows])
