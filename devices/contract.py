"""What a device model is: parameters in SI units, pure scalar functions, presets, one line.

A model is one file of :mod:`.models`. It defines a ``NamedTuple`` of parameters, every field
``Annotated[float, unit, meaning]`` with a default, the functions of its kind, and ``DEVICE``.

============== =============================================== =======================
kind           functions                                       derived from them
============== =============================================== =======================
pulse response ``current``, ``potentiation``, ``depression``   ``rate``
dynamical      ``current``, ``rate``                           ``potentiation``, ``depression``
============== =============================================== =======================

The state ``x`` is a number in [0, 1] in the cell's own window: 0 is the high-resistance end, 1
the low-resistance end. The model functions are restricted Python (assignments, arithmetic,
comparisons, conditional expressions, ``math`` and :mod:`.functions`), because the same text is
compiled by Numba (:mod:`.dispatch`) and rendered as a SPICE subcircuit. Literals are
written as floats (``1.0``, not ``1``), since an integer would lift single precision to double.

Every parameter tuple ends with the nominal SET and RESET pulse: ``v_set``, ``t_set``,
``v_reset``, ``t_reset``, so that the pulse travels with the parameters it was measured with.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_type_hints

from ..errors import DeviceError
from .effects import Effects

__all__ = [
    "WRITE_THRESHOLD",
    "Device",
    "Field",
    "Preset",
    "Pulse",
    "conductance",
    "current",
    "depression",
    "device_of",
    "nominal_step",
    "potentiation",
    "rate",
]

WRITE_THRESHOLD = 0.75
"""Write threshold of a pulse-response model, as a fraction of the nominal amplitude.

Our choice: halfway between half selection (V/2, which must not disturb) and the nominal pulse.
"""


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
    window : (str, str)
        Fields that hold the conductance window, low end first.
    steps : (str, str)
        Fields that set the size of a potentiation and of a depression step.
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
    window: tuple[str, str] = ("g_min", "g_max")
    steps: tuple[str, str] = ("dg_up", "dg_down")
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


def current(p: Any, v: float, x: float) -> float:
    """Return the terminal current [A] at voltage *v* [V] and state *x*."""
    return device_of(type(p)).current(p, v, x)


def conductance(p: Any, v: float, x: float) -> float:
    """Return the chord conductance current / v [S] at read voltage *v* [V], not zero."""
    return current(p, v, x) / v


def rate(p: Any, v: float, x: float) -> float:
    """Return dx/dt [1/s] at voltage *v* [V] and state *x*.

    For a pulse-response model: the step of the nominal pulse divided by its width, from
    ``WRITE_THRESHOLD`` times its amplitude on, whatever the amplitude.
    """
    return rate_of(device_of(type(p)))(p, v, x)


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state (>= 0) by one nominal SET pulse, from state *x*."""
    return potentiation_of(device_of(type(p)))(p, x)


def depression(p: Any, x: float) -> float:
    """Return the decrease of state (>= 0) by one nominal RESET pulse, from state *x*."""
    return depression_of(device_of(type(p)))(p, x)


def nominal_step(p: Any) -> float:
    """Return the mean of the SET and the RESET step, as a fraction of the window.

    Taken at ``g_ref``, or at mid-window where the model has none. Write noise and additive
    cycle-to-cycle noise are counted in this unit.
    """
    x = (p.g_ref - p.g_min) / (p.g_max - p.g_min) if hasattr(p, "g_ref") else 0.5
    return 0.5 * (potentiation(p, x) + depression(p, x))


def rate_of(device: Device) -> Callable[[Any, float, float], float]:
    """Return the function that gives dx/dt for *device*."""
    return device.rate or _rate_of_pulses


def potentiation_of(device: Device) -> Callable[[Any, float], float]:
    """Return the function that gives the SET step for *device*."""
    return device.potentiation or _integrated_set


def depression_of(device: Device) -> Callable[[Any, float], float]:
    """Return the function that gives the RESET step for *device*."""
    return device.depression or _integrated_reset


# The functions below are compiled as they stand; the generics they call are overloaded.


def _rate_of_pulses(p: Any, v: float, x: float) -> float:
    up = potentiation(p, x) / p.t_set if v / p.v_set >= WRITE_THRESHOLD else 0.0
    down = depression(p, x) / p.t_reset if v / p.v_reset >= WRITE_THRESHOLD else 0.0
    return up - down


def change_after(p: Any, v: float, t: float, x: float) -> float:
    """Return the change of state by a constant voltage *v* [V] for *t* [s], from state *x*.

    Eight Runge-Kutta steps. The change is summed on its own, since in single precision the
    difference of two states would lose half the digits of a small step.
    """
    h = t / 8.0
    dx = 0.0 * x
    for _ in range(8):
        k1 = rate(p, v, x + dx)
        k2 = rate(p, v, x + dx + 0.5 * h * k1)
        k3 = rate(p, v, x + dx + 0.5 * h * k2)
        k4 = rate(p, v, x + dx + h * k3)
        dx = min(max(dx + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0, -x), 1.0 - x)
    return dx


def _integrated_set(p: Any, x: float) -> float:
    return max(change_after(p, p.v_set, p.t_set, x), 0.0)


def _integrated_reset(p: Any, x: float) -> float:
    return max(-change_after(p, p.v_reset, p.t_reset, x), 0.0)
