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

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ...errors import DeviceError, nearest
from .entries import check_fraction, check_number, check_spread, from_table, only
from .fluctuations import FlickerNoise, RandomTelegraph, parse_flicker
from .retention import Logarithmic, PowerLaw, Relaxation
from .retention_sets import parse_retention
from .wear import Endurance, ReadDisturb

__all__ = ["CYCLE_MEANING", "CycleToCycle", "Effects", "Stuck", "merge"]

CYCLE_MEANING = {
    "step": "actual step",
    "nominal": "step at the reference conductance",
    "window": "conductance window",
}
"""Of what the noise of a pulse is a fraction."""


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
    endurance : Endurance or None
        Wear by programming pulses, and failure; None is off.
    read_disturb : ReadDisturb or None
        Change of the state by each read; None is off.
    retention : PowerLaw, Logarithmic, Relaxation or None
        Change of the conductance shown with the time since programming; None is off.
    random_telegraph : RandomTelegraph or None
        Two-level fluctuation of some cells, with memory; None is off.
    flicker_noise : FlickerNoise or None
        1/f noise built up since programming; None is off.

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
    endurance: Endurance | None = None
    read_disturb: ReadDisturb | None = None
    retention: PowerLaw | Logarithmic | Relaxation | None = None
    random_telegraph: RandomTelegraph | None = None
    flicker_noise: FlickerNoise | None = None

    def __post_init__(self) -> None:
        for name, s in self.device_to_device.items():
            check_spread(f"device_to_device.{name}", s, logarithmic=name == "step_log")
        check_spread("cycle_to_cycle.sigma", self.cycle_to_cycle.sigma)
        if self.cycle_to_cycle.of not in CYCLE_MEANING:
            raise DeviceError(
                "cycle_to_cycle.of: " + nearest(self.cycle_to_cycle.of, CYCLE_MEANING, "kind")
            )
        check_spread("write_noise", self.write_noise)
        check_spread("read_noise", self.read_noise)
        check_fraction("stuck.low", self.stuck.low)
        check_fraction("stuck.high", self.stuck.high)
        check_fraction("stuck.low + stuck.high", self.stuck.low + self.stuck.high)
        if self.levels is not None and (not _is_int(self.levels) or self.levels < 2):
            raise DeviceError(
                f"levels is {self.levels!r}; allowed is a whole number >= 2 or none."
            )
        if not isinstance(self.window, bool):
            raise DeviceError(f"window is {self.window!r}; allowed is true or false.")

    @property
    def with_time(self) -> bool:
        """Whether the conductance shown changes as time passes."""
        changes = (self.retention, self.random_telegraph, self.flicker_noise)
        return any(change is not None for change in changes)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


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
        ``stuck``: mapping with ``low`` and ``high``, or a number for ``low``. ``endurance``: a
        mapping, or a number for ``pulses``. ``retention``, ``flicker_noise``: a mapping or the
        name of a published set, see :func:`~.retention_sets.parse_retention` and
        :func:`~.fluctuations.parse_flicker`. ``read_disturb``, ``random_telegraph``: a mapping.

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
        "endurance": _parse_endurance,
        "read_disturb": lambda base, v: from_table(ReadDisturb, v, base.read_disturb, name),
        "retention": lambda base, v: parse_retention(v, base.retention),
        "random_telegraph": lambda base, v: from_table(
            RandomTelegraph, v, base.random_telegraph, name
        ),
        "flicker_noise": lambda base, v: parse_flicker(v, base.flicker_noise),
    }.get(name)
    return parse(base, value) if parse else value


def _parse_device_to_device(base: Effects, value: Any) -> Mapping[str, float]:
    if isinstance(value, Mapping):
        return dict(value)
    s = check_number("device_to_device", value)
    return {"step": s, "g_max": s, "g_min": s}


def _parse_cycle_to_cycle(base: Effects, value: Any) -> CycleToCycle:
    if isinstance(value, Mapping):
        return replace(base.cycle_to_cycle, **only(value, ("sigma", "of"), "cycle_to_cycle"))
    return CycleToCycle(check_number("cycle_to_cycle", value), base.cycle_to_cycle.of)


def _parse_stuck(base: Effects, value: Any) -> Stuck:
    if isinstance(value, Mapping):
        return replace(base.stuck, **only(value, ("low", "high"), "stuck"))
    return Stuck(low=check_number("stuck", value))


def _parse_endurance(base: Effects, value: Any) -> Endurance:
    if isinstance(value, Mapping):
        return from_table(Endurance, value, base.endurance, "endurance")
    return Endurance(pulses=check_number("endurance", value))
