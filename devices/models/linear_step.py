"""Linear step: the step falls linearly with the conductance, by a fraction gamma at the bound.

    up:    dG = dg_up   (1 - gamma_up   (G - g_ref) / (g_max - g_ref))
    down:  dG = dg_down (1 + gamma_down (G - g_ref) / (g_ref - g_min))

never below zero. ``gamma = 0`` is the constant step, ``gamma = 1`` is soft bounds.

References
----------
M. J. Rasch et al., "A flexible and fast PyTorch toolkit for simulating training and inference on
analog crossbar arrays", AICAS 2021, doi:10.1109/AICAS51828.2021.9458494.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from ..contract import Device, Preset
from .aihwkit_presets import AIHWKIT, NOTE, in_siemens, reported_effects

__all__ = ["DEVICE", "LinearStep"]


class LinearStep(NamedTuple):
    """Parameters of the linear-step model."""

    g_min: Annotated[float, "S", "lower end of the conductance window"] = 5e-6
    g_max: Annotated[float, "S", "upper end of the conductance window"] = 100e-6
    g_ref: Annotated[float, "S", "conductance at which the steps are given"] = 52.5e-6
    dg_up: Annotated[float, "S/pulse", "step of a SET pulse at g_ref"] = 0.2375e-6
    dg_down: Annotated[float, "S/pulse", "step of a RESET pulse at g_ref"] = 0.2375e-6
    gamma_up: Annotated[float, "1", "fraction of dg_up lost from g_ref to g_max"] = 0.5
    gamma_down: Annotated[float, "1", "fraction of dg_down lost from g_ref to g_min"] = 0.5
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 2.0
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -2.0
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 100e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] of a linear conductor."""
    return (p.g_min + (p.g_max - p.g_min) * x) * v


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state by a SET pulse."""
    above = (p.g_min - p.g_ref + (p.g_max - p.g_min) * x) / (p.g_max - p.g_ref)
    return p.dg_up * max(1.0 - p.gamma_up * above, 0.0) / (p.g_max - p.g_min)


def depression(p: Any, x: float) -> float:
    """Return the decrease of state by a RESET pulse."""
    above = (p.g_min - p.g_ref + (p.g_max - p.g_min) * x) / (p.g_ref - p.g_min)
    return p.dg_down * max(1.0 + p.gamma_down * above, 0.0) / (p.g_max - p.g_min)


def _objection(p: Any) -> str:
    if p.gamma_up < 0 or p.gamma_down < 0:
        return f"gamma_up is {p.gamma_up:g}, gamma_down is {p.gamma_down:g}; allowed is >= 0."
    return ""


_SLOPE = "The slopes refer to each cell's own bounds; AIHWKit takes the mean bounds. "

_PRESETS = {
    "Capacitor": Preset(
        LinearStep(
            **in_siemens(dw_min=0.005, w_min=-1.0, w_max=1.0), gamma_up=0.05, gamma_down=0.05
        ),
        reported_effects(
            dw_min_dtod=0.1,
            up_down_dtod=0.06,
            w_max_dtod=0.07,
            w_min_dtod=0.07,
            dw_min_std=0.3,
            mult_noise=False,
            gamma_up=0.01 / 0.05,
            gamma_down=0.01 / 0.05,
        ),
        AIHWKIT + "Y. Li et al., VLSI 2018",
        "The leak of the capacitor (lifetime 1e6 mini-batches, spread 0.3) is not modelled. "
        + _SLOPE
        + NOTE,
    ),
    "EcRam": Preset(
        LinearStep(
            **in_siemens(dw_min=0.002, w_min=-0.8276, w_max=1.1724),
            gamma_up=0.1153,
            gamma_down=0.5085,
        ),
        reported_effects(
            dw_min_dtod=0.1,
            up_down_dtod=0.01,
            w_max_dtod=0.05,
            w_min_dtod=0.05,
            dw_min_std=0.3,
            mult_noise=True,
            gamma_up=0.05 / 0.1153,
            gamma_down=0.05 / 0.5085,
        ),
        AIHWKIT + "J. Tang et al., IEDM 2018 (lithium ECRAM)",
        _SLOPE + NOTE,
    ),
    "EcRamMO": Preset(
        LinearStep(
            **in_siemens(dw_min=0.00028214, w_min=-0.8286, w_max=1.1714),
            gamma_up=0.4152,
            gamma_down=0.7342,
        ),
        reported_effects(
            dw_min_dtod=0.1,
            up_down_dtod=0.01,
            w_max_dtod=0.05,
            w_min_dtod=0.05,
            dw_min_std=2.0,
            mult_noise=True,
            gamma_up=0.05 / 0.4152,
            gamma_down=0.05 / 0.7342,
        ),
        AIHWKIT + "S. Kim et al., IEDM 2019 (metal-oxide ECRAM)",
        _SLOPE + NOTE,
    ),
}

DEVICE = Device(
    name="LinearStep",
    params=LinearStep,
    current=current,
    potentiation=potentiation,
    depression=depression,
    presets=_PRESETS,
    objection=_objection,
    reference=(
        "M. J. Rasch et al., A flexible and fast PyTorch toolkit for simulating training and "
        "inference on analog crossbar arrays, AICAS 2021, doi:10.1109/AICAS51828.2021.9458494"
    ),
)
