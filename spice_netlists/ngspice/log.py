"""What ngspice says while it runs: errors, notes and the results of ``.meas`` lines.

The exit status is not enough: a failed analysis inside a control block, a ``.meas`` that found
nothing and a node without a path to ground all end with status 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["faults", "measures", "notes"]

_FAULT = re.compile(
    r"\b(error|fatal|failed|singular|aborted|unknown|unrecognized|undefined|too small"
    r"|cannot|can't|could not|not found|no such|out of memory|to low, set to)\b",
    re.IGNORECASE,
)
_STEPPING = re.compile(r"^(warning|note): .*(gmin|source) step", re.IGNORECASE)
_PREFIX = re.compile(r"^(trying gmin|supplies reduced to)\s*=?\s*[-+.\de]+\s*%?\s*", re.IGNORECASE)
_ECHO = re.compile(r"^\s*(circuit:|title:|current\s|\*)", re.IGNORECASE)
_NOTE = re.compile(r"\b(warning|note)\b:?", re.IGNORECASE)
_SILENT = ("no compatibility mode selected", "can't find the initialization file")
_RESULT = re.compile(r"^\s*([a-z]\w*)\s*=\s*([-+]?[\d.]+(?:e[-+]?\d+)?)\b", re.IGNORECASE)


def faults(log: str) -> list[str]:
    """Return the lines that tell of an error.

    A step of gmin or source stepping that failed is none: ngspice then tries the next method, and
    says ``aborted`` when it has no more.
    """
    told = (line for line in _lines(log) if _FAULT.search(line))
    return list(dict.fromkeys(line for line in told if not _STEPPING.match(line)))


def notes(log: str) -> list[str]:
    """Return warnings, and how an operating point was found where that was not at once."""
    return list(dict.fromkeys(line for line in _lines(log) if _NOTE.search(line)))


def _lines(log: str) -> list[str]:
    stripped = (
        _PREFIX.sub("", line.strip()) for line in log.splitlines() if not _ECHO.match(line)
    )
    return [
        line for line in stripped if line and not any(known in line.lower() for known in _SILENT)
    ]


def measures(log: str, names: Iterable[str]) -> dict[str, float]:
    """Return the results in *log* of the ``.meas`` lines called *names*."""
    wanted = {name.lower() for name in names}
    found = {}
    for line in log.splitlines():
        match = _RESULT.match(line)
        if match and match.group(1).lower() in wanted:
            found[match.group(1).lower()] = float(match.group(2))
    return found
