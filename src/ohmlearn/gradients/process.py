"""The check of Theorem 1: how well the updates of every slot descend the gradient.

For small beta and small eta / beta the process of continual equilibrium propagation equals minus
the gradients of backpropagation through time, slot by slot (gradient-descending updates, GDU).
Here that is measured for a small random network, or for the network and data of an experiment
before training. All is done in float64: the process divides differences by beta.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..circuits.hopfield import PROTOTYPICAL
from ..experiment import Experiment
from ..training.bptt import Gradients, backpropagate, free_trajectory
from ..training.process import (
    Distance,
    Process,
    compare,
    nudged_process,
    unit_curves,
    weight_slices,
)
from .problem import Problem, experiment_problem, random_problem, with_sweep

__all__ = ["Check", "Curves", "GduResult", "Row", "run_gdu"]

_CURVES = 5
_SETTLED = 1e-3
_LINEAR_BETA, _LINEAR_RATIO = 1e-2, 1e-2  # up to here errors are proportional to beta, eta / beta
_SATURATED = 1e-1  # up to this eta / beta, the error depends on it alone


class Row(NamedTuple):
    """One (beta, eta) of the sweep and how far its process is from BPTT."""

    beta: float
    eta: tuple[float, ...]
    distance: Distance

    @property
    def ratio(self) -> float:
        """The largest eta / |beta| of any layer."""
        return max(self.eta) / abs(self.beta)


class Check(NamedTuple):
    """One expectation of Theorem 1: the range of the measured ratios, and what is allowed."""

    what: str
    measured: tuple[float, float]
    allowed: tuple[float, float]

    @property
    def passed(self) -> bool:
        """Whether every measured ratio is allowed."""
        return self.allowed[0] <= self.measured[0] and self.measured[1] <= self.allowed[1]


class Curves(NamedTuple):
    """-nabla and Delta of a few units or synapses per layer, each (K, curves), by name."""

    beta: float
    eta: tuple[float, ...]
    descent: Mapping[str, NDArray]
    process: Mapping[str, NDArray]


@dataclass(frozen=True, eq=False)
class GduResult:
    """The outcome: rows of the table, checks (none where the theorem is not exact), curves.

    ``residual`` is the largest distance, over the last K steps, of a free state from the final
    one; the theorem assumes 0.
    """

    problem: Problem
    residual: float
    rows: tuple[Row, ...]
    checks: tuple[Check, ...]
    curves: tuple[Curves, ...]

    @property
    def settled(self) -> bool:
        """Whether what is left of the free phase's motion is small against the nudge."""
        dynamics = self.problem.network.dynamics
        within = 1.0 if dynamics.kind == PROTOTYPICAL else dynamics.time_step
        nudge = within * min(abs(beta) for beta, _ in self.problem.pairs)
        return self.residual <= _SETTLED * nudge

    def as_dict(self) -> dict[str, Any]:
        """Return plain numbers and words for JSON; angles in degrees, null where not finite."""
        problem = self.problem
        return {
            "name": problem.name,
            "layers": [int(n) for n in problem.network.layout.sizes],
            "free_steps": problem.free_steps,
            "nudged_steps": problem.nudged_steps,
            "residual": _plain(self.residual),
            "settled": self.settled,
            "exact": problem.exact,
            "rows": [_row_dict(row) for row in self.rows],
            "checks": [_check_dict(check) for check in self.checks],
        }


def _row_dict(row: Row) -> dict[str, Any]:
    errors = row.distance.error.items()
    return {
        "beta": row.beta,
        "eta": list(row.eta),
        "eta_over_beta": row.ratio,
        "rel_mse_mean": {name: _plain(mean) for name, (mean, _) in errors},
        "rel_mse_std": {name: _plain(std) for name, (_, std) in errors},
        "angle_degrees": _plain(row.distance.angle),
        "sign_agreement": _plain(row.distance.sign_agreement),
    }


def _check_dict(check: Check) -> dict[str, Any]:
    measured = [_plain(value) for value in check.measured]
    return {**check._asdict(), "measured": measured, "passed": check.passed}


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def run_gdu(
    experiment: Experiment | None = None,
    *,
    seed: int | None = None,
    betas: Sequence[float] = (),
    etas: Sequence[float] = (),
    free_steps: int | None = None,
    nudged_steps: int | None = None,
    data_dir: str | Path | None = None,
) -> GduResult:
    """Compare the slots of C-EP (of C-VF, for separate weights) with BPTT.

    Parameters
    ----------
    experiment
        Whose network, data and learning rates are taken, with one training sample. Without one:
        30-40-5, energy-based, tanh, dt 0.08, T 3000, K 80, inputs uniform in [0, 1].
    seed
        Of the weights, the sample and the curves to draw; default the experiment's, or 0.
    betas, etas
        The sweep, see :func:`~ohmlearn.gradients.problem.with_sweep`; etas are the same for all
        layers.
    free_steps, nudged_steps
        T and K in time steps, instead of those above.
    data_dir
        Where image data sets are, see :func:`~ohmlearn.training.datasets.load`.

    Raises
    ------
    ConfigError, DataError
        A number is out of range, the free phase is shorter than the nudged one, or the data do
        not fit the network or cannot be read.
    """
    if experiment is None:
        seed = seed or 0
        problem = random_problem(seed)
    else:
        seed = experiment.run.seed if seed is None else seed
        problem = experiment_problem(experiment, seed, data_dir)
    problem = replace(
        with_sweep(problem, betas, etas),
        free_steps=problem.free_steps if free_steps is None else free_steps,
        nudged_steps=problem.nudged_steps if nudged_steps is None else nudged_steps,
    )
    return _measure(problem, seed)


def _measure(problem: Problem, seed: int) -> GduResult:
    network, theta, x, y = problem.network, problem.theta, problem.x, problem.y
    trajectory = free_trajectory(network, theta, x, problem.free_steps, problem.nudged_steps)
    nabla = backpropagate(network, theta, x, y, trajectory)
    chosen = _choose(problem, nabla, np.random.default_rng(seed))
    rows, curves = [], []
    for beta, eta in problem.pairs:
        process = nudged_process(network, theta, x, y, trajectory, beta, eta)
        rows.append(Row(beta, eta, compare(network.layout, process, nabla, len(x))))
        if (beta, eta) in problem.drawn:
            descent = {name: -v for name, v in _pick(problem, nabla, chosen).items()}
            curves.append(Curves(beta, eta, descent, _pick(problem, process, chosen)))
    checks = tuple(_checks(rows)) if problem.exact else ()
    return GduResult(problem, trajectory.residual, tuple(rows), checks, tuple(curves))


def _columns(problem: Problem, of: Gradients | Process) -> Iterator[tuple[str, NDArray]]:
    layout = problem.network.layout
    yield from unit_curves(layout, of.state, len(problem.x)).items()
    for name, where in weight_slices(layout):
        yield name, of.theta[:, where]


def _choose(problem: Problem, nabla: Gradients, rng: np.random.Generator) -> dict[str, NDArray]:
    """Return a few random units and synapses per layer, of those that have a gradient at all."""
    chosen = {}
    for name, columns in _columns(problem, nabla):
        alive = np.flatnonzero(columns.any(axis=0))
        some = alive if alive.size else np.arange(columns.shape[1])
        chosen[name] = np.sort(rng.choice(some, min(_CURVES, some.size), replace=False))
    return chosen


def _pick(
    problem: Problem, of: Gradients | Process, chosen: Mapping[str, NDArray]
) -> dict[str, NDArray]:
    return {name: columns[:, chosen[name]] for name, columns in _columns(problem, of)}


def _checks(rows: Sequence[Row]) -> Iterator[Check]:
    """Yield what Theorem 1 says of pairs of rows; ratios are of RelMSE, layer by layer.

    The error is a part proportional to beta and a larger one proportional to eta / beta, both
    as long as they are small; so beta must not exceed eta / beta where the latter is judged.
    """
    for a, b in combinations(rows, 2):
        large, small = (a, b) if abs(a.beta) >= abs(b.beta) else (b, a)
        if not any(a.eta) and not any(b.eta):
            if _tenfold(abs(large.beta), abs(small.beta)) and _most(large.beta, _LINEAR_BETA):
                what = f"eta 0, beta {large.beta:g} to {small.beta:g}"
                yield _check(what, large, small, 8, 12)
        elif a.ratio == 0 or b.ratio == 0 or not _most(large.beta, min(a.ratio, b.ratio)):
            continue
        elif a.beta == b.beta:
            first, second = (a, b) if a.ratio >= b.ratio else (b, a)
            if _tenfold(first.ratio, second.ratio) and _most(first.ratio, _LINEAR_RATIO):
                what = f"beta {a.beta:g}, eta/beta {first.ratio:g} to {second.ratio:g}"
                yield _check(what, first, second, 20 / 3, 15)
        elif np.isclose(a.ratio, b.ratio) and _most(a.ratio, _SATURATED):
            what = f"eta/beta {a.ratio:g}, beta {large.beta:g} against {small.beta:g}"
            yield _check(what, large, small, 0.7, 1 / 0.7)


def _most(value: float, limit: float) -> bool:
    """Whether |value| is at most *limit*, but for rounding."""
    return abs(value) <= limit * (1 + 1e-9)


def _tenfold(large: float, small: float) -> bool:
    return bool(np.isclose(large, 10 * small))


def _check(what: str, first: Row, second: Row, low: float, high: float) -> Check:
    pairs = zip(first.distance.error.values(), second.distance.error.values(), strict=True)
    ratios = [a[0] / b[0] if b[0] else float("nan") for a, b in pairs]
    return Check(what, (min(ratios), max(ratios)), (low, high))
