"""Cells over time: drift adds up, follows from the seed, and each effect has its own switch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar.ageing import drift
from ohmlearn.crossbar.array import Crossbar
from ohmlearn.crossbar.drawing import join
from ohmlearn.devices import Effects, get_device, merge
from ohmlearn.errors import ConfigError

SOFT = get_device("SoftBounds")
DAY = 86400.0
TELEGRAPH = {"fraction": 0.5, "amplitude": 0.1, "capture": 3.0, "emission": 1.0}
LAWS = {
    "power-law": {"kind": "power-law", "nu": 0.05, "spread": 0.01},
    "log": "ReRamCMO",
    "relaxation": "ReRamWan2022",
}
OF_TIME = {
    "retention": LAWS["relaxation"],
    "random_telegraph": TELEGRAPH,
    "flicker_noise": "PCMLike",
}
every_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)


def build(shape=(30, 20), seed=3, array_id=0, dtype="f8", encoding="pair", **effects: Any):
    xbar = Crossbar.build(
        *shape, SOFT, SOFT.params(), merge(Effects(), effects), seed=seed, array_id=array_id,
        dtype=dtype, encoding=encoding,
    )  # fmt: skip
    xbar.set_weights(np.linspace(-0.4, 0.4, xbar.rows * xbar.columns).reshape(xbar.shape))
    return xbar


def wait(xbar, seconds, moment=0):
    drift(xbar.bank, xbar.effects, seconds, xbar.seed, xbar.array_id, moment)
    return xbar.bank.g.copy()


@pytest.mark.parametrize("name", OF_TIME)
def test_each_effect_of_time_alone_changes_what_a_read_sees(name):
    v = np.random.default_rng(0).random(30)
    plain, aged = build(), build(**{name: OF_TIME[name]})
    first = plain.read(v)
    if name != "random_telegraph":  # traps are there from the start
        np.testing.assert_array_equal(aged.read(v), first)
    wait(plain, DAY)
    np.testing.assert_array_equal(plain.read(v), first)
    wait(aged, DAY)
    assert not np.any(np.isclose(aged.read(v), first, rtol=1e-6, atol=0))
    np.testing.assert_allclose(aged.read(v), v @ aged.weights * aged.unit, rtol=1e-12)


@pytest.mark.parametrize("name", OF_TIME)
def test_an_effect_of_time_does_not_touch_programming(name):
    """Hidden states, and what is shown at age 0, are those of cells without it to the bit."""
    others = {"cycle_to_cycle": 0.3, "write_noise": 0.5, "levels": 64, "stuck": 0.05}
    plain, aged = build(**others), build(**others, **{name: OF_TIME[name]})
    for k in range(3):
        counts = np.random.default_rng(k).integers(-9, 9, plain.shape)
        for xbar in (plain, aged):
            assert xbar.program(counts) == 2 * np.abs(counts).sum()
        wait(aged, DAY, k)
    np.testing.assert_array_equal(aged.bank.x, plain.bank.x)
    for xbar in (plain, aged):
        xbar.program(np.ones(xbar.shape, int))
    np.testing.assert_array_equal(aged.bank.past.programmed, plain.bank.g)
    assert plain.bank.past.age.size == plain.bank.wear.cycles.size == 0


@every_law
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_drifting_twice_is_drifting_for_the_sum(law, dtype):
    once, twice, thrice = (build(retention=law, dtype=dtype) for _ in range(3))
    g = wait(once, DAY)
    wait(twice, 1.0)
    np.testing.assert_array_equal(wait(twice, DAY - 1.0, 1), g)
    for k, seconds in enumerate((0.0, 1000.0, DAY - 1000.0)):
        last = wait(thrice, seconds, k)
    np.testing.assert_array_equal(last, g)
    assert g.dtype == np.dtype(dtype)
    assert not np.any(g == build(retention=law, dtype=dtype).bank.g)


@every_law
def test_single_precision_sees_the_same_cells(law):
    single, double = (wait(build(retention=law, dtype=d), DAY) for d in ("f4", "f8"))
    np.testing.assert_allclose(single, double, rtol=3e-6, atol=1e-12)


@pytest.mark.parametrize("name", OF_TIME)
def test_the_same_seed_gives_the_same_bits_and_another_does_not(name):
    effects = {name: OF_TIME[name]}
    g = wait(build(**effects), DAY)
    np.testing.assert_array_equal(wait(build(**effects), DAY), g)
    for other in ({"seed": 4}, {"array_id": 1}):
        assert np.mean(wait(build(**effects, **other), DAY) != g) > 0.2


def test_the_moment_draws_what_has_no_memory():
    flicker = {"flicker_noise": "PCMLike"}
    assert not np.any(wait(build(**flicker), DAY, 0) == wait(build(**flicker), DAY, 1))
    for law in LAWS.values():
        kept = [wait(build(retention=law), DAY, moment) for moment in (0, 1)]
        np.testing.assert_array_equal(*kept)


def test_arrays_drift_alike_alone_and_joined_in_any_order_and_thread():
    def arrays():
        return [
            build((5, 4), array_id=0, **OF_TIME),
            build((3, 7), array_id=1, **OF_TIME),
            build((2, 2), array_id=2, **OF_TIME),
        ]

    alone, parts = arrays(), arrays()
    whole = join(parts)
    for xbar in alone:
        wait(xbar, DAY)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda xbar: wait(xbar, DAY), reversed(parts)))
    np.testing.assert_array_equal(whole.g, np.concatenate([xbar.bank.g for xbar in alone]))
    assert np.all(whole.past.age == DAY)
    for xbar in (alone[1], parts[1]):
        xbar.program(np.eye(3, 7, dtype=int))
    np.testing.assert_array_equal(whole.g, np.concatenate([xbar.bank.g for xbar in alone]))
    assert np.count_nonzero(whole.past.age == 0) == 6


@every_law
def test_programming_begins_a_new_age_for_the_cells_it_touches(law):
    xbar = build(retention=law)
    before = xbar.bank.past.programmed.copy()
    drifted = wait(xbar, DAY)
    counts = np.zeros(xbar.shape, int)
    counts[::2] = 3
    xbar.program(counts)
    touched = np.repeat(counts.ravel() != 0, 2)
    np.testing.assert_array_equal(xbar.bank.g[~touched], drifted[~touched])
    np.testing.assert_array_equal(xbar.bank.g[touched], xbar.bank.past.programmed[touched])
    np.testing.assert_array_equal(xbar.bank.past.age, np.where(touched, 0.0, DAY))
    fresh = build(retention=law)
    fresh.program(counts)
    np.testing.assert_array_equal(xbar.bank.past.programmed, fresh.bank.past.programmed)
    again = wait(xbar, DAY, 1)
    np.testing.assert_array_equal(again[touched], wait(fresh, DAY)[touched])
    assert not np.any(again[~touched] == drifted[~touched])
    np.testing.assert_array_equal(xbar.bank.past.programmed[~touched], before[~touched])


def test_an_exponent_belongs_to_the_cell_and_a_relaxation_to_its_programming():
    law = LAWS["power-law"]
    xbar = build(retention=law)
    exponents = []
    for k in range(2):
        xbar.program(np.full(xbar.shape, 5))
        start = xbar.bank.g.copy()
        exponents.append(-np.log(wait(xbar, 100.0, k) / start) / np.log(100.0))
    np.testing.assert_allclose(exponents[0], exponents[1], rtol=1e-9)
    nu = exponents[0]
    assert nu.mean() == pytest.approx(0.05, abs=4 * 0.01 / nu.size**0.5)
    assert nu.std() == pytest.approx(0.01, rel=4 / (2 * nu.size) ** 0.5)
    xbar = build((60, 50), retention="ReRamCMO")
    change = []
    for k in range(2):
        xbar.program(np.full(xbar.shape, 5))
        start = xbar.bank.g.copy()
        change.append(wait(xbar, 100.0, k) - start)
    assert abs(np.corrcoef(change[0], change[1])[0, 1]) < 4 / xbar.cells**0.5


@pytest.mark.parametrize(("seconds", "sigma"), [(1.0, 2.022938), (DAY, 3.909)])
def test_cells_of_an_array_spread_as_published(seconds, sigma):
    xbar = build((80, 80), retention="ReRamWan2022", encoding="single")
    xbar.set_weights(np.full(xbar.shape, (20e-6 - xbar.reference[0]) / xbar.unit))
    change = 1e6 * wait(xbar, seconds) - 20.0
    assert change.std() == pytest.approx(sigma, rel=4 / (2 * xbar.cells) ** 0.5)
    assert abs(change.mean()) < 4 * sigma / xbar.cells**0.5


def test_flicker_noise_grows_with_the_age_of_the_cells():
    xbar = build((80, 80), flicker_noise=0.01)
    start = xbar.bank.g.copy()
    for k, age in enumerate((1e-3, 1.0, 1e4)):
        g = wait(xbar, age - xbar.bank.past.age[0], k)
        sigma = 0.01 * np.sqrt(np.log((age + 250e-9) / 500e-9))
        relative = g / start - 1
        assert relative.std() == pytest.approx(sigma, rel=4 / (2 * g.size) ** 0.5)


def test_traps_have_their_fraction_amplitude_and_memory():
    xbar = build((100, 100), random_telegraph=TELEGRAPH)
    plain = build((100, 100)).bank.g
    dt, tau, n = 0.4, 1 / (1 / 3.0 + 1 / 1.0), xbar.cells
    states = [xbar.bank.g / plain]
    states += [wait(xbar, dt, k) / plain for k in range(12)]
    low = np.isclose(states, 0.9, rtol=1e-12)
    assert np.all(low | (np.array(states) == 1.0))
    occupied = low.mean(axis=1)
    expected = 0.5 * 0.25
    assert np.all(np.abs(occupied - expected) < 5 * (expected * (1 - expected) / n) ** 0.5)
    assert np.mean(~low.any(axis=0)) > 0.5  # cells without a trap
    for lag in (1, 2, 5):
        together = np.mean([low[k] & low[k + lag] for k in range(len(low) - lag)])
        # Cells with a trap: p^2 + p (1 - p) exp(-dt / tau), and half of the cells have one.
        exact = 0.5 * (0.25**2 + 0.25 * 0.75 * np.exp(-lag * dt / tau))
        assert together == pytest.approx(exact, abs=5 * (exact / n) ** 0.5)


def test_a_trap_is_the_same_before_and_after_programming():
    xbar, plain = build(random_telegraph=TELEGRAPH), build()
    wait(xbar, 1.0)
    occupied = xbar.bank.past.occupied.copy()
    for each in (xbar, plain):
        each.program(np.full(each.shape, 2))
    np.testing.assert_array_equal(xbar.bank.past.occupied, occupied)
    np.testing.assert_allclose(xbar.bank.g, plain.bank.g * (1 - 0.1 * occupied), rtol=1e-12)
    wait(xbar, 0.0, 1)
    np.testing.assert_array_equal(xbar.bank.past.occupied, occupied)


def test_high_resistances_fluctuate_more_where_the_exponent_says_so():
    xbar = build(random_telegraph={**TELEGRAPH, "fraction": 1.0, "exponent": 1.5})
    plain = build().bank.g
    occupied = xbar.bank.past.occupied == 1
    lost = 1 - (xbar.bank.g / plain)[occupied]
    top = float(xbar.bank.past.trap.g_top)
    np.testing.assert_allclose(lost, np.minimum(0.1 * (top / plain[occupied]) ** 1.5, 1.0))
    assert np.ptp(lost) > 0.1


def test_slow_traps_jump_less_where_their_times_spread():
    xbar = build((60, 60), random_telegraph={**TELEGRAPH, "fraction": 1.0, "decades": 6.0})
    jumps, last = np.zeros(xbar.cells), xbar.bank.past.occupied.copy()
    for k in range(40):
        wait(xbar, 1.0, k)
        jumps += xbar.bank.past.occupied != last
        last = xbar.bank.past.occupied.copy()
    assert np.mean(jumps == 0) > 0.2
    assert np.mean(jumps > 8) > 0.2


@pytest.mark.parametrize("name", OF_TIME)
def test_stuck_cells_do_not_age(name):
    xbar = build(stuck={"low": 0.2, "high": 0.2}, **{name: OF_TIME[name]})
    plain = build(stuck={"low": 0.2, "high": 0.2})
    wait(xbar, DAY)
    stuck = xbar.bank.stuck > 0
    np.testing.assert_array_equal(xbar.bank.g[stuck], plain.bank.g[stuck])
    assert np.mean(xbar.bank.g[~stuck] != plain.bank.g[~stuck]) > 0.05


@pytest.mark.parametrize("seconds", [-1.0, np.nan, np.inf])
def test_no_time_but_a_finite_one_passes(seconds):
    xbar = build(retention="PCMLike")
    with pytest.raises(ConfigError, match="allowed is a finite time of at least 0 s"):
        wait(xbar, seconds)


def test_cells_drawn_without_an_effect_refuse_to_drift_with_it():
    xbar = build()
    with pytest.raises(ConfigError, match="drawn without retention"):
        drift(xbar.bank, merge(Effects(), {"retention": "PCMLike"}), 1.0, 3, 0, 0)
