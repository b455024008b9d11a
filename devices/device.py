"""The description of a device model: what its file declares, and how to find it again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_type_hints

from ..errors import DeviceError
from .effects import Effects

__all__ = ["Device", "Field", "Preset", "Pulse", "device_of"]


class Pulse(NamedTuple):
    """A rectangular programming pulse: amplitude [V] (signed) and width [s]."""

    amplitude: float
    width: float


class Field(NamedTuple):
    """What is known of one parameter: name, unit, meaning and default (in that unit)."""

    name: str
    unit: str
    meaning: str
    default: float


@dataclass(frozen=True)
class Preset:
    """A published (or plainly labelled own) parameter set of a model.

    Attributes
    ----------
    params : NamedTuple
        Parameters of the model, SI units.
    effects : Effects
        Non-idealities reported with them.
    source : str
        Citation, or the words "our choice".
    note : str
        What was converted, chosen or left out.
    """

    params: Any
    effects: Effects
    source: str
    note: str = ""

    @property
    def set_pulse(self) -> Pulse:
        """Nominal SET (potentiation) pulse."""
        return Pulse(self.params.v_set, self.params.t_set)

    @property
    def reset_pulse(self) -> Pulse:
        """Nominal RESET (depression) pulse."""
        return Pulse(self.params.v_reset, self.params.t_reset)


def _no_objection(p: Any) -> str:
    return ""


@dataclass(frozen=True)
class Device:
    """A memristor model: parameter type and pure scalar functions.

    Attributes
    ----------
    name : str
        Name used in experiments and tables.
    params : type
        NamedTuple class of the parameters, defined in the module that defines the device.
    current : callable
        ``current(p, v, x) -> A``.
    rate : callable, optional
        ``rate(p, v, x) -> 1/s``, dx/dt of a dynamical model.
    potentiation, depression : callable, optional
        ``f(p, x) -> dx >= 0``, change of state (magnitude) by one nominal SET or RESET pulse.
    presets : mapping of str to Preset
        Parameter sets by printed name.
    reference : str
        Author, title, year, doi.
    window : (str, str) or None
        Fields that hold the conductance window, low end first; None where the window follows
        from other parameters, and then nothing can move it.
    bounds : (str, str) or None
        Fields that must keep their order in every cell, smaller one first; the window if left
        out.
    steps : tuple of str
        Fields that set the size of a potentiation and of a depression step, or the one field
        that sets both.
    one_sided : bool
        True if one RESET pulse erases the cell, so that only SET pulses make small steps.
    step_power : int
        1 where a step is proportional to these fields, -1 where it is to their inverse.
    derive : mapping of str to (field, function)
        Alternative parameter names: ``field = function(value)``.
    objection : callable
        ``objection(p) -> str``, a sentence if the parameters contradict each other, else "".
    """

    name: str
    params: type
    current: Callable[[Any, float, float], float]
    rate: Callable[[Any, float, float], float] | None = None
    potentiation: Callable[[Any, float], float] | None = None
    depression: Callable[[Any, float], float] | None = None
    presets: Mapping[str, Preset] = field(default_factory=dict)
    reference: str = ""
    window: tuple[str, str] | None = ("g_min", "g_max")
    bounds: tuple[str, str] | None = None
    steps: tuple[str, ...] = ("dg_up", "dg_down")
    one_sided: bool = False
    step_power: int = 1
    derive: Mapping[str, tuple[str, Callable[[float], float]]] = field(default_factory=dict)
    objection: Callable[[Any], str] = _no_objection

    def __post_init__(self) -> None:
        pulsed = self.potentiation is not None and self.depression is not None
        if (self.rate is not None) == pulsed:
            raise DeviceError(
                f"device '{self.name}': give either rate, or potentiation and depression."
            )

    @property
    def dynamical(self) -> bool:
        """True if the model is an equation for dx/dt, False if it is a pulse response."""
        return self.rate is not None

    @property
    def set_pulse(self) -> Pulse:
        """Nominal SET pulse of the default parameters."""
        return Pulse(self.params().v_set, self.params().t_set)

    @property
    def reset_pulse(self) -> Pulse:
        """Nominal RESET pulse of the default parameters."""
        return Pulse(self.params().v_reset, self.params().t_reset)

    def fields(self) -> dict[str, Field]:
        """Return name, unit, meaning and default of every parameter, in order."""
        hints = get_type_hints(self.params, include_extras=True)
        defaults = self.params()._asdict()
        return {n: Field(n, *hints[n].__metadata__, default=defaults[n]) for n in defaults}


def device_of(params_type: type) -> Device:
    """Return the device whose parameters are of *params_type*.

    The device is looked up in the module that defines the type, so a model file outside this
    room works as well.

    Raises
    ------
    DeviceError
        If that module defines no such device.
    """
    device = getattr(sys.modules.get(params_type.__module__), "DEVICE", None)
    if not isinstance(device, Device) or device.params is not params_type:
        raise DeviceError(
            f"'{params_type.__module__}' must define DEVICE = Device(..., "
            f"params={params_type.__name__}, ...) next to its parameters."
        )
    return device
