"""Computing many points on this machine, in this process or in workers that may die.

A worker that is killed takes the whole pool with it; a new pool goes on with the points that are
missing. A point that is always there when that happens is computed alone, and given up if its
worker dies again and again without getting any further.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any

from ..checkpoint import NEWEST
from .points import Job, Result, compute, failure

__all__ = ["Engine", "in_pool", "in_this_process", "on_this_machine"]

Engine = Callable[[Sequence[Job]], Iterator[Result]]
"""Computes jobs and yields their results in the order in which they are done."""

_TOGETHER = 3  # times a point may be there when a pool dies, before it is computed alone
_AT_MOST = 12  # times in a row without a new checkpoint, before it is given up
_WATCH = 0.25  # seconds between two looks at whether the parent is alive


def on_this_machine(workers: int) -> Engine:
    """Return the engine for *workers* processes; 0 is one for each processor."""
    workers = workers or _processors()
    if workers == 1:
        return in_this_process
    return lambda jobs: in_pool(jobs, workers)


def _processors() -> int:
    from joblib import cpu_count

    return cpu_count()


def in_this_process(jobs: Sequence[Job]) -> Iterator[Result]:
    """Compute the jobs one after the other."""
    yield from map(compute, jobs)


def in_pool(jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Compute the jobs in *workers* processes of one thread each."""
    left = {job["key"]: job for job in jobs}
    deaths: Counter[str] = Counter()
    saved: dict[str, int] = {}
    while left:
        alone = next((key for key in left if deaths[key] >= _TOGETHER), None)
        chosen = list(left.values()) if alone is None else [left[alone]]
        sent: list[str] = []
        try:
            for result in _one_pool(chosen, workers, sent):
                del left[result["key"]]
                yield result
        except BrokenExecutor:
            for key in [key for key in sent if key in left]:
                now = _last_saved(left[key])
                deaths[key] = 1 + (deaths[key] if saved.get(key) == now else 0)
                saved[key] = now
                if deaths[key] >= _AT_MOST:
                    del left[key]
                    yield failure(key, "its process died every time: killed, or out of memory.")


def _last_saved(job: Job) -> int:
    """Return when the point last saved a checkpoint, in ns, or 0; one that does goes on."""
    try:
        return os.stat(os.path.join(job["folder"] or "", NEWEST)).st_mtime_ns
    except OSError:
        return 0


def _one_pool(jobs: Sequence[Job], workers: int, sent: list[str]) -> Iterator[Result]:
    """Compute *jobs* in one pool; note in *sent* which ones a worker may have begun.

    Raises
    ------
    BrokenExecutor
        A worker was killed; the results so far have been yielded.
    """
    from joblib import Parallel, delayed, parallel_config

    def orders():
        for job in jobs:
            sent.append(job["key"])
            yield delayed(_in_worker)(job, os.getpid())

    with parallel_config(backend="loky", inner_max_num_threads=1):
        # Few points at a time are handed out, so that a kill costs few.
        options: dict[str, Any] = {"batch_size": 1, "pre_dispatch": "n_jobs"}
        pool = Parallel(n_jobs=workers, return_as="generator_unordered", **options)
        results: Any = pool(orders())
    try:
        yield from results
    except KeyboardInterrupt:
        _stop_workers()
        raise


def _stop_workers() -> None:
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=False, kill_workers=True)


def _in_worker(job: Job, parent: int) -> Result:
    """Compute a job in a process that must not outlive the sweep."""
    _follow(parent)
    return compute(job)


def _follow(parent: int) -> None:
    """End this process as soon as its parent has ended; leave interrupts to the parent."""
    name = f"follows {parent}"
    if any(thread.name == name for thread in threading.enumerate()):
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), name=name, daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH)
    os._exit(1)
