"""Testing a trained network again under other conditions, without training it.

The conductances are those at the end of training; the cells keep their drawn parameters. What
happens to them afterwards is drawn anew for every seed of the sweep: which cells break, how they
drift and fluctuate, and the noise of each read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..assembly import build, load_data
from ..crossbar.array import Crossbar
from ..crossbar.bank import place
from ..devices import Stuck
from ..devices.counter_rng import Stream, uniforms
from ..errors import ConfigError, RecordError, nearest
from ..experiment import Experiment, parse_experiment
from ..record import Record, is_record, read_record
from ..run import one_blas_thread
from ..settings.cell import choose_cell
from ..training.pulsed import PulsedLearner
from ..training.samples import Dataset
from ..training.trainer import accuracy

__all__ = ["AFTER", "Trained", "allowed_after_training", "find_trained", "read_again"]

AFTER = "evaluation.after_seconds"

_ALLOWED = (
    "device.read_noise",
    "device.stuck",
    "device.retention",
    "device.random_telegraph",
    "device.flicker_noise",
    AFTER,
    "data.limit_test",
)
_STATE = "state_"  # prefix of a learner's arrays in a record
_TAG = 0x5EED  # keeps the seeds of tests apart from those of training


class Trained(NamedTuple):
    """A finished run at level 'device', and a checksum of what it holds."""

    record: Record
    experiment: Experiment
    checksum: str


def find_trained(folder: Path) -> Trained:
    """Return the run in *folder*.

    Raises
    ------
    ConfigError
        There is no finished run, or none with memristor cells.
    RecordError
        The record is damaged.
    """
    if not is_record(folder):
        raise ConfigError(
            f"{folder} is a folder without the record of a finished run; name an experiment "
            "file, or the folder of a run."
        )
    record = read_record(folder)
    experiment = parse_experiment(record.experiment, f"the experiment stored in {folder}")
    if experiment.run.level != "device":
        raise ConfigError(
            f"{folder} holds a run at level '{experiment.run.level}', which has no cells to read "
            "again; only runs at level 'device' can be swept after training."
        )
    return Trained(record, experiment, _checksum(folder))


def allowed_after_training(key: str) -> None:
    """Raise ConfigError for a *key* that can act only while a network trains."""
    if not any(key == name or key.startswith(f"{name}.") for name in _ALLOWED):
        raise ConfigError(
            f"--over {key}: a trained run is only read again, so this key cannot act; "
            + nearest(key, _ALLOWED, "key for a trained run")
        )


def _checksum(folder: Path) -> str:
    """Return a name of everything in the record; its summary has the checksums of the files."""
    return hashlib.sha256((folder / "record.json").read_bytes()).hexdigest()


def read_again(job: Mapping[str, Any], asked: Experiment) -> dict[str, float | int]:
    """Test the run ``job["run"]`` as *asked*, with the draw ``job["draw"]``.

    ``evaluation.after_seconds`` holds at most one time, ``device.stuck`` the fractions of cells
    that break after training, beside those that were stuck before.

    Raises
    ------
    RecordError
        The run is not there, or not the one that the sweep was planned for.
    """
    folder = Path(job["run"])
    trained = find_trained(folder)
    if trained.checksum != job["checksum"]:
        raise RecordError(f"{folder} was changed after the sweep began.")
    with one_blas_thread():
        return _test(job, trained, asked)


def _test(job: Mapping[str, Any], trained: Trained, asked: Experiment) -> dict[str, float | int]:
    data_dir = Path(job["data_dir"]) if job["data_dir"] else None
    data = load_data(asked, data_dir)
    learner = _learner(trained, asked, data)
    seed = _seed(trained.experiment.run.seed, job["draw"])
    broken = sum(_break(xbar, job["stuck"], seed) for xbar in learner.crossbars)
    learner.restore(learner.state())  # the weights hear of the broken cells
    for xbar in learner.crossbars:
        xbar.seed = seed  # what time does to the cells is drawn anew
    seconds = asked.evaluation.after_seconds[0] if asked.evaluation.after_seconds else 0.0
    # Reads are numbered: those of another draw, and all of training, have other noise.
    step = (len(trained.record.events) + 2) * len(data.x_train) + int(job["draw"])
    with learner.rested(seconds):
        right, loss = accuracy(learner, data.x_test, data.y_test, step, 1)
    return {
        "test_error_percent": round(100.0 * (1.0 - right), 9),
        "test_loss": loss,
        "broken_cells": broken,
    }


def _learner(trained: Trained, asked: Experiment, data: Dataset) -> PulsedLearner:
    """Return the trained learner, its cells able to do what is asked of them."""
    device = trained.experiment.device
    assert device is not None
    assert asked.device is not None
    same_cells = asked.device.model_copy(update={"stuck": device.stuck})
    learner = build(asked.model_copy(update={"device": same_cells}), data).learner
    assert isinstance(learner, PulsedLearner)
    stored = {
        name.removeprefix(_STATE): array
        for name, array in trained.record.arrays.items()
        if name.startswith(_STATE)
    }
    learner.restore(_fitting(learner.state(), stored))
    return learner


def _fitting(fresh: dict[str, NDArray], stored: dict[str, NDArray]) -> dict[str, NDArray]:
    """Return the stored arrays; those of effects that training had not, or had, as new cells'.

    Cells that begin to age only now were programmed to what they show, just now.
    """
    arrays = {
        name: stored[name] if name in stored and stored[name].shape == array.shape else array
        for name, array in fresh.items()
    }
    for name, array in arrays.items():
        shows = name.replace("programmed", "g", 1)
        if name.startswith("programmed") and array is fresh[name] and array.size:
            arrays[name] = arrays[shows].copy()
    return arrays


def _seed(trained: int, draw: int) -> int:
    """Return the seed of one draw of what happens after training."""
    words = np.random.SeedSequence([trained, _TAG, draw]).generate_state(2, np.uint32)
    return (int(words[0]) << 31) | int(words[1] >> 1)


def _break(xbar: Crossbar, fractions: tuple[float, float], seed: int) -> int:
    """Let free cells of an array get stuck at an end of their window; return how many."""
    low, high = fractions
    bank = xbar.bank
    u = uniforms(seed, Stream.STUCK, xbar.array_id, bank.x.size)
    end = np.where(u < low, 1, np.where(u > 1.0 - high, 2, 0)).astype(np.int8)
    new = np.flatnonzero((bank.stuck == 0) & (end > 0))
    bank.stuck[new] = end[new]
    bank.x[new] = np.where(end[new] == 2, 1.0, 0.0)
    place(bank, new, np.zeros(new.size, bank.g.dtype))
    return int(new.size)


def stuck_fractions(asked: Experiment) -> tuple[float, float]:
    """Return the fractions of cells that *asked* lets get stuck low and high."""
    assert asked.device is not None
    stuck: Stuck = choose_cell(asked.device, asked.crossbar).effects.stuck
    return stuck.low, stuck.high
