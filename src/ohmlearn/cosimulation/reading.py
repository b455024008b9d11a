"""The voltages at which a learned sample is read.

The cells that are read forward are at the voltage of their row behind their transistor; what is
read backward are copies of them, which do not move by themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..circuits.leaky.network import LeakyNetwork
from ..circuits.leaky.signals import send, signals_of, split_nodes

__all__ = ["row_voltages"]


def row_voltages(network: LeakyNetwork, inputs: NDArray, nodes: NDArray) -> list[NDArray]:
    """Return the mean voltages [V] of the rows of every array, biases last.

    Parameters
    ----------
    network
        The circuit.
    inputs : (n_0,)
        Voltages of the input nodes [V].
    nodes : (points, nodes)
        Voltages of the nodes [V] at times of equal distance.
    """
    signals = signals_of(network)
    driven = network.v_ref * send(signals, nodes / network.v_ref)
    mean = (driven[1:] + driven[:-1]).mean(axis=0) / 2.0
    rows = [inputs, *split_nodes(signals.layout, mean)[:-1]]
    return [np.append(each, network.v_ref) for each in rows]
