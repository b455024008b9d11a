"""What a check of Theorem 1 is made on: a small random network, or that of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..assembly import build_network
from ..circuits.hopfield import DYNAMICS, HopfieldNetwork
from ..errors import ConfigError
from ..experiment import Experiment
from ..training.datasets import load

__all__ = ["Problem", "experiment_problem", "random_problem", "with_sweep"]

_LAYERS, _TIME_STEP, _FREE_STEPS, _NUDGED_STEPS = (30, 40, 5), 0.08, 3000, 80
_PAIRS = (
    *((beta, 0.0) for beta in (1e-1, 1e-2, 1e-3, 1e-4)),
    *((1e-3, 1e-6), (1e-3, 1e-5), (1e-2, 1e-4), (1e-3, 1e-4), (1e-2, 1e-3), (1e-3, 1e-3)),
)
_DRAWN = ((1e-3, 0.0), (1e-3, 1e-5), (1e-3, 1e-4))

Pair = tuple[float, tuple[float, ...]]


@dataclass(frozen=True, eq=False)
class Problem:
    """A network, its parameters, one sample, and the sweep of beta and eta.

    Attributes
    ----------
    name
        Of the experiment, or the layer sizes.
    network, theta
        Structure and parameters (length,), float64.
    x, y : (batch, n_0), (batch, n_N)
        Inputs and targets.
    free_steps, nudged_steps
        T and K, in time steps.
    beta
        The nudging strength of a sweep of eta alone.
    pairs
        The (beta, eta) of the sweep, eta with one learning rate per weight layer.
    drawn
        Those of them whose curves are drawn.
    """

    name: str
    network: HopfieldNetwork
    theta: NDArray
    x: NDArray
    y: NDArray
    free_steps: int
    nudged_steps: int
    beta: float
    pairs: Sequence[Pair]
    drawn: Sequence[Pair]

    @property
    def exact(self) -> bool:
        """Whether Theorem 1 is exact here in the limit of small beta and eta / beta."""
        moves = self.network.dynamics
        energy_based = moves.kind == DYNAMICS["energy-based"]
        consistent = moves.output_slope and not moves.clamp
        return energy_based and consistent and self.network.layout.symmetric


def random_problem(seed: int) -> Problem:
    """Return the energy-based 30-40-5 tanh network with inputs uniform in [0, 1].

    Sizes, phases and sweep are those of the measured bands in tests/golden/gdu_bands.json.
    """
    rng = np.random.default_rng(seed)
    network = HopfieldNetwork.build(_LAYERS, "energy-based", "tanh", time_step=_TIME_STEP)
    theta = network.initial_parameters(rng)
    x, y = rng.random((1, _LAYERS[0])), np.eye(_LAYERS[-1])[:1]
    pairs, drawn = (
        [(beta, (eta,) * network.layout.depth) for beta, eta in some] for some in (_PAIRS, _DRAWN)
    )
    name = "-".join(map(str, _LAYERS))
    return Problem(
        name, network, theta, x, y, _FREE_STEPS, _NUDGED_STEPS, _DRAWN[0][0], pairs, drawn
    )


def experiment_problem(experiment: Experiment, seed: int, data_dir: str | Path | None) -> Problem:
    """Return the untrained network of *experiment* with one sample of its training set.

    The sweep goes from the experiment's own beta and eta towards the limits of the theorem.

    Raises
    ------
    ConfigError, DataError
        The data do not fit the network, or cannot be read.
    """
    section, learning = experiment.network, experiment.learning
    rng = np.random.default_rng(seed)
    network = build_network(experiment)
    theta = network.initial_parameters(rng, section.angle)
    x, y = _sample(experiment, rng, data_dir)
    beta, eta = learning.beta, tuple(learning.eta)
    still = tuple(0.0 for _ in eta)
    pairs = [(beta * factor, still) for factor in (1.0, 0.1, 0.01)]
    pairs += [(beta, tuple(factor * rate for rate in eta)) for factor in (0.01, 0.1, 1.0)]
    return Problem(
        experiment.name,
        network,
        theta,
        x,
        y,
        learning.free_steps,
        learning.nudged_steps,
        beta,
        pairs,
        (pairs[0], *pairs[-2:]),
    )


def _sample(
    experiment: Experiment, rng: np.random.Generator, data_dir: str | Path | None
) -> tuple[NDArray, NDArray]:
    layers, section = experiment.network.layers, experiment.data
    data = load(section.name, data_dir, section.limit_train, section.limit_test, np.float64)
    if (data.features, data.classes) != (layers[0], layers[-1]):
        raise ConfigError(
            f"network.layers is {list(layers)}, but {data.name} has {data.features} inputs and "
            f"{data.classes} classes; they must be the first and the last layer."
        )
    row = int(rng.integers(len(data.x_train)))
    return data.x_train[row : row + 1], np.eye(data.classes)[data.y_train[row : row + 1]]


def with_sweep(problem: Problem, betas: Sequence[float], etas: Sequence[float]) -> Problem:
    """Return *problem* with every beta combined with every eta; the first three are drawn.

    Without *etas*, eta is 0; without *betas*, beta is the problem's own; with neither, the
    problem is unchanged.

    Raises
    ------
    ConfigError
        A beta is 0, an eta is negative, or one of them is not finite.
    """
    if not betas and not etas:
        return problem
    for beta in betas:
        if beta == 0 or not np.isfinite(beta):
            raise ConfigError(f"beta is {beta:g}; allowed: a finite number other than 0.")
    for eta in etas:
        if not 0 <= eta < np.inf:
            raise ConfigError(f"eta is {eta:g}; allowed: a finite number of at least 0.")
    depth = problem.network.layout.depth
    pairs = [(b, (e,) * depth) for b in betas or (problem.beta,) for e in etas or (0.0,)]
    return replace(problem, pairs=pairs, drawn=pairs[:3])
