"""Cubic step: the step falls with the cube of the state, slowly at first and then fast.

    up:    dx = s_up   (1 - x^3)
    down:  dx = s_down (1 - (1 - x)^3)

An example of a device model of one's own: this file, in the folder of own devices, is all there
is to it. It describes no measured device.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from ohmlearn.devices import CycleToCycle, Device, Effects, Preset

__all__ = ["DEVICE", "CubicStep"]


class CubicStep(NamedTuple):
    """Parameters of the cubic-step model."""

    g_min: Annotated[float, "S", "lower end of the conductance window"] = 5e-6
    g_max: Annotated[float, "S", "upper end of the conductance window"] = 100e-6
    s_up: Annotated[float, "1", "step of a SET pulse at x = 0"] = 0.01
    s_down: Annotated[float, "1", "step of a RESET pulse at x = 1"] = 0.01
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 2.0
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -2.0
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 100e-9


# Where a fit shall search for the dimensionless parameters (optional).
FIT = {"s_up": ("linear", 1e-4, 0.3), "s_down": ("linear", 1e-4, 0.3)}


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] of a linear conductor."""
    return (p.g_min + (p.g_max - p.g_min) * x) * v


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state by a SET pulse."""
    return p.s_up * max(1.0 - x * x * x, 0.0)


def depression(p: Any, x: float) -> float:
    """Return the decrease of state by a RESET pulse."""
    return p.s_down * max(1.0 - (1.0 - x) * (1.0 - x) * (1.0 - x), 0.0)


def _objection(p: Any) -> str:
    if not (0 < p.s_up < 0.5 and 0 < p.s_down < 0.5):
        return f"s_up is {p.s_up:g}, s_down is {p.s_down:g}; allowed is between 0 and 0.5."
    return ""


DEVICE = Device(
    name="CubicStep",
    params=CubicStep,
    current=current,
    potentiation=potentiation,
    depression=depression,
    steps=("s_up", "s_down"),
    objection=_objection,
    reference="our own example, not a measurement",
    presets={
        "CubicStep-noisy": Preset(
            CubicStep(), Effects(cycle_to_cycle=CycleToCycle(0.3, "step")), "our choice"
        )
    },
)
