"""Cells in use: counted pulses, wear and failure at the drawn number, disturb by reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar.ageing import disturb, drift, failed
from ohmlearn.crossbar.array import Crossbar
from ohmlearn.crossbar.drawing import join
from ohmlearn.devices import Effects, conductance, get_device, merge
from ohmlearn.errors import ConfigError

CONSTANT = get_device("ConstantStep")
SET = {"change": 1e-4, "towards": "set"}


def build(shape=(20, 10), seed=3, dtype="f8", encoding="pair", **effects: Any) -> Crossbar:
    return Crossbar.build(
        *shape, CONSTANT, CONSTANT.params(), merge(Effects(), effects), seed=seed, dtype=dtype,
        encoding=encoding,
    )  # fmt: skip


def pulse(xbar, count=1):
    xbar.program(np.full(xbar.shape, count))


def test_endurance_that_no_cell_comes_near_changes_nothing():
    noisy = {"cycle_to_cycle": 0.3, "write_noise": 0.5, "stuck": 0.1, "device_to_device": 0.1}
    plain, worn = build(**noisy), build(**noisy, endurance=1e30)
    for xbar in (plain, worn):
        xbar.set_weights(np.linspace(-0.4, 0.4, 200).reshape(20, 10))
        for k in range(5):
            xbar.program(np.random.default_rng(k).integers(-40, 40, xbar.shape))
    np.testing.assert_array_equal(worn.bank.x, plain.bank.x)
    np.testing.assert_array_equal(worn.bank.g, plain.bank.g)


def test_pulses_are_counted_per_cell_and_placing_counts_none():
    xbar = build(endurance=1e9, stuck=0.1)
    total = np.zeros(xbar.shape, int)
    for k in range(4):
        counts = np.random.default_rng(k).integers(-9, 9, xbar.shape)
        xbar.program(counts)
        total += np.abs(counts)
    xbar.set_weights(np.zeros(xbar.shape))
    expected = np.repeat(total.ravel(), 2) * (xbar.bank.stuck == 0)
    np.testing.assert_array_equal(xbar.bank.wear.cycles, expected)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_cell_fails_after_the_pulses_it_was_drawn_to_endure(at_once):
    xbar = build(endurance={"pulses": 40, "spread": 0.4, "fails": "hold"}, encoding="single")
    start, limit = xbar.bank.x.copy(), xbar.bank.wear.limit
    fresh = build(encoding="single")
    pulse(fresh)
    step = fresh.bank.x - start
    if at_once:
        pulse(xbar, 60)
    else:
        for n in range(1, 61):
            pulse(xbar)
            np.testing.assert_array_equal(failed(xbar.bank), n > limit)
    assert 0 < failed(xbar.bank).sum() < xbar.cells
    endured = np.minimum(np.floor(limit), 60)
    np.testing.assert_allclose(xbar.bank.x, start + endured * step, rtol=1e-12)


def test_endurance_is_log_normal_and_follows_from_the_seed():
    xbar = build((100, 50), endurance={"pulses": 1e6, "spread": 0.5})
    drawn, n = np.log(xbar.bank.wear.limit), xbar.cells
    assert drawn.mean() == pytest.approx(np.log(1e6), abs=4 * 0.5 / n**0.5)
    assert drawn.std() == pytest.approx(0.5, rel=4 / (2 * n) ** 0.5)
    again, other = (
        build((100, 50), seed=seed, endurance={"pulses": 1e6, "spread": 0.5}) for seed in (3, 4)
    )
    np.testing.assert_array_equal(again.bank.wear.limit, xbar.bank.wear.limit)
    assert not np.any(other.bank.wear.limit == xbar.bank.wear.limit)


@pytest.mark.parametrize(("fails", "x"), [("low", 0.0), ("high", 1.0), ("hold", None)])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_failed_cell_is_stuck_where_it_failed(fails, x, dtype):
    xbar = build(dtype=dtype, endurance={"pulses": 10, "fails": fails})
    pulse(xbar, 10)
    assert not failed(xbar.bank).any()
    before = xbar.bank.x.copy()
    pulse(xbar)
    assert failed(xbar.bank).all()
    np.testing.assert_array_equal(xbar.bank.x, before if x is None else np.full_like(before, x))
    held = xbar.bank.x.copy(), xbar.bank.g.copy()
    pulse(xbar, -30)
    xbar.set_weights(np.full(xbar.shape, 0.3))
    np.testing.assert_array_equal(xbar.bank.x, held[0])
    np.testing.assert_array_equal(xbar.bank.g, held[1])
    assert set(xbar.bank.wear.cycles) == {11}


def test_steps_fade_with_use():
    fresh = build(encoding="single")
    worn = build(encoding="single", endurance={"pulses": 50, "fade": 0.8, "exponent": 2.0})
    for n in range(1, 40):
        up = 1 if n % 2 else -1
        steps = []
        for xbar in (fresh, worn):
            before = xbar.bank.x[0]
            pulse(xbar, up)
            steps.append(xbar.bank.x[0] - before)
        assert steps[1] == pytest.approx(steps[0] * (1 - 0.8 * (n / 50) ** 2), rel=1e-9)


def test_the_window_closes_with_use():
    xbar = build(
        encoding="single", endurance={"pulses": 4000, "close_low": 0.2, "close_high": 0.1}
    )
    for n in (1000, 2000, 3000):
        pulse(xbar, 500)
        np.testing.assert_allclose(xbar.bank.x, 1 - 0.1 * (n - 500) / 4000)
        pulse(xbar, -500)
        np.testing.assert_allclose(xbar.bank.x, 0.2 * n / 4000)
    xbar.set_weights(np.full(xbar.shape, -1.0))
    np.testing.assert_allclose(xbar.bank.x, 0.2 * 3000 / 4000)
    xbar.set_weights(np.full(xbar.shape, 1.0))
    np.testing.assert_allclose(xbar.bank.x, 1 - 0.1 * 3000 / 4000)


def test_an_open_window_does_not_close():
    xbar = build(endurance={"pulses": 4000, "close_high": 0.5}, window=False)
    pulse(xbar, 2000)
    assert xbar.bank.x[0] > 1.5


def test_wear_of_joined_arrays_is_that_of_their_parts():
    effects = {"endurance": {"pulses": 20, "spread": 0.3}, "retention": "PCMLike"}
    parts = [build((3, 4), **effects), build((2, 5), seed=4, **effects)]
    alone = [build((3, 4), **effects), build((2, 5), seed=4, **effects)]
    whole = join(parts)
    for xbar in (*parts, *alone):
        pulse(xbar, 20)
    np.testing.assert_array_equal(whole.x, np.concatenate([xbar.bank.x for xbar in alone]))
    np.testing.assert_array_equal(failed(whole), np.concatenate([failed(x.bank) for x in alone]))
    assert 0 < failed(whole).sum() < whole.x.size
    before = parts[0].bank.g.copy()
    drift(parts[0].bank, parts[0].effects, 1e6, 3, 0, 0)
    dead = failed(parts[0].bank)
    np.testing.assert_array_equal(parts[0].bank.g[dead], before[dead])
    assert not np.any(parts[0].bank.g[~dead] == before[~dead])


@pytest.mark.parametrize("towards", ["set", "reset"])
def test_reads_move_the_state_and_what_is_shown(towards):
    sign = 1 if towards == "set" else -1
    xbar, plain = build(read_disturb={**SET, "towards": towards}), build()
    before = xbar.bank.x.copy(), xbar.bank.g.copy()
    disturb(plain.bank, plain.effects, 1000)
    np.testing.assert_array_equal(plain.bank.g, before[1])
    disturb(xbar.bank, xbar.effects, 1000)
    assert np.all(sign * (xbar.bank.x - before[0]) > 0)
    end = 1.0 if sign > 0 else 0.0
    np.testing.assert_allclose(xbar.bank.x - end, (before[0] - end) * (1 - 1e-4) ** 1000)
    shown = [conductance(CONSTANT.params(), 0.2, x) for x in xbar.bank.x]
    np.testing.assert_allclose(xbar.bank.g, shown, rtol=1e-12)
    changed = xbar.bank.g.copy()
    disturb(xbar.bank, xbar.effects, 0)
    np.testing.assert_array_equal(xbar.bank.g, changed)


def test_reads_may_differ_between_cells():
    xbar = build(read_disturb=SET)
    before = xbar.bank.x.copy()
    disturb(xbar.bank, xbar.effects, np.arange(xbar.cells))
    np.testing.assert_allclose(1 - xbar.bank.x, (1 - before) * (1 - 1e-4) ** np.arange(xbar.cells))


def test_a_write_error_survives_reads_and_stuck_cells_ignore_them():
    effects = {"write_noise": 2.0, "stuck": {"low": 0.1, "high": 0.1}}
    xbar = build(read_disturb=SET, **effects)
    pulse(xbar, 3)
    shown = np.array([conductance(CONSTANT.params(), 0.2, x) for x in xbar.bank.x])
    error, stuck, before = xbar.bank.g - shown, xbar.bank.stuck > 0, xbar.bank.g.copy()
    disturb(xbar.bank, xbar.effects, 100)
    shown = np.array([conductance(CONSTANT.params(), 0.2, x) for x in xbar.bank.x])
    np.testing.assert_allclose(xbar.bank.g - shown, error, atol=1e-16)
    np.testing.assert_array_equal(xbar.bank.g[stuck], before[stuck])
    assert np.all(xbar.bank.g[~stuck] > before[~stuck])


def test_reads_are_no_programming_cells_age_on():
    xbar = build(read_disturb=SET, retention="PCMLike")
    drift(xbar.bank, xbar.effects, 1e6, 3, 0, 0)
    shown, programmed = xbar.bank.g.copy(), xbar.bank.past.programmed.copy()
    disturb(xbar.bank, xbar.effects, 100)
    assert np.all(xbar.bank.g > shown)
    assert np.all(xbar.bank.past.programmed > programmed)
    np.testing.assert_array_equal(xbar.bank.past.age, 1e6)


@pytest.mark.parametrize("reads", [-1, 1.5, np.ones(3, int), True, [[1]]])
def test_reads_that_are_no_counts_are_refused(reads):
    xbar = build(read_disturb=SET)
    with pytest.raises(ConfigError, match="allowed are whole numbers of at least 0, one or 400"):
        disturb(xbar.bank, xbar.effects, reads)
