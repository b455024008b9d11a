"""The noiseless dynamics: early stopping is exact, groups are exact, and there is an energy."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.activation import activate, slope
from ohmlearn.circuits.dynamics import drives, free_phase, input_drive, relax, step
from ohmlearn.circuits.hopfield import DYNAMICS, HopfieldNetwork, make_layout
from ohmlearn.errors import ConfigError

SHAPES = [(6, 3), (6, 5, 3), (6, 7, 5, 3), (6, 30, 26, 3)]


def problem(sizes, batch, dtype=np.float64, **physics):
    network = HopfieldNetwork.build(sizes, **physics)
    rng = np.random.default_rng(1)
    theta = network.initial_parameters(rng, angle=20.0, dtype=dtype)
    x = (rng.random((batch, sizes[0])) * (rng.random((batch, sizes[0])) < 0.7)).astype(dtype)
    drive = np.empty((batch, sizes[1]), dtype)
    input_drive(x, theta, network.layout, drive)
    return network, theta, x, drive


def settle(network, theta, drive, steps):
    state = np.full(len(drive) * network.layout.units, np.nan, drive.dtype)
    scratch = np.full((5, state.size), np.nan, drive.dtype)
    free_phase(steps, theta, network.layout, network.dynamics, drive, state, scratch)
    return state


def step_by_step(network, theta, drive, steps, beta=0.0, target=None, state=None):
    """Return the state after all *steps*, none spared."""
    units = len(drive) * network.layout.units
    state = np.zeros(units, drive.dtype) if state is None else state.copy()
    target = (
        np.zeros(len(drive) * network.layout.sizes[-1], drive.dtype) if target is None else target
    )
    new, scratch = np.empty_like(state), np.empty((3, units), drive.dtype)
    for _ in range(steps):
        step(theta, network.layout, network.dynamics, drive, beta, target, state, new, scratch)
        state, new = new, state
    return state


@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("symmetric", [True, False])
def test_drives_equal_matrix_products(sizes, symmetric):
    network, theta, x, drive = problem(sizes, 5, symmetric=symmetric)
    layout, depth = network.layout, len(sizes) - 1
    sent = np.random.default_rng(2).random(5 * layout.units)
    out = np.empty_like(sent)
    drives(theta, layout, drive, sent, out)
    signals = [x, *layout.split(sent, 5)]
    for layer, found in enumerate(layout.split(out, 5), start=1):
        a = signals[layer - 1] @ layout.weight(theta, layer) + layout.bias(theta, layer)
        if layer < depth:
            a = a + signals[layer + 1] @ layout.backward(theta, layer + 1).T
        np.testing.assert_allclose(found, a, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("steps", [0, 1, 2, 3, 8, 9, 400, 401])
@pytest.mark.parametrize("sizes", [SHAPES[0], SHAPES[2]])
def test_the_free_phase_equals_every_step_of_it_to_the_bit(sizes, steps, dtype):
    """Odd and even numbers of steps, before and after the state repeats itself."""
    network, theta, _, drive = problem(sizes, 1, dtype)
    found = settle(network, theta, drive, steps)
    np.testing.assert_array_equal(found, step_by_step(network, theta, drive, steps))


@pytest.mark.parametrize("dynamics", list(DYNAMICS))
@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("batch", [2, 5, 9])
def test_samples_of_a_batch_do_not_hear_of_each_other(sizes, dynamics, batch):
    network, theta, _, drive = problem(sizes, batch, dynamics=dynamics)
    layout = network.layout
    whole = layout.split(settle(network, theta, drive, 60), batch)
    for b in range(batch):
        alone = layout.split(settle(network, theta, drive[b : b + 1], 60), 1)
        for all_rows, own in zip(whole, alone, strict=True):
            np.testing.assert_allclose(all_rows[b], own[0], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("steps", [1, 2, 7, 8, 600, 601])
@pytest.mark.parametrize("beta", [0.0, 0.3, -0.3])
def test_early_stopping_equals_the_full_run_to_the_bit(steps, beta, dtype):
    network, theta, _, drive = problem((6, 5, 4, 3), 3, dtype)
    start = settle(network, theta, drive, 5)
    target = np.random.default_rng(3).random(9).astype(dtype)
    state, scratch = start.copy(), np.empty((5, start.size), dtype)
    computed = relax(
        steps, theta, network.layout, network.dynamics, drive, beta, target, state, scratch
    )
    expected = step_by_step(network, theta, drive, steps, beta, target, start)
    np.testing.assert_array_equal(state, expected)
    assert computed == steps if steps < 10 else computed < steps


def energy(network, theta, x, state, beta=0.0, target=None):
    """Return F of one sample: 1/2 |s|^2 - 1/2 rho W rho - b rho (+ beta times the loss)."""
    layout, code = network.layout, network.dynamics.activation
    rho = np.empty_like(state)
    activate(code, state, rho)
    signals = [x[0], *(r[0] for r in layout.split(rho, 1))]
    total = 0.5 * state @ state
    for layer in range(1, layout.depth + 1):
        total -= signals[layer - 1] @ layout.weight(theta, layer) @ signals[layer]
        total -= layout.bias(theta, layer) @ signals[layer]
    if beta != 0:
        total += 0.5 * beta * np.sum((target - layout.split(state, 1)[-1][0]) ** 2)
    return total


def gradient(function, state):
    h, out = 1e-6, np.empty_like(state)
    for i in range(state.size):
        up, down = state.copy(), state.copy()
        up[i], down[i] = up[i] + h, down[i] - h
        out[i] = (function(up) - function(down)) / (2 * h)
    return out


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@pytest.mark.parametrize("beta", [0.0, 0.5, -0.2])
@pytest.mark.parametrize("sizes", SHAPES[:3])
def test_energy_based_motion_is_the_gradient_descent_of_the_energy(sizes, beta, activation):
    physics = {"dynamics": "energy-based", "activation": activation, "time_step": 0.2}
    network, theta, x, drive = problem(sizes, 1, **physics)
    rng = np.random.default_rng(4)
    target, state = rng.random(sizes[-1]), rng.normal(0.4, 0.5, network.layout.units)

    def f(s):
        return energy(network, theta, x, s, beta, target)

    new = step_by_step(network, theta, drive, 1, beta, target, state)
    np.testing.assert_allclose((new - state) / 0.2, -gradient(f, state), atol=1e-8)
    settled = step_by_step(network, theta, drive, 800, beta, target, state)
    np.testing.assert_allclose(gradient(f, settled), 0.0, atol=1e-8)
    assert f(settled) < f(state)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "hard-sigmoid"])
@pytest.mark.parametrize("clamp", [True, False])
def test_the_energy_never_rises_along_a_trajectory(activation, clamp):
    physics = {"dynamics": "energy-based", "activation": activation, "clamp": clamp}
    network, theta, x, drive = problem((6, 7, 5, 3), 1, time_step=0.01, **physics)
    rng = np.random.default_rng(5)
    state, target = rng.random(network.layout.units), rng.random(3)
    values = [energy(network, theta, x, state, 0.3, target)]
    for _ in range(60):
        state = step_by_step(network, theta, drive, 10, 0.3, target, state)
        values.append(energy(network, theta, x, state, 0.3, target))
    assert np.all(np.diff(values) <= 1e-12)
    assert values[-1] < values[0] - 0.01


def test_the_clocked_form_settles_where_its_own_energy_is_stationary():
    """s = rho(a): the fixed point of the circuit with s = rho(v), v = a."""
    network, theta, _, drive = problem((6, 7, 5, 3), 1, activation="tanh")
    state = settle(network, theta, drive, 500)
    out, rho = np.empty_like(state), np.empty_like(state)
    drives(theta, network.layout, drive, state, out)
    activate(network.dynamics.activation, out, rho)
    np.testing.assert_allclose(state, rho, rtol=1e-13, atol=1e-15)


def test_a_published_variant_leaves_the_slope_off_the_output():
    physics = {"dynamics": "energy-based", "time_step": 0.5, "output_slope": False}
    network, theta, _, drive = problem((6, 5, 3), 1, **physics)
    state = np.random.default_rng(6).random(network.layout.units)
    code, layout = network.dynamics.activation, network.layout
    rho, rate, a = (np.empty_like(state) for _ in range(3))
    activate(code, state, rho)
    slope(code, state, rho, rate)
    drives(theta, layout, drive, rho, a)
    layout.split(rate, 1)[-1][:] = 1.0
    expected = state + 0.5 * (rate * a - state)
    np.testing.assert_allclose(
        step_by_step(network, theta, drive, 1, state=state), expected, 1e-12
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"layers": [4]}, "at least two layers"),
        ({"layers": [4, 0, 2]}, "at least one unit"),
        ({"dynamics": "prototypic"}, "did you mean 'prototypical'"),
        ({"activation": "relu"}, "unknown activation 'relu'"),
        ({"time_step": 0.0}, "allowed: above 0, at most 1"),
        ({"time_step": float("nan")}, "network.time_step is nan"),
    ],
)
def test_a_network_that_makes_no_sense_is_refused(change, sentence):
    with pytest.raises(ConfigError, match=sentence):
        HopfieldNetwork.build(**{"layers": [4, 3, 2], **change})


@pytest.mark.parametrize("symmetric", [True, False])
def test_every_parameter_has_one_place(symmetric):
    layout = make_layout((4, 3, 5, 2), symmetric)
    theta = np.zeros(layout.length, int)
    for layer in range(1, layout.depth + 1):
        layout.weight(theta, layer)[...] += 1
        layout.bias(theta, layer)[...] += 1
        if layer > 1 and not symmetric:
            layout.backward(theta, layer)[...] += 1
    np.testing.assert_array_equal(theta, 1)
