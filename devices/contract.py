"""What a device model is: parameters in SI units, pure scalar functions, presets, one line.

A model is one file of :mod:`.models`. It defines a ``NamedTuple`` of parameters, every field
``Annotated[float, unit, meaning]`` with a default, the functions of its kind, and ``DEVICE``.

============== =============================================== =======================
kind           functions                                       derived from them
============== =============================================== =======================
pulse response ``current``, ``potentiation``, ``depression``   ``rate``
dynamical      ``current``, ``rate``                           ``potentiation``, ``depression``
============== =============================================== =======================

The state ``x`` is a number in [0, 1] in the cell's own window: 0 is the high-resistance end, 1
the low-resistance end. A SET pulse raises it and a RESET pulse lowers it; in a one-sided model
(phase change) the RESET pulse erases the cell at once. The model functions are restricted Python
(assignments, arithmetic, comparisons, conditional expressions, ``math`` and :mod:`.functions`),
because the same text is compiled by Numba (:mod:`.dispatch`) and rendered as a SPICE subcircuit.
Literals are written as floats (``1.0``, not ``1``), since an integer would lift single precision
to double.

Every parameter tuple ends with the nominal SET and RESET pulse: ``v_set``, ``t_set``,
``v_reset``, ``t_reset``, so that the pulse travels with the parameters it was measured with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .device import Device, Field, Preset, Pulse, device_of

__all__ = [
    "WRITE_THRESHOLD",
    "Device",
    "Field",
    "Preset",
    "Pulse",
    "conductance",
    "conductance_step",
    "current",
    "depression",
    "device_of",
    "nominal_step",
    "potentiation",
    "rate",
]

WRITE_THRESHOLD = 0.75
"""Write threshold of a pulse-response model, as a fraction of the nominal amplitude.

Our choice: halfway between half selection (V/2, which must not disturb) and the nominal pulse.
"""


def current(p: Any, v: float, x: float) -> float:
    """Return the terminal current [A] at voltage *v* [V] and state *x*."""
    return device_of(type(p)).current(p, v, x)


def conductance(p: Any, v: float, x: float) -> float:
    """Return the chord conductance current / v [S] at read voltage *v* [V], not zero."""
    return current(p, v, x) / v


def rate(p: Any, v: float, x: float) -> float:
    """Return dx/dt [1/s] at voltage *v* [V] and state *x*.

    For a pulse-response model: the step of the nominal pulse divided by its width, from
    ``WRITE_THRESHOLD`` times its amplitude on, whatever the amplitude.
    """
    return rate_of(device_of(type(p)))(p, v, x)


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state (>= 0) by one nominal SET pulse, from state *x*."""
    return potentiation_of(device_of(type(p)))(p, x)


def depression(p: Any, x: float) -> float:
    """Return the decrease of state (>= 0) by one nominal RESET pulse, from state *x*."""
    return depression_of(device_of(type(p)))(p, x)


def nominal_step(p: Any) -> float:
    """Return the mean of the SET and the RESET step, as a fraction of the range of the state.

    Taken at ``g_ref``, or at x = 1/2 where the model has none; the SET step alone where a RESET
    pulse erases the cell. Write noise and additive cycle-to-cycle noise are counted in this unit.
    """
    x = (p.g_ref - p.g_min) / (p.g_max - p.g_min) if hasattr(p, "g_ref") else 0.5
    up = potentiation(p, x)
    return up if device_of(type(p)).one_sided else 0.5 * (up + depression(p, x))


def conductance_step(p: Any, v_read: float) -> float:
    """Return the mean change of conductance [S] by a SET and a RESET pulse, at mid-window.

    Taken at ``g_ref``, or at the mean of the end conductances at *v_read* [V] where the model has
    none; the SET step alone where a RESET pulse erases the cell. Where the conductance is linear
    in the state this is :func:`nominal_step` times the window.
    """
    ends = conductance(p, v_read, 0.0), conductance(p, v_read, 1.0)
    target = getattr(p, "g_ref", 0.5 * sum(ends))
    low, high = 0.0, 1.0
    for _ in range(60):
        x = 0.5 * (low + high)
        low, high = (x, high) if conductance(p, v_read, x) < target else (low, x)
    g = conductance(p, v_read, low)
    up = conductance(p, v_read, min(low + potentiation(p, low), 1.0)) - g
    down = g - conductance(p, v_read, max(low - depression(p, low), 0.0))
    return up if device_of(type(p)).one_sided else 0.5 * (up + down)


def rate_of(device: Device) -> Callable[[Any, float, float], float]:
    """Return the function that gives dx/dt for *device*."""
    return device.rate or _rate_of_pulses


def potentiation_of(device: Device) -> Callable[[Any, float], float]:
    """Return the function that gives the SET step for *device*."""
    return device.potentiation or _integrated_set


def depression_of(device: Device) -> Callable[[Any, float], float]:
    """Return the function that gives the RESET step for *device*."""
    return device.depression or _integrated_reset


# The functions below are compiled as they stand; the generics they call are overloaded.


def _rate_of_pulses(p: Any, v: float, x: float) -> float:
    up = potentiation(p, x) / p.t_set if v / p.v_set >= WRITE_THRESHOLD else 0.0
    down = depression(p, x) / p.t_reset if v / p.v_reset >= WRITE_THRESHOLD else 0.0
    return up - down


def change_after(p: Any, v: float, t: float, x: float) -> float:
    """Return the change of state by a constant voltage *v* [V] for *t* [s], from state *x*.

    Dormand-Prince 5(4) with steps of t / 2^n: halved while the estimated error of a step is above
    1e-5 of it or the state would move by more than a quarter of its range, doubled when there is
    room. Steps by powers of two make the choice insensitive to the last bit of a rate. The
    integration ends early where nothing moves any more, so a fixed point costs little, and after
    2000 trials at most. The change is summed on its own, since in single precision the difference
    of two states would lose half the digits of a small step.
    """
    left = t
    h = t
    dx = 0.0 * x
    k1 = rate(p, v, min(max(x, 0.0), 1.0))
    for _ in range(2000):
        if abs(k1) * left <= 1e-8 * abs(dx) + 1e-15:
            return min(max(dx + k1 * left, -x), 1.0 - x)
        while abs(k1) * h > 0.25:
            h = 0.5 * h
        h = min(h, left)
        y = x + dx
        k2 = rate(p, v, min(max(y + h * (k1 / 5.0), 0.0), 1.0))
        z = y + h * (3.0 / 40.0 * k1 + 9.0 / 40.0 * k2)
        k3 = rate(p, v, min(max(z, 0.0), 1.0))
        z = y + h * (44.0 / 45.0 * k1 - 56.0 / 15.0 * k2 + 32.0 / 9.0 * k3)
        k4 = rate(p, v, min(max(z, 0.0), 1.0))
        z = y + h * (
            19372.0 / 6561.0 * k1
            - 25360.0 / 2187.0 * k2
            + 64448.0 / 6561.0 * k3
            - 212.0 / 729.0 * k4
        )
        k5 = rate(p, v, min(max(z, 0.0), 1.0))
        z = y + h * (
            9017.0 / 3168.0 * k1
            - 355.0 / 33.0 * k2
            + 46732.0 / 5247.0 * k3
            + 49.0 / 176.0 * k4
            - 5103.0 / 18656.0 * k5
        )
        k6 = rate(p, v, min(max(z, 0.0), 1.0))
        move = h * (
            35.0 / 384.0 * k1
            + 500.0 / 1113.0 * k3
            + 125.0 / 192.0 * k4
            - 2187.0 / 6784.0 * k5
            + 11.0 / 84.0 * k6
        )
        k7 = rate(p, v, min(max(y + move, 0.0), 1.0))
        miss = h * (
            71.0 / 57600.0 * k1
            - 71.0 / 16695.0 * k3
            + 71.0 / 1920.0 * k4
            - 17253.0 / 339200.0 * k5
            + 22.0 / 525.0 * k6
            - k7 / 40.0
        )
        after = dx + move
        other = after - miss
        above = after >= 1.0 - x and other >= 1.0 - x
        below = after <= -x and other <= -x
        # Beyond a bound both estimates end on it, and the error is nil.
        error = 0.0 if above or below else abs(miss)
        allowed = 1e-5 * abs(move) + 1e-15
        if (error <= allowed and abs(move) <= 0.25) or h <= 1e-12 * t:
            dx = min(max(after, -x), 1.0 - x)
            left = left - h
            k1 = k7
            if left <= 0.0 or dx <= -x or dx >= 1.0 - x:
                return dx
            if 64.0 * error <= allowed:
                h = 2.0 * h
        elif error <= 500.0 * allowed:
            h = 0.5 * h
        else:  # far off, or not a number
            h = 0.125 * h
    return dx


def _integrated_set(p: Any, x: float) -> float:
    return max(change_after(p, p.v_set, p.t_set, x), 0.0)


def _integrated_reset(p: Any, x: float) -> float:
    return max(-change_after(p, p.v_reset, p.t_reset, x), 0.0)
