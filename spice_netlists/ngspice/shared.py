"""ngspice in this process, through PySpice: load once, alter sources, solve many times.

The library keeps its state in global variables, so a process has one engine and one circuit at
a time, and a few failures leave the engine dead (a netlist file that is missing, running out of
memory). :func:`~.batch.run_batch` has neither limit.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from ...errors import NetlistError
from .find import find_ngspice

__all__ = ["circuit_of"]

# A netlist's own analyses; PySpice brings its own.
_ANALYSES = (".op", ".dc", ".tran", ".ac", ".meas", ".save", ".end", ".print", ".plot")


def circuit_of(title: str, text: str) -> Any:
    """Return *text* as a ``PySpice.Spice.Netlist.Circuit``, without its analyses."""
    _prepare()
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


def _prepare() -> None:
    """Make PySpice find the library and hold its tongue; it reads both when it is imported."""
    found = find_ngspice(required=False)
    if not found.pyspice:
        raise NetlistError(
            "PySpice is not installed, so ngspice cannot run in this process; 'pip install "
            "PySpice'."
        )
    if found.library:
        os.environ.setdefault("NGSPICE_LIBRARY_PATH", found.library)
    logging.getLogger("PySpice").setLevel(logging.CRITICAL)
