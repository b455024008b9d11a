"""Fixtures shared by all rooms."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the published image sets: OHMLEARN_DATA, else shared/data beside the checkout."""
    checkout = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("OHMLEARN_DATA") or checkout.parent / "shared" / "data")
    if not (folder / "mnist").is_dir():
        pytest.skip("no image data sets: set OHMLEARN_DATA to the folder that holds mnist/")
    return folder


@pytest.fixture(scope="session")
def ngspice() -> str:
    """Path of ngspice; without it a test fails in CI and is skipped elsewhere."""
    found = shutil.which("ngspice")
    if found is None and os.environ.get("CI"):
        pytest.fail("ngspice is not installed; 'apt-get install ngspice'")
    if found is None:
        pytest.skip("ngspice is not installed")
    return found


@pytest.fixture(scope="session")
def libngspice(ngspice: str) -> str:
    """Path of ngspice as a library; without it a test fails in CI and is skipped elsewhere."""
    from ohmlearn.spice_netlists.ngspice import find_ngspice

    library = find_ngspice().library
    if not library and os.environ.get("CI"):
        pytest.fail("libngspice is not installed; 'apt-get install libngspice0'")
    if not library:
        pytest.skip("libngspice is not installed")
    return library


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Chromium; without it a test fails in CI and is skipped elsewhere."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and os.environ.get("CI"):
        pytest.fail("Chromium is not installed; 'apt-get install chromium'")
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


@pytest.fixture(scope="session")
def write_idx() -> Callable[[Path, np.ndarray], bytes]:
    """Return a writer of IDX files of unsigned bytes; names ending in .gz are compressed."""

    def write(path: Path, array: np.ndarray) -> bytes:
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
        content = header + array.astype(np.uint8).tobytes()
        stored = gzip.compress(content, mtime=0) if path.suffix == ".gz" else content
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stored)
        return stored

    return write
