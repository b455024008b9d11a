"""Computing the points that are missing, and writing what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..errors import RecordError
from .design import Point
from .engine import Engine, on_this_machine
from .plan import Base, Task, make_tasks, refuse_useless
from .points import FAILED, STOPPED, failure
from .store import Store
from .tidy import Row, Summary, summaries, write_results

__all__ = ["Listener", "Sweep", "carry_out", "choose_engine", "run_sweep"]


class Listener(Protocol):
    """Told how far a sweep is; no method may change the sweep or raise."""

    def started(self, done: int, total: int) -> None:
        """Hear that *done* of *total* points are there already."""
        ...

    def finished(self, failed: bool) -> None:
        """Hear that one more point is there."""
        ...

    def message(self, text: str) -> None:
        """Hear something the user should know, in one sentence."""
        ...


@dataclass(frozen=True)
class Sweep:
    """A finished sweep."""

    name: str
    keys: tuple[str, ...]
    rows: Sequence[Row]
    points: Sequence[Summary]
    confidence: float
    results: Path

    @property
    def failed(self) -> Sequence[Row]:
        """The rows without metrics."""
        return [row for row in self.rows if not row.done]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON knows."""
        return {
            "name": self.name,
            "keys": list(self.keys),
            "confidence": self.confidence,
            "rows": len(self.rows),
            "failed": len(self.failed),
            "points": [_plain(self.keys, point) for point in self.points],
            "results": str(self.results),
        }


def _plain(keys: Sequence[str], point: Summary) -> dict[str, Any]:
    metrics = {}
    for name, found in point.metrics.items():
        known = found.n > 1
        metrics[name] = {
            "mean": found.mean,
            "low": found.low if known else None,
            "high": found.high if known else None,
            "seeds": found.n,
        }
    return {
        "values": dict(zip(keys, point.values, strict=True)),
        "failed": point.failed,
        "reason": point.reason,
        "metrics": metrics,
    }


def choose_engine(workers: int, scheduler: str | None) -> Engine:
    """Return the engine for *workers* processes here, or for a Dask *scheduler* by address.

    Raises
    ------
    ConfigError
        A scheduler is asked for without Dask.
    """
    if scheduler is None:
        return on_this_machine(workers)
    from .cluster import on_cluster

    return on_cluster(scheduler)


def run_sweep(
    base: Base,
    keys: Sequence[str],
    points: Sequence[Point],
    seeds: int,
    folder: Path,
    engine: Engine,
    listener: Listener,
    *,
    drawn: bool = False,
    retry: bool = False,
    confidence: float = 0.95,
) -> Sweep:
    """Compute every point with every seed, except what *folder* holds already.

    Parameters
    ----------
    base, keys, points, seeds
        What to compute; see :func:`~ohmlearn.sweeps.plan.make_tasks`.
    folder
        Folder of the results and the log.
    engine
        Computes jobs, anywhere.
    listener
        Is told how far the sweep is.
    drawn
        The values are draws, of which some may not fit together.
    retry
        Compute the points again that failed before.
    confidence
        Of the intervals over seeds.

    Raises
    ------
    ConfigError
        No point can run with a value, or *folder* holds another sweep.
    RecordError
        Something cannot be written; what is done is kept.
    """
    tasks = make_tasks(base, keys, points, seeds)
    refuse_useless(tasks, keys, drawn)
    with Store(folder, base.question | {"keys": list(keys)}) as store:
        rows = carry_out(tasks, store, engine, listener, retry)
        results = write_results(folder, keys, rows)
        store.clear()
    return Sweep(base.name, tuple(keys), rows, summaries(rows, confidence), confidence, results)


def carry_out(
    tasks: Sequence[Task], store: Store, engine: Engine, listener: Listener, retry: bool = False
) -> list[Row]:
    """Compute the tasks that the store does not hold; return a row for each task.

    Raises
    ------
    RecordError
        A point could not be computed for want of disk space or the like.
    """
    known = _known(tasks, store, retry)
    if store.dropped:
        listener.message(
            f"{store.folder}: {store.dropped} damaged lines of the log were dropped; their "
            "points are computed again."
        )
    listener.started(sum(task.key in known for task in tasks), len(tasks))
    missing = {task.key: task.job for task in tasks if task.key not in known and task.job}
    jobs = [job | {"folder": str(store.place(key))} for key, job in missing.items()]
    with closing(engine(jobs)) as results:  # type: ignore[type-var]
        for result in results if jobs else ():
            if result["status"] == STOPPED:
                raise RecordError(result["reason"])
            store.add(result)
            known[result["key"]] = result
            listener.finished(result["status"] == FAILED)
    return [Row(task, known[task.key]) for task in tasks]


def _known(tasks: Sequence[Task], store: Store, retry: bool) -> dict[str, Mapping[str, Any]]:
    """Return the results of tasks that need no computing."""
    known: dict[str, Mapping[str, Any]] = {}
    for task in tasks:
        if task.job is None:
            known[task.key] = failure(task.key, task.reason)
            continue
        entry = store.done.get(task.key)
        if entry and not (retry and entry["status"] == FAILED):
            known[task.key] = entry
    return known
