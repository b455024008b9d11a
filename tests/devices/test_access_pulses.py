"""Pulses on a 1T1R cell: against a reference integrator, compliance, RESET, pulse responses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ohmlearn.devices import (
    conductance,
    depression,
    devices,
    get_device,
    make_params,
    potentiation,
    rate,
)
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.devices.cell.dispatch import memristor_voltage, program_cell
from ohmlearn.devices.cell.programming import phi_1, phi_4
from ohmlearn.devices.contract import WRITE_THRESHOLD
from ohmlearn.jit import kernel

VTEAM = get_device("VTEAM")
# A test cell: the demonstration card with rates that switch it within one pulse of 100 ns.
FAST = make_params(VTEAM, {"k_on": -1e10, "k_off": 1e7})
SOFT = get_device("SoftBounds").params()
every_device = pytest.mark.parametrize("device", devices().values(), ids=lambda d: d.name)


def after(p: Any, v_g: float, amplitude: float, width: float, x: float) -> float:
    """Return the state after a pulse from a standard integrator."""

    def velocity(_: float, state: Any) -> list[float]:
        s = min(max(float(state[0]), 0.0), 1.0)
        v = memristor_voltage(p, ACCESS, v_g, max(amplitude, 0.0), max(-amplitude, 0.0), s)
        return [width * rate(p, v, s)]

    return float(solve_ivp(velocity, (0, 1), [x], method="LSODA", rtol=1e-9, atol=1e-12).y[0, -1])


@pytest.mark.parametrize("p", [VTEAM.params(), FAST], ids=["slow", "fast"])
@pytest.mark.parametrize(
    ("v_g", "amplitude", "width", "x"),
    [
        (1.5, 1.3, 1e-7, 0.0),
        (1.4, 1.6, 1e-7, 0.0),
        (2.5, 1.3, 1e-6, 0.1),
        (3.3, -1.4, 1e-7, 0.9),
        (3.3, -2.5, 1e-5, 0.6),
    ],
)
def test_a_standard_integrator_agrees(p, v_g, amplitude, width, x):
    found = program_cell(p, ACCESS, v_g, amplitude, width, x)
    assert found == pytest.approx(after(p, v_g, amplitude, width, x), abs=3e-6)


@every_device
def test_the_nominal_pulse_without_a_transistor_is_the_nominal_step(device):
    p = device.params()
    for x in (0.1, 0.5, 0.9):
        up = program_cell(p, None, 0.0, abs(p.v_set), p.t_set, x) - x
        down = x - program_cell(p, None, 0.0, -abs(p.v_reset), p.t_reset, x)
        for moved, step in ((up, potentiation(p, x)), (down, depression(p, x))):
            # A pulse response is taken as continuous motion: equal but for the step squared.
            slack = 1e-7 + 0.01 * step if device.dynamical else 10 * step**2
            assert moved == pytest.approx(step, abs=slack)
        assert up + down > 0.0


@every_device
def test_states_stay_in_the_window_and_nothing_moves_without_a_pulse(device):
    p = device.params()
    for amplitude in (-4.0, 4.0):
        for x in (0.0, 0.3, 1.0):
            end = program_cell(p, ACCESS, 5.0, amplitude, 1e-3, x)
            assert 0.0 <= end <= 1.0
            assert (end - x) * amplitude >= 0.0
            assert program_cell(p, ACCESS, 5.0, amplitude, 0.0, x) == x
            assert program_cell(p, ACCESS, 0.0, amplitude, 1e-3, x) == x  # the gate is off
    assert program_cell(p, ACCESS, 5.0, 0.0, 1e-3, 0.5) == 0.5


@pytest.mark.parametrize("amplitude", [1.3, -1.5])
def test_two_pulses_are_one_of_twice_the_width(amplitude):
    x = 0.5
    twice = program_cell(FAST, ACCESS, 2.5, amplitude, 4e-8, x)
    for _ in range(2):
        x = program_cell(FAST, ACCESS, 2.5, amplitude, 2e-8, x)
    assert x == pytest.approx(twice, abs=2e-6)
    assert abs(x - 0.5) > 0.01


def test_the_gate_writes_conductance_in_a_straight_line():
    """Analogue SET by compliance: RESET, then one SET; G against V_G over the working window."""
    gates = np.arange(1.2, 2.61, 0.1)
    erased = program_cell(FAST, ACCESS, 3.3, -3.0, 1e-6, 1.0)
    assert erased < 1e-3
    g = np.array(
        [
            conductance(FAST, 0.2, program_cell(FAST, ACCESS, v, 1.3, 1e-7, erased))
            for v in gates.tolist()
        ]
    )
    assert np.all(np.diff(g) > 0)
    assert g[-1] > 4 * g[0]
    assert np.corrcoef(gates, g)[0, 1] ** 2 > 0.98


def test_a_set_ends_where_compliance_holds_the_memristor_at_its_threshold():
    for v_g in (1.3, 1.8, 2.3):
        x = program_cell(FAST, ACCESS, v_g, 1.3, 1e-3, 0.0)
        v = memristor_voltage(FAST, ACCESS, v_g, 1.3, 0.0, x)
        assert v == pytest.approx(FAST.v_on, rel=2e-3)
        assert 0.01 < x < 0.99
        assert program_cell(FAST, ACCESS, v_g, 1.3, 1e-7, x) == pytest.approx(x, abs=1e-5)


def test_the_source_line_sets_the_depth_of_a_reset():
    amplitudes = np.arange(0.6, 2.2, 0.2)
    ends = [program_cell(FAST, ACCESS, 3.3, -a, 1e-7, 0.8) for a in amplitudes.tolist()]
    assert ends[0] == 0.8
    assert np.all(np.diff(ends) <= 0)
    assert ends[-1] < 0.05
    assert sum(0.05 < x < 0.79 for x in ends) >= 2


def test_a_low_gate_starves_a_reset_whatever_the_amplitude():
    assert program_cell(FAST, ACCESS, 1.4, -3.0, 1e-6, 0.8) == 0.8
    half = [program_cell(FAST, ACCESS, v_g, -1.6, 1e-7, 0.8) for v_g in (2.2, 2.6, 3.3)]
    assert half[0] > half[1] > half[2]


@pytest.mark.parametrize("v_g", [1.5, 2.0, 3.0])
def test_a_pulse_response_is_set_up_to_its_compliance_current(v_g):
    x = program_cell(SOFT, ACCESS, v_g, 2.5, 1e-3, 0.0)
    v = memristor_voltage(SOFT, ACCESS, v_g, 2.5, 0.0, x)
    assert v == pytest.approx(WRITE_THRESHOLD * SOFT.v_set, rel=1e-6)
    assert 0.01 < x < 0.99


def test_a_model_that_cannot_be_integrated_gives_nan():
    assert np.isnan(program_cell(FAST._replace(k_on=-np.inf), ACCESS, 2.0, 1.3, 1e-7, 0.5))


@pytest.mark.parametrize("z", [-300.0, -3.0, -1.0, -0.99, -1e-3, 0.0, 1e-9, 0.5, 1.01, 20.0])
def test_the_exponential_functions_equal_their_series(z):
    """phi_k(z) is the integral of exp((1 - s) z) s^(k-1) / (k-1)! over s from 0 to 1."""
    s, w = np.polynomial.legendre.leggauss(200)
    s, w = 0.5 * (s + 1), 0.5 * w
    assert phi_1(z) == pytest.approx(np.sum(w * np.exp((1 - s) * z)), rel=1e-12)
    assert phi_4(z) == pytest.approx(np.sum(w * np.exp((1 - s) * z) * s**3 / 6), rel=1e-12)


@kernel
def program_all(p, m, v_g, amplitude, width, x):
    for k in range(x.size):
        x[k] = program_cell(p, m, v_g, amplitude, width, x[k])


@pytest.mark.parametrize("p", [FAST, SOFT], ids=["dynamical", "pulse response"])
def test_compiled_equals_plain(p):
    for amplitude in (1.6, -2.5):
        x = np.linspace(0.0, 1.0, 11)
        plain = [program_cell(p, ACCESS, 2.0, amplitude, 3e-7, s) for s in x.tolist()]
        program_all(p, ACCESS, 2.0, amplitude, 3e-7, x)
        np.testing.assert_allclose(x, plain, rtol=0, atol=1e-10)
