"""The leaky network in time: against SciPy, energies, the Lyapunov function, settling."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from leaky_circuits import TAU, V_REF, make_network, unequal_leaks
from ohmlearn.circuits.leaky.energy import CLASSES, lyapunov
from ohmlearn.circuits.leaky.network import LeakyNetwork
from ohmlearn.circuits.leaky.settling import settle
from ohmlearn.circuits.leaky.signals import Conditions, conditions, node_currents, signals_of
from ohmlearn.circuits.leaky.transient import transient
from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.simulator import Phase
from ohmlearn.errors import ConfigError


def network(sizes=(6, 9, 5), activation="sigmoid", *, symmetric=True, unequal=True):
    rng = np.random.default_rng(3)
    leaks = unequal_leaks(sizes) if unequal else (1e-4,) * (len(sizes) - 1)
    capacitance = np.linspace(1e-12, 1.5e-12, len(leaks))

    def arms(shape, leak):
        w = leak * rng.uniform(-1, 1, shape) / np.sqrt(shape[0])
        return 2e-4 + w, 2e-4 - w

    return make_network(
        arms, sizes, leaks, activation, symmetric=symmetric, capacitance=capacitance
    )


def phases(net, batch=2, *, free=20 * TAU, nudged=10 * TAU, current=0.0):
    rng = np.random.default_rng(4)
    x = V_REF * rng.random((batch, net.sizes[0]))
    y = V_REF * np.eye(net.sizes[-1])[:batch]
    pushed = np.full((batch, net.sizes[-1]), current)
    return [
        Phase(x, duration=free),
        Phase(x, 0.5 * net.leak[-1], y, pushed, duration=nudged),
    ]


@pytest.mark.parametrize(
    ("activation", "symmetric", "within"),
    [("sigmoid", True, 1e-7), ("tanh", False, 1e-7), ("hard-sigmoid", True, 1e-6)],
)
def test_waveforms_are_those_of_radau(activation, symmetric, within):
    net = network((6, 8, 7, 4), activation, symmetric=symmetric)
    both = phases(net, current=1e-6)
    path = transient(net, both, points=50)
    assert path.converged
    signals = signals_of(net)
    for sample in range(1):
        state, worst = np.zeros(signals.layout.units), 0.0
        ours = np.concatenate([v[:, sample] for v in path.voltages], axis=1)
        for number, phase in enumerate(both):
            given = conditions(signals, phase)
            one = Conditions(
                given.drive[sample : sample + 1], given.damping, given.pull[sample : sample + 1]
            )

            def rate(_, s, one=one):
                i = node_currents(signals, one, s[np.newaxis])[0]
                return i / (signals.leak * signals.tau * V_REF)

            at = np.linspace(0, phase.duration, 51)
            found = solve_ivp(rate, (0, at[-1]), state, "Radau", rtol=1e-9, atol=1e-11, t_eval=at)
            rows = ours[50 * number : 50 * number + 51]
            worst = max(worst, float(np.abs(rows - V_REF * found.y.T).max()))
            state = found.y[:, -1]
        assert worst < within


def test_every_joule_at_lines_and_nodes_is_accounted_for():
    net = network((6, 8, 7, 4), symmetric=False)
    e = transient(net, phases(net, current=2e-6)).energy
    assert set(e) == set(CLASSES)
    supplied, heat = (
        e["supplied inputs"] + e["supplied bias"] + e["supplied neurons"],
        e["dissipated forward"] + e["dissipated backward"],
    )
    np.testing.assert_allclose(supplied, heat, rtol=1e-12)
    into = e["supplied sense"] + e["supplied currents"] + e["supplied targets"]
    out = e["dissipated leaks"] + e["dissipated nudge"] + e["stored capacitors"]
    np.testing.assert_allclose(into, out, rtol=1e-6)
    for name in ("forward", "backward", "leaks"):
        assert (e[f"dissipated {name}"] > 0).all(), name
    assert (e["dissipated nudge"][0] == 0).all()
    assert (e["dissipated nudge"][1] > 0).all()
    assert (e["supplied currents"][0] == 0).all()
    assert (e["supplied currents"][1] != 0).all()


def test_at_rest_powers_are_those_of_the_steady_state():
    # Cell by cell: the energy of a phase that begins settled is power times time.
    net = network(unequal=False)
    (phase, _) = phases(net, batch=1)
    state = settle(net, phase)
    e = transient(net, [phase], state.voltages).energy
    rho = [V_REF / (1 + np.exp(2 - 4 * v[0] / V_REF)) for v in state.voltages]
    bias = np.array([V_REF])
    ahead = [np.concatenate([phase.inputs[0], bias]), np.concatenate([rho[0], bias])]
    forward = sum(
        (u[:, None] ** 2 * (p + m)).sum()
        for u, p, m in zip(ahead, net.plus, net.minus, strict=True)
    )
    backward = (rho[1] ** 2 * (net.plus[1] + net.minus[1])[:-1]).sum()
    leak = sum(g * (v**2).sum() for g, v in zip(net.leak, state.voltages, strict=True))
    for name, power in (("forward", forward), ("backward", backward), ("leaks", leak)):
        np.testing.assert_allclose(
            e[f"dissipated {name}"][0, 0], power * phase.duration, rtol=1e-9
        )
    assert abs(e["stored capacitors"][0, 0]) < 1e-9 * e["dissipated leaks"][0, 0]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "hard-sigmoid", "half-hard-sigmoid"])
def test_the_lyapunov_function_falls_until_the_circuit_rests(activation):
    net = network((6, 8, 7, 4), activation)
    both = phases(net, current=1e-6, free=60 * TAU, nudged=60 * TAU)
    path = transient(net, both, points=60)
    for number, phase in enumerate(both):
        part = range(60 * number, 60 * number + 61)
        f = np.array([lyapunov(net, [v[k] for v in path.voltages], phase) for k in part])
        # Errors of the waveform of a hundredth of a microvolt move F by that over V_ref.
        assert (np.diff(f, axis=0) < 1e-7).all()
        assert (f[0] - f[-1] > 1e-6).all()


def test_its_slope_is_rho_prime_times_the_current():
    net = network((5, 6, 4), "sigmoid")
    phase = phases(net, batch=1, current=1e-6)[1]
    signals = signals_of(net)
    rng = np.random.default_rng(5)
    s = rng.normal(0.3, 0.5, (1, signals.layout.units))
    i = node_currents(signals, conditions(signals, phase), s)[0]
    rho = 1 / (1 + np.exp(2 - 4 * s[0]))

    def energy(state):
        return lyapunov(net, [V_REF * state[:, :6], V_REF * state[:, 6:]], phase)[0]

    for k in range(s.size):
        step = np.zeros_like(s)
        step[0, k] = 1e-5
        slope = (energy(s + step) - energy(s - step)) / 2e-5
        expected = -4 * rho[k] * (1 - rho[k]) * i[k] / (signals.leak[k] * V_REF)
        assert slope == pytest.approx(expected, abs=1e-8)


def test_one_node_charges_as_an_rc_does():
    # No weights but a bias of 1: v = V_ref (1 - exp(-t / tau)).
    plus, minus = np.array([[1e-4], [2e-4]]), np.array([[1e-4], [1e-4]])
    net = LeakyNetwork((plus,), (minus,), (1e-4,), (1e-12,), V_REF)
    path = transient(net, [Phase(np.zeros((1, 1)), duration=8 * TAU)], settled_within=1e-4)
    expected = V_REF * (1 - np.exp(-path.t / TAU))
    np.testing.assert_allclose(path.voltages[0][:, 0, 0], expected, atol=1e-8)
    # |v - v_end| falls to 1e-4 V
    end = V_REF * np.exp(-8)
    settled = TAU * np.log(V_REF / (1e-4 + end))
    assert path.settled is not None
    assert path.settled[0, 0] == pytest.approx(settled, rel=0.03)


def test_time_scales_with_capacitance():
    net = network(unequal=False)
    wide = LeakyNetwork(
        net.plus, net.minus, net.leak, tuple(3 * c for c in net.capacitance), V_REF
    )
    slow = [Phase(p.inputs, p.nudge, p.target, None, 3 * p.duration) for p in phases(net)]
    a, b = transient(net, phases(net)), transient(wide, slow)
    for v, w in zip(a.voltages, b.voltages, strict=True):
        np.testing.assert_allclose(v, w, atol=1e-9)
    np.testing.assert_allclose(
        3 * a.energy["dissipated leaks"], b.energy["dissipated leaks"], rtol=1e-7
    )


def test_points_are_even_and_phases_end_on_one():
    net = network()
    both = phases(net)
    path = NumbaSimulator().transient(net, both, points=7)
    ends = np.cumsum([phase.duration for phase in both])
    assert path.t[0] == 0
    assert len(path.t) == 15
    np.testing.assert_allclose(path.t[[7, 14]], ends, rtol=1e-14)
    np.testing.assert_allclose(np.diff(path.t)[:7], ends[0] / 7)
    finer = NumbaSimulator().transient(net, both, points=70)
    np.testing.assert_allclose(path.voltages[0], finer.voltages[0][::10], atol=1e-12)


def test_the_end_of_a_long_phase_is_the_steady_state():
    net = network((6, 9, 5), "sigmoid")
    both = phases(net, free=200 * TAU, nudged=200 * TAU)
    path = transient(net, both, points=3)
    for phase, row in zip(both, (3, 6), strict=True):
        state = settle(net, phase)
        for v, w in zip(state.voltages, path.voltages, strict=True):
            np.testing.assert_allclose(v, w[row], atol=1e-8)


def test_phases_that_cannot_run_are_refused():
    net = network()
    good = phases(net)[0]
    with pytest.raises(ConfigError, match="duration"):
        transient(net, [Phase(good.inputs)])
    with pytest.raises(ConfigError, match="at least one phase"):
        transient(net, [])
    with pytest.raises(ConfigError, match="same samples"):
        transient(net, [good, Phase(good.inputs[:1], duration=TAU)])


def test_separate_backward_arrays_have_no_lyapunov_function():
    net = network(symmetric=False)
    with pytest.raises(ConfigError, match="separate backward"):
        lyapunov(net, [np.zeros((2, 9)), np.zeros((2, 5))], phases(net)[0])
