"""Exponential step: the step changes exponentially with the conductance.

    z = 2 a (G - g_ref) / (g_max - g_min) + b
    up:    dG = dg_up   max(1 - a_up   exp( gamma_up   z), 0)
    down:  dG = dg_down max(1 - a_down exp(-gamma_down z), 0)

The steps ``dg_up`` and ``dg_down`` are those without the exponential term.

References
----------
M. J. Rasch et al., "A flexible and fast PyTorch toolkit for simulating training and inference on
analog crossbar arrays" (ExpStep), AICAS 2021, doi:10.1109/AICAS51828.2021.9458494.
"""

from __future__ import annotations

from math import exp
from typing import Annotated, Any, NamedTuple

from ..contract import Device, Preset
from ..functions import limexp
from .aihwkit_presets import AIHWKIT, NOTE, in_siemens, reported_effects

__all__ = ["DEVICE", "ExpStep"]


class ExpStep(NamedTuple):
    """Parameters of the exponential-step model."""

    g_min: Annotated[float, "S", "lower end of the conductance window"] = 5e-6
    g_max: Annotated[float, "S", "upper end of the conductance window"] = 100e-6
    g_ref: Annotated[float, "S", "conductance of zero weight, where z = b"] = 52.5e-6
    dg_up: Annotated[float, "S/pulse", "step of a SET pulse without exponential term"] = 0.2375e-6
    dg_down: Annotated[float, "S/pulse", "step of a RESET pulse without that term"] = 0.2375e-6
    a_up: Annotated[float, "1", "weight of the exponential term of SET"] = 0.00081
    a_down: Annotated[float, "1", "weight of the exponential term of RESET"] = 0.36833
    gamma_up: Annotated[float, "1", "exponent of SET"] = 12.44625
    gamma_down: Annotated[float, "1", "exponent of RESET"] = 12.78785
    a: Annotated[float, "1", "scale of z: half its change over the window"] = 0.244
    b: Annotated[float, "1", "shift of z: its value at g_ref"] = 0.2425
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 2.0
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -2.0
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 100e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] of a linear conductor."""
    return (p.g_min + (p.g_max - p.g_min) * x) * v


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state by a SET pulse."""
    z = 2.0 * p.a * (x - (p.g_ref - p.g_min) / (p.g_max - p.g_min)) + p.b
    return p.dg_up * max(1.0 - p.a_up * limexp(p.gamma_up * z), 0.0) / (p.g_max - p.g_min)


def depression(p: Any, x: float) -> float:
    """Return the decrease of state by a RESET pulse."""
    z = 2.0 * p.a * (x - (p.g_ref - p.g_min) / (p.g_max - p.g_min)) + p.b
    return p.dg_down * max(1.0 - p.a_down * limexp(-p.gamma_down * z), 0.0) / (p.g_max - p.g_min)


def _objection(p: Any) -> str:
    if p.gamma_up < 0 or p.gamma_down < 0:
        return f"gamma_up is {p.gamma_up:g}, gamma_down is {p.gamma_down:g}; allowed is >= 0."
    return ""


_UP_DOWN = 0.259359
_ES = in_siemens(dw_min=0.00135, w_min=-1.0, w_max=1.0)
_ES["dg_down"] *= 1.0 - _UP_DOWN
# Mean step at zero weight in units of dw_min, in which AIHWKit counts write noise.
_AT_ZERO = 0.5 * (1.0 + 1.18445 * exp(-2.5) + (1.0 - _UP_DOWN) * (1.0 + 0.081404 * exp(2.5)))

_PRESETS = {
    "ReRamES": Preset(
        ExpStep(
            **_ES,
            a=-0.5,
            b=-0.5,
            gamma_up=5.0,
            gamma_down=5.0,
            a_up=-1.18445,
            a_down=-0.081404,
        ),
        reported_effects(
            dw_min_dtod=0.2,
            up_down_dtod=0.05,
            w_max_dtod=0.3,
            w_min_dtod=0.3,
            dw_min_std=5.0,
            mult_noise=True,
            write_noise_std=75.0 / _AT_ZERO,
        ),
        AIHWKIT + "N. Gong et al., Nat. Commun. 2018",
        "AIHWKit's up_down of 0.259359 takes that part off the RESET step, as its simulator does. "
        "Spreads of the steps are relative to each step, in AIHWKit to the SET step. Write noise "
        "is 75 of AIHWKit's dw_min. " + NOTE,
    ),
}

DEVICE = Device(
    name="ExpStep",
    params=ExpStep,
    current=current,
    potentiation=potentiation,
    depression=depression,
    presets=_PRESETS,
    objection=_objection,
    reference=(
        "M. J. Rasch et al., A flexible and fast PyTorch toolkit for simulating training and "
        "inference on analog crossbar arrays (ExpStep), AICAS 2021, "
        "doi:10.1109/AICAS51828.2021.9458494"
    ),
)
