"""Find device models and presets by name.

Every module of :mod:`.models` that defines ``DEVICE`` is a model, so a new file is a new device.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from ..errors import DeviceError, nearest
from . import models
from .contract import Device, Preset

__all__ = ["devices", "get_device", "get_preset", "presets"]


@cache
def devices() -> Mapping[str, Device]:
    """Return every device model by name, sorted."""
    found: dict[str, Device] = {}
    for module in pkgutil.iter_modules(models.__path__):
        device = getattr(import_module(f"{models.__name__}.{module.name}"), "DEVICE", None)
        if isinstance(device, Device):
            found[device.name] = device
    return MappingProxyType(dict(sorted(found.items())))


@cache
def presets() -> Mapping[str, tuple[Device, Preset]]:
    """Return every preset with its device, by printed name, sorted."""
    found = {name: (d, preset) for d in devices().values() for name, preset in d.presets.items()}
    return MappingProxyType(dict(sorted(found.items())))


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
    raise DeviceError(nearest(name, devices(), "device model"))


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
    raise DeviceError(nearest(name, presets(), "device preset"))
