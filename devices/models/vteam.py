"""VTEAM: a memristor with voltage thresholds.

    dw/dt = k_off (v / v_off - 1)^alpha_off    for v > v_off > 0   (RESET)
    dw/dt = k_on  (v / v_on  - 1)^alpha_on     for v < v_on  < 0   (SET), k_on < 0
    R     = r_on + (r_off - r_on) w            w in [0, 1]

The state here is x = 1 - w, so that x = 1 is the on state. The rates ``k_on`` and ``k_off`` of
the paper [m/s] are divided by the film thickness [m]. Motion towards a bound slows down linearly
over the last ``ramp`` of the window and stops at the bound; motion away from it is free, so that
no state locks.

References
----------
S. Kvatinsky, M. Ramadan, E. G. Friedman, A. Kolodny, "VTEAM: a general model for
voltage-controlled memristors", IEEE TCAS-II 62(8), 2015, doi:10.1109/TCSII.2015.2433536.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from ..contract import Device, Preset
from ..effects import CycleToCycle, Effects

__all__ = ["DEVICE", "VTEAM"]


class VTEAM(NamedTuple):
    """Parameters of the VTEAM model."""

    g_off: Annotated[float, "S", "off-state conductance, 1 / r_off"] = 5e-6
    g_on: Annotated[float, "S", "on-state conductance, 1 / r_on"] = 100e-6
    k_off: Annotated[float, "1/s", "RESET rate at v = 2 v_off, > 0"] = 2.5e4
    k_on: Annotated[float, "1/s", "SET rate at v = 2 v_on, < 0"] = -2.5e4
    alpha_off: Annotated[float, "1", "exponent of RESET"] = 3.0
    alpha_on: Annotated[float, "1", "exponent of SET"] = 3.0
    v_off: Annotated[float, "V", "RESET threshold, > 0"] = 0.7
    v_on: Annotated[float, "V", "SET threshold, < 0"] = -0.7
    ramp: Annotated[float, "1", "part of the window over which motion stops at a bound"] = 0.01
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = -1.4
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = 1.4
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 100e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A]; the resistance is linear in the state."""
    return v / (1.0 / p.g_on + (1.0 / p.g_off - 1.0 / p.g_on) * (1.0 - x))


def rate(p: Any, v: float, x: float) -> float:
    """Return dx/dt [1/s]."""
    off = p.k_off * max(v / p.v_off - 1.0, 0.0) ** p.alpha_off
    on = p.k_on * max(v / p.v_on - 1.0, 0.0) ** p.alpha_on
    stop_off = min(max(x / p.ramp, 0.0), 1.0)
    stop_on = min(max((1.0 - x) / p.ramp, 0.0), 1.0)
    return -(off * stop_off + on * stop_on)


def _reciprocal(r: float) -> float:
    if r <= 0:
        raise ValueError("allowed is > 0 ohm")
    return 1.0 / r


def _objection(p: Any) -> str:
    if not (p.v_on < 0 < p.v_off and p.k_on < 0 < p.k_off):
        return (
            f"v_on is {p.v_on:g} V, v_off is {p.v_off:g} V, k_on is {p.k_on:g} 1/s, k_off is "
            f"{p.k_off:g} 1/s; allowed is v_on, k_on < 0 and v_off, k_off > 0."
        )
    if not (p.alpha_on > 0 and p.alpha_off > 0 and 0 < p.ramp < 0.5):
        return (
            f"alpha_on is {p.alpha_on:g}, alpha_off is {p.alpha_off:g}, ramp is {p.ramp:g}; "
            "allowed is alpha > 0 and ramp between 0 and 0.5."
        )
    if not (p.v_set < p.v_on and p.v_reset > p.v_off):
        return (
            f"v_set is {p.v_set:g} V and v_reset is {p.v_reset:g} V; allowed is v_set < v_on = "
            f"{p.v_on:g} V and v_reset > v_off = {p.v_off:g} V."
        )
    return ""


_THICKNESS = 3e-9

_PRESETS = {
    "VTEAM-MemTorch": Preset(
        VTEAM(
            g_off=1e-3,
            g_on=1.0 / 50.0,
            k_off=5e-4 / _THICKNESS,
            k_on=-10.0 / _THICKNESS,
            alpha_off=1.0,
            alpha_on=3.0,
            v_off=0.02,
            v_on=-0.2,
            v_set=-0.22,
            t_set=3e-9,
            v_reset=0.1,
            t_reset=15e-9,
        ),
        Effects(),
        "Defaults of MemTorch (C. Lammie et al., Neurocomputing 485, 2022, "
        "doi:10.1016/j.neucom.2022.02.043) for VTEAM (Kvatinsky 2015)",
        "Rates divided by the 3 nm film. The pulses are our choice, for steps of 1 % of the "
        "window.",
    ),
    "VTEAM-demo": Preset(
        VTEAM(),
        Effects(
            device_to_device={"step": 0.2, "g_max": 0.1, "g_min": 0.1},
            cycle_to_cycle=CycleToCycle(0.3, "step"),
            read_noise=0.01,
        ),
        "our choice, not a measurement",
        "5 to 100 uS, 1/400 of the window per pulse of 1.4 V and 100 ns; half the pulse voltage "
        "does not disturb.",
    ),
}

DEVICE = Device(
    name="VTEAM",
    params=VTEAM,
    current=current,
    rate=rate,
    presets=_PRESETS,
    window=("g_off", "g_on"),
    steps=("k_on", "k_off"),
    derive={"r_on": ("g_on", _reciprocal), "r_off": ("g_off", _reciprocal)},
    objection=_objection,
    reference=(
        "S. Kvatinsky, M. Ramadan, E. G. Friedman, A. Kolodny, VTEAM: a general model for "
        "voltage-controlled memristors, IEEE TCAS-II 62(8), 2015, doi:10.1109/TCSII.2015.2433536"
    ),
)
