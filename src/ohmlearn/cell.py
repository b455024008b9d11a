"""The cell that an experiment asks for: model, parameters and effects, checked together."""

from __future__ import annotations

from typing import Any, NamedTuple

from .devices import (
    Device,
    Effects,
    get_device,
    get_preset,
    make_params,
    merge,
    with_window,
)
from .errors import DeviceError
from .settings import CrossbarSection, DeviceSection

__all__ = ["Cell", "choose_cell"]


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
