"""One programming pulse of any amplitude, width and gate voltage on a 1T1R cell.

    dx/dt = rate(p, v(x), x),    v(x) the memristor's voltage in series with the transistor

With a dynamical model this is its own equation. A pulse-response model knows no voltages: its
``rate`` is the nominal step over the nominal width while the memristor takes at least
``WRITE_THRESHOLD`` of the nominal amplitude, and zero below. So a weak gate stops the SET of such
a model at the conductance whose current at that voltage is the compliance current, and a weak
RESET does nothing; above, amplitude and gate play no part. Its steps are taken as continuous
motion, which differs from a nominal pulse in the square of the step.

The integrator is the exponential Rosenbrock method of order 4 with its embedded order 3: it
follows both the runaway of a SET and the stiff approach to a bound or to compliance in few steps.
States stay in [0, 1]. Plain Python, compiled as it stands by :mod:`.dispatch`.

References
----------
M. Hochbruck, A. Ostermann, "Exponential integrators", Acta Numerica 19, 2010,
doi:10.1017/S0962492910000048 (method exprb43).
"""

from __future__ import annotations

from math import expm1, inf, nan
from typing import Any

from ..contract import rate
from .series import memristor_voltage

__all__ = ["program_cell", "state_after"]

TOLERANCE = 1e-3
"""Error allowed in a step of the integrator, as a fraction of the motion in that step."""

FLOOR = 1e-8
"""Error of the state that is always allowed."""

REACH = 0.2
"""Largest motion in one step of the integrator, so that no feature of a model is leapt over."""

STEPS = 20000
"""Steps of the integrator before it gives up."""


def program_cell(p: Any, m: Any, v_g: float, amplitude: float, width: float, x: float) -> float:
    """Return the state after one pulse, from state *x*.

    Parameters
    ----------
    p : parameter tuple
        The memristor.
    m : Nmos or None
        The access transistor.
    v_g : float
        Gate voltage [V].
    amplitude : float
        Pulse amplitude [V]: positive on the bit line (SET, source line at 0 V), negative its
        magnitude on the source line (RESET, bit line at 0 V).
    width : float
        Pulse width [s].
    x : float
        State before the pulse, 0 to 1.

    Returns
    -------
    float
        NaN if the equation could not be integrated.
    """
    return state_after(p, m, v_g, max(amplitude, 0.0), max(-amplitude, 0.0), width, x)


def state_after(
    p: Any, m: Any, v_g: float, v_bl: float, v_sl: float, width: float, x: float
) -> float:
    """Return the state after *width* [s] at constant gate and line voltages [V]."""
    at = (1.0 * v_g, 1.0 * v_bl, 1.0 * v_sl)
    x = 1.0 * x
    left, h = 1.0 * width, 1.0 * width
    f = velocity(p, m, at, x)
    for _ in range(STEPS):
        # The equation is autonomous: where it rests or is held by a bound, it stays.
        if left <= 0.0 or f == 0.0 or (x >= 1.0 and f > 0.0) or (x <= 0.0 and f < 0.0):
            return x
        h = min(h, left)
        change, error = exponential_step(p, m, at, x, f, h)
        ahead = min(max(x + change, 0.0), 1.0)
        allowed = FLOOR + TOLERANCE * abs(ahead - x)
        if not (error <= allowed and abs(ahead - x) <= REACH):
            shorter = 0.8 * (allowed / max(error, 1e-300)) ** 0.25 if error < 1e300 else 0.1
            h *= min(max(shorter, 0.1), 0.5)
            continue
        after = velocity(p, m, at, ahead)
        # No orbit reaches a state of rest, so a step that did has leapt over the way there.
        if after * f <= 0.0 and abs(ahead - x) > FLOOR:
            h *= 0.3
            continue
        x, f = ahead, after
        left -= h
        h *= min(0.8 * (allowed / max(error, 1e-300)) ** 0.25, 4.0)
    return nan


Voltages = tuple[float, float, float]
"""Gate, bit-line and source-line voltage [V]."""


def velocity(p: Any, m: Any, at: Voltages, x: float) -> float:
    """Return dx/dt [1/s] of the cell with the voltages *at*."""
    return rate(p, memristor_voltage(p, m, at[0], at[1], at[2], x), x)


def exponential_step(
    p: Any, m: Any, at: Voltages, x: float, f: float, h: float
) -> tuple[float, float]:
    """Return the change of state in *h* [s], and the size of its error; *f* is dx/dt at *x*."""
    away = 1e-7 if f > 0.0 else -1e-7
    away = away if 0.0 <= x + away <= 1.0 else -away
    slope = (velocity(p, m, at, x + away) - f) / away
    z = h * slope
    if not z < 50.0:
        return 0.0, inf
    p1, p4 = phi_1(z), phi_4(z)
    p3 = 1.0 / 6.0 + z * p4
    half, full = 0.5 * h * phi_1(0.5 * z) * f, h * p1 * f
    d2 = bend(p, m, at, x, f, slope, half)
    d3 = bend(p, m, at, x, f, slope, full + h * p1 * d2)
    fourth = 12.0 * h * p4 * (d3 - 4.0 * d2)
    return full + h * p3 * (16.0 * d2 - 2.0 * d3) + fourth, abs(fourth)


def bend(p: Any, m: Any, at: Voltages, x: float, f: float, slope: float, dx: float) -> float:
    """Return how far dx/dt [1/s] at *x* + *dx* departs from the straight line through *x*."""
    dx = min(max(x + dx, 0.0), 1.0) - x
    return velocity(p, m, at, x + dx) - f - slope * dx


def phi_1(z: float) -> float:
    """Return (exp(z) - 1) / z."""
    return expm1(z) / z if abs(z) > 1e-8 else 1.0 + 0.5 * z


def phi_4(z: float) -> float:
    """Return (exp(z) - 1 - z - z^2/2 - z^3/6) / z^4."""
    if abs(z) > 1.0:
        return (expm1(z) - z * (1.0 + z * (0.5 + z / 6.0))) / (z * z * z * z)
    term, total = 1.0 / 24.0, 1.0 / 24.0
    for k in range(5, 19):
        term *= z / k
        total += term
    return total
