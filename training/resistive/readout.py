"""What the output nodes say, the loss of it, and the nudge that belongs to the loss.

A class is read from one node, or from the difference of two (*doubled*: all plus nodes first). The
signal is that voltage times a gain. With y the target and s the signal, the losses of one sample
are

    squared error   1/2 sum_k (s_k - y_k)^2
    cross-entropy   - sum_k y_k log softmax(s)_k

A nudge by *conductance* puts a conductance beta gain^2 from every output node to a source at
y / gain: exact for the squared error at any state. A nudge by *current* injects -beta dL/dv of the
free state, and keeps it: right for every loss in the limit of small beta.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOSSES", "Readout"]

LOSSES = ("squared-error", "cross-entropy")


class Readout(NamedTuple):
    """How outputs are read and nudged.

    Attributes
    ----------
    loss : str
        A name of :data:`LOSSES`.
    gain : float
        Signal per volt [1/V].
    doubled : bool
        Whether a class is the difference of two nodes.
    by_current : bool
        Whether the nudge is a current; else it is a conductance.
    """

    loss: str = "squared-error"
    gain: float = 1.0
    doubled: bool = False
    by_current: bool = False

    def nodes(self, classes: int) -> int:
        """Return the number of output nodes that *classes* classes take."""
        return classes * (2 if self.doubled else 1)

    def signals(self, volts: NDArray) -> NDArray:
        """Return the signals (batch, classes) of output voltages (batch, nodes)."""
        if self.doubled:
            half = volts.shape[1] // 2
            volts = volts[:, :half] - volts[:, half:]
        return volts if self.gain == 1.0 else volts * volts.dtype.type(self.gain)

    def total_loss(self, signals: NDArray, target: NDArray) -> float:
        """Return the sum of the loss over the rows of *signals*."""
        s, y = signals.astype(np.float64), target.astype(np.float64)
        if self.loss == "squared-error":
            return 0.5 * float(np.sum((y - s) ** 2))
        return -float(np.sum(y * _log_softmax(s)))

    def slope(self, volts: NDArray, target: NDArray) -> NDArray:
        """Return dL/dv of every output node, (batch, nodes), for output voltages *volts*."""
        s = self.signals(volts)
        if self.loss == "squared-error":
            by_signal = s - target
        else:
            total = np.sum(target, axis=1, keepdims=True)
            by_signal = total * np.exp(_log_softmax(s)) - target
        by_volt = by_signal * s.dtype.type(self.gain)
        return np.hstack([by_volt, -by_volt]) if self.doubled else by_volt

    def nudge_target(self, target: NDArray) -> NDArray:
        """Return the voltages of the sources behind nudging conductances, (batch, nodes)."""
        return target if self.gain == 1.0 else target / target.dtype.type(self.gain)


def _log_softmax(s: NDArray) -> NDArray:
    moved = s - s.max(axis=1, keepdims=True)
    return moved - np.log(np.sum(np.exp(moved), axis=1, keepdims=True))
