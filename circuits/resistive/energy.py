"""Co-content, power and what each conductance sees: the quantities that learning is about.

The co-content of a network is the sum over its elements of the integral of current over voltage.
A conductance has g dv^2 / 2, half of the power it dissipates; a current source I into a node has
-I v; a diode the integral of its curve. With amplifiers, elements at layer l enter with the weight
(A/B)^k, k counting the amplifiers between them and the output; then the steady state is where the
co-content is stationary (a minimum without a negative nudge), and its derivative by a conductance,
which equilibrium propagation takes differences of, is the weight times half of the squared voltage
across it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...jit import inner, kernel
from ..simulator import Phase
from .elements import clamp_content
from .flat import applied, flatten, state_of
from .kirchhoff import currents
from .network import ResistiveNetwork
from .power import class_names, powers, sources_of

__all__ = ["co_content", "local_changes", "local_products", "node_currents", "power"]


@inner
def _half_squares(g, gain, u, v, out):
    """Write half of the power in the conductances [W] of every sample to *out*."""
    for b in range(u.shape[0]):
        total = 0.0
        for i in range(g.shape[0]):
            driven = gain * u[b, i]
            for j in range(g.shape[1]):
                total += g[i, j] * (driven - v[b, j]) * (driven - v[b, j])
        out[b] = 0.5 * total


@kernel
def _clamps(flat, v, out):
    """Add the weighted co-content of the diodes [W] to *out*."""
    for b in range(v.shape[0]):
        for j in range(v.shape[1]):
            content = clamp_content(flat.diode, flat.low[j], flat.high[j], v[b, j])
            out[b] += flat.weight[j] * content


def _signals(
    network: ResistiveNetwork, inputs: NDArray, voltages: Sequence[NDArray]
) -> list[NDArray]:
    """Return what drives each conductance layer: inputs, then amplified node voltages."""
    amplified = (a * v for a, v in zip(network.gain, voltages[:-1], strict=True))
    return [np.asarray(inputs, np.float64), *amplified]


def co_content(
    network: ResistiveNetwork, phase: Phase, voltages: Sequence[NDArray]
) -> NDArray[np.float64]:
    """Return the co-content [W] of a state under *phase*, shape (batch,).

    An ideal diode has none; it only limits the voltages.

    Parameters
    ----------
    voltages : sequence of (batch, n_l)
        Voltages [V] of layers 1 to N.
    """
    flat = flatten(network)
    v = state_of(voltages, flat, phase.batch)
    total, part = np.zeros(phase.batch), np.empty(phase.batch)
    driving = _signals(network, phase.inputs, voltages)
    for g, factor, u, own in zip(network.g, network.factors(), driving, voltages, strict=True):
        own = np.ascontiguousarray(own, np.float64)
        _half_squares(g, 1.0, np.ascontiguousarray(u), own, part)
        total += factor * part
    _clamps(flat, v, total)
    total -= v @ (flat.weight * flat.bias)
    if phase.nudge != 0.0 and phase.target is not None:
        total += 0.5 * phase.nudge * ((phase.target - voltages[-1]) ** 2).sum(axis=1)
    if phase.current is not None:
        total -= (phase.current * voltages[-1]).sum(axis=1)
    return total


def node_currents(
    network: ResistiveNetwork, phase: Phase, voltages: Sequence[NDArray]
) -> tuple[NDArray, ...]:
    """Return the current [A] into each node that Kirchhoff's law says is zero, per layer.

    Ideal diodes are not counted: on a node that one holds it is the diode's current.
    """
    flat = flatten(network)
    conductance, drive = applied(network, flat, phase)
    v = state_of(voltages, flat, phase.batch)
    f, slope = np.empty_like(v), np.empty(v.shape[1])
    for b in range(phase.batch):
        currents(flat, conductance, drive[b], v[b], f[b], slope)
    return tuple(np.split(f, flat.at[2:-1], axis=1))


def power(
    network: ResistiveNetwork, phase: Phase, voltages: Sequence[NDArray]
) -> dict[str, NDArray[np.float64]]:
    """Return the power [W] by class of element at a state, each of shape (batch,).

    The classes are those of :mod:`.power`. In a steady state all supplied equals all dissipated.
    """
    flat = flatten(network)
    v = state_of(voltages, flat, phase.batch)
    f = np.concatenate(node_currents(network, phase, voltages), axis=1)
    sources, names = sources_of(network, phase), class_names(network.depth)
    out = np.empty((phase.batch, len(names)))
    for b in range(phase.batch):
        powers(flat, sources, b, v[b], f[b], out[b])
    return {name: out[:, k].copy() for k, name in enumerate(names)}


def local_products(
    network: ResistiveNetwork, inputs: NDArray, voltages: Sequence[NDArray]
) -> tuple[NDArray, ...]:
    """Return the derivative of the co-content by every conductance [V^2], averaged over a batch.

    It is (A/B)^k / 2 times the squared voltage across the conductance, which is A u - v behind an
    amplifier. Where the difference of two states is wanted, :func:`local_changes` rounds less.

    Parameters
    ----------
    inputs : (batch, n_0)
        Voltages [V] of the input nodes.
    voltages : sequence of (batch, n_l)
        Voltages [V] of layers 1 to N.

    Returns
    -------
    tuple of (n_{l-1}, n_l)
        For layers 1 to N.
    """
    rest = tuple(np.zeros_like(v) for v in voltages)
    return local_changes(network, inputs, rest, voltages, before_inputs=np.zeros_like(inputs))


def local_changes(
    network: ResistiveNetwork,
    inputs: NDArray,
    before: Sequence[NDArray],
    after: Sequence[NDArray],
    *,
    before_inputs: NDArray | None = None,
) -> tuple[NDArray, ...]:
    """Return the local products of state *after* less those of state *before*.

    a^2 - b^2 is taken as (a - b)(a + b), so that a small nudge is not lost in rounding. The
    gradient of the loss by equilibrium propagation is this divided by the nudge that was added.

    Parameters
    ----------
    inputs : (batch, n_0)
        Voltages [V] of the input nodes, in both states unless *before_inputs* is given.
    before, after : sequence of (batch, n_l)
        Voltages [V] of layers 1 to N.

    Returns
    -------
    tuple of (n_{l-1}, n_l)
        For layers 1 to N [V^2], averaged over the batch.
    """
    old = _signals(network, inputs if before_inputs is None else before_inputs, before)
    new = _signals(network, inputs, after)
    changes = []
    for factor, u, w, v, z in zip(network.factors(), old, new, before, after, strict=True):
        du, su, dv, sv = w - u, w + u, z - v, z + v
        change = (du * su).sum(axis=0)[:, None] + (dv * sv).sum(axis=0)
        change -= du.T @ sv + su.T @ dv
        changes.append(0.5 * factor / len(u) * change)
    return tuple(changes)
