"""The trainer: epochs of batches in a fresh order, evaluation, and a position to resume from.

Every random decision of an epoch (its order, the signs of beta) is drawn from a generator keyed
by (seed, purpose, epoch), so a run that is stopped and resumed anywhere continues to the same
bits. Nothing here knows how a learner learns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .samples import Dataset

__all__ = [
    "Epoch",
    "Learner",
    "Plan",
    "Position",
    "accuracy",
    "epoch_order",
    "squared_loss",
    "train",
]

_ORDER, _SIGN = 1, 2
_CHUNK = 250


class Learner(Protocol):
    """What the trainer asks of a network that learns.

    One that descends another loss than :func:`squared_loss` has a method ``loss`` that takes the
    same arguments.
    """

    @property
    def cells(self) -> int:
        """Number of memristor cells (0 where weights are plain numbers)."""
        ...

    @property
    def pulses(self) -> int:
        """Programming pulses applied so far."""
        ...

    def train_batch(
        self, x: NDArray, target: NDArray, sign: float, step: int, rate: float
    ) -> NDArray:
        """Learn from one batch, *rate* times the learning rates; return the free outputs."""
        ...

    def outputs(self, x: NDArray, first: int, step: int) -> NDArray:
        """Return the free phase's outputs for rows *first*, *first* + 1, ... of a data set."""
        ...

    def state(self) -> dict[str, NDArray]:
        """Return every array that learning changes."""
        ...

    def restore(self, arrays: dict[str, NDArray]) -> None:
        """Take back what :meth:`state` returned."""
        ...


@dataclass(frozen=True)
class Plan:
    """What the trainer is to do.

    Attributes
    ----------
    epochs, batch_size
        Passes over the training rows; rows per batch (the last batch may be smaller).
    seed
        The experiment's seed.
    random_sign
        Draw the sign of beta for every batch.
    decay
        Factor on the learning rates after each epoch.
    threads
        Threads for evaluation; the result does not depend on it.
    """

    epochs: int
    batch_size: int
    seed: int
    random_sign: bool = False
    decay: float = 1.0
    threads: int = 1


@dataclass
class Position:
    """Where a run stands: finished epochs, batches of the current one, and its running sums."""

    epoch: int = 0
    batch: int = 0
    correct: int = 0
    loss: float = 0.0
    cpu_seconds: float = 0.0
    epoch_cpu_seconds: float = 0.0
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Epoch:
    """One message of :func:`train`: rows done since the last one, and whether the epoch ended."""

    rows: int
    finished: bool


def epoch_order(seed: int, epoch: int, rows: int) -> NDArray[np.int64]:
    """Return the order of the training rows in *epoch*: each row exactly once."""
    return np.random.default_rng([seed, _ORDER, epoch]).permutation(rows)


def epoch_signs(seed: int, epoch: int, batches: int) -> NDArray[np.float64]:
    """Return a fair random sign of beta for each batch of *epoch*."""
    return np.random.default_rng([seed, _SIGN, epoch]).choice([-1.0, 1.0], size=batches)


def squared_loss(outputs: NDArray, target: NDArray) -> float:
    """Return the sum over rows of 1/2 |y - s|^2, the loss whose derivative is the nudge."""
    return 0.5 * float(np.sum((target.astype(np.float64) - outputs) ** 2))


def _loss_of(learner: Learner) -> Callable[[NDArray, NDArray], float]:
    return getattr(learner, "loss", squared_loss)


def accuracy(
    learner: Learner, x: NDArray, labels: NDArray, step: int, threads: int
) -> tuple[float, float]:
    """Return (accuracy, mean loss) of the free phase; chunks of fixed size share the threads."""

    loss_of_rows = _loss_of(learner)

    def chunk(first: int) -> tuple[int, float]:
        rows = slice(first, first + _CHUNK)
        out = learner.outputs(x[rows], first, step)
        target = np.eye(out.shape[1], dtype=out.dtype)[labels[rows]]
        return int(np.sum(out.argmax(axis=1) == labels[rows])), loss_of_rows(out, target)

    starts = range(0, len(x), _CHUNK)
    if threads == 1:
        results = [chunk(first) for first in starts]
    else:
        with ThreadPoolExecutor(threads) as pool:
            results = list(pool.map(chunk, starts))
    correct = sum(right for right, _ in results)
    return correct / len(x), sum(loss for _, loss in results) / len(x)


def _close_epoch(learner: Learner, data: Dataset, plan: Plan, position: Position) -> None:
    step = (position.epoch + 1) * len(data.x_train)
    rows = len(data.x_train)
    right, loss = accuracy(learner, data.x_test, data.y_test, step, plan.threads)
    if not (np.isfinite(loss) and np.isfinite(position.loss)):
        raise DataError(
            f"the network's outputs are not finite after epoch {position.epoch + 1}; "
            "lower learning.eta or raise learning.beta (see the loop gain)."
        )
    position.events.append(
        {
            "epoch": position.epoch + 1,
            "train_accuracy": position.correct / rows,
            "train_loss": position.loss / rows,
            "test_accuracy": right,
            "test_loss": loss,
            "pulses": learner.pulses - sum(event["pulses"] for event in position.events),
            "cpu_seconds": position.epoch_cpu_seconds,
        }
    )
    position.epoch += 1
    position.batch = position.correct = 0
    position.loss = position.epoch_cpu_seconds = 0.0


def train(learner: Learner, data: Dataset, plan: Plan, position: Position) -> Iterator[Epoch]:
    """Train from *position* to the end of the plan, changing both learner and position.

    Yields after every batch and after every epoch; between two yields learner and position
    agree, so the caller may save both there and resume from them later.
    """
    rows = len(data.x_train)
    batches = -(-rows // plan.batch_size)
    eye = np.eye(data.classes, dtype=data.x_train.dtype)
    loss_of_rows = _loss_of(learner)
    while position.epoch < plan.epochs:
        order = epoch_order(plan.seed, position.epoch, rows)
        rate = plan.decay**position.epoch
        signs = np.ones(batches)
        if plan.random_sign:
            signs = epoch_signs(plan.seed, position.epoch, batches)
        while position.batch < batches:
            started = time.process_time()
            first = position.batch * plan.batch_size
            chosen = order[first : first + plan.batch_size]
            labels = data.y_train[chosen]
            target = eye[labels]
            step = position.epoch * rows + first
            out = learner.train_batch(
                data.x_train[chosen], target, signs[position.batch], step, rate
            )
            position.correct += int(np.sum(out.argmax(axis=1) == labels))
            position.loss += loss_of_rows(out, target)
            position.batch += 1
            spent = time.process_time() - started
            position.epoch_cpu_seconds += spent
            position.cpu_seconds += spent
            yield Epoch(len(chosen), finished=False)
        started = time.process_time()
        _close_epoch(learner, data, plan, position)
        position.cpu_seconds += time.process_time() - started
        yield Epoch(0, finished=True)
