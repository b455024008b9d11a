"""Files that are either the old one or the new one, never half of each.

Every file is written beside its final place, flushed to the disk, and then renamed, so that a
full disk, an interrupt or a power cut leaves what was there before. Arrays go into the plain
``.npz`` container of NumPy; nothing is ever pickled.
"""

from __future__ import annotations

import errno
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from .errors import RecordError

__all__ = [
    "alone_in",
    "commit_files",
    "lock",
    "prepare_folder",
    "read_arrays",
    "stage_file",
    "storage_error",
    "write_arrays",
    "write_file",
]

Writer = Callable[[IO[bytes]], Any]

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def storage_error(error: OSError, path: Path, verb: str = "write") -> RecordError:
    """Return the sentence for *error*, met on trying to *verb* the file *path*."""
    if error.errno in _FULL:
        return RecordError(
            f"cannot {verb} {path}: the disk is full. What was saved there before is untouched; "
            "free some space, or choose another folder with --out."
        )
    reason = error.strerror or str(error) or type(error).__name__
    return RecordError(f"cannot {verb} {path}: {reason}.")


def lock(file: IO[bytes] | int, wait: bool) -> bool:
    """Lock an open file until it is closed or its process ends; return whether it is ours.

    Where the system or the file system has no locks, every caller gets one.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep every other run out of *folder* for as long as this one works there.

    Raises
    ------
    RecordError
        Another run works there.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)  # the folder itself: a lock leaves no file behind
    except OSError as error:
        raise storage_error(error, folder, "open") from error
    try:
        if not lock(handle, wait=False):
            raise RecordError(
                f"{folder} is being worked on by another run; wait for it to end, or choose "
                "another folder with --out."
            )
        yield
    finally:
        os.close(handle)


def prepare_folder(folder: Path) -> None:
    """Make *folder* and try to write there, so that no work is done whose result cannot be kept.

    Raises
    ------
    RecordError
        The folder cannot be made or written.
    """
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise RecordError(
            f"cannot write to {folder}: it is a file, not a folder; choose another with --out."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise storage_error(error, folder) from error


def stage_file(path: Path, write: Writer) -> Path:
    """Write the future content of *path* beside it, flushed to the disk; return where.

    Parameters
    ----------
    path
        The final place; its folder is made where it is missing.
    write
        Called with the open binary file.

    Raises
    ------
    RecordError
        The file cannot be written; nothing is left of it then.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise storage_error(error, path) from error
        raise
    return partial


def commit_files(staged: Mapping[Path, Path]) -> None:
    """Rename staged files (final place to staged place) over what was there, in their order.

    Raises
    ------
    RecordError
        A file cannot be renamed.
    """
    for path, partial in staged.items():
        try:
            os.replace(partial, path)
        except OSError as error:
            raise storage_error(error, path) from error
    for folder in {path.parent for path in staged}:
        _flush_folder(folder)


def write_file(path: Path, write: Writer) -> None:
    """Write one file: the place holds the old content or all of the new one.

    Raises
    ------
    RecordError
        The file cannot be written; the old one is untouched.
    """
    commit_files({path: stage_file(path, write)})


def _flush_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders, and needs no flush of them
    try:
        os.fsync(handle)
    except OSError:
        pass  # some network file systems refuse; the rename itself has succeeded
    finally:
        os.close(handle)


def write_arrays(file: IO[bytes], arrays: Mapping[str, np.ndarray], *, compress: bool) -> None:
    """Write *arrays* as ``.npz``; the same arrays give the same bytes.

    Raises
    ------
    ValueError
        An array holds Python objects.
    """
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        for name, array in arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy")  # its date is fixed, unlike that of writestr
            info.compress_type = method
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read every array of an ``.npz`` file into memory.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    RecordError
        The file cannot be read, or is no whole ``.npz`` file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                info.filename.removesuffix(".npy"): _read_member(archive, info)
                for info in archive.infolist()
            }
    except FileNotFoundError:
        raise
    except OSError as error:
        raise storage_error(error, path, "read") from error
    except Exception as error:  # zipfile, zlib, struct and NumPy each have errors of their own
        raise RecordError(f"{path} is damaged or incomplete ({error}).") from error


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as member:
        array = np.lib.format.read_array(member, allow_pickle=False)
        if member.read(1):  # reading up to the end is also what checks the member's CRC
            raise ValueError(f"{info.filename} is longer than its header says")
    return array
