"""Activations: values, slopes, and the vectorised exponential against libm."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.activation import (
    ACTIVATIONS,
    activate,
    activation_code,
    curvature,
    slope,
    slope_at,
)
from ohmlearn.circuits.vector_math import exponential
from ohmlearn.errors import ConfigError
from ohmlearn.jit import kernel, loop

PLAIN = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-4 * (x - 0.5))),
    "tanh": np.tanh,
    "hard-sigmoid": lambda x: np.clip(x, 0, 1),
    "half-hard-sigmoid": lambda x: np.clip(x / 2, 0, 1),
}
every_activation = pytest.mark.parametrize("name", list(ACTIVATIONS))
both_precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def rho(name, x):
    out = np.empty_like(x)
    activate(activation_code(name), x, out)
    return out


def rho_prime(name, x):
    out = np.empty_like(x)
    slope(activation_code(name), x, rho(name, x), out)
    return out


@loop
def vector_exponential(x, out):
    for i in range(x.size):
        out[i] = exponential(x[i])


@kernel
def scalar_exponential(x):
    return exponential(x)


@pytest.mark.parametrize(
    ("dtype", "limit", "tolerance"), [(np.float32, 86.0, 3e-7), (np.float64, 707.0, 4e-16)]
)
def test_exponential_follows_libm(dtype, limit, tolerance):
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [rng.uniform(-limit, limit, 200_000), rng.uniform(-1, 1, 50_000), [0.0]]
    ).astype(dtype)
    out = np.empty_like(x)
    vector_exponential(x, out)
    exact = np.exp(x.astype(np.longdouble))
    error = np.abs(out / exact - 1)
    assert error.max() < tolerance
    assert out[-1] == 1.0
    assert scalar_exponential(x[3]) == pytest.approx(out[3], rel=tolerance)


@both_precisions
def test_exponential_is_finite_and_in_order_beyond_its_range(dtype):
    ends = np.array([-np.inf, -1e30, -1e4, 1e4, 1e30, np.inf], dtype)
    out = np.empty_like(ends)
    vector_exponential(ends, out)
    assert np.all(np.isfinite(out))
    assert np.all(out > 0)
    assert out[0] == out[2] < 1e-37
    assert out[3] == out[5] > 1e37


@every_activation
@both_precisions
def test_values_equal_the_formula(name, dtype):
    x = np.linspace(-9, 9, 3001).astype(dtype)
    tolerance = 4 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(rho(name, x), PLAIN[name](x.astype(float)), 0, tolerance)
    assert rho(name, x).dtype == dtype


@every_activation
def test_slopes_equal_finite_differences(name):
    x = np.linspace(-3, 3, 1001) + 1e-4  # off the kinks
    h = 1e-6
    numerical = (rho(name, x + h) - rho(name, x - h)) / (2 * h)
    np.testing.assert_allclose(rho_prime(name, x), numerical, atol=2e-9)
    np.testing.assert_allclose(slope_at(activation_code(name), rho(name, x)), numerical, atol=2e-9)
    bend = (rho_prime(name, x + h) - rho_prime(name, x - h)) / (2 * h)
    np.testing.assert_allclose(curvature(activation_code(name), rho(name, x)), bend, atol=2e-8)


@every_activation
def test_single_precision_slopes_follow_double(name):
    x = np.linspace(-3, 3, 1001)
    single = rho_prime(name, x.astype(np.float32))
    assert single.dtype == np.float32
    off = np.abs(x - np.round(x)) > 1e-3  # the hard forms jump at their kinks
    np.testing.assert_allclose(single[off], rho_prime(name, x)[off], atol=3e-6)


@pytest.mark.parametrize(
    ("name", "ends", "gain"),
    [("hard-sigmoid", (0.0, 1.0), 1.0), ("half-hard-sigmoid", (0.0, 2.0), 0.5)],
)
def test_a_state_on_a_rail_keeps_its_slope(name, ends, gain):
    """Otherwise it could never leave the rail."""
    np.testing.assert_array_equal(rho_prime(name, np.array(ends)), gain)
    outside = np.array([ends[0] - 1e-9, ends[1] + 1e-9])
    np.testing.assert_array_equal(rho_prime(name, outside), 0.0)


@every_activation
@both_precisions
def test_huge_inputs_saturate(name, dtype):
    huge = np.array([-np.inf, -1e30, -1e5, 1e5, 1e30, np.inf], dtype)
    low = -1.0 if name == "tanh" else 0.0
    np.testing.assert_allclose(rho(name, huge), [low] * 3 + [1.0] * 3, atol=1e-30)
    np.testing.assert_allclose(rho_prime(name, huge), 0.0, atol=1e-30)


def test_an_unknown_activation_is_refused():
    with pytest.raises(ConfigError, match="unknown activation 'sigmod'; did you mean 'sigmoid'"):
        activation_code("sigmod")
