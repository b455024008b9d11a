"""Kirchhoff's current law at the nodes: what flows into each, and how far off the nodes are."""

from __future__ import annotations

import numpy as np

from ...jit import kernel
from .elements import clamp, held
from .elimination import add_coupling

__all__ = ["RUNAWAY", "currents", "largest", "reach", "unheld"]

RUNAWAY = 1e4
"""A node this many times beyond all that drives it has no steady state."""


@kernel
def currents(flat, conductance, drive, v, f, slope):
    """Write the current into each node [A], without ideal diodes, and the diagonal [S].

    The diagonal of a node that stands still is infinite: one that an ideal diode holds, or that
    nothing is connected to.
    """
    f[:] = drive
    add_coupling(flat, v, f)
    for j in range(v.size):
        low, high = flat.low[j], flat.high[j]
        i, di = clamp(flat.diode, low, high, v[j])
        f[j] -= conductance[j] * v[j] + i
        slope[j] = conductance[j] + di
        loose = slope[j] == 0.0 and f[j] == 0.0
        if loose or held(flat.diode, low, high, v[j], f[j]):
            slope[j] = np.inf


@kernel
def unheld(f, slope):
    """Return the largest violation of Kirchhoff's current law; ideal diodes carry the rest."""
    worst = 0.0
    for j in range(f.size):
        if slope[j] < np.inf:
            worst = max(worst, abs(f[j])) if f[j] == f[j] else np.inf
    return worst


@kernel
def largest(values):
    """Return the largest magnitude, infinite if one is not a number."""
    found = 0.0
    for value in values:
        found = max(found, abs(value)) if value == value else np.inf
    return found


@kernel
def reach(flat, drive):
    """Return a voltage [V] that no node of a network without active sources could exceed."""
    found, amplified = 1e-9, 1.0
    for layer in range(1, flat.sizes.size):
        amplified *= max(flat.gain[layer], 1.0)
        for j in range(flat.at[layer], flat.at[layer + 1]):
            if flat.conductance[j] > 0.0:
                found = max(found, abs(drive[j]) / flat.conductance[j])
            for rail in (flat.low[j], flat.high[j]):
                if abs(rail) < np.inf:
                    found = max(found, abs(rail))
    return found * amplified
