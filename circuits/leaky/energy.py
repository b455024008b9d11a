"""Energies of the leaky network: what is counted, and what descends.

Both reads of a shared array happen at once in continuous time, so each direction has its own
currents through its own cells (in a netlist: a twin of the array). With all lines sensed at
virtual ground, a cell of conductance g on an ideal line driven at u takes the power g u^2, both
arms alike; :mod:`.loads` says what wires change. Classes of :data:`CLASSES`, in joules:

===================  ==========================================================================
supplied inputs      by the sources of the input lines
supplied bias        by the sources of the bias lines
supplied neurons     by the output stages of the neurons, to lines of both directions
supplied sense       by the sense stages to the nodes: v times the sum of what they send
supplied currents    by current nudging to the output nodes
supplied targets     by the sources at the targets; negative where they take it up
dissipated forward   in the cells, by lines driven towards the output: inputs, bias, neurons
dissipated backward  in the cells, by lines driven towards the input
dissipated wires     in word lines, bit lines, drivers and sensors, both ways; 0 on ideal lines
dissipated leaks     in the leaks of the nodes
dissipated nudge     in the nudge conductances; negative if they are
stored capacitors    gained by the capacitors
===================  ==========================================================================

So inputs + bias + neurons = forward + backward + wires at the lines, and sense + currents +
targets = leaks + nudge + capacitors at the nodes. The supplies that the stages themselves run on
are not modelled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from ..activation import HALF_HARD, HARD, SIGMOID
from ..simulator import Phase
from .network import LeakyNetwork
from .signals import conditions, send, signals_of, split_nodes, start_signals

__all__ = ["CLASSES", "lyapunov"]

CLASSES = (
    "supplied inputs",
    "supplied bias",
    "supplied neurons",
    "supplied sense",
    "supplied currents",
    "supplied targets",
    "dissipated forward",
    "dissipated backward",
    "dissipated wires",
    "dissipated leaks",
    "dissipated nudge",
    "stored capacitors",
)


def lyapunov(network: LeakyNetwork, voltages, phase: Phase) -> NDArray:
    """Return the Lyapunov function F of each sample, without unit; it falls along trajectories.

    F = sum_i int_0^s_i rho'(u) (u + beta_i (u - y_i)) du - 1/2 rho W rho - b rho, with the inputs
    in b; an injected current counts as part of b. dF/ds_i = -rho'(s_i) tau ds_i/dt.

    Parameters
    ----------
    network
        With symmetric weights.
    voltages : sequence of (batch, n_l)
        Node voltages [V] of layers 1 to N.
    phase
        What is applied.

    Raises
    ------
    ConfigError
        If the weights are not symmetric, or shapes do not fit.
    """
    if not network.symmetric:
        raise ConfigError("a leaky network with separate backward arrays has no such function F.")
    signals = signals_of(network)
    layout = signals.layout
    given = conditions(signals, phase)
    state = start_signals(signals, phase.batch, voltages)
    sent = send(signals, state)
    zero = send(signals, np.zeros_like(state))
    own = given.damping * _weighted(signals.code, state) - given.pull * (sent - zero)
    energy = own.sum(axis=1)
    parts = split_nodes(layout, sent)
    energy -= (parts[0] * given.drive).sum(axis=1)
    for layer in range(2, layout.depth + 1):
        heard = parts[layer - 2] @ layout.weight(signals.theta, layer)
        heard += layout.bias(signals.theta, layer)
        energy -= (parts[layer - 1] * heard).sum(axis=1)
    return energy


def _weighted(code: int, s: NDArray) -> NDArray:
    """Return the integral of rho'(u) u from 0 to *s*."""
    if code == SIGMOID:
        x = 4.0 * s - 2.0
        total = 0.25 * (np.logaddexp(0.0, x) - np.logaddexp(0.0, -2.0))
        return s / (1.0 + np.exp(-x)) - total
    if code in (HARD, HALF_HARD):
        gain = 1.0 if code == HARD else 0.5
        return 0.5 * gain * np.clip(s, 0.0, 1.0 / gain) ** 2
    return s * np.tanh(s) - (np.logaddexp(s, -s) - np.log(2.0))
