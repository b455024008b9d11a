"""Exact block coordinate descent: the steady state of a resistive network with ideal diodes.

With all other nodes held, the voltage at which a node obeys Kirchhoff's law is

    v_j = clip( (A sum_i g_ij u_i + B' sum_k g'_jk w_k + b_j + nudge t_j) / total_j, low, high )
    total_j = sum_i g_ij + A' B' sum_k g'_jk + nudge

(symbols as in :mod:`.network`, arrays as in :mod:`.packed`). Nodes of a layer do not touch each
other, so all odd layers are exact at once, then all even ones: one sweep. The co-content falls
with every update and is convex, so sweeps converge to its minimum, by a constant factor each.

References
----------
B. Scellier, "A fast algorithm to simulate nonlinear resistive networks", ICML 2024,
arXiv 2402.11674.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import SimulationError
from ...jit import kernel, loop
from ..hopfield import Layout
from ..products import add_columns, add_rows, block
from ..simulator import Equilibrium, Phase
from .network import ResistiveNetwork
from .packed import make_rails, node_totals, pack, source_currents

__all__ = ["descend", "refuse_runaway", "sweep", "sweeps", "violation"]


@kernel
def _pull(layout, rails, theta, layer, drive, nudge, target, current, state, pull):
    """Write the current into layer *layer*'s nodes, were they at 0 V, to *pull* (batch, n_l)."""
    n, at, batch = layout.sizes, layout.unit_at, drive.shape[0]
    depth = n.size - 1
    pull[:] = 0
    if layer > 1:
        before = block(state, batch * at[layer - 1], batch, n[layer - 1])
        g = block(theta, layout.weight_at[layer], n[layer], n[layer - 1])
        add_columns(before, g, pull)
        if rails.gain[layer] != 1:
            pull *= rails.gain[layer]
    if layer < depth:
        after = block(state, batch * at[layer + 1], batch, n[layer + 1])
        g = block(theta, layout.weight_at[layer + 1], n[layer + 1], n[layer])
        gain = rails.back[layer + 1]
        if gain != 1:
            pull /= gain
        add_rows(after, g, pull)
        if gain != 1:
            pull *= gain
    if layer == 1:
        pull += drive
    else:
        pull += theta[layout.bias_at[layer] : layout.bias_at[layer] + n[layer]]
    if layer == depth:
        if nudge != 0:
            pull += pull.dtype.type(nudge) * target
        if current.size > 0:
            pull += current


@loop
def _clip(pull, total, low, high, out):
    for b in range(pull.shape[0]):
        for j in range(pull.shape[1]):
            out[b, j] = min(max(pull[b, j] / total[j], low[j]), high[j])


@kernel
def _own_total(layout, layer, total, nudge):
    at, n = layout.unit_at[layer], layout.sizes[layer]
    own = total[at : at + n]
    if layer == layout.sizes.size - 1 and nudge != 0:
        return own + own.dtype.type(nudge)
    return own


@kernel
def sweep(layout, rails, theta, total, drive, nudge, target, current, state):
    """Bring all odd layers, then all even ones, to their equilibrium with the others.

    Parameters
    ----------
    layout, rails, theta, total
        The network; see :mod:`.packed`.
    drive : (batch, n_1)
        From :func:`~.packed.source_currents`.
    nudge : float
        Conductance from each output node to a source at its target.
    target, current : (batch, n_N)
        Targets [V] and currents into the output nodes; *current* may be of shape (0, n_N).
    state : (batch * units,)
        Voltages of the free nodes, layer by layer; changed in place.
    """
    n, at, batch = layout.sizes, layout.unit_at, drive.shape[0]
    for first in range(1, 3):
        for layer in range(first, n.size, 2):
            pull = np.empty((batch, n[layer]), state.dtype)
            _pull(layout, rails, theta, layer, drive, nudge, target, current, state, pull)
            nodes = slice(at[layer], at[layer] + n[layer])
            own = _own_total(layout, layer, total, nudge)
            out = block(state, batch * at[layer], batch, n[layer])
            _clip(pull, own, rails.low[nodes], rails.high[nodes], out)


@kernel
def sweeps(count, tolerance, layout, rails, theta, total, drive, nudge, target, current, state):
    """Sweep *count* times, or until no node moves by more than *tolerance* [V].

    Returns the number of sweeps made. A *tolerance* of 0 makes all of them.
    """
    old = np.empty_like(state)
    for done in range(count):
        if tolerance > 0:
            old[:] = state
        sweep(layout, rails, theta, total, drive, nudge, target, current, state)
        if tolerance > 0 and np.max(np.abs(state - old)) <= tolerance:
            return done + 1
    return count


@kernel
def violation(layout, rails, theta, total, drive, nudge, target, current, state):
    """Return the largest violation of Kirchhoff's current law in each sample, (batch,).

    A node at a bound may have a current that its diode carries off.
    """
    n, at, batch = layout.sizes, layout.unit_at, drive.shape[0]
    worst = np.zeros(batch)
    for layer in range(1, n.size):
        pull = np.empty((batch, n[layer]), state.dtype)
        _pull(layout, rails, theta, layer, drive, nudge, target, current, state, pull)
        own = _own_total(layout, layer, total, nudge)
        v = block(state, batch * at[layer], batch, n[layer])
        for b in range(batch):
            for j in range(n[layer]):
                left = pull[b, j] - own[j] * v[b, j]
                if v[b, j] >= rails.high[at[layer] + j]:
                    left = min(left, 0.0)
                if v[b, j] <= rails.low[at[layer] + j]:
                    left = max(left, 0.0)
                worst[b] = max(worst[b], abs(left))
    return worst


def descend(
    network: ResistiveNetwork,
    phase: Phase,
    start: Sequence[NDArray] | None = None,
    *,
    count: int = 10_000,
    tolerance: float = 1e-12,
) -> Equilibrium:
    """Return the steady state of *network* under *phase*.

    Parameters
    ----------
    network
        With ideal diodes.
    phase
        Inputs and nudge.
    start
        Node voltages [V] to begin from, as in :class:`~ohmlearn.circuits.simulator.Equilibrium`;
        zero volts if left out.
    count
        Most sweeps.
    tolerance
        Sweeping ends when no node moves by more than this [V]; 0 makes all sweeps.

    Raises
    ------
    ConfigError
        If the diodes are not ideal.
    SimulationError
        If the nudge is so negative that an output node has no equilibrium.
    """
    rails = make_rails(network)
    layout, theta = pack(network)
    total = np.empty(layout.units)
    node_totals(layout, rails, theta, total)
    refuse_runaway(layout, total, phase.nudge)
    u = np.ascontiguousarray(phase.inputs, np.float64)
    outputs = network.sizes[-1]
    target = np.zeros((0, outputs)) if phase.target is None else _rows(phase.target)
    current = np.zeros((0, outputs)) if phase.current is None else _rows(phase.current)
    state = np.zeros(phase.batch * layout.units)
    if start is not None:
        state[:] = np.concatenate([np.ravel(each) for each in start])
    drive = np.empty((phase.batch, network.sizes[1]))
    source_currents(layout, theta, u, drive)
    applied = layout, rails, theta, total, drive, float(phase.nudge), target, current, state
    done = sweeps(count, tolerance, *applied)
    worst = violation(*applied)
    scale = float(np.max(total)) + abs(phase.nudge)
    met = worst <= scale * max(tolerance, 1e-15 * float(np.max(np.abs(state), initial=0.0)))
    message = "" if met.all() else "some nodes still move; allow more sweeps."
    voltages = tuple(each.copy() for each in layout.split(state, phase.batch))
    return Equilibrium(voltages, met, float(worst.max(initial=0.0)), int(done), message)


def refuse_runaway(layout: Layout, total: NDArray, nudge: float) -> None:
    """Raise unless every output node keeps a positive conductance under *nudge*.

    Necessary, not sufficient: what comes back through the hidden layers lowers the limit.
    """
    least = float(np.min(total[layout.unit_at[-1] :]))
    if not least + nudge > 0.0:
        raise SimulationError(
            f"an output node has a total conductance of {least:.4g} and is nudged with "
            f"{nudge:.4g}: it has no equilibrium. Choose a smaller beta, or a one-sided rule."
        )


def _rows(values: NDArray) -> NDArray:
    return np.ascontiguousarray(values, np.float64)
