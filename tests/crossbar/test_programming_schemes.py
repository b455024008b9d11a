"""Update schemes: effect, slots and time; the stochastic outer product on average."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar.array import ENCODINGS, Crossbar
from ohmlearn.crossbar.writing.schemes import outer_product, row_parallel, row_serial
from ohmlearn.devices import Effects, get_device, merge
from ohmlearn.errors import ConfigError

# Steps of one size, so that a change of weight counts pulses; SET and RESET of unlike width.
LINEAR = get_device("ConstantStep")
P = LINEAR.params()._replace(t_set=100e-9, t_reset=300e-9)
every_encoding = pytest.mark.parametrize("encoding", list(ENCODINGS))


def build(shape=(4, 3), encoding="pair", seed=0, **effects: Any) -> Crossbar:
    return Crossbar.build(
        *shape, LINEAR, P, merge(Effects(), effects), encoding=encoding, seed=seed
    )


def pulses_seen(xbar: Crossbar) -> np.ndarray:
    return xbar.weights / xbar.step


@every_encoding
def test_row_serial_pulses_as_a_programming_does(encoding):
    counts = np.random.default_rng(0).integers(-5, 6, (4, 3))
    one, other = (build(encoding=encoding, cycle_to_cycle=0.3) for _ in range(2))
    took = row_serial(one, counts)
    assert took.pulses == other.program(counts) == one.pulses
    np.testing.assert_array_equal(one.bank.g, other.bank.g)


def test_slots_of_row_serial():
    counts = np.array([[3, -1, 0], [0, 0, 0], [2, 4, 1], [-2, 0, 0]])
    took = row_serial(build(encoding="single"), counts)
    assert took.operations == (3 + 1) + 4 + 2
    assert took.time == pytest.approx((3 + 4) * 100e-9 + (1 + 2) * 300e-9)
    # The minus cell of a pair falls where its plus cell rises: both trains, of the longer count.
    took = row_serial(build(encoding="pair"), counts)
    assert took.operations == 2 * (3 + 4 + 2)
    assert took.time == pytest.approx((3 + 4 + 2) * 400e-9)


@every_encoding
def test_row_parallel_is_exactly_the_outer_product(encoding):
    a, b = np.array([2, 0, -1, 3]), np.array([-2, 1, 0])
    xbar = build(encoding=encoding)
    start = pulses_seen(xbar)
    took = row_parallel(xbar, a, b)
    np.testing.assert_allclose(pulses_seen(xbar) - start, np.outer(a, b), atol=1e-9)
    assert took.pulses == np.abs(np.outer(a, b)).sum() * xbar.arms


def brute_slots(a, b, arms):
    """Count the slots of nested trains by playing them, for each sign of rows and direction."""
    used = {"set": 0, "reset": 0}
    for sign in (1, -1):
        for name, direction in (("set", sign), ("reset", -sign)):
            wanted = np.abs(b) if arms == 2 else np.maximum(direction * b, 0)
            for block in range(int(wanted.max())):
                for slot in range(int(np.maximum(sign * a, 0).max())):
                    if np.any(wanted > block) and np.any(sign * a > slot):
                        used[name] += 1
    return used["set"], used["reset"]


@every_encoding
def test_slots_of_row_parallel(encoding):
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = rng.integers(-3, 4, 4), rng.integers(-3, 4, 3)
        xbar = build(encoding=encoding)
        n_set, n_reset = brute_slots(a, b, xbar.arms)
        took = row_parallel(xbar, a, b)
        assert took.operations == n_set + n_reset
        assert took.time == pytest.approx(n_set * 100e-9 + n_reset * 300e-9)


def test_row_parallel_saves_time_on_many_rows():
    a, b = np.ones(50, int), np.array([1, -1, 2])
    together, serial = build((50, 3)), build((50, 3))
    fast, slow = row_parallel(together, a, b), row_serial(serial, np.outer(a, b))
    assert slow.time == pytest.approx(50 * fast.time)
    np.testing.assert_array_equal(together.bank.x, serial.bank.x)


X = np.array([0.9, -0.5, 0.0, 0.2, 0.05])
D = np.array([1.0, -0.3, 0.1, 0.0])


def repeated(length: int, scale: float, times: int = 400, seed: int = 0) -> np.ndarray:
    xbar = build((5, 4), "single", seed=seed)
    found = []
    for _ in range(times):
        xbar.bank.x[:] = 0.5
        outer_product(xbar, X, D, scale=scale, length=length)
        found.append((xbar.bank.x - 0.5).reshape(5, 4) / (P.dg_up / (P.g_max - P.g_min)))
    return np.array(found)


@pytest.mark.parametrize(("length", "scale"), [(31, 1.0), (31, 20.0), (7, 4.0), (1, 0.5)])
def test_the_outer_product_is_right_on_average_and_spreads_as_a_binomial(length, scale):
    expected = scale * np.outer(X, D)
    chance = np.abs(expected) / length
    variance = length * chance * (1 - chance)
    found = repeated(length, scale)
    deviation = np.sqrt(variance / len(found))
    assert np.all(np.abs(found.mean(axis=0) - expected) <= 4.5 * deviation + 1e-9)
    assert np.all(np.abs(found) <= length + 1e-6)
    busy = variance > 0.05
    np.testing.assert_allclose(found.var(axis=0)[busy], variance[busy], rtol=0.4)
    assert busy.any()


def test_lines_that_would_fire_more_than_always_are_counted():
    xbar = build((5, 4))
    assert outer_product(xbar, X, D, scale=30.0, length=31).clipped == 0
    assert outer_product(xbar, X, D, scale=60.0, length=31).clipped == 2  # one row, one column


def test_slots_of_the_outer_product():
    xbar = build((5, 4))
    took = outer_product(xbar, X, D, length=10)
    assert took.operations == 2 * 2 * 10  # rows of either sign, SET and RESET
    assert took.time == pytest.approx(2 * 10 * 400e-9)
    assert outer_product(xbar, np.abs(X), D, length=10).operations == 2 * 10
    before = xbar.bank.x.copy()
    assert outer_product(xbar, 0 * X, D) == (0, 0, 0.0, 0)
    np.testing.assert_array_equal(xbar.bank.x, before)


def test_the_seed_decides_the_pulse_trains_and_no_two_updates_share_them():
    once, again, other = (repeated(31, 5.0, 2, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)
    assert not np.array_equal(once[0], once[1])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda b: row_serial(b, np.ones((3, 4), int)), r"counts of shape \(3, 4\).*integers"),
        (lambda b: row_serial(b, np.ones((4, 3))), r"type float64 for a crossbar"),
        (lambda b: row_parallel(b, np.ones(3, int), np.ones(3, int)), r"allowed: shape \(4,\)"),
        (lambda b: row_parallel(b, np.ones(4), np.ones(3, int)), r"float64; .*integers"),
        (lambda b: outer_product(b, np.full(4, np.nan), np.ones(3)), r"finite numbers"),
        (lambda b: outer_product(b, np.ones(4), np.ones(3), scale=0.0), r"scale 0\.0"),
        (lambda b: outer_product(b, np.ones(4), np.ones(3), length=0), r"length 0"),
        (lambda b: outer_product(b, np.ones(4), np.ones(3), length=2.5), r"length 2\.5"),
    ],
)
def test_requests_that_do_not_fit_are_refused(call, sentence):
    xbar = build()
    before = xbar.bank.g.copy()
    with pytest.raises(ConfigError, match=sentence):
        call(xbar)
    np.testing.assert_array_equal(xbar.bank.g, before)
    assert xbar.operations == 0
