"""Stanford-PKU RRAM: a filament gap that opens and closes by thermally activated hopping.

    I      = i0 exp(-gap / g0) sinh(V / v0)
    T      = t_amb + r_th |V I|
    gamma  = gamma0 - beta (gap / 1 nm)^3,  0 where gamma |V| / t_ox < f_min
    dgap/dt = -vel0 exp(-e_a / kT) sinh(gamma a0 V / (t_ox kT)),   kT in eV

The state here is x = (gap_max - gap) / (gap_max - gap_min), so that x = 1 is the closed gap; a
positive voltage closes it. Motion stops at the ends of the window. The model's random term of the
gap velocity is left to the effects.

References
----------
Z. Jiang, H.-S. P. Wong, "Stanford University Resistive-Switching Random Access Memory (RRAM)
Verilog-A Model", nanoHUB, 2014, doi:10.4231/D37H1DN48.
"""

from __future__ import annotations

from math import exp
from typing import Annotated, Any, NamedTuple

from ..contract import Device, Preset
from ..effects import CycleToCycle, Effects, Stuck
from ..functions import limexp, limsinh

__all__ = ["DEVICE", "StanfordPKU"]


class StanfordPKU(NamedTuple):
    """Parameters of the Stanford-PKU model."""

    i0: Annotated[float, "A", "current scale of a closed gap"] = 1e-3
    g0: Annotated[float, "m", "gap over which the current falls by e"] = 0.25e-9
    v0: Annotated[float, "V", "voltage scale of the current's sinh"] = 0.25
    gap_min: Annotated[float, "m", "smallest gap, x = 1"] = 0.2e-9
    gap_max: Annotated[float, "m", "largest gap, x = 0"] = 1.7e-9
    t_ox: Annotated[float, "m", "thickness of the oxide"] = 12e-9
    a0: Annotated[float, "m", "distance of one hop"] = 0.25e-9
    vel0: Annotated[float, "m/s", "velocity scale of the gap"] = 10.0
    e_a: Annotated[float, "eV", "activation energy of a hop"] = 0.6
    gamma0: Annotated[float, "1", "field enhancement of a closed gap"] = 16.0
    beta: Annotated[float, "1", "loss of enhancement at a gap of 1 nm, growing as its cube"] = 0.8
    f_min: Annotated[float, "V/m", "enhanced field below which nothing moves"] = 1.4e9
    t_amb: Annotated[float, "K", "ambient temperature"] = 298.0
    r_th: Annotated[float, "K/W", "thermal resistance"] = 2.1e3
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 1.5
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 0.3e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -1.5
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 0.3e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] through the gap."""
    gap = p.gap_max - (p.gap_max - p.gap_min) * x
    return p.i0 * exp(-gap / p.g0) * limsinh(v / p.v0)


def rate(p: Any, v: float, x: float) -> float:
    """Return dx/dt [1/s]."""
    gap = p.gap_max - (p.gap_max - p.gap_min) * x
    i = p.i0 * exp(-gap / p.g0) * limsinh(v / p.v0)
    kt = 8.617333262e-5 * (p.t_amb + p.r_th * abs(v * i))
    nm = gap / 1e-9
    enhancement = p.gamma0 - p.beta * nm * nm * nm
    gamma = enhancement if enhancement * abs(v) >= p.f_min * p.t_ox else 0.0
    pull = gamma * p.a0 / p.t_ox * v
    closing = limexp((pull - p.e_a) / kt) - limexp((-pull - p.e_a) / kt)
    return 0.5 * p.vel0 * closing / (p.gap_max - p.gap_min)


def _objection(p: Any) -> str:
    if not (p.e_a > 0 and p.v0 > 0 and p.f_min >= 0 and p.r_th >= 0):
        return (
            f"e_a is {p.e_a:g} eV, v0 is {p.v0:g} V, f_min is {p.f_min:g} V/m, r_th is {p.r_th:g} "
            "K/W; allowed is e_a, v0 > 0 and f_min, r_th >= 0."
        )
    if p.v_set <= 0:
        return f"v_set is {p.v_set:g} V; allowed is > 0, since a positive voltage closes the gap."
    return ""


_PRESETS = {
    "Stanford-PKU": Preset(
        StanfordPKU(),
        Effects(),
        "Defaults of MemTorch for the Stanford RRAM model (C. Lammie et al., Neurocomputing "
        "485, 2022, doi:10.1016/j.neucom.2022.02.043)",
        "The pulses are our choice, for steps of about 1 % of the window at mid-window: above "
        "1.4 V, where the largest gap begins to close, this parameter set switches within "
        "nanoseconds. Steps vary over the window by a factor of some hundred.",
    ),
    "HfO2-1T1R": Preset(
        StanfordPKU(
            i0=221e-6,
            v0=1.0,
            gap_min=0.2e-9,
            gap_max=0.949e-9,
            t_ox=5e-9,
            vel0=500.0,
            e_a=1.2,
            gamma0=16.0,
            beta=0.2,
            f_min=0.0,
            t_amb=300.0,
            r_th=1e5,
            v_set=1.0,
            t_set=100e-9,
            v_reset=-1.0,
            t_reset=100e-9,
        ),
        Effects(
            device_to_device={"step": 0.2, "i0": 0.1},
            cycle_to_cycle=CycleToCycle(0.3, "step"),
            read_noise=0.005,
            stuck=Stuck(low=0.005, high=0.001),
        ),
        "our choice, not a measurement",
        "A filamentary HfO2 cell for use behind an access transistor: 5 to 100 uS at 0.2 V. The "
        "pulses are those across the memristor itself; 32 mV more make it e times faster. So with "
        "2 V on the bit line a SET of 100 ns ends near 1.15 V across the cell, whatever the gate "
        "voltage, and leaves a conductance proportional to the current the transistor admits.",
    ),
}

DEVICE = Device(
    name="StanfordPKU",
    params=StanfordPKU,
    current=current,
    rate=rate,
    presets=_PRESETS,
    window=None,
    bounds=("gap_min", "gap_max"),
    steps=("vel0",),
    objection=_objection,
    reference=(
        "Z. Jiang, H.-S. P. Wong, Stanford University Resistive-Switching Random Access Memory "
        "(RRAM) Verilog-A Model, nanoHUB, 2014, doi:10.4231/D37H1DN48"
    ),
)
