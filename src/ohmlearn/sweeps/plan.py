"""From an experiment and a list of points to jobs of plain data, checked before anything runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import ConfigError
from ..experiment import Experiment, load_experiment, parse_experiment
from .design import Point, refuse_too_many
from .points import Job
from .reading import AFTER, Trained, allowed_after_training, find_trained, stuck_fractions

__all__ = ["Base", "Reading", "Task", "Training", "find_base", "make_tasks", "refuse_useless"]


@dataclass(frozen=True)
class Task:
    """One point with one seed: a job, or the reason why there is none."""

    point: int
    values: Point
    seed: int
    key: str
    job: Job | None
    reason: str = ""


@dataclass(frozen=True)
class Training:
    """An experiment to train at every point."""

    path: Path | None
    overrides: tuple[str, ...]
    experiment: Experiment
    data_dir: Path | None

    @property
    def name(self) -> str:
        """What files and titles call it."""
        return self.experiment.name

    @property
    def question(self) -> dict[str, Any]:
        """What a folder of results remembers of it."""
        return {"kind": "train", "name": self.name, "experiment": self.experiment.digest()}

    @property
    def first_seed(self) -> int:
        """Seed of the first of several runs of a point."""
        return self.experiment.run.seed

    def allow(self, key: str) -> None:
        """Refuse keys that cannot be swept; validation knows the others."""

    def resolve(self, changes: Sequence[str]) -> Experiment:
        """Return the experiment with ``key=value`` strings applied."""
        return load_experiment(self.path, [*self.overrides, *map(_one_time, changes)])

    def job(self, experiment: Experiment, changed: Iterable[str], seed: int) -> Job:
        """Return the job of *experiment* with *seed*."""
        run = experiment.run.model_copy(update={"seed": seed, "threads": 1})
        seeded = experiment.model_copy(update={"run": run})
        return _job(self.data_dir) | {
            "kind": "train",
            "key": _key("train", seeded.digest()),
            "experiment": seeded.to_toml(),
            "source": self.name,
        }


@dataclass(frozen=True)
class Reading:
    """A trained run to test again at every point."""

    folder: Path
    overrides: tuple[str, ...]
    trained: Trained
    data_dir: Path | None

    @property
    def name(self) -> str:
        """What files and titles call it."""
        return self.folder.absolute().name

    @property
    def question(self) -> dict[str, Any]:
        """What a folder of results remembers of it."""
        asked = self.resolve([]).digest()
        return {"kind": "read", "run": self.trained.checksum, "experiment": asked}

    @property
    def first_seed(self) -> int:
        """Draws of what happens after training count from 0."""
        return 0

    def allow(self, key: str) -> None:
        """Refuse keys that act only while a network trains."""
        allowed_after_training(key)

    def resolve(self, changes: Sequence[str]) -> Experiment:
        """Return the experiment with ``key=value`` strings applied; no rest unless asked."""
        every = [f"{AFTER}=[]", *map(_one_time, (*self.overrides, *changes))]
        asked = parse_experiment(self.trained.record.experiment, str(self.folder), every)
        if len(asked.evaluation.after_seconds) > 1:
            raise ConfigError(
                f"--over {AFTER}: a point of a trained run has one time; list them without "
                f"brackets, as in {AFTER}=0,1e3,1e6."
            )
        return asked

    def job(self, experiment: Experiment, changed: Iterable[str], seed: int) -> Job:
        """Return the job of *experiment* with the draw *seed*."""
        keys = [*changed, *(text.partition("=")[0].strip() for text in self.overrides)]
        stuck = any(key.startswith("device.stuck") for key in keys)
        fractions = stuck_fractions(experiment) if stuck else (0.0, 0.0)
        decisive = (self.trained.checksum, experiment.digest(), fractions, seed)
        return _job(self.data_dir) | {
            "kind": "read",
            "key": _key("read", *decisive),
            "experiment": experiment.to_toml(),
            "source": self.name,
            "run": str(self.folder.absolute()),
            "checksum": self.trained.checksum,
            "stuck": fractions,
            "draw": seed,
        }


Base = Training | Reading


def find_base(path: Path | None, overrides: Sequence[str], data_dir: Path | None) -> Base:
    """Return the experiment file, or the folder of a finished run, that *path* names.

    Raises
    ------
    ConfigError
        It is neither, or an override is not allowed.
    """
    if path is None or not path.is_dir():
        experiment = load_experiment(path, overrides)
        return Training(path, tuple(overrides), experiment, data_dir)
    reading = Reading(path, tuple(overrides), find_trained(path), data_dir)
    for text in overrides:
        reading.allow(text.partition("=")[0].strip())
    reading.resolve([])
    return reading


def make_tasks(
    base: Base, keys: Sequence[str], points: Sequence[Point], seeds: int, first: int = 0
) -> list[Task]:
    """Return a task for each point and seed; points are numbered from *first*.

    Every point has the same seeds, so that points differ by their values alone (common random
    numbers).
    """
    refuse_too_many(len(points), seeds)
    for key in keys:
        base.allow(key)
    tasks = []
    for number, values in enumerate(points, start=first):
        changes = [f"{key}={value}" for key, value in zip(keys, values, strict=True)]
        experiment, reason = None, ""
        try:
            experiment = base.resolve(changes)
        except ConfigError as error:
            # The base is valid by itself, so what is wrong was swept, not set.
            reason = str(error).replace("--set", "--over")
        for seed in range(base.first_seed, base.first_seed + seeds):
            job = base.job(experiment, keys, seed) if experiment else None
            key = job["key"] if job else _key("refused", base.name, changes, seed, reason)
            tasks.append(Task(number, values, seed, key, job, reason))
    return tasks


def refuse_useless(tasks: Sequence[Task], keys: Sequence[str], drawn: bool) -> None:
    """Refuse a sweep with a value that no point can use, unless values are *drawn*.

    Where only a combination of values is not allowed, that point fails and the others go on.

    Raises
    ------
    ConfigError
        The sentence of the first such value; or no point can run at all.
    """
    useful = [{task.values[axis] for task in tasks if task.job} for axis in range(len(keys))]
    for task in tasks:
        useless = any(v not in found for v, found in zip(task.values, useful, strict=True))
        if task.job is None and ((useless and not drawn) or not any(useful)):
            raise ConfigError(task.reason)


def _job(data_dir: Path | None) -> Job:
    place = str(data_dir.absolute()) if data_dir else None
    return {"version": __version__, "data_dir": place, "folder": None}


def _key(*parts: Any) -> str:
    content = json.dumps([__version__, *parts], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _one_time(text: str) -> str:
    """Let one number stand for the list of times that an experiment has."""
    key, _, value = text.partition("=")
    if key.strip() != AFTER or value.strip().startswith("["):
        return text
    return f"{AFTER}=[{value.strip()}]"
