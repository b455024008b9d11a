"""Each model against its published equations and numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.devices import (
    depression,
    get_preset,
    make_params,
    nominal_step,
    potentiation,
    presets,
    rate,
)
from ohmlearn.devices.models.aihwkit_presets import G_UNIT, G_ZERO
from ohmlearn.devices.models.linear_step import DEVICE as LINEAR_STEP
from ohmlearn.devices.models.linear_step import LinearStep
from ohmlearn.devices.models.neurosim import DEVICE as NEUROSIM
from ohmlearn.devices.models.neurosim import NeuroSim, a_of_nl, nl_of_a
from ohmlearn.devices.models.soft_bounds import SoftBounds
from ohmlearn.devices.models.vteam import DEVICE as VTEAM
from ohmlearn.errors import DeviceError

GOLDEN = Path(__file__).parents[1] / "golden"


def golden(name):
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


AIHWKIT = golden("presets_aihwkit.json")["devices"]
MANUAL = golden("presets_neurosim.json")["devices"]
NL_TABLE = golden("neurosim_nl.json")
TRAVERSE = golden("vteam_traverse.json")


TWO_SIDED = [name for name, d in AIHWKIT.items() if name != "PCM"]


def published_steps(d, w):
    """Return the published steps up and down at weight *w*, in units of dw_min."""
    low, high = d["w_min"], d["w_max"]
    if d["model"].startswith("ExpStep"):
        z = 2 * d["a"] * w / (high - low) + d["b"]
        up = max(1 - d["A_up"] * np.exp(d["gamma_up"] * z), 0)
        down = max(1 - d["A_down"] * np.exp(-d["gamma_down"] * z), 0)
        return up, (1 - d["up_down"]) * down
    if d["model"] == "SoftBoundsReference":
        return 1 - w / high, 1 - w / low
    return 1 - d.get("gamma_up", 0.0) * w / high, 1 - d.get("gamma_down", 0.0) * w / low


@pytest.mark.parametrize("name", TWO_SIDED)
def test_aihwkit_presets_step_as_published_in_units_of_weight(name):
    published, (_, preset) = AIHWKIT[name], get_preset(name)
    p, low, high = preset.params, published["w_min"], published["w_max"]
    for w in np.linspace(low, high, 9):
        x = (w - low) / (high - low)
        up, down = published_steps(published, w)
        to_weight = (p.g_max - p.g_min) / G_UNIT
        assert potentiation(p, x) * to_weight == pytest.approx(
            published["dw_min"] * up, rel=1e-9, abs=1e-15
        )
        assert depression(p, x) * to_weight == pytest.approx(
            published["dw_min"] * down, rel=1e-9, abs=1e-15
        )


def test_the_phase_change_preset_steps_as_published_and_is_erased_by_one_pulse():
    published, (device, preset) = AIHWKIT["PCM"], get_preset("PCM")
    p = preset.params
    for w in np.linspace(0.0, 2.0, 9):
        up, _ = published_steps(published, w)
        assert 2 * potentiation(p, w / 2) == pytest.approx(published["dw_min"] * up, rel=1e-9)
        assert depression(p, w / 2) == w / 2
    assert device.one_sided
    assert nominal_step(p) == potentiation(p, 0.5)
    assert preset.effects.device_to_device == {"step": 0.2, "g_max": published["w_max_dtod"]}
    assert preset.effects.cycle_to_cycle.sigma == published["dw_min_std"]


@pytest.mark.parametrize("name", TWO_SIDED)
def test_aihwkit_presets_carry_the_published_window_and_noise(name):
    published, (_, preset) = AIHWKIT[name], get_preset(name)
    p, effects = preset.params, preset.effects
    assert (p.g_min - G_ZERO) / G_UNIT == pytest.approx(published["w_min"])
    assert (p.g_max - G_ZERO) / G_UNIT == pytest.approx(published["w_max"])
    assert p.g_ref == G_ZERO
    spread = dict(effects.device_to_device)
    step = "step_log" if published.get("dw_min_dtod_log_normal") else "step"
    for ours, theirs in (
        (step, "dw_min_dtod"),
        ("asymmetry", "up_down_dtod"),
        ("w_max", "w_max_dtod"),
        ("w_min", "w_min_dtod"),
    ):
        assert spread.pop(ours, 0.0) == published[theirs]
    for gamma in ("gamma_up", "gamma_down"):
        if f"{gamma}_dtod" in published:
            absolute = spread.pop(gamma) * published[gamma]
            assert absolute == pytest.approx(published[f"{gamma}_dtod"])
    assert not spread
    assert effects.cycle_to_cycle.sigma == published["dw_min_std"]
    additive = published.get("mult_noise") is False
    assert effects.cycle_to_cycle.of == ("nominal" if additive else "step")
    # Both noises that count in steps come out as the published multiples of dw_min.
    write_noise = effects.write_noise * nominal_step(p) * (p.g_max - p.g_min) / G_UNIT
    expected = (published["write_noise_std"] or 0.0) * published["dw_min"]
    assert write_noise == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", MANUAL)
def test_neurosim_presets_hold_the_numbers_of_the_manual(name):
    published, (_, preset) = MANUAL[name], get_preset(name)
    p = preset.params
    assert p.g_max == pytest.approx(published["G_max_S"], rel=2e-5)
    assert p.g_min == pytest.approx(published["G_min_S"], rel=2e-5)
    assert nl_of_a(p.a_up) == pytest.approx(published["NL_LTP"], rel=1e-9, abs=1e-4)
    assert nl_of_a(p.a_down) == pytest.approx(published["NL_LTD"], rel=1e-9, abs=1e-4)
    # The RESET pulses of Ag:a-Si are those of NeuroSim's code, which the manual does not give.
    states = {"GST PCM": 100}.get(name, published["states"])
    assert (p.n_up, p.n_down) == (states, 100 if name == "Ag:a-Si" else p.n_up)
    assert preset.set_pulse == (published["LTP_V"], published["LTP_pulse_s"])
    assert abs(preset.reset_pulse.amplitude) == abs(published["LTD_V"])
    assert preset.reset_pulse.width == published["LTD_pulse_s"]
    sigma = float(str(published["C2C_sigma_fraction"]).lstrip("<"))
    assert preset.effects.cycle_to_cycle.sigma == sigma
    assert preset.effects.cycle_to_cycle.of == "window"


@pytest.mark.parametrize("nl", NL_TABLE["A_norm"])
def test_the_nonlinearity_label_agrees_with_neurosims_table(nl):
    published = NL_TABLE["A_norm"][nl]
    assert a_of_nl(float(nl)) == pytest.approx(published, rel=NL_TABLE["tolerance_rel"])
    assert a_of_nl(-float(nl)) == -a_of_nl(float(nl))


@pytest.mark.parametrize("nl", NL_TABLE["closed_form_A_norm"])
def test_the_nonlinearity_label_inverts_the_closed_form(nl):
    assert a_of_nl(float(nl)) == pytest.approx(NL_TABLE["closed_form_A_norm"][nl], rel=1e-8)


def test_labels_are_parameters_of_their_own():
    p = make_params(NEUROSIM, {"nl_up": 2.4, "nl_down": -4.88})
    assert (p.a_up, p.a_down) == (a_of_nl(2.4), a_of_nl(-4.88))
    with pytest.raises(DeviceError, match=r"nl_up is 9.5; allowed is -9 to 9"):
        make_params(NEUROSIM, {"nl_up": 9.5})
    with pytest.raises(DeviceError, match="gives 'a_up' a second time"):
        make_params(NEUROSIM, {"nl_up": 1.0, "a_up": 1.0})


@pytest.mark.parametrize("name", MANUAL)
@pytest.mark.parametrize("bend", [1.0, -1.0])
def test_n_pulses_lead_from_end_to_end_on_the_published_curve(name, bend):
    p = get_preset(name)[1].params
    p = p._replace(a_up=bend * p.a_up, a_down=bend * p.a_down)
    up, down = [0.0], [1.0]
    for _ in range(int(p.n_up)):
        up.append(up[-1] + potentiation(p, up[-1]))
    for _ in range(int(p.n_down)):
        down.append(down[-1] - depression(p, down[-1]))
    k = np.arange(p.n_up + 1) / p.n_up
    np.testing.assert_allclose(
        up, (1 - np.exp(-k / p.a_up)) / (1 - np.exp(-1 / p.a_up)), atol=1e-12
    )
    k = 1 - np.arange(p.n_down + 1) / p.n_down
    np.testing.assert_allclose(
        down, (1 - np.exp(-k / p.a_down)) / (1 - np.exp(-1 / p.a_down)), atol=1e-9
    )


def test_a_label_of_zero_is_a_straight_line():
    p = make_params(NEUROSIM, {"nl_up": 0.0, "nl_down": 0.0, "n_up": 50.0, "n_down": 20.0})
    for x in (0.0, 0.5, 1.0):
        assert potentiation(p, x) == pytest.approx(1 / 50, rel=1e-4)
        assert depression(p, x) == pytest.approx(1 / 20, rel=1e-4)


def test_linear_step_with_unit_slope_is_soft_bounds_and_without_slope_constant():
    soft = SoftBounds()
    linear = LinearStep(*soft[:5], 1.0, 1.0, *soft[5:])
    flat = linear._replace(gamma_up=0.0, gamma_down=0.0)
    for x in np.linspace(0, 1, 11):
        assert potentiation(linear, x) == pytest.approx(potentiation(soft, x), abs=1e-15)
        assert depression(linear, x) == pytest.approx(depression(soft, x), abs=1e-15)
        assert potentiation(flat, x) == pytest.approx(flat.dg_up / (flat.g_max - flat.g_min))


def test_a_steep_linear_step_stops_at_zero():
    p = make_params(LINEAR_STEP, {"gamma_up": 3.0, "gamma_down": 3.0})
    assert potentiation(p, 1.0) == 0
    assert depression(p, 0.0) == 0
    with pytest.raises(DeviceError, match=r"gamma_up is -1, .*allowed is >= 0"):
        make_params(LINEAR_STEP, {"gamma_up": -1.0})


def test_soft_bounds_pulses_balance_at_the_symmetry_point():
    p = SoftBounds(dg_up=0.3e-6, dg_down=0.2e-6)
    b_max, b_min = p.g_max - p.g_ref, p.g_min - p.g_ref
    g = p.g_ref + (p.dg_up - p.dg_down) / (p.dg_up / b_max - p.dg_down / b_min)
    x = (g - p.g_min) / (p.g_max - p.g_min)
    assert potentiation(p, x) == pytest.approx(depression(p, x), rel=1e-12)


@pytest.mark.parametrize(("v", "t"), list(zip(TRAVERSE["V"], TRAVERSE["t_s"], strict=True)))
def test_vteam_traverses_its_window_in_the_published_time(v, t):
    p = presets()["VTEAM-MemTorch"][1].params
    assert rate(p, v, 0.5) == pytest.approx(-np.sign(v) / t, rel=2e-5)
    assert p.k_off * TRAVERSE["D_m"] == pytest.approx(TRAVERSE["k_off"])
    assert p.k_on * TRAVERSE["D_m"] == pytest.approx(TRAVERSE["k_on"])


def test_vteam_rests_below_threshold_stops_at_bounds_and_never_locks():
    p = VTEAM.params()
    for v in (p.v_on, -0.1, 0.0, 0.1, p.v_off):
        assert rate(p, v, 0.5) == 0
    assert rate(p, p.v_set, 1.0) == 0
    assert rate(p, p.v_reset, 0.0) == 0
    assert rate(p, p.v_set, 0.0) > 0
    assert rate(p, p.v_reset, 1.0) < 0


def test_vteam_takes_resistances():
    p = make_params(VTEAM, {"r_on": 50.0, "r_off": 1000.0})
    assert (p.g_on, p.g_off) == (1 / 50, 1 / 1000)
    with pytest.raises(DeviceError, match=r"r_on is 0.0; allowed is > 0 ohm"):
        make_params(VTEAM, {"r_on": 0.0})


@pytest.mark.parametrize(
    "wrong", [{"v_on": 0.5}, {"k_off": -1.0}, {"ramp": 0.0}, {"alpha_on": 0.0}, {"v_set": -0.5}]
)
def test_vteam_refuses_what_contradicts_its_equations(wrong):
    with pytest.raises(DeviceError, match=r"VTEAM: .*allowed is"):
        make_params(VTEAM, wrong)


@pytest.mark.parametrize("wrong", [{"a_up": 0.0}, {"n_down": 0.5}])
def test_neurosim_refuses_what_contradicts_its_equations(wrong):
    assert isinstance(NEUROSIM.params(), NeuroSim)
    with pytest.raises(DeviceError, match=r"NeuroSim: .*allowed is"):
        make_params(NEUROSIM, wrong)
