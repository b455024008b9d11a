"""Is continual learning of a resistive network stable? Its loop gain.

While conductances move with the nodes, a displacement d of node j (one entry per sample) changes
its conductances, and these the current into it, by (eta / (beta B)) D D^T d, where D (batch, n)
holds the voltages across them. The node answers by that over its total conductance. The loop is
stable while

    gain = (eta / |beta|) (largest eigenvalue of D D^T / B) / total_j

stays well below 1. This estimate is our own; it leaves out what other nodes answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...circuits.resistive.packed import node_totals
from ..diagnostics import LoopGain
from .learner import ResistiveLearner

__all__ = ["resistive_loop_gain"]


def resistive_loop_gain(learner: ResistiveLearner, x: NDArray) -> LoopGain:
    """Return the loop gain of each layer at the free state of one batch *x*.

    ``mean`` is that of the mean node behind the layer's conductances, ``bound`` that of the worst.
    """
    layout, rails = learner.layout, learner.physics.rails
    total = np.empty(layout.units, learner.theta.dtype)
    node_totals(layout, rails, learner.theta, total)
    layers = learner.free_voltages(x)
    mean, bound = [], []
    for layer in range(1, layout.depth + 1):
        before = float(rails.gain[layer]) * layers[layer - 1].astype(np.float64)
        at = int(layout.unit_at[layer])
        rate = float(learner.synapses.eta[layer - 1]) / abs(learner.phases.beta) / len(x)
        gains = []
        for j, volts in enumerate(layers[layer].T.astype(np.float64)):
            across = before - volts[:, np.newaxis]
            eigenvalue = float(np.linalg.eigvalsh(across @ across.T)[-1])
            gains.append(rate * eigenvalue / float(total[at + j]))
        mean.append(float(np.mean(gains)))
        bound.append(float(np.max(gains)))
    return LoopGain(mean, bound)
