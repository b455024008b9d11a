"""The numbers of an effect: what is allowed, read from a table, and listed for the ledger."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any, TypeVar

from ...errors import DeviceError, nearest

__all__ = [
    "check_fraction",
    "check_name",
    "check_number",
    "check_positive",
    "check_spread",
    "from_table",
    "listed",
    "only",
]

T = TypeVar("T")

#: Bounds beyond which no physics lies and numbers of 32 bits overflow: of any number, of a
#: standard deviation, and of one that is in units of a natural logarithm.
_NUMBER, _SPREAD, _LOG_SPREAD = 1e30, 1e6, 10.0


def check_number(name: str, value: object) -> float:
    """Return *value* as a float; refuse what is no finite number, and absurdly large ones."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DeviceError(f"{name} is {value!r}; allowed is a finite number.")
    if abs(value) > _NUMBER:
        raise DeviceError(f"{name} is {value!r}; allowed is a number up to {_NUMBER:g}.")
    return float(value)


def check_spread(name: str, value: object, *, logarithmic: bool = False) -> None:
    """Refuse what is no standard deviation (with *logarithmic*, of a logarithm), or absurd."""
    most = _LOG_SPREAD if logarithmic else _SPREAD
    number = check_number(name, value)
    if number < 0:
        raise DeviceError(f"{name} is {value!r}; a standard deviation must be >= 0.")
    if number > most:
        raise DeviceError(f"{name} is {value!r}; a standard deviation must be <= {most:g} here.")


def check_fraction(name: str, value: object) -> None:
    """Refuse what is no fraction."""
    if not 0 <= check_number(name, value) <= 1:
        raise DeviceError(f"{name} is {value!r}; a fraction must be between 0 and 1.")


def check_positive(name: str, value: object, unit: str, *, zero: bool = False) -> None:
    """Refuse what is not above 0 (or, with *zero*, below 0)."""
    number = check_number(name, value)
    if number < 0 or (number == 0 and not zero):
        raise DeviceError(f"{name} is {value!r}{unit}; allowed is {'>=' if zero else '>'} 0.")


def check_name(name: str, value: object, allowed: Iterable[str]) -> None:
    """Refuse what is none of the names in *allowed*."""
    if value not in (names := list(allowed)):
        raise DeviceError(f"{name}: " + nearest(str(value), names, "kind"))


def only(value: Mapping[str, Any], allowed: Iterable[str], what: str) -> dict[str, Any]:
    """Return *value* as a dictionary; refuse a key that is not *allowed*."""
    names = list(allowed)
    for key in value:
        if key not in names:
            raise DeviceError(nearest(key, names, f"entry of {what}"))
    return dict(value)


def from_table(kind: type[T], value: Any, base: T | None, what: str) -> T:
    """Return a *kind* (a dataclass) with the entries of the table *value*.

    What the table leaves out stays as in *base*; without one, every field that has no default
    must be given. Lists become tuples.

    Raises
    ------
    DeviceError
        If *value* is no table, or a key is unknown or missing.
    """
    known: Any = fields(kind)  # type: ignore[arg-type]
    names = [f.name for f in known]
    if not isinstance(value, Mapping):
        raise DeviceError(f"{what} is {value!r}; allowed is a table of {', '.join(names)}.")
    given = {key: _frozen(entry) for key, entry in only(value, names, what).items()}
    if isinstance(base, kind):
        return replace(base, **given)  # type: ignore[type-var]
    missing = [f.name for f in known if f.default is MISSING and f.name not in given]
    if missing:
        raise DeviceError(f"{what} needs {' and '.join(missing)}; give them in its table.")
    return kind(**given)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def listed(effect: Any) -> dict[str, Any]:
    """Return the entries of a dataclass for the ledger: numbers, and the rest as words."""
    return {
        f.name: value if isinstance(value, int | float | str) else _worded(value)
        for f in fields(effect)
        if (value := getattr(effect, f.name)) is not None
    }


def _worded(value: Any) -> str:
    if is_dataclass(value):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_worded, value))}]"
    return f"{value:g}"
