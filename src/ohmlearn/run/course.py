"""One run: read, build, train with checkpoints, and write the record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from .. import checkpoint
from ..assembly import (
    Built,
    build,
    build_network,
    build_schedule,
    load_data,
    resistive_notes,
)
from ..errors import ConfigError, RecordError
from ..experiment import Experiment, parse_experiment
from ..figures import draw_figures
from ..progress import Progress, SilentProgress
from ..record import STATE, Record, is_record, learned, read_record, write_record
from ..storage import alone_in, prepare_folder
from ..training.diagnostics import LoopGain, diverged_in, loop_gain
from ..training.resistive.learner import ResistiveLearner
from ..training.resistive.stability import resistive_loop_gain
from ..training.rules import get_rule
from ..training.samples import Dataset
from ..training.trainer import Plan, Position, train
from .rest import idle_time
from .summary import activity, summarise

__all__ = ["one_blas_thread", "run"]

_TELL_EVERY = 0.1  # seconds between two messages to the progress bar
_DIVERGES = 1e3  # loop gain that is refused; the limit of stability is 1


def run(
    experiment: Experiment,
    folder: Path,
    data_dir: Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    figures: bool = True,
) -> Record:
    """Train *experiment* and write its record to *folder*.

    Parameters
    ----------
    experiment
        What to train.
    folder
        Folder of the record and the checkpoints; made where it is missing.
    data_dir
        Where the image data sets are.
    resume
        Go on from the last checkpoint in *folder*, or from a finished record of fewer epochs;
        start anew if there is none.
    progress
        Is told how far the run is.
    figures
        Draw the figures of the record.

    Returns
    -------
    Record
        The record as written.

    Raises
    ------
    UserError
        If the experiment, the data or the folder's earlier experiment do not fit.
    RecordError
        If something cannot be written or read; nothing of an earlier result is lost.
    """
    progress = progress or SilentProgress()
    with one_blas_thread():
        data = load_data(experiment, data_dir)
        if data.note:
            progress.message(f"data set {data.name}: {data.note}")
        built = build(experiment, data)
        gain = _loop_gain(experiment, built, data)  # of the initial weights, resumed or not
        position = Position()
        if resume:
            position = _take_up(experiment, folder, built, progress)
        _judge(experiment, gain, progress)
        if note := idle_time(experiment, built.learner):
            progress.message(note)
        prepare_folder(folder)
        with alone_in(folder):
            _train(experiment, folder, built, data, position, progress)
            return _finish(experiment, folder, built, data, position, gain, figures)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep matrix products on one thread: results must not depend on how many there are."""
    # Numba multiplies with SciPy's own BLAS, which can be limited only once it is loaded.
    import_module("scipy.linalg.cython_blas")
    with threadpool_limits(limits=1):
        yield


def _loop_gain(experiment: Experiment, built: Built, data: Dataset) -> LoopGain:
    rows = data.x_train[: experiment.training.batch_size]
    if isinstance(built.learner, ResistiveLearner):
        return resistive_loop_gain(built.learner, rows)
    network, schedule = build_network(experiment), build_schedule(experiment)
    return loop_gain(network, built.learner.theta, schedule, rows)


def _judge(experiment: Experiment, gain: LoopGain, progress: Progress) -> None:
    """Warn of a loop gain too high for a continual rule; refuse learning rates beyond all sense.

    A rule with one contrast per sample has no loop, but its update answers an error, not an error
    divided by beta, with the same product.
    """
    section = experiment.learning
    continual = get_rule(section.rule, experiment.network.symmetric).continual
    if experiment.network.kind == "resistive":
        for note in resistive_notes(experiment):
            progress.message(note)
        if not continual:
            return
    answer = np.array(gain.bound) * (1.0 if continual else abs(section.beta))
    worst = int(np.argmax(answer))
    if not answer[worst] < _DIVERGES:
        name = "the loop gain" if continual else "the change of drive per unit of error"
        raise ConfigError(
            f"learning.eta of weight layer {worst + 1} is {section.eta[worst]:g}, with which "
            f"{name} would be {answer[worst]:.2g}; it must be below {_DIVERGES:g}, and learning "
            "usually needs it below 1: lower learning.eta."
        )
    if continual and (warning := gain.warning()):
        progress.message(f"warning: {warning}")


def _train(
    experiment: Experiment,
    folder: Path,
    built: Built,
    data: Dataset,
    position: Position,
    progress: Progress,
) -> None:
    """Train to the end, saving a checkpoint after every epoch and on a timer."""
    plan = Plan(
        epochs=experiment.training.epochs,
        batch_size=experiment.training.batch_size,
        seed=experiment.run.seed,
        random_sign=experiment.learning.random_sign,
        decay=experiment.learning.eta_decay,
        threads=experiment.run.threads,
    )
    saved = told = time.monotonic()
    rows, untold = len(data.x_train), 0
    left = rows - position.batch * plan.batch_size
    if position.epoch < plan.epochs:
        progress.epoch_started(position.epoch + 1, plan.epochs, left)
    for message in train(built.learner, data, plan, position):
        now = time.monotonic()
        untold += message.rows
        if now - told > _TELL_EVERY or message.finished:
            progress.advanced(untold)
            told, untold = now, 0
        if message.finished or now - saved > experiment.run.checkpoint_seconds:
            _save(experiment, folder, built, position)
            saved = now
        if message.finished:
            progress.epoch_done(position.events[-1])
            if diverged_in(position.events) == position.epoch:
                progress.message(
                    f"warning: training diverged in epoch {position.epoch}: its accuracy fell "
                    "below half of what it was. Lower learning.eta, or raise learning.beta."
                )
            if position.epoch < plan.epochs:
                progress.epoch_started(position.epoch + 1, plan.epochs, rows)


def _save(experiment: Experiment, folder: Path, built: Built, position: Position) -> None:
    meta = {"experiment": experiment.to_toml(), "position": asdict(position)}
    checkpoint.save(folder, built.learner.state(), meta)


def _take_up(experiment: Experiment, folder: Path, built: Built, progress: Progress) -> Position:
    """Restore the learner from a checkpoint or a finished record, and return its position."""
    found = checkpoint.load(folder, warn=progress.message) if checkpoint.exists(folder) else None
    if found is None and not is_record(folder):
        progress.message(f"{folder} holds nothing to resume; the run starts from the beginning.")
        return Position()
    try:
        stored, arrays, position = _unpack(*found) if found else _finished(read_record(folder))
    except (KeyError, TypeError) as error:
        raise _unfit(folder, error) from error
    _same_question(experiment, stored, folder)
    begun = position.epoch + (position.batch > 0)
    if begun > experiment.training.epochs:
        raise ConfigError(
            f"{folder} holds {begun} epochs, the last one perhaps unfinished; training.epochs = "
            f"{experiment.training.epochs} must be at least as many (or use --overwrite)."
        )
    try:
        built.learner.restore(arrays)
    except (KeyError, ValueError) as error:
        raise _unfit(folder, error) from error
    if position.epoch < experiment.training.epochs:
        progress.message(f"resumed at epoch {position.epoch + 1}, batch {position.batch + 1}")
    else:
        progress.message(f"{folder} holds all {position.epoch} epochs already.")
    return position


def _unpack(
    arrays: dict[str, np.ndarray], meta: dict[str, Any]
) -> tuple[str, dict[str, np.ndarray], Position]:
    return meta["experiment"], arrays, Position(**meta["position"])


def _finished(record: Record) -> tuple[str, dict[str, np.ndarray], Position]:
    """Return where a finished run stands: at the end of its last epoch."""
    arrays = learned(record)
    position = Position(epoch=len(record.events), events=[dict(e) for e in record.events])
    position.cpu_seconds = float(record.summary["cpu_seconds"])
    return record.experiment, arrays, position


def _unfit(folder: Path, error: Exception) -> RecordError:
    return RecordError(
        f"what is stored in {folder} does not fit its experiment ({error}); start again with "
        "--overwrite."
    )


def _same_question(experiment: Experiment, stored: str, folder: Path) -> None:
    """Refuse to continue a run of another experiment; only the number of epochs may differ."""
    epochs = f"training.epochs={experiment.training.epochs}"
    earlier = parse_experiment(stored, f"the experiment stored in {folder}", [epochs])
    if earlier.digest() == experiment.digest():
        return
    keys = ", ".join(experiment.differences(earlier))
    raise ConfigError(
        f"{folder} holds a run of another experiment (different: {keys}); resume it "
        "with its own settings, or choose another folder with --out."
    )


def _finish(
    experiment: Experiment,
    folder: Path,
    built: Built,
    data: Dataset,
    position: Position,
    gain: LoopGain,
    figures: bool,
) -> Record:
    """Write the record, draw its figures and drop the checkpoint."""
    summary = summarise(experiment, built, data, position, gain)
    learner = built.learner
    arrays = learner.figures() | activity(learner, data)
    arrays |= {STATE + k: v for k, v in learner.state().items()}
    record = write_record(folder, experiment, summary, arrays, position.events)
    if figures:
        draw_figures(folder, record.summary, arrays, position.events)
    checkpoint.remove(folder)
    return record
