"""The settings of a finished run, with the numbers that its preset and its model stand for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, NamedTuple

from ..devices import window_of
from ..errors import OhmlearnError
from ..experiment import parse_experiment
from ..record import Record
from ..settings.cell import Cell, choose_cell
from ..settings.device import EFFECTS

__all__ = ["Settings", "flat", "settings_of"]


class Settings(NamedTuple):
    """Dotted keys of a run: as its experiment gives them, and of its cells (SI units)."""

    given: dict[str, Any]
    """All keys but those of *cells*."""
    cells: dict[str, Any]
    """Effects, window and parameters of the nominal cell; empty where no cell was simulated."""


def settings_of(record: Record) -> Settings:
    """Return the settings of *record*."""
    given = flat(tomllib.loads(record.experiment))
    try:
        cell = _cell(record)
    except OhmlearnError:  # of a version whose experiments today's does not read
        return Settings(given, {})
    rest = {key: value for key, value in given.items() if not _is_of_cells(key)}
    if cell is None:
        return Settings(rest, {})
    low, high = window_of(cell.device, cell.params)
    cells = {"device.model": cell.device.name, "crossbar.g_min": low, "crossbar.g_max": high}
    cells |= flat({name: _plain(getattr(cell.effects, name)) for name in EFFECTS}, "device.")
    ends = cell.device.window or ()  # they are in crossbar.g_min and g_max already
    parameters = {name: v for name, v in cell.params._asdict().items() if name not in ends}
    cells |= flat(parameters, "device.parameters.")
    return Settings(rest, cells)


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the entries of nested tables by their dotted keys; None is left out."""
    entries = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            entries |= flat(value, f"{prefix}{key}.")
        elif value is not None:
            entries[prefix + key] = value
    return entries


def _is_of_cells(key: str) -> bool:
    """Return whether a key is an effect, a parameter of the model, or an end of the window."""
    return key in ("device.model", "crossbar.g_min", "crossbar.g_max") or any(
        key == (start := f"device.{name}") or key.startswith(f"{start}.")
        for name in (*EFFECTS, "parameters")
    )


def _plain(effect: Any) -> Any:
    return asdict(effect) if is_dataclass(effect) and not isinstance(effect, type) else effect


def _cell(record: Record) -> Cell | None:
    """Return the nominal cell; None where none was simulated."""
    experiment = parse_experiment(record.experiment, str(record.folder))
    if experiment.run.level == "ideal" or experiment.device is None:
        return None
    return choose_cell(experiment.device, experiment.crossbar)
