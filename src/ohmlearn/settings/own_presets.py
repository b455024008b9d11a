"""Presets of the user's own in an experiment: replaced by their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..devices import Device, Preset, get_device, make_params, merge, presets
from ..devices.preset_files import effects_as_table, read_preset
from ..devices.registry import is_builtin
from .device import EFFECTS

__all__ = ["own_preset_spelled_out"]


def own_preset_spelled_out(document: dict[str, Any], folder: Path) -> None:
    """Replace in *document* a preset of the user's own by its model, parameters and effects.

    A preset of the package is a name for good. A file of the user's may change tomorrow, so its
    content belongs into the experiment, which a record keeps and a digest hears of. Anything
    wrong in the section is left for validation to explain.

    Parameters
    ----------
    document
        An experiment; ``device.preset`` may be the path of a ``.toml`` file, counted from
        *folder*, or the name of a preset in the user's folder.

    Raises
    ------
    DeviceError
        The file cannot be read, or what the section changes does not fit the preset.
    """
    section = document.get("device")
    if not isinstance(section, dict) or section.get("model") is not None:
        return
    found = _own_preset(section.get("preset"), folder)
    changes = section.get("parameters", {})
    if found is None or not isinstance(changes, Mapping):
        return
    device, preset = found
    given = {name: section[name] for name in EFFECTS if section.get(name) is not None}
    effects = merge(preset.effects, {n: False if v == 0 else v for n, v in given.items()})
    rest = {k: v for k, v in section.items() if k not in (*EFFECTS, "preset", "parameters")}
    document["device"] = {
        **rest,
        "model": device.name,
        "parameters": dict(make_params(device, changes, preset)._asdict()),
        **effects_as_table(effects),
    }


def _own_preset(name: Any, folder: Path) -> tuple[Device, Preset] | None:
    if not isinstance(name, str):
        return None
    if name.strip().lower().endswith(".toml"):
        return read_preset(folder / Path(name.strip()).expanduser(), get_device)[1:]
    known = {key.casefold(): found for key, found in presets().items()}
    found = known.get(name.strip().casefold())
    return None if found is None or is_builtin(found[1]) else found
