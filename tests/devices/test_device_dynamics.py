"""Pulses of dynamical models: the integrator against SciPy's, its cost, extremes, compliance."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ohmlearn.devices import contract, devices, presets
from ohmlearn.devices.contract import change_after, potentiation

DYNAMICAL = {
    **{f"{n} defaults": d.params() for n, d in devices().items() if d.dynamical},
    **{n: preset.params for n, (d, preset) in presets().items() if d.dynamical},
}
every_dynamical_cell = pytest.mark.parametrize("p", DYNAMICAL.values(), ids=DYNAMICAL)
CARD = presets()["SkyWater-sky130"][1].params
HFO2 = presets()["HfO2-1T1R"][1].params


def reference(p, v, t, x):
    """Return the change of state by SciPy, which stops at the bound ahead."""
    f = devices()[type(p).__name__].rate
    assert f is not None
    up = v * p.v_set > 0
    if x == (1.0 if up else 0.0):
        return 0.0

    def at_bound(_, y):
        return y[0] - (1.0 if up else 0.0)

    setattr(at_bound, "terminal", True)  # noqa: B010
    run = solve_ivp(
        lambda _, y: [f(p, v, min(max(y[0], 0.0), 1.0))],
        (0.0, t),
        [x],
        method="LSODA",
        rtol=1e-10,
        atol=1e-16,
        first_step=1e-9 * t,
        events=at_bound,
    )
    return run.y[0, -1] - x


@every_dynamical_cell
def test_nominal_pulses_agree_with_scipy(p):
    for v, t in ((p.v_set, p.t_set), (p.v_reset, p.t_reset)):
        for x in np.linspace(0.0, 1.0, 11).tolist():
            exact = reference(p, v, t, x)
            assert change_after(p, v, t, x) == pytest.approx(exact, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("t", [1e-12, 1e-9, 1e-6, 1e-3, 1.0])
@pytest.mark.parametrize("v", [-2.0, -1.4, 1.4, 2.0])
def test_pulses_from_far_too_short_to_far_too_long_agree_with_scipy(t, v):
    for x in (0.0, 0.3, 0.6, 1.0):
        exact = reference(CARD, v, t, x)
        assert change_after(CARD, v, t, x) == pytest.approx(exact, rel=1e-3, abs=1e-9)


@every_dynamical_cell
def test_two_pulses_are_one_of_twice_the_width(p):
    for v, t in ((p.v_set, p.t_set), (p.v_reset, p.t_reset)):
        for x in (0.05, 0.5, 0.95):
            first = change_after(p, v, t, x)
            second = change_after(p, v, t, x + first)
            both = change_after(p, v, 2 * t, x)
            assert first + second == pytest.approx(both, rel=3e-4, abs=1e-12)


@every_dynamical_cell
def test_a_pulse_costs_a_bounded_number_of_rates(p, monkeypatch):
    device, calls = devices()[type(p).__name__], 0

    def counting(p, v, x):
        nonlocal calls
        calls += 1
        return rate_of_model(p, v, x)

    rate_of_model = contract.rate_of(device)
    monkeypatch.setattr(contract, "rate", counting)
    nominal, violent = [], []
    for x in np.linspace(0.0, 1.0, 21).tolist():
        for v, t, counts in (
            (p.v_set, p.t_set, nominal),
            (p.v_reset, p.t_reset, nominal),
            (3 * p.v_set, 1.0, violent),
            (3 * p.v_reset, 1.0, violent),
        ):
            calls = 0
            contract.change_after(p, v, t, x)
            counts.append(calls)
    assert np.median(nominal) <= 10
    assert max(nominal) <= 300
    assert max(violent) <= 2000


def test_a_rate_that_breaks_off_does_not_stall_the_integration():
    # Above a gap of 1.57 nm the enhanced field of 1.3 V is too small, and RESET stops there.
    p = presets()["Stanford-PKU"][1].params
    end = 1.0 + change_after(p, -1.3, 1e-3, 1.0)
    gap = p.gap_max - (p.gap_max - p.gap_min) * end
    limit = ((p.gamma0 - p.f_min * p.t_ox / 1.3) / p.beta) ** (1 / 3) * 1e-9
    assert gap == pytest.approx(limit, rel=1e-6)


def voltage_across(x, current_limit):
    """Return the voltage [V] across the cell behind a current limiter at 2 V."""
    low, high = 0.0, 2.0
    if contract.current(HFO2, high, x) <= current_limit:
        return high
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = contract.current(HFO2, middle, x) > current_limit
        low, high = (low, middle) if above else (middle, high)
    return low


def compliance_set(current_limit):
    """Return the conductance [S] that a SET of 100 ns leaves, 2 V through a current limiter."""

    def speed(_, y):
        x = min(max(y[0], 0.0), 1.0)
        return [contract.rate(HFO2, voltage_across(x, current_limit), x) if x < 1 else 0.0]

    run = solve_ivp(speed, (0.0, 100e-9), [0.0], method="LSODA", rtol=1e-7, first_step=1e-18)
    return contract.conductance(HFO2, 0.2, min(run.y[0, -1], 1.0))


def test_the_default_1t1r_card_takes_a_conductance_proportional_to_the_compliance_current():
    limits = np.array([20e-6, 40e-6, 60e-6, 80e-6, 100e-6])
    g = np.array([compliance_set(limit) for limit in limits])
    slope = g / limits
    np.testing.assert_allclose(slope, slope.mean(), rtol=0.05)
    assert 5e-6 < g[0] < 25e-6
    assert 60e-6 < g[-1] < 100e-6


def test_the_default_1t1r_card_keeps_its_state_when_read_and_when_half_selected():
    year = 3.15e7
    assert abs(change_after(HFO2, 0.2, 1e6 * 10e-9, 0.5)) < 1e-6
    assert abs(change_after(HFO2, 0.0, year, 0.5)) < 1e-12
    half = change_after(HFO2, HFO2.v_set / 2, HFO2.t_set, 0.5)
    assert 0 < half < 1e-5 * potentiation(HFO2, 0.5)
