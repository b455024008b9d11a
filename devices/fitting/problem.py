"""The optimisation behind a fit: residuals, their derivatives, and the way downhill."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import least_squares

from .coordinates import Search, window_fields
from .likelihood import deviation, log_likelihood, loss, scale
from .simulation import respond
from .traces import Traces

__all__ = [
    "Optimum",
    "Problem",
    "count",
    "descend",
    "hold_redundant",
    "minimise",
    "starting_points",
]

_STEP = 1e-5
_PRIOR = 1e-3  # pull towards the middle of the starts, in sigma: holds what the data leave open
_CLIP = 3.0  # sigma of the largest error the state takes over
_FLOOR = 1e-9  # of the range of the readings: smallest sigma
_DEPENDENT = 3e-6  # singular value of normalised slopes that is 0, up to differencing
_IMPOSSIBLE = 1e3  # residual of parameters the model refuses


class Optimum(NamedTuple):
    """Coordinates, scale of the residuals (in units of the range) and log-likelihood."""

    u: np.ndarray
    sigma: float
    log_likelihood: float


class Problem:
    """Residuals over all coordinates: those of the parameters, first states, gain.

    Parameters
    ----------
    search
        The coordinates of the model.
    traces
        The readings.
    gain
        Whether the share of each prediction error that the state takes over is fitted; else 0.

    Attributes
    ----------
    own, size : int
        Number of coordinates of the parameters, and of all.
    low, high : ndarray, shape (size,)
        Bounds.
    width : float
        Range [S] of the readings, without outliers: the unit of residuals.
    limit : float
        Largest error, in that unit, that the state takes over.
    weight : ndarray, shape (n,)
        Relative weights of the readings.
    held : ndarray of bool, shape (size,)
        Coordinates that are not searched, since others can stand in for them.
    """

    def __init__(self, search: Search, traces: Traces, *, gain: bool) -> None:
        self.search, self.traces, self.with_gain = search, traces, gain
        coordinates, states = search.coordinates, traces.segments
        self.own, self.size = len(coordinates), len(coordinates) + states + gain
        self.low = np.array([c.low for c in coordinates] + [0.0] * (states + gain))
        self.high = np.array([c.high for c in coordinates] + [1.0] * states + [0.95] * gain)
        middle = [0.5 * sum(c.start) for c in coordinates]
        self.middle = np.array(middle + [0.5] * states + [0.0] * gain)
        bulk = float(np.ptp(np.quantile(traces.g, (0.02, 0.98))))
        self.width = bulk or float(np.ptp(traces.g))
        self.limit = np.inf
        self.weight = np.ones(traces.g.size)
        if traces.spread is not None:
            typical = float(np.median(traces.spread[traces.spread > 0]))
            self.weight = typical / np.maximum(traces.spread, 0.2 * typical)

        self.held = np.zeros(self.size, bool)

    def clip_errors(self, sigma: float) -> None:
        """Let no error above three *sigma* into the state."""
        self.limit = _CLIP * sigma

    def predict(self, u: np.ndarray) -> np.ndarray:
        """Return the predicted conductances [S], shape (m, n), at *u*, shape (m, size)."""
        table = self.search.table(u[:, : self.own])
        states = u[:, self.own : self.own + self.traces.segments]
        gain = u[:, -1] if self.with_gain else None
        limit = self.limit * self.width
        out = respond(self.search.device, table, states, self.traces, gain, limit)
        possible = np.asarray(np.isfinite(out).all(axis=1))
        possible[possible] = self.search.allowed(table[possible])
        out[~possible] = _IMPOSSIBLE * self.width
        return out

    def residuals(self, u: np.ndarray) -> np.ndarray:
        """Return weighted residuals in units of the range, shape (m, n)."""
        return (self.predict(u) - self.traces.g) / self.width * self.weight

    def jacobian(self, u: np.ndarray) -> np.ndarray:
        """Return the derivatives of the residuals at *u*, shape (n, size)."""
        above = np.minimum(u + _STEP, self.high)
        below = np.maximum(u - _STEP, self.low)
        points = np.tile(u, (2 * self.size, 1))
        index = np.arange(self.size)
        points[index, index] = above
        points[self.size + index, index] = below
        r = self.residuals(points)
        jacobian = ((r[: self.size] - r[self.size :]) / (above - below)[:, np.newaxis]).T
        # A neighbour the model refuses says nothing about the slope.
        jacobian[:, np.abs(jacobian).max(axis=0) > _IMPOSSIBLE] = 0.0
        return jacobian

    def log_likelihood(self, u: np.ndarray, sigma: float) -> float:
        """Return the log-likelihood of the readings, in units of their range."""
        r = self.residuals(u[np.newaxis])[0]
        return log_likelihood(r, sigma) + float(np.log(self.weight).sum())


def hold_redundant(problem: Problem) -> None:
    """Hold parameters for which others can stand in exactly, whatever was measured.

    The scale of a table and its entries are such; so are a factor and an exponent of which only
    the product acts. No reading could tell them apart. A step size is held first, then
    dimensionless parameters from the last one on.
    """
    probe = Problem(problem.search, _SINGLE_PULSES, gain=False)
    probe.width = problem.width
    points = _random_points(probe, np.random.default_rng(0), 40)
    points[:, probe.own :] = np.linspace(0.0, 1.0, probe.size - probe.own)
    possible = np.abs(probe.residuals(points)).max(axis=1) < 0.5 * _IMPOSSIBLE
    slopes = [_normalised(probe.jacobian(u))[:, : probe.own] for u in points[possible][:12]]
    held = np.zeros(probe.own, bool)
    coordinates = problem.search.coordinates
    order = [k for k, c in enumerate(coordinates) if c.kind == "log" and c.usual]
    order += [k for k, c in reversed(list(enumerate(coordinates))) if c.kind != "log" and c.usual]
    for k in order:
        without = held.copy()
        without[k] = True
        seen = [slope for slope in slopes if slope[:, k].any()]
        lost = sum(_rank(slope[:, ~without]) < _rank(slope[:, ~held]) for slope in seen)
        # Steep exponentials blur differences, so a few points may contradict.
        held[k] = 3 * lost < len(seen)
    problem.held[: problem.own] = held


def _single_pulses() -> Traces:
    """Return what one SET and one RESET pulse do to cells in many states, in no unit."""
    states = 43  # between the nodes of any table
    pulses = np.tile([0, 1, 0, -1], states)
    segment = np.repeat(np.arange(2 * states), 2)
    return Traces(np.zeros(pulses.size), pulses, segment, np.zeros_like(segment))


_SINGLE_PULSES = _single_pulses()


def _normalised(jacobian: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(jacobian, axis=0)
    return jacobian / np.where(size > 1e-7, size, np.inf)


def _rank(jacobian: np.ndarray) -> int:
    singular = np.linalg.svd(jacobian, compute_uv=False)
    return int(np.sum(singular > _DEPENDENT))


def count(problem: Problem, best: Optimum) -> int:
    """Return the number of coordinates the readings depend on at all.

    A trace of SET pulses should not pay for RESET parameters. A parameter whose effect is lost
    in the noise counts, since it was free to follow that noise.
    """
    return _rank(_normalised(problem.jacobian(best.u)[:, ~problem.held]))


def _random_points(problem: Problem, rng: np.random.Generator, n: int) -> np.ndarray:
    u = np.empty((n, problem.size))
    for k, c in enumerate(problem.search.coordinates):
        wide = rng.uniform(*c.start, n)
        if c.usual and c.kind == "linear":  # half of the shapes near one that is known
            near = rng.choice(c.usual, n) + 0.1 * rng.standard_normal(n)
            wide = np.where(np.arange(n) % 2, np.clip(near, c.low, c.high), wide)
        u[:, k] = rng.choice(c.usual, n) if problem.held[k] else wide
    u[:, problem.own :] = rng.uniform(0.05, 0.95, (n, problem.size - problem.own))
    return u


def starting_points(problem: Problem, seed: int, tried: int, kept: int) -> np.ndarray:
    """Return the *kept* most promising of *tried* random points, shape (<= kept, size)."""
    u = _random_points(problem, np.random.default_rng(seed), tried)
    table = problem.search.table(u[:, : problem.own])
    fields = problem.search.device.params._fields
    low, high = (table[:, fields.index(name)] for name in window_fields(problem.search.device))
    first = problem.traces.g[problem.traces.starts]
    states = (first[np.newaxis] - low[:, np.newaxis]) / (high - low)[:, np.newaxis]
    u[:, problem.own :] = np.clip(states, 0.02, 0.98)
    r = problem.residuals(u)
    cost = np.mean(np.log1p((r / max(deviation(r.min(axis=0)), 0.02)) ** 2), axis=1)
    cost[np.abs(r).max(axis=1) >= 0.5 * _IMPOSSIBLE] = np.inf
    order = np.argsort(cost, kind="stable")[:kept]
    return u[order[np.isfinite(cost[order])]]


def descend(problem: Problem, u: np.ndarray, sweeps: int = 12) -> Optimum:
    """Alternate between coordinates and scale until neither moves, or *sweeps* times."""
    sigma = scale(problem.residuals(u[np.newaxis])[0], _FLOOR)
    for sweep in range(sweeps):
        if problem.with_gain:
            problem.clip_errors(sigma)
        u = minimise(problem, u, sigma, steps=8 if sweep == 0 else 40)
        new = scale(problem.residuals(u[np.newaxis])[0], _FLOOR)
        done = abs(new - sigma) < 1e-5 * sigma
        sigma = new
        if done:
            break
    return Optimum(u, sigma, problem.log_likelihood(u, sigma))


def minimise(
    problem: Problem, u: np.ndarray, sigma: float, steps: int, held: np.ndarray | None = None
) -> np.ndarray:
    """Return the coordinates of least loss near *u*, at fixed *sigma*.

    Parameters
    ----------
    problem, u, sigma
        Where to start, and the scale of the residuals.
    steps
        Most evaluations.
    held : ndarray of bool, shape (size,), optional
        Further coordinates that stay as they are.
    """
    free = ~problem.held if held is None else ~(held | problem.held)
    prior = np.eye(problem.size)[:, free] * _PRIOR

    def whole(part: np.ndarray) -> np.ndarray:
        point = u.copy()
        point[free] = part
        return point

    def residuals(part: np.ndarray) -> np.ndarray:
        point = whole(part)
        r = problem.residuals(point[np.newaxis])[0] / sigma
        return np.append(r, _PRIOR * (point - problem.middle))

    def jacobian(part: np.ndarray) -> np.ndarray:
        return np.vstack([problem.jacobian(whole(part))[:, free] / sigma, prior])

    if not free.any():
        return u
    low, high = problem.low[free], problem.high[free]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of trial points far away
        solve: Any = least_squares  # its annotations know neither jac nor loss as functions
        found = solve(
            residuals,
            np.clip(u[free], low + 1e-9, high - 1e-9),
            jacobian,
            bounds=(low, high),
            loss=loss,
            ftol=1e-9,
            xtol=1e-9,
            gtol=1e-9,
            max_nfev=steps,
        )
    return whole(found.x)
