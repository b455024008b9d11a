"""The section of an experiment file that describes the memristor cell and its effects.

As in :mod:`.sections`, a field's description is the end of the sentence "it must be ...".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from .sections import Section

__all__ = ["EFFECTS", "DeviceSection"]

#: The device effects, each with its own switch, in the order of the experiment file.
EFFECTS = (
    "device_to_device",
    "cycle_to_cycle",
    "write_noise",
    "read_noise",
    "stuck",
    "levels",
    "window",
    "endurance",
    "read_disturb",
    "retention",
    "random_telegraph",
    "flicker_noise",
)


def _effect(value: Any) -> Any:
    """Refuse what no effect can mean; which keys a table may hold is the device room's law."""
    if isinstance(value, Mapping):
        for entry in value.values():
            if not isinstance(entry, str):
                _effect(entry)
    elif isinstance(value, (int, float)):
        if not math.isfinite(value) or value < 0:
            raise ValueError("spread out of range")
    elif value is not None:
        raise ValueError("neither a number nor a table")
    return value


# One validator instead of a union of types: a wrong value gives one error, not four.
Effect = Annotated[
    Any,
    AfterValidator(_effect),
    Field(description="true, false, a finite number of at least 0, or a table of such numbers"),
]


def _law(value: Any) -> Any:
    """Refuse what no law of wear or time can mean; the rest is the device room's law."""
    if isinstance(value, (Mapping, list)):
        for entry in value.values() if isinstance(value, Mapping) else value:
            _law(entry)
    elif isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise ValueError("not finite")
    elif value is not None and not isinstance(value, str):
        raise ValueError("neither a number, a name nor a table")
    return value


Law = Annotated[
    Any,
    AfterValidator(_law),
    Field(description="true, false, a finite number, the name of a published set, or a table"),
]


class DeviceSection(Section):
    """``[device]``: the cell. An effect left out keeps the preset's value; 0 or false is off."""

    preset: Annotated[str | None, Field(description="the name of a preset")] = None
    model: Annotated[str | None, Field(description="the name of a device model")] = None
    parameters: Annotated[
        dict[str, float], Field(description="a table of finite numbers in SI units")
    ] = Field(default_factory=dict)
    device_to_device: Effect = None
    cycle_to_cycle: Effect = None
    write_noise: Effect = None
    read_noise: Effect = None
    stuck: Effect = None
    levels: Effect = None
    window: Effect = None
    endurance: Law = None
    read_disturb: Law = None
    retention: Law = None
    random_telegraph: Law = None
    flicker_noise: Law = None

    def effects(self) -> dict[str, Any]:
        """Return the effects that the experiment sets itself, by name; off is False."""
        given = {name: getattr(self, name) for name in EFFECTS}
        return {n: False if v == 0 else v for n, v in given.items() if v is not None}
