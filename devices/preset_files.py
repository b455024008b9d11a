"""Presets as TOML files: written by a fit or by hand, read by name or by path.

::

    name = "my-cell"               # left out: the name of the file
    model = "SoftBounds"
    source = "fitted to pulses.csv"
    note = ""

    [parameters]                   # SI units; those left out keep the model's default
    g_min = 5e-6

    [effects]                      # as in section [device] of an experiment
    read_noise = 0.01

    [fit]                          # anything; for the reader only
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DeviceError, nearest
from .contract import Device, Preset
from .effects import Effects, merge
from .effects.retention import kind_of
from .parameters import make_params

__all__ = ["NamedPreset", "effects_as_table", "preset_as_table", "read_preset"]

_KEYS = ("name", "model", "source", "note", "parameters", "effects", "fit")


class NamedPreset(NamedTuple):
    """A preset with its name and its model."""

    name: str
    device: Device
    preset: Preset


def read_preset(path: str | Path, find_device: Callable[[str], Device]) -> NamedPreset:
    """Read a preset file; *find_device* returns a model by name.

    Raises
    ------
    DeviceError
        The file cannot be read, or a key, model, parameter or effect is not allowed.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise DeviceError(f"{path}: there is no such preset file.") from error
    except OSError as error:
        raise DeviceError(f"{path}: cannot read it: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DeviceError(f"{path}: not UTF-8 text (byte {error.start}).") from error
    except tomllib.TOMLDecodeError as error:
        raise DeviceError(f"{path}: not valid TOML: {error}.") from error
    try:
        return _preset(document, path.stem, find_device)
    except DeviceError as error:
        raise DeviceError(f"{path}: {error}") from error


def _preset(
    document: Mapping[str, Any], stem: str, find_device: Callable[[str], Device]
) -> NamedPreset:
    for key in document:
        if key not in _KEYS:
            raise DeviceError(nearest(key, _KEYS, "key of a preset"))
    for key in ("name", "model", "source", "note"):
        if not isinstance(document.get(key, ""), str):
            raise DeviceError(f"{key} is {document[key]!r}; it must be text.")
    for key in ("parameters", "effects"):
        if not isinstance(document.get(key, {}), Mapping):
            raise DeviceError(f"{key} is {document[key]!r}; it must be a section [{key}].")
    if not document.get("model"):
        raise DeviceError("model is missing; it must be the name of a device model.")
    device = find_device(document["model"])
    params = make_params(device, document.get("parameters", {}))
    preset = Preset(
        params,
        merge(Effects(), document.get("effects", {})),
        document.get("source", "no source given"),
        document.get("note", ""),
    )
    return NamedPreset(document.get("name") or stem, device, preset)


def preset_as_table(name: str, device: Device, preset: Preset) -> dict[str, Any]:
    """Return what the file of *preset* holds; reading it back gives an equal preset."""
    return {
        "name": name,
        "model": device.name,
        "source": preset.source,
        "note": preset.note,
        "parameters": dict(preset.params._asdict()),
        "effects": effects_as_table(preset.effects),
    }


def effects_as_table(effects: Effects) -> dict[str, Any]:
    """Return the effects that are on (or that differ from the default) as plain tables."""
    plain, table = Effects(), {}
    for field in fields(Effects):
        value = getattr(effects, field.name)
        if value == getattr(plain, field.name):
            continue
        if is_dataclass(value) and not isinstance(value, type):
            entries = asdict(value)
            kind = {"kind": kind_of(value)} if field.name == "retention" else {}
            table[field.name] = kind | {k: v for k, v in entries.items() if v is not None}
        else:
            table[field.name] = dict(value) if isinstance(value, Mapping) else value
    return table
