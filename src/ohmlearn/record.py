"""The record of a run: a folder that says what was done and what came out.

======================  =====================================================================
``experiment.toml``     the resolved experiment; running it again gives the same result
``record.json``         the summary (see :data:`SUMMARY_KEYS`), with a checksum of each file
``arrays.npz``          final conductances (S) or weights, plain NumPy arrays
``events.csv``          one row per epoch
``figures/``            what :func:`ohmlearn.figures.draw_figures` draws
======================  =====================================================================
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from .errors import MissingRecordError, RecordError
from .storage import commit_files, read_arrays, stage_file, storage_error, write_arrays

__all__ = [
    "STATE",
    "SUMMARY_KEYS",
    "Record",
    "is_record",
    "learned",
    "read_record",
    "summary_text",
    "write_record",
]

STATE = "state_"
"""Prefix of the arrays that a trained network is rebuilt from."""

EXPERIMENT, SUMMARY, ARRAYS, EVENTS = "experiment.toml", "record.json", "arrays.npz", "events.csv"

#: What ``record.json`` holds at least; accuracies are fractions of 1.
SUMMARY_KEYS: tuple[str, ...] = (
    "test_accuracy",
    "test_error_percent",
    "train_accuracy",
    "epochs",
    "cpu_seconds_per_epoch",
    "cells",
    "pulses_total",
    "pulses_per_sample_per_cell",
    "effects",
    "seed",
    "versions",
)


class TomlSource(Protocol):
    """What a record needs of an experiment."""

    def to_toml(self) -> str: ...


@dataclass(frozen=True)
class Record:
    """A finished run, as read from or written to *folder*."""

    folder: Path
    experiment: str
    """The resolved experiment as TOML text."""
    summary: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    events: Sequence[Mapping[str, Any]]


def is_record(folder: str | Path) -> bool:
    """Return whether *folder* holds the record of a finished run."""
    return os.path.exists(Path(folder) / SUMMARY)


def write_record(
    folder: str | Path,
    experiment: TomlSource,
    summary: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    events: Sequence[Mapping[str, Any]],
) -> Record:
    """Write the record of a finished run.

    All files are written in full before the first one takes its place, ``record.json`` last, so
    that a failure leaves an earlier record as it was.

    Parameters
    ----------
    summary
        Plain values, at least :data:`SUMMARY_KEYS`. Numbers that are not finite become null.
    arrays
        Arrays of numbers or text, by name.
    events
        One mapping per epoch; the keys become the columns, in the order of appearance.

    Returns
    -------
    Record
        What :func:`read_record` would return for *folder*.

    Raises
    ------
    RecordError
        The disk is full or the folder cannot be written; or *summary* lacks a key.
    """
    folder = Path(folder)
    missing = [key for key in SUMMARY_KEYS if key not in summary]
    if missing:
        raise RecordError(f"the summary of {folder} lacks {', '.join(missing)}.")
    text = experiment.to_toml()
    staged: dict[Path, Path] = {}
    try:
        _stage(staged, folder / EXPERIMENT, text.encode())
        _stage(staged, folder / ARRAYS, arrays)
        _stage(staged, folder / EVENTS, _events_text(events).encode())
        files = {path.name: _checksum(partial) for path, partial in staged.items()}
        plain = {**_plain(summary), "files": files}
        _stage(staged, folder / SUMMARY, summary_text(plain).encode())
    except BaseException:
        for partial in staged.values():
            partial.unlink(missing_ok=True)
        raise
    commit_files(staged)
    return Record(folder, text, plain, dict(arrays), [_plain(event) for event in events])


def read_record(folder: str | Path) -> Record:
    """Read the record of a finished run.

    Raises
    ------
    MissingRecordError
        There is no finished run.
    RecordError
        A file is missing, damaged, or does not belong to this ``record.json``.
    """
    folder = Path(folder)
    if not is_record(folder):
        what = "no finished run" if folder.is_dir() else "no such folder"
        raise MissingRecordError(f"{folder}: {what} ({SUMMARY} is missing).")
    summary = _read_summary(folder / SUMMARY)
    files = summary["files"]
    for name in (EXPERIMENT, ARRAYS, EVENTS):
        if _checksum(folder / name) != files.get(name):
            raise RecordError(
                f"{folder / name} is damaged, or was changed after the run: its checksum is not "
                f"the one in {SUMMARY}."
            )
    return Record(
        folder,
        (folder / EXPERIMENT).read_text(encoding="utf-8"),
        summary,
        read_arrays(folder / ARRAYS),
        _read_events(folder / EVENTS),
    )


def learned(record: Record) -> dict[str, np.ndarray]:
    """Return what learning has changed: the arrays that a learner's ``restore`` takes."""
    return {
        name.removeprefix(STATE): array
        for name, array in record.arrays.items()
        if name.startswith(STATE)
    }


def summary_text(summary: Mapping[str, Any]) -> str:
    """Return *summary* as the text of ``record.json``."""
    return json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _stage(
    staged: dict[Path, Path], path: Path, content: bytes | Mapping[str, np.ndarray]
) -> None:
    def write(file: IO[bytes]) -> None:
        if isinstance(content, bytes):
            file.write(content)
        else:
            write_arrays(file, content, compress=True)

    staged[path] = stage_file(path, write)


def _plain(value: Any) -> Any:
    """Turn NumPy scalars, tuples and numbers that are not finite into what JSON knows."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _checksum(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise RecordError(f"{path} is missing from the record.") from error
    except OSError as error:
        raise storage_error(error, path, "read") from error


def _read_summary(path: Path) -> dict[str, Any]:
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise storage_error(error, path, "read") from error
    except ValueError as error:
        raise RecordError(f"{path} is damaged or incomplete ({error}).") from error
    keys = (*SUMMARY_KEYS, "files")
    if not isinstance(summary, dict) or not isinstance(summary.get("files"), dict):
        raise RecordError(f"{path} is not the summary of a run.")
    missing = [key for key in keys if key not in summary]
    if missing:
        raise RecordError(f"{path} lacks {', '.join(missing)}.")
    return summary


def _events_text(events: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(key for event in events for key in event))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_plain(event) for event in events)
    return text.getvalue()


def _read_events(path: Path) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [{k: _value(v) for k, v in row.items()} for row in csv.DictReader(file)]


def _value(cell: str) -> int | float | str | None:
    if not cell:
        return None
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
