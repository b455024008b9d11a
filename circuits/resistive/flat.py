"""A resistive network as the kernels take it: flat arrays, so that one kernel serves every depth.

Node j of layer l is entry ``at[l] + j`` of every array over nodes. Conductances of layers 2 to N
are stored with the post-synaptic index first, since the kernels' inner loops then run along the
wider of two layers. Inputs are sources: their layer only adds to each node's drive (the current
into it with all nodes at 0 V) and to its conductance.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from ..products import input_rows
from ..simulator import Phase
from .network import Diode, ResistiveNetwork

__all__ = ["FlatNetwork", "applied", "by_layer", "flatten", "state_of"]


class FlatNetwork(NamedTuple):
    """Arrays of a network.

    Attributes
    ----------
    sizes : (N + 1,)
        Nodes per layer, inputs first.
    at : (N + 2,)
        First node of each layer; entry 1 is 0, the last is the number of nodes.
    rows_at, lower_at : (N + 2,)
        First entry of layer l in *rows*, and in the factors of the dense blocks of layers 2 to N.
    rows : flat
        Conductances [S] of layers 2 to N, (n_l, n_{l-1}) each.
    conductance : (nodes,)
        Sum of the conductances a node sees [S], amplifiers reckoned in.
    column : (n_1,)
        Sum of the conductances between a node of layer 1 and the inputs [S].
    gain, back_gain : (N + 1,)
        A and B of the amplifier between layers l - 1 and l.
    weight : (nodes,)
        Factor (A/B)^k of a node's currents in the gradient of the co-content.
    low, high, capacitance, bias : (nodes,)
        See :class:`~ohmlearn.circuits.resistive.network.ResistiveNetwork`.
    diode : Diode
        All clamping diodes.
    """

    sizes: NDArray[np.int64]
    at: NDArray[np.int64]
    rows_at: NDArray[np.int64]
    lower_at: NDArray[np.int64]
    rows: NDArray
    conductance: NDArray
    column: NDArray
    gain: NDArray
    back_gain: NDArray
    weight: NDArray
    low: NDArray
    high: NDArray
    capacitance: NDArray
    bias: NDArray
    diode: Diode


def flatten(network: ResistiveNetwork) -> FlatNetwork:
    """Return the arrays of *network*."""
    sizes = np.array(network.sizes, np.int64)
    layers = network.g
    gain, back = np.ones(len(sizes)), np.ones(len(sizes))
    gain[2:], back[2:] = network.gain, network.back_gain
    seen = [each.sum(axis=0) for each in layers]
    column = seen[0]
    for layer, (here, after) in enumerate(pairwise(range(len(layers))), 2):
        seen[here] = seen[here] + gain[layer] * back[layer] * layers[after].sum(axis=1)
    inner_sizes = [0, 0, *(each.size for each in layers[1:])]
    blocks = [0, 0, *(each.shape[1] ** 2 for each in layers[1:])]
    factors = network.factors()
    diode = network.diode
    return FlatNetwork(
        sizes,
        np.concatenate([[0], np.cumsum([0, *sizes[1:]])]).astype(np.int64),
        np.concatenate([[0], np.cumsum(inner_sizes)])[: len(sizes) + 1].astype(np.int64),
        np.concatenate([[0], np.cumsum(blocks)])[: len(sizes) + 1].astype(np.int64),
        np.concatenate([np.empty(0), *(each.T.ravel() for each in layers[1:])]),
        np.concatenate(seen),
        column,
        gain,
        back,
        np.repeat(factors, sizes[1:]),
        np.concatenate(network.low),
        np.concatenate(network.high),
        np.concatenate(network.capacitance),
        np.concatenate(network.bias),
        Diode(int(diode.kind), *(float(value) for value in diode[1:])),
    )


def applied(network: ResistiveNetwork, flat: FlatNetwork, phase: Phase) -> tuple[NDArray, NDArray]:
    """Return each node's conductance (nodes,) [S] and drive (batch, nodes) [A] under *phase*.

    Raises
    ------
    ConfigError
        If inputs or targets have the wrong number of columns.
    """
    inputs, outputs = network.sizes[0], network.sizes[-1]
    for name, value, width in (
        ("inputs", phase.inputs, inputs),
        ("target", phase.target, outputs),
        ("current", phase.current, outputs),
    ):
        if value is not None and value.shape[1] != width:
            raise ConfigError(
                f"phase: {name} has {value.shape[1]} columns; the network has {width} such nodes."
            )
    x = np.ascontiguousarray(phase.inputs, np.float64)
    first = np.empty((phase.batch, network.sizes[1]))
    input_rows(x, network.g[0], network.bias[0], np.empty(inputs, np.uint32), first)
    drive = np.empty((phase.batch, len(flat.conductance)))
    drive[:, : first.shape[1]] = first
    drive[:, first.shape[1] :] = flat.bias[first.shape[1] :]
    conductance = flat.conductance.copy()
    if phase.nudge != 0.0 and phase.target is not None:
        conductance[-outputs:] += phase.nudge
        drive[:, -outputs:] += phase.nudge * phase.target
    if phase.current is not None:
        drive[:, -outputs:] += phase.current
    return conductance, drive


def state_of(voltages, flat: FlatNetwork, batch: int) -> NDArray:
    """Return voltages given per layer as one (batch, nodes) array of its own.

    Raises
    ------
    ConfigError
        If the shapes do not fit the network and the batch.
    """
    wanted = [(batch, int(n)) for n in flat.sizes[1:]]
    shapes = [np.shape(each) for each in voltages]
    if shapes != wanted:
        raise ConfigError(f"start: voltages have shapes {shapes}; needed are {wanted}.")
    return np.ascontiguousarray(np.concatenate(list(voltages), axis=1), np.float64)


def by_layer(flat: FlatNetwork, values: NDArray) -> tuple[NDArray, ...]:
    """Return an array (..., nodes) as one array per layer."""
    return tuple(np.split(values, flat.at[2:-1], axis=-1))
