"""The cell that an experiment asks for: model, parameters, effects and transistor, checked."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..devices import (
    Device,
    Effects,
    get_device,
    get_preset,
    make_params,
    merge,
    window_of,
    with_window,
)
from ..devices.cell.access import Nmos, make_access
from ..devices.cell.read import make_channel
from ..errors import DeviceError
from .device import DeviceSection
from .periphery import AccessSection
from .sections import CrossbarSection

__all__ = ["Cell", "choose_access", "choose_cell"]


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
        A name is unknown, a parameter or effect is out of range, or the encoding does not fit.
    """
    if section.preset is not None:
        device, preset = get_preset(section.preset)
        params, effects = preset.params, preset.effects
    else:
        device = get_device(section.model or "")
        params, effects = device.params(), Effects()
    if device.one_sided and crossbar.encoding != "pair":
        raise DeviceError(
            f"a RESET pulse erases a cell of model '{device.name}', which needs "
            f"crossbar.encoding = 'pair'; it is '{crossbar.encoding}'."
        )
    params = make_params(device, section.parameters, params)
    if crossbar.g_min is not None or crossbar.g_max is not None:
        low, high = window_of(device, params)
        low = low if crossbar.g_min is None else crossbar.g_min
        high = high if crossbar.g_max is None else crossbar.g_max
        if not low < high:
            raise DeviceError(
                f"its window would reach from {low:g} S to {high:g} S; crossbar.g_min and g_max "
                "(the cell's own ends where left out) must be in this order."
            )
        params = with_window(device, params, low, high)
    return Cell(device, params, merge(effects, _asked(device, section)))


def choose_access(section: AccessSection | None) -> Nmos | None:
    """Return the transistor of ``[access]``, or ``None`` where cells have none.

    Raises
    ------
    DeviceError
        A parameter is out of range, or the gate does not turn the transistor on.
    """
    if section is None:
        return None
    access = make_access(section.parameters())
    make_channel(access, section.v_gate)
    return access


def _asked(device: Device, section: DeviceSection) -> dict[str, Any]:
    """Return the effects that the experiment sets; one number spreads what the model has."""
    asked = section.effects()
    spread = asked.get("device_to_device")
    if device.window is None and isinstance(spread, float | int) and not isinstance(spread, bool):
        asked["device_to_device"] = {"step": spread}
    return asked
