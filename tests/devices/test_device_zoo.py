"""The wider set of models against their equations, special cases and published numbers."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmlearn.devices import (
    conductance,
    current,
    depression,
    devices,
    functions,
    get_device,
    get_preset,
    make_params,
    potentiation,
    presets,
    rate,
)
from ohmlearn.devices.models import inference_noise, pcm
from ohmlearn.devices.models.constant_step import ConstantStep
from ohmlearn.devices.models.exp_step import ExpStep
from ohmlearn.devices.models.filament_gap import FilamentGap
from ohmlearn.devices.models.linear_ion_drift import LinearIonDrift
from ohmlearn.devices.models.piecewise_step import NODES, piecewise_from_points, tabulated
from ohmlearn.devices.models.pow_step import PowStep
from ohmlearn.devices.models.soft_bounds import SoftBounds
from ohmlearn.devices.models.stanford_pku import StanfordPKU
from ohmlearn.devices.models.yakopcic import Yakopcic
from ohmlearn.errors import DeviceError

GOLDEN = Path(__file__).parents[1] / "golden"
CHECKS = json.loads((GOLDEN / "device_checks.json").read_text(encoding="utf-8"))
FITS = json.loads((GOLDEN / "presets_aihwkit.json").read_text(encoding="utf-8"))["inference_noise"]
K_EV = 8.617333262e-5


def test_the_limited_sinh_is_sinh_and_goes_on_as_a_straight_line():
    for u in (-40.0, -3.0, 0.0, 1e-9, 0.02, 39.0):
        assert functions.limsinh(u) == math.sinh(u)
    assert functions.limsinh(1e4) == pytest.approx(math.sinh(40.0) * 9961)
    assert functions.limsinh(-1e4) == -functions.limsinh(1e4)


def test_stanford_pku_resistances_are_the_published_ones():
    check, p = CHECKS["stanford_pku_resistance"], StanfordPKU()
    v = check["V_read"]
    assert (p.i0, p.g0, p.v0) == (check["I0_A"], check["g0_nm"] * 1e-9, check["V0_V"])
    for gap, r in zip(check["gap_nm"], check["R_ohm"], strict=True):
        x = (p.gap_max - gap * 1e-9) / (p.gap_max - p.gap_min)
        assert v / current(p, v, x) == pytest.approx(r, rel=1e-7)


@pytest.mark.parametrize("v", [-1.7, -0.4, 1.6])
def test_stanford_pku_moves_its_gap_as_its_equation_says(v):
    p = StanfordPKU()
    gap = 0.8e-9
    x = (p.gap_max - gap) / (p.gap_max - p.gap_min)
    i = p.i0 * math.exp(-gap / p.g0) * math.sinh(v / p.v0)
    kt = K_EV * (p.t_amb + p.r_th * abs(v * i))
    gamma = p.gamma0 - p.beta * 0.8**3
    gamma = gamma if gamma * abs(v) / p.t_ox >= p.f_min else 0.0
    speed = p.vel0 * math.exp(-p.e_a / kt) * math.sinh(gamma * p.a0 * v / (p.t_ox * kt))
    assert rate(p, v, x) * (p.gap_max - p.gap_min) == pytest.approx(speed, rel=1e-9)
    assert (speed == 0) == (v == -0.4)


@pytest.mark.parametrize("v", [-1.4, 0.7, 1.4])
def test_the_sky130_filament_grows_as_its_equation_says(v):
    p = FilamentGap()
    t = 4.3e-9
    x = (t - p.t_min) / (p.t_max - p.t_min)
    i = p.i_k1 * math.exp(-(p.t_ox - t) / (p.t_ox - p.t_ref)) * math.sinh(v / p.v_ref)
    assert current(p, v, x) == pytest.approx(i, rel=1e-9)
    kt = K_EV * (p.t_amb + p.tau_th / p.c_th * abs(v * i))
    pull = (p.gamma0 + p.gamma1 * 0.7**3) * p.a0 / p.t_ox * v
    speed = p.velocity * (
        math.exp(-p.e_gen / kt) * math.exp(pull / kt)
        - math.exp(-p.e_rec / kt) * math.exp(-pull / kt)
    )
    assert rate(p, v, x) * (p.t_max - p.t_min) == pytest.approx(speed, rel=1e-8)


def test_the_sky130_card_holds_the_published_numbers():
    p = presets()["SkyWater-sky130"][1].params
    assert p[:15] == (
        3.3e-9, 4.9e-9, 5e-9, 4.7249e-9, 6.14e-5, 0.43, 150.0, 1.501, 1.5, 16.5, -1.25, 0.25e-9,
        300.0, 3.1825e-16, 0.23e-9,
    )  # fmt: skip


def test_yakopcic_rests_between_its_thresholds_and_slows_down_at_its_bounds():
    p = Yakopcic()
    for v in (-p.v_n, -0.1, 0.0, 0.1, p.v_p):
        assert rate(p, v, 0.5) == 0
    free = p.a_p * (math.exp(0.3) - math.exp(p.v_p)) / (1 - p.x_off)
    assert rate(p, 0.3, (0.2 - p.x_off) / (1 - p.x_off)) == pytest.approx(free, rel=1e-12)
    s = 0.9
    slowed = free * math.exp(-p.alpha_p * (s - p.x_p)) * ((p.x_p - s) / (1 - p.x_p) + 1)
    assert rate(p, 0.3, (s - p.x_off) / (1 - p.x_off)) == pytest.approx(slowed, rel=1e-12)
    assert rate(p, 0.3, 1.0) == pytest.approx(0.0, abs=1e-12)
    s = 0.1
    free = -p.a_n * (math.exp(0.3) - math.exp(p.v_n)) / (1 - p.x_off)
    slowed = free * math.exp(p.alpha_n * (s + p.x_n - 1)) * s / (1 - p.x_n)
    assert rate(p, -0.3, (s - p.x_off) / (1 - p.x_off)) == pytest.approx(slowed, rel=1e-12)


@pytest.mark.parametrize(
    ("shape", "window"),
    [
        (0.0, lambda w, i: 1.0),
        (1.0, lambda w, i: 1 - (2 * w - 1) ** 4),
        (2.0, lambda w, i: 1 - (w - (0 if i >= 0 else 1)) ** 4),
        (3.0, lambda w, i: 0.7 * (1 - ((w - 0.5) ** 2 + 0.75) ** 2)),
    ],
)
def test_linear_ion_drift_has_the_window_functions_of_the_literature(shape, window):
    p = LinearIonDrift(shape=shape, p=2.0, j=0.7)
    for v in (-1.0, 0.3):
        for x in (0.0, 0.2, 0.5, 0.9, 1.0):
            w = p.edge + (1 - 2 * p.edge) * x
            i = v / (100.0 * w + 16e3 * (1 - w))
            drift = p.mu_v * 100.0 / p.d**2 * i * window(w, i)
            assert current(p, v, x) == pytest.approx(i, rel=1e-12)
            assert rate(p, v, x) * (1 - 2 * p.edge) == pytest.approx(drift, rel=1e-9)


def test_linear_ion_drift_takes_resistances_and_a_threshold():
    device = get_device("LinearIonDrift")
    p = make_params(device, {"r_on": 50.0, "r_off": 1000.0, "v_th": 0.55})
    assert (p.g_on, p.g_off) == (1 / 50, 1 / 1000)
    assert rate(p, 0.54, 0.5) == 0 < rate(p, 0.55, 0.5)


def test_steps_of_power_0_and_1_are_constant_and_soft():
    flat = PowStep(gamma_up=0.0, gamma_down=0.0)
    soft = SoftBounds(dg_up=0.5 * 0.475e-6, dg_down=0.5 * 0.475e-6)
    for x in np.linspace(0.05, 0.95, 7):
        assert potentiation(flat, x) == pytest.approx(0.475e-6 / 95e-6)
        assert depression(flat, x) == pytest.approx(0.475e-6 / 95e-6)
        assert potentiation(PowStep(), x) == pytest.approx(potentiation(soft, x), rel=1e-12)
        assert depression(PowStep(), x) == pytest.approx(depression(soft, x), rel=1e-12)


def test_an_exponential_step_without_its_term_is_constant_and_never_falls_below_zero():
    p = ExpStep(a_up=0.0, a_down=0.0)
    for x in (0.0, 0.4, 1.0):
        assert potentiation(p, x) == pytest.approx(potentiation(ConstantStep(), x))
        assert depression(p, x) == pytest.approx(depression(ConstantStep(), x))
    steep = ExpStep(a_up=1.0, gamma_up=200.0, a=1.0)
    assert potentiation(steep, 1.0) == 0 < potentiation(steep, 0.0)


def test_a_table_of_measured_steps_is_interpolated():
    g = np.array([2e-6, 10e-6, 25e-6, 40e-6, 62e-6])
    up, down = np.array([9e-7, 8e-7, 4e-7, 1e-7, 0.0]), np.array([0.0, 1e-7, 1e-7, 5e-7, 9e-7])
    p = piecewise_from_points(g, up, down, v_set=1.2, t_reset=50e-9)
    assert (p.g_min, p.g_max, p.v_set, p.t_reset) == (2e-6, 62e-6, 1.2, 50e-9)
    nodes = np.linspace(p.g_min, p.g_max, NODES)
    for x in np.linspace(0.0, 1.0, 37):
        at = p.g_min + (p.g_max - p.g_min) * x
        for step, table in ((potentiation, up), (depression, down)):
            expected = np.interp(at, nodes, np.interp(nodes, g, table))
            assert step(p, x) * (p.g_max - p.g_min) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (([1e-6], [1e-7], [1e-7]), "lists of one length, at least 2"),
        (([1e-6, 2e-6], [1e-7], [1e-7, 1e-7]), r"shapes \(1,\) and \(2,\)"),
        (([2e-6, 1e-6], [1e-7, 1e-7], [1e-7, 1e-7]), "above 0 S and rising"),
        (([0.0, 1e-6], [1e-7, 1e-7], [1e-7, 1e-7]), "above 0 S and rising"),
        (([1e-6, 2e-6], [-1e-7, 1e-7], [1e-7, 1e-7]), "steps of SET range from -1e-07"),
        (([1e-6, 2e-6], [1e-7, 1e-7], [0.0, 0.0]), "steps of RESET range from 0 to 0 S"),
        (([1e-6, 2e-6], [1e-7, math.nan], [1e-7, 1e-7]), "steps of SET range from nan"),
    ],
)
def test_an_impossible_table_is_refused(points, sentence):
    with pytest.raises(DeviceError, match=sentence):
        piecewise_from_points(*points)


def test_a_tabulated_model_steps_like_the_model():
    for p in (SoftBounds(), presets()["HfO2-1T1R"][1].params):
        table = tabulated(p)
        low, high = conductance(p, 0.2, 0.0), conductance(p, 0.2, 1.0)
        assert (table.g_min, table.g_max) == (low, high)
        for x in (0.1, 0.3, 0.55, 0.8):
            g = conductance(p, 0.2, x)
            step = conductance(p, 0.2, x + potentiation(p, x)) - g
            y = (g - low) / (high - low)
            assert potentiation(table, y) * (high - low) == pytest.approx(step, rel=0.05)


@pytest.mark.parametrize("row", CHECKS["soft_bounds_sgd_bias"]["rows"])
def test_noisy_gradients_pull_soft_bounds_to_their_published_fixed_point(row):
    tau, target, sigma, exact = row[:4]
    p = SoftBounds()  # steps of 1/200 of the weight range at the reference, symmetric
    pulse = p.dg_up / (p.g_max - p.g_min)
    rng = np.random.default_rng(7)
    x: Any = np.full(4000, 0.5)
    means = []
    for k in range(6000):
        w = tau * (2 * x - 1)
        d = -0.005 * (w - target + sigma * rng.standard_normal(x.size))
        # The request counts nominal pulses, of which the cell makes its own steps.
        pulses = d / (2 * tau * pulse)
        x = x + np.where(d > 0, pulses * potentiation(p, x), pulses * depression(p, x))
        if k >= 3000:
            means.append(np.mean(tau * (2 * x - 1)))
    tolerance = CHECKS["soft_bounds_sgd_bias"]["suggested_tolerance_abs"]
    assert np.mean(means) == pytest.approx(exact, abs=tolerance)


def test_phase_change_statistics_are_the_published_ones():
    check, fit = CHECKS["pcm_sigma_prog"], FITS["PCMLike"]
    g = np.array(check["g"]) * pcm.G_MAX
    # The check value at 0 is rounded to 0.2635, the fit has 0.26348.
    np.testing.assert_allclose(pcm.sigma_prog(g), np.array(check["sigma_uS"]) * 1e-6, atol=3e-11)
    precise = np.array(fit["check"]["sigma_prog_uS"]) * 1e-6
    np.testing.assert_allclose(pcm.sigma_prog(g), precise, atol=1e-12)
    assert (fit["g_max_uS"] * 1e-6, fit["t_0_s"]) == (pytest.approx(pcm.G_MAX), pcm.T_0)
    assert fit["t_read_s"] == pcm.T_READ
    for x in (0.0, 1e-3, 0.04, 0.2, 1.0):
        log = math.log(max(x, 1e-12))
        for function, name in ((pcm.nu_mean, "nu_mean"), (pcm.nu_std, "nu_std")):
            f = fit[name]
            value = min(max(f["slope"] * log + f["offset"], f["min"]), f["max"])
            assert function(x * pcm.G_MAX) == pytest.approx(value, rel=1e-12)
        f = fit["read"]
        q = min(f["coef"] / max(x ** f["exponent"], f["floor"]), f["cap"])
        assert pcm.q_s(x * pcm.G_MAX) == pytest.approx(q, rel=1e-9)


def test_read_noise_of_phase_change_grows_with_the_square_root_of_a_logarithm():
    g = 10e-6
    t = np.array([pcm.T_READ, 1.0, 1e4])
    expected = g * pcm.q_s(g) * np.sqrt(np.log((t + pcm.T_READ) / (2 * pcm.T_READ)))
    np.testing.assert_allclose(pcm.read_sigma(g, g, t), expected)
    assert pcm.read_sigma(g, g, pcm.T_READ) == 0


@pytest.mark.parametrize(("label", "t"), [("1s", 1.0), ("1day", 86400.0), ("2days", 172800.0)])
def test_wan_2022_polynomials_give_the_published_values(label, t):
    check = CHECKS["wan2022_sigma"]
    g = np.array(check["g"]) * inference_noise.WAN2022_G_MAX
    sigma = np.array(check["sigma_uS"][label]) * 1e-6
    np.testing.assert_allclose(inference_noise.wan2022_sigma(g, t), sigma, atol=1e-12)
    with pytest.raises(DeviceError, match=r"no fit after 60 s; allowed is one of 1, 86400"):
        inference_noise.wan2022_sigma(g, 60.0)


def test_cmo_hfox_fits_have_the_published_coefficients():
    fit = FITS["ReRamCMO"]
    g, t = np.array([9e-6, 40e-6, 88e-6]), np.array([1.0, 3600.0, 1e6])
    for percent, (offset, slope) in fit["sigma_prog_coeff_by_acceptance_percent"].items():
        expected = (offset + slope * g * 1e6) * 1e-6
        sigma = inference_noise.cmo_sigma_prog(g, float(percent) / 100)
        np.testing.assert_allclose(sigma, expected, rtol=1e-12)
    mean, std, read = fit["drift_mean_uS"], fit["drift_std_uS"], fit["read"]
    log = np.log(t)
    np.testing.assert_allclose(inference_noise.cmo_drift_mean(t), mean["slope"] * log * 1e-6)
    expected = (std["slope"] * log + std["offset"]) * 1e-6
    np.testing.assert_allclose(inference_noise.cmo_drift_std(t), expected)
    t_read = read["t_read_s"]
    scale = np.sqrt(np.log((t + t_read) / (2 * t_read)))
    expected = read["K"] * np.log10(g * 1e6) * scale * 1e-6
    np.testing.assert_allclose(inference_noise.cmo_read_sigma(g, t), expected)
    with pytest.raises(DeviceError, match=r"tolerance of 0.2; allowed is 0.002 or 0.02"):
        inference_noise.cmo_sigma_prog(g, 0.2)


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        ("ExpStep", {"gamma_up": -1.0}),
        ("FilamentGap", {"t_max": 6e-9}),
        ("FilamentGap", {"e_gen": 0.0}),
        ("FilamentGap", {"v_set": -1.4, "v_reset": 1.4}),
        ("LinearIonDrift", {"shape": 1.5}),
        ("LinearIonDrift", {"edge": 0.0}),
        ("LinearIonDrift", {"v_th": 2.0}),
        ("LinearIonDrift", {"g_on": 1e-6}),
        ("PhaseChange", {"boost": -1.0}),
        ("PiecewiseStep", {"up_3": -0.1}),
        ("PowStep", {"gamma_down": -1.0}),
        ("StanfordPKU", {"e_a": 0.0}),
        ("StanfordPKU", {"v_set": -1.4, "v_reset": 1.4}),
        ("Yakopcic", {"x_p": 1.0}),
        ("Yakopcic", {"a_n": -1.0}),
        ("Yakopcic", {"v_set": 0.1}),
    ],
)
def test_models_refuse_what_contradicts_their_equations(model, wrong):
    with pytest.raises(DeviceError, match=rf"{model}: .*allowed is"):
        make_params(devices()[model], wrong)


def test_a_one_sided_cell_is_full_after_some_pulses_and_empty_after_one():
    p = get_preset("PCM")[1].params
    x, pulses = 0.0, 0
    while x < 1:
        x, pulses = min(x + potentiation(p, x), 1.0), pulses + 1
    assert 10 < pulses < 200
    assert x - depression(p, x) == 0
