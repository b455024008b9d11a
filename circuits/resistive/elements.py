"""Currents of the clamping diodes, for the kernels.

A node's diodes are one element with two terminals: from the node (anode) to the upper rail
(cathode), and from the lower rail (anode) to the node (cathode). An infinite rail has no diode.

The Shockley diode follows ngspice 39 to the last digit: an exponential down to -3 n V_t, below it
the cubic ``-i_s (1 + (3 n V_t / (e V))**3)``, and gmin in parallel with the junction. The
piecewise-linear diode is the clamp of EBANA (Watfa et al. 2023), ``max((V - v_on) / r_on,
(V - v_on) / r_off)``. An ideal diode carries whatever current keeps the node on its rail, so it
has no current as a function of voltage: see :func:`held`.
"""

from __future__ import annotations

import math

import numpy as np

from ...jit import inlined, kernel
from .network import _IDEAL, _SHOCKLEY

__all__ = ["clamp", "clamp_content", "clamp_parts", "held", "junction", "resolve"]

_KNEE = -3.0
_NEWTON_LIMIT = 40


@inlined
def junction(diode, v):
    """Return current [A] and its derivative [S] of one diode at *v* [V], anode minus cathode."""
    if diode.kind == _SHOCKLEY:
        scale = diode.n * diode.v_t
        if v >= _KNEE * scale:
            grown = diode.i_s * math.exp(v / scale)
            return grown - diode.i_s + diode.gmin * v, grown / scale + diode.gmin
        ratio = 3.0 * scale / (math.e * v)
        cube = ratio * ratio * ratio
        leak = -diode.i_s * (1.0 + cube)
        return leak + diode.gmin * v, 3.0 * diode.i_s * cube / v + diode.gmin
    if diode.kind == _IDEAL:
        return 0.0, 0.0
    r = diode.r_on if v > diode.v_on else diode.r_off
    return (v - diode.v_on) / r, 1.0 / r


@inlined
def clamp(diode, low, high, v):
    """Return the current [A] out of a node at *v* through its diodes, and its derivative [S]."""
    current, slope = 0.0, 0.0
    if high < np.inf:
        i, di = junction(diode, v - high)
        current += i
        slope += di
    if low > -np.inf:
        i, di = junction(diode, low - v)
        current -= i
        slope += di
    return current, slope


@inlined
def clamp_parts(diode, low, high, v):
    """Return the currents [A] out of a node into its upper and into its lower rail."""
    up = junction(diode, v - high)[0] if high < np.inf else 0.0
    down = -junction(diode, low - v)[0] if low > -np.inf else 0.0
    return up, down


@inlined
def _content(diode, v):
    """Return the integral [W] of a diode's current from 0 to *v*."""
    if diode.kind == _SHOCKLEY:
        scale = diode.n * diode.v_t
        shunt = 0.5 * diode.gmin * v * v
        if v >= _KNEE * scale:
            return diode.i_s * (scale * math.expm1(v / scale) - v) + shunt
        third = 3.0 * scale / math.e
        joined = -scale * (1.0 + 0.5 * math.exp(_KNEE))  # both branches agree at the knee
        return diode.i_s * (joined - v + third * third * third / (2.0 * v * v)) + shunt
    if diode.kind == _IDEAL:
        return 0.0
    rest = 0.5 * diode.v_on * diode.v_on / (diode.r_on if diode.v_on < 0.0 else diode.r_off)
    beyond = v - diode.v_on
    return 0.5 * beyond * beyond / (diode.r_on if beyond > 0.0 else diode.r_off) - rest


@inlined
def clamp_content(diode, low, high, v):
    """Return the co-content [W] of a node's diodes at *v*; 0 with no voltage across them."""
    content = 0.0
    if high < np.inf:
        content += _content(diode, v - high)
    if low > -np.inf:
        content += _content(diode, low - v)
    return content


@inlined
def held(diode, low, high, v, f):
    """Return whether an ideal diode holds a node at *v* into which the rest drives *f* [A]."""
    return diode.kind == _IDEAL and ((v >= high and f > 0.0) or (v <= low and f < 0.0))


@kernel
def resolve(diode, low, high, conductance, pull, v):
    """Return the voltage at which ``conductance * v`` and the diodes draw *pull* [A].

    This is a node on its own, its neighbours standing still. *v* is returned where the
    conductance is not positive: such a node has no minimum of its own.
    """
    if conductance <= 0.0:
        return v
    free = pull / conductance
    if diode.kind == _IDEAL:
        return min(max(free, low), high)
    v = free
    if diode.kind == _SHOCKLEY:
        # a diode alone would need at most this voltage for all of the current
        scale = diode.n * diode.v_t
        if free > high:
            v = high + min(
                free - high, scale * math.log1p((free - high) * conductance / diode.i_s)
            )
        elif free < low:
            v = low - min(low - free, scale * math.log1p((low - free) * conductance / diode.i_s))
    for _ in range(_NEWTON_LIMIT):
        i, slope = clamp(diode, low, high, v)
        change = (pull - conductance * v - i) / (conductance + slope)
        v += change
        if abs(change) <= 1e-9 * (abs(v) + 1e-3):
            break
    return v
