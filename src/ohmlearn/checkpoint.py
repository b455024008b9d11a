"""Checkpoints: the state of an unfinished run, with a checksum over all of it.

The newest two are kept. A checkpoint that does not match its checksum is never used: the one
before it is, and the run says so, since going on from there gives the same result a little later.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import RecordError
from .storage import commit_files, read_arrays, stage_file, storage_error, write_arrays

__all__ = ["exists", "load", "remove", "save"]

NEWEST, PREVIOUS = "checkpoint.npz", "checkpoint.previous.npz"

_META, _CHECKSUM = "__meta__", "__sha256__"

Checkpoint = tuple[dict[str, np.ndarray], dict[str, Any]]


def exists(folder: str | Path) -> bool:
    """Return whether *folder* holds a checkpoint, whole or not."""
    return any(os.path.exists(Path(folder) / name) for name in (NEWEST, PREVIOUS))


def save(folder: str | Path, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Save a checkpoint; the one before it is kept as ``checkpoint.previous.npz``.

    Parameters
    ----------
    folder
        The folder of the run; made where it is missing.
    arrays
        Arrays of numbers or text, by name; stored bit for bit.
    meta
        What JSON can hold: numbers, text, lists, mappings with text keys.

    Raises
    ------
    RecordError
        The disk is full or the folder cannot be written; earlier checkpoints are untouched.
    """
    text = json.dumps(meta).encode()
    content = {
        **arrays,
        _META: np.frombuffer(text, np.uint8),
        _CHECKSUM: _checksum(arrays, text),
    }
    newest, previous = Path(folder) / NEWEST, Path(folder) / PREVIOUS
    partial = stage_file(newest, lambda file: write_arrays(file, content, compress=False))
    moves = {previous: newest} if newest.exists() else {}
    commit_files({**moves, newest: partial})


def load(folder: str | Path, *, warn: Callable[[str], None] = warnings.warn) -> Checkpoint | None:
    """Return the arrays and meta data of the newest whole checkpoint, or None without any.

    Parameters
    ----------
    folder
        The folder of the run.
    warn
        Told in one sentence where the newest checkpoint was damaged and an older one is used.

    Raises
    ------
    RecordError
        There is a checkpoint, but no whole one.
    """
    folder = Path(folder)
    damage = []
    for name in (NEWEST, PREVIOUS):
        try:
            found = _read(folder / name)
        except FileNotFoundError:
            continue
        except RecordError as error:
            damage.append(str(error))
            continue
        if damage:
            warn(f"{damage[0]} Going on from the checkpoint before it, {folder / name}.")
        return found
    if damage:
        raise RecordError(
            f"{' '.join(damage)} No whole checkpoint is left in {folder}; restore the file from a "
            "copy, or start the run again with --overwrite."
        )
    return None


def remove(folder: str | Path) -> None:
    """Remove the checkpoints of a run that has its record.

    Raises
    ------
    RecordError
        A file cannot be removed.
    """
    # The older one first: being stopped in between must not bring it back to life.
    for name in (PREVIOUS, NEWEST):
        path = Path(folder) / name
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise storage_error(error, path, "remove") from error


def _read(path: Path) -> Checkpoint:
    arrays = read_arrays(path)
    meta, checksum = arrays.pop(_META, None), arrays.pop(_CHECKSUM, None)
    if meta is None or checksum is None:
        raise RecordError(f"{path} is not a checkpoint.")
    text = meta.tobytes()
    if checksum.tobytes() != _checksum(arrays, text).tobytes():
        raise RecordError(f"{path} is damaged: it does not match its own checksum.")
    return arrays, json.loads(text)


def _checksum(arrays: Mapping[str, np.ndarray], meta: bytes) -> np.ndarray:
    """Return SHA-256 over the meta data and each array's name, type, shape and bytes."""
    digest = hashlib.sha256(len(meta).to_bytes(8, "little") + meta)
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        header = json.dumps([name, array.dtype.str, array.shape]).encode()
        digest.update(len(header).to_bytes(8, "little") + header)
        digest.update(np.ascontiguousarray(array).tobytes())
    return np.frombuffer(digest.digest(), np.uint8)
