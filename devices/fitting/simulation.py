"""The response of a model to measured pulses, many parameter sets at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...jit import kernel
from ..contract import Device
from ..dispatch import cell, conductance, depression, potentiation
from .traces import Traces

__all__ = ["V_READ", "respond"]

V_READ = 0.1
"""Voltage [V] at which the readings are taken to be made; only models with a nonlinear current
depend on it."""


@kernel
def _respond(
    like: Any,
    table: Any,
    x0: Any,
    gain: Any,
    limit: Any,
    v_read: Any,
    pulses: Any,
    segment: Any,
    starts: Any,
    g: Any,
    out: Any,
) -> None:
    for row in range(table.shape[0]):
        p = cell(like, table, row)
        width = conductance(p, v_read, 1.0) - conductance(p, v_read, 0.0)
        x = 0.0
        for i in range(g.size):
            if starts[i]:
                x = x0[row, segment[i]]
            for _ in range(abs(pulses[i])):
                change = potentiation(p, x) if pulses[i] > 0 else -depression(p, x)
                x = min(max(x + change, 0.0), 1.0)
            predicted = conductance(p, v_read, x)
            out[row, i] = predicted
            if gain[row] > 0.0:
                error = min(max(g[i] - predicted, -limit), limit)
                x = min(max(x + gain[row] * error / width, 0.0), 1.0)


def respond(
    device: Device,
    table: np.ndarray,
    x0: np.ndarray,
    traces: Traces,
    gain: np.ndarray | None = None,
    limit: float = np.inf,
) -> np.ndarray:
    """Return the conductance [S] predicted for every reading.

    Parameters
    ----------
    device
        The model.
    table : ndarray, shape (m, n_fields)
        Parameter sets, SI units.
    x0 : ndarray, shape (m, n_segments)
        State at the first reading of each segment.
    traces
        The pulses; its readings matter only where *gain* is not 0.
    gain : ndarray, shape (m,), optional
        Share of each prediction error that the state takes over. 0 (the default) lets the model
        run freely from the first reading on; 1 starts anew from every reading.
    limit
        Largest error [S] that the state takes over, so that an outlier does not carry it away.

    Returns
    -------
    ndarray, shape (m, n)
    """
    table = np.ascontiguousarray(table, np.float64)
    out = np.empty((len(table), traces.g.size))
    gain = np.zeros(len(table)) if gain is None else np.ascontiguousarray(gain, np.float64)
    _respond(
        device.params(),
        table,
        np.ascontiguousarray(x0, np.float64),
        gain,
        float(limit),
        V_READ,
        traces.pulses,
        traces.segment,
        traces.starts,
        traces.g,
        out,
    )
    return out
