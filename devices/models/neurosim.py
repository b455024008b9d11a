"""NeuroSim's nonlinear pulse response: exponential approach, in n pulses from end to end.

With x in [0, 1], A the nonlinearity in units of the number of pulses n, c = 1 - exp(-1/A):

    x(P) = (1 - exp(-P / (A n))) / c,    P = 0 .. n pulses

The state alone gives the next step, since x(P + 1) - x(P) = (1/c - x) (1 - exp(-1 / (A n))). A
RESET pulse is the same curve walked backwards, with the depression's own A and n; a negative A
bends the curve the other way.

NeuroSim labels a curve by NL, its largest distance from the diagonal:

    NL = (1/c - A - A ln(1 / (A c))) / (0.07 sqrt(2))

This closed form agrees with the table in NeuroSim's code within 2e-5 in NL; ``nl_up`` and
``nl_down`` are accepted as parameters and turned into ``a_up`` and ``a_down``.

References
----------
P.-Y. Chen, X. Peng, S. Yu, "NeuroSim: a circuit-level macro model for benchmarking
neuro-inspired architectures in online learning", IEEE TCAD 37(12), 2018,
doi:10.1109/TCAD.2018.2789723. Numbers: user manual of MLP+NeuroSim V3.0, Table II.
"""

from __future__ import annotations

from math import exp, expm1, log, sqrt
from typing import Annotated, Any, NamedTuple

from ..contract import Device, Preset
from ..effects import CycleToCycle, Effects

__all__ = ["DEVICE", "NeuroSim", "a_of_nl", "nl_of_a"]

_LN_A_RANGE = (log(1e-4), log(1e5))


class NeuroSim(NamedTuple):
    """Parameters of the NeuroSim model."""

    g_min: Annotated[float, "S", "lower end of the conductance window"] = 1e-6
    g_max: Annotated[float, "S", "upper end of the conductance window"] = 10e-6
    a_up: Annotated[float, "1", "signed nonlinearity A of potentiation, in units of n_up"] = 0.5
    a_down: Annotated[float, "1", "signed nonlinearity A of depression, in units of n_down"] = -0.5
    n_up: Annotated[float, "pulses", "SET pulses from g_min to g_max"] = 100.0
    n_down: Annotated[float, "pulses", "RESET pulses from g_max to g_min"] = 100.0
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 2.0
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -2.0
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 100e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] of a linear conductor."""
    return (p.g_min + (p.g_max - p.g_min) * x) * v


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state by a SET pulse."""
    return (1.0 / expm1(-1.0 / p.a_up) + x) * expm1(-1.0 / (p.a_up * p.n_up))


def depression(p: Any, x: float) -> float:
    """Return the decrease of state by a RESET pulse."""
    return -(1.0 / expm1(-1.0 / p.a_down) + x) * expm1(1.0 / (p.a_down * p.n_down))


def nl_of_a(a: float) -> float:
    """Return NeuroSim's label NL of the nonlinearity *a* (dimensionless, sign kept)."""
    size = abs(a)
    c = -expm1(-1.0 / size)
    nl = (1.0 / c - size + size * log(size * c)) / (0.07 * sqrt(2.0))
    return nl if a > 0 else -nl


def a_of_nl(nl: float) -> float:
    """Return the nonlinearity A of NeuroSim's label *nl*, by bisection on ln A.

    Labels smaller than that of A = 1e5 give A = 1e5, which is a straight line.

    Raises
    ------
    ValueError
        If *nl* is outside -9 to 9, the range of NeuroSim's table.
    """
    if not abs(nl) <= 9:
        raise ValueError("allowed is -9 to 9")
    low, high = _LN_A_RANGE
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if nl_of_a(exp(middle)) > abs(nl) else (low, middle)
    return exp(low) if nl >= 0 else -exp(low)


def _objection(p: Any) -> str:
    if p.a_up == 0 or p.a_down == 0:
        return f"a_up is {p.a_up:g}, a_down is {p.a_down:g}; allowed is not 0."
    if p.n_up < 1 or p.n_down < 1:
        return f"n_up is {p.n_up:g}, n_down is {p.n_down:g}; allowed is >= 1."
    return ""


_MANUAL = (
    "User manual of MLP+NeuroSim V3.0, Table II (P.-Y. Chen, X. Peng, S. Yu, IEEE TCAD 37(12), "
    "2018, doi:10.1109/TCAD.2018.2789723)"
)

_MANUAL_V2 = (
    "User manual of MLP+NeuroSim V2.0, Table I (P.-Y. Chen, X. Peng, S. Yu, IEEE TCAD 37(12), "
    "2018, doi:10.1109/TCAD.2018.2789723)"
)


def _preset(
    r_on: float,
    on_off: float,
    nl: tuple[float, float],
    n: tuple[float, float],
    set_pulse: tuple[float, float],
    reset_pulse: tuple[float, float],
    sigma: float,
    note: str = "",
    source: str = _MANUAL,
) -> Preset:
    """Return a preset from a row of NeuroSim's table; *sigma* is a fraction of the window."""
    p = NeuroSim(
        g_min=1.0 / (r_on * on_off),
        g_max=1.0 / r_on,
        a_up=a_of_nl(nl[0]),
        a_down=a_of_nl(nl[1]),
        n_up=n[0],
        n_down=n[1],
        v_set=set_pulse[0],
        t_set=set_pulse[1],
        v_reset=reset_pulse[0],
        t_reset=reset_pulse[1],
    )
    return Preset(p, Effects(cycle_to_cycle=CycleToCycle(sigma, "window")), source, note)


_PRESETS = {
    "Ag:a-Si": _preset(
        26e6,
        12.5,
        (2.4, -4.88),
        (97.0, 100.0),
        (3.2, 300e-6),
        (-2.8, 300e-6),
        0.035,
        "The manual gives 97 states; the 100 RESET pulses are those of the code's RealDevice.",
    ),
    "TaOx/HfOx": _preset(
        100e3,
        10.0,
        (0.04, -0.63),
        (128.0, 128.0),
        (1.6, 50e-9),
        (-1.6, 50e-9),
        0.037,
        "Device of Wu et al., VLSI 2018. The manual prints both amplitudes without sign.",
    ),
    "AlOx/HfO2": _preset(
        16.9e3, 4.43, (1.94, -0.61), (40.0, 40.0), (0.9, 100e-6), (-1.0, 100e-6), 0.05
    ),
    "PCMO": _preset(
        23e6,
        6.84,
        (3.68, -6.76),
        (50.0, 50.0),
        (-2.0, 1e-3),
        (2.0, 1e-3),
        0.01,
        "The manual gives the cycle-to-cycle noise as below 1 %; here it is 1 %.",
    ),
    "EpiRAM": _preset(
        81e3,
        50.2,
        (0.5, -0.5),
        (64.0, 64.0),
        (5.0, 5e-6),
        (-3.0, 5e-6),
        0.02,
        "Ag:SiGe.",
    ),
    "TaOx/TiO2": _preset(
        5e6,
        2.0,
        (1.85, -1.79),
        (102.0, 102.0),
        (3.0, 40e-3),
        (-3.0, 10e-3),
        0.01,
        "The manual gives the cycle-to-cycle noise as below 1 %; here it is 1 %.",
        _MANUAL_V2,
    ),
    "GST PCM": _preset(
        4.71e3,
        19.8,
        (0.105, 2.4),
        (100.0, 100.0),
        (0.7, 6e-6),
        (-3.0, 125e-9),
        0.015,
        "The manual gives 100 to 120 states, and both amplitudes without sign as averages over "
        "pulses that grow. A phase-change cell that is reset step by step; for one that a single "
        "pulse erases see PCM.",
    ),
    "HZO FeFET": _preset(
        559.28e3,
        45.0,
        (1.75, 1.46),
        (32.0, 32.0),
        (3.65, 75e-9),
        (-2.95, 75e-9),
        0.005,
        "The amplitudes are averages over pulses that grow. The manual gives the cycle-to-cycle "
        "noise as below 0.5 %; here it is 0.5 %.",
    ),
    "IdealDevice": _preset(
        1.0 / 5e-6,
        50.0,
        (0.0, 0.0),
        (64.0, 64.0),
        (2.0, 10e-9),
        (-2.0, 10e-9),
        0.0,
        "NeuroSim's IdealDevice: linear, without noise. The other devices of the manual's table, "
        "6-bit SRAM and STT-MRAM, store digits and are no analogue cells.",
        "Code of MLP+NeuroSim V3.0 (P.-Y. Chen, X. Peng, S. Yu, IEEE TCAD 37(12), 2018, "
        "doi:10.1109/TCAD.2018.2789723)",
    ),
}

DEVICE = Device(
    name="NeuroSim",
    params=NeuroSim,
    current=current,
    potentiation=potentiation,
    depression=depression,
    presets=_PRESETS,
    steps=("n_up", "n_down"),
    step_power=-1,
    derive={"nl_up": ("a_up", a_of_nl), "nl_down": ("a_down", a_of_nl)},
    objection=_objection,
    reference=(
        "P.-Y. Chen, X. Peng, S. Yu, NeuroSim: a circuit-level macro model for benchmarking "
        "neuro-inspired architectures in online learning, IEEE TCAD 37(12), 2018, "
        "doi:10.1109/TCAD.2018.2789723"
    ),
)
