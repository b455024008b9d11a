"""What is left over: noise that stays in the cell, noise of the reading, spread between cells.

With gain K and residuals of standard deviation s, the noise that stays in the state has a
standard deviation K s per reading and the one that does not has sqrt(1 - K) s (steady Kalman
filter of a random walk, R. E. Kalman, J. Basic Eng. 82, 1960, doi:10.1115/1.3662552). Which form
each of them has follows from the likelihood of the residuals: noise of the state in proportion to
the step or to the window, noise of the reading in proportion to the conductance or to the window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ...errors import DeviceError
from ..contract import nominal_step
from ..effects import CycleToCycle, Effects
from .estimate import Fit, fit_model
from .likelihood import log_likelihood, scale
from .traces import Traces

__all__ = ["Noise", "Term", "noise_of"]

FEWEST_CELLS = 3
_SPREADS = 1.166  # relative error of a deviation from the median, times sqrt(n)


class Term(NamedTuple):
    """One term of noise: the effect it becomes, its size with a 95 % interval, and its meaning."""

    effect: str
    value: float
    low: float
    high: float
    meaning: str


class Noise(NamedTuple):
    """The ledger of noise terms, and the same as effects of a cell."""

    terms: tuple[Term, ...]
    effects: Effects
    outlier_fraction: float


def noise_of(fit: Fit, traces: Traces, seed: int = 0) -> Noise:
    """Return the noise of *traces* about *fit*, and the spread between cells if there are >= 3."""
    terms, effects = [], {}
    low, high = (getattr(fit.params, name) for name in fit.device.window)
    window = high - low
    relative, proportional = _forms(fit, traces)
    n = traces.g.size
    error = 1.96 * _SPREADS / np.sqrt(n)
    cycle, reading = fit.gain * fit.sigma, np.sqrt(1 - fit.gain) * fit.sigma
    if traces.spread is not None:  # the file says how much single readings scatter
        reading = float(np.median(traces.spread))
    if cycle > 0:
        pulses = np.sqrt(max(float(np.mean(np.abs(traces.pulses[traces.pulses != 0]))), 1.0))
        unit = _rms(_steps(fit, traces)) if relative else window
        size, of = cycle / unit / pulses, "step" if relative else "window"
        # The share that stays is known less well than the sum.
        wide = error + 0.5
        terms.append(
            Term(
                f"cycle_to_cycle, of {of}",
                size,
                size * max(1 - wide, 0.0),
                size * (1 + wide),
                f"noise of each pulse that stays in the cell, relative to the {of}",
            )
        )
        effects["cycle_to_cycle"] = CycleToCycle(float(size), of)
    if proportional:
        size = reading / _rms(traces.g)
        name, meaning = "read_noise", "noise of each reading, relative to the conductance"
    else:
        size = reading / (nominal_step(fit.completed[0]) * window)
        name = "write_noise"
        meaning = "noise of each reading, in nominal steps, the same at any conductance"
    terms.append(Term(name, size, size * (1 - error), size * (1 + error), meaning))
    effects[name] = float(size)
    spreads = _between_cells(fit, traces, seed)
    for name, (value, low, high) in spreads.items():
        meaning = f"relative spread of {name} between the {traces.devices} cells"
        terms.append(Term(f"device_to_device, {name}", value, low, high, meaning))
    if spreads:
        effects["device_to_device"] = {name: s[0] for name, s in spreads.items() if s[0] > 0}
    return Noise(tuple(terms), Effects(**effects), float(np.mean(fit.outliers)))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _steps(fit: Fit, traces: Traces) -> np.ndarray:
    """Return the sizes [S] of the modelled steps, one per reading that follows a pulse."""
    steps = np.abs(np.diff(fit.predicted, prepend=fit.predicted[0]))
    return steps[(traces.pulses != 0) & ~traces.starts]


def _forms(fit: Fit, traces: Traces) -> tuple[bool, bool]:
    """Return whether the state's noise goes with the step, and the reading's with g."""
    step = np.abs(np.diff(fit.predicted, prepend=fit.predicted[0]))
    step[traces.starts] = 0.0
    with_step = (step / max(_rms(step), 1e-300)) ** 2
    with_g = (fit.predicted / _rms(fit.predicted)) ** 2
    flat = np.ones(traces.g.size)
    best, choice = -np.inf, (False, False)
    for relative in (False, True) if fit.gain > 0 else (False,):
        for proportional in (False, True):
            state = with_step if relative else flat
            reading = with_g if proportional else flat
            shape = np.sqrt(fit.gain * state + (1 - fit.gain) * reading) + 1e-6
            r = fit.residuals / shape
            value = log_likelihood(r, scale(r, 1e-12 * fit.sigma)) - float(np.log(shape).sum())
            if value > best + 1e-9:
                best, choice = value, (relative, proportional)
    return choice


def _between_cells(
    fit: Fit, traces: Traces, seed: int
) -> Mapping[str, tuple[float, float, float]]:
    """Return the relative spread of the window's ends and of the step, with intervals."""
    if traces.devices < FEWEST_CELLS:
        return {}
    found: list[tuple[Any, float]] = []
    for device in np.unique(traces.device).tolist():
        try:
            own = fit_model(fit.device, traces.of_device(device), seed).completed[0]
        except DeviceError:
            continue
        low, high = (getattr(own, name) for name in fit.device.window)
        found.append((own, nominal_step(own) * (high - low)))
    if len(found) < FEWEST_CELLS:
        return {}
    low, high = fit.device.window
    values = {
        "g_min": [getattr(p, low) for p, _ in found],
        "g_max": [getattr(p, high) for p, _ in found],
        "step": [step for _, step in found],
    }
    n = len(found)
    error = 1.96 / np.sqrt(2 * (n - 1))
    spreads = {name: float(np.std(v, ddof=1) / np.mean(v)) for name, v in values.items()}
    return {name: (s, s * max(1 - error, 0.0), s * (1 + error)) for name, s in spreads.items()}
