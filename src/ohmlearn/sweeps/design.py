"""Which points a sweep has: grids, lists, and random or Sobol designs in ranges.

A value stays the text that the user wrote: what an experiment makes of it is decided where
experiments are read, and the table of results shows what was asked for.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np

from ..errors import ConfigError, nearest
from ..experiment import Experiment

__all__ = [
    "DESIGNS",
    "Axis",
    "Point",
    "Span",
    "make_points",
    "parse_axes",
    "refuse_too_many",
    "whole_numbers",
]

DESIGNS = ("grid", "list", "random", "sobol")

Point = tuple[str, ...]
"""One value, as text, for each axis."""

_DRAWN = ("random", "sobol")
_MOST = 100_000  # runs; a mistyped number should not fill the memory
_OPEN, _CLOSED = "[{", "]}"

# Keys whose field takes anything, because other values of it have another type.
_WHOLE = frozenset({"device.levels"})


class Span(NamedTuple):
    """A range of numbers, both ends included; with *log* their logarithm is spread evenly."""

    low: float
    high: float
    log: bool


class Axis(NamedTuple):
    """A swept key with its values, or with a range to draw them from."""

    key: str
    values: tuple[str, ...]
    span: Span | None = None


def parse_axes(texts: Sequence[str], design: str = "grid") -> list[Axis]:
    """Read ``key=v1,v2,...`` and, for designs that draw, ``key=low:high[:log]``.

    Raises
    ------
    ConfigError
        A text is of another form, names a key twice, or gives a value twice.
    """
    if design not in DESIGNS:
        raise ConfigError(f"--design: {nearest(design, DESIGNS, 'design')}")
    if not texts:
        raise ConfigError("there is nothing to sweep: give at least one --over KEY=V1,V2,...")
    axes = [_parse(text, design) for text in texts]
    keys = [axis.key for axis in axes]
    for key in keys:
        if keys.count(key) > 1:
            raise ConfigError(f"--over {key} is given twice; list all its values in one.")
    return axes


def _parse(text: str, design: str) -> Axis:
    key, equals, rest = (part.strip() for part in text.partition("="))
    if not equals or not all(key.split(".")):
        raise ConfigError(
            f"--over {text}: write it as section.key=v1,v2,..., such as "
            "device.cycle_to_cycle=0,0.1,0.3."
        )
    if key == "run.seed":
        raise ConfigError("--over run.seed: seeds are swept with --seeds N.")
    span = _span(key, rest)
    if span and design not in _DRAWN:
        raise ConfigError(
            f"--over {text}: a range is drawn from by --design random or sobol; design "
            f"'{design}' needs values, as in {key}=v1,v2,..."
        )
    if span:
        return Axis(key, (), span)
    values = tuple(_split(rest))
    if not rest or not all(values):
        raise ConfigError(f"--over {text}: a value is missing.")
    for value in values:
        if values.count(value) > 1 and design != "list":
            raise ConfigError(f"--over {text}: the value {value} is given twice.")
    return Axis(key, values)


def _split(text: str) -> Iterator[str]:
    """Split *text* at the commas outside of brackets, braces and quotes."""
    part, depth, quote = "", 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        depth += 0 if quote else (sign in _OPEN) - (sign in _CLOSED)
        if sign == "," and depth == 0 and not quote:
            yield part.strip()
            part = ""
        else:
            part += sign
    yield part.strip()


def _span(key: str, text: str) -> Span | None:
    """Return the range that *text* is; None where it is no range."""
    ends, log = text.split(":"), False
    if len(ends) == 3 and ends[2].strip() == "log":
        ends, log = ends[:2], True
    try:
        low, high = (float(end) for end in ends)
    except ValueError:
        return None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(f"--over {key}={text}: the range must go from a number to a larger one.")
    if log and low <= 0:
        raise ConfigError(f"--over {key}={text}: a logarithmic range must begin above 0.")
    return Span(low, high, log)


def make_points(
    axes: Sequence[Axis], design: str, count: int | None = None, seed: int = 0
) -> list[Point]:
    """Return the points of a design, in an order of its own.

    Parameters
    ----------
    axes
        What :func:`parse_axes` returned.
    design
        ``"grid"``: every combination, the last key changing fastest. ``"list"``: the first
        values of all keys, the second ones, and so on. ``"random"``: *count* independent uniform
        draws. ``"sobol"``: *count* points of a scrambled Sobol sequence, which fill the space
        more evenly. More points of the same seed go on where fewer ended.
    count
        Number of points of a design that draws.
    seed
        Of the draws.

    Raises
    ------
    ConfigError
        The lists differ in length, *count* is missing or not asked for, or there are too many.
    """
    if design in _DRAWN:
        if count is None:
            raise ConfigError(f"--design {design} needs --points N: how many points to draw.")
        refuse_too_many(count)
        return [_drawn(axes, u) for u in _unit_points(design, len(axes), count, seed)]
    if count is not None:
        raise ConfigError(f"--points is for --design random or sobol; the design is '{design}'.")
    if design == "grid":
        refuse_too_many(math.prod(len(axis.values) for axis in axes))
        return list(itertools.product(*(axis.values for axis in axes)))
    if len({len(axis.values) for axis in axes}) > 1:
        lengths = ", ".join(f"{axis.key} has {len(axis.values)}" for axis in axes)
        raise ConfigError(
            f"--design list pairs the values up, so it needs as many each: {lengths}."
        )
    points = list(zip(*(axis.values for axis in axes), strict=True))
    if len(set(points)) < len(points):
        raise ConfigError("--design list: the same point is given twice.")
    return points


def refuse_too_many(points: int, seeds: int = 1) -> None:
    """Refuse a sweep that could not even be written down.

    Raises
    ------
    ConfigError
        There are more runs than a sweep can have.
    """
    if points * seeds > _MOST:
        each = f" with {seeds:,} seeds each" if seeds > 1 else ""
        raise ConfigError(f"{points:,} points{each}: a sweep has at most {_MOST:,} runs.")


def _unit_points(design: str, dimensions: int, count: int, seed: int) -> np.ndarray:
    """Return *count* points of the unit cube; fewer are the first ones of more."""
    rng = np.random.default_rng([seed, len(design)])
    if design == "random":
        return rng.random((count, dimensions))
    from scipy.stats.qmc import Sobol

    sequence: Any = Sobol  # its keyword for the generator has changed its name, not its meaning
    return sequence(dimensions, seed=rng).random_base2(max(count - 1, 1).bit_length())[:count]


def _drawn(axes: Sequence[Axis], u: np.ndarray) -> Point:
    return tuple(_place(axis, float(x)) for axis, x in zip(axes, u, strict=True))


def _place(axis: Axis, u: float) -> str:
    """Return the value at *u*, in [0, 1), of an axis, with six digits at most."""
    if axis.span is None:
        return axis.values[int(u * len(axis.values))]
    low, high, log = axis.span
    if whole_numbers(axis.key):
        high += 1.0
    value = low * (high / low) ** u if log else low + (high - low) * u
    return str(math.floor(value)) if whole_numbers(axis.key) else f"{value:.6g}"


def whole_numbers(key: str) -> bool:
    """Return whether the experiment's *key* takes whole numbers only."""
    section, _, field = key.partition(".")
    model = Experiment.model_fields.get(section)
    kinds = () if model is None else (model.annotation, *get_args(model.annotation))
    for kind in kinds:
        found = getattr(kind, "model_fields", {}).get(field)
        if found is not None:
            numbers = {found.annotation, *get_args(found.annotation)}
            return key in _WHOLE or (int in numbers and float not in numbers)
    return False
