"""Steady states of the leaky network: Kirchhoff's law, the clocked form, nudges, failures."""

import numpy as np
import pytest

from leaky_circuits import V_REF, make_network
from ohmlearn.circuits.activation import ACTIVATIONS
from ohmlearn.circuits.dynamics import free_phase, input_drive
from ohmlearn.circuits.hopfield import HopfieldNetwork
from ohmlearn.circuits.leaky.settling import settle
from ohmlearn.circuits.leaky.signals import signals_of
from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.simulator import Phase
from ohmlearn.errors import ConfigError


def network(
    sizes=(6, 9, 5), activation="sigmoid", *, seed=0, scale=1.0, symmetric=True, leaks=None
):
    rng = np.random.default_rng(seed)
    leaks = leaks or (1e-4,) * (len(sizes) - 1)

    def arms(shape, leak):
        w = 0.5 * leak * scale * rng.uniform(-1, 1, shape) / np.sqrt(shape[0])
        return 1e-3 + w, 1e-3 - w

    return make_network(
        arms, sizes, leaks, activation, symmetric=symmetric, capacitance=(1e-12,) * len(leaks)
    )


def inputs(net, batch=4, seed=1):
    return V_REF * np.random.default_rng(seed).random((batch, net.sizes[0]))


def targets(net, batch=4):
    return V_REF * np.eye(net.sizes[-1])[np.arange(batch) % net.sizes[-1]]


def residual(net, voltages, phase):
    """Return the currents into every node [A], cell by cell, as docs/circuit.md writes them."""
    rho = {
        "sigmoid": lambda s: 1 / (1 + np.exp(2 - 4 * s)),
        "tanh": np.tanh,
        "hard-sigmoid": lambda s: np.clip(s, 0, 1),
        "half-hard-sigmoid": lambda s: np.clip(s / 2, 0, 1),
    }[net.activation]
    lines = [phase.inputs, *(V_REF * rho(v / V_REF) for v in voltages)]
    found = []
    for at, v in enumerate(voltages):
        bias = np.full((len(v), 1), V_REF)
        i = np.hstack([lines[at], bias]) @ (net.plus[at] - net.minus[at]) - net.leak[at] * v
        if at + 1 < net.depth:
            if net.symmetric:
                back = (net.plus[at + 1] - net.minus[at + 1])[:-1]
            else:
                back = net.back_plus[at] - net.back_minus[at]
            i += net.leak[at] / net.leak[at + 1] * lines[at + 2] @ back.T
        found.append(i)
    if phase.nudge:
        found[-1] += phase.nudge * (phase.target - voltages[-1])
    if phase.current is not None:
        found[-1] += phase.current
    return found


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [(6, 5), (6, 9, 5), (5, 4, 12, 3), (5, 8, 7, 6, 4)])
@pytest.mark.parametrize("nudge", [0.0, 5e-5, -5e-5])
def test_the_currents_of_every_node_balance_to_rounding(activation, sizes, nudge):
    leaks = tuple(np.linspace(0.7e-4, 1.3e-4, len(sizes) - 1))
    for symmetric in (True, False):
        net = network(sizes, activation, symmetric=symmetric, leaks=leaks, scale=2.0)
        current = np.full((4, sizes[-1]), 1e-6)
        phase = Phase(inputs(net), nudge, targets(net), current)
        state = settle(net, phase)
        assert state.converged.all(), state.message
        worst = max(np.abs(i).max() for i in residual(net, state.voltages, phase))
        assert worst < 1e-18 * 10  # of currents of tens of microamperes
        assert state.residual < 1e-18 * 10


@pytest.mark.parametrize("scale", [4.0, 16.0])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_strong_weights_settle_where_the_circuit_does(activation, scale):
    # Several steady states exist: the one found must be stable, so a push must die away.
    net = network((8, 30, 6), activation, scale=scale)
    phase = Phase(inputs(net))
    state = settle(net, phase)
    assert state.converged.all(), state.message
    pushed = [v + 1e-7 * np.random.default_rng(2).normal(size=v.shape) for v in state.voltages]
    path = NumbaSimulator().transient(
        net, [Phase(phase.inputs, duration=300 * 1e-8)], pushed, points=1
    )
    for v, end in zip(state.voltages, path.voltages, strict=True):
        assert np.abs(v - end[-1]).max() < 1e-6


def test_the_free_steady_state_is_that_of_the_clocked_network():
    net = network((12, 20, 15, 4), "sigmoid", leaks=(0.8e-4, 1e-4, 1.3e-4))
    signals = signals_of(net)
    clocked = HopfieldNetwork.build(net.sizes, "prototypical", "sigmoid")
    x = inputs(net)
    drive = np.empty((4, net.sizes[1]))
    layout = signals.layout
    input_drive(x / V_REF, signals.theta, layout, drive)
    state = np.zeros(4 * layout.units)
    work = np.empty((5, state.size))
    free_phase(400, signals.theta, layout, clocked.dynamics, drive, state, work)
    settled = settle(net, Phase(x))
    for s, v in zip(layout.split(state, 4), settled.voltages, strict=True):
        rho = 1 / (1 + np.exp(2 - 4 * v / V_REF))
        np.testing.assert_allclose(s, rho, atol=1e-13)


def test_a_strong_nudge_pulls_the_outputs_to_their_targets():
    net = network()
    x, y = inputs(net), targets(net)
    free = settle(net, Phase(x))
    far = np.abs(free.voltages[-1] - y).max()
    for beta in (1.0, 10.0, 1e4):
        nudged = settle(net, Phase(x, beta * net.leak[-1], y), free.voltages)
        near = np.abs(nudged.voltages[-1] - y).max()
        assert near < far
        far = near
    assert far < 1e-3 * V_REF


def test_a_sample_does_not_depend_on_its_batch():
    net = network((6, 40, 5))
    x = inputs(net, 5)
    together = settle(net, Phase(x))
    for k in range(5):
        alone = settle(net, Phase(x[k : k + 1]))
        for a, b in zip(together.voltages, alone.voltages, strict=True):
            np.testing.assert_allclose(a[k], b[0], rtol=0, atol=1e-15)


def test_without_newton_steps_nothing_converges_and_the_message_says_what_to_try():
    net = network()
    state = settle(net, Phase(inputs(net)), iterations=0)
    assert not state.converged.any()
    assert "4 of 4 samples" in state.message
    assert "transient()" in state.message
    assert 0 < state.residual < 1e-5


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        (Phase(np.zeros((1, 5))), "inputs"),
        (Phase(np.full((1, 6), np.nan)), "finite"),
        (Phase(np.zeros((1, 6)), 1e-5, np.zeros((1, 4))), "target"),
        (Phase(np.zeros((1, 6)), -1e-4, np.zeros((1, 5))), "run away"),
        (Phase(np.zeros((1, 6)), current=np.zeros((1, 2))), "current"),
    ],
)
def test_a_phase_that_does_not_fit_is_refused(phase, said):
    with pytest.raises(ConfigError, match=said):
        settle(network(), phase)


def test_a_start_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="start"):
        settle(network(), Phase(np.zeros((1, 6))), [np.zeros((1, 9)), np.zeros((2, 5))])
