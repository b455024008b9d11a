"""From an experiment to what a run trains: the data, the network, its arrays, the learner."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..circuits.fabric import array_shapes, make_fabric
from ..circuits.hopfield import HopfieldNetwork
from ..crossbar.array import Crossbar
from ..crossbar.bank import SLOTS
from ..devices import ledger
from ..errors import ConfigError
from ..experiment import Experiment
from ..training.datasets import load
from ..training.ideal import IdealLearner, Schedule
from ..training.policies import make_policy
from ..training.pulsed import PulsedLearner
from ..training.resistive.learner import ResistiveLearner
from ..training.rules import get_rule
from ..training.samples import Dataset
from .arrays import draw_arrays, memristor
from .periphery import build_sensing, build_wiring, periphery_ledger, tile_shape
from .resistive import build_resistive

__all__ = ["AnyLearner", "Built", "build", "build_network", "build_schedule", "load_data"]

AnyLearner = IdealLearner | PulsedLearner | ResistiveLearner
"""What a run trains."""

_INITIAL = 0  # stream of the initial weights, beside those of the trainer


class Built(NamedTuple):
    """A learner, ready to train, and the ledger of the device effects that act on it."""

    learner: AnyLearner
    effects: list[dict]


def load_data(experiment: Experiment, data_dir: str | Path | None = None) -> Dataset:
    """Return the data set that ``[data]`` names, in the precision of the run.

    Raises
    ------
    UserError
        If there is no such data set, or one of its files is missing or damaged.
    """
    section = experiment.data
    return load(
        section.name,
        data_dir,
        section.limit_train,
        section.limit_test,
        np.dtype(experiment.run.precision),
    )


def build_network(experiment: Experiment) -> HopfieldNetwork:
    """Return the structure and dynamics that ``[network]`` describes."""
    section = experiment.network
    return HopfieldNetwork.build(
        section.layers,
        section.dynamics,
        section.activation,
        symmetric=section.symmetric,
        time_step=section.time_step,
        clamp=section.clamp,
        output_slope=section.output_slope,
    )


def build_schedule(experiment: Experiment) -> Schedule:
    """Return the phases that ``[learning]`` describes."""
    section = experiment.learning
    eta = np.array(section.eta, np.float64)
    return Schedule(
        section.free_steps, section.nudged_steps, section.beta, eta, section.input_bias
    )


def build(experiment: Experiment, data: Dataset) -> Built:
    """Return the learner of *experiment*, at its initial weights, for *data*.

    Raises
    ------
    ConfigError
        If the network's input or output does not fit the data.
    DeviceError
        If the cell's parameters or effects are not allowed.
    """
    _check_slots(experiment)
    if experiment.network.kind == "resistive":
        return Built(*build_resistive(experiment, data))
    _check_fit(experiment, data)
    network = build_network(experiment)
    schedule = build_schedule(experiment)
    rule = get_rule(experiment.learning.rule, network.layout.symmetric)
    rule = rule._replace(slope=experiment.learning.slope)
    dtype = np.dtype(experiment.run.precision)
    rng = np.random.default_rng([experiment.run.seed, _INITIAL])
    theta = network.initial_parameters(rng, experiment.network.angle, dtype)
    if experiment.run.level == "ideal":
        return Built(IdealLearner(network, theta, rule, schedule), [])
    crossbars = _build_arrays(experiment, network, theta)
    rows, _ = tile_shape(experiment, network.layout)
    fabric = make_fabric(network.layout, crossbars, rows, wired=experiment.wires is not None)
    wiring = build_wiring(experiment, network.layout, fabric)
    policy = make_policy(
        experiment.learning.policy,
        fabric.bank.x.size // fabric.arms,
        dtype,
        experiment.learning.threshold,
    )
    seed = experiment.run.seed
    learner = PulsedLearner(
        network, crossbars, fabric, rule, schedule, policy, seed, wiring=wiring
    )
    learner.sensing = build_sensing(experiment, network, learner.theta, data)
    effects = [*ledger(crossbars[0].effects), *periphery_ledger(experiment, network.layout)]
    return Built(learner, effects)


def _check_fit(experiment: Experiment, data: Dataset) -> None:
    layers = experiment.network.layers
    if layers[0] != data.features or layers[-1] != data.classes:
        raise ConfigError(
            f"network.layers is {list(layers)}, but data.name '{data.name}' has {data.features} "
            f"inputs and {data.classes} classes; the first layer must be {data.features} and the "
            f"last {data.classes}."
        )


def _check_slots(experiment: Experiment) -> None:
    """Refuse phases longer than the random numbers of one sample have numbers for."""
    section = experiment.learning
    steps = section.free_steps + 2 * section.nudged_steps
    if experiment.run.level == "device" and steps >= SLOTS:
        raise ConfigError(
            f"learning.free_steps + 2 learning.nudged_steps is {steps}; at level 'device' it must "
            f"stay below {SLOTS}."
        )


def _build_arrays(
    experiment: Experiment, network: HopfieldNetwork, theta: NDArray
) -> list[Crossbar]:
    """Draw the arrays and program the initial weights into them."""
    layout, ranges = network.layout, list(experiment.crossbar.weight_range)
    weights = [
        np.vstack([layout.weight(theta, layer), layout.bias(theta, layer)])
        for layer in range(1, layout.depth + 1)
    ]
    if not layout.symmetric:
        weights += [layout.backward(theta, layer) for layer in range(2, layout.depth + 1)]
        ranges += ranges[1:]
    cell, encoding = memristor(experiment), experiment.crossbar.encoding
    shapes = array_shapes(layout)
    crossbars = draw_arrays(experiment, cell, shapes, ranges, encoding, theta.dtype)
    for crossbar, initial in zip(crossbars, weights, strict=True):
        crossbar.set_weights(initial)
        crossbar.meter()
    return crossbars
