"""Phase-change memory: SET pulses crystallise step by step, one RESET pulse melts the cell back.

    up:    dG = dg_up (1 + boost exp(-decay x)),    x = (G - g_min) / (g_max - g_min)
    down:  x -> 0

Such a cell is one-sided: a signed weight takes two cells that are both only SET, and are RESET
and written anew when one of them is full.

What the cell does besides is known as statistics of measured phase-change cells:
:func:`sigma_prog` when it is programmed, :func:`nu_mean` and :func:`nu_std` of the drift
G (t / T_0)^-nu, and :func:`read_sigma` of its 1/f noise, all as functions of the programmed
conductance with :data:`G_MAX` as full scale.

References
----------
S. R. Nandakumar et al., "Mixed-precision deep learning based on computational memory", Frontiers
in Neuroscience 14, 2020, doi:10.3389/fnins.2020.00406 (steps). S. R. Nandakumar et al.,
"Phase-change memory models for deep learning training and inference", ICECS 2019,
doi:10.1109/ICECS46596.2019.8964852, and V. Joshi et al., "Accurate deep neural network inference
using computational phase-change memory", Nature Communications 11, 2020,
doi:10.1038/s41467-020-16108-9 (statistics). Numbers as in IBM/aihwkit at commit 4545f11 (MIT).
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..contract import Device, Preset
from ..effects import CycleToCycle, Effects
from ..effects.fluctuations import FLICKER_SETS
from ..effects.retention_sets import RETENTION_SETS
from ..functions import limexp
from .aihwkit_presets import AIHWKIT

__all__ = [
    "DEVICE",
    "G_MAX",
    "T_0",
    "T_READ",
    "PhaseChange",
    "nu_mean",
    "nu_std",
    "q_s",
    "read_sigma",
    "sigma_prog",
]

G_MAX = 25e-6
"""Full scale of the statistics [S]."""

T_0 = 20.0
"""Time after programming to which the drift refers [s]."""

T_READ = 250e-9
"""Duration of a read, which bounds the 1/f noise [s]."""


class PhaseChange(NamedTuple):
    """Parameters of the phase-change model."""

    g_min: Annotated[float, "S", "conductance of the melted cell"] = 0.1e-6
    g_max: Annotated[float, "S", "conductance of the fully crystalline cell"] = 25e-6
    dg_up: Annotated[float, "S/pulse", "step of a SET pulse without the boost"] = 0.1245e-6
    boost: Annotated[float, "1", "extra step at x = 0, in units of dg_up"] = 27.235
    decay: Annotated[float, "1", "how often the extra step falls by e over the window"] = 5.0
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 1.0
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -2.0
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 50e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] of a linear conductor."""
    return (p.g_min + (p.g_max - p.g_min) * x) * v


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state by a SET pulse."""
    return p.dg_up * (1.0 + p.boost * limexp(-p.decay * x)) / (p.g_max - p.g_min)


def depression(p: Any, x: float) -> float:
    """Return the decrease of state by a RESET pulse: all there is."""
    return max(x, 0.0)


def _relative(g: ArrayLike) -> np.ndarray:
    """Return conductances [S] in units of full scale, as positive numbers."""
    return np.maximum(np.asarray(g, dtype=float) / G_MAX, 1e-12)


def sigma_prog(g: ArrayLike) -> np.ndarray:
    """Return the standard deviation [S] of the conductance programmed to *g* [S]."""
    x = np.asarray(g, dtype=float) / G_MAX
    return 1e-6 * np.maximum(0.26348 + 1.965 * x - 1.1731 * x * x, 0.0)


def nu_mean(g: ArrayLike) -> np.ndarray:
    """Return the mean drift exponent of cells programmed to *g* [S]."""
    return np.clip(-0.0155 * np.log(_relative(g)) + 0.0244, 0.049, 0.1)


def nu_std(g: ArrayLike) -> np.ndarray:
    """Return the standard deviation of the drift exponent of cells programmed to *g* [S]."""
    return np.clip(-0.0125 * np.log(_relative(g)) - 0.0059, 0.008, 0.045)


def q_s(g: ArrayLike) -> np.ndarray:
    """Return the relative scale of the 1/f read noise of cells programmed to *g* [S]."""
    return np.minimum(0.0088 / np.maximum(_relative(g) ** 0.65, 1e-3), 0.2)


def read_sigma(g: ArrayLike, g_now: ArrayLike, t: ArrayLike) -> np.ndarray:
    """Return the standard deviation [S] of a read, *t* [s] after programming.

    Parameters
    ----------
    g
        Programmed conductance [S].
    g_now
        Conductance after drift [S].
    t
        Time since programming [s], at least ``T_READ``.
    """
    bandwidth = np.log((np.asarray(t, dtype=float) + T_READ) / (2.0 * T_READ))
    return np.asarray(g_now, dtype=float) * q_s(g) * np.sqrt(bandwidth)


def _objection(p: Any) -> str:
    if p.boost < 0 or p.decay < 0:
        return f"boost is {p.boost:g}, decay is {p.decay:g}; allowed is >= 0."
    return ""


# AIHWKit's weight runs from 0 to 2, its step is dw_min (1 - A_up exp(gamma_up a w)).
_WINDOW = G_MAX - 0.1e-6

_PRESETS = {
    "PCM": Preset(
        PhaseChange(dg_up=0.01 / 2.0 * _WINDOW, boost=27.235, decay=2.5 * 2.0),
        Effects(
            device_to_device={"step": 0.2, "g_max": 0.1},
            cycle_to_cycle=CycleToCycle(0.6, "step"),
            retention=RETENTION_SETS["PCMLike"],
            flicker_noise=FLICKER_SETS["PCMLike"],
        ),
        AIHWKIT + "S. R. Nandakumar et al., Front. Neurosci. 2020, doi:10.3389/fnins.2020.00406",
        "One-sided. Drift and 1/f noise are those of PCMLike, AIHWKit's statistics. Weights 0 to "
        "2 are 0.1 to 25 uS: the upper end is that of these statistics, the lower our choice, as "
        "are the pulses; phase-change cells are unipolar, so the sign of v_reset only tells the "
        "two pulses apart. Left out: the additive and the weight-dependent part of the noise of a "
        "pulse (0.042 and 0.108), and the error of the melted state (0.01 with spread 0.02).",
    ),
}

DEVICE = Device(
    name="PhaseChange",
    params=PhaseChange,
    current=current,
    potentiation=potentiation,
    depression=depression,
    presets=_PRESETS,
    steps=("dg_up",),
    one_sided=True,
    objection=_objection,
    reference=(
        "S. R. Nandakumar et al., Mixed-precision deep learning based on computational memory, "
        "Front. Neurosci. 14, 2020, doi:10.3389/fnins.2020.00406"
    ),
)
