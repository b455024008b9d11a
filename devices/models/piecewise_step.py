"""Piecewise step: the step is read off a table over the window, straight lines in between.

The table holds the steps of SET and RESET at eleven equally spaced conductances, from ``g_min``
(x = 0) to ``g_max`` (x = 1), as fractions of ``dg_up`` and ``dg_down``:

    up:    dG = dg_up   sum_k up_k   max(1 - |10 x - k|, 0),    k = 0 .. 10
    down:  dG = dg_down sum_k down_k max(1 - |10 x - k|, 0)

:func:`piecewise_from_points` makes it from measured steps, and :func:`tabulated` from another
model, whose pulse response then costs a table instead of an integration.

References
----------
M. J. Rasch et al., "A flexible and fast PyTorch toolkit for simulating training and inference on
analog crossbar arrays" (PiecewiseStep), AICAS 2021, doi:10.1109/AICAS51828.2021.9458494.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DeviceError
from .. import contract
from ..contract import Device

__all__ = ["DEVICE", "NODES", "PiecewiseStep", "piecewise_from_points", "tabulated"]

NODES = 11


class PiecewiseStep(NamedTuple):
    """Parameters of the piecewise-step model."""

    g_min: Annotated[float, "S", "lower end of the conductance window"] = 5e-6
    g_max: Annotated[float, "S", "upper end of the conductance window"] = 100e-6
    dg_up: Annotated[float, "S/pulse", "unit of the steps of SET"] = 0.2375e-6
    dg_down: Annotated[float, "S/pulse", "unit of the steps of RESET"] = 0.2375e-6
    up_0: Annotated[float, "1", "step of SET at x = 0, in dg_up"] = 1.0
    up_1: Annotated[float, "1", "step of SET at x = 0.1, in dg_up"] = 1.0
    up_2: Annotated[float, "1", "step of SET at x = 0.2, in dg_up"] = 1.0
    up_3: Annotated[float, "1", "step of SET at x = 0.3, in dg_up"] = 1.0
    up_4: Annotated[float, "1", "step of SET at x = 0.4, in dg_up"] = 1.0
    up_5: Annotated[float, "1", "step of SET at x = 0.5, in dg_up"] = 1.0
    up_6: Annotated[float, "1", "step of SET at x = 0.6, in dg_up"] = 1.0
    up_7: Annotated[float, "1", "step of SET at x = 0.7, in dg_up"] = 1.0
    up_8: Annotated[float, "1", "step of SET at x = 0.8, in dg_up"] = 1.0
    up_9: Annotated[float, "1", "step of SET at x = 0.9, in dg_up"] = 1.0
    up_10: Annotated[float, "1", "step of SET at x = 1, in dg_up"] = 1.0
    down_0: Annotated[float, "1", "step of RESET at x = 0, in dg_down"] = 1.0
    down_1: Annotated[float, "1", "step of RESET at x = 0.1, in dg_down"] = 1.0
    down_2: Annotated[float, "1", "step of RESET at x = 0.2, in dg_down"] = 1.0
    down_3: Annotated[float, "1", "step of RESET at x = 0.3, in dg_down"] = 1.0
    down_4: Annotated[float, "1", "step of RESET at x = 0.4, in dg_down"] = 1.0
    down_5: Annotated[float, "1", "step of RESET at x = 0.5, in dg_down"] = 1.0
    down_6: Annotated[float, "1", "step of RESET at x = 0.6, in dg_down"] = 1.0
    down_7: Annotated[float, "1", "step of RESET at x = 0.7, in dg_down"] = 1.0
    down_8: Annotated[float, "1", "step of RESET at x = 0.8, in dg_down"] = 1.0
    down_9: Annotated[float, "1", "step of RESET at x = 0.9, in dg_down"] = 1.0
    down_10: Annotated[float, "1", "step of RESET at x = 1, in dg_down"] = 1.0
    v_set: Annotated[float, "V", "amplitude of the nominal SET pulse"] = 2.0
    t_set: Annotated[float, "s", "width of the nominal SET pulse"] = 100e-9
    v_reset: Annotated[float, "V", "amplitude of the nominal RESET pulse"] = -2.0
    t_reset: Annotated[float, "s", "width of the nominal RESET pulse"] = 100e-9


def current(p: Any, v: float, x: float) -> float:
    """Return the current [A] of a linear conductor."""
    return (p.g_min + (p.g_max - p.g_min) * x) * v


def potentiation(p: Any, x: float) -> float:
    """Return the increase of state by a SET pulse."""
    u = 10.0 * min(max(x, 0.0), 1.0)
    step = (
        p.up_0 * max(1.0 - abs(u - 0.0), 0.0)
        + p.up_1 * max(1.0 - abs(u - 1.0), 0.0)
        + p.up_2 * max(1.0 - abs(u - 2.0), 0.0)
        + p.up_3 * max(1.0 - abs(u - 3.0), 0.0)
        + p.up_4 * max(1.0 - abs(u - 4.0), 0.0)
        + p.up_5 * max(1.0 - abs(u - 5.0), 0.0)
        + p.up_6 * max(1.0 - abs(u - 6.0), 0.0)
        + p.up_7 * max(1.0 - abs(u - 7.0), 0.0)
        + p.up_8 * max(1.0 - abs(u - 8.0), 0.0)
        + p.up_9 * max(1.0 - abs(u - 9.0), 0.0)
        + p.up_10 * max(1.0 - abs(u - 10.0), 0.0)
    )
    return p.dg_up * step / (p.g_max - p.g_min)


def depression(p: Any, x: float) -> float:
    """Return the decrease of state by a RESET pulse."""
    u = 10.0 * min(max(x, 0.0), 1.0)
    step = (
        p.down_0 * max(1.0 - abs(u - 0.0), 0.0)
        + p.down_1 * max(1.0 - abs(u - 1.0), 0.0)
        + p.down_2 * max(1.0 - abs(u - 2.0), 0.0)
        + p.down_3 * max(1.0 - abs(u - 3.0), 0.0)
        + p.down_4 * max(1.0 - abs(u - 4.0), 0.0)
        + p.down_5 * max(1.0 - abs(u - 5.0), 0.0)
        + p.down_6 * max(1.0 - abs(u - 6.0), 0.0)
        + p.down_7 * max(1.0 - abs(u - 7.0), 0.0)
        + p.down_8 * max(1.0 - abs(u - 8.0), 0.0)
        + p.down_9 * max(1.0 - abs(u - 9.0), 0.0)
        + p.down_10 * max(1.0 - abs(u - 10.0), 0.0)
    )
    return p.dg_down * step / (p.g_max - p.g_min)


def piecewise_from_points(
    g: ArrayLike, dg_up: ArrayLike, dg_down: ArrayLike, **pulse: float
) -> PiecewiseStep:
    """Return the parameters of a cell whose steps were measured.

    Parameters
    ----------
    g : array_like, shape (n,)
        Conductances [S], rising; the first and the last become the window.
    dg_up, dg_down : array_like, shape (n,)
        Size of the step by a SET and by a RESET pulse from there [S], not negative. Between the
        points they are taken as straight lines.
    **pulse : float
        Any of ``v_set``, ``t_set``, ``v_reset``, ``t_reset`` [V, s].

    Raises
    ------
    DeviceError
        If there are fewer than two points, they do not rise, or a step is negative throughout
        or not finite.
    """
    at = np.asarray(g, dtype=float)
    up, down = np.asarray(dg_up, dtype=float), np.asarray(dg_down, dtype=float)
    if at.ndim != 1 or at.size < 2 or not up.shape == down.shape == at.shape:
        raise DeviceError(
            f"steps of shapes {up.shape} and {down.shape} at conductances of shape {at.shape}; "
            "allowed are three lists of one length, at least 2."
        )
    if not (np.all(np.isfinite(at)) and np.all(np.diff(at) > 0) and at[0] > 0):
        raise DeviceError("the conductances of a table must be finite, above 0 S and rising.")
    nodes = np.linspace(at[0], at[-1], NODES)
    unit_up, up_k = _column("SET", nodes, at, up)
    unit_down, down_k = _column("RESET", nodes, at, down)
    return PiecewiseStep(float(at[0]), float(at[-1]), unit_up, unit_down, *up_k, *down_k)._replace(
        **pulse
    )


def _column(name: str, nodes: NDArray, at: NDArray, step: NDArray) -> tuple[float, list[float]]:
    """Return the unit [S] and the relative table of one direction: 1 is its mean."""
    if not np.all(np.isfinite(step)) or np.any(step < 0) or not np.any(step > 0):
        raise DeviceError(
            f"the steps of {name} range from {np.min(step):g} to {np.max(step):g} S; allowed "
            "are finite sizes >= 0, not all of them 0."
        )
    table = np.interp(nodes, at, step)
    unit = float(np.mean(table))
    return unit, (table / unit).tolist()


def tabulated(p: Any, v_read: float = 0.2) -> PiecewiseStep:
    """Return the table of the nominal pulse response of another model's parameters *p*.

    The cell is then a linear conductor with the conductance it has at *v_read* [V]. Each step is
    that from the node itself; where steps vary much between two nodes the table is coarse.
    """
    low, high = (contract.conductance(p, v_read, x) for x in (0.0, 1.0))
    states = np.linspace(0.0, 1.0, 2001)
    g = np.array([contract.conductance(p, v_read, x) for x in states.tolist()])
    nodes = np.linspace(low, high, NODES)
    at = np.interp(nodes, g, states).tolist()

    def shown(x: float) -> float:
        return contract.conductance(p, v_read, min(max(x, 0.0), 1.0))

    up = [shown(x + contract.potentiation(p, x)) - shown(x) for x in at]
    down = [shown(x) - shown(x - contract.depression(p, x)) for x in at]
    pulse = {n: getattr(p, n) for n in ("v_set", "t_set", "v_reset", "t_reset")}
    return piecewise_from_points(nodes, up, down, **pulse)


def _objection(p: Any) -> str:
    for kind in ("up", "down"):
        table = [getattr(p, f"{kind}_{k}") for k in range(NODES)]
        if min(table) < 0 or max(table) == 0:
            return (
                f"{kind}_0 to {kind}_{NODES - 1} range from {min(table):g} to {max(table):g}; "
                "allowed is >= 0, not all of them 0."
            )
    return ""


DEVICE = Device(
    name="PiecewiseStep",
    params=PiecewiseStep,
    current=current,
    potentiation=potentiation,
    depression=depression,
    objection=_objection,
    reference=(
        "M. J. Rasch et al., A flexible and fast PyTorch toolkit for simulating training and "
        "inference on analog crossbar arrays (PiecewiseStep), AICAS 2021, "
        "doi:10.1109/AICAS51828.2021.9458494"
    ),
)
