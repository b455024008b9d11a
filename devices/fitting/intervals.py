"""How sure the parameters of a fit are: profile likelihood, robust against outliers.

The interval of a parameter holds every value at which the other parameters can make the readings
nearly as probable as at the optimum: twice the fall of the log-likelihood stays below the square
of Student's t, times a factor for the true law of the residuals (they are not exactly Student's t)
and for their correlation in time. Unlike an interval from the curvature alone it is right where
two parameters can nearly stand in for each other. For a table of steps, with dozens of parameters,
the curvature has to do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import f as f_law
from scipy.stats import t as student

from .likelihood import NU, deviation, variance_factor
from .problem import Optimum, Problem, minimise

__all__ = ["Interval", "as_probable", "intervals"]

_EDGE = 1e-3
_REFITS = 8
_STEPS = 12
_MOST_PROFILES = 16  # of more coordinates, as of a table, only the curvature is looked at


class Interval(NamedTuple):
    """The 95 % interval of one coordinate, and what is to be said about it."""

    low: float
    high: float
    status: str


class _Law(NamedTuple):
    """What stands for 1 in the fall of twice the log-likelihood, and the degrees of freedom."""

    unit: float
    freedom: int
    covariance: np.ndarray


def intervals(problem: Problem, best: Optimum) -> list[Interval]:
    """Return the 95 % interval of each parameter's coordinate."""
    law = _law(problem, best)
    allowed = float(student.ppf(0.975, law.freedom)) ** 2 * law.unit
    half = np.sqrt(np.diag(law.covariance)) * float(student.ppf(0.975, law.freedom))
    unseen = np.linalg.norm(problem.jacobian(best.u), axis=0) < 1e-7
    many = int((~problem.held).sum()) > _MOST_PROFILES
    found = []
    for k, c in enumerate(problem.search.coordinates):
        if problem.held[k]:
            found.append(Interval(c.low, c.high, "held"))
            continue
        if unseen[k]:
            found.append(Interval(c.low, c.high, "not measured"))
            continue
        at_edge = min(best.u[k] - c.low, c.high - best.u[k]) < _EDGE
        if many:
            ends = max(best.u[k] - half[k], c.low), min(best.u[k] + half[k], c.high)
        elif half[k] > 4 * c.vague:  # flat: no need to walk to the end of it
            ends = c.low, c.high
        else:
            ends = (
                _end(problem, best, k, -half[k], allowed),
                _end(problem, best, k, half[k], allowed),
            )
        vague = ends[1] - ends[0] > 2 * c.vague or ends == (c.low, c.high)
        status = "not determined" if vague else "at its limit" if at_edge else "fitted"
        found.append(Interval(*ends, status))
    return found


def as_probable(problem: Problem, best: Optimum, params: Any) -> bool:
    """Return whether *params* lie in the joint 95 % region of all parameters."""
    u = best.u.copy()
    u[: problem.own] = [c.inverse(getattr(params, c.field)) for c in problem.search.coordinates]
    held = np.arange(problem.size) < problem.own
    law = _law(problem, best)
    fall = _fall(problem, best, minimise(problem, u, best.sigma, 40, held))
    own = problem.own - int(problem.held.sum())
    allowed = own * float(f_law.ppf(0.95, own, law.freedom))
    return fall <= allowed * law.unit


def _law(problem: Problem, best: Optimum) -> _Law:
    r = problem.residuals(best.u[np.newaxis])[0]
    free = problem.size - int(problem.held.sum())
    jacobian = problem.jacobian(best.u)
    factor = variance_factor(r, best.sigma, free) * _correlation(r)
    information = jacobian.T @ jacobian
    prior = np.where(problem.held, 1e12, 1e-4)
    covariance = np.linalg.inv(information / factor + np.diag(prior))
    # sigma^-2 E psi' is the curvature of the log-likelihood per reading, without outliers' share
    curvature = _curvature(r, best.sigma)
    return _Law(factor * curvature, max(r.size - free, 1), covariance)


def _curvature(r: np.ndarray, sigma: float) -> float:
    z = (r / sigma) ** 2
    return max(float(np.mean((NU + 1) * (NU - z) / (NU + z) ** 2)), 1e-3) / sigma**2


def _correlation(r: np.ndarray) -> float:
    """Return by how much the residuals' correlation raises the variance of a mean of them.

    Sum of the correlations at lags up to the first that is within its own noise; 1 for
    residuals without memory. Outliers are clipped.
    """
    n = r.size
    clipped = np.clip(r, -3 * deviation(r), 3 * deviation(r))
    clipped = clipped - clipped.mean()
    power = float(np.mean(clipped**2))
    total = 1.0
    if power > 0:
        for lag in range(1, n // 4):
            rho = float(np.mean(clipped[lag:] * clipped[:-lag])) / power
            if rho < 2 / np.sqrt(n):
                break
            total += 2 * rho
    return total


def _fall(problem: Problem, best: Optimum, u: np.ndarray) -> float:
    """Return twice the fall of the log-likelihood from the optimum to *u*."""
    return 2 * (problem.log_likelihood(best.u, best.sigma) - problem.log_likelihood(u, best.sigma))


def _end(problem: Problem, best: Optimum, k: int, reach: float, allowed: float) -> float:
    """Return where the fall of the likelihood is *allowed*, on the side of *reach*."""
    held = np.arange(problem.size) == k
    limit = problem.low[k] if reach < 0 else problem.high[k]
    u, inside, outside = best.u, 0.0, None
    for _ in range(_REFITS):
        end = best.u[k] + reach
        beyond = (end - limit) * np.sign(reach) >= 0
        u = np.where(held, limit if beyond else end, u)
        u = minimise(problem, u, best.sigma, _STEPS, held)
        fall = _fall(problem, best, u)
        if beyond and fall < allowed:
            return float(limit)
        reach = float(u[k] - best.u[k])
        if abs(fall - allowed) < 0.05 * allowed:
            break
        if fall < allowed:
            inside = reach
        else:
            outside = reach
        # The square root of the fall is nearly a straight line.
        step = reach * float(np.clip(np.sqrt(allowed / max(fall, 1e-3 * allowed)), 0.4, 4.0))
        if outside is not None and not abs(inside) < abs(step) < abs(outside):
            step = 0.5 * (inside + outside)
        reach = step
    return float(np.clip(best.u[k] + reach, problem.low[k], problem.high[k]))
