"""Download the published image sets and keep only files whose checksum is the published one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..errors import DataError, nearest
from .published import PUBLISHED, Published, data_folder

__all__ = ["download", "fetch"]

_TIMEOUT = 30.0  # seconds without an answer before the next mirror is tried


def fetch(
    name: str, data_dir: str | os.PathLike[str] | None = None, progress: Any = False
) -> Path:
    """Download a data set into ``<data folder>/<name>/`` and return that folder.

    Files that are there already with the right checksum are not downloaded again.

    Parameters
    ----------
    name : 'mnist', 'fashion_mnist' or 'kmnist'.
    data_dir : as for :func:`ohmlearn.training.datasets.load`.
    progress : False, or an object with ``total``, ``update(bytes)``, ``reset()`` and ``close()``
        that shows the progress of a file (pooch's protocol).

    Raises
    ------
    DataError
        If the name is unknown, the folder cannot be written, or no mirror gave the right file.
    """
    if name == "digits":
        raise DataError("digits come with the package; there is nothing to download.")
    if name not in PUBLISHED:
        raise DataError(nearest(name, PUBLISHED, "data set to download"))
    return download(PUBLISHED[name], data_folder(data_dir) / name, progress)


def download(published: Published, folder: Path, progress: Any = False) -> Path:
    """Download the files of *published* into *folder*, trying its mirrors in turn.

    A file appears under its name only once its checksum is right; complete files stay when a
    later one fails, so that a second call goes on from there.

    Raises
    ------
    DataError
        If the folder cannot be written, or no mirror gave the right file.
    """
    created = _create(folder)
    try:
        for file, sha256 in published.sha256.items():
            _download_file(published, file, sha256, folder, progress)
    except BaseException:
        _remove_empty(created)
        raise
    return folder


def _create(folder: Path) -> list[Path]:
    """Create *folder* and return the folders that did not exist before, innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot create the data folder {folder}: {error.strerror}; name a folder that can "
            "be written with --data-dir or OHMLEARN_DATA."
        ) from None
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        if any(folder.iterdir()):
            return
        folder.rmdir()


def _download_file(
    published: Published, file: str, sha256: str, folder: Path, progress: Any
) -> None:
    import pooch  # slow to import, and needed only here

    # Without 'identity' a server may send the file as compressed content, which would be
    # unpacked on the way and fail its checksum.
    headers = {"Accept-Encoding": "identity"}
    reasons = []
    for mirror in published.mirrors:
        # Any: pooch annotates the signature of a downloader otherwise than it calls one.
        downloader: Any = pooch.HTTPDownloader(
            progressbar=progress, chunk_size=1 << 16, timeout=_TIMEOUT, headers=headers
        )
        try:
            pooch.retrieve(mirror + file, f"sha256:{sha256}", file, folder, downloader=downloader)
            return
        except (OSError, ValueError) as error:
            reasons.append(f"{mirror}: {_reason(error)}")
    raise DataError(
        f"{published.name}: cannot download {file} to {folder} ({'; '.join(reasons)}). Check the "
        "connection, or copy the file there from elsewhere."
    )


def _reason(error: Exception) -> str:
    """Name the cause of a failed download in a few words; errors of requests are OSErrors."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code} {response.reason}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if "hash of downloaded file" in str(error):
        return "wrong checksum, the file received was deleted"
    return f"no complete answer, {type(error).__name__}"
