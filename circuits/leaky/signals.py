"""The leaky network without units: s = v / V_ref, w = (g+ - g-) / g_L, as the kernels take it.

Per node, in the notation of docs/circuit.md,

    tau ds/dt = a + pull - damping s,    a = sum_j w_j rho(s_j) + b,

where the nudge adds ``beta`` to the damping (1 otherwise) and ``beta y`` to the pull.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from ..activation import activate, activation_code
from ..hopfield import Layout, make_layout
from ..simulator import Phase
from .network import LeakyNetwork

__all__ = [
    "Conditions",
    "Signals",
    "conditions",
    "node_currents",
    "send",
    "signals_of",
    "split_nodes",
    "start_signals",
]


class Signals(NamedTuple):
    """Weights and time constants of a network.

    Attributes
    ----------
    layout, theta
        Weights and biases laid out as those of a
        :class:`~ohmlearn.circuits.hopfield.HopfieldNetwork`, in double precision.
    code : int
        Number of the activation.
    tau, leak : (units,)
        C / g_L [s] and g_L [S] of every node.
    v_ref : float
        Voltage of signal 1 [V].
    """

    layout: Layout
    theta: NDArray
    code: int
    tau: NDArray
    leak: NDArray
    v_ref: float


class Conditions(NamedTuple):
    """What a phase applies to each sample, without units.

    Attributes
    ----------
    drive : (batch, n_1)
        x W_1 + b_1.
    damping : (units,)
        1, and 1 + beta at the output nodes.
    pull : (batch, units)
        beta y plus injected currents over g_L V_ref, at the output nodes.
    """

    drive: NDArray
    damping: NDArray
    pull: NDArray


def signals_of(network: LeakyNetwork) -> Signals:
    """Return *network* without units, with the weights that its lines see."""
    layout, edges = make_layout(network.sizes, network.symmetric), network.edges
    theta = np.zeros(layout.length)
    for layer in range(1, layout.depth + 1):
        w = (edges.plus[layer - 1] - edges.minus[layer - 1]) / network.leak[layer - 1]
        layout.weight(theta, layer)[...] = w[:-1]
        layout.bias(theta, layer)[...] = w[-1]
    for layer in range(2, 2 if layout.symmetric else layout.depth + 1):
        # The gain of the backward sense stage makes its unit of weight that of the layer above.
        back = edges.back_plus[layer - 2] - edges.back_minus[layer - 2]
        layout.backward(theta, layer)[...] = back / network.leak[layer - 1]
    widths = layout.sizes[1:]
    tau = np.repeat(network.time_constants(), widths)
    leak = np.repeat(np.array(network.leak, np.float64), widths)
    return Signals(layout, theta, activation_code(network.activation), tau, leak, network.v_ref)


def conditions(signals: Signals, phase: Phase) -> Conditions:
    """Return what *phase* applies to the nodes.

    Raises
    ------
    ConfigError
        If inputs, targets or currents do not fit the network, or are not finite.
    """
    layout, v_ref = signals.layout, signals.v_ref
    inputs = _fitting(phase.inputs, int(layout.sizes[0]), "inputs")
    width = int(layout.sizes[-1])
    drive = inputs / v_ref @ layout.weight(signals.theta, 1) + layout.bias(signals.theta, 1)
    damping, pull = np.ones(layout.units), np.zeros((phase.batch, layout.units))
    leak = signals.leak[-1]
    if phase.nudge != 0.0 and phase.target is not None:
        beta = phase.nudge / leak
        if not beta > -1.0:
            raise ConfigError(
                f"phase: the nudge of {phase.nudge:g} S outweighs the leak of the output nodes, "
                f"{leak:g} S, so that they run away; it must be above minus the leak."
            )
        damping[-width:] += beta
        pull[:, -width:] += beta * _fitting(phase.target, width, "target") / v_ref
    if phase.current is not None:
        pull[:, -width:] += _fitting(phase.current, width, "current") / (leak * v_ref)
    return Conditions(np.ascontiguousarray(drive), damping, pull)


def _fitting(values: NDArray, width: int, what: str) -> NDArray:
    array = np.asarray(values, np.float64)
    if array.shape[1] != width or not np.all(np.isfinite(array)):
        raise ConfigError(
            f"phase: {what} have shape {array.shape}; allowed are finite numbers, {width} per "
            "sample."
        )
    return array


def split_nodes(layout: Layout, flat: NDArray) -> tuple[NDArray, ...]:
    """Return *flat* (..., units) as one array (..., n_l) per layer 1 to N."""
    return tuple(
        flat[..., at : at + n] for at, n in zip(layout.unit_at[1:], layout.sizes[1:], strict=True)
    )


def start_signals(signals: Signals, batch: int, start) -> NDArray:
    """Return the signals (batch, units) of the node voltages *start* [V]; zeros for ``None``.

    Raises
    ------
    ConfigError
        If the shapes do not fit.
    """
    state = np.zeros((batch, signals.layout.units))
    if start is None:
        return state
    parts = split_nodes(signals.layout, state)
    shapes = [np.shape(each) for each in start]
    if shapes != [part.shape for part in parts]:
        raise ConfigError(
            f"start has shapes {shapes}; it needs one array per layer, "
            f"{[part.shape for part in parts]}."
        )
    for part, each in zip(parts, start, strict=True):
        part[...] = np.asarray(each) / signals.v_ref
    return state


def send(signals: Signals, state: NDArray) -> NDArray:
    """Return rho(s), what the nodes drive their lines with, in the shape of *state*."""
    flat = np.ascontiguousarray(state, np.float64).ravel()
    sent = np.empty_like(flat)
    activate(signals.code, flat, sent)
    return sent.reshape(state.shape)


def node_currents(signals: Signals, given: Conditions, state: NDArray) -> NDArray:
    """Return the current [A] that charges each node's capacitor, (batch, units)."""
    layout, theta = signals.layout, signals.theta
    total = given.pull - given.damping * state
    parts = split_nodes(layout, total)
    sent = split_nodes(layout, send(signals, state))
    parts[0][...] += given.drive
    for layer in range(2, layout.depth + 1):
        parts[layer - 1][...] += sent[layer - 2] @ layout.weight(theta, layer)
        parts[layer - 1][...] += layout.bias(theta, layer)
        parts[layer - 2][...] += sent[layer - 1] @ layout.backward(theta, layer).T
    return total * signals.leak * signals.v_ref
