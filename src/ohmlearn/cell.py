"""The cell that an experiment asks for: model, parameters and effects, checked together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .devices import (
    Device,
    Effects,
    Preset,
    effects_as_table,
    get_device,
    get_preset,
    make_params,
    merge,
    presets,
    read_preset,
    with_window,
)
from .devices.registry import is_builtin
from .errors import DeviceError
from .settings import EFFECTS, CrossbarSection, DeviceSection

__all__ = ["Cell", "choose_cell", "own_preset_spelled_out"]


class Cell(NamedTuple):
    """A device model, its nominal parameters (SI units), and what makes real cells differ."""

    device: Device
    params: Any
    effects: Effects


def choose_cell(section: DeviceSection, crossbar: CrossbarSection) -> Cell:
    """Return the cell described by ``[device]``, in the conductance window of ``[crossbar]``.

    The parameters of the preset (or the model's defaults) come first, then ``parameters``, then
    the move to ``g_min`` and ``g_max``, where these are given.

    Raises
    ------
    DeviceError
        A name is unknown, or a parameter or effect is out of range.
    """
    if section.preset is not None:
        device, preset = get_preset(section.preset)
        params, effects = preset.params, preset.effects
    else:
        device = get_device(section.model or "")
        params, effects = device.params(), Effects()
    params = make_params(device, section.parameters, params)
    if crossbar.g_min is not None or crossbar.g_max is not None:
        low, high = (getattr(params, name) for name in device.window)
        low = low if crossbar.g_min is None else crossbar.g_min
        high = high if crossbar.g_max is None else crossbar.g_max
        if not low < high:
            raise DeviceError(
                f"its window would reach from {low:g} S to {high:g} S; crossbar.g_min and g_max "
                "(the cell's own ends where left out) must be in this order."
            )
        params = with_window(device, params, low, high)
    return Cell(device, params, merge(effects, section.effects()))


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
