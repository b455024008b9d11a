"""Constant step: every pulse moves the conductance by the same amount, up to the bounds.

    up:    dG = dg_up
    down:  dG = dg_down

References
----------
T. Gokmen, Y. Vlasov, "Acceleration of deep neural network training with resistive cross-point
devices: design considerations", Frontiers in Neuroscience 10, 2016,
doi:10.3389/fnins.2016.00333.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from ..contract import Device, Preset
from .aihwkit_presets import AIHWKIT, NOTE, in_siemens, reported_effects

__all__ = ["DEVICE", "ConstantStep"]


class ConstantStep(NamedTuple):
    """Parameters of the constant-step model."""

    g_min: Annotated[float, "S", "lower end of the conductance window"] = 5e-6
    g_max: Annotated[float, "S", "upper end of the conductance window"] = 100e-6
    g_ref: Annotated[
        float, "S", "conductance of zero weight, between the spreads of the bounds"
    ] = 52.5e-6
    dg_up: Annotated[float, "S/pulse", "step of a SET pulse"] = 0.2375e-6
    dg_down: Annotated[float, "S/pulse", "step of a RESET pulse"] = 0.2375e-6
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 2.0
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -2.0
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 100e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] of a linear conductor."""
    return (p.g_min + (p.g_max - p.g_min) * x) * v


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state by a SET pulse."""
    return p.dg_up / (p.g_max - p.g_min)


def depression(p: Any, x: float) -> float:
    """Return the decrease of state by a RESET pulse."""
    return p.dg_down / (p.g_max - p.g_min)


_PRESETS = {
    "GokmenVlasov": Preset(
        ConstantStep(**in_siemens(dw_min=0.0016, w_min=-1.0, w_max=1.0)),
        reported_effects(
            dw_min_dtod=0.3,
            up_down_dtod=0.01,
            w_max_dtod=0.3,
            w_min_dtod=0.3,
            dw_min_std=0.3,
            mult_noise=True,
        ),
        AIHWKIT + "T. Gokmen, Y. Vlasov, Front. Neurosci. 10, 2016, doi:10.3389/fnins.2016.00333",
        "The source speaks of 1200 states; its numbers give 1250. " + NOTE,
    ),
    "Idealized": Preset(
        ConstantStep(**in_siemens(dw_min=0.0002, w_min=-1.0, w_max=1.0)),
        reported_effects(
            dw_min_dtod=0.3,
            up_down_dtod=0.0,
            w_max_dtod=0.3,
            w_min_dtod=0.3,
            dw_min_std=0.3,
            mult_noise=True,
        ),
        AIHWKIT + "M. J. Rasch, T. Gokmen, W. Haensch, IEEE Design & Test 2019, arXiv:1906.02698",
        NOTE,
    ),
}

DEVICE = Device(
    name="ConstantStep",
    params=ConstantStep,
    current=current,
    potentiation=potentiation,
    depression=depression,
    presets=_PRESETS,
    reference=(
        "T. Gokmen, Y. Vlasov, Acceleration of deep neural network training with resistive "
        "cross-point devices: design considerations, Front. Neurosci. 10, 2016, "
        "doi:10.3389/fnins.2016.00333"
    ),
)
