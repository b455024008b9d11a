"""Laws that every device model must obey; a new device file is tested the moment it exists."""

import ast
import inspect
import math
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from ohmlearn.devices import (
    Device,
    check_params,
    conductance,
    conductance_step,
    current,
    depression,
    devices,
    get_device,
    get_preset,
    nominal_step,
    potentiation,
    presets,
    rate,
    window_of,
)
from ohmlearn.devices import functions as helpers
from ohmlearn.devices.contract import WRITE_THRESHOLD
from ohmlearn.devices.models.constant_step import ConstantStep
from ohmlearn.errors import DeviceError

STATES = np.linspace(0.0, 1.0, 41)
VOLTAGES = np.linspace(-5.0, 5.0, 21)
CASES = [
    *((f"{name} defaults", d, d.params()) for name, d in devices().items()),
    *((name, d, preset.params) for name, (d, preset) in presets().items()),
]
YEAR = 3.15e7
# A memory cell of two states: SET runs away from the middle, RESET rests before the end.
TWO_STATES = {"FilamentGap"}
UNITS = {
    "S", "S/pulse", "V", "s", "1/s", "1", "pulses", "A", "1/V", "V/m", "m", "m/s", "m2/(V s)",
    "eV", "K", "K/W", "J/K",
}  # fmt: skip
every_cell = pytest.mark.parametrize(
    ("device", "p"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)


def test_the_registry_holds_the_models_and_presets_of_the_field():
    models = {"ConstantStep", "ExpStep", "LinearStep", "NeuroSim", "PiecewiseStep", "PowStep"}
    models |= {"FilamentGap", "LinearIonDrift", "PhaseChange", "SoftBounds", "StanfordPKU"}
    assert models | {"VTEAM", "Yakopcic"} <= set(devices())
    aihwkit = {"Capacitor", "EcRam", "EcRamMO", "GokmenVlasov", "Idealized", "PCM", "ReRamES"}
    aihwkit |= {"ReRamArrayHfO2", "ReRamArrayOM", "ReRamSB"}
    neurosim = {"Ag:a-Si", "AlOx/HfO2", "EpiRAM", "GST PCM", "HZO FeFET", "IdealDevice", "PCMO"}
    neurosim |= {"TaOx/HfOx", "TaOx/TiO2"}
    dynamical = {"SkyWater-sky130", "Stanford-PKU", "VTEAM-MemTorch", "Yakopcic-Oblea"}
    assert aihwkit | neurosim | dynamical | {"HfO2-1T1R", "HfO2-1T1R-demo"} <= set(presets())
    assert len(presets()) == sum(len(device.presets) for device in devices().values())
    assert not {name.lower() for name in presets()} & {name.lower() for name in devices()}
    assert len(CASES) >= 43, "every model and every preset is under the tests of this file"


@pytest.mark.parametrize("device", devices().values(), ids=devices())
def test_every_parameter_has_unit_and_meaning_and_every_model_a_source(device):
    for field in device.fields().values():
        assert field.unit in UNITS, field
        assert len(field.meaning) > 10, field
        assert isinstance(field.default, float), field
    assert device.params._fields[-4:] == ("v_set", "t_set", "v_reset", "t_reset")
    named = {*(device.window or ()), *(device.bounds or ()), *device.steps}
    assert named | {field for field, _ in device.derive.values()} <= set(device.params._fields)
    assert re.search(r"20\d\d, (doi:10\.|https://)", device.reference)


@pytest.mark.parametrize("name", presets())
def test_every_preset_names_its_source_or_says_that_it_is_our_choice(name):
    preset = presets()[name][1]
    cites = re.search(r"doi:10\.\d{4}|https://", preset.source)
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
    low, high = window_of(device, p, 0.1)
    assert np.all(np.diff(g) > 0)
    assert g[0] == pytest.approx(low, rel=1e-12)
    assert g[-1] == pytest.approx(high, rel=1e-12)


@every_cell
def test_pulses_move_the_state_the_right_way_by_less_than_the_window(device, p):
    for x in STATES:
        assert 0 <= potentiation(p, x) < 1
        assert 0 <= depression(p, x) <= (x if device.one_sided else 0.99)
    assert potentiation(p, 0.5) > 0
    assert depression(p, 0.5) > 0
    assert 0 < nominal_step(p) < 0.5


@every_cell
def test_the_conductance_step_is_that_of_a_pulse_at_mid_window(device, p):
    low, high = window_of(device, p, 0.2)
    step = conductance_step(p, 0.2)
    assert 0 < step < high - low
    if not device.dynamical:
        assert step == pytest.approx(nominal_step(p) * (high - low), rel=1e-9)
    if device.name == "VTEAM":  # resistance linear in the state: dG = G^2 (R_off - R_on) dx
        slope = (0.5 * (low + high)) ** 2 * (1 / low - 1 / high)
        assert step == pytest.approx(nominal_step(p) * slope, rel=0.02)


@every_cell
def test_pulses_reach_both_ends_of_the_window(device, p):
    two_states = device.name in TWO_STATES
    for start, step, end in ((0.0, potentiation, 1.0), (1.0, lambda p, x: -depression(p, x), 0.0)):
        x = 0.6 if two_states and start == 0 else start
        for _ in range(math.ceil(12 / nominal_step(p))):
            x = min(max(x + step(p, x), 0.0), 1.0)
        assert x == pytest.approx(end, abs=0.45 if two_states and end == 0 else 1e-3)


@every_cell
def test_the_rate_has_the_sign_of_the_pulse_and_vanishes_when_half_selected(device, p):
    for x in (0.2, 0.5, 0.8):
        assert rate(p, p.v_set, x) > 0 > rate(p, p.v_reset, x)
        assert abs(rate(p, 0.0, x)) * YEAR < 1e-6
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


ALLOWED = (
    ast.Load, ast.Store, ast.Name, ast.Constant, ast.Attribute, ast.Assign, ast.Return, ast.IfExp,
    ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Call, ast.operator, ast.unaryop,
    ast.cmpop, ast.boolop,
)  # fmt: skip
CALLS = {"abs", "max", "min", *helpers.__all__}


def restricted(function):
    """Check that the text of *function* is what Numba and SPICE can both take."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(tree, ast.FunctionDef)
    known = {argument.arg for argument in tree.args.args}
    calls = CALLS | set(dir(math))
    for statement in tree.body[1:] if ast.get_docstring(tree) else tree.body:
        assert isinstance(statement, ast.Assign | ast.Return), ast.dump(statement)
        for node in ast.walk(statement):
            assert isinstance(node, ALLOWED), ast.dump(node)
            if isinstance(node, ast.Constant):
                assert isinstance(node.value, float), "a literal must be a float"
            if isinstance(node, ast.Compare):
                assert len(node.ops) == 1, "a chain of comparisons"
            if isinstance(node, ast.Call):
                assert isinstance(node.func, ast.Name)
                assert node.func.id in calls
            elif isinstance(node, ast.Attribute):
                assert isinstance(node.value, ast.Name)
                assert node.value.id == "p"
        if isinstance(statement, ast.Assign):
            known |= {name.id for name in statement.targets if isinstance(name, ast.Name)}
        names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        assert names <= known | calls, "a model function reads no global names"


@pytest.mark.parametrize("device", devices().values(), ids=devices())
def test_model_functions_are_written_in_restricted_python(device):
    texts = [device.current, device.rate, device.potentiation, device.depression]
    for function in filter(None, texts):
        restricted(function)


def test_the_check_of_restricted_python_sees_a_loop_an_integer_and_a_global():
    def loop(p, x):
        for _ in range(3):
            x = x * p.a
        return x

    def integer(p, x):
        return 2 * x

    def reads_a_global(p, x):
        return YEAR * x

    for function in (loop, integer, reads_a_global):
        with pytest.raises(AssertionError):
            restricted(function)


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
