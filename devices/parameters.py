"""Make and check the parameters of a device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import DeviceError, nearest
from .contract import Device, Preset, conductance

__all__ = ["check_params", "make_params", "window_of", "with_window"]

_POSITIVE = frozenset({"S", "S/pulse", "s", "pulses", "A", "m", "m/s", "K", "J/K"})

READ_VOLTAGE = 0.2
"""Voltage [V] at which the window of a model is meant that has no fields for it (our choice)."""


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
    _check_bounds(device, p)
    reference = getattr(p, "g_ref", None)
    if reference is not None and not p.g_min < reference < p.g_max:
        raise DeviceError(
            f"{device.name}: g_ref is {reference:g} S; allowed is between {p.g_min:g} and "
            f"{p.g_max:g} S, ends excluded."
        )
    if p.v_set * p.v_reset >= 0:
        raise DeviceError(
            f"{device.name}: v_set is {p.v_set:g} V and v_reset is {p.v_reset:g} V; "
            "allowed are opposite signs."
        )
    if objection := device.objection(p):
        raise DeviceError(f"{device.name}: {objection}")


def _check_bounds(device: Device, p: Any) -> None:
    """Check that the fields which hold the window, or what it follows from, are in order."""
    names = device.bounds or device.window
    if names is None:
        return
    units = [device.fields()[name].unit for name in names]
    low, high = (getattr(p, name) for name in names)
    if not low < high:
        raise DeviceError(
            f"{device.name}: {names[0]} is {low:g} {units[0]} and {names[1]} is {high:g} "
            f"{units[1]}; allowed is {names[0]} < {names[1]}."
        )


def window_of(device: Device, p: Any, v_read: float = READ_VOLTAGE) -> tuple[float, float]:
    """Return the conductance window of *p* [S], low end first.

    The fields that hold it; for a model without such fields the conductances of the two end
    states at *v_read* [V].
    """
    if device.window is None:
        return conductance(p, v_read, 0.0), conductance(p, v_read, 1.0)
    low, high = (getattr(p, name) for name in device.window)
    return low, high


def with_window(device: Device, p: Any, g_low: float, g_high: float) -> Any:
    """Return *p* moved to the conductance window from *g_low* to *g_high* [S].

    Conductances map affinely and steps in siemens scale, so that the same pulses move the state
    by the same amounts as before.

    Raises
    ------
    DeviceError
        If the window is empty or not positive, or follows from other parameters of the model.
    """
    if device.window is None:
        low, high = window_of(device, p)
        raise DeviceError(
            f"{device.name}: its window, {low:g} to {high:g} S at {READ_VOLTAGE:g} V, follows "
            "from its other parameters and cannot be moved; set those instead. Allowed are: "
            f"{', '.join([*device.params._fields, *device.derive])}."
        )
    low, high = window_of(device, p)
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
