"""A 1T1R cell: the memristor from the bit line to an inner node, the transistor on to the source.

SET drives the bit line with the source line at 0 V. The gate voltage then caps the current, and
as the memristor's conductance rises its voltage falls, until the state moves no more: the gate
sets the conductance (compliance). RESET drives the source line with the bit line at 0 V. The
transistor's source is then the inner node, so that the voltage across the memristor cannot exceed
the gate voltage less the threshold: RESET wants a high gate and the amplitude sets its depth.

A model whose SET voltage is negative (``v_set < 0``) is mounted the other way round, so that a
positive bit line always means SET. The body of the transistor is at 0 V.

The functions are plain Python, compiled as they stand by :mod:`.dispatch`. They compute in
double precision. Where a transistor is expected, ``None`` means a cell without one.

References
----------
T. R. Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a
nonlinear function without using derivatives", Advances in Engineering Software 28(3), 1997,
doi:10.1016/S0965-9978(96)00051-8.
"""

from __future__ import annotations

from typing import Any

from ..contract import conductance, current
from .access import channel_current

__all__ = ["cell_conductance", "cell_current", "memristor_voltage"]


def memristor_voltage(p: Any, m: Any, v_g: float, v_bl: float, v_sl: float, x: float) -> float:
    """Return the voltage [V] across the memristor, in the sign of its own model.

    Parameters
    ----------
    p : parameter tuple
        The memristor.
    m : Nmos or None
        The access transistor; without one the memristor takes the whole voltage.
    v_g, v_bl, v_sl : float
        Gate, bit-line and source-line voltage [V].
    x : float
        State of the memristor.
    """
    side = 1.0 if (v_bl >= v_sl) == (p.v_set > 0.0) else -1.0
    if m is None:
        return side * abs(v_bl - v_sl)
    return side * memristor_drop(p, m, v_g, v_bl, v_sl, x)


def cell_current(p: Any, m: Any, v_g: float, v_bl: float, v_sl: float, x: float) -> float:
    """Return the current [A] from the bit line to the source line; see `memristor_voltage`."""
    i = current(p, memristor_voltage(p, m, v_g, v_bl, v_sl, x), x)
    return i if p.v_set > 0.0 else -i


def cell_conductance(p: Any, m: Any, v_g: float, v_read: float, x: float) -> float:
    """Return the chord conductance [S] of the cell, read by the bit line at *v_read* [V], not 0.

    Without a transistor it is that of the memristor at *v_read*, in the model's own sign.
    """
    if m is None:
        return conductance(p, v_read, x)
    return cell_current(p, m, v_g, v_read, 0.0, x) / v_read


def excess(
    p: Any, m: Any, v_g: float, v_bl: float, v_sl: float, x: float, small: bool, t: float
) -> float:
    """Return the current [A] that one element would carry in excess of the other, rising with *t*.

    *t* [V] is the drop across the memristor, which carries the excess, if *small*; else the drop
    across the transistor, which then carries it. The other element takes the rest.
    """
    total = abs(v_bl - v_sl)
    u = t if small else total - t
    d = total - t if small else t
    side = 1.0 if (v_bl >= v_sl) == (p.v_set > 0.0) else -1.0
    source = v_sl if v_bl >= v_sl else v_bl + u
    i = side * current(p, side * u, x) - channel_current(m, v_g - source, d, source)
    return i if small else -i


def memristor_drop(p: Any, m: Any, v_g: float, v_bl: float, v_sl: float, x: float) -> float:
    """Return the magnitude [V] of the memristor's voltage: Kirchhoff's law at the inner node.

    The unknown is the smaller of the two drops, so that both keep full relative precision. It is
    bracketed all the way, by Chandrupatla's method; each element's current grows with its drop.
    """
    total = abs(v_bl - v_sl)
    a, b = 0.5 * total, 0.0 * total
    fa = excess(p, m, v_g, v_bl, v_sl, x, True, a)
    small = fa > 0.0
    fa = abs(fa)
    fb = excess(p, m, v_g, v_bl, v_sl, x, small, b)
    c, fc = b, fb
    step = 0.5
    best = a if fa < abs(fb) else b
    for _ in range(400):
        t = a + step * (b - a)
        if fa == 0.0 or fb == 0.0 or t in (a, b):
            break
        ft = excess(p, m, v_g, v_bl, v_sl, x, small, t)
        c, fc = (a, fa) if (ft > 0.0) == (fa > 0.0) else (b, fb)
        b, fb = (b, fb) if (ft > 0.0) == (fa > 0.0) else (a, fa)
        a, fa = t, ft
        best = a if abs(fa) < abs(fb) else b
        least = 2.3e-16 * best / abs(b - a)
        if least > 0.5:
            break
        step = max(min(next_step(a, b, c, fa, fb, fc), 1.0 - least), least)
    return best if small else total - best


def next_step(a: float, b: float, c: float, fa: float, fb: float, fc: float) -> float:
    """Return where to look next, as a fraction of the way from *a* to *b*.

    By inverse quadratic interpolation where the three points lie on a curve tame enough for it,
    else half way.
    """
    xi = (a - b) / (c - b)
    phi = (fa - fb) / (fc - fb)
    if phi * phi < xi and (1.0 - phi) * (1.0 - phi) < 1.0 - xi:
        near = fa / (fb - fa) * fc / (fb - fc)
        return near + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return 0.5
