"""Is continual learning stable? The loop gain of the nudged phase.

While synapses move with the neurons, a change d of a layer's signals changes that layer's own
drive in the next slot by (eta / (beta B)) G d, where G = S S^T + 1 is the Gram matrix of the
signals S (batch, n) that the layer hears and the 1 stands for the bias line. The neurons answer
with the slope of rho. The loop is stable while

    gain = (eta / |beta|) (largest eigenvalue of G / B) (slope of rho)

stays well below 1; above it, pulses call for more pulses. At batch 1 the eigenvalue is the sum of
rho_pre^2 plus 1. The condition is the one of Theorem 1 of arXiv 2005.04168 seen from the circuit;
this estimate of it is our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..circuits.activation import activate, slope_at
from ..circuits.dynamics import advance
from ..circuits.hopfield import PROTOTYPICAL, HopfieldNetwork
from .ideal import Schedule

__all__ = ["WARN_ABOVE", "LoopGain", "diverged_in", "loop_gain"]

WARN_ABOVE = 0.5
"""Loop gain from which the trainer warns (our choice: half way to the limit)."""


class LoopGain(NamedTuple):
    """Loop gain of each weight layer, input side first, with the mean slope of rho and with 1."""

    mean: list[float]
    bound: list[float]

    def warning(self) -> str:
        """Return the sentence that warns of an unstable loop, or ''."""
        worst = int(np.argmax(self.mean))
        if self.mean[worst] < WARN_ABOVE:
            return ""
        return (
            f"the loop gain of weight layer {worst + 1} is {self.mean[worst]:.2g}, above "
            f"{WARN_ABOVE}: continual updates may feed on themselves. Lower learning.eta for "
            "that layer, or raise learning.beta."
        )


def loop_gain(
    network: HopfieldNetwork, theta: NDArray, schedule: Schedule, x: NDArray
) -> LoopGain:
    """Return the loop gain at the free state of one batch *x*, shape (batch, n_0)."""
    layout, dynamics = network.layout, network.dynamics
    sent = _free_signals(network, theta, schedule.free_steps, x)
    batch, signals = len(x), [x, *layout.split(sent, len(x))]
    mean, bound = [], []
    for layer in range(1, layout.depth + 1):
        heard = signals[layer - 1].astype(np.float64)
        eigenvalue = float(np.linalg.eigvalsh(heard @ heard.T + 1.0)[-1]) / batch
        limit = float(schedule.eta[layer - 1]) / abs(schedule.beta) * eigenvalue
        bound.append(limit)
        mean.append(limit * float(np.mean(slope_at(dynamics.activation, signals[layer]))))
    return LoopGain(mean, bound)


def diverged_in(events: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the first epoch whose training accuracy is below half of the best before it.

    Noise does not do that; a continual rule at the edge of stability can, after any number of
    good epochs.
    """
    best = 0.0
    for event in events:
        if event["train_accuracy"] < 0.5 * best:
            return int(event["epoch"])
        best = max(best, event["train_accuracy"])
    return None


def _free_signals(network: HopfieldNetwork, theta: NDArray, steps: int, x: NDArray) -> NDArray:
    """Return what all layers send at the free state, (batch * units,).

    Called once in a run, so the products are NumPy's and neurons are stepped by what every learner
    compiles anyway: a kernel of its own would take seconds to compile and microseconds to run.
    """
    batch, layout, dynamics = len(x), network.layout, network.dynamics
    drive = x @ layout.weight(theta, 1)
    state, new, sent, a, rate = np.zeros((5, batch * layout.units), theta.dtype)
    clocked = dynamics.kind == PROTOTYPICAL
    for _ in range(steps):
        if not clocked:
            activate(dynamics.activation, state, sent)
        _add_up(network, theta, drive, layout.split(state if clocked else sent, batch), a)
        if clocked:
            activate(dynamics.activation, a, new)
        else:
            advance(layout, dynamics, batch, a, 0.0, state, state, sent, new, rate)
        state, new = new, state
    if not clocked:
        activate(dynamics.activation, state, sent)
    return state if clocked else sent


def _add_up(
    network: HopfieldNetwork, theta: NDArray, drive: NDArray, sent: list[NDArray], a: NDArray
) -> None:
    """Write every layer's drive to *a*, given what the layers send and x W_1, *drive*."""
    layout = network.layout
    for layer, out in enumerate(layout.split(a, len(drive)), start=1):
        below = drive if layer == 1 else sent[layer - 2] @ layout.weight(theta, layer)
        out[...] = below + layout.bias(theta, layer)
        if layer < layout.depth:
            out += sent[layer] @ layout.backward(theta, layer + 1).T
