"""The ledger: every effect in the order in which it applies, whether on or off."""

from __future__ import annotations

from typing import Any

from .entries import listed
from .retention import kind_of
from .switches import CYCLE_MEANING, Effects, Stuck

__all__ = ["ledger"]


def ledger(effects: Effects) -> list[dict[str, Any]]:
    """Return every effect in the order in which it applies: name, on, numbers, meaning."""
    rows = [*_programming(effects), *_time(effects), _read_noise(effects)]
    return [dict(zip(("name", "on", "numbers", "meaning"), row, strict=True)) for row in rows]


Row = tuple[str, bool, dict[str, Any], str]


def _programming(effects: Effects) -> list[Row]:
    cycle, wear = effects.cycle_to_cycle, effects.endurance
    return [
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
            f"noise of each pulse, relative to the {CYCLE_MEANING[cycle.of]}",
        ),
        (
            "endurance",
            wear is not None,
            listed(wear) if wear else {},
            "wear by pulses: smaller steps, a narrower window, and failure after a drawn number",
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
    ]


def _time(effects: Effects) -> list[Row]:
    disturb, kept = effects.read_disturb, effects.retention
    telegraph, flicker = effects.random_telegraph, effects.flicker_noise
    return [
        (
            "read_disturb",
            disturb is not None,
            listed(disturb) if disturb else {},
            "change of the state by each counted read; the conductance shown follows it",
        ),
        (
            "retention",
            kept is not None,
            {"kind": kind_of(kept), **listed(kept)} if kept else {},
            "change of the conductance shown with the time since programming, as time passes",
        ),
        (
            "random_telegraph",
            telegraph is not None,
            listed(telegraph) if telegraph else {},
            "two-level fluctuation of some cells, which goes on as time passes",
        ),
        (
            "flicker_noise",
            flicker is not None,
            listed(flicker) if flicker else {},
            "1/f noise that builds up with the time since programming, drawn as time passes",
        ),
    ]


def _read_noise(effects: Effects) -> Row:
    return (
        "read_noise",
        effects.read_noise > 0,
        {"sigma": effects.read_noise},
        "relative noise of the conductance at each read, of what is shown then",
    )
