"""One point of a sweep: plain data in, plain data out, the same bits in any process.

A job is a dictionary of text and numbers, so that it can go to another process or machine:

===============  ============================================================================
``kind``         ``"train"``, or ``"read"``: test a trained network again
``key``          names everything that decides the result
``experiment``   the resolved experiment as TOML
``source``       what errors call the experiment
``data_dir``     where the image data sets are, or None
``folder``       where checkpoints are kept, or None
``version``      version of Ohmlearn
``run``, ``draw``, ``checksum``  of ``"read"`` only, see :mod:`.reading`
===============  ============================================================================

A result has ``key``, ``status`` (:data:`DONE`, :data:`FAILED` or :data:`STOPPED`), ``reason``,
``metrics`` (equal whenever the key is) and ``spent`` (times and place, which never are).
"""

from __future__ import annotations

import math
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import OhmlearnError, RecordError
from ..experiment import Experiment, parse_experiment
from ..record import Record
from ..storage import lock, storage_error

__all__ = ["DONE", "FAILED", "STOPPED", "Job", "Result", "compute", "error_percent", "failure"]

Job = dict[str, Any]
Result = dict[str, Any]

DONE, FAILED, STOPPED = "done", "failed", "stopped"


def compute(job: Job) -> Result:
    """Compute one point; what goes wrong with the point is its result.

    Raises
    ------
    OhmlearnError
        This is another version of Ohmlearn than that of the job.
    """
    if job["version"] != __version__:
        raise OhmlearnError(
            f"a worker has ohmlearn {__version__}, the sweep {job['version']}; both must be the "
            "same."
        )
    started, cpu = time.monotonic(), time.process_time()
    try:
        experiment = parse_experiment(job["experiment"], job["source"])
        metrics = _read(job, experiment) if job["kind"] == "read" else _train(job, experiment)
        status, reason = DONE, ""
    except RecordError as error:  # a full disk is no property of the point
        status, reason, metrics = STOPPED, str(error), {}
    except OhmlearnError as error:
        status, reason, metrics = FAILED, str(error), {}
    except Exception as error:  # the other points must go on, whatever this is
        status, reason, metrics = FAILED, f"{type(error).__name__}: {error}", {}
    spent = {
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "wall_seconds": round(time.monotonic() - started, 3),
        "host": socket.gethostname(),
    }
    return {
        "key": job["key"],
        "status": status,
        "reason": " ".join(reason.split()),
        "metrics": metrics,
        "spent": spent,
    }


def failure(key: str, reason: str) -> Result:
    """Return the result of a point that was never computed."""
    return {
        "key": key,
        "status": FAILED,
        "reason": " ".join(reason.split()),
        "metrics": {},
        "spent": {},
    }


def _train(job: Job, experiment: Experiment) -> dict[str, float | int]:
    from ..run import run

    data_dir = Path(job["data_dir"]) if job["data_dir"] else None
    with _workplace(job["folder"]) as folder:
        try:
            record = run(experiment, folder, data_dir, resume=True, figures=False)
        except RecordError:
            # Perhaps no whole checkpoint is left: then the point starts again.
            for path in folder.glob("*.npz"):
                path.unlink()
            record = run(experiment, folder, data_dir, resume=True, figures=False)
    return _metrics(record.summary) | _hardware(record)


def _read(job: Job, experiment: Experiment) -> dict[str, float | int]:
    from .reading import read_again

    return read_again(job, experiment)


@contextmanager
def _workplace(folder: str | None) -> Iterator[Path]:
    """Give a folder for checkpoints; one that is kept belongs to one process at a time."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="ohmlearn-") as temporary:
            yield Path(temporary)
        return
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        file = open(place / ".lock", "ab")  # noqa: SIM115 - closed below
    except OSError as error:
        raise storage_error(error, place) from error
    with file:
        lock(file, wait=True)
        yield place


def _metrics(summary: Mapping[str, Any]) -> dict[str, float | int]:
    """Return the numbers of a record that are the same whenever it is made."""
    found: dict[str, float | int | None] = {
        "test_error_percent": error_percent(summary["test_accuracy"]),
        "test_loss": summary["test_loss"],
        "train_error_percent": error_percent(summary["train_accuracy"]),
        "train_loss": summary["train_loss"],
        "diverged_in_epoch": summary["diverged_in_epoch"],
    }
    rests = summary["after_rest"]
    if rests:
        found["rested_error_percent"] = error_percent(rests[-1]["test_accuracy"])
    for rest in rests[:-1]:
        name = f"error_percent_after_{rest['after_seconds']:g}_s"
        found[name] = error_percent(rest["test_accuracy"])
    if summary["cells"]:
        found["cells"] = summary["cells"]
        found["pulses"] = summary["pulses_total"]
        found["pulses_per_sample_per_cell"] = summary["pulses_per_sample_per_cell"]
    return {
        name: value for name, value in found.items() if value is not None and math.isfinite(value)
    }


def _hardware(record: Record) -> dict[str, float]:
    """Return what the run takes on hardware, SI units; what is a metric already is left out."""
    from ..reporting.report import recorded_headline

    found = recorded_headline(record)
    found.pop("pulses_per_sample_per_cell", None)
    return {name: value for name, value in found.items() if math.isfinite(value)}


def error_percent(accuracy: float | None) -> float | None:
    """Return the error in percent, without the digits that rounding makes; None for None."""
    return None if accuracy is None else round(100.0 * (1.0 - accuracy), 9)
