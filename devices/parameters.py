"""Make and check the parameters of a device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import DeviceError, nearest
from .contract import Device, Preset

__all__ = ["check_params", "make_params", "with_window"]

_POSITIVE = frozenset({"S", "S/pulse", "s", "pulses"})


def make_params(device: Device, overrides: Mapping[str, float], base: Any = None) -> Any:
    """Return parameters of *device*: *base* with *overrides*, checked.

    Parameters
    ----------
    device : Device
        The model.
    overrides : mapping of str to float
        Parameter, or derived name such as ``nl_up`` or ``r_on``, to value in its SI unit.
    base : parameter tuple or Preset, optional
        What the overrides apply to; the model's defaults if left out.

    Raises
    ------
    DeviceError
        If a name is unknown, one parameter is given twice, or a value is not allowed.
    """
    if isinstance(base, Preset):
        base = base.params
    p = device.params() if base is None else base
    given: dict[str, float] = {}
    for name, value in overrides.items():
        field, number = _resolve(device, name, value)
        if field in given:
            raise DeviceError(f"{device.name}: '{name}' gives '{field}' a second time; drop one.")
        given[field] = number
    p = p._replace(**given)
    check_params(device, p)
    return p


def _resolve(device: Device, name: str, value: Any) -> tuple[str, float]:
    allowed = [*device.params._fields, *device.derive]
    if name not in allowed:
        raise DeviceError(f"{device.name}: " + nearest(name, allowed, "parameter"))
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not math.isfinite(value):
        raise DeviceError(f"{device.name}: {name} is {value!r}; allowed is a finite number.")
    if name not in device.derive:
        return name, float(value)
    field, function = device.derive[name]
    try:
        return field, function(float(value))
    except (ValueError, ZeroDivisionError) as error:
        raise DeviceError(f"{device.name}: {name} is {value!r}; {error}.") from error


def check_params(device: Device, p: Any) -> None:
    """Check that the parameters *p* describe a possible cell of *device*.

    Raises
    ------
    DeviceError
        If a number is not finite, a conductance, step or width is not positive, the window is
        empty, or the model objects.
    """
    for field in device.fields().values():
        value = getattr(p, field.name)
        if not math.isfinite(value):
            raise DeviceError(f"{device.name}: {field.name} is {value}; allowed is finite.")
        if field.unit in _POSITIVE and value <= 0:
            raise DeviceError(
                f"{device.name}: {field.name} is {value:g} {field.unit}; allowed is > 0."
            )
    names = device.window
    low, high = (getattr(p, name) for name in names)
    if not low < high:
        raise DeviceError(
            f"{device.name}: {names[0]} is {low:g} S and {names[1]} is {high:g} S; "
            f"allowed is {names[0]} < {names[1]}."
        )
    reference = getattr(p, "g_ref", None)
    if reference is not None and not low < reference < high:
        raise DeviceError(
            f"{device.name}: g_ref is {reference:g} S; allowed is between {low:g} and {high:g} S, "
            "ends excluded."
        )
    if p.v_set * p.v_reset >= 0:
        raise DeviceError(
            f"{device.name}: v_set is {p.v_set:g} V and v_reset is {p.v_reset:g} V; "
            "allowed are opposite signs."
        )
    if objection := device.objection(p):
        raise DeviceError(f"{device.name}: {objection}")


def with_window(device: Device, p: Any, g_low: float, g_high: float) -> Any:
    """Return *p* moved to the conductance window from *g_low* to *g_high* [S].

    Conductances map affinely and steps in siemens scale, so that the same pulses move the state
    by the same amounts as before.

    Raises
    ------
    DeviceError
        If the window is empty or not positive.
    """
    low, high = (getattr(p, name) for name in device.window)
    scale = (g_high - g_low) / (high - low)
    moved = {}
    for field in device.fields().values():
        value = getattr(p, field.name)
        if field.unit == "S":
            moved[field.name] = g_low + scale * (value - low)
        elif field.unit == "S/pulse":
            moved[field.name] = scale * value
    # The ends themselves take the numbers asked for, free of rounding.
    moved |= dict(zip(device.window, (float(g_low), float(g_high)), strict=True))
    p = p._replace(**moved)
    check_params(device, p)
    return p
