"""Where ngspice is on this machine, which version, and what to install where something is missing.

The program (Debian package ``ngspice``) runs netlists in a process of their own; the library
(``libngspice0``) runs many samples in this process through PySpice. The program comes with the
code models and the start-up file of both.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from ctypes.util import find_library
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path

from ...errors import NetlistError

__all__ = ["TESTED", "Found", "find_ngspice"]

TESTED = 39
"""The version that the agreement tests run (Debian 12)."""

_TELLS_ON_STDERR = 42
_PROGRAM, _LIBRARY = "OHMLEARN_NGSPICE", "NGSPICE_LIBRARY_PATH"
_LIBRARY_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")


@dataclass(frozen=True)
class Found:
    """What there is to simulate with.

    Attributes
    ----------
    path : str
        The program ngspice; empty where there is none.
    version : int
        Its major version; 0 where unknown.
    library : str
        The shared library libngspice; empty where there is none.
    code_models : str
        Folder of the XSPICE code models (``*.cm``); empty where there is none.
    pyspice : str
        Version of PySpice; empty where it is not installed.
    """

    path: str = ""
    version: int = 0
    library: str = ""
    code_models: str = ""
    pyspice: str = ""

    @property
    def batch(self) -> bool:
        """Whether netlists can be run by the program."""
        return bool(self.path)

    @property
    def shared(self) -> bool:
        """Whether netlists can be run in this process."""
        return bool(self.library and self.pyspice) and self.version < _TELLS_ON_STDERR

    def remarks(self) -> tuple[str, ...]:
        """Return a sentence for everything that is missing or differs from what was tested."""
        return tuple(self._remarks())

    def _remarks(self) -> Iterator[str]:
        if not self.path:
            yield (
                "ngspice was not found on PATH; install it (Debian, Ubuntu: 'apt-get install "
                f"ngspice libngspice0'; macOS: 'brew install ngspice') or set {_PROGRAM} to the "
                "program."
            )
        if not self.library:
            yield (
                "libngspice was not found, so nothing can run in this process; install it "
                "(Debian, Ubuntu: 'apt-get install libngspice0'; macOS: 'brew install "
                f"libngspice') or set {_LIBRARY} to the file."
            )
        if not self.pyspice:
            yield (
                "PySpice is not installed, so nothing can run in this process; 'pip install "
                "PySpice'."
            )
        if self.version >= _TELLS_ON_STDERR:
            yield (
                f"ngspice {self.version} prints notes on its standard error, at which PySpice "
                f"{self.pyspice or '1.5'} stops: only batch mode is used. Its other matrix solver "
                f"(KLU) is left off. Results are tested with ngspice {TESTED}."
            )
        elif self.version and self.version != TESTED:
            yield f"ngspice {self.version} is not tested; results are tested with {TESTED}."
        if self.path and not self.code_models:
            yield (
                "the code models of ngspice (*.cm) were not found; Ohmlearn's own netlists need "
                "none of them."
            )


def find_ngspice(required: bool = True) -> Found:
    """Return what there is to simulate with.

    Parameters
    ----------
    required
        Whether a missing program is an error.

    Raises
    ------
    NetlistError
        If the program is missing and required, or ``OHMLEARN_NGSPICE`` names no program.
    """
    path = _program()
    found = Found(
        path,
        _version(path) if path else 0,
        _library(path),
        _code_models(path),
        _pyspice(),
    )
    if required and not found.path:
        raise NetlistError(found.remarks()[0])
    return found


def _program() -> str:
    asked = os.environ.get(_PROGRAM)
    if asked is None:
        return shutil.which("ngspice") or ""
    path = shutil.which(asked)
    if path is None:
        raise NetlistError(f"{_PROGRAM} is {asked!r}, which is no program that can be run.")
    return path


@lru_cache
def _version(path: str) -> int:
    try:
        told = subprocess.run(
            [path, "-v"], capture_output=True, text=True, timeout=60, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NetlistError(f"{path} -v does not run ({error}); is it ngspice?") from None
    match = re.search(r"ngspice-(\d+)", told)
    return int(match.group(1)) if match else 0


def _library(program: str) -> str:
    """Return the library: the one asked for, one beside the program, or the system's.

    The name without a number, which PySpice asks for, is only in the -dev package.
    """
    asked = os.environ.get(_LIBRARY)
    if asked is not None:
        return asked if Path(asked).is_file() else ""
    folders = [str(Path(program).resolve().parent.parent / "lib")] if program else []
    for folder in (*folders, str(Path(sys.prefix) / "lib"), *_LIBRARY_FOLDERS):
        for pattern in ("libngspice.so*", "*/libngspice.so*", "libngspice*.dylib"):
            names = sorted(str(path) for path in Path(folder).glob(pattern) if path.is_file())
            if names:
                return names[0]
    return find_library("ngspice") or ""


def _code_models(program: str) -> str:
    if not program:
        return ""
    root = Path(program).resolve().parent.parent
    for pattern in ("lib/ngspice/*.cm", "lib/*/ngspice/*.cm"):
        for path in sorted(root.glob(pattern)):
            return str(path.parent)
    return ""


def _pyspice() -> str:
    try:
        return installed_version("PySpice")
    except PackageNotFoundError:
        return ""
