"""Fit one model to pulse traces: many starts, robust least squares, intervals.

The model runs through the pulses with its own potentiation and depression; every segment has a
free state at its first reading, so that the noise of that reading does no harm. Two laws of noise
are tried. With gain 0 the model runs freely and the readings scatter about it. With a gain K the
state takes over a share K of each prediction error, as the steady Kalman filter of a cell whose
*state* is noisy; K says how much of the noise stays in the cell. K is fitted with the rest, and
kept where the likelihood pays for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...errors import DeviceError
from ..contract import Device
from .coordinates import Coordinate, make_search
from .intervals import Interval, as_probable, count, intervals
from .likelihood import deviation
from .problem import Optimum, Problem, descend, starting_points
from .traces import Traces

__all__ = ["Fit", "Parameter", "fit_model"]

STARTS = 800  # parameter sets that are tried
CANDIDATES = 20  # of which so many, the best, are improved a little
DESCENTS = 3  # and so many of these, to the end
_STEADY = 0.01  # a gain below is none


class Parameter(NamedTuple):
    """One parameter of a fitted model.

    Attributes
    ----------
    name, unit, meaning
        Of the quantity estimated; ``1/a`` stands for the inverse of a parameter ``a``.
    value
        Best value.
    low, high
        Ends of its 95 % interval; None where it has no end on that side.
    status
        ``"fitted"``, ``"at its limit"`` (the best value is the last one allowed), or ``"not
        determined"``: the readings would be as probable with very different values.
    """

    name: str
    unit: str
    meaning: str
    value: float
    low: float | None
    high: float | None
    status: str


@dataclass(frozen=True)
class Fit:
    """A model fitted to traces.

    Attributes
    ----------
    device : Device
        The model.
    params : NamedTuple
        Its parameters, SI units.
    parameters : tuple of Parameter
        What was estimated, with intervals.
    x0 : ndarray, shape (segments,)
        State at the first reading of each segment.
    gain : float
        Share of a prediction error that stays in the state; 0 is noise of the reading alone.
    sigma : float
        Standard deviation [S] of the bulk of the residuals.
    predicted, residuals : ndarray, shape (n,)
        Conductances [S] expected from the pulses and the readings before, and what was read
        less these.
    log_likelihood : float
        Of the readings in units of their range, Student's t with 4 degrees of freedom.
    k : int
        Number of numbers the readings have a say in: parameters, first states, sigma, gain.
    aicc : float
        Akaike's criterion, corrected for few readings; only differences mean anything.
    problem, optimum
        What was solved.
    """

    device: Device
    params: Any
    parameters: tuple[Parameter, ...]
    x0: np.ndarray
    gain: float
    sigma: float
    predicted: np.ndarray
    residuals: np.ndarray
    log_likelihood: float
    k: int
    aicc: float
    problem: Problem
    optimum: Optimum

    def contains(self, params: Any) -> bool:
        """Return whether *params* lie in the joint 95 % region of all parameters.

        The single intervals hold 95 % each; that all hold at once is less probable.
        """
        return as_probable(self.problem, self.optimum, params)

    @property
    def outliers(self) -> np.ndarray:
        """True for readings more than four sigma away from the model."""
        return np.abs(self.residuals) > 4 * self.sigma

    @property
    def undetermined(self) -> tuple[str, ...]:
        """Names of parameters that the traces do not determine."""
        return tuple(p.name for p in self.parameters if p.status == "not determined")


def fit_model(device: Device, traces: Traces, seed: int = 0) -> Fit:
    """Fit *device* to *traces*.

    Parameters
    ----------
    device
        A pulse-response model.
    traces
        The readings.
    seed
        Of the starting points.

    Raises
    ------
    DeviceError
        The model is dynamical, or no parameters could be found at all.
    """
    if device.dynamical:
        raise DeviceError(
            f"{device.name} is a dynamical model: a pulse trace has no voltages or times to fit "
            "it to. Allowed are pulse-response models; ohmlearn devices lists them."
        )
    search = make_search(device, traces)
    free = Problem(search, traces, gain=False)
    best = _best(free, seed)
    if traces.spread is None:  # a table of means has no noise from pulse to pulse
        tracking = Problem(search, traces, gain=True)
        followed = _best_tracking(tracking, best)
        better = _aicc(tracking, followed) < _aicc(free, best)
        if followed.u[-1] > _STEADY and better:
            return _report(tracking, followed)
    return _report(free, best)


def _best(problem: Problem, seed: int) -> Optimum:
    starts = starting_points(problem, seed, STARTS, CANDIDATES)
    candidates = [descend(problem, u, sweeps=1) for u in starts]
    if not candidates:
        raise DeviceError(f"{problem.search.device.name}: no start comes near the readings.")
    candidates.sort(key=lambda o: -o.log_likelihood)
    optima = [descend(problem, o.u) for o in _different(candidates)[:DESCENTS]]
    return max(optima, key=lambda o: o.log_likelihood)


def _different(candidates: list[Optimum]) -> list[Optimum]:
    """Leave out candidates that have run into the same valley as a better one."""
    kept: list[Optimum] = []
    for candidate in candidates:
        if all(np.abs(candidate.u - other.u).max() > 0.02 for other in kept):
            kept.append(candidate)
    return kept


def _best_tracking(problem: Problem, free: Optimum) -> Optimum:
    """Return the best of two starts, little and much noise in the state."""
    optima = [descend(problem, np.append(free.u, gain)) for gain in (0.1, 0.6)]
    best = max(optima, key=lambda o: o.log_likelihood)
    problem.hold_outliers(best.sigma)
    return best


def _aicc(problem: Problem, best: Optimum) -> float:
    k, n = count(problem, best) + 1, problem.traces.g.size  # sigma is the one more
    correction = 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.inf
    return -2 * best.log_likelihood + 2 * k + correction


def _report(problem: Problem, best: Optimum) -> Fit:
    """Return the fit at *best*, with intervals."""
    u, traces = best.u, problem.traces
    predicted = problem.predict(u[np.newaxis])[0]
    coordinates = problem.search.coordinates
    return Fit(
        device=problem.search.device,
        params=problem.search.params(u[: problem.own]),
        parameters=tuple(
            _parameter(problem, c, float(u[k]), interval)
            for k, (c, interval) in enumerate(
                zip(coordinates, intervals(problem, best), strict=True)
            )
        ),
        x0=u[problem.own : problem.own + traces.segments],
        gain=float(u[-1]) if problem.with_gain else 0.0,
        sigma=deviation(problem.residuals(u[np.newaxis])[0]) * problem.width,
        predicted=predicted,
        residuals=traces.g - predicted,
        log_likelihood=best.log_likelihood,
        k=count(problem, best) + 1,
        aicc=_aicc(problem, best),
        problem=problem,
        optimum=best,
    )


def _parameter(problem: Problem, c: Coordinate, u: float, interval: Interval) -> Parameter:
    field = problem.search.device.fields()[c.field]
    low = None if interval.low <= c.low else c.shown(interval.low)
    high = None if interval.high >= c.high else c.shown(interval.high)
    if interval.status == "at its limit":  # the model's own, so the interval ends there
        low, high = c.shown(interval.low), c.shown(interval.high)
    return Parameter(c.label, field.unit, field.meaning, c.shown(u), low, high, interval.status)
