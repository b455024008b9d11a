"""Update policies: what a request becomes, and the event sampler against visiting every cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.circuits.fabric import array_shapes, make_fabric, renew_all
from ohmlearn.circuits.hopfield import make_layout
from ohmlearn.crossbar.array import Crossbar
from ohmlearn.crossbar.bank import Tick
from ohmlearn.devices import Effects, get_device, merge
from ohmlearn.devices.counter_rng import seed_key
from ohmlearn.errors import ConfigError
from ohmlearn.training.policies import (
    POLICIES,
    Products,
    _sample,
    _visit,
    make_policy,
    program_array,
)

SOFT = get_device("SoftBounds")
ROWS, COLUMNS = 14, 8


def tick(step: int, array: int = 0) -> Tick:
    return Tick(*seed_key(11), step, 3, array)


def products(seed: int, dtype=np.float64, batch: int = 1, mixed: bool = True) -> Products:
    """Return requests whose columns lie far below, near and above one pulse; some are zero."""
    rng = np.random.default_rng(seed)
    sizes = np.array([1e-3, 0.01, 0.05, 0.2, 0.5, 1.0, 2.5, 0.0])
    a, e = rng.random((2, batch, ROWS))
    d, f = rng.choice([-1, 1], (2, batch, COLUMNS)) * rng.uniform(0.5, 1, (2, batch, COLUMNS))
    a[:, 2] = e[:, 2] = 0.0
    e, f = (e, 0.5 * f * sizes) if mixed else (0 * e, f)
    return Products(dtype(0.8), *(v.astype(dtype) for v in (a, d * sizes, e, f)))


def requests(p: Products) -> np.ndarray:
    return float(p.scale) * (p.a.T.astype(float) @ p.d + p.e.T.astype(float) @ p.f)


def counts_of(how: Any, policy: Any, p: Products, step: int, active=None) -> np.ndarray:
    """Return the signed pulses (rows, columns) of one call of a kernel of events."""
    active = np.arange(ROWS) if active is None else active
    weights, counts = np.empty((2, active.size * COLUMNS), np.int64)
    events = how(policy, COLUMNS, 0, active, p, tick(step), weights, counts)
    assert len(set(weights[:events])) == events
    out = np.zeros(ROWS * COLUMNS, np.int64)
    out[weights[:events]] = counts[:events]
    return out.reshape(ROWS, COLUMNS)


def policy_of(name: str, dtype=np.float64, threshold: float | None = None):
    return make_policy(name, ROWS * COLUMNS, np.dtype(dtype), threshold)


@pytest.mark.parametrize("mixed", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("how", [_sample, _visit])
def test_pulses_have_the_distribution_of_independent_cells(how, dtype, mixed):
    """Every cell: mean r, variance frac (1 - frac); any two cells independent."""
    repeats, p = 30_000, products(1, dtype, mixed=mixed)
    r = requests(p)
    policy = policy_of("stochastic", dtype)
    fired = np.array([counts_of(how, policy, p, step) for step in range(repeats)])
    assert np.all(fired[:, r == 0] == 0)
    assert np.all(fired * np.sign(r) >= 0)
    assert set(np.unique(np.abs(fired) - np.floor(np.abs(r)))) == {0, 1}
    part = np.abs(r) % 1.0
    live = repeats * part * (1 - part) > 10
    assert live.sum() > 60
    variance = (part * (1 - part))[live]
    z = (fired.mean(axis=0)[live] - r[live]) / np.sqrt(variance / repeats)
    chi_square = np.sum(z**2)
    assert abs(chi_square - z.size) < 5 * np.sqrt(2 * z.size)
    assert np.abs(z).max() < 5
    error = 5 * np.sqrt((1 - 3 * variance) / variance / repeats) + 1e-3
    assert np.all(np.abs(fired.var(axis=0)[live] / variance - 1) < error)
    # Independence: the pulses of a column, of a row and of the whole array vary as a sum.
    for axis in (1, 2, (1, 2)):
        total = (fired * np.sign(r)).sum(axis=axis).var(axis=0)
        expected = (part * (1 - part)).sum(axis=tuple(np.atleast_1d(axis) - 1))
        scale = np.maximum(expected, 1e-3)
        assert np.all(
            np.abs(total - expected) / scale < 8 / np.sqrt(repeats * np.minimum(scale, 1))
        )


def test_the_sampler_visits_active_rows_only():
    active, p, seen = np.array([0, 3, 4, 13]), products(2), set()
    for step in range(300):
        fired = counts_of(_sample, policy_of("stochastic"), p, step, active)
        seen |= set(np.flatnonzero(fired.any(axis=1)))
    assert seen == set(active)


def test_two_moments_draw_independently_and_one_moment_always_the_same():
    p, policy = products(3), policy_of("stochastic")
    for how in (_sample, _visit):
        first, again, other = (counts_of(how, policy, p, step) for step in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert np.any(first != other)


def test_a_vanishing_request_fires_at_its_own_rate():
    """One pulse in some thousand slots: the rate must not be lost in rounding."""
    p = Products(1.0, np.ones((1, ROWS)), np.full((1, COLUMNS), 1e-5), *np.zeros((2, 1, ROWS)))
    p = p._replace(f=np.zeros((1, COLUMNS)))
    repeats = 60_000
    fired = sum(counts_of(_sample, policy_of("stochastic"), p, n).sum() for n in range(repeats))
    expected = repeats * ROWS * COLUMNS * 1e-5
    assert abs(fired - expected) < 5 * expected**0.5


@pytest.mark.parametrize("batch", [1, 3])
def test_deterministic_rounding(batch):
    p = products(4, batch=batch)
    r = requests(p)
    fired = counts_of(_visit, policy_of("deterministic"), p, 0)
    np.testing.assert_array_equal(fired, np.sign(r) * np.ceil(np.abs(r) - 0.5))
    assert np.abs(fired - r).max() <= 0.5
    assert 0 < np.count_nonzero(fired) < np.count_nonzero(r)


def test_residue_keeps_what_was_not_served():
    policy = policy_of("deterministic-residue")
    asked, served = np.zeros((ROWS, COLUMNS)), np.zeros((ROWS, COLUMNS), int)
    for step in range(200):
        p = products(100 + step)
        p = p._replace(scale=0.2)
        asked += requests(p)
        served += counts_of(_visit, policy, p, step)
        residue = policy.residue.reshape(ROWS, COLUMNS)
        np.testing.assert_allclose(served + residue, asked, atol=1e-11)
        assert np.abs(residue).max() <= 0.5
    assert np.abs(served).sum() > 50


@pytest.mark.parametrize("residue", [0.5, -0.5])
def test_a_residue_of_one_half_does_not_fire_without_a_request(residue):
    policy, p = policy_of("deterministic-residue"), products(5)._replace(scale=0.0)
    policy.residue[:] = residue
    assert not counts_of(_visit, policy, p, 0).any()
    np.testing.assert_array_equal(policy.residue, residue)


def test_sign_threshold_fires_one_pulse_from_the_threshold_on():
    p = products(6)
    r = requests(p)
    fired = counts_of(_visit, policy_of("sign-threshold", threshold=0.3), p, 0)
    np.testing.assert_array_equal(fired, np.where(np.abs(r) >= 0.3, np.sign(r), 0))
    assert 0 < np.count_nonzero(fired) < r.size


@pytest.mark.parametrize("name", ["stochastic", "deterministic", "deterministic-residue"])
@pytest.mark.parametrize(("request_", "count"), [(np.inf, 10**5), (-1e30, -(10**5)), (np.nan, 0)])
def test_a_diverged_request_does_not_hang(name, request_, count):
    p = products(7)._replace(a=np.full((1, ROWS), request_), scale=1.0)
    p = p._replace(d=np.ones((1, COLUMNS)), e=np.zeros((1, ROWS)))
    how = [_visit, _sample] if name == "stochastic" else [_visit]
    for each in how:
        fired = counts_of(each, policy_of(name), p, 0)
        np.testing.assert_array_equal(fired, count)


def arrays(encoding: str, **effects: Any):
    """Return the fabric of a 6-4-3 network at random weights, with theta and q."""
    layout, rng = make_layout((6, 4, 3)), np.random.default_rng(8)
    chosen, crossbars = merge(Effects(), effects), []
    for number, shape in enumerate(array_shapes(layout)):
        options = {"encoding": encoding, "seed": 5, "array_id": number, "weight_range": 2.0}
        crossbars.append(Crossbar.build(*shape, SOFT, SOFT.params(), chosen, **options))
        crossbars[-1].set_weights(rng.uniform(-0.3, 0.3, shape))
    fabric = make_fabric(layout, crossbars)
    theta, q = np.zeros((2, layout.length))
    renew_all(fabric, theta, q)
    return crossbars, fabric, theta, q


def serve(name: str, fabric, theta, q, p: Products, step: int = 0) -> int:
    """Serve one request to the 7 x 4 array 0."""
    policy = make_policy(name, fabric.bank.x.size // fabric.arms, theta.dtype, 0.5)
    x, drives = np.ones((len(p.a), 6)), np.zeros((2, 1, len(p.a), 4))
    return program_array(
        policy, fabric, 0, np.arange(7), p, tick(step), theta, q, x, drives[0], drives[1]
    )


def small(seed: int, size: float, batch: int = 2) -> Products:
    rng = np.random.default_rng(seed)
    a, e = rng.normal(size=(2, batch, 7))
    d, f = rng.normal(size=(2, batch, 4))
    return Products(size, a, d, e, f)


@pytest.mark.parametrize("encoding", ["pair", "single", "offset"])
def test_the_ideal_policy_moves_weights_by_the_request(encoding):
    crossbars, fabric, theta, q = arrays(encoding)
    before, p = crossbars[0].weights, small(1, 3.0)
    assert serve("ideal", fabric, theta, q, p) == 0
    moved = crossbars[0].weights - before
    np.testing.assert_allclose(moved, fabric.step[0] * requests(p), atol=1e-14)
    assert np.abs(moved).max() > 0.01


def test_the_ideal_policy_makes_progress_below_a_level():
    crossbars, fabric, theta, q = arrays("pair", levels=8)
    free, free_fabric, free_theta, free_q = arrays("pair")
    p = small(2, 2.0)
    for _ in range(30):
        serve("ideal", fabric, theta, q, p)
        serve("ideal", free_fabric, free_theta, free_q, p)
    np.testing.assert_allclose(crossbars[0].bank.x, free[0].bank.x, atol=1e-12)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("arms", [1, 2])
def test_the_expected_pulses_are_the_size_of_the_request(batch, arms):
    _, fabric, theta, q = arrays("pair" if arms == 2 else "single")
    p, repeats = small(3, 0.02, batch), 4000
    start = fabric.bank.x.copy()
    fired = 0
    for step in range(repeats):
        fabric.bank.x[:] = start
        fired += serve("stochastic", fabric, theta, q, p, step)
    expected = arms * np.abs(requests(p)).sum() * repeats
    assert abs(fired - expected) < 5 * (arms * expected) ** 0.5


@pytest.mark.parametrize("name", list(POLICIES))
def test_theta_and_drives_follow_the_cells(name):
    spread = {"device_to_device": {"step": 0.3}, "cycle_to_cycle": 0.3, "write_noise": 0.5}
    crossbars, fabric, theta, q = arrays("pair", **spread)
    rng, batch = np.random.default_rng(4), 3
    x, p = rng.random((batch, 6)), small(5, 0.4, 3)
    before = crossbars[0].weights
    line = np.column_stack([x, np.ones(batch)])
    drive, q_drive = line @ before, line**2 @ (crossbars[0].conductance ** 2).sum(2)
    q_drive /= crossbars[0].unit ** 2
    policy = make_policy(name, fabric.bank.x.size // 2, theta.dtype, 0.1)
    parts = drive[np.newaxis], q_drive[np.newaxis]
    program_array(policy, fabric, 0, np.arange(7), p, tick(0), theta, q, x, *parts)
    assert np.abs(crossbars[0].weights - before).max() > 1e-3
    np.testing.assert_allclose(drive, line @ crossbars[0].weights, atol=1e-12)
    squares = (crossbars[0].conductance ** 2).sum(2) / crossbars[0].unit ** 2
    np.testing.assert_allclose(q_drive, line**2 @ squares, rtol=1e-12)
    again, again_q = np.zeros((2, theta.size))
    renew_all(fabric, again, again_q)
    np.testing.assert_array_equal(theta, again)
    np.testing.assert_array_equal(q, again_q)


@pytest.mark.parametrize("threshold", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_sign_threshold_needs_a_threshold(threshold):
    with pytest.raises(ConfigError, match="needs a number of pulses above 0"):
        policy_of("sign-threshold", threshold=threshold)


def test_an_unknown_policy_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'stochastic'"):
        policy_of("stocastic")
