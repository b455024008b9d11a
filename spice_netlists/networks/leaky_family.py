"""What the ngspice simulator needs to know of leaky networks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...circuits.leaky.network import LeakyNetwork
from ...circuits.leaky.signals import conditions, node_currents, signals_of, split_nodes
from ...circuits.simulator import Phase
from ..simulator import Family
from .leaky_deck import MEASURED, MEASURED_WITH_WIRES, leaky_deck, saved, sources

__all__ = ["FAMILY"]

_FOLLOWED = 30.0  # time constants
_NORMS = 50  # weighted norms that are tried


def _widths(network: LeakyNetwork) -> tuple[int, ...]:
    return network.sizes[1:]


def _imbalance(network: LeakyNetwork, phase: Phase, v: NDArray) -> tuple[NDArray, NDArray]:
    """Return the currents that charge the capacitors, and how far the leaks would let them go."""
    signals = signals_of(network)
    given = conditions(signals, phase)
    current = np.abs(node_currents(signals, given, v / signals.v_ref))
    return current, current / (signals.leak * given.damping)


def _energy(network: LeakyNetwork, measures: Mapping[str, float]) -> list[dict[str, float]]:
    """Return what was measured; wires too many to be measured are left out."""
    kinds = MEASURED_WITH_WIRES if "e_wires_1" in measures else MEASURED
    phases = 1 + max(int(key.rpartition("_")[2]) for key in measures) if measures else 1
    return [
        {kind: measures.get(f"e_{key}_{number}", 0.0) for key, kind in kinds.items()}
        for number in range(1, phases)
    ]


def _stored(network: LeakyNetwork, before: NDArray, after: NDArray) -> NDArray:
    capacitance = np.repeat(np.array(network.capacitance), network.sizes[1:])
    return 0.5 * (after * after - before * before) @ capacitance


def _follow(network: LeakyNetwork, phase: Phase) -> float:
    """Return 0 where the couplings are too weak for more than one steady state.

    No activation is steeper than 1. Where the leaks outweigh all couplings, in the weighted
    maximum norm in which these are weakest, the currents are a contraction.
    """
    signals = signals_of(network)
    damping = conditions(signals, phase).damping
    layout, weight = signals.layout, np.ones(signals.layout.units)
    for _ in range(_NORMS):
        heard = np.zeros(layout.units)
        at, by = split_nodes(layout, heard), split_nodes(layout, weight)
        for layer in range(2, layout.depth + 1):
            at[layer - 1][...] += by[layer - 2] @ np.abs(layout.weight(signals.theta, layer))
            at[layer - 2][...] += np.abs(layout.backward(signals.theta, layer)) @ by[layer - 1]
        heard /= damping
        if np.all(heard < weight):
            return 0.0
        weight = weight / weight.max() + heard / heard.max() + 1e-6
    return _FOLLOWED * float(network.time_constants().max())


FAMILY = Family(leaky_deck, saved, sources, _widths, _imbalance, _energy, _stored, _follow)
