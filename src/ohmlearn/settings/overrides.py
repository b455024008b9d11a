"""``section.key=value`` strings that change an experiment from the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from ..errors import ConfigError

__all__ = ["apply_overrides"]

# Exactly one of the two names a cell, so naming it one way replaces the other.
_EITHER_OR = {"device.preset": "model", "device.model": "preset"}


def apply_overrides(document: dict[str, Any], overrides: Sequence[str]) -> dict[str, str]:
    """Write the overrides into *document*; unknown keys are left to its validation.

    Returns
    -------
    dict
        For each dotted key that was set, the option that set it, for use in error messages.

    Raises
    ------
    ConfigError
        An override is not of the form ``section.key=value``, or leads through a plain value.
    """
    origin = {}
    for override in overrides:
        key, equals, value = override.partition("=")
        key = key.strip()
        if not equals or not all(key.split(".")):
            raise ConfigError(
                f"--set {override}: write it as section.key=value, such as learning.beta=0.3."
            )
        _set(document, key, _parse(value.strip(), key))
        origin[key] = "--set"
    return origin


def _set(document: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    table = document
    for depth, part in enumerate(path, start=1):
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            where = ".".join(path[:depth])
            raise ConfigError(f"--set {key}: {where} is {table!r}, not a table with keys.")
    table[last] = value
    if key in _EITHER_OR:
        table.pop(_EITHER_OR[key], None)


def _parse(value: str, key: str) -> Any:
    """Read *value* as TOML, or take it as it is where it is a bare word or a path."""
    try:
        parsed = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError as error:
        if value and not set(value) & set("[]{}\"'=,#\n"):
            return value
        raise ConfigError(f"--set {key}={value}: the value is not valid TOML: {error}.") from error
    if parsed.keys() != {"value"}:
        raise ConfigError(f"--set {key}: one value is allowed, not several lines.")
    return parsed["value"]
