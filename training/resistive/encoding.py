"""From a row of data to the voltages of the input nodes.

Conductances are positive, so signs come from the sources: every feature drives two nodes, at plus
and at minus its voltage. Rails are further input nodes at fixed voltages; what they conduct is a
trainable bias. A clamp symmetric about 0 V with rails only at 0 V would make the network an odd
function, which cannot be XOR.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Encoding"]


@dataclass(frozen=True)
class Encoding:
    """How data become voltages.

    Attributes
    ----------
    gain : float
        Voltage of a signal of 1 [V].
    offset : float
        Signal at which a node is at 0 V.
    doubled : bool
        Whether every feature drives a second node, at the opposite voltage.
    rails : tuple of float
        Voltages of further nodes that do not depend on the data [V].
    """

    gain: float = 1.0
    offset: float = 0.0
    doubled: bool = True
    rails: tuple[float, ...] = ()

    def nodes(self, features: int) -> int:
        """Return the number of input nodes that *features* features take."""
        return features * (2 if self.doubled else 1) + len(self.rails)

    def volts(self, x: NDArray, dtype: DTypeLike) -> NDArray:
        """Return node voltages [V], (batch, nodes), for data *x* (batch, features).

        Features come first, then their opposites, then the rails.
        """
        features = x.shape[1]
        u = np.empty((len(x), self.nodes(features)), dtype)
        first = u[:, :features]
        np.subtract(x, x.dtype.type(self.offset), out=first)
        first *= self.gain
        if self.doubled:
            np.negative(first, out=u[:, features : 2 * features])
        if self.rails:
            u[:, u.shape[1] - len(self.rails) :] = self.rails
        return u
