"""Laws that every device model must obey; a new device file is tested the moment it exists."""

import math
import re
import subprocess
import sys

import numpy as np
import pytest

from ohmlearn.devices import (
    Device,
    check_params,
    conductance,
    current,
    depression,
    devices,
    get_device,
    get_preset,
    nominal_step,
    potentiation,
    presets,
    rate,
)
from ohmlearn.devices.contract import WRITE_THRESHOLD
from ohmlearn.devices.models.constant_step import ConstantStep
from ohmlearn.errors import DeviceError

STATES = np.linspace(0.0, 1.0, 41)
VOLTAGES = np.linspace(-5.0, 5.0, 21)
CASES = [
    *((f"{name} defaults", d, d.params()) for name, d in devices().items()),
    *((name, d, preset.params) for name, (d, preset) in presets().items()),
]
DYNAMICAL = {name: p for name, device, p in CASES if device.dynamical}
every_cell = pytest.mark.parametrize(
    ("device", "p"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)


def test_the_registry_holds_the_models_and_presets_of_the_field():
    assert {"ConstantStep", "LinearStep", "NeuroSim", "SoftBounds", "VTEAM"} <= set(devices())
    aihwkit = {"Capacitor", "EcRam", "EcRamMO", "GokmenVlasov", "Idealized", "ReRamSB"}
    neurosim = {"Ag:a-Si", "AlOx/HfO2", "EpiRAM", "PCMO", "TaOx/HfOx"}
    assert len(presets()) == sum(len(device.presets) for device in devices().values())
    assert aihwkit | neurosim | {"HfO2-1T1R-demo", "VTEAM-MemTorch"} <= set(presets())


@pytest.mark.parametrize("device", devices().values(), ids=devices())
def test_every_parameter_has_unit_and_meaning_and_every_model_a_source(device):
    for field in device.fields().values():
        assert field.unit in {"S", "S/pulse", "V", "s", "1/s", "1", "pulses"}, field
        assert len(field.meaning) > 10, field
        assert isinstance(field.default, float), field
    assert device.params._fields[-4:] == ("v_set", "t_set", "v_reset", "t_reset")
    assert set(device.window) | set(device.steps) <= set(device.params._fields)
    assert re.search(r"20\d\d, doi:10\.", device.reference)


@pytest.mark.parametrize("name", presets())
def test_every_preset_names_its_source_or_says_that_it_is_our_choice(name):
    preset = presets()[name][1]
    cites = re.search(r"doi:10\.\d{4}", preset.source)
    assert cites or preset.source.startswith("our choice")
    assert preset.set_pulse.width > 0
    assert preset.set_pulse.amplitude * preset.reset_pulse.amplitude < 0


@every_cell
def test_parameters_are_possible(device, p):
    check_params(device, p)


@every_cell
def test_no_current_without_voltage_and_no_power_delivered(device, p):
    for x in STATES:
        assert current(p, 0.0, x) == 0.0
        assert all(v * current(p, v, x) > 0 for v in VOLTAGES if v != 0)


@every_cell
def test_conductance_rises_with_the_state_from_end_to_end_of_the_window(device, p):
    g = np.array([conductance(p, 0.1, x) for x in STATES])
    low, high = (getattr(p, name) for name in device.window)
    assert np.all(np.diff(g) > 0)
    assert g[0] == pytest.approx(low, rel=1e-12)
    assert g[-1] == pytest.approx(high, rel=1e-12)


@every_cell
def test_pulses_move_the_state_the_right_way_by_less_than_the_window(device, p):
    for x in STATES:
        assert 0 <= potentiation(p, x) < 1
        assert 0 <= depression(p, x) < 1
    assert potentiation(p, 0.5) > 0
    assert depression(p, 0.5) > 0
    assert 0 < nominal_step(p) < 0.5


@every_cell
def test_pulses_reach_both_ends_of_the_window(device, p):
    for start, step, end in ((0.0, potentiation, 1.0), (1.0, lambda p, x: -depression(p, x), 0.0)):
        x = start
        for _ in range(math.ceil(12 / nominal_step(p))):
            x = min(max(x + step(p, x), 0.0), 1.0)
        assert x == pytest.approx(end, abs=1e-3)


@every_cell
def test_the_rate_has_the_sign_of_the_pulse_and_vanishes_when_half_selected(device, p):
    for x in (0.2, 0.5, 0.8):
        assert rate(p, p.v_set, x) > 0 > rate(p, p.v_reset, x)
        assert rate(p, 0.0, x) == 0
        if not device.dynamical:
            assert rate(p, p.v_set, x) * p.t_set == pytest.approx(potentiation(p, x))
            assert rate(p, p.v_reset, x) * p.t_reset == pytest.approx(-depression(p, x))
            assert rate(p, 0.99 * WRITE_THRESHOLD * p.v_set, x) == 0
            assert rate(p, p.v_reset / 2, x) == 0


@every_cell
def test_everything_is_finite_far_beyond_the_pulse(device, p):
    for v in VOLTAGES:
        for x in STATES:
            assert math.isfinite(current(p, v, x))
            assert math.isfinite(rate(p, v, x))


@pytest.mark.parametrize("p", DYNAMICAL.values(), ids=DYNAMICAL)
def test_a_dynamical_model_takes_the_integral_of_its_rate_as_step(p):
    for x in (0.1, 0.5, 0.9):
        fine, h = x, p.t_set / 20000
        for _ in range(20000):
            fine += h * rate(p, p.v_set, fine + 0.5 * h * rate(p, p.v_set, fine))
        assert potentiation(p, x) == pytest.approx(fine - x, rel=1e-6)


def test_names_are_found_in_any_case_and_a_typing_error_names_the_nearest():
    assert get_device("softbounds") is devices()["SoftBounds"]
    assert get_preset(" taox/hfox")[1] is presets()["TaOx/HfOx"][1]
    with pytest.raises(DeviceError, match="did you mean 'SoftBounds'"):
        get_device("SoftBound")
    with pytest.raises(DeviceError, match="did you mean 'EcRamMO'"):
        get_preset("EcRam-MO")


def test_a_device_must_be_dynamical_or_pulsed_and_must_stand_beside_its_parameters():
    model = devices()["ConstantStep"]
    with pytest.raises(DeviceError, match="either rate, or potentiation and depression"):
        Device("Nothing", ConstantStep, model.current)
    with pytest.raises(DeviceError, match="either rate, or potentiation and depression"):
        Device("Half", ConstantStep, model.current, potentiation=model.potentiation)
    with pytest.raises(DeviceError, match="must define DEVICE"):
        current((1.0, 2.0), 0.1, 0.5)


def test_listing_devices_does_not_import_numba():
    code = (
        "import sys, ohmlearn.devices as d; assert len(d.devices()) and len(d.presets()); "
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
