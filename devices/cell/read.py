"""A 1T1R cell in a read: the bit line at the read voltage, source line and body at 0 V.

The transistor then has one curve for all cells and states, without body effect, so a read needs a
few Newton steps where :mod:`.series` solves for any line voltages; and the state that gives a
wanted conductance needs no solution of the cell at all: the current is known, hence the
transistor's drop, hence the memristor's voltage.

The functions are plain Python, compiled as they stand by :mod:`.dispatch`, in double
precision. Where a channel is expected, ``None`` means a cell without a transistor: its
conductance is that of the memristor at the read voltage, in the model's own sign.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import DeviceError
from ..contract import conductance, conductance_step, current, depression, device_of, potentiation
from .access import Nmos

__all__ = [
    "Channel",
    "make_channel",
    "memristor_share",
    "open_resistance",
    "read_conductance",
    "read_step",
]


class Channel(NamedTuple):
    """The access transistor of a read.

    Attributes
    ----------
    k : float
        Its kp w/l [A/V^2].
    over : float
        Gate voltage above threshold [V], > 0.
    lam : float
        Channel-length modulation [1/V].
    """

    k: float
    over: float
    lam: float


def make_channel(m: Nmos | None, v_gate: float) -> Channel | None:
    """Return the transistor *m* with its gate at *v_gate* [V].

    Raises
    ------
    DeviceError
        If that gate voltage does not turn it on.
    """
    if m is None:
        return None
    if not m.vto < v_gate < float("inf"):
        raise DeviceError(
            f"access transistor: v_gate is {v_gate:g} V; allowed is a finite voltage above its "
            f"threshold vto, {m.vto:g} V."
        )
    return Channel(float(m.kp * m.w / m.l), float(v_gate - m.vto), float(m.lam))


def open_resistance(channel: Channel) -> float:
    """Return the resistance [ohm] of the transistor at a small drop."""
    return 1.0 / (channel.k * channel.over)


def read_step(p: Any, channel: Channel | None, v_read: float) -> float:
    """Return the mean change of the cell's conductance [S] by a SET and a RESET pulse.

    As :func:`~..contract.conductance_step`: at the memristor's ``g_ref``, or where the cell is at
    the mean of its end conductances if the model has none; the SET step alone where a RESET pulse
    erases the cell.
    """
    if channel is None:
        return conductance_step(p, v_read)
    seen = channel if not hasattr(p, "g_ref") else None
    ends = (read_conductance(p, seen, v_read, x) for x in (0.0, 1.0))
    target = getattr(p, "g_ref", 0.5 * sum(ends))
    low, high = 0.0, 1.0
    for _ in range(60):
        x = 0.5 * (low + high)
        low, high = (x, high) if read_conductance(p, seen, v_read, x) < target else (low, x)
    g = read_conductance(p, channel, v_read, low)
    set_to = min(low + potentiation(p, low), 1.0)
    up = read_conductance(p, channel, v_read, set_to) - g
    if device_of(type(p)).one_sided:
        return up
    reset_to = max(low - depression(p, low), 0.0)
    return 0.5 * (up + g - read_conductance(p, channel, v_read, reset_to))


# The functions below are compiled as they stand (:mod:`.dispatch`).


def read_conductance(p: Any, channel: Any, v_read: float, x: float) -> float:
    """Return the conductance [S] of the cell at *v_read* > 0 [V] and state *x*."""
    if channel is None:
        return conductance(p, v_read, x)
    return series_current(p, channel, 1.0 * v_read, x) / v_read


def series_current(p: Any, channel: Any, v: float, x: float) -> float:
    """Return the current [A] at *v* > 0 [V]: Kirchhoff's law at the node between the two.

    Newton's method for the transistor's drop, with the memristor's slope from the last two
    voltages, kept in a bracket. The first guess takes both for ohmic.
    """
    side = 1.0 if p.v_set > 0.0 else -1.0
    low, high = 0.0, v
    u, i = v, side * current(p, side * v, x)
    slope = i / v
    drop = i / (slope + channel.k * channel.over)
    for _ in range(100):
        now = side * current(p, side * (v - drop), x)
        if u != v - drop:
            slope = max((i - now) / (u - (v - drop)), 0.0)
        u, i = v - drop, now
        excess = channel_now(channel, drop) - i
        low, high = (low, drop) if excess > 0.0 else (drop, high)
        ahead = drop - excess / (channel_slope(channel, drop) + slope)
        if not low <= ahead <= high:
            ahead = 0.5 * (low + high)
        moved = abs(ahead - drop)
        drop = ahead
        # The error after a step is about the product of the last two, relative to the drop.
        if moved <= 1e-9 * drop:
            break
    return channel_now(channel, drop)


def memristor_share(channel: Any, v_read: float, g: float) -> tuple[float, float]:
    """Return voltage [V] and conductance [S] of the memristor where the cell has *g* [S].

    The voltage is positive; it is 0 where no memristor is enough, since the transistor alone has
    no more than *g*.
    """
    v = 1.0 * v_read
    i = g * v
    if i >= channel_now(channel, v):
        return 0.0 * v, 1.0 * g
    low, high = 0.0, v
    drop = max(i / (channel.k * channel.over), 0.0)
    for _ in range(100):
        excess = channel_now(channel, drop) - i
        low, high = (low, drop) if excess > 0.0 else (drop, high)
        ahead = drop - excess / channel_slope(channel, drop)
        if not low <= ahead <= high:
            ahead = 0.5 * (low + high)
        moved = abs(ahead - drop)
        drop = ahead
        if moved <= 1e-9 * drop:
            break
    return v - drop, i / (v - drop)


def channel_now(channel: Any, drop: float) -> float:
    """Return the transistor's current [A] at *drop* >= 0 [V]."""
    v = min(drop, channel.over)
    return channel.k * (1.0 + channel.lam * drop) * (channel.over - 0.5 * v) * v


def channel_slope(channel: Any, drop: float) -> float:
    """Return its derivative with the drop [S]."""
    v = min(drop, channel.over)
    triode = (1.0 + channel.lam * drop) * (channel.over - v)
    return channel.k * (triode + channel.lam * (channel.over - 0.5 * v) * v)
