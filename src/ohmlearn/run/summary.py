"""What a record says of a finished run."""

from __future__ import annotations

import platform
import resource
from importlib.metadata import version
from statistics import median
from typing import Any

from numpy.typing import NDArray

from ..assembly import AnyLearner, Built
from ..experiment import Experiment
from ..training.diagnostics import LoopGain, diverged_in
from ..training.ideal import IdealLearner
from ..training.pulsed import PulsedLearner
from ..training.resistive.learner import ResistiveLearner
from ..training.samples import Dataset
from ..training.trainer import Position
from .rest import accuracy_after_rest

__all__ = ["activity", "summarise"]

_ROWS = 1000  # test rows over which the activity of the lines is averaged


def activity(learner: AnyLearner, data: Dataset) -> dict[str, NDArray]:
    """Return the mean square of the signal on every line of layer l as ``activity_l``.

    Settled free states of the first test rows. Learners without cells have no lines.
    """
    if not isinstance(learner, PulsedLearner):
        return {}
    layers = learner.activity(data.x_test[:_ROWS])
    return {f"activity_{number}": signal for number, signal in enumerate(layers)}


def _settled_power(learner: AnyLearner, data: Dataset) -> dict[str, float] | None:
    """Return the power of a settled resistive network by class of element [W], else None."""
    if not isinstance(learner, ResistiveLearner):
        return None
    return learner.settled_power(data.x_test[:_ROWS])


def summarise(
    experiment: Experiment, built: Built, data: Dataset, position: Position, gain: LoopGain
) -> dict[str, Any]:
    """Return the summary of a run at the end of its training, see :mod:`.record`."""
    last, learner = position.events[-1], built.learner
    rows, epochs = len(data.x_train), len(position.events)
    per_cell = learner.pulses / (rows * epochs * learner.cells) if learner.cells else 0.0
    spent = [event["cpu_seconds"] for event in position.events]
    return {
        "name": experiment.name,
        "level": experiment.run.level,
        "test_accuracy": last["test_accuracy"],
        "test_error_percent": 100.0 * (1.0 - last["test_accuracy"]),
        "test_loss": last["test_loss"],
        "after_rest": accuracy_after_rest(experiment, learner, data),
        "train_accuracy": last["train_accuracy"],
        "train_loss": last["train_loss"],
        "epochs": epochs,
        "train_rows": rows,
        "test_rows": len(data.x_test),
        "cpu_seconds": position.cpu_seconds,
        "cpu_seconds_per_epoch": median(spent),  # the first may hold compilation
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "cells": learner.cells,
        "weights": int(learner.theta.size),
        "pulses_total": learner.pulses,
        "pulses_per_sample": learner.pulses / (rows * epochs),
        "pulses_per_sample_per_cell": per_cell,
        "writes": None if isinstance(learner, IdealLearner) else learner.writes(),
        "settled_power": _settled_power(learner, data),
        "loop_gain": {"mean": gain.mean, "bound": gain.bound},
        "diverged_in_epoch": diverged_in(position.events),
        "wires": learner.wiring_report() if isinstance(learner, PulsedLearner) else None,
        "effects": built.effects,
        "seed": experiment.run.seed,
        "experiment_digest": experiment.digest(),
        "data": {"name": data.name, "licence": data.licence, "note": data.note},
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("ohmlearn", "numpy", "scipy", "numba")},
        },
    }
