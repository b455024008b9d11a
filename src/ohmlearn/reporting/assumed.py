"""What ``[hardware]`` assumes, for a budget before anything is run."""

from __future__ import annotations

from itertools import repeat

import numpy as np

from ..errors import ConfigError
from ..experiment import Experiment
from ..settings.hardware import HardwareSection
from .reads import Array, with_references
from .subject import (
    CONTINUAL,
    Pulse,
    Subject,
    Writes,
    channel_conductance,
    is_resistive,
    nominal_pulse,
    structure,
)

__all__ = ["assumed"]

_NO_ROWS = "data.limit_train is not given, so an epoch is counted as one sample"


def assumed(experiment: Experiment, source: str) -> Subject:
    """Return what ``[hardware]`` assumes, for a budget before anything is run.

    Raises
    ------
    ConfigError
        If an assumption is missing, or the experiment has no cells.
    """
    hardware = experiment.hardware or HardwareSection()
    needed = {k: getattr(hardware, k) for k in HardwareSection.model_fields if k[:7] == "assume_"}
    absent = [f"hardware.{name}" for name, value in needed.items() if value is None]
    if experiment.run.level != "device":
        raise ConfigError(f"{source}: a report needs cells, hence a [device] section.")
    if absent:
        raise ConfigError(
            f"{source} is an experiment, not the folder of a run; to report on it before it is "
            f"run, it must assume what a run would have measured: {', '.join(absent)}."
        )
    g, g_pulse, signal, pulses = (float(value) for value in needed.values())
    arms = 2 if experiment.crossbar.encoding == "pair" else 1
    arrays = tuple(
        Array(layer, np.full((*shape, arms), g), ways, bias)
        for layer, shape, ways, bias in structure(experiment)
    )
    if experiment.crossbar.encoding == "offset":
        column = [np.full(array.g.shape[0], g) for array in arrays]
        arrays = tuple(map(with_references, arrays, column, repeat(experiment.crossbar.tile)))
    # In a resistive network the signal is what is assumed across each cell.
    power = sum(float(a.g.sum()) for a in arrays) * (signal * experiment.crossbar.v_read) ** 2
    rows = experiment.data.limit_train or 1
    samples = rows * experiment.training.epochs
    pulse = nominal_pulse(experiment)
    writes = tuple(
        _expected(array, pulse, g_pulse, pulses, samples, experiment) for array in arrays
    )
    return Subject(
        name=experiment.name,
        experiment=experiment,
        hardware=hardware,
        arrays=arrays,
        activity=tuple(np.full(n, signal**2) for n in experiment.network.layers),
        settled_power={"cells": power} if is_resistive(experiment) else None,
        writes=writes,
        samples=samples,
        pulse=pulse,
        worst_pulses=None,
        mean_pulses=pulses * samples,
        ohms={},
        channel=channel_conductance(experiment),
        wear=None,
        missing=("nothing was simulated: conductances, signals and pulses are assumptions",)
        + (() if experiment.data.limit_train else (_NO_ROWS,)),
    )


def _expected(
    array: Array, pulse: Pulse, g: float, pulses: float, samples: int, experiment: Experiment
) -> Writes:
    """Return what *pulses* per cell and sample take, half of them SET and half RESET.

    A row needs a slot in each direction where any of its cells is pulsed, at random.
    """
    learning, batch = experiment.learning, experiment.training.batch_size
    events = (learning.nudged_steps if learning.rule in CONTINUAL else 1) / batch
    half = 0.5 * pulses * array.g.size * samples
    chance = 0.5 * pulses / events
    lines = array.g.shape[1] * array.g.shape[2]
    busy = 1.0 - (1.0 - chance) ** lines if chance < 1.0 else chance
    slots = array.g.shape[0] * events * samples * busy
    up = pulse.v_set**2 * g * pulse.t_set * half
    down = pulse.v_reset**2 * g * pulse.t_reset * half
    return Writes(half, half, up, down, 0.0, slots, slots)
