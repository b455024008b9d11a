"""ngspice in this process, through PySpice: load once, alter sources, solve many times.

The library keeps its state in global variables, so a process has one engine and one circuit at
a time, and a few failures (a netlist file that is missing, running out of memory) leave the engine
dead for the rest of the process. :func:`~.batch.run_batch`, a process for each run, has neither
limit.
"""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import NetlistError
from ..names import number
from .find import Found, find_ngspice
from .log import faults

__all__ = ["Engine", "circuit_of", "shared_engine"]

# A netlist's own analyses; PySpice brings its own.
_ANALYSES = (".op", ".dc", ".tran", ".ac", ".meas", ".measure", ".save", ".ic", ".end")
_LONGEST = 1000  # PySpice refuses commands of more than 1,023 characters


class _Vector(ctypes.Structure):
    """What ngspice tells of a vector (``struct vector_info`` of its shared-library interface)."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("flags", ctypes.c_short),
        ("real", ctypes.POINTER(ctypes.c_double)),
        ("complex", ctypes.c_void_p),
        ("length", ctypes.c_int),
    )


class Engine:
    """The ngspice of this process; get it from :func:`shared_engine`."""

    def __init__(self, library: str):
        from PySpice.Spice.NgSpice.Shared import NgSpiceShared

        NgSpiceShared.setup_platform()
        try:
            self._ngspice = NgSpiceShared.new_instance()
            raw = ctypes.CDLL(library)
        except (OSError, NameError) as error:
            raise NetlistError(f"libngspice {library} cannot be loaded: {error}.") from None
        self._vector = raw.ngGet_Vec_Info
        self._vector.restype = ctypes.POINTER(_Vector)
        self._vector.argtypes = (ctypes.c_char_p,)
        self._loaded = False

    def load(self, text: str) -> None:
        """Take *text* as the circuit, in the place of the one before.

        Raises
        ------
        NetlistError
            If ngspice finds an error in it.
        """
        if self._loaded:
            self.command("destroy all")
            self.command("remcirc")
        self._loaded = False
        self._guard("the netlist", self._ngspice.load_circuit, text)
        self._loaded = True

    def alter(self, values: Mapping[str, float]) -> None:
        """Give sources other values [V, A]; their names are those in the netlist."""
        line = ""
        for name, value in values.items():
            one = f"alter {name} = {number(value)}"
            if line and len(line) + len(one) >= _LONGEST:
                self.command(line)
                line = ""
            line = f"{line};{one}" if line else one
        if line:
            self.command(line)

    def operating_point(self, vectors: Iterable[str]) -> NDArray:
        """Return node voltages ``v(..)`` and branch currents ``i(..)`` of an operating point."""
        self.command("op")
        found = np.array([self._read(name)[0] for name in vectors])
        self.command("destroy all")
        return found

    def run(self, vectors: Iterable[str]) -> NDArray:
        """Return the vectors (points, vectors) of the netlist's own analysis, the last one."""
        self.command("run")
        found = np.array([self._read(name) for name in vectors]).T
        self.command("destroy all")
        return found

    def command(self, text: str) -> str:
        """Carry out a command of ngspice; return what it printed.

        Raises
        ------
        NetlistError
            If ngspice tells of an error. Notes on how an operating point was found are none.
        """
        return self._guard(text[:60], self._ngspice.exec_command, text)

    def _guard(self, what: str, call: Any, text: str) -> str:
        from PySpice.Spice.NgSpice.Shared import NgSpiceCircuitError, NgSpiceCommandError

        try:
            printed = call(text)
        except (NgSpiceCircuitError, NgSpiceCommandError):
            printed = ""
        except NameError as error:
            raise NetlistError(
                f"ngspice stopped at {what} ({error}); it cannot go on in this process. Start "
                "again, or use batch mode."
            ) from None
        told = faults(f"{self._ngspice.stdout}\n{self._ngspice.stderr}")
        if told:
            raise NetlistError(f"ngspice, at {what}: " + "\n".join(told[:5]))
        return printed or ""

    def _read(self, name: str) -> NDArray:
        info = self._vector(_plain(name).encode("ascii"))
        if not info or info.contents.length < 1 or not info.contents.real:
            raise NetlistError(f"ngspice: {name} is not among the results.")
        # the memory belongs to ngspice, which frees it
        return np.ctypeslib.as_array(info.contents.real, (info.contents.length,)).copy()


def _plain(name: str) -> str:
    """Return how the library calls ``v(node)`` and ``i(source)``."""
    kind, inner = name[:2].lower(), name[2:-1]
    if kind == "v(":
        return inner
    return f"{inner}#branch" if kind == "i(" else name


def shared_engine() -> Engine:
    """Return the ngspice of this process.

    Raises
    ------
    NetlistError
        If the library or PySpice is missing, or they do not go together.
    """
    found = find_ngspice(required=False)
    if not found.shared:
        reasons = " ".join(_reasons(found))
        raise NetlistError(f"ngspice cannot run in this process: {reasons} Batch mode may do.")
    _prepare(found)
    return _engine(found.library)


@lru_cache
def _engine(library: str) -> Engine:
    return Engine(library)


def _reasons(found: Found) -> Iterator[str]:
    return (line for line in found.remarks() if "PySpice" in line or "libngspice" in line)


def circuit_of(title: str, text: str) -> Any:
    """Return *text* as a ``PySpice.Spice.Netlist.Circuit``, without its analyses.

    Raises
    ------
    NetlistError
        If PySpice is not installed.
    """
    found = find_ngspice(required=False)
    if not found.pyspice:
        raise NetlistError(
            "PySpice is not installed, so there is no Circuit; 'pip install PySpice'."
        )
    _prepare(found)
    from PySpice.Spice.Netlist import Circuit

    kept, skipping = [], False
    for line in text.splitlines():
        if not line.startswith("+"):
            words = line.split(maxsplit=1)
            skipping = bool(words) and words[0].lower() in _ANALYSES
        if not skipping:
            kept.append(line)
    circuit = Circuit(title)
    circuit.raw_spice = "\n".join(kept) + "\n"
    return circuit


def _prepare(found: Found) -> None:
    """Make PySpice find the library, and keep it from printing; it looks when it is imported."""
    if found.library:
        os.environ.setdefault("NGSPICE_LIBRARY_PATH", found.library)
    logging.getLogger("PySpice").setLevel(logging.CRITICAL)
