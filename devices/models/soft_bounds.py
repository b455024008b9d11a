"""Soft bounds: the step shrinks in proportion to the distance from the bound it moves to.

    up:    dG = dg_up   (g_max - G) / (g_max - g_ref)
    down:  dG = dg_down (G - g_min) / (g_ref - g_min)

The steps ``dg_up`` and ``dg_down`` are those at ``g_ref``, where the normalised weight of AIHWKit
is zero; its ``SoftBoundsReference`` device is this model.

References
----------
M. J. Rasch et al., "A flexible and fast PyTorch toolkit for simulating training and inference on
analog crossbar arrays", AICAS 2021, doi:10.1109/AICAS51828.2021.9458494.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from ..contract import Device, Preset
from ..effects import CycleToCycle, Effects, Stuck
from .aihwkit_presets import AIHWKIT, NOTE, in_siemens, reported_effects

__all__ = ["DEVICE", "SoftBounds"]


class SoftBounds(NamedTuple):
    """Parameters of the soft-bounds model."""

    g_min: Annotated[float, "S", "lower end of the conductance window"] = 5e-6
    g_max: Annotated[float, "S", "upper end of the conductance window"] = 100e-6
    g_ref: Annotated[float, "S", "conductance at which the steps are given"] = 52.5e-6
    dg_up: Annotated[float, "S/pulse", "step of a SET pulse at g_ref"] = 0.2375e-6
    dg_down: Annotated[float, "S/pulse", "step of a RESET pulse at g_ref"] = 0.2375e-6
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 2.0
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -2.0
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 100e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] of a linear conductor."""
    return (p.g_min + (p.g_max - p.g_min) * x) * v


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state by a SET pulse."""
    return p.dg_up * (1.0 - x) / (p.g_max - p.g_ref)


def depression(p: Any, x: float) -> float:
    """Return the decrease of state by a RESET pulse."""
    return p.dg_down * x / (p.g_ref - p.g_min)


_IEDM = (
    "N. Gong, M. J. Rasch et al., IEDM 2022, doi:10.1109/IEDM45625.2022.10019569 (array of ReRAM)"
)
_ARRAY = (
    "The spread of the steps is log-normal. AIHWKit subtracts each cell's symmetry point, with an "
    "error of 0.05; here nothing is subtracted. "
)

_PRESETS = {
    "ReRamSB": Preset(
        SoftBounds(**in_siemens(dw_min=0.002, w_min=-0.75, w_max=1.25)),
        reported_effects(
            dw_min_dtod=0.3,
            up_down_dtod=0.01,
            w_max_dtod=0.24,
            w_min_dtod=0.4,
            dw_min_std=3.75,
            mult_noise=False,
            write_noise_std=56.0,
        ),
        AIHWKIT + "N. Gong et al., Nat. Commun. 2018",
        "A loose fit, in the words of its authors. AIHWKit subtracts each cell's symmetry point; "
        "here nothing is subtracted. " + NOTE,
    ),
    "ReRamArrayOM": Preset(
        SoftBounds(**in_siemens(dw_min=0.0949, w_min=-1.0, w_max=1.0)),
        reported_effects(
            dw_min_dtod=0.7829,
            log_normal=True,
            up_down_dtod=0.01,
            w_max_dtod=0.3499,
            w_min_dtod=0.5695,
            dw_min_std=0.4158,
            mult_noise=False,
            write_noise_std=1.4113,
        ),
        AIHWKIT + _IEDM,
        "Optimised material. Of the array measured, 13.48 % of the cells were corrupt, and the "
        "bounds were 1.4839 and -0.6192; both are set aside here as in AIHWKit. " + _ARRAY + NOTE,
    ),
    "ReRamArrayHfO2": Preset(
        SoftBounds(**in_siemens(dw_min=0.4622, w_min=-1.0, w_max=1.0)),
        reported_effects(
            dw_min_dtod=0.7125,
            log_normal=True,
            up_down_dtod=0.01,
            w_max_dtod=0.4295,
            w_min_dtod=0.599,
            dw_min_std=0.2174,
            mult_noise=False,
            write_noise_std=0.5841,
        ),
        AIHWKIT + _IEDM,
        "Baseline HfO2. Of the array measured, 9.77 % of the cells were corrupt, and the bounds "
        "were 1.149 and -1.0284; both are set aside here as in AIHWKit. " + _ARRAY + NOTE,
    ),
    "HfO2-1T1R-demo": Preset(
        SoftBounds(),
        Effects(
            device_to_device={"step": 0.2, "g_max": 0.1, "g_min": 0.1},
            cycle_to_cycle=CycleToCycle(0.3, "step"),
            read_noise=0.005,
            stuck=Stuck(low=0.005, high=0.001),
        ),
        "our choice, not a measurement",
        "A plausible HfO2 1T1R cell for demonstrations: 5 to 100 uS, 1/400 of the window per "
        "pulse at mid-window, pulses of 2 V and 100 ns.",
    ),
}

DEVICE = Device(
    name="SoftBounds",
    params=SoftBounds,
    current=current,
    potentiation=potentiation,
    depression=depression,
    presets=_PRESETS,
    reference=(
        "M. J. Rasch et al., A flexible and fast PyTorch toolkit for simulating training and "
        "inference on analog crossbar arrays (SoftBoundsReference), AICAS 2021, "
        "doi:10.1109/AICAS51828.2021.9458494"
    ),
)
