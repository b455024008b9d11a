"""The folder of a sweep: what is asked, and a log of the points that are done.

==================  =========================================================================
``sweep.json``      what the folder is about; another sweep is refused
``points.jsonl``    one line per finished point, in the order of finishing
``points/``         checkpoints of points that are being computed
==================  =========================================================================

A line is on the disk before the point counts as done, and only one process at a time writes. A
line that a kill or a full disk cut short is dropped, and its point computed again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ..errors import ConfigError, RecordError
from ..storage import lock, prepare_folder, storage_error, write_file

__all__ = ["Store"]

QUESTION, LOG, POINTS = "sweep.json", "points.jsonl", "points"

_NEEDED = {"key", "status", "reason", "metrics", "spent"}


class Store:
    """The log of the points of one sweep; used as a context manager.

    Parameters
    ----------
    folder
        Folder of the sweep; made where it is missing.
    question
        What the sweep asks, plain values. A folder answers one question only; more points or
        seeds are the same question.

    Raises
    ------
    ConfigError
        The folder holds another sweep.
    RecordError
        The folder cannot be written, or another process works in it.
    """

    def __init__(self, folder: Path, question: Mapping[str, Any]) -> None:
        self.folder = folder
        self.done: dict[str, dict[str, Any]] = {}
        self.dropped = 0
        self._question = dict(question)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        prepare_folder(self.folder)
        self._file = self._open()
        try:
            self._same_question()
            self._read()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def place(self, key: str) -> Path:
        """Return the folder in which the point *key* may keep checkpoints."""
        return self.folder / POINTS / key[:16]

    def add(self, entry: Mapping[str, Any]) -> None:
        """Log a finished point; it lasts through a kill and a power cut from here on.

        Metrics keep their order, which is that of the columns of the results.
        """
        assert self._file is not None
        line = json.dumps(entry, allow_nan=False).encode() + b"\n"
        try:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise storage_error(error, self.folder / LOG) from error
        self.done[entry["key"]] = dict(entry)
        shutil.rmtree(self.place(entry["key"]), ignore_errors=True)

    def clear(self) -> None:
        """Remove the checkpoints of all points."""
        shutil.rmtree(self.folder / POINTS, ignore_errors=True)

    def _open(self) -> IO[bytes]:
        path = self.folder / LOG
        try:
            file = open(path, "ab+", buffering=0)  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise storage_error(error, path) from error
        if not lock(file, wait=False):
            file.close()
            raise RecordError(
                f"{self.folder} is being worked on by another sweep; wait for it to end, or "
                "choose another folder with --out."
            )
        return file

    def _same_question(self) -> None:
        path = self.folder / QUESTION
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._write_question(path)
            return
        except (OSError, ValueError) as error:
            raise RecordError(f"{path} is damaged or cannot be read ({error}).") from error
        keys = {*stored, *self._question} if isinstance(stored, dict) else {"content"}
        wrong = [k for k in sorted(keys) if stored.get(k) != self._question.get(k)]
        if wrong and not self._holds_work():
            self._write_question(path)  # of a sweep that was refused before its first point
        elif wrong:
            raise ConfigError(
                f"{self.folder} holds another sweep (different: {', '.join(wrong)}); choose "
                "another folder with --out."
            )

    def _write_question(self, path: Path) -> None:
        text = json.dumps(self._question, indent=2) + "\n"
        write_file(path, lambda file: file.write(text.encode()))

    def _holds_work(self) -> bool:
        """Return whether a point was finished here, or one was begun."""
        points = self.folder / POINTS
        begun = points.is_dir() and any(points.iterdir())
        return begun or (self.folder / LOG).stat().st_size > 0

    def _read(self) -> None:
        """Read the log; cut off what is left of a line that was never finished."""
        assert self._file is not None
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            self._file.truncate(whole)
            self.dropped += 1
        for line in content[:whole].splitlines():
            entry = _entry(line)
            if entry is None:
                self.dropped += 1
            else:
                self.done[entry["key"]] = entry


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and entry.keys() >= _NEEDED else None
