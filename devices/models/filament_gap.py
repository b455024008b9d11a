"""Filament of the SkyWater sky130 ReRAM: vacancies are generated and recombine, with self-heating.

    I      = i_k1 exp(-(t_ox - t) / (t_ox - t_ref)) sinh(V / v_ref)
    T      = t_amb + (tau_th / c_th) |V I|
    gamma  = gamma0 + gamma1 ((t_ox - t) / 1 nm)^3
    pull   = gamma a0 V / t_ox
    growth = velocity (exp((pull - e_gen) / kT) - exp((-pull - e_rec) / kT))

with the filament thickness t between ``t_min`` and ``t_max``, its growth in m/s and kT in eV. The
state here is x = (t - t_min) / (t_max - t_min): x = 1 is the thick filament, and a positive
voltage makes it grow. The foundry's model lets the temperature follow the power with the time
constant ``tau_th`` (0.23 ns); here it follows at once, which is exact for pulses much longer than
that.

References
----------
The SkyWater PDK Authors, sky130_fd_pr_reram, 2020 (Apache-2.0),
https://github.com/google/skywater-pdk-libs-sky130_fd_pr_reram.
"""

from __future__ import annotations

from math import exp
from typing import Annotated, Any, NamedTuple

from ..contract import Device, Preset
from ..effects import Effects
from ..functions import limexp, limsinh

__all__ = ["DEVICE", "FilamentGap"]


class FilamentGap(NamedTuple):
    """Parameters of the filament model."""

    t_min: Annotated[float, "m", "smallest filament thickness, x = 0"] = 3.3e-9
    t_max: Annotated[float, "m", "largest filament thickness, x = 1"] = 4.9e-9
    t_ox: Annotated[float, "m", "thickness of the oxide"] = 5e-9
    t_ref: Annotated[float, "m", "filament thickness to which i_k1 refers"] = 4.7249e-9
    i_k1: Annotated[float, "A", "current scale of a gap of zero width"] = 6.14e-5
    v_ref: Annotated[float, "V", "voltage scale of the current's sinh"] = 0.43
    velocity: Annotated[float, "m/s", "velocity scale of the filament"] = 150.0
    e_gen: Annotated[float, "eV", "activation energy of vacancy generation"] = 1.501
    e_rec: Annotated[float, "eV", "activation energy of vacancy recombination"] = 1.5
    gamma0: Annotated[float, "1", "field enhancement of a gap of zero width"] = 16.5
    gamma1: Annotated[float, "1", "its change at a gap of 1 nm, growing as the cube"] = -1.25
    a0: Annotated[float, "m", "distance between atoms"] = 0.25e-9
    t_amb: Annotated[float, "K", "ambient temperature"] = 300.0
    c_th: Annotated[float, "J/K", "thermal capacitance"] = 3.1825e-16
    tau_th: Annotated[float, "s", "thermal time constant"] = 0.23e-9
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 1.4
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -1.4
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 100e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] through the gap that the filament leaves."""
    gap = p.t_ox - p.t_min - (p.t_max - p.t_min) * x
    return p.i_k1 * exp(-gap / (p.t_ox - p.t_ref)) * limsinh(v / p.v_ref)


def rate(p: Any, v: float, x: float) -> float:
    """Return dx/dt [1/s]."""
    gap = p.t_ox - p.t_min - (p.t_max - p.t_min) * x
    i = p.i_k1 * exp(-gap / (p.t_ox - p.t_ref)) * limsinh(v / p.v_ref)
    kt = 8.617333262e-5 * (p.t_amb + p.tau_th / p.c_th * abs(v * i))
    nm = gap / 1e-9
    pull = (p.gamma0 + p.gamma1 * nm * nm * nm) * p.a0 / p.t_ox * v
    growth = limexp((pull - p.e_gen) / kt) - limexp((-pull - p.e_rec) / kt)
    return p.velocity * growth / (p.t_max - p.t_min)


def _objection(p: Any) -> str:
    if not (p.t_max < p.t_ox and p.t_ref < p.t_ox):
        return (
            f"t_max is {p.t_max:g} m, t_ref is {p.t_ref:g} m; allowed is below t_ox = "
            f"{p.t_ox:g} m."
        )
    if not (p.e_gen > 0 and p.e_rec > 0 and p.v_ref > 0):
        return (
            f"e_gen is {p.e_gen:g} eV, e_rec is {p.e_rec:g} eV, v_ref is {p.v_ref:g} V; "
            "allowed is > 0."
        )
    if p.v_set <= 0:
        return f"v_set is {p.v_set:g} V; allowed is > 0, since the filament grows at V > 0."
    return ""


_PRESETS = {
    "SkyWater-sky130": Preset(
        FilamentGap(),
        Effects(),
        "Model card of the SkyWater sky130 ReRAM, "
        "https://github.com/google/skywater-pdk-libs-sky130_fd_pr_reram (Apache-2.0)",
        "The card as published. The pulses are our choice: the 1.4 V of a public example, for "
        "steps of 0.5 % at mid-window in 100 ns. This is a memory cell of two states: at these "
        "pulses SET runs away above x = 0.6 and RESET comes to rest near x = 0.4, since its rate "
        "falls by many decades over the window.",
    ),
}

DEVICE = Device(
    name="FilamentGap",
    params=FilamentGap,
    current=current,
    rate=rate,
    presets=_PRESETS,
    window=None,
    bounds=("t_min", "t_max"),
    steps=("velocity",),
    objection=_objection,
    reference=(
        "The SkyWater PDK Authors, sky130_fd_pr_reram, 2020, "
        "https://github.com/google/skywater-pdk-libs-sky130_fd_pr_reram"
    ),
)
