"""Backpropagation through time against central differences of a plain forward pass."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.hopfield import HopfieldNetwork
from ohmlearn.training.bptt import Trajectory, backpropagate, free_trajectory

RHO = {
    "sigmoid": lambda v: 1 / (1 + np.exp(-4 * (v - 0.5))),
    "tanh": np.tanh,
    "hard-sigmoid": lambda v: np.clip(v, 0, 1),
    "half-hard-sigmoid": lambda v: np.clip(v / 2, 0, 1),
}
RHO_PRIME = {
    "sigmoid": lambda v: 4 * RHO["sigmoid"](v) * (1 - RHO["sigmoid"](v)),
    "tanh": lambda v: 1 - np.tanh(v) ** 2,
    "hard-sigmoid": lambda v: 1.0 * ((v > 0) & (v < 1)),
    "half-hard-sigmoid": lambda v: 0.5 * ((v > 0) & (v < 2)),
}


def plain_step(network, names, x, state, theta):
    """Return the state after one free step, written down from the equations."""
    dynamics, activation = names
    layout, moves, batch = network.layout, network.dynamics, len(x)
    rho, rho_prime = RHO[activation], RHO_PRIME[activation]
    s = [x, *layout.split(state, batch)]
    n = layout.depth
    sent = s if dynamics == "prototypical" else [x] + [rho(v) for v in s[1:]]
    following = []
    for k in range(1, n + 1):
        a = sent[k - 1] @ layout.weight(theta, k) + layout.bias(theta, k)
        if k < n:
            a = a + sent[k + 1] @ layout.backward(theta, k + 1).T
        if dynamics == "prototypical":
            following.append(rho(a))
            continue
        if k < n or moves.output_slope:
            a = a * rho_prime(s[k])
        v = s[k] + moves.time_step * (a - s[k])
        following.append(np.clip(v, 0, 1) if moves.clamp else v)
    return np.concatenate([v.ravel() for v in following])


def plain_loss(network, names, x, y, state, thetas):
    """Run one step per row of *thetas* from *state* and return the loss."""
    for theta in thetas:
        state = plain_step(network, names, x, state, theta)
    return 0.5 * np.sum((network.layout.split(state, len(x))[-1] - y) ** 2) / len(x)


def case(sizes, dynamics, activation, **options):
    rng = np.random.default_rng(5)
    dt = 0.3 if dynamics == "energy-based" else 1.0
    network = HopfieldNetwork.build(sizes, dynamics, activation, time_step=dt, **options)
    theta = network.initial_parameters(rng, angle=60.0)
    x = rng.random((2, sizes[0]))
    y = np.eye(sizes[-1])[rng.integers(0, sizes[-1], 2)]
    return network, theta, x, y


def assert_gradients_are_differences(network, names, theta, x, y, path):
    kept = len(path.states) - 1
    nabla = backpropagate(network, theta, x, y, path)
    assert nabla.state.shape == (kept, path.states.shape[1])
    width = 1e-5
    for t in range(kept):
        for analytic, start, steps, vector in (
            (nabla.theta[t], path.states[kept - 1 - t], t + 1, theta),
            (nabla.state[t], path.states[kept - t], t, path.states[kept - t]),
        ):
            thetas = np.tile(theta, (steps, 1))
            state = start.copy()
            moving = thetas[0] if vector is theta else state
            numeric = np.empty_like(analytic)
            for i in range(moving.size):
                value = moving[i]
                ends = []
                for shift in (width, -width):
                    moving[i] = value + shift
                    ends.append(plain_loss(network, names, x, y, state, thetas))
                moving[i] = value
                numeric[i] = (ends[0] - ends[1]) / (2 * width)
            scale = np.abs(numeric).max()
            np.testing.assert_allclose(analytic, numeric, 1e-6, 1e-6 * scale)
    assert np.abs(nabla.theta).max() > 1e-3


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("sizes", [[3, 2], [4, 5, 3], [3, 4, 4, 2]])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@pytest.mark.parametrize("dynamics", ["prototypical", "energy-based"])
def test_every_gradient_untied_in_time_is_a_finite_difference(
    dynamics, activation, sizes, symmetric
):
    network, theta, x, y = case(sizes, dynamics, activation, symmetric=symmetric)
    # A phase that has not settled: the states differ, so a wrong time index shows.
    path = free_trajectory(network, theta, x, 7, 4)
    assert_gradients_are_differences(network, (dynamics, activation), theta, x, y, path)


@pytest.mark.parametrize("activation", ["hard-sigmoid", "half-hard-sigmoid"])
@pytest.mark.parametrize("dynamics", ["prototypical", "energy-based"])
def test_hard_activations(dynamics, activation):
    network, theta, x, y = case([4, 6, 3], dynamics, activation)
    # Away from the kinks, where no derivative exists.
    states = [np.random.default_rng(1).uniform(0.1, 0.9, 2 * network.layout.units)]
    for _ in range(4):
        states.append(plain_step(network, (dynamics, activation), x, states[-1], theta))
    drive = x @ network.layout.weight(theta, 1) + network.layout.bias(theta, 1)
    path = Trajectory(np.array(states), drive)
    assert_gradients_are_differences(network, (dynamics, activation), theta, x, y, path)


@pytest.mark.parametrize("output_slope", [True, False])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_clamp_and_missing_output_slope(activation, output_slope):
    options = {"clamp": True, "output_slope": output_slope}
    network, theta, x, y = case([4, 6, 3], "energy-based", activation, **options)
    path = free_trajectory(network, theta, x, 9, 4)
    if activation == "tanh":  # the clamp must be at work on some units and not on others
        assert 0 < np.mean(path.states[-1] == 0) < 1
    names = ("energy-based", activation)
    # A state at the clamp has one-sided derivatives only; gradients of theta see it in the middle.
    nabla = backpropagate(network, theta, x, y, path)
    for t in range(4):
        thetas = np.tile(theta, (t + 1, 1))
        numeric = np.empty_like(theta)
        for i in range(theta.size):
            ends = []
            for shift in (1e-5, -1e-5):
                thetas[0, i] = theta[i] + shift
                ends.append(plain_loss(network, names, x, y, path.states[3 - t], thetas))
            thetas[0, i] = theta[i]
            numeric[i] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(nabla.theta[t], numeric, 1e-6, 1e-6 * np.abs(numeric).max())


def test_trajectory_ends_in_the_free_state_and_knows_its_residual():
    network, theta, x, _ = case([4, 5, 3], "energy-based", "tanh")
    short = free_trajectory(network, theta, x, 12, 5)
    longer = free_trajectory(network, theta, x, 14, 5)
    np.testing.assert_allclose(short.states[2:], longer.states[:4], 0, 1e-14)
    assert short.residual > 1e-3
    assert free_trajectory(network, theta, x, 800, 5).residual < 1e-14


def test_all_steps_kept_start_from_zero_and_sum_to_the_full_gradient():
    """With K = T nothing is truncated: the sum over time is the gradient of the whole run."""
    network, theta, x, y = case([4, 5, 3], "prototypical", "tanh")
    path = free_trajectory(network, theta, x, 6, 6)
    assert not path.states[0].any()
    total = backpropagate(network, theta, x, y, path).theta.sum(axis=0)
    numeric = np.empty_like(theta)
    for i in range(theta.size):
        ends = []
        for shift in (1e-5, -1e-5):
            shifted = theta.copy()
            shifted[i] += shift
            whole = np.tile(shifted, (6, 1))
            ends.append(plain_loss(network, ("prototypical", "tanh"), x, y, path.states[0], whole))
        numeric[i] = (ends[0] - ends[1]) / 2e-5
    np.testing.assert_allclose(total, numeric, 1e-6, 1e-6 * np.abs(numeric).max())
