"""From the normalised weights of AIHWKit to siemens.

AIHWKit describes a cell by a dimensionless weight w and by steps ``dw_min``. Here

    G = G_ZERO + G_UNIT w,    G_ZERO = 50 uS,  G_UNIT = 25 uS

which is our choice: it leaves three standard deviations of every spread of the lower bound in its
presets above zero conductance. ``with_window`` moves a preset to another window.

References
----------
M. J. Rasch et al., "A flexible and fast PyTorch toolkit for simulating training and inference on
analog crossbar arrays", AICAS 2021, doi:10.1109/AICAS51828.2021.9458494. Numbers as in the preset
devices of IBM/aihwkit at commit 4545f11 (MIT licence).
"""

from __future__ import annotations

from ..effects import CycleToCycle, Effects

__all__ = ["AIHWKIT", "G_UNIT", "G_ZERO", "NOTE", "in_siemens", "reported_effects"]

G_ZERO = 50e-6
G_UNIT = 25e-6

AIHWKIT = "AIHWKit preset (Rasch et al., AICAS 2021, doi:10.1109/AICAS51828.2021.9458494), after "
NOTE = (
    "Our choice: w = 0 at 50 uS, one unit of weight 25 uS, and pulses of 2 V and 100 ns, which "
    "the source does not give."
)


def in_siemens(dw_min: float, w_min: float, w_max: float) -> dict[str, float]:
    """Return window, reference and steps [S] of a cell given in units of weight."""
    return {
        "g_min": G_ZERO + G_UNIT * w_min,
        "g_max": G_ZERO + G_UNIT * w_max,
        "g_ref": G_ZERO,
        "dg_up": G_UNIT * dw_min,
        "dg_down": G_UNIT * dw_min,
    }


def reported_effects(
    *,
    dw_min_dtod: float,
    up_down_dtod: float,
    w_max_dtod: float,
    w_min_dtod: float,
    dw_min_std: float,
    mult_noise: bool,
    write_noise_std: float = 0.0,
    log_normal: bool = False,
    **spreads: float,
) -> Effects:
    """Return the effects of a preset, named as in AIHWKit; *spreads* are of further fields.

    ``mult_noise`` says whether the noise of a pulse scales with the actual step or with the
    step at w = 0, ``log_normal`` whether the spread of the step is that of its logarithm.
    """
    drawn = {
        "step_log" if log_normal else "step": dw_min_dtod,
        "asymmetry": up_down_dtod,
        "w_max": w_max_dtod,
        "w_min": w_min_dtod,
        **spreads,
    }
    return Effects(
        device_to_device={name: s for name, s in drawn.items() if s > 0},
        cycle_to_cycle=CycleToCycle(dw_min_std, "step" if mult_noise else "nominal"),
        write_noise=write_noise_std,
    )
