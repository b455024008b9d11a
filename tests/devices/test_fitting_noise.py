"""Noise told apart, what the data leave open said so, and the preset that comes out."""

import sys
from typing import Annotated, Any, NamedTuple

import numpy as np
import pytest

from ohmlearn.devices import Device, check_params, devices, get_device, make_params
from ohmlearn.devices.fitting.coordinates import make_search
from ohmlearn.devices.fitting.estimate import fit_model
from ohmlearn.devices.fitting.likelihood import deviation, log_likelihood, loss, scale
from ohmlearn.devices.fitting.noise import noise_of
from ohmlearn.devices.fitting.presets import preset_of
from ohmlearn.devices.fitting.problem import Problem, hold_redundant
from ohmlearn.devices.fitting.synthetic import make_traces
from ohmlearn.devices.fitting.traces import Traces
from ohmlearn.errors import DeviceError

SOFT = get_device("SoftBounds")
CELL = make_params(
    SOFT, {"g_min": 8e-6, "g_max": 95e-6, "g_ref": 51.5e-6, "dg_up": 1.3e-6, "dg_down": 1.7e-6}
)
TRAINS = [80, -80] * 4


def terms(traces: Traces, seed: int = 0) -> dict[str, float]:
    fit = fit_model(SOFT, traces, seed)
    return {term.effect: term.value for term in noise_of(fit, traces).terms}


def several(cells: list[Any], **noise: float) -> Traces:
    parts = [make_traces(p, TRAINS, seed=k, **noise) for k, p in enumerate(cells)]
    n = np.array([part.g.size for part in parts])
    device = np.repeat(np.arange(len(cells)), n)
    g, pulses = (np.concatenate([getattr(part, a) for part in parts]) for a in ("g", "pulses"))
    return Traces(g, pulses, device, device)


def test_the_loss_is_twice_the_negative_log_likelihood_and_its_slopes_are_right():
    r = np.array([0.0, 0.3, -1.0, 4.0])
    z = (r / 0.5) ** 2
    value, slope, curvature = loss(z)
    direct = -2 * (log_likelihood(r, 0.5) - 4 * log_likelihood(np.zeros(1), 0.5))
    assert value.sum() == pytest.approx(direct)
    h = 1e-6
    np.testing.assert_allclose(slope, (loss(z + h)[0] - loss(z - h)[0]) / (2 * h), rtol=1e-6)
    np.testing.assert_allclose(curvature, (loss(z + h)[1] - loss(z - h)[1]) / (2 * h), rtol=1e-6)


def test_scale_and_deviation_hardly_hear_of_outliers():
    rng = np.random.default_rng(0)
    r = rng.standard_normal(4000)
    wild = r.copy()
    wild[:120] = 100.0
    assert deviation(r) == pytest.approx(1.0, rel=0.05)
    assert deviation(wild) == pytest.approx(deviation(r), rel=0.06)
    assert scale(wild, 1e-9) < 1.25 * scale(r, 1e-9)


def test_noise_of_the_reading_does_not_stay_in_the_cell():
    found = terms(make_traces(CELL, TRAINS, seed=1, noise=0.03, outliers=0.03))
    assert list(found) == ["write_noise"]
    # 3 % of the window of 87 uS, in steps of 1.5 uS
    assert found["write_noise"] == pytest.approx(0.03 * 87 / 1.5, rel=0.1)


def test_noise_of_the_pulse_stays_in_the_cell():
    found = terms(make_traces(CELL, TRAINS, seed=2, noise=0.004, cycle_to_cycle=0.6))
    assert found["cycle_to_cycle, of step"] == pytest.approx(0.6, rel=0.35)


def test_noise_in_proportion_to_the_conductance_is_read_noise():
    clean = make_traces(CELL, TRAINS, seed=0)
    rng = np.random.default_rng(5)
    noisy = clean.g * (1 + 0.04 * rng.standard_normal(clean.g.size))
    found = terms(Traces(noisy, clean.pulses, clean.segment, clean.device))
    assert found == {"read_noise": pytest.approx(0.04, rel=0.1)}


def test_the_spread_between_cells_is_found():
    rng = np.random.default_rng(3)
    cells = [
        CELL._replace(dg_up=CELL.dg_up * f, dg_down=CELL.dg_down * f)
        for f in 1 + 0.2 * rng.standard_normal(8)
    ]
    traces = several(cells, noise=0.01)
    found = terms(traces)
    drawn = np.std([p.dg_up / CELL.dg_up for p in cells], ddof=1)
    assert found["device_to_device, step"] == pytest.approx(drawn, rel=0.15)
    assert found["device_to_device, g_max"] < 0.05
    # Two cells are too few to speak of a spread.
    assert "device_to_device, step" not in terms(several(cells[:2], noise=0.01))


def test_a_train_of_set_pulses_says_nothing_of_reset():
    traces = make_traces(CELL, [150], seed=0, noise=0.02)
    fit = fit_model(SOFT, traces)
    assert fit.unmeasured == ("dg_down",)
    params, mirrored = fit.completed
    assert mirrored == ("dg_down",)
    assert params.dg_down == params.dg_up
    preset = preset_of(fit, noise_of(fit, traces), traces)
    assert "dg_down taken from the other direction" in preset.note
    check_params(SOFT, preset.params)


def test_an_end_of_the_window_that_was_never_near_is_not_determined():
    constant = devices()["ConstantStep"]
    p = make_params(constant, {"g_min": 1e-6, "g_max": 200e-6, "dg_up": 0.5e-6})
    fit = fit_model(constant, make_traces(p, [40, -40], seed=0, noise=0.002, x0=0.3))
    status = {q.name: q.status for q in fit.parameters}
    assert status["dg_up"] == "fitted"
    assert status["g_min"] != "fitted"
    assert status["g_max"] != "fitted"


class Twofold(NamedTuple):
    """A constant step as the product of two numbers, which no reading can tell apart."""

    g_min: Annotated[float, "S", "lower end of the window"] = 10e-6
    g_max: Annotated[float, "S", "upper end of the window"] = 100e-6
    dg_up: Annotated[float, "S/pulse", "step of SET, first factor"] = 2e-6
    dg_down: Annotated[float, "S/pulse", "step of RESET"] = 2e-6
    factor: Annotated[float, "1", "step of SET, second factor"] = 1.0
    v_set: Annotated[float, "V", "SET amplitude"] = 2.0
    t_set: Annotated[float, "s", "SET width"] = 1e-7
    v_reset: Annotated[float, "V", "RESET amplitude"] = -2.0
    t_reset: Annotated[float, "s", "RESET width"] = 1e-7


def _current(p: Any, v: float, x: float) -> float:
    return (p.g_min + (p.g_max - p.g_min) * x) * v


def _up(p: Any, x: float) -> float:
    return p.factor * p.dg_up / (p.g_max - p.g_min)


def _down(p: Any, x: float) -> float:
    return p.dg_down / (p.g_max - p.g_min)


def _negative(p: Any) -> str:
    return "" if p.factor > 0 else "factor must be > 0."


DEVICE = Device(
    "Twofold", Twofold, _current, potentiation=_up, depression=_down, objection=_negative
)


def test_a_parameter_that_others_can_stand_in_for_is_held():
    assert sys.modules[__name__].DEVICE is DEVICE
    traces = make_traces(Twofold(), TRAINS, seed=0, noise=0.02)
    fit = fit_model(DEVICE, traces)
    assert {q.name: q.status for q in fit.parameters} == {
        "g_min": "fitted",
        "g_max": "fitted",
        "dg_up": "held",
        "dg_down": "fitted",
        "factor": "fitted",
    }
    assert fit.params.factor * fit.params.dg_up == pytest.approx(2e-6, rel=0.03)


@pytest.mark.parametrize("name", ["ConstantStep", "LinearStep", "NeuroSim", "SoftBounds"])
def test_no_parameter_of_a_model_without_such_is_held(name):
    traces = make_traces(CELL, TRAINS, seed=0, noise=0.02)
    problem = Problem(make_search(devices()[name], traces), traces, gain=False)
    hold_redundant(problem)
    assert not problem.held.any()


def test_the_search_ends_where_the_model_objects():
    traces = make_traces(CELL, TRAINS, seed=0)
    search = make_search(devices()["LinearStep"], traces)
    bounds = {c.field: (c.low, c.high) for c in search.coordinates}
    assert bounds["gamma_up"][0] == pytest.approx(0.0, abs=1e-9)
    assert bounds["gamma_up"][1] > 10
    assert "g_ref" not in bounds
    assert "v_set" not in bounds


def test_a_dynamical_model_is_refused():
    with pytest.raises(DeviceError, match="VTEAM is a dynamical model"):
        fit_model(devices()["VTEAM"], make_traces(CELL, TRAINS, seed=0))
