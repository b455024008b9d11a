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


@inlined
def _upper(diode, low, high, conductance, pull):
    """Return a voltage above the one that :func:`resolve` seeks.

    From the upper rail on no diode drives current into the node, so it lies below the voltage it
    would have without them, and below the one at which the upper diode alone draws everything.
    """
    free = pull / conductance if conductance > 0.0 else (np.inf if pull > 0.0 else -np.inf)
    if high == np.inf:
        return max(low, free) if free < np.inf else low + pull / diode.gmin
    if diode.kind != _SHOCKLEY:
        return max(high + diode.v_on, free)
    rest = pull - conductance * high
    if rest <= 0.0:
        return high
    return min(free, high + diode.n * diode.v_t * math.log1p(rest / diode.i_s))


@kernel
def resolve(diode, low, high, conductance, pull, v):
    """Return the voltage at which ``conductance * v`` and the diodes draw *pull* [A].

    This is a node on its own, its neighbours standing still. *v* is returned where there is no
    such voltage: with a negative conductance, or with nothing to hold the node.
    """
    if conductance < 0.0 or (conductance == 0.0 and diode.kind != _SHOCKLEY):
        return v
    free = pull / conductance if conductance > 0.0 else v
    if diode.kind == _IDEAL:
        return min(max(free, low), high)
    above = _upper(diode, low, high, conductance, pull)
    below = -_upper(diode, -high, -low, conductance, -pull)
    if not (below > -np.inf and above < np.inf):
        return v
    v = min(max(free, below), above)  # at the bound the diode's curve is convex: Newton descends
    for _ in range(_NEWTON_LIMIT):
        i, slope = clamp(diode, low, high, v)
        surplus = pull - conductance * v - i
        if surplus > 0.0:
            below = v
        else:
            above = v
        following = v + surplus / (conductance + slope)
        if not below <= following <= above:
            following = 0.5 * (below + above)
        if abs(following - v) <= 1e-9 * (abs(v) + 1e-3):
            return following
        v = following
    return v
