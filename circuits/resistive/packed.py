"""A resistive network with ideal diodes as block coordinate descent takes it, in a few arrays.

Conductances and biases lie in one vector theta, laid out as those of a Hopfield-type network
(:class:`~ohmlearn.circuits.hopfield.Layout`): both directions of a layer then run along contiguous
memory. The scale of all conductances, biases and the nudge together does not matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...errors import ConfigError
from ...jit import kernel, loop
from ..hopfield import Layout, make_layout
from ..products import block, input_rows
from .network import IDEAL, ResistiveNetwork

__all__ = ["Rails", "make_rails", "node_totals", "pack", "source_currents"]


class Rails(NamedTuple):
    """What surrounds the conductances, as the kernels take it.

    Attributes
    ----------
    low, high : (units,)
        Bounds of all free nodes [V].
    gain, back : (N + 1,)
        Voltage gain forward and current gain backward of the amplifier in front of each layer of
        conductances; entries 0 and 1 are 1.
    """

    low: NDArray
    high: NDArray
    gain: NDArray
    back: NDArray


def make_rails(network: ResistiveNetwork, dtype: DTypeLike = np.float64) -> Rails:
    """Return bounds and gains of *network*.

    Raises
    ------
    ConfigError
        If its diodes are not ideal.
    """
    if network.diode.kind != IDEAL.kind:
        raise ConfigError(
            "block coordinate descent: the network's diodes are not ideal; use Newton's method."
        )
    return Rails(
        np.concatenate(network.low).astype(dtype),
        np.concatenate(network.high).astype(dtype),
        np.array([1.0, 1.0, *network.gain], dtype),
        np.array([1.0, 1.0, *network.back_gain], dtype),
    )


def pack(network: ResistiveNetwork, dtype: DTypeLike = np.float64) -> tuple[Layout, NDArray]:
    """Return the layout of *network* and its conductances and biases as one vector."""
    layout = make_layout(network.sizes)
    theta = np.empty(layout.length, dtype)
    for layer in range(1, layout.depth + 1):
        layout.weight(theta, layer)[...] = network.g[layer - 1]
        layout.bias(theta, layer)[...] = network.bias[layer - 1]
    return layout, theta


@loop
def _sum_rows(g, out):
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            out[j] += g[i, j]


@kernel
def _sum_columns(g, scale, out):
    for i in range(g.shape[0]):
        out[i] += scale * np.sum(g[i])


@kernel
def node_totals(layout, rails, theta, total):
    """Write the conductance to every free node without a nudge to *total* (units,)."""
    n = layout.sizes
    one = theta.dtype.type(1.0)
    total[:] = 0
    at, depth = layout.unit_at, n.size - 1
    _sum_rows(block(theta, layout.weight_at[1], n[0], n[1]), total[at[1] : at[1] + n[1]])
    for layer in range(2, depth + 1):
        g = block(theta, layout.weight_at[layer], n[layer], n[layer - 1])
        _sum_columns(g, one, total[at[layer] : at[layer] + n[layer]])
        before = total[at[layer - 1] : at[layer - 1] + n[layer - 1]]
        seen = np.zeros_like(before)
        _sum_rows(g, seen)
        before += rails.gain[layer] * rails.back[layer] * seen


@kernel
def source_currents(layout, theta, u, drive):
    """Write the currents of inputs *u* (batch, n_0) and biases into layer 1 to *drive*."""
    n0, n1 = layout.sizes[0], layout.sizes[1]
    active = np.empty(n0 + 1, np.int64)
    bias = theta[layout.bias_at[1] : layout.bias_at[1] + n1]
    input_rows(u, block(theta, layout.weight_at[1], n0, n1), bias, active, drive)
