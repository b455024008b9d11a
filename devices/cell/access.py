"""The access transistor of a 1T1R cell: an NMOS of SPICE level 1 (Shichman-Hodges).

    v_on = vto + gamma (sqrt(phi + v_sb) - sqrt(phi)),    over = v_gs - v_on
    i_d  = 0                                                     over <= 0     (cutoff)
    i_d  = kp w/l (1 + lam v_ds) (over - v_ds / 2) v_ds          v_ds < over   (triode)
    i_d  = kp w/l (1 + lam v_ds) over^2 / 2                      v_ds >= over  (saturation)

Drain is whichever terminal is at the higher voltage. With the body forward biased (v_sb < 0) the
square root is continued as its tangent, not below zero. These are the equations of ngspice for
``LEVEL=1`` with VTO, KP, GAMMA, PHI, LAMBDA, W and L at its nominal temperature, so that the same
transistor stands in a netlist. Gate current, junctions to the body, capacitances and the region
below threshold are left out.

References
----------
H. Shichman, D. A. Hodges, "Modeling and simulation of insulated-gate field-effect transistor
switching circuits", IEEE J. Solid-State Circuits 3(3), 1968, doi:10.1109/JSSC.1968.1049902.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from math import sqrt
from typing import Annotated, Any, NamedTuple, get_type_hints

from ...errors import DeviceError, nearest
from ..contract import Field

__all__ = ["ACCESS", "Nmos", "access_fields", "channel_current", "drain_current", "make_access"]


class Nmos(NamedTuple):
    """Parameters of the access transistor; the defaults are our choice, not a process.

    They match a cell of about 100 uS: 6.4 kohm fully on at a gate voltage of 3.3 V and, since the
    channel is long, a compliance current of some ten microamperes between 1.2 and 2 V.
    """

    kp: Annotated[float, "A/V^2", "transconductance parameter, mobility times oxide capacitance"]
    vto: Annotated[float, "V", "threshold voltage at zero body bias"]
    gamma: Annotated[float, "V^0.5", "body-effect coefficient"]
    phi: Annotated[float, "V", "surface potential"]
    lam: Annotated[float, "1/V", "channel-length modulation"]
    w: Annotated[float, "m", "channel width"]
    l: Annotated[float, "m", "channel length"]  # noqa: E741, the field's own letter


ACCESS = Nmos(kp=100e-6, vto=0.7, gamma=0.45, phi=0.7, lam=0.02, w=0.36e-6, l=0.6e-6)
"""The default access transistor: our choice, see :class:`Nmos`."""

_POSITIVE = ("kp", "phi", "w", "l")
_NOT_NEGATIVE = ("gamma", "lam")


def access_fields() -> dict[str, Field]:
    """Return name, unit, meaning and default of every parameter of the transistor."""
    hints = get_type_hints(Nmos, include_extras=True)
    return {
        name: Field(name, *hints[name].__metadata__, default=value)
        for name, value in ACCESS._asdict().items()
    }


def make_access(overrides: Mapping[str, float], base: Nmos = ACCESS) -> Nmos:
    """Return the transistor *base* with *overrides* (parameter name to value in SI units).

    Raises
    ------
    DeviceError
        If a name is unknown or a value is not allowed.
    """
    given: dict[str, float] = {}
    for name, value in overrides.items():
        if name not in Nmos._fields:
            raise DeviceError("access transistor: " + nearest(name, Nmos._fields, "parameter"))
        number = not isinstance(value, bool) and isinstance(value, int | float)
        if not number or not math.isfinite(value):
            raise DeviceError(
                f"access transistor: {name} is {value!r}; allowed is a finite number."
            )
        given[name] = float(value)
    m = base._replace(**given)
    units = access_fields()
    for names, allowed, least in ((_POSITIVE, "> 0", 0.0), (_NOT_NEGATIVE, ">= 0", -5e-324)):
        for name in names:
            if getattr(m, name) <= least:
                raise DeviceError(
                    f"access transistor: {name} is {getattr(m, name):g} {units[name].unit}; "
                    f"allowed is {allowed}."
                )
    return m


# The functions below are compiled as they stand (:mod:`.dispatch`).


def channel_current(m: Any, v_gs: float, v_ds: float, v_sb: float) -> float:
    """Return the drain current [A] for v_ds >= 0 [V], source and drain already told apart."""
    root = sqrt(m.phi)
    bulk = sqrt(m.phi + v_sb) if v_sb >= 0.0 else max(root + v_sb / (2.0 * root), 0.0)
    over = max(v_gs - (m.vto + m.gamma * (bulk - root)), 0.0)
    v = min(v_ds, over)
    return m.kp * m.w / m.l * (1.0 + m.lam * v_ds) * (over - 0.5 * v) * v


def drain_current(m: Any, v_g: float, v_d: float, v_s: float, v_b: float = 0.0) -> float:
    """Return the current [A] from drain to source, the terminals at the voltages given [V].

    The transistor is symmetric: exchanging *v_d* and *v_s* changes the sign.
    """
    if v_d >= v_s:
        return channel_current(m, v_g - v_s, v_d - v_s, v_s - v_b)
    return -channel_current(m, v_g - v_d, v_s - v_d, v_d - v_b)
