"""The likelihood of noise that stays in the cell and noise that does not: a Kalman filter.

The state of the fitted model is followed through the pulses with its uncertainty: each pulse adds
the variance of its own noise, each reading takes some away. A reading further off than three
standard deviations moves the state no more than one at three. References: R. E. Kalman, J. Basic
Eng. 82, 1960, doi:10.1115/1.3662552; C. J. Masreliez, R. D. Martin, IEEE Trans. Autom. Control
22, 1977, doi:10.1109/TAC.1977.1101538 (filters for outliers).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from ...jit import kernel
from ..dispatch import cell, conductance, depression, potentiation
from .estimate import EVEN, Fit
from .likelihood import deviation, log_likelihood
from .simulation import V_READ
from .traces import Traces

__all__ = ["NoiseFit", "fit_noise"]

_SMALLEST = 1e-7  # of the window
_H = 1e-4


class NoiseFit(NamedTuple):
    """Sizes of noise as fractions of what they go with, and their relative standard errors.

    Attributes
    ----------
    of_step
        True if the noise of a pulse goes with its step, False if with the window.
    cycle, cycle_error
        Noise of a pulse; 0 where the readings show none.
    of_conductance
        True if the noise of a reading goes with the conductance, False if with the window.
    reading, reading_error
        Noise of a reading.
    """

    of_step: bool
    cycle: float
    cycle_error: float
    of_conductance: bool
    reading: float
    reading_error: float


@kernel
def _follow(
    like: Any,
    table: Any,
    x0: Any,
    pulses: Any,
    segment: Any,
    starts: Any,
    g: Any,
    q_step: Any,
    q_add: Any,
    r_conductance: Any,
    r_add: Any,
    error: Any,
    spread: Any,
) -> None:
    """Write the error of each prediction and its standard deviation, in units of the window."""
    p = cell(like, table, 0)
    low = conductance(p, V_READ, 0.0)
    width = conductance(p, V_READ, 1.0) - low
    x, variance = 0.0, 0.0
    for i in range(g.size):
        if starts[i]:
            x, variance = x0[segment[i]], 0.0
        for _ in range(abs(pulses[i])):
            up = pulses[i] > 0
            change = potentiation(p, x) if up else -depression(p, x)
            ahead = potentiation(p, x + _H) if up else -depression(p, x + _H)
            slope = 1.0 + (ahead - change) / _H
            variance = slope * slope * variance + (q_step * change) ** 2 + q_add * q_add
            x = min(max(x + change, 0.0), 1.0)
        predicted = conductance(p, V_READ, x)
        own = (r_conductance * predicted / width) ** 2 + r_add * r_add
        total = variance + own
        error[i] = (g[i] - predicted) / width
        spread[i] = np.sqrt(total)
        gain = variance / total
        e = min(max(error[i], -3.0 * spread[i]), 3.0 * spread[i])
        x = min(max(x + gain * e, 0.0), 1.0)
        variance *= 1.0 - gain


def fit_noise(fit: Fit, traces: Traces) -> NoiseFit:
    """Return the noise of greatest likelihood about the fitted response."""
    best: tuple[float, NoiseFit] | None = None
    for of_conductance in (False, True):
        for cycle in (None, True, False):
            cost, found = _fitted(fit, traces, of_conductance, cycle)
            if best is None or cost < best[0] - 1e-6:
                best = cost, found
    assert best is not None
    return best[1]


def _fitted(
    fit: Fit, traces: Traces, of_conductance: bool, of_step: bool | None
) -> tuple[float, NoiseFit]:
    """Return the Akaike cost and the noise of one form; None is no noise of the pulse."""
    window = fit.width
    step = np.abs(np.diff(fit.predicted, prepend=fit.predicted[0]))[~traces.starts]
    typical = max(float(np.sqrt(np.mean(step**2))) / window, 1e-6)
    level = float(np.sqrt(np.mean(fit.predicted**2))) / window if of_conductance else 1.0
    start = [np.log(0.9 * fit.sigma / window / level)]
    if of_step is not None:
        size = max(fit.gain, 0.1) * fit.sigma / window
        start.append(np.log(size / typical if of_step else size))

    def cost(u: np.ndarray) -> float:
        error, spread = _filtered(fit, traces, of_conductance, of_step, np.exp(u))
        return -2 * log_likelihood(error, spread)

    found = minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-3})
    sizes = np.exp(found.x)
    error, spread = _filtered(fit, traces, of_conductance, of_step, sizes)
    sizes = sizes * deviation(error / spread)  # t's scale is a little less than the deviation
    errors = _relative_errors(cost, found.x)
    penalty = 0.0 if of_step is None else 2.0 + EVEN
    cycle = (0.0, 0.0) if of_step is None else (float(sizes[1]), errors[1])
    form = NoiseFit(bool(of_step), *cycle, of_conductance, float(sizes[0]), errors[0])
    return float(found.fun) + penalty, form


def _filtered(
    fit: Fit, traces: Traces, of_conductance: bool, of_step: bool | None, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    reading = max(float(sizes[0]), _SMALLEST)
    cycle = 0.0 if of_step is None else max(float(sizes[1]), _SMALLEST)
    error, spread = np.empty(traces.g.size), np.empty(traces.g.size)
    _follow(
        fit.params,
        np.array([fit.params], np.float64),
        np.ascontiguousarray(fit.x0),
        traces.pulses,
        traces.segment,
        traces.starts,
        traces.g,
        cycle if of_step else 0.0,
        0.0 if of_step else cycle,
        reading if of_conductance else 0.0,
        0.0 if of_conductance else reading,
        error,
        spread,
    )
    return error, np.maximum(spread, _SMALLEST)


def _relative_errors(cost: Any, u: np.ndarray) -> list[float]:
    """Return the standard errors of *u* (logarithms) from the curvature of the cost."""
    h, n = 0.05, u.size
    shifts = h * np.eye(n)
    hessian = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            a, b = shifts[i], shifts[j]
            difference = cost(u + a + b) - cost(u + a - b) - cost(u - a + b) + cost(u - a - b)
            hessian[i, j] = difference / (4 * h * h)
    values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
    inverse = vectors @ np.diag(2.0 / np.maximum(values, 1e-2)) @ vectors.T
    return np.sqrt(np.diag(inverse)).tolist()
