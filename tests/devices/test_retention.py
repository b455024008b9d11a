"""Retention, 1/f noise and traps as formulas: published numbers, limits, moments."""

import json
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.devices import FlickerNoise, Line, Logarithmic, PowerLaw, RandomTelegraph, Relaxation
from ohmlearn.devices.effects.fluctuations import (
    FLICKER_SETS,
    flicker_sigma,
    occupied_after,
    occupied_fraction,
)
from ohmlearn.devices.effects.retention import relaxation_sigma, retained
from ohmlearn.devices.effects.retention_sets import RETENTION_SETS
from ohmlearn.devices.effects.wear import ReadDisturb, disturbed

GOLDEN = Path(__file__).parent.parent / "golden" / "inference_noise.json"
PUBLISHED = json.loads(GOLDEN.read_text())
WAN = RETENTION_SETS["ReRamWan2022"]
DAY = 86400.0
X = np.array(PUBLISHED["wan2022_sigma"]["g"])
WAN_SIGMA = dict(
    zip((1.0, DAY, 2 * DAY), PUBLISHED["wan2022_sigma"]["sigma_uS"].values(), strict=True)
)
PCM_SIGMA = PUBLISHED["pcm_sigma_prog"]["sigma_uS"]
EVERY_LAW = {
    "power-law": PowerLaw(nu=0.06, spread=0.02, t0=2.0),
    "towards": PowerLaw(nu=0.06, spread=0.02, towards=80e-6),
    **RETENTION_SETS,
}
every_law = pytest.mark.parametrize("law", EVERY_LAW.values(), ids=EVERY_LAW)


def after(law, g, t, z=0.0, g_top=100e-6):
    g, t, z = np.broadcast_arrays(np.asarray(g, float), t, z)
    return retained(law, g, t, z, g_top)


@pytest.mark.parametrize("t", WAN_SIGMA)
def test_wan_2022_spread_has_its_published_values(t):
    sigma = relaxation_sigma(WAN, 40e-6 * X, np.full(5, t), 1.0)
    np.testing.assert_allclose(1e6 * sigma, WAN_SIGMA[t], atol=1e-6)


def test_wan_2022_spread_is_reproduced_by_sampling():
    n = 40_000
    z = np.random.default_rng(1).standard_normal(n)
    for t in (1.0, DAY):
        for x, sigma in zip(X[1:], WAN_SIGMA[t][1:], strict=True):
            change = 1e6 * (after(WAN, np.full(n, 40e-6 * x), t, z) - 40e-6 * x)
            assert change.std() == pytest.approx(sigma, rel=4 / (2 * n) ** 0.5)
            assert abs(change.mean()) < 4 * sigma / n**0.5


def test_a_polynomial_of_the_user_has_the_values_of_pcm():
    law = Relaxation((1.0,), (tuple(c / 25 for c in (0.2635, 1.9650, -1.1731)),), 25e-6)
    for t in (1.0, 100.0):
        sigma = relaxation_sigma(law, 25e-6 * X, np.full(5, t), 1.0)
        np.testing.assert_allclose(1e6 * sigma, PCM_SIGMA, rtol=1e-12)


def test_the_sets_hold_the_published_numbers():
    pcm, cmo, wan = (PUBLISHED[name] for name in ("PCMLike", "ReRamCMO", "ReRamWan2022"))
    law = RETENTION_SETS["PCMLike"]
    assert (law.t0, 1e6 * law.g_max) == (pcm["t_0_s"], pytest.approx(pcm["g_max_uS"]))
    for line, entry in ((law.nu, pcm["nu_mean"]), (law.spread, pcm["nu_std"])):
        assert (line.offset, line.slope) == (entry["offset"], entry["slope"])
        assert (line.min, line.max) == (entry["min"], entry["max"])
    flicker, read = FLICKER_SETS["PCMLike"], pcm["read"]
    assert (flicker.q, flicker.exponent, flicker.max) == (
        read["coef"], read["exponent"], read["cap"]
    )  # fmt: skip
    assert flicker.t_read == pcm["t_read_s"]
    law = RETENTION_SETS["ReRamCMO"]
    assert 1e6 * law.mean_slope == pytest.approx(cmo["drift_mean_uS"]["slope"])
    assert 1e6 * law.spread == pytest.approx(cmo["drift_std_uS"]["offset"])
    assert 1e6 * law.spread_slope == pytest.approx(cmo["drift_std_uS"]["slope"])
    for time, row in zip(WAN.times, WAN.sigma, strict=True):
        np.testing.assert_allclose(
            1e6 * WAN.g_max * np.array(row), wan["sigma_coeff_by_time_s"][f"{time:g}"]
        )


@every_law
def test_no_time_changes_nothing_to_the_bit(law):
    g = np.linspace(0, 100e-6, 50)
    z = np.random.default_rng(2).standard_normal(50)
    np.testing.assert_array_equal(after(law, g, 0.0, z), g)


@every_law
def test_change_sets_in_without_a_jump(law):
    """Around the first time and around the times between which a spread is interpolated."""
    g = np.linspace(5e-6, 38e-6, 30)
    z = np.random.default_rng(3).standard_normal(30)
    for t in (getattr(law, "t0", 1.0), DAY, 2 * DAY):
        below, above = after(law, g, t * (1 - 1e-9), z), after(law, g, t * (1 + 1e-9), z)
        np.testing.assert_allclose(below, above, rtol=1e-6)


@pytest.mark.parametrize("name", ["power-law", "towards", "PCMLike", "ReRamCMO"])
def test_each_cell_drifts_monotonically(name):
    g = np.linspace(10e-6, 60e-6, 200)
    z = np.random.default_rng(4).standard_normal(200)
    law = EVERY_LAW[name]
    times = np.geomspace(law.t0, 1e8, 60)
    if isinstance(law, PowerLaw):  # the others may turn at t0, where the trend sets in
        times = np.concatenate([[0.0, 1e-3], times])
    path = np.array([after(law, g, t, z) for t in times])
    step = np.diff(path, axis=0)
    assert np.all((step.min(axis=0) >= -1e-20) | (step.max(axis=0) <= 1e-20))
    assert np.any(step != 0)


@every_law
def test_no_conductance_falls_below_zero(law):
    g = np.linspace(0, 5e-6, 50)
    for z in (-50.0, 50.0):
        assert np.all(after(law, g, 1e9, z) >= 0)


def test_power_law_is_the_formula():
    law = PowerLaw(nu=0.05, spread=0.01, t0=20.0)
    g, z = np.array([1e-6, 50e-6]), np.array([-1.0, 2.0])
    for t in (20.0, 3600.0, 1e7):
        np.testing.assert_allclose(after(law, g, t, z), g * (t / 20) ** -(0.05 + 0.01 * z))
    np.testing.assert_array_equal(after(law, g, 19.0, z), g)
    np.testing.assert_array_equal(after(law, g, 1e9, -6.0), g)  # an exponent is at least 0


def test_power_law_goes_towards_its_end_from_both_sides():
    law = PowerLaw(nu=0.5, towards=30e-6)
    g = np.array([10e-6, 30e-6, 90e-6])
    np.testing.assert_allclose(after(law, g, 100.0), 30e-6 + (g - 30e-6) / 10)
    np.testing.assert_allclose(after(law, g, 1e30), 30e-6)


def test_exponent_and_its_spread_depend_on_the_state_as_published():
    law = RETENTION_SETS["PCMLike"]
    x = np.array([1e-3, 0.05, 0.2, 0.5, 1.0])
    mean = np.clip(-0.0155 * np.log(x) + 0.0244, 0.049, 0.1)
    spread = np.clip(-0.0125 * np.log(x) - 0.0059, 0.008, 0.045)
    for z in (0.0, 1.0):
        got = -np.log(after(law, 25e-6 * x, 2000.0, z) / (25e-6 * x)) / np.log(100)
        np.testing.assert_allclose(got, mean + spread * z, rtol=1e-9)
    alike = PowerLaw(Line(0.05))
    np.testing.assert_array_equal(
        after(alike, 25e-6 * x, 1e3), after(PowerLaw(0.05), 25e-6 * x, 1e3)
    )


def test_log_law_has_its_moments():
    n, t = 40_000, 3600.0
    z = np.random.default_rng(5).standard_normal(n)
    change = 1e6 * (after(RETENTION_SETS["ReRamCMO"], np.full(n, 50e-6), t, z) - 50e-6)
    mean, sigma = -0.08900206 * np.log(t), 0.04201137 * np.log(t) + 0.41183342
    assert change.mean() == pytest.approx(mean, abs=4 * sigma / n**0.5)
    assert change.std() == pytest.approx(sigma, rel=4 / (2 * n) ** 0.5)
    half = after(Logarithmic(mean=2e-6, t0=10.0), 50e-6, 5.0)
    assert half == pytest.approx(51e-6)


def test_spread_is_interpolated_in_the_logarithm_of_time():
    g = 40e-6 * X
    at = {t: relaxation_sigma(WAN, g, np.full(5, t), 1.0) for t in (0.5, 1.0, DAY**0.5, DAY, 1e9)}
    np.testing.assert_allclose(at[DAY**0.5], 0.5 * (at[1.0] + at[DAY]))
    np.testing.assert_allclose(at[0.5], 0.5 * at[1.0])
    np.testing.assert_allclose(1e6 * at[1e9], WAN_SIGMA[2 * DAY], atol=1e-6)


def test_g_max_of_the_window_stands_in_where_the_law_names_none():
    free = Relaxation(WAN.times, WAN.sigma)
    scaled = relaxation_sigma(free, 100e-6 * X, np.full(5, DAY), 100e-6)
    np.testing.assert_allclose(1e6 * scaled, 2.5 * np.array(WAN_SIGMA[DAY]), atol=1e-5)
    beyond = relaxation_sigma(WAN, np.array([80e-6]), np.array([1.0]), 1.0)
    assert 1e6 * beyond[0] == pytest.approx(1.103)


def test_flicker_noise_is_the_published_formula():
    noise, t = FLICKER_SETS["PCMLike"], 3600.0
    x = np.array([1e-4, 0.01, 0.1, 1.0])
    q = np.minimum(0.0088 / x**0.65, 0.2)
    sigma = flicker_sigma(noise, 25e-6 * x, 20e-6 * x, np.full(4, t), 1.0)
    expected = 20e-6 * x * q * np.sqrt(np.log((t + 250e-9) / 500e-9))
    np.testing.assert_allclose(sigma, expected)
    assert not np.any(flicker_sigma(noise, x, x, np.full(4, 250e-9), 1.0))
    plain = flicker_sigma(FlickerNoise(0.01), np.zeros(1), np.ones(1), np.ones(1), 1.0)
    assert plain == pytest.approx(0.01 * np.sqrt(np.log((1 + 250e-9) / 500e-9)))


def test_traps_forget_as_a_two_state_markov_chain():
    trap = RandomTelegraph(1.0, 0.1, capture=2.0, emission=1.0)
    assert occupied_fraction(trap) == pytest.approx(1 / 3)
    one, slower = np.ones(1), np.array([1.0])
    for start in (0.0, 1.0):
        whole = occupied_after(trap, start * one, 0.7, slower)
        half = occupied_after(trap, start * one, 0.35, slower)  # Chapman-Kolmogorov
        stay, come = (occupied_after(trap, s * one, 0.35, slower) for s in (1.0, 0.0))
        np.testing.assert_allclose(whole, half * stay + (1 - half) * come)
    h = 1e-6
    rate = occupied_after(trap, 0.0 * one, h, slower) / h
    assert rate == pytest.approx(1 / 2.0, rel=1e-5)
    assert (1 - occupied_after(trap, one, h, slower)) / h == pytest.approx(1 / 1.0, rel=1e-5)
    np.testing.assert_allclose(
        occupied_after(trap, one, 7.0, np.array([10.0])), occupied_after(trap, one, 0.7, slower)
    )


@pytest.mark.parametrize("towards", ["set", "reset"])
@pytest.mark.parametrize("of", ["distance", "window"])
def test_reads_add_up_and_stop_at_the_end(towards, of):
    law, x = ReadDisturb(1e-3, towards, of), np.linspace(0, 1, 21)
    once = x
    for _ in range(7):
        once = disturbed(law, once, np.ones(21))
    np.testing.assert_allclose(disturbed(law, x, np.full(21, 7)), once, atol=1e-14)
    np.testing.assert_array_equal(disturbed(law, x, np.zeros(21)), x)
    np.testing.assert_allclose(disturbed(law, x, np.full(21, 10**7)), towards == "set", atol=1e-12)
    end = 1.0 if towards == "set" else 0.0
    step = np.abs(disturbed(law, x, np.ones(21)) - x)
    expected = np.abs(end - x) * 1e-3 if of == "distance" else np.minimum(1e-3, np.abs(end - x))
    np.testing.assert_allclose(step, expected, atol=1e-15)


def test_a_read_may_take_the_whole_way():
    law = ReadDisturb(1.0, "reset")
    np.testing.assert_array_equal(disturbed(law, np.full(2, 0.4), np.array([0, 3])), [0.4, 0.0])
