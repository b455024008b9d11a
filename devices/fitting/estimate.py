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
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ...errors import DeviceError
from ..contract import Device
from .coordinates import Coordinate, make_search, window_fields
from .intervals import Interval, as_probable, intervals
from .likelihood import deviation
from .problem import Optimum, Problem, count, descend, hold_redundant, starting_points
from .traces import Traces

__all__ = ["EVEN", "Fit", "Parameter", "fit_model"]

STARTS = 800  # parameter sets that are tried
CANDIDATES = 20  # of which so many, the best, are improved a little
DESCENTS = 3  # and so many of these, to the end
EVEN = 2.0
"""Difference of AICc up to which two models count as equally good, as is usual (K. P. Burnham,
D. R. Anderson, "Model selection and multimodel inference", 2002, doi:10.1007/b97636)."""

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
        ``"fitted"``; ``"at its limit"``: the best value is the last one allowed; ``"not
        determined"``: the readings would be as probable with very different values; ``"not
        measured"``: nothing in the traces depends on it; ``"held"``: not searched, since other
        parameters can stand in for it.
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

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """What was estimated, with intervals (computed when first asked for)."""
        u, coordinates = self.optimum.u, self.problem.search.coordinates
        found = intervals(self.problem, self.optimum)
        return tuple(
            _parameter(self.problem, c, float(u[k]), interval)
            for k, (c, interval) in enumerate(zip(coordinates, found, strict=True))
        )

    def contains(self, params: Any) -> bool:
        """Return whether *params* lie in the joint 95 % region of all parameters.

        The single intervals hold 95 % each; that all hold at once is less probable.
        """
        return as_probable(self.problem, self.optimum, params)

    @property
    def width(self) -> float:
        """Conductance window of the fitted cell [S]."""
        low, high = (getattr(self.params, name) for name in window_fields(self.device))
        return high - low

    @property
    def outliers(self) -> np.ndarray:
        """True for readings more than four sigma away from the model."""
        return np.abs(self.residuals) > 4 * self.sigma

    @property
    def undetermined(self) -> tuple[str, ...]:
        """Names of parameters that the traces do not determine."""
        return tuple(p.name for p in self.parameters if p.status == "not determined")

    @property
    def completed(self) -> tuple[Any, tuple[str, ...]]:
        """The parameters with unmeasured ones taken from the other direction of pulses.

        And the names of these: ``dg_down`` is that of ``dg_up`` where there were no RESET pulses,
        with the opposite sign where the model's defaults have opposite signs.
        """
        fields, defaults = self.device.params._fields, self.device.params()
        unmeasured = self.unmeasured
        changes = {}
        for name in unmeasured:
            for own, other in (("up", "down"), ("down", "up")):
                twin = name.replace(own, other)
                if name != twin and twin in fields and twin not in unmeasured:
                    opposite = getattr(defaults, name) * getattr(defaults, twin) < 0
                    changes[name] = (-1.0 if opposite else 1.0) * getattr(self.params, twin)
        return self.params._replace(**changes), tuple(changes)

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """Names of fields that play no part in these traces, as RESET steps in a SET train."""
        return tuple(
            c.field
            for c, p in zip(self.problem.search.coordinates, self.parameters, strict=True)
            if p.status == "not measured"
        )


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
    hold_redundant(free)
    best = _best(free, seed)
    if traces.spread is None:  # a table of means has no noise from pulse to pulse
        tracking = Problem(search, traces, gain=True)
        tracking.held[: free.size] = free.held
        followed = _best_tracking(tracking, best)
        gained = _aicc(free, best) - _aicc(tracking, followed)
        if followed.u[-1] > _STEADY and gained > EVEN:
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
    problem.clip_errors(best.sigma)
    return best


def _aicc(problem: Problem, best: Optimum) -> float:
    k, n = count(problem, best) + 1, problem.traces.g.size  # sigma is the one more
    correction = 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.inf
    return -2 * best.log_likelihood + 2 * k + correction


def _report(problem: Problem, best: Optimum) -> Fit:
    """Return the fit at *best*."""
    u, traces = best.u, problem.traces
    predicted = problem.predict(u[np.newaxis])[0]
    return Fit(
        device=problem.search.device,
        params=problem.search.params(u[: problem.own]),
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
