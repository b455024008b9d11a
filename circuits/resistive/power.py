"""Where the power goes: supplied and dissipated, by class of element.

============================  ================================================================
supplied inputs               by the sources of the input nodes
supplied rails                by the sources behind the diodes
supplied bias                 by the current sources of the biases
supplied nudge                by the target sources and the nudging currents
supplied amplifiers           (A - B) v i net: output stages give A v i, inputs take B v i
dissipated diodes             in the clamping diodes
dissipated nudge              in the nudge conductances; negative if they are
dissipated conductances l     in the conductances between layers l - 1 and l
stored capacitors             gained by the capacitors (in time only)
============================  ================================================================

All supplied less all dissipated is what the capacitors gain, which is zero in a steady state
(Tellegen's theorem).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...jit import inner, kernel
from ..products import input_rows
from ..simulator import Phase
from .elements import clamp_parts
from .network import _IDEAL, ResistiveNetwork

__all__ = ["Sources", "class_names", "powers", "sources_of"]

# Those before the diodes are supplied, from there on they are dissipated.
INPUTS, RAILS, BIAS, NUDGE, AMPLIFIERS, DIODE, NUDGED, CONDUCTANCE = range(8)

_NAMES = (
    "supplied inputs",
    "supplied rails",
    "supplied bias",
    "supplied nudge",
    "supplied amplifiers",
    "dissipated diodes",
    "dissipated nudge",
)


class Sources(NamedTuple):
    """What the power of a phase needs beyond the node voltages, of all samples.

    Attributes
    ----------
    feed, squares : (batch, n_1)
        Sums over the inputs of g x [A] and of g x^2 [W].
    nudge : float
        Conductance of the nudge [S].
    target, current : (batch, n_N)
        Voltages [V] and currents [A] of the nudge.
    """

    feed: NDArray
    squares: NDArray
    nudge: float
    target: NDArray
    current: NDArray


def class_names(depth: int) -> tuple[str, ...]:
    """Return the classes in the order of :func:`powers`."""
    return (*_NAMES, *(f"dissipated conductances {layer}" for layer in range(1, depth + 1)))


def sources_of(network: ResistiveNetwork, phase: Phase) -> Sources:
    """Return the sums over the inputs, and the nudge."""
    x = np.ascontiguousarray(phase.inputs, np.float64)
    outputs = (phase.batch, network.sizes[-1])
    feed, squares = (np.empty((phase.batch, network.sizes[1])) for _ in range(2))
    none, lit = np.zeros(network.sizes[1]), np.empty(network.sizes[0], np.uint32)
    input_rows(x, network.g[0], none, lit, feed)
    input_rows(x * x, network.g[0], none, lit, squares)
    given = (
        np.zeros(outputs) if value is None else np.ascontiguousarray(value, np.float64)
        for value in (phase.target, phase.current)
    )
    return Sources(feed, squares, float(phase.nudge), *given)


@inner
def _layer(rows, gain, back, u, w):
    """Return dissipated power and net power of the amplifiers of one layer [W]."""
    dissipated, amplified = 0.0, 0.0
    for k in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            across = gain * u[j] - w[k]
            current = rows[k, j] * across
            dissipated += current * across
            amplified += current * u[j]
    return dissipated, (gain - back) * amplified


@kernel
def _clamped(flat, v, f, out):
    """Add the power of diodes and rails; *f* is the current that ideal diodes carry."""
    for j in range(v.size):
        low, high = flat.low[j], flat.high[j]
        if flat.diode.kind == _IDEAL:
            out[RAILS] -= f[j] * v[j] if v[j] >= high or v[j] <= low else 0.0
            continue
        up, down = clamp_parts(flat.diode, low, high, v[j])
        if high < np.inf:
            out[RAILS] -= high * up
            out[DIODE] += (v[j] - high) * up
        if low > -np.inf:
            out[RAILS] -= low * down
            out[DIODE] += (v[j] - low) * down


@kernel
def powers(flat, sources, b, v, f, out):
    """Write the power [W] of every class at voltages *v* of sample *b* to *out*.

    Only ideal diodes need *f*, the current into each node without them.
    """
    out[:] = 0.0
    feed, squares = sources.feed[b], sources.squares[b]
    for j in range(feed.size):
        given = squares[j] - v[j] * feed[j]
        out[INPUTS] += given
        out[CONDUCTANCE] += given - v[j] * (feed[j] - v[j] * flat.column[j])
    for layer in range(2, flat.sizes.size):
        m, n = flat.sizes[layer - 1], flat.sizes[layer]
        first = flat.rows_at[layer]
        lost, amplified = _layer(
            flat.rows[first : first + m * n].reshape(n, m),
            flat.gain[layer],
            flat.back_gain[layer],
            v[flat.at[layer - 1] : flat.at[layer]],
            v[flat.at[layer] : flat.at[layer + 1]],
        )
        out[CONDUCTANCE + layer - 1] = lost
        out[AMPLIFIERS] += amplified
    for j in range(v.size):
        out[BIAS] += flat.bias[j] * v[j]
    _clamped(flat, v, f, out)
    first = flat.at[flat.sizes.size - 1]
    for k in range(sources.target.shape[1]):
        across = sources.target[b, k] - v[first + k]
        current = sources.nudge * across
        out[NUDGED] += current * across
        out[NUDGE] += current * sources.target[b, k] + sources.current[b, k] * v[first + k]
