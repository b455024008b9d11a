"""Read noise on the lines of a network: that of the arrays, and a matter of the moment only."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.dynamics import input_drive, step
from ohmlearn.circuits.hopfield import HopfieldNetwork
from ohmlearn.circuits.read_noise import Moment, noisy_relax, squares

K0, K1 = np.uint32(7), np.uint32(0)
SIZES = (5, 4, 6, 3)


def problem(batch, dynamics="prototypical", activation="tanh", symmetric=True):
    network = HopfieldNetwork.build(
        SIZES, dynamics, activation, symmetric=symmetric, time_step=0.3 if "-" in dynamics else 1.0
    )
    rng = np.random.default_rng(0)
    theta = network.initial_parameters(rng, angle=30.0)
    q = rng.random(theta.size)
    x, target = rng.random((batch, SIZES[0])), rng.random(batch * SIZES[-1])
    return network, theta, q, x, target, rng.random(batch * network.layout.units)


def run(network, theta, q, x, target, state, steps, moment, sigma, beta=0.0):
    """Return the state after *steps* noisy steps."""
    layout, state = network.layout, state.copy()
    drive, q_drive = np.empty((len(x), SIZES[1])), np.empty((len(x), SIZES[1]))
    input_drive(x, theta, layout, drive)
    input_drive(x * x, q, layout, q_drive)
    work = np.full((5, state.size), np.nan)
    noisy_relax(
        steps, theta, q, layout, network.dynamics, drive, q_drive, sigma, moment, beta, target,
        state, work,
    )  # fmt: skip
    return state


@pytest.mark.parametrize("beta", [0.0, 0.3])
@pytest.mark.parametrize("dynamics", ["prototypical", "energy-based"])
def test_without_noise_it_is_the_noiseless_step(dynamics, beta):
    network, theta, q, x, target, state = problem(2, dynamics)
    expected, scratch = state.copy(), np.empty((3, state.size))
    drive = np.empty((2, SIZES[1]))
    input_drive(x, theta, network.layout, drive)
    for _ in range(3):
        new = np.empty_like(expected)
        step(theta, network.layout, network.dynamics, drive, beta, target, expected, new, scratch)
        expected = new
    found = run(network, theta, q, x, target, state, 3, Moment(K0, K1, 0, 0, 0), 0.0, beta)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert np.abs(found - state).max() > 0.1


@pytest.mark.parametrize("symmetric", [True, False])
def test_one_step_has_the_noise_of_independent_cells(symmetric):
    """tanh is undone, so that what is compared is the drive itself."""
    network, theta, q, x, target, state = problem(1, symmetric=symmetric)
    layout, sigma, repeats = network.layout, 0.02, 20_000
    quiet = np.arctanh(run(network, theta, q, x, target, state, 1, Moment(K0, K1, 0, 0, 0), 0.0))
    noisy = np.array(
        [
            run(network, theta, q, x, target, state, 1, Moment(K0, K1, n, 0, 0), sigma)
            for n in range(repeats)
        ]
    )
    error = np.arctanh(noisy) - quiet
    variance, squared = [], [x[0] ** 2, *(s[0] ** 2 for s in layout.split(state, 1))]
    for layer in range(1, layout.depth + 1):
        total = squared[layer - 1] @ layout.weight(q, layer) + layout.bias(q, layer)
        if layer < layout.depth:
            total = total + layout.backward(q, layer + 1) @ squared[layer + 1]
        variance.append(total)
    expected = sigma * np.sqrt(np.concatenate(variance))
    np.testing.assert_allclose(error.std(axis=0), expected, rtol=5 / (2 * repeats) ** 0.5)
    assert np.abs(error.mean(axis=0) / expected).max() < 5 / repeats**0.5
    assert np.abs(np.corrcoef(error.T) - np.eye(layout.units)).max() < 5 / repeats**0.5


def test_steps_and_rows_may_be_split_anywhere():
    """Noise belongs to (sample, time step, row), not to the call that draws it."""
    network, theta, q, x, target, state = problem(5)
    whole = run(network, theta, q, x, target, state, 6, Moment(K0, K1, 3, 2, 10), 0.1)
    half = run(network, theta, q, x, target, state, 2, Moment(K0, K1, 3, 2, 10), 0.1)
    rest = run(network, theta, q, x, target, half, 4, Moment(K0, K1, 3, 4, 10), 0.1)
    np.testing.assert_array_equal(rest, whole)
    layout = network.layout
    for rows in (slice(0, 2), slice(2, 5)):
        part = np.concatenate([s[rows].ravel() for s in layout.split(state, 5)])
        moment = Moment(K0, K1, 3, 2, 10 + rows.start)
        found = run(network, theta, q, x[rows], target, part, 6, moment, 0.1)
        for own, all_rows in zip(
            layout.split(found, rows.stop - rows.start), layout.split(whole, 5), strict=True
        ):
            np.testing.assert_allclose(own, all_rows[rows], rtol=1e-12)


@pytest.mark.parametrize(
    "other",
    [
        Moment(np.uint32(8), K1, 3, 2, 1),
        Moment(K0, np.uint32(1), 3, 2, 1),
        Moment(K0, K1, 4, 2, 1),
        Moment(K0, K1, 3 + (1 << 40), 2, 1),
        Moment(K0, K1, 3, 3, 1),
        Moment(K0, K1, 3, 2, 2),
    ],
)
def test_every_part_of_the_moment_gives_other_numbers(other):
    network, theta, q, x, target, state = problem(1)
    here = Moment(K0, K1, 3, 2, 1)
    one, again, two = (
        run(network, theta, q, x, target, state, 1, at, 0.1) for at in (here, here, other)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.any(one == two)


def test_squares():
    out = np.empty(3)
    squares(np.array([-2.0, 0.0, 3.0]), out)
    np.testing.assert_array_equal(out, [4.0, 0.0, 9.0])
