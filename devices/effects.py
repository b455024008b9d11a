"""The non-idealities of a cell: one switch each, every one independent of the others.

References
----------
M. J. Rasch et al., "A flexible and fast PyTorch toolkit for simulating training and inference on
analog crossbar arrays" (AIHWKit), AICAS 2021, doi:10.1109/AICAS51828.2021.9458494.
P.-Y. Chen, X. Peng, S. Yu, "NeuroSim: a circuit-level macro model for benchmarking
neuro-inspired architectures in online learning", IEEE TCAD 37(12), 2018,
doi:10.1109/TCAD.2018.2789723.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..errors import DeviceError, nearest

__all__ = ["CycleToCycle", "Effects", "Stuck", "ledger", "merge"]

_CYCLE_MEANING = {
    "step": "actual step",
    "nominal": "step at the reference conductance",
    "window": "conductance window",
}


@dataclass(frozen=True)
class CycleToCycle:
    """Noise of a single pulse: *sigma* is its relative standard deviation *of* what.

    ``"step"``: of the actual step (multiplicative). ``"nominal"``: of the step at the reference
    conductance (additive, AIHWKit). ``"window"``: of the conductance window (additive, NeuroSim).
    """

    sigma: float = 0.0
    of: str = "step"


@dataclass(frozen=True)
class Stuck:
    """Fractions of cells that cannot be written: stuck at the *low* or the *high* end."""

    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class Effects:
    """Which non-idealities a cell has, and how large they are.

    Attributes
    ----------
    device_to_device : mapping of str to float
        Spread name to relative standard deviation, drawn once per cell; empty is off. Names:
        ``"step"``, common factor on both step sizes; ``"step_log"``, the same, log-normal, the
        number being the standard deviation of its logarithm; ``"asymmetry"``, opposite shifts of
        the two step sizes, relative to their mean; ``"w_max"``, ``"w_min"``, shift of the upper
        or lower bound relative to its distance from ``g_ref`` (models that have one; AIHWKit's
        ``w_max_dtod``, ``w_min_dtod``); any field of the model, relative to its value.
    cycle_to_cycle : CycleToCycle
        Noise of each pulse; sigma 0 is off.
    write_noise : float
        Standard deviation in nominal steps of the difference between the conductance a cell
        shows after it was programmed and its hidden state, which evolves without it; 0 is off.
    read_noise : float
        Relative standard deviation of the conductance, drawn at each read; 0 is off.
    stuck : Stuck
        Fractions of stuck cells; 0 is off.
    levels : int or None
        The conductance shown is rounded to that many equally spaced values of the cell's window;
        the hidden state keeps progress below a level. None is off.
    window : bool
        The state is held in [0, 1]. False lets it leave the window: an ablation, not physics.

    Raises
    ------
    DeviceError
        If a number is negative, not finite, or outside its range.
    """

    device_to_device: Mapping[str, float] = field(default_factory=dict)
    cycle_to_cycle: CycleToCycle = CycleToCycle()
    write_noise: float = 0.0
    read_noise: float = 0.0
    stuck: Stuck = Stuck()
    levels: int | None = None
    window: bool = True

    def __post_init__(self) -> None:
        for name, s in self.device_to_device.items():
            _spread(f"device_to_device.{name}", s)
        _spread("cycle_to_cycle.sigma", self.cycle_to_cycle.sigma)
        if self.cycle_to_cycle.of not in _CYCLE_MEANING:
            raise DeviceError(
                "cycle_to_cycle.of: " + nearest(self.cycle_to_cycle.of, _CYCLE_MEANING, "kind")
            )
        _spread("write_noise", self.write_noise)
        _spread("read_noise", self.read_noise)
        _fraction("stuck.low", self.stuck.low)
        _fraction("stuck.high", self.stuck.high)
        _fraction("stuck.low + stuck.high", self.stuck.low + self.stuck.high)
        if self.levels is not None and (not _is_int(self.levels) or self.levels < 2):
            raise DeviceError(
                f"levels is {self.levels!r}; allowed is a whole number >= 2 or none."
            )
        if not isinstance(self.window, bool):
            raise DeviceError(f"window is {self.window!r}; allowed is true or false.")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DeviceError(f"{name} is {value!r}; allowed is a finite number.")
    return float(value)


def _spread(name: str, value: object) -> None:
    if _number(name, value) < 0:
        raise DeviceError(f"{name} is {value!r}; a standard deviation must be >= 0.")


def _fraction(name: str, value: object) -> None:
    if not 0 <= _number(name, value) <= 1:
        raise DeviceError(f"{name} is {value!r}; a fraction must be between 0 and 1.")


def merge(base: Effects, override: Mapping[str, Any]) -> Effects:
    """Return *base* with the effects named in *override* replaced.

    Parameters
    ----------
    base : Effects
        For example those of a preset.
    override : mapping
        Effect name to new value. ``False`` switches the effect off, ``True`` keeps it and
        demands that it is on. ``device_to_device``: mapping of spread names (replaces all of
        them), or one number for ``step`` and both ends of the window.
        ``cycle_to_cycle``: mapping with ``sigma`` and ``of``, or a number, which keeps ``of``.
        ``stuck``: mapping with ``low`` and ``high``, or a number for ``low``.

    Raises
    ------
    DeviceError
        If an effect is unknown or a value is not allowed.
    """
    names = [f.name for f in fields(Effects)]
    for name in override:
        if name not in names:
            raise DeviceError(nearest(name, names, "effect"))
    return replace(base, **{name: _value(base, name, v) for name, v in override.items()})


def _value(base: Effects, name: str, value: Any) -> Any:
    if name == "window":
        return value
    if value is False or value is None:
        return getattr(Effects(), name)
    if value is True:
        if getattr(base, name) == getattr(Effects(), name):
            raise DeviceError(f"{name} = true: the preset has no {name}; give its numbers.")
        return getattr(base, name)
    parse = {
        "device_to_device": _parse_device_to_device,
        "cycle_to_cycle": _parse_cycle_to_cycle,
        "stuck": _parse_stuck,
    }.get(name)
    return parse(base, value) if parse else value


def _parse_device_to_device(base: Effects, value: Any) -> Mapping[str, float]:
    if isinstance(value, Mapping):
        return dict(value)
    s = _number("device_to_device", value)
    return {"step": s, "g_max": s, "g_min": s}


def _parse_cycle_to_cycle(base: Effects, value: Any) -> CycleToCycle:
    if isinstance(value, Mapping):
        return replace(base.cycle_to_cycle, **_only(value, ("sigma", "of"), "cycle_to_cycle"))
    return CycleToCycle(_number("cycle_to_cycle", value), base.cycle_to_cycle.of)


def _parse_stuck(base: Effects, value: Any) -> Stuck:
    if isinstance(value, Mapping):
        return replace(base.stuck, **_only(value, ("low", "high"), "stuck"))
    return Stuck(low=_number("stuck", value))


def _only(value: Mapping[str, Any], allowed: tuple[str, ...], what: str) -> dict[str, Any]:
    for key in value:
        if key not in allowed:
            raise DeviceError(nearest(key, allowed, f"entry of {what}"))
    return dict(value)


def ledger(effects: Effects) -> list[dict[str, Any]]:
    """Return every effect in the order in which it applies: name, on, numbers, meaning."""
    cycle = effects.cycle_to_cycle
    rows: list[tuple[str, bool, dict[str, Any], str]] = [
        (
            "device_to_device",
            any(effects.device_to_device.values()),
            dict(effects.device_to_device),
            "relative spread of parameters between cells, drawn once",
        ),
        (
            "stuck",
            effects.stuck != Stuck(),
            {"low": effects.stuck.low, "high": effects.stuck.high},
            "fractions of cells that cannot be written, drawn once",
        ),
        (
            "cycle_to_cycle",
            cycle.sigma > 0,
            {"sigma": cycle.sigma, "of": cycle.of},
            f"noise of each pulse, relative to the {_CYCLE_MEANING[cycle.of]}",
        ),
        ("window", effects.window, {}, "the state stays in [0, 1] after each pulse"),
        (
            "levels",
            effects.levels is not None,
            {"levels": effects.levels},
            "the conductance shown takes this many values; the hidden state does not",
        ),
        (
            "write_noise",
            effects.write_noise > 0,
            {"sigma": effects.write_noise},
            "error of the conductance shown after each programming, in nominal steps",
        ),
        (
            "read_noise",
            effects.read_noise > 0,
            {"sigma": effects.read_noise},
            "relative noise of the conductance at each read",
        ),
    ]
    return [dict(zip(("name", "on", "numbers", "meaning"), row, strict=True)) for row in rows]
