"""Power step: the step falls with a power of the distance from the bound ahead.

    up:    dG = dg_up   ((g_max - G) / (g_max - g_min))^gamma_up
    down:  dG = dg_down ((G - g_min) / (g_max - g_min))^gamma_down

The steps ``dg_up`` and ``dg_down`` are the largest ones, at the far end of the window. With both
exponents 1 this is soft bounds, with 0 the constant step. ``g_ref`` is the conductance of zero
weight, to which the spread of the bounds refers; AIHWKit's ``PowStepReference``, which subtracts
each cell's symmetry point, is this model beside a reference cell.

References
----------
M. J. Rasch et al., "A flexible and fast PyTorch toolkit for simulating training and inference on
analog crossbar arrays" (PowStep), AICAS 2021, doi:10.1109/AICAS51828.2021.9458494.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from ..contract import Device

__all__ = ["DEVICE", "PowStep"]


class PowStep(NamedTuple):
    """Parameters of the power-step model."""

    g_min: Annotated[float, "S", "lower end of the conductance window"] = 5e-6
    g_max: Annotated[float, "S", "upper end of the conductance window"] = 100e-6
    g_ref: Annotated[
        float, "S", "conductance of zero weight, between the spreads of the bounds"
    ] = 52.5e-6
    dg_up: Annotated[float, "S/pulse", "step of a SET pulse at g_min"] = 0.475e-6
    dg_down: Annotated[float, "S/pulse", "step of a RESET pulse at g_max"] = 0.475e-6
    gamma_up: Annotated[float, "1", "exponent of SET"] = 1.0
    gamma_down: Annotated[float, "1", "exponent of RESET"] = 1.0
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 2.0
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -2.0
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 100e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] of a linear conductor."""
    return (p.g_min + (p.g_max - p.g_min) * x) * v


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state by a SET pulse."""
    return p.dg_up * max(1.0 - x, 0.0) ** p.gamma_up / (p.g_max - p.g_min)


def depression(p: Any, x: float) -> float:
    """Return the decrease of state by a RESET pulse."""
    return p.dg_down * max(x, 0.0) ** p.gamma_down / (p.g_max - p.g_min)


def _objection(p: Any) -> str:
    if p.gamma_up < 0 or p.gamma_down < 0:
        return f"gamma_up is {p.gamma_up:g}, gamma_down is {p.gamma_down:g}; allowed is >= 0."
    return ""


DEVICE = Device(
    name="PowStep",
    params=PowStep,
    current=current,
    potentiation=potentiation,
    depression=depression,
    objection=_objection,
    reference=(
        "M. J. Rasch et al., A flexible and fast PyTorch toolkit for simulating training and "
        "inference on analog crossbar arrays (PowStep), AICAS 2021, "
        "doi:10.1109/AICAS51828.2021.9458494"
    ),
)
