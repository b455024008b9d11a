"""Many drives of one array, eight at a time."""

from __future__ import annotations

import numpy as np

from .balance import State
from .lanes import LANES, finish, relax
from .linear import LinearSystem

__all__ = ["ENOUGH", "relax_some"]


ENOUGH = 3
"""Drives that are worth a block of eight."""


def relax_some(system: LinearSystem, state: State, cold: bool, tolerance: float) -> int:
    """Solve up to eight drives of *state* in place; return the iterations taken.

    Each drive is scaled to 1 V, so that a small one is as accurate as a large one; with *cold*
    the shifts in *state* are zero. Whether the currents balance is for the caller to check: a
    block that stalls is left as it is.
    """
    bits = system.two_way()
    rows, columns = system.g.shape
    omega = 1.0 / system.ritz
    wide = len(state.v)
    v, u = np.zeros((rows, LANES)), np.zeros((LANES, columns))
    b, q = np.zeros((rows, LANES, columns)), np.empty((rows, LANES, columns))
    scale = np.maximum(np.abs(state.v).max(axis=1), np.abs(state.u).max(axis=1))
    scale[scale == 0] = 1.0
    v[:, :wide] = state.v.T / scale
    u[:wide] = state.u / scale[:, np.newaxis]
    if not cold:
        b[:, :wide] = (state.b / scale[:, np.newaxis, np.newaxis]).swapaxes(0, 1)
    limit = 3 * omega.size + 3
    count = relax(system.g, system.lines, bits, v, u, omega, tolerance, limit, b, q)
    finish(
        system.g, system.lines, bits, v, u, b, wide, scale, state.w, state.b, state.current,
        state.supply, state.output,
    )  # fmt: skip
    return limit if count < 0 else count
