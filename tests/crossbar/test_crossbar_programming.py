"""Programming: exact targets, pulses equal to a plain loop, one switch per effect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar.array import ENCODINGS, Crossbar
from ohmlearn.crossbar.drawing import join
from ohmlearn.devices import (
    Effects,
    conductance,
    depression,
    devices,
    get_device,
    merge,
    potentiation,
)
from ohmlearn.errors import ConfigError

SOFT = get_device("SoftBounds")
every_encoding = pytest.mark.parametrize("encoding", list(ENCODINGS))
ALL_ON = {
    "device_to_device": {"step": 0.2, "g_max": 0.1, "g_min": 0.1},
    "cycle_to_cycle": {"sigma": 0.3, "of": "step"},
    "write_noise": 0.5,
    "read_noise": 0.01,
    "stuck": {"low": 0.1, "high": 0.1},
    "levels": 64,
}


def build(shape=(6, 5), device=SOFT, encoding="pair", seed=3, **effects: Any) -> Crossbar:
    chosen = merge(Effects(), effects)
    return Crossbar.build(
        shape[0], shape[1], device, device.params(), chosen, encoding=encoding, seed=seed
    )


def cell_params(xbar: Crossbar) -> list[Any]:
    return [type(xbar.params)(*map(float, row)) for row in xbar.bank.table]


@every_encoding
def test_weights_come_back_inside_the_window(encoding):
    xbar = build(encoding=encoding)
    weights = np.random.default_rng(0).uniform(-0.49, 0.49, xbar.shape)
    xbar.set_weights(weights)
    np.testing.assert_allclose(xbar.weights, weights, atol=1e-14)
    assert (xbar.pulses, xbar.operations) == (0, 0)
    if encoding == "pair":
        middle = xbar.conductance.mean(axis=2)
        np.testing.assert_allclose(middle, middle[0, 0], rtol=1e-12)


@every_encoding
def test_what_a_cells_own_window_does_not_hold_is_cut_off(encoding):
    xbar = build(encoding=encoding, device_to_device={"g_max": 0.2, "g_min": 0.2})
    weights = np.random.default_rng(1).uniform(-0.9, 0.9, xbar.shape)
    xbar.set_weights(weights)
    low, high = (
        np.array([conductance(p, 0.2, x) for p in cell_params(xbar)]).reshape(
            xbar.conductance.shape
        )
        for x in (0.0, 1.0)
    )
    middle = 0.5 * sum(conductance(xbar.params, 0.2, x) for x in (0.0, 1.0))
    target = np.empty_like(low)
    if encoding == "pair":
        target[..., 0] = middle + 0.5 * xbar.unit * weights
        target[..., 1] = middle - 0.5 * xbar.unit * weights
    else:
        target[..., 0] = xbar.reference[:, np.newaxis] + xbar.unit * weights
    expected = np.clip(target, low, high)
    assert not np.array_equal(expected, target)
    np.testing.assert_allclose(xbar.conductance, expected, rtol=1e-12)


@every_encoding
def test_stuck_cells_never_move(encoding):
    xbar = build(shape=(20, 20), encoding=encoding, stuck={"low": 0.1, "high": 0.2})
    stuck, rng = xbar.bank.stuck, np.random.default_rng(2)
    assert set(np.unique(stuck)) == {0, 1, 2}
    before = xbar.bank.x.copy()
    assert set(before[stuck == 1]) == {0.0}
    assert set(before[stuck == 2]) == {1.0}
    xbar.set_weights(rng.uniform(-0.4, 0.4, xbar.shape))
    xbar.program(rng.integers(-30, 30, xbar.shape))
    np.testing.assert_array_equal(xbar.bank.x[stuck > 0], before[stuck > 0])
    ends = [conductance(xbar.params, 0.2, x) for x in (0.0, 1.0)]
    for kind in (1, 2):
        np.testing.assert_allclose(xbar.bank.g[stuck == kind], ends[kind - 1], rtol=1e-12)
    assert np.mean(xbar.bank.x[stuck == 0] != before[stuck == 0]) > 0.5


@every_encoding
@pytest.mark.parametrize(
    "device", [d for d in devices().values() if not d.one_sided], ids=lambda d: d.name
)
def test_pulses_equal_a_plain_loop_over_the_device(device, encoding):
    bounds = device.bounds or device.window
    spread = {device.steps[0]: 0.2, **({bounds[1]: 0.1} if bounds else {})}
    xbar = build((3, 4), device, encoding, device_to_device=spread)
    xbar.set_weights(np.random.default_rng(3).uniform(-0.3, 0.3, xbar.shape))
    counts = np.random.default_rng(4).integers(-9, 10, xbar.shape)
    x = xbar.bank.x.reshape(xbar.conductance.shape).copy()
    params = np.array(cell_params(xbar), object).reshape(*x.shape, -1)
    for index, count in np.ndenumerate(counts):
        for arm in range(xbar.arms):
            p = type(xbar.params)(*params[(*index, arm)])
            up = (count > 0) == (arm == 0)
            for _ in range(abs(count)):
                s = x[(*index, arm)]
                s = s + potentiation(p, s) if up else s - depression(p, s)
                x[(*index, arm)] = min(max(s, 0.0), 1.0)
    used = xbar.program(counts)
    np.testing.assert_allclose(xbar.bank.x, x.ravel(), rtol=0, atol=1e-12)
    shown = [conductance(p, 0.2, s) for p, s in zip(cell_params(xbar), x.ravel(), strict=True)]
    np.testing.assert_allclose(xbar.bank.g, shown, rtol=1e-11)
    assert used == xbar.pulses == np.abs(counts).sum() * xbar.arms


@every_encoding
@pytest.mark.parametrize("sign", [1, -1])
def test_a_positive_count_raises_the_weight(encoding, sign):
    xbar = build(encoding=encoding)
    before = xbar.weights
    for _ in range(3):
        xbar.program(np.full(xbar.shape, 2 * sign))
        assert np.all(sign * (xbar.weights - before) > 0)
        before = xbar.weights
    assert xbar.operations == 3


@pytest.mark.parametrize("encoding", ["pair", "single"])
def test_step_is_the_change_by_one_pulse_at_mid_window(encoding):
    xbar = build(encoding=encoding)
    xbar.program(np.ones(xbar.shape, int))
    np.testing.assert_allclose(xbar.weights, xbar.step, rtol=1e-12)


def test_no_pulse_changes_nothing():
    xbar = build(**ALL_ON)
    before = {name: getattr(xbar.bank, name).copy() for name in ("x", "g")}
    assert xbar.program(np.zeros(xbar.shape, int)) == 0
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(xbar.bank, name), value)


def outcome(seed=3, **effects):
    """Return what an engineer sees after programming and reading one array."""
    xbar = build(seed=seed, **effects)
    counts = np.random.default_rng(5).integers(-8, 9, xbar.shape)
    xbar.program(counts)
    xbar.program(np.where(counts > 4, 300, 0))  # into the window's end
    return xbar.read(np.random.default_rng(6).random(xbar.rows))


@pytest.mark.parametrize("name", [*ALL_ON, "window"])
def test_each_effect_alone_changes_the_output_and_none_is_left_when_off(name):
    device = get_device("ConstantStep")  # its pulses run into the window's end
    plain = outcome(device=device)
    alone = {name: False} if name == "window" else {name: ALL_ON[name]}
    assert not np.allclose(outcome(device=device, **alone), plain, rtol=1e-6, atol=0)
    off = {name: True} if name == "window" else {name: False}
    np.testing.assert_array_equal(outcome(device=device, **off), plain)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    np.testing.assert_array_equal(outcome(**ALL_ON), outcome(**ALL_ON))
    assert not np.any(outcome(**ALL_ON) == outcome(seed=4, **ALL_ON))


@pytest.mark.parametrize(
    ("of", "expected"),
    [("step", 0.3 * 1 / 400), ("nominal", 0.3 * 1 / 400), ("window", 0.3)],
)
def test_cycle_to_cycle_noise_has_its_mean_and_deviation(of, expected):
    sigma = 0.3 if of != "window" else 0.002
    expected = expected if of != "window" else sigma
    xbar = build((100, 100), cycle_to_cycle={"sigma": sigma, "of": of})
    before, cells = xbar.bank.x.copy(), xbar.cells
    xbar.program(np.ones(xbar.shape, int))
    moved = (xbar.bank.x - before).reshape(-1, 2) * np.array([1, -1])
    assert moved.mean() == pytest.approx(1 / 400, abs=5 * expected / cells**0.5)
    assert moved.std() == pytest.approx(expected, rel=5 / cells**0.5)
    plus, minus = moved.T
    assert (
        abs(np.mean((plus - plus.mean()) * (minus - minus.mean()))) < 0.05 * expected**2
    )  # the two arms draw numbers of their own


def test_every_pulse_of_a_train_draws_its_own_noise():
    """Also beyond the 4,096 pulses that one word of the counter tells apart."""
    noise = {"sigma": 1e-4, "of": "window"}
    xbar = build((1, 4000), get_device("ConstantStep"), "single", cycle_to_cycle=noise)
    xbar.bank.table[:, [3, 4]] = 1e-13  # next to no step: noise only
    middle = xbar.bank.x.copy()
    xbar.program(np.full(xbar.shape, 8192))
    walk = xbar.bank.x - middle
    assert walk.std() == pytest.approx(1e-4 * 8192**0.5, rel=5 / (2 * 4000) ** 0.5)


def test_levels_round_what_is_shown_and_not_the_hidden_state():
    xbar, free = build(levels=5), build()
    ladder = conductance(xbar.params, 0.2, 0.0) + np.arange(5) * (
        0.25 * (conductance(xbar.params, 0.2, 1.0) - conductance(xbar.params, 0.2, 0.0))
    )
    seen = set()
    for _ in range(40):
        for each in (xbar, free):
            each.program(np.full(each.shape, 5))
        np.testing.assert_array_equal(xbar.bank.x, free.bank.x)
        nearest = np.abs(xbar.bank.g[:, np.newaxis] - ladder).argmin(axis=1)
        np.testing.assert_allclose(xbar.bank.g, ladder[nearest], rtol=1e-12)
        assert np.abs(xbar.bank.g - free.bank.g).max() <= 0.5 * (ladder[1] - ladder[0]) * 1.0001
        seen |= set(nearest)
    assert len(seen) == 3


def test_write_noise_is_an_error_of_what_is_shown_in_nominal_steps():
    xbar, free = build((80, 80), write_noise=2.0), build((80, 80))
    counts = np.full(xbar.shape, 3)
    xbar.program(counts)
    free.program(counts)
    np.testing.assert_array_equal(xbar.bank.x, free.bank.x)
    step = xbar.step * xbar.unit / xbar.arms
    error = (xbar.bank.g - free.bank.g) / step
    assert abs(error.mean()) < 5 * 2.0 / error.size**0.5
    assert error.std() == pytest.approx(2.0, rel=5 / (2 * error.size) ** 0.5)
    again = xbar.bank.g.copy()
    xbar.program(np.eye(80, dtype=int))
    shown = xbar.conductance != again.reshape(xbar.conductance.shape)
    np.testing.assert_array_equal(shown.any(axis=2), np.eye(80, dtype=bool))


@pytest.mark.parametrize(
    "counts",
    [np.ones((5, 6), int), np.ones((6, 5)), np.ones((6, 5), bool), np.full((6, 5), "1")],
)
def test_counts_that_are_no_pulses_are_refused(counts):
    with pytest.raises(ConfigError, match=r"pulse counts of shape .* allowed: that shape, int"):
        build().program(counts)


@pytest.mark.parametrize("weights", [np.zeros(30), np.zeros((5, 6)), np.full((6, 5), np.nan)])
def test_weights_that_do_not_fit_are_refused(weights):
    xbar = build()
    before = xbar.bank.g.copy()
    with pytest.raises(ConfigError, match=r"for a crossbar of shape \(6, 5\)"):
        xbar.set_weights(weights)
    np.testing.assert_array_equal(xbar.bank.g, before)


def test_joined_arrays_share_their_cells_with_the_whole():
    parts = [build((3, 4), seed=1, **ALL_ON), build((2, 5), seed=2, **ALL_ON)]
    alone = [build((3, 4), seed=1, **ALL_ON), build((2, 5), seed=2, **ALL_ON)]
    whole = join(parts)
    for part, same in zip(parts, alone, strict=True):
        for each in (part, same):
            each.program(np.full(each.shape, 2))
        np.testing.assert_array_equal(part.weights, same.weights)
    np.testing.assert_array_equal(whole.g, np.concatenate([x.bank.g for x in alone]))
    whole.g[:] = 1.0
    assert all(np.all(part.conductance == 1.0) for part in parts)
