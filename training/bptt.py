"""Backpropagation through time of the unrolled free phase, the reference of Theorem 1.

The free phase is a recurrent network s_{t+1} = F(x, s_t, theta) with T steps and the loss
L = 1/(2 B) sum |s_T - y|^2 on the output layer, B samples in the batch. Untied in time, theta_T
is the copy used in the last step. Counted backwards from the end,

    nabla_s(t) = dL/ds_{T-t},    nabla_theta(t) = dL/dtheta_{T-t},    t = 0 .. K-1.

Everything that equilibrium propagation leaves out is here: the derivatives rho' and rho'' at each
stored state, the mask of a clamped state, separate backward weights. A state is a flat vector as
in :mod:`ohmlearn.circuits.dynamics`.

References
----------
M. Ernoult et al., "Updates of equilibrium prop match gradients of backprop through time in an RNN
with static input", NeurIPS 2019, arXiv 1905.13633.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..circuits.activation import activate, curvature, slope
from ..circuits.dynamics import copy, drives, free_phase, input_drive, step
from ..circuits.hopfield import PROTOTYPICAL, HopfieldNetwork
from ..errors import ConfigError
from ..jit import kernel

__all__ = ["Gradients", "Trajectory", "backpropagate", "free_trajectory"]


class Trajectory(NamedTuple):
    """The last steps of a free phase.

    Attributes
    ----------
    states : (K + 1, batch * units)
        s_{T-K}, ..., s_T, so the last row is the free state.
    drive : (batch, n_1)
        x W_1 + b_1, the same in every step.
    """

    states: NDArray
    drive: NDArray

    @property
    def residual(self) -> float:
        """Largest distance of a kept state from the last; Theorem 1 assumes that it is 0."""
        return float(np.abs(self.states - self.states[-1]).max())


class Gradients(NamedTuple):
    """nabla_s (K, batch * units) and nabla_theta (K, length), row t as in the module's text."""

    state: NDArray
    theta: NDArray


@kernel
def _last_steps(steps, theta, layout, dynamics, x, drive, states, scratch):
    """Settle for *steps* steps in all and keep the last ones in the rows of *states*."""
    kept = states.shape[0] - 1
    input_drive(x, theta, layout, drive)
    free_phase(steps - kept, theta, layout, dynamics, drive, states[0], scratch)
    for t in range(kept):
        target = states[t]  # not read: there is no nudge
        step(theta, layout, dynamics, drive, 0.0, target, states[t], states[t + 1], scratch)


def free_trajectory(
    network: HopfieldNetwork, theta: NDArray, x: NDArray, free_steps: int, kept_steps: int
) -> Trajectory:
    """Run the free phase from zero for *free_steps* = T steps and keep the last K + 1 states.

    Parameters
    ----------
    network, theta
        Structure and parameters; the dtype of *theta* and *x* is the precision.
    x : (batch, n_0)
        Inputs.
    free_steps, kept_steps
        T and K, in time steps, T >= K.

    Raises
    ------
    ConfigError
        If K is larger than T, or below 1.
    """
    if not 1 <= kept_steps <= free_steps:
        raise ConfigError(
            f"{kept_steps} nudged steps are compared with the last steps of a free phase of "
            f"{free_steps}; allowed: at least 1, and at most as many as the free phase has."
        )
    batch, layout = len(x), network.layout
    states = np.empty((kept_steps + 1, batch * layout.units), theta.dtype)
    drive = np.empty((batch, int(layout.sizes[1])), theta.dtype)
    scratch = np.empty((5, batch * layout.units), theta.dtype)
    _last_steps(free_steps, theta, layout, network.dynamics, x, drive, states, scratch)
    return Trajectory(states, drive)


def backpropagate(
    network: HopfieldNetwork, theta: NDArray, x: NDArray, y: NDArray, trajectory: Trajectory
) -> Gradients:
    """Return the gradients of the loss through the steps that *trajectory* holds.

    Parameters
    ----------
    x, y : (batch, n_0), (batch, n_N)
        Inputs and targets of the trajectory.

    Notes
    -----
    Where two directions share a weight, its gradient is the sum over both uses. A clamped state
    passes no gradient where the clamp cut it off.
    """
    states = trajectory.states
    steps = len(states) - 1
    nabla_state = np.zeros((steps, states.shape[1]), theta.dtype)
    nabla_theta = np.zeros((steps, theta.size), theta.dtype)
    layout, batch = network.layout, len(x)
    free_output = layout.split(states[-1], batch)[-1]
    layout.split(nabla_state[0], batch)[-1][...] = (free_output - y) / batch
    for t in range(steps):
        local = _linearise(network, theta, trajectory.drive, states[-2 - t])
        flow = nabla_state[t] * local.through  # dL/da
        _parameter_gradients(network, x, local.sent, flow, nabla_theta[t])
        if t + 1 < steps:
            into = nabla_state[t + 1]
            _into_neighbours(network, theta, flow, batch, into)
            into *= local.sending
            into += nabla_state[t] * local.keep
    return Gradients(nabla_state, nabla_theta)


class _Local(NamedTuple):
    """Derivatives of one step at one state, unit by unit: ds'/da, dr/ds and ds'/ds at fixed a.

    ``sent`` is r, what the neurons send: the state itself or rho of it.
    """

    sent: NDArray
    through: NDArray
    sending: NDArray
    keep: NDArray


def _linearise(network: HopfieldNetwork, theta: NDArray, drive: NDArray, state: NDArray) -> _Local:
    dynamics, layout = network.dynamics, network.layout
    a, sent, rate = np.empty_like(state), np.empty_like(state), np.empty_like(state)
    if dynamics.kind == PROTOTYPICAL:
        copy(state, sent)
        drives(theta, layout, drive, sent, a)
        value = np.empty_like(state)
        activate(dynamics.activation, a, value)
        slope(dynamics.activation, a, value, rate)
        return _Local(sent, rate, np.ones_like(state), np.zeros_like(state))
    activate(dynamics.activation, state, sent)
    drives(theta, layout, drive, sent, a)
    sending = np.empty_like(state)
    slope(dynamics.activation, state, sent, sending)
    rate[...] = sending
    bend = curvature(dynamics.activation, sent)
    if not dynamics.output_slope:
        first = len(drive) * int(layout.unit_at[-1])
        rate[first:], bend[first:] = 1.0, 0.0
    dt = dynamics.time_step
    following = state + dt * (rate * a - state)
    inside = (following >= 0) & (following <= 1) if dynamics.clamp else np.True_
    return _Local(sent, dt * rate * inside, sending, (1.0 - dt + dt * bend * a) * inside)


def _parameter_gradients(
    network: HopfieldNetwork, x: NDArray, sent: NDArray, flow: NDArray, into: NDArray
) -> None:
    """Write dL/dtheta of one step, given dL/da."""
    layout, batch = network.layout, len(x)
    sends = [x, *layout.split(sent, batch)]
    flows = [x, *layout.split(flow, batch)]
    for layer in range(1, layout.depth + 1):
        layout.weight(into, layer)[...] += sends[layer - 1].T @ flows[layer]
        layout.bias(into, layer)[...] = flows[layer].sum(axis=0)
        if layer > 1:
            layout.backward(into, layer)[...] += flows[layer - 1].T @ sends[layer]


def _into_neighbours(
    network: HopfieldNetwork, theta: NDArray, flow: NDArray, batch: int, into: NDArray
) -> None:
    """Write dL/dr of one step: each neuron is heard by the layer above and the layer below."""
    layout = network.layout
    flows, heard = layout.split(flow, batch), layout.split(into, batch)
    for layer in range(2, layout.depth + 1):
        heard[layer - 2] += flows[layer - 1] @ layout.weight(theta, layer).T
        heard[layer - 1] += flows[layer - 2] @ layout.backward(theta, layer)
