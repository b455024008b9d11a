"""The errors of Ohmlearn: one family, so that a caller needs one ``except``.

A message says what is wrong, where, and what is allowed. The command line turns a
:class:`UserError` into exit code 2 and every other :class:`OhmlearnError` into exit code 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "DataError",
    "DeviceError",
    "MissingRecordError",
    "NetlistError",
    "OhmlearnError",
    "RecordError",
    "SimulationError",
    "UserError",
    "nearest",
]


class OhmlearnError(Exception):
    """Base of every error that Ohmlearn raises on purpose."""


class UserError(OhmlearnError):
    """The input is wrong: it must change before the same call can succeed."""


class ConfigError(UserError):
    """An experiment holds a key or a value that is not allowed."""


class DataError(UserError):
    """A data set is missing, corrupt, or holds values that are not allowed."""


class DeviceError(UserError):
    """A device model, preset or parameter is unknown or out of range."""


class NetlistError(OhmlearnError):
    """A netlist cannot be written, or a circuit simulator cannot be found or fails."""


class RecordError(OhmlearnError):
    """A run record or checkpoint cannot be written or read."""


class MissingRecordError(RecordError, UserError):
    """A folder was named as that of a run, and no finished run is there."""


class SimulationError(OhmlearnError):
    """A solver found no answer; the message says what to try."""


def nearest(name: str, allowed: Iterable[str], what: str) -> str:
    """Return the sentence that names the nearest valid *what* for a mistyped *name*."""
    names = sorted(allowed)
    close = get_close_matches(name.lower(), [n.lower() for n in names], n=1, cutoff=0.5)
    if close:
        best = next(n for n in names if n.lower() == close[0])
        hint = f"; did you mean '{best}'?"
    else:
        hint = "."
    return f"unknown {what} '{name}'{hint} Allowed: {', '.join(names)}."
