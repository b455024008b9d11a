"""What the ngspice simulator needs to know of resistive networks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...circuits.resistive.network import ResistiveNetwork
from ...circuits.simulator import Phase
from ..simulator import Family
from .resistive_deck import resistive_deck, saved, sources
from .resistive_power import classes_of

__all__ = ["FAMILY"]


def _imbalance(network: ResistiveNetwork, phase: Phase, v: NDArray) -> tuple[NDArray, NDArray]:
    from ...circuits.resistive.flat import applied, flatten
    from ...circuits.resistive.kirchhoff import currents

    flat = flatten(network)
    conductance, drive = applied(network, flat, phase)
    f, slope = np.empty_like(v), np.empty_like(v)
    for k, each in enumerate(v):
        currents(flat, conductance, drive[k], each, f[k], slope[k])
    held = np.isinf(slope)
    return np.where(held, 0.0, np.abs(f)), np.where(held, 0.0, np.abs(f / slope))


def _stored(network: ResistiveNetwork, before: NDArray, after: NDArray) -> NDArray:
    return 0.5 * (after * after - before * before) @ np.concatenate(network.capacitance)


def _widths(network: ResistiveNetwork) -> tuple[int, ...]:
    return network.sizes[1:]


def _one_state(network: ResistiveNetwork, phase: Phase) -> float:
    """Return 0: co-content is convex, so that there is one steady state, wherever one starts."""
    return 0.0


FAMILY = Family(
    resistive_deck, saved, sources, _widths, _imbalance, classes_of, _stored, _one_state
)
