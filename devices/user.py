"""Devices of the user's own: a folder, and packages that offer an entry point.

The folder is ``OHMLEARN_DEVICES``, else ``ohmlearn/devices`` in the user's configuration folder.
Each ``*.py`` in it is a model file like those of :mod:`.models`, each ``*.toml`` a preset. An
installed package offers more through the entry-point group ``ohmlearn.devices``: an entry point
names a ``Device``, or a module that defines ``DEVICE``.

A broken file breaks nothing else: what is wrong with it is told by :func:`problems`.

A model file becomes the module ``ohmlearn.devices.user.NAME``, which imports again in another
process because importing this module brings all of them along; compiled kernels on the disk refer
to the parameter type by that name. It is compiled from its text at every start, not taken from
Python's own cache, which does not notice a change within one second that keeps the length.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DeviceError
from ..user_folder import ENTRY_POINTS, user_folder
from .contract import Device
from .preset_files import NamedPreset, read_preset

__all__ = ["Found", "load_models", "load_presets"]


class Found(NamedTuple):
    """A user's device or preset, and the file or package it comes from."""

    item: Any
    origin: str


class _TextLoader(SourceFileLoader):
    """Compiles the file as it is, without Python's cache."""

    def path_stats(self, path: Any) -> Any:
        raise OSError(f"{path} is not cached")


def load_models() -> tuple[list[Found], list[str]]:
    """Return the user's models, and a sentence for each file that cannot be used."""
    found: list[Found] = []
    problems: list[str] = []
    for origin, load in _sources():
        try:
            found.append(Found(_device(load()), origin))
        except (Exception, SystemExit) as error:  # a user's file may raise anything
            problems.append(f"{origin}: {_reason(error)}")
    return found, problems


def load_presets(known: Iterable[Device]) -> tuple[list[Found], list[str]]:
    """Return the presets of the user's folder, as for :func:`load_models`."""
    models = {device.name.casefold(): device for device in known}

    def find(name: str) -> Device:
        if name.strip().casefold() in models:
            return models[name.strip().casefold()]
        names = ", ".join(sorted(device.name for device in models.values()))
        raise DeviceError(f"there is no device model '{name}'. Allowed: {names}.")

    found: list[Found] = []
    problems: list[str] = []
    for path in _files("*.toml"):
        try:
            preset: NamedPreset = read_preset(path, find)
            found.append(Found(preset, str(path)))
        except DeviceError as error:
            problems.append(str(error))
    return found, problems


def _files(pattern: str) -> list[Path]:
    try:
        return sorted(p for p in user_folder().glob(pattern) if not p.name.startswith(("_", ".")))
    except OSError:
        return []


def _sources() -> Iterable[tuple[str, Any]]:
    for path in _files("*.py"):
        yield str(path), lambda path=path: _module(path)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        yield _origin(point), point.load


def _origin(point: EntryPoint) -> str:
    package = f" of package {point.dist.name}" if point.dist else ""
    return f"entry point {point.name} = {point.value}{package}"


@cache
def _module(path: Path) -> Any:
    """Import a model file."""
    if not path.stem.isidentifier():
        raise DeviceError(
            f"'{path.stem}' is no name for a module; allowed are letters, digits and '_'."
        )
    name = f"{__name__}.{path.stem}"
    spec = spec_from_file_location(name, path, loader=_TextLoader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _device(found: Any) -> Device:
    device = found if isinstance(found, Device) else getattr(found, "DEVICE", None)
    if not isinstance(device, Device):
        raise DeviceError("it does not define DEVICE = Device(...).")
    device.fields()  # raises where a parameter has no unit or meaning
    home = sys.modules.get(device.params.__module__)
    if getattr(home, "DEVICE", None) is not device:
        raise DeviceError(
            f"{device.params.__name__} must be defined in the module that defines DEVICE."
        )
    return device


def _reason(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}."
    text = str(error).strip().splitlines()
    first = text[0] if text else ""
    if isinstance(error, DeviceError):
        return first
    return f"{type(error).__name__}: {first.rstrip('.')}."


for _path in _files("*.py"):
    with suppress(Exception, SystemExit):  # load_models tells
        _module(_path)
