"""Linear ion drift (HP): a boundary between doped and undoped film that the charge moves.

    R     = R_on w + R_off (1 - w),   I = V / R
    dw/dt = mu_v R_on / d^2  I  f(w)   for |V| >= v_th, else 0

``shape`` chooses the window function f:

0  none, f = 1
1  Joglekar, f = 1 - (2 w - 1)^(2 p)
2  Biolek, f = 1 - (w - u)^(2 p), u = 0 for I >= 0 and 1 for I < 0
3  Prodromakis, f = j (1 - ((w - 1/2)^2 + 3/4)^p)

Joglekar's and Prodromakis' windows vanish at both bounds, so that a state there would stay for
ever. The state of the cell is therefore x with w = edge + (1 - 2 edge) x: it comes within
``edge`` of the bounds and stops there.

References
----------
D. B. Strukov, G. S. Snider, D. R. Stewart, R. S. Williams, "The missing memristor found", Nature
453, 2008, doi:10.1038/nature06932. Windows: Y. N. Joglekar, S. J. Wolf, Eur. J. Phys. 30, 2009,
doi:10.1088/0143-0807/30/4/001; Z. Biolek, D. Biolek, V. Biolkova, Radioengineering 18(2), 2009,
210-214; T. Prodromakis et al., IEEE TED 58(9), 2011, doi:10.1109/TED.2011.2158004.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from ..contract import Device, Preset
from ..effects import Effects

__all__ = ["DEVICE", "LinearIonDrift"]


class LinearIonDrift(NamedTuple):
    """Parameters of the linear ion drift model."""

    g_off: Annotated[float, "S", "conductance of the undoped film, 1 / R_off"] = 1.0 / 16e3
    g_on: Annotated[float, "S", "conductance of the doped film, 1 / R_on"] = 1.0 / 100.0
    mu_v: Annotated[float, "m2/(V s)", "mobility of the dopants"] = 1e-14
    d: Annotated[float, "m", "thickness of the film"] = 10e-9
    shape: Annotated[float, "1", "window: 0 none, 1 Joglekar, 2 Biolek, 3 Prodromakis"] = 1.0
    p: Annotated[float, "1", "exponent of the window, > 0"] = 1.0
    j: Annotated[float, "1", "height of Prodromakis' window, > 0"] = 1.0
    v_th: Annotated[float, "V", "voltage below which nothing moves, >= 0"] = 0.0
    edge: Annotated[float, "1", "part of the film at each end that the boundary never enters"] = (
        0.01
    )
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 1.0
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 10e-3
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -1.0
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 10e-3


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A]; the resistance is linear in the state."""
    w = p.edge + (1.0 - 2.0 * p.edge) * x
    return v / (w / p.g_on + (1.0 - w) / p.g_off)


def rate(p: Any, v: float, x: float) -> float:
    """Return dx/dt [1/s]."""
    w = p.edge + (1.0 - 2.0 * p.edge) * x
    i = v / (w / p.g_on + (1.0 - w) / p.g_off)
    ahead = w if i >= 0.0 else 1.0 - w
    joglekar = 1.0 - abs(2.0 * w - 1.0) ** (2.0 * p.p)
    biolek = 1.0 - max(ahead, 0.0) ** (2.0 * p.p)
    prodromakis = p.j * (1.0 - ((w - 0.5) * (w - 0.5) + 0.75) ** p.p)
    late = biolek if p.shape < 2.5 else prodromakis
    early = 1.0 if p.shape < 0.5 else joglekar
    f = early if p.shape < 1.5 else late
    drift = p.mu_v / (p.g_on * p.d * p.d) * i * f / (1.0 - 2.0 * p.edge)
    return drift if abs(v) >= p.v_th else 0.0


def _reciprocal(r: float) -> float:
    if r <= 0:
        raise ValueError("allowed is > 0 ohm")
    return 1.0 / r


def _objection(p: Any) -> str:
    if p.shape not in (0.0, 1.0, 2.0, 3.0):
        return (
            f"shape is {p.shape:g}; allowed is 0 (none), 1 (Joglekar), 2 (Biolek) or "
            "3 (Prodromakis)."
        )
    if not (p.p > 0 and p.j > 0 and p.mu_v > 0 and 0 < p.edge < 0.5):
        return (
            f"p is {p.p:g}, j is {p.j:g}, mu_v is {p.mu_v:g} m2/(V s), edge is {p.edge:g}; "
            "allowed is p, j, mu_v > 0 and edge between 0 and 0.5, ends excluded."
        )
    if not (p.v_th >= 0 and p.v_set >= p.v_th and p.v_reset <= -p.v_th):
        return (
            f"v_set is {p.v_set:g} V and v_reset is {p.v_reset:g} V; allowed is v_set >= v_th = "
            f"{p.v_th:g} V and v_reset <= {-p.v_th:g} V, with v_th >= 0."
        )
    return ""


_MEMTORCH = (
    "Defaults of MemTorch (C. Lammie et al., Neurocomputing 485, 2022, "
    "doi:10.1016/j.neucom.2022.02.043) for the model of Strukov 2008"
)
_NOTE = "Our choice: edge, and pulses for steps of about 1 % at mid-window."

_PRESETS = {
    "LinearIonDrift-MemTorch": Preset(
        LinearIonDrift(v_th=0.55),
        Effects(),
        _MEMTORCH,
        "With MemTorch's write threshold of 0.55 V and Joglekar's window, p = 1. " + _NOTE,
    ),
    "LinearIonDrift-Biolek": Preset(
        LinearIonDrift(shape=2.0, p=2.0),
        Effects(),
        "our choice of window and exponent, on MemTorch's defaults of the film",
        "Biolek's window with p = 2, no threshold. " + _NOTE,
    ),
    "LinearIonDrift-Prodromakis": Preset(
        LinearIonDrift(shape=3.0, p=10.0),
        Effects(),
        "our choice of window and exponent, on MemTorch's defaults of the film",
        "Prodromakis' window with p = 10 and j = 1, no threshold. " + _NOTE,
    ),
}

DEVICE = Device(
    name="LinearIonDrift",
    params=LinearIonDrift,
    current=current,
    rate=rate,
    presets=_PRESETS,
    window=None,
    bounds=("g_off", "g_on"),
    steps=("mu_v",),
    derive={"r_on": ("g_on", _reciprocal), "r_off": ("g_off", _reciprocal)},
    objection=_objection,
    reference=(
        "D. B. Strukov, G. S. Snider, D. R. Stewart, R. S. Williams, The missing memristor found, "
        "Nature 453, 2008, doi:10.1038/nature06932"
    ),
)
