"""The quick free phase of one hidden layer is that of all its steps: settled, slow or divided."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.dynamics import free_phase
from ohmlearn.circuits.hopfield import HopfieldNetwork

# A plain float32 loop of the strongest of these networks is off by 8e-7 itself.
ROUNDING = {np.float32: 2e-6, np.float64: 1e-14}


def rho(a):
    return 1.0 / (1.0 + np.exp(-4.0 * (a - 0.5)))


def plain(back, forward, bias, drive, steps):
    """Return hidden and output states after every one of *steps*, in float64."""
    hidden, output = np.zeros_like(drive), np.zeros((len(drive), len(bias)))
    for _ in range(steps):
        hidden, output = rho(drive + output @ back), rho(bias + hidden @ forward)
    return np.concatenate([hidden.ravel(), output.ravel()])


def network_with(back, forward, bias):
    """Return a network and its parameters, the input layer being of one line and no matter."""
    p, n = back.shape
    symmetric = np.array_equal(back, forward.T)
    network = HopfieldNetwork.build((1, n, p), symmetric=symmetric)
    theta = network.initial_parameters(np.random.default_rng(0), dtype=np.float64)
    network.layout.weight(theta, 2)[...] = forward
    if not symmetric:
        network.layout.backward(theta, 2)[...] = back.T
    network.layout.bias(theta, 2)[...] = bias
    return network, theta


def settle(network, theta, drive, steps, dtype):
    state = np.full(len(drive) * network.layout.units, np.nan, dtype)
    scratch = np.empty((5, state.size), dtype)
    values = np.array(theta, dtype), network.layout, network.dynamics
    free_phase(steps, *values, drive.astype(dtype), state, scratch)
    return state


def random_network(scale, n=37, p=10, batch=43, symmetric=True):
    """Return parameters and drives that float32 holds exactly."""
    rng = np.random.default_rng(5)
    forward = rng.normal(0, scale / np.sqrt(n), (n, p))
    back = forward.T if symmetric else rng.normal(0, scale / np.sqrt(n), (p, n))
    arrays = back, forward, rng.normal(0.2, 0.1, p), rng.normal(0.4, 0.3, (batch, n))
    return [a.astype(np.float32).astype(np.float64) for a in arrays]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("steps", [0, 1, 2, 3, 6, 7, 12, 13, 40, 41, 400, 401])
@pytest.mark.parametrize(("scale", "symmetric"), [(0.5, True), (1.2, True), (1.2, False)])
def test_the_state_is_that_after_every_step(scale, symmetric, steps, dtype):
    """Weights as they start and stronger; before, while and after the samples settle."""
    back, forward, bias, drive = random_network(scale, symmetric=symmetric)
    network, theta = network_with(back, forward, bias)
    found = settle(network, theta, drive, steps, dtype)
    expected = plain(back, forward, bias, drive, steps)
    np.testing.assert_allclose(found, expected, 0, ROUNDING[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("steps", [40, 41])
def test_trajectories_that_end_in_two_states_are_told_apart(steps, dtype):
    """Strong weights: from rest one trajectory may end elsewhere than that one step later."""
    forward = np.array([[0.25, -2.0], [-1.5, -4.5], [1.25, -4.25], [-6.0, -3.0]])
    bias, drive = np.array([1.0, 1.25]), np.random.default_rng(6).normal(0.2, 0.6, (200, 4))
    drive = drive.astype(np.float32).astype(np.float64)
    network, theta = network_with(forward.T, forward, bias)
    found = settle(network, theta, drive, steps, dtype)
    now, then = (plain(forward.T, forward, bias, drive, n) for n in (steps, steps + 1))
    apart = np.abs(now - then)[-400:].reshape(200, 2).max(axis=1) > 0.3
    assert 20 < apart.sum() < 190
    close = np.abs(found - now) < (1e-6 if dtype == np.float32 else 1e-11)
    assert close.mean() > 0.98  # a sample that has not decided yet multiplies rounding
    if dtype == np.float64:
        np.testing.assert_allclose(found, now, 0, 1e-9)


def test_a_sample_that_seems_to_settle_and_then_leaves_is_followed_through():
    """A saddle: the common mode settles quickly, the difference grows from almost nothing."""
    forward = np.array([[1.0, -0.75], [-0.75, 1.0]])
    back, start = forward.T.copy(), 0.375
    bias, drive = np.full(2, start), np.full((1, 2), start) + np.array([[3e-9, 0.0]])
    network, theta = network_with(back, forward, bias)
    found = settle(network, theta, drive, 120, np.float64)
    expected = plain(back, forward, bias, drive, 120)
    assert expected[-2] - expected[-1] > 0.3
    np.testing.assert_allclose(found, expected, 0, 1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sample_does_not_hear_of_the_others_to_the_bit(dtype):
    back, forward, bias, drive = random_network(1.5)
    network, theta = network_with(back, forward, bias)
    whole = network.layout.split(settle(network, theta, drive, 40, dtype), len(drive))
    for b in range(len(drive)):
        alone = network.layout.split(settle(network, theta, drive[b : b + 1], 40, dtype), 1)
        for rows, own in zip(whole, alone, strict=True):
            np.testing.assert_array_equal(rows[b], own[0])
