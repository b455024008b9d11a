"""Resistive networks in time: accuracy, order, energy balance, settling, ideal diodes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.resistive.energy import power
from ohmlearn.circuits.resistive.flat import applied, flatten
from ohmlearn.circuits.resistive.kirchhoff import currents
from ohmlearn.circuits.resistive.network import DIODES, Diode, ResistiveNetwork
from ohmlearn.circuits.resistive.newton import settle
from ohmlearn.circuits.resistive.transient import transient
from ohmlearn.circuits.simulator import Phase
from ohmlearn.errors import ConfigError

KINDS = {
    "ideal": Diode(),
    "shockley": Diode(DIODES["shockley"], 1e-12, 1.0),
    "piecewise": Diode(DIODES["piecewise"], v_on=0.05, r_on=1.0, r_off=1e12),
}


def network(sizes=(8, 6, 4), kind="shockley", gain=1.0, back=None, c=1e-12):
    rng = np.random.default_rng(11)
    g = [np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), pair)) for pair in pairwise(sizes)]
    low, high = ([sign * 0.1] * (len(g) - 1) + [None] for sign in (-1, 1))
    bias = [rng.normal(0.0, 1e-6, n) for n in sizes[1:]]
    return ResistiveNetwork.build(
        g, bias=bias, low=low, high=high, diode=KINDS[kind], gain=gain, back_gain=back,
        capacitance=c,
    )  # fmt: skip


def phases(net, duration, batch=3):
    rng = np.random.default_rng(12)
    x = rng.uniform(-0.4, 1.2, (batch, net.sizes[0]))
    target = rng.uniform(-0.3, 0.3, (batch, net.sizes[-1]))
    return [
        Phase(x, duration=duration),
        Phase(x, 2e-5, target, duration=0.5 * duration),
        Phase(-x, current=1e-6 * target, duration=duration),
    ]


def one(phase, b):
    """Return sample *b* of a phase."""
    target, current = (None if v is None else v[b : b + 1] for v in (phase.target, phase.current))
    return Phase(phase.inputs[b : b + 1], phase.nudge, target, current, phase.duration)


def reference(net, phase, start, t):
    """Return one sample's waveform by SciPy's Radau."""
    flat = flatten(net)
    conductance, drive = applied(net, flat, phase)
    f, slope = np.empty(len(flat.bias)), np.empty(len(flat.bias))

    def rate(_, v):
        currents(flat, conductance, drive[0], np.ascontiguousarray(v), f, slope)
        return f / flat.capacitance

    def matrix(_, v):
        currents(flat, conductance, drive[0], np.ascontiguousarray(v), f, slope)
        jacobian = np.diag(-slope)
        for layer in range(2, len(flat.sizes)):
            u, w = (slice(flat.at[k], flat.at[k + 1]) for k in (layer - 1, layer))
            jacobian[w, u] = flat.gain[layer] * net.g[layer - 1].T
            jacobian[u, w] = flat.back_gain[layer] * net.g[layer - 1]
        return jacobian / flat.capacitance[:, None]

    found = solve_ivp(
        rate, (0.0, t[-1]), start, "Radau", t, rtol=1e-9, atol=1e-12, jac=matrix, first_step=1e-13
    )
    assert found.success
    return found.y.T


def balance(trajectory):
    """Return supplied less dissipated less stored, relative to all energy that was moved."""
    energy = trajectory.energy
    supplied = sum(e for name, e in energy.items() if name.startswith("supplied"))
    dissipated = sum(e for name, e in energy.items() if name.startswith("dissipated"))
    return (supplied - dissipated - energy["stored capacitors"]) / dissipated


@pytest.mark.parametrize("kind", ["shockley", "piecewise"])
@pytest.mark.parametrize(
    ("sizes", "gain", "back"),
    [((8, 6, 4), 1.0, None), ((8, 6, 5, 4), 4.0, 0.25), ((8, 6, 5, 4), 2.0, 2.0)],
)
def test_waveforms_agree_with_radau(kind, sizes, gain, back):
    net = network(sizes, kind, gain, back)
    given = [one(phase, 0) for phase in phases(net, 3e-8)]
    points = 40
    found = transient(net, given, points=points)
    assert found.converged
    waves = np.concatenate(found.voltages, axis=2)[:, 0]
    v, at = np.zeros(waves.shape[1]), 0
    for phase in given:
        t = phase.duration * np.arange(1, points + 1) / points
        exact = reference(net, phase, v, t)
        assert np.abs(exact - waves[at + 1 : at + 1 + points]).max() < 1e-6
        v, at = exact[-1], at + points
    assert found.t[[0, points, 2 * points, -1]] == pytest.approx([0, 3e-8, 4.5e-8, 7.5e-8])


@pytest.mark.parametrize("kind", KINDS)
def test_it_ends_in_the_steady_state_and_the_energy_balances(kind):
    net = network((8, 6, 5, 4), kind, 2.0, 0.5)
    given = phases(net, 1e-6)
    found = transient(net, given, points=7)
    assert found.converged
    for number, phase in enumerate(given):
        steady = settle(net, phase).voltages
        for wave, expected in zip(found.voltages, steady, strict=True):
            np.testing.assert_allclose(wave[7 * (number + 1)], expected, atol=1e-7)
    assert np.abs(balance(found)).max() < 1e-7
    assert {"supplied inputs", "dissipated conductances 3", "dissipated diodes"} < set(
        found.energy
    )
    assert all(e.shape == (3, 3) for e in found.energy.values())


def test_energy_is_the_integral_of_power():
    net = network()
    (phase, *_) = phases(net, 2e-8, batch=2)
    found = transient(net, [phase], points=1000)
    waves = [power(net, phase, [v[k] for v in found.voltages]) for k in range(1001)]
    for name in waves[0]:
        integral = np.trapezoid(np.array([w[name] for w in waves]), found.t, axis=0)
        np.testing.assert_allclose(found.energy[name][0], integral, rtol=1e-3, atol=1e-20)
    c = [0.5e-12 * (v[-1] ** 2).sum(axis=1) for v in found.voltages]
    np.testing.assert_allclose(found.energy["stored capacitors"][0], sum(c), rtol=1e-13)


def test_one_capacitor_by_hand():
    g, c, x = 1e-6, 1e-12, 0.8
    net = ResistiveNetwork.build([np.array([[g]])], capacitance=c)
    found = transient(net, [Phase(np.array([[x]]), duration=5e-6)], points=50)
    exact = x * (1 - np.exp(-found.t * g / c))
    np.testing.assert_allclose(found.voltages[0][:, 0, 0], exact, atol=1e-7)
    lost = 0.5 * c * x**2 * (1 - np.exp(-2 * 5.0))
    assert found.energy["dissipated conductances 1"][0, 0] == pytest.approx(lost, rel=1e-6)
    assert found.energy["supplied inputs"][0, 0] == pytest.approx(c * x * exact[-1], rel=1e-6)
    assert found.settled is not None  # it comes within 1e-4 V of its end value
    last = x * np.exp(-5.0)
    assert found.settled[0, 0] == pytest.approx(-np.log((last + 1e-4) / x) * c / g, rel=1e-6)


def test_error_falls_with_the_tolerance_by_the_fifth_order():
    net = network()
    (phase, *_) = phases(net, 1e-8, batch=1)
    exact = transient(net, [phase], tolerance=1e-11).voltages
    errors, steps = [], []
    for tolerance in (1e-3, 1e-5, 1e-7):
        found = transient(net, [phase], tolerance=tolerance)
        errors.append(max(np.abs(a - b).max() for a, b in zip(found.voltages, exact, strict=True)))
        steps.append(found.steps)
        assert errors[-1] < tolerance
    order = -np.log(errors[0] / errors[2]) / np.log(steps[0] / steps[2])
    assert order > 4.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_does_not_depend_on_its_batch(kind):
    net = network((8, 6, 4), kind)
    given = phases(net, 1e-7, batch=3)
    together = transient(net, given, points=9)
    for b in range(3):
        alone = transient(net, [one(phase, b) for phase in given], points=9)
        assert together.settled is not None
        assert alone.settled is not None
        for a, v in zip(together.voltages, alone.voltages, strict=True):
            assert a[:, b].tobytes() == v[:, 0].tobytes()
        for name, energy in together.energy.items():
            np.testing.assert_allclose(energy[:, b], alone.energy[name][:, 0], rtol=1e-14)
        np.testing.assert_array_equal(together.settled[:, b], alone.settled[:, 0])


def test_ideal_diodes_are_the_limit_of_steep_ones():
    ideal = network(kind="ideal")
    steep = ResistiveNetwork(
        ideal.g, ideal.bias, ideal.low, ideal.high,
        Diode(DIODES["piecewise"], v_on=0.0, r_on=1e-3, r_off=1e15),
        ideal.gain, ideal.back_gain, ideal.capacitance,
    )  # fmt: skip
    given = phases(ideal, 1e-7)
    a, b = transient(ideal, given, points=50), transient(steep, given, points=50)
    assert a.converged
    assert b.converged
    for v, w in zip(a.voltages, b.voltages, strict=True):
        np.testing.assert_allclose(v, w, atol=1e-6)
    held = sum(int(((v == 0.1) | (v == -0.1)).sum()) for v in a.voltages)
    assert held > 100
    assert a.voltages[0].max() <= 0.1
    assert a.voltages[0].min() >= -0.1
    scale = np.abs(a.energy["supplied inputs"]).max()
    for name, energy in a.energy.items():
        np.testing.assert_allclose(energy, b.energy[name], atol=1e-6 * scale)


def test_settling_time_is_the_last_crossing():
    net = network()
    (phase, *_) = phases(net, 1e-7, batch=2)
    found = transient(net, [phase], points=20_000, settled_within=1e-3)
    assert found.settled is not None
    waves = np.concatenate(found.voltages, axis=2)
    far = np.abs(waves - waves[-1]).max(axis=2) > 1e-3
    for b in range(2):
        last = found.t[np.flatnonzero(far[:, b])[-1]]
        assert last <= found.settled[0, b] <= last + found.t[1] * 1.001
    still = transient(net, [phase], settle(net, phase).voltages)
    assert still.settled is not None
    np.testing.assert_array_equal(still.settled, 0.0)


def test_it_stops_once_it_stands_still():
    net = network()
    given = phases(net, 1e-5)
    whole = transient(net, given, points=11)
    found = transient(net, given, points=11, stop_within=1e-6)
    assert found.steps < whole.steps
    for a, b in zip(found.voltages, whole.voltages, strict=True):
        np.testing.assert_allclose(a, b, atol=1.5e-6)
    for name, energy in whole.energy.items():
        scale = np.abs(energy).max() + 1e-18
        np.testing.assert_allclose(found.energy[name], energy, atol=1e-5 * scale)


def test_a_node_that_runs_away_is_reported():
    net = network(kind="ideal")
    (phase, *_) = phases(net, 1e-4, batch=1)
    strong = Phase(phase.inputs, -1e-2, np.full((1, 4), 0.1), duration=1e-4)
    found = transient(net, [strong], points=5)
    assert not found.converged
    assert "negative nudge" in found.message


def test_what_cannot_be_run_is_refused():
    net = network()
    (phase, *_) = phases(net, 1e-8)
    with pytest.raises(ConfigError, match="at least one phase"):
        transient(net, [])
    with pytest.raises(ConfigError, match="must have the same samples"):
        transient(net, [phase, Phase(phase.inputs[:1], duration=1e-8)])
    with pytest.raises(ConfigError, match=r"its duration is 0\.0 s"):
        transient(net, [Phase(phase.inputs)])
    with pytest.raises(ConfigError, match="no capacitance"):
        transient(network(c=0.0), [phase])
    with pytest.raises(ConfigError, match="tolerance is 0"):
        transient(net, [phase], tolerance=0.0)


def test_the_simulator_passes_its_tolerances_on():
    net = network()
    given = phases(net, 2e-8)
    loose = NumbaSimulator(tolerance=1e-2).transient(net, given)
    tight = NumbaSimulator(settled_within=1e-2).transient(net, given, points=3)
    assert loose.steps < tight.steps
    assert len(loose.t) == 601
    assert len(tight.t) == 10
    assert loose.settled is not None
    assert tight.settled is not None
    assert (tight.settled < loose.settled).any()
