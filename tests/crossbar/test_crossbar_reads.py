"""Reads obey Kirchhoff's current law, reciprocity and passivity; read noise has its statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar.array import ENCODINGS, Crossbar
from ohmlearn.devices import Effects, get_device, merge
from ohmlearn.errors import ConfigError, DeviceError

SOFT = get_device("SoftBounds")
ROWS, COLUMNS = 7, 5
SPREAD = {"device_to_device": {"step": 0.2, "g_max": 0.1, "g_min": 0.1}, "stuck": 0.05}
every_encoding = pytest.mark.parametrize("encoding", list(ENCODINGS))


def build(encoding: str = "pair", seed: int = 3, **effects: Any) -> Crossbar:
    """Return an array at random weights."""
    xbar = Crossbar.build(
        ROWS, COLUMNS, SOFT, SOFT.params(), merge(Effects(), effects), encoding=encoding, seed=seed
    )
    xbar.set_weights(np.random.default_rng(7).uniform(-0.4, 0.4, xbar.shape))
    return xbar


def sum_over_cells(xbar: Crossbar, v: np.ndarray) -> np.ndarray:
    """Return the bit-line currents cell by cell, with Ohm and Kirchhoff and nothing else."""
    g, current = xbar.conductance, np.zeros(xbar.columns)
    for i in range(xbar.rows):
        for j in range(xbar.columns):
            minus = g[i, j, 1] if xbar.arms == 2 else xbar.reference[i]
            current[j] += g[i, j, 0] * v[i] - minus * v[i]
    return current


@every_encoding
def test_a_read_is_the_sum_over_cells(encoding):
    xbar, v = build(encoding, **SPREAD), np.random.default_rng(0).normal(0, 0.2, (4, ROWS))
    expected = np.array([sum_over_cells(xbar, row) for row in v])
    np.testing.assert_allclose(xbar.read(v), expected, rtol=1e-12, atol=1e-18)
    np.testing.assert_allclose(xbar.read(v[0]), expected[0], rtol=1e-12, atol=1e-18)


@every_encoding
def test_both_directions_and_all_spellings_agree(encoding):
    xbar, rng = build(encoding, **SPREAD), np.random.default_rng(1)
    v, u = rng.normal(size=(4, ROWS)), rng.normal(size=(4, COLUMNS))
    signed = xbar.weights * xbar.unit
    assert xbar.shape == signed.shape == xbar.T.shape[::-1] == xbar.T.T.shape
    forward, backward = v @ signed, u @ signed.T
    for read in (xbar.read(v), v @ xbar, (xbar.T @ v.T).T):
        np.testing.assert_allclose(read, forward, rtol=1e-12, atol=1e-18)
    for read in (xbar.read_back(u), (xbar @ u.T).T, u @ xbar.T):
        np.testing.assert_allclose(read, backward, rtol=1e-12, atol=1e-18)
    for read, expected in (
        (v[0] @ xbar, forward[0]),
        (xbar.T @ v[0], forward[0]),
        (xbar @ u[0], backward[0]),
        (u[0] @ xbar.T, backward[0]),
    ):
        assert read.shape == expected.shape
        np.testing.assert_allclose(read, expected, rtol=1e-12, atol=1e-18)


@every_encoding
def test_reciprocity(encoding):
    """One array read in both directions: u . I(v) = v . I(u)."""
    xbar, rng = build(encoding, **SPREAD), np.random.default_rng(2)
    v, u = rng.normal(size=ROWS), rng.normal(size=COLUMNS)
    assert u @ xbar.read(v) == pytest.approx(v @ xbar.read_back(u), rel=1e-12)


def test_cells_are_passive():
    """No cell gives power, whatever its spread, noise and faults."""
    xbar = build(device_to_device={"g_min": 1.0, "g_max": 1.0}, write_noise=30.0, stuck=0.1)
    xbar.program(np.random.default_rng(0).integers(-200, 200, xbar.shape))
    assert xbar.conductance.min() >= 0.0
    v = np.random.default_rng(3).normal(size=ROWS)
    power = np.einsum("i,ija,i->", v, xbar.conductance, v)
    assert power > 0.0


def test_weight_one_means_one_unit_of_conductance():
    """s = v / V_ref and w = (g+ - g-) / g_L: a drive is a current over g_L V_ref."""
    xbar, v_ref = build("pair"), 0.2
    s = np.random.default_rng(4).random(ROWS)
    np.testing.assert_allclose(
        xbar.read(v_ref * s) / (xbar.unit * v_ref), s @ xbar.weights, rtol=1e-12
    )


@every_encoding
def test_read_noise_per_line_is_that_of_independent_cells(encoding):
    xbar, sigma, repeats = build(encoding, read_noise=0.05), 0.05, 40_000
    v = np.random.default_rng(5).normal(0, 0.2, ROWS)
    lines = xbar.read(np.tile(v, (repeats, 1)))
    rng = np.random.default_rng(6)
    cells = np.zeros((repeats, COLUMNS))
    for i in range(ROWS):
        parts = [xbar.conductance[i, :, 0]]
        if encoding == "pair":
            parts.append(-xbar.conductance[i, :, 1])
        elif encoding == "offset":
            parts.append(-np.full(COLUMNS, xbar.reference[i]))
        else:
            cells -= v[i] * xbar.reference[i]
        for g in parts:
            cells += v[i] * g * (1 + sigma * rng.standard_normal((repeats, COLUMNS)))
    deviation = cells.std(axis=0)
    exact = v @ xbar.weights * xbar.unit
    for sample in (lines, cells):
        assert np.abs(sample.mean(axis=0) - exact).max() < 5 * deviation.max() / repeats**0.5
    np.testing.assert_allclose(lines.std(axis=0), deviation, rtol=5 / repeats**0.5)
    kurtosis = ((lines - exact) ** 4).mean(axis=0) / ((lines - exact) ** 2).mean(axis=0) ** 2
    np.testing.assert_allclose(kurtosis, 3.0, atol=0.25)
    assert np.abs(np.corrcoef(lines.T) - np.eye(COLUMNS)).max() < 5 / repeats**0.5


def test_read_noise_of_the_backward_read():
    xbar, repeats = build("pair", read_noise=0.05), 40_000
    u = np.random.default_rng(5).normal(0, 0.2, COLUMNS)
    lines = xbar.read_back(np.tile(u, (repeats, 1)))
    expected = 0.05 * np.sqrt((xbar.conductance**2).sum(axis=2) @ u**2)
    np.testing.assert_allclose(lines.std(axis=0), expected, rtol=5 / repeats**0.5)


def test_reads_repeat_with_the_seed_and_never_within_a_run():
    v = np.ones(ROWS)
    first, second = build(read_noise=0.05), build(read_noise=0.05)
    one, two = first.read(v), first.read(v)
    assert not np.any(one == two)
    np.testing.assert_array_equal(one, second.read(v))
    np.testing.assert_array_equal(two, second.read(v))
    assert not np.any(one == build(read_noise=0.05, seed=4).read(v))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rows": 0}, "0 x 5 weights; allowed"),
        ({"columns": -1}, "allowed: numbers 0 to 127, at least 1 x 1"),
        ({"array_id": 128}, "crossbar number 128"),
        ({"encoding": "pairs"}, "did you mean 'pair'"),
        ({"weight_range": 0.0}, "weight_range is 0.0"),
        ({"weight_range": float("nan")}, "finite numbers above 0"),
        ({"v_read": -0.1}, r"v_read -0\.1 V"),
    ],
)
def test_what_cannot_be_built_is_refused(change, sentence):
    options = {"rows": ROWS, "columns": COLUMNS, "device": SOFT, "params": SOFT.params()}
    with pytest.raises(ConfigError, match=sentence):
        Crossbar.build(**{**options, **change})


def test_effects_that_do_not_fit_the_device_are_refused():
    with pytest.raises(DeviceError, match="unknown spread 'dg_upp'; did you mean 'dg_up'"):
        build(device_to_device={"dg_upp": 0.1})


@pytest.mark.parametrize("shape", [(), (ROWS + 1,), (2, COLUMNS), (1, 2, ROWS)])
def test_voltages_of_another_shape_are_refused(shape):
    with pytest.raises(ConfigError, match=r"voltages of shape .* for 7 lines"):
        build().read(np.zeros(shape))
