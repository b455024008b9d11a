"""Find device models and presets by name.

Every module of :mod:`.models` that defines ``DEVICE`` is a model, so a new file is a new device.
The user's own models and presets (:mod:`.user`) join them; a file of theirs that cannot be used is
left out, and :func:`problems` says why.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import DeviceError, nearest
from . import models
from .contract import Device, Preset

__all__ = [
    "builtin_devices",
    "devices",
    "get_device",
    "get_preset",
    "is_builtin",
    "presets",
    "problems",
]


class _Registry(NamedTuple):
    devices: Mapping[str, Device]
    presets: Mapping[str, tuple[Device, Preset]]
    problems: tuple[str, ...]


@cache
def builtin_devices() -> Mapping[str, Device]:
    """Return the device models that come with the package, by name, sorted."""
    found: dict[str, Device] = {}
    for module in pkgutil.iter_modules(models.__path__):
        device = getattr(import_module(f"{models.__name__}.{module.name}"), "DEVICE", None)
        if isinstance(device, Device):
            found[device.name] = device
    return MappingProxyType(dict(sorted(found.items())))


@cache
def _registry() -> _Registry:
    from .user import load_models, load_presets

    found = dict(builtin_devices())
    named = _presets_of(found.values())
    loaded, problems = load_models()
    for device, origin in loaded:
        clash = _clash(device.name, found, "model") or next(
            filter(None, (_clash(name, named, "preset") for name in device.presets)), ""
        )
        if clash:
            problems.append(f"{origin}: {clash}")
            continue
        found[device.name] = device
        named |= _presets_of([device])
    more, wrong = load_presets(found.values())
    problems += wrong
    for (name, device, preset), origin in more:
        clash = _clash(name, named, "preset") or _clash(name, found, "model")
        if clash:
            problems.append(f"{origin}: {clash}")
        else:
            named[name] = (device, preset)
    return _Registry(
        MappingProxyType(dict(sorted(found.items()))),
        MappingProxyType(dict(sorted(named.items()))),
        tuple(problems),
    )


def _presets_of(devices: Iterable[Device]) -> dict[str, tuple[Device, Preset]]:
    return {name: (d, preset) for d in devices for name, preset in d.presets.items()}


def _clash(name: str, taken: Mapping[str, Any], what: str) -> str:
    for other in taken:
        if other.casefold() == name.casefold():
            return f"there is a {what} called '{other}' already; give it another name."
    return ""


def devices() -> Mapping[str, Device]:
    """Return every device model by name, sorted."""
    return _registry().devices


def presets() -> Mapping[str, tuple[Device, Preset]]:
    """Return every preset with its device, by printed name, sorted."""
    return _registry().presets


def problems() -> tuple[str, ...]:
    """Return a sentence for each of the user's files that cannot be used."""
    return _registry().problems


def is_builtin(preset: Preset) -> bool:
    """Return whether *preset* comes with the package, and not from a file of the user's."""
    return any(preset is p for _, p in _presets_of(builtin_devices().values()).values())


def get_device(name: str) -> Device:
    """Return the device model called *name* (upper or lower case).

    Raises
    ------
    DeviceError
        If there is none; the message names the nearest.
    """
    for key, device in devices().items():
        if key.casefold() == name.strip().casefold():
            return device
    raise DeviceError(nearest(name, devices(), "device model") + _left_out())


def get_preset(name: str) -> tuple[Device, Preset]:
    """Return the device and the preset called *name* (upper or lower case).

    Raises
    ------
    DeviceError
        If there is none; the message names the nearest.
    """
    for key, found in presets().items():
        if key.casefold() == name.strip().casefold():
            return found
    raise DeviceError(nearest(name, presets(), "device preset") + _left_out())


def _left_out() -> str:
    return "".join(f" (Left out: {problem})" for problem in problems())
