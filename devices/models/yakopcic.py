"""Yakopcic's generalised memristor: sinh conduction, exponential motion beyond thresholds.

    I     = a1 s sinh(b V)  for V >= 0,   a2 s sinh(b V)  for V < 0
    ds/dt = g(V) f(V, s)
    g     = a_p (e^V - e^v_p) for V > v_p,   -a_n (e^-V - e^v_n) for V < -v_n,   else 0
    f     = e^(-alpha_p (s - x_p)) (1 - s) / (1 - x_p)     for V >= 0 and s >= x_p,
            e^(alpha_n (s + x_n - 1)) s / (1 - x_n)        for V < 0 and s <= 1 - x_n,   else 1

The paper's state s would carry no current at all at s = 0; here the state of the cell is
x = (s - x_off) / (1 - x_off), so that x = 0 is the small conductance that s = ``x_off`` gives.

References
----------
C. Yakopcic, T. M. Taha, G. Subramanyam, R. E. Pino, "Generalized memristive device SPICE model
and its application in circuit design", IEEE TCAD 32(8), 2013, doi:10.1109/TCAD.2013.2252057.
The presets' numbers are those of a public implementation, named there.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from ..contract import Device, Preset
from ..effects import Effects
from ..functions import limexp, limsinh

__all__ = ["DEVICE", "Yakopcic"]


class Yakopcic(NamedTuple):
    """Parameters of the Yakopcic model."""

    a1: Annotated[float, "A", "current scale for V >= 0"] = 0.17
    a2: Annotated[float, "A", "current scale for V < 0"] = 0.17
    b: Annotated[float, "1/V", "steepness of the current's sinh"] = 0.05
    v_p: Annotated[float, "V", "threshold of SET, >= 0"] = 0.16
    v_n: Annotated[float, "V", "threshold of RESET, as a magnitude"] = 0.15
    a_p: Annotated[float, "1/s", "rate scale of SET"] = 4000.0
    a_n: Annotated[float, "1/s", "rate scale of RESET"] = 4000.0
    x_p: Annotated[float, "1", "state from which on SET slows down"] = 0.3
    x_n: Annotated[float, "1", "1 minus the state from which on RESET slows down"] = 0.5
    alpha_p: Annotated[float, "1", "exponent of the slowing of SET"] = 1.0
    alpha_n: Annotated[float, "1", "exponent of the slowing of RESET"] = 5.0
    x_off: Annotated[float, "1", "the paper's state at the high-resistance end"] = 0.02
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 0.25
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 40e-6
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -0.25
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 20e-6


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A]."""
    s = p.x_off + (1.0 - p.x_off) * x
    return (p.a1 if v >= 0.0 else p.a2) * s * limsinh(p.b * v)


def rate(p: Any, v: float, x: float) -> float:
    """Return dx/dt [1/s]."""
    s = p.x_off + (1.0 - p.x_off) * x
    up = p.a_p * (limexp(v) - limexp(p.v_p)) if v > p.v_p else 0.0
    down = p.a_n * (limexp(-v) - limexp(p.v_n)) if v < -p.v_n else 0.0
    near_on = limexp(-p.alpha_p * (s - p.x_p)) * (1.0 - s) / (1.0 - p.x_p)
    near_off = limexp(p.alpha_n * (s + p.x_n - 1.0)) * s / (1.0 - p.x_n)
    slow_up = near_on if s >= p.x_p else 1.0
    slow_down = near_off if s <= 1.0 - p.x_n else 1.0
    return (up * slow_up - down * slow_down) / (1.0 - p.x_off)


def _objection(p: Any) -> str:
    for name in ("x_p", "x_n", "x_off"):
        if not 0 < getattr(p, name) < 1:
            return f"{name} is {getattr(p, name):g}; allowed is between 0 and 1, ends excluded."
    if not (p.a_p > 0 and p.a_n > 0 and p.b > 0 and p.v_p >= 0 and p.v_n >= 0):
        return (
            f"a_p is {p.a_p:g} 1/s, a_n is {p.a_n:g} 1/s, b is {p.b:g} 1/V, v_p is {p.v_p:g} V, "
            f"v_n is {p.v_n:g} V; allowed is a_p, a_n, b > 0 and v_p, v_n >= 0."
        )
    if not (p.v_set > p.v_p and p.v_reset < -p.v_n):
        return (
            f"v_set is {p.v_set:g} V and v_reset is {p.v_reset:g} V; allowed is v_set > v_p = "
            f"{p.v_p:g} V and v_reset < -v_n = {-p.v_n:g} V."
        )
    return ""


_SOURCE = (
    "Numbers as in the public implementation https://github.com/thomastiotto/Memristor-Models, "
    "there for the device of "
)
_NOTE = (
    "Not compared with the tables of the model's authors. Our choice: x_off, and pulses for steps "
    "of about 1 % at mid-window."
)

_PRESETS = {
    "Yakopcic-Oblea": Preset(
        Yakopcic(),
        Effects(),
        _SOURCE + "A. S. Oblea et al., IJCNN 2010 (silver chalcogenide)",
        _NOTE,
    ),
    "Yakopcic-Miao": Preset(
        Yakopcic(
            a1=0.11,
            a2=0.11,
            b=0.5,
            v_p=0.09,
            v_n=0.75,
            a_p=7.5,
            a_n=2.0,
            v_set=0.75,
            t_set=2.2e-3,
            v_reset=-1.25,
            t_reset=3.6e-3,
        ),
        Effects(),
        _SOURCE + "F. Miao et al., Adv. Mater. 23, 2011",
        _NOTE,
    ),
    "Yakopcic-Jo": Preset(
        Yakopcic(
            a1=3.7e-7,
            a2=4.35e-7,
            b=0.7,
            v_p=1.5,
            v_n=0.5,
            a_p=0.005,
            a_n=0.08,
            x_p=0.2,
            x_n=0.5,
            alpha_p=1.2,
            alpha_n=3.0,
            v_set=4.0,
            t_set=92e-3,
            v_reset=-2.0,
            t_reset=22e-3,
        ),
        Effects(),
        _SOURCE + "S. H. Jo et al. (University of Michigan)",
        _NOTE,
    ),
}

DEVICE = Device(
    name="Yakopcic",
    params=Yakopcic,
    current=current,
    rate=rate,
    presets=_PRESETS,
    window=None,
    steps=("a_p", "a_n"),
    objection=_objection,
    reference=(
        "C. Yakopcic, T. M. Taha, G. Subramanyam, R. E. Pino, Generalized memristive device SPICE "
        "model and its application in circuit design, IEEE TCAD 32(8), 2013, "
        "doi:10.1109/TCAD.2013.2252057"
    ),
)
