"""Pairs of one-sided cells: SET on one arm at a time, refreshed when one is full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar import Crossbar
from ohmlearn.crossbar.bank import place
from ohmlearn.crossbar.burst import suits, survey
from ohmlearn.crossbar.one_sided import FULL
from ohmlearn.crossbar.writing.schemes import cell_counts
from ohmlearn.devices import Effects, get_preset, merge, potentiation
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.errors import ConfigError

DEVICE, PCM = get_preset("PCM")
SHAPE = (6, 5)
WINDOW = PCM.params.g_max - PCM.params.g_min


def build(effects: Any = None, dtype: Any = np.float64, **options):
    chosen = merge(Effects(), effects or {})
    return Crossbar.build(*SHAPE, DEVICE, PCM.params, chosen, seed=3, dtype=dtype, **options)


def states(xbar):
    """Return the states of the arms, a view of shape (weights, 2)."""
    return xbar.bank.x.reshape(-1, 2)


def set_states(xbar, plus, minus):
    """Bring all pairs to these states, and let the cells show them."""
    ends = PCM.params.g_min + WINDOW * np.array([plus, minus])
    place(xbar.bank, np.arange(xbar.cells), np.tile(ends, xbar.cells // 2))


def largest_step(x):
    """Return the steps of SET pulses from state *x*, in units of state."""
    return np.array([potentiation(PCM.params, float(s)) for s in np.ravel(x)]).reshape(np.shape(x))


def test_a_weight_moves_the_way_it_is_asked_by_one_set_pulse():
    xbar = build()
    counts = np.random.default_rng(0).integers(-1, 2, SHAPE)
    before, weights = states(xbar).copy(), xbar.weights.copy()
    assert xbar.program(counts) == xbar.pulses == np.abs(counts).sum()
    asked = counts.ravel()
    expected = np.stack([asked > 0, asked < 0], axis=1) * largest_step(before)
    np.testing.assert_allclose(states(xbar) - before, expected, atol=1e-15)
    np.testing.assert_allclose((xbar.weights - weights), counts * xbar.step, rtol=1e-6, atol=1e-15)


def test_the_other_arm_is_not_touched():
    xbar = build({"write_noise": 0.5, "cycle_to_cycle": 0.3})
    xbar.program(np.ones(SHAPE, int))
    g = xbar.conductance.copy()
    xbar.program(np.ones(SHAPE, int))
    np.testing.assert_array_equal(xbar.conductance[..., 1], g[..., 1])
    assert np.all(xbar.conductance[..., 0] != g[..., 0])


@pytest.mark.parametrize(
    ("plus", "minus"), [(0.899, 0.5), (0.899, 0.897), (0.5, 0.899), (0.899, 0.2)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_refresh_keeps_the_difference_to_half_a_step_and_counts_its_pulses(plus, minus, dtype):
    xbar = build(dtype=dtype)
    set_states(xbar, plus, minus)
    before = states(xbar).copy()
    sign = 1 if plus > minus else -1
    used = xbar.program(np.full(SHAPE, sign))
    lead = (0 if sign > 0 else 1, 1 if sign > 0 else 0)
    wanted = before[:, 0] - before[:, 1] + sign * largest_step(before[:, lead[0]])
    after = states(xbar)
    assert after.max() < FULL
    # Half of the larger step that either arm could still take.
    assert np.all(np.abs(after[:, 0] - after[:, 1] - wanted) <= 0.51 * largest_step(after).max(1))
    np.testing.assert_array_equal(after, np.broadcast_to(after[0], after.shape))
    # Two RESETs and one SET that led there, and the SETs that made these states from zero.
    sets = sum(pulses_to(x) for x in after[0])
    assert used == xbar.pulses == (3 + sets) * after.shape[0]
    assert used > 2 * after.shape[0]


def pulses_to(x):
    """Return how many SET pulses bring an erased cell to *x*."""
    count, state = 0, 0.0
    while state < x - 1e-4:
        state += potentiation(PCM.params, state)
        count += 1
    return count


def test_there_is_no_refresh_where_it_would_gain_nothing():
    xbar = build()
    set_states(xbar, 0.95, 0.05)
    assert xbar.program(np.ones(SHAPE, int)) == xbar.rows * xbar.columns
    assert states(xbar)[:, 0].min() > 0.95
    stuck = build({"stuck": {"low": 0.0, "high": 0.5}})
    set_states(stuck, 0.899, 0.5)
    held = (stuck.bank.stuck.reshape(-1, 2) > 0).any(axis=1)
    before = states(stuck).copy()
    used = stuck.program(np.ones(SHAPE, int))
    assert 0 < held.sum() < held.size
    assert np.all(states(stuck)[held] >= before[held])
    assert np.all(states(stuck)[~held].max(axis=1) < FULL)
    assert used > stuck.rows * stuck.columns


def test_a_weight_follows_many_requests_through_many_refreshes():
    xbar = build()
    set_states(xbar, 0.5, 0.5)
    rng, extra = np.random.default_rng(1), 0
    for _ in range(400):
        counts = rng.integers(-1, 2, SHAPE)
        x = states(xbar).copy()
        moved = largest_step(x).reshape(*SHAPE, 2)
        before = xbar.weights.copy()
        used = xbar.program(counts)
        refreshed = states(xbar).min(axis=1) < x.min(axis=1) - 1e-9
        extra += used - np.abs(counts).sum()
        wanted = before + np.where(counts > 0, moved[..., 0], -moved[..., 1]) * (counts != 0)
        free = ~refreshed.reshape(SHAPE)
        np.testing.assert_allclose(xbar.weights[free], wanted[free], atol=1e-9)
        # The smallest step from zero is the coarsest of all.
        assert np.all(np.abs(xbar.weights - wanted) <= 0.5 * potentiation(PCM.params, 0.0))
    assert extra > 100
    assert states(xbar).max() <= FULL + largest_step(FULL)


@pytest.mark.parametrize(
    "effects",
    [
        {"cycle_to_cycle": 0.6, "device_to_device": {"step": 0.2, "g_max": 0.1}},
        {"cycle_to_cycle": 0.3, "endurance": 300, "retention": "PCMLike", "write_noise": 0.3},
        {"cycle_to_cycle": {"sigma": 0.02, "of": "window"}, "window": False, "levels": 32},
    ],
)
def test_noisy_worn_and_ageing_pairs_repeat_to_the_bit(effects):
    kept = []
    for _ in range(2):
        xbar, rng = build(effects, np.float32, access=ACCESS), np.random.default_rng(2)
        fired = [xbar.program(rng.integers(-2, 3, SHAPE)) for _ in range(300)]
        kept.append((xbar.bank.x.copy(), xbar.bank.g.copy(), fired))
        if "endurance" in effects:
            assert 0 < xbar.bank.wear.cycles.sum() <= xbar.pulses
            assert xbar.bank.past.writes.min() > 0
    for one, other in zip(*kept, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.all(np.isfinite(kept[0][1]))
    assert np.unique(kept[0][0]).size > 20


def test_every_pulse_of_a_refresh_wears():
    xbar = build({"endurance": {"pulses": 1e6}})
    set_states(xbar, 0.899, 0.5)
    used = xbar.program(np.ones(SHAPE, int))
    assert used == xbar.bank.wear.cycles.sum() > 3 * xbar.cells // 2


def test_they_are_programmed_one_by_one_and_need_pairs():
    ones = np.ones(SHAPE[0] * SHAPE[1], np.int64)
    assert not suits(build().bank, ones, survey(ones))
    for encoding in ("offset", "single"):
        with pytest.raises(ConfigError, match=f"'{encoding}', but a RESET pulse erases a cell"):
            build(encoding=encoding)
    cells = cell_counts(build(), np.full(SHAPE, -2))
    np.testing.assert_array_equal(cells, np.broadcast_to([0, 2], cells.shape))
