"""Traces made from a model, to see whether a fit finds the model again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..contract import current, depression, device_of, potentiation
from .coordinates import window_fields
from .simulation import V_READ
from .traces import Traces

__all__ = ["make_traces"]


def make_traces(
    p: Any,
    trains: Sequence[int],
    *,
    seed: int,
    noise: float = 0.0,
    outliers: float = 0.0,
    cycle_to_cycle: float = 0.0,
    x0: float = 0.05,
) -> Traces:
    """Return one cell's readings, one per pulse.

    Parameters
    ----------
    p
        Parameters of a model.
    trains
        Pulses of the trains, > 0 SET and < 0 RESET, as ``[80, -80, 80, -80]``.
    seed
        Of all that is random.
    noise
        Standard deviation of normal noise of each reading, in units of the window.
    outliers
        Share of readings that are wrong: uniform from half a window below to half a window above
        it (readings below 0 become 0).
    cycle_to_cycle
        Relative standard deviation of each step, which stays in the state.
    x0
        State at the first reading.
    """
    rng = np.random.default_rng(seed)
    pulses = np.concatenate([[0], *(np.full(abs(n), np.sign(n)) for n in trains)])
    device = device_of(type(p))
    low, high = (getattr(p, name) for name in window_fields(device))
    x, g = x0, np.empty(pulses.size)
    for i, pulse in enumerate(pulses):
        if pulse:
            step = potentiation(p, x) if pulse > 0 else -depression(p, x)
            x = min(max(x + step * (1 + cycle_to_cycle * rng.standard_normal()), 0.0), 1.0)
        g[i] = current(p, V_READ, x) / V_READ
    g += noise * (high - low) * rng.standard_normal(g.size)
    wrong = rng.random(g.size) < outliers
    g[wrong] = rng.uniform(1.5 * low - 0.5 * high, 1.5 * high - 0.5 * low, int(wrong.sum()))
    zeros = np.zeros(g.size, np.int64)
    return Traces(np.maximum(g, 0.0), pulses.astype(np.int64), zeros, zeros, source="synthetic")
