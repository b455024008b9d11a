"""What is searched when a model is fitted: one coordinate per parameter, of order one.

Which parameters these are follows from their units, so that a new model needs nothing else:

=============== ==========================================================================
``S``           linear, in units of the range of the readings; ``g_ref`` is no property of the
                cell but the conductance at which steps are quoted: it stays in mid-window
``S/pulse``     logarithmic
``pulses``      logarithmic
``1``           linear, within what the model allows (up to +-20)
others          fixed: amplitude and width of the pulse do not show in a trace
=============== ==========================================================================

A model file may narrow the search of a dimensionless parameter, or ask for its inverse where
that is the smooth coordinate, through ``FIT = {"gamma": ("linear", 0.0, 5.0)}``; the other word
is ``"reciprocal"``.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ...errors import DeviceError
from ..contract import Device
from .traces import Traces

__all__ = ["Coordinate", "Search", "make_search", "window_fields"]

_WIDEST = 20.0
_STRAIGHT = 1e-5  # smallest |1/a|: a straight line to the eye, and safe from 0/0

# NeuroSim's nonlinearity is a straight line at A = +-infinity, where the sign changes.
_KNOWN: Mapping[tuple[str, str], tuple[str, float, float]] = {
    ("NeuroSim", "a_up"): ("reciprocal", -_WIDEST, _WIDEST),
    ("NeuroSim", "a_down"): ("reciprocal", -_WIDEST, _WIDEST),
}


def window_fields(device: Device) -> tuple[str, str]:
    """Return the names of the parameters that hold the conductance window, low end first.

    Raises
    ------
    DeviceError
        The model has no such parameters.
    """
    fields = device.window
    if not fields:
        raise DeviceError(
            f"{device.name} has no parameters for the ends of its conductance window; a fit needs "
            "them."
        )
    return fields


class Coordinate(NamedTuple):
    """One parameter as the optimiser sees it.

    ``value = offset + scale u`` (linear), ``scale exp(u)`` (log), ``1 / u`` (reciprocal).
    """

    field: str
    kind: str
    low: float
    high: float
    start: tuple[float, float]
    scale: float = 1.0
    offset: float = 0.0
    vague: float = 3.0  # half-width of an interval from which on nothing is said
    usual: tuple[float, ...] = ()  # where it stands if others can stand in for it

    @property
    def label(self) -> str:
        """Name of the quantity that is estimated."""
        return f"1/{self.field}" if self.kind == "reciprocal" else self.field

    def value(self, u: Any) -> Any:
        """Return the parameter at *u*."""
        if self.kind == "log":
            return self.scale * np.exp(u)
        if self.kind == "reciprocal":
            return 1.0 / np.where(np.abs(u) < _STRAIGHT, np.copysign(_STRAIGHT, u), u)
        return self.offset + self.scale * u

    def shown(self, u: float) -> float:
        """Return the quantity called :attr:`label` at *u*."""
        return float(u if self.kind == "reciprocal" else self.value(u))

    def inverse(self, value: float) -> float:
        """Return the u at which the parameter has *value*."""
        if self.kind == "log":
            return math.log(value / self.scale)
        if self.kind == "reciprocal":
            return 1.0 / value
        return (value - self.offset) / self.scale


class Search(NamedTuple):
    """The coordinates of a model for certain traces, and how to get its parameters from them."""

    device: Device
    coordinates: tuple[Coordinate, ...]

    def table(self, u: np.ndarray) -> np.ndarray:
        """Return parameter sets, shape (m, n_fields), at *u*, shape (m, n_coordinates)."""
        fields = self.device.params._fields
        table = np.tile(np.array(self.device.params(), np.float64), (len(u), 1))
        for k, coordinate in enumerate(self.coordinates):
            table[:, fields.index(coordinate.field)] = coordinate.value(u[:, k])
        if "g_ref" in fields:
            low, high = (table[:, fields.index(name)] for name in window_fields(self.device))
            table[:, fields.index("g_ref")] = 0.5 * (low + high)
        return table

    def params(self, u: np.ndarray) -> Any:
        """Return the parameter tuple at *u*, shape (n_coordinates,)."""
        return self.device.params(*map(float, self.table(u[np.newaxis])[0]))

    def allowed(self, table: np.ndarray) -> np.ndarray:
        """Return for each parameter set whether the model accepts it."""
        objection, make = self.device.objection, self.device.params._make
        return np.array([not objection(make(row)) for row in table.tolist()])


def make_search(device: Device, traces: Traces) -> Search:
    """Return what to search in order to fit *device* to *traces*."""
    low, high = np.quantile(traces.g, (0.02, 0.98))
    if not high > low:
        low, high = traces.g.min(), traces.g.max()
    train = _train_length(traces)
    made = (
        _coordinate(device, field.name, field.unit, float(low), float(high - low), train)
        for field in device.fields().values()
        if field.name != "g_ref"
    )
    return Search(device, tuple(c for c in made if c is not None))


def _train_length(traces: Traces) -> float:
    """Return the number of pulses of a typical train, at least 2."""
    sign = np.sign(traces.pulses)
    breaks = np.flatnonzero((np.diff(sign) != 0) | traces.starts[1:]) + 1
    lengths = [float(np.abs(part).sum()) for part in np.split(traces.pulses, breaks)]
    long = [n for n in lengths if n > 0.3 * max(lengths)]
    return max(float(np.median(long)), 2.0)


def _coordinate(
    device: Device, name: str, unit: str, low: float, width: float, train: float
) -> Coordinate | None:
    if unit == "S":
        at_low, at_high = (name == end for end in window_fields(device))
        least = (1e-6 * width - low) / width
        bottom = max(0.6 if at_high else -2.0, least)
        top = 0.4 if at_low else 3.0
        near = (-0.2, 0.1) if at_low else (0.9, 1.2) if at_high else (0.0, 1.0)
        start = (max(near[0], bottom + 1e-3), max(near[1], bottom + 2e-3))
        return Coordinate(name, "linear", bottom, max(top, bottom + 0.1), start, width, low, 0.75)
    if unit == "S/pulse":
        start = (math.log(0.4 / train), math.log(6.0 / train))
        usual = (0.5 * sum(start),)
        ends = math.log(1e-7), math.log(3.0)
        return Coordinate(name, "log", *ends, start, width, vague=1.6, usual=usual)
    if unit == "pulses":
        start = (math.log(max(0.4 * train, 1.0)), math.log(3.0 * train))
        return Coordinate(name, "log", 0.0, math.log(1e7), start, vague=1.6)
    return _shape(device, name) if unit == "1" else None


def _shape(device: Device, name: str) -> Coordinate:
    """Return the coordinate of a dimensionless parameter."""
    own = getattr(sys.modules.get(device.params.__module__), "FIT", {})
    known = own.get(name) or _KNOWN.get((device.name, name))
    kind, low, high = known or ("linear", *_limits(device, name))
    points = [device.params(), *(preset.params for preset in device.presets.values())]
    values = [float(getattr(p, name)) for p in points]
    usual = tuple(1.0 / v for v in values) if kind == "reciprocal" else tuple(values)
    spread = max(max(map(abs, values)), 0.5)
    if kind == "reciprocal":
        values, spread = [0.0], 4.0  # from one strong curvature to the other
    start = (max(min(values) - spread, low), min(max(values) + spread, high))
    return Coordinate(name, kind, low, high, start, usual=usual)


def _limits(device: Device, name: str) -> tuple[float, float]:
    """Return how far *name* may go from its default before the model objects."""
    default = float(getattr(device.params(), name))
    return _reach(device, name, default, -1.0), _reach(device, name, default, 1.0)


def _reach(device: Device, name: str, default: float, sign: float) -> float:
    p = device.params()
    good, bad = default, None
    for value in _outwards(default, sign):
        if device.objection(p._replace(**{name: value})):
            bad = value
            break
        good = value
    if bad is None:
        return good
    for _ in range(40):
        middle = 0.5 * (good + bad)
        if device.objection(p._replace(**{name: middle})):
            bad = middle
        else:
            good = middle
    return good


def _outwards(default: float, sign: float) -> Iterator[float]:
    yield from (default + sign * d for d in np.geomspace(1e-3, _WIDEST, 60).tolist())
