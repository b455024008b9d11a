"""What dominates, and what would halve it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .budget import Phase, energy

__all__ = ["Share", "dominant", "halving", "shares", "verdict"]

_WRITES = ("SET", "RESET", "verify")

_FACTOR = 0.1  # entries are not asked to fall below this part of what they are

_LEVERS: dict[tuple[str, str], str] = {
    ("write", "cells"): "fewer pulses (a larger learning.threshold, larger mini-batches, a lower "
    "eta), shorter ones, or a lower conductance window; at a lower voltage the energy falls with "
    "its square",
    ("write", "access transistors"): "a wider transistor or a higher gate voltage",
    ("write", "wires"): "smaller tiles: a pulse charges one bit line",
    ("write", "drivers"): "programming drivers of higher efficiency (hardware.write_efficiency)",
    ("write", "amplifiers"): "switching the sense amplifiers off while programming "
    "(hardware.idle_fraction)",
    ("write", "digital"): "fewer programming slots",
    ("decide", "digital"): "deciding on pulses without a product per weight, as by coincidence of "
    "pulses on both lines, or on active rows only",
    ("compute", "cells"): "a lower read voltage (its square), a lower conductance window, or "
    "fewer and shorter time steps",
    ("compute", "access transistors"): "a wider access transistor",
    ("compute", "wires"): "smaller tiles, or fewer time steps",
    ("compute", "drivers"): "a supply of the line drivers closer to the read voltage "
    "(hardware.read_supply)",
    ("compute", "neurons"): "fewer time steps (learning.free_steps), or a newer technology node",
    ("compute", "amplifiers"): "shorter or fewer time steps: a sense amplifier is paid by time",
    ("compute", "DAC"): "loading the input less often, or fewer bits",
    ("compute", "ADC"): "fewer bits (converters.adc_bits), larger tiles, or analogue neurons",
    ("read-out", "ADC"): "converting the outputs only (hardware.readout), or fewer bits",
}


class Share(NamedTuple):
    """One entry of the budget, and its fraction of the whole."""

    phase: str
    element: str
    energy: float
    share: float


def shares(phases: Sequence[Phase]) -> list[Share]:
    """Return the entries of a budget, the largest first."""
    total = energy(phases)
    entries = [
        Share(phase.name, element, value, value / total if total else 0.0)
        for phase in phases
        for element, value in phase.energy.items()
        if value > 0
    ]
    return sorted(entries, key=lambda entry: (-entry.energy, entry.phase, entry.element))


def _group(phase: str) -> str:
    if phase in _WRITES:
        return "write"
    return "compute" if phase in ("settle", "nudge") else phase


def _grouped(phases: Sequence[Phase]) -> list[Share]:
    sums: dict[tuple[str, str], float] = {}
    for entry in shares(phases):
        key = (_group(entry.phase), entry.element)
        sums[key] = sums.get(key, 0.0) + entry.energy
    total = energy(phases)
    return [
        Share(*key, value, value / total)
        for key, value in sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    ]


def dominant(phases: Sequence[Phase]) -> str:
    """Return the group of phases that takes most: ``write``, ``compute``, ``read-out``, ..."""
    sums: dict[str, float] = {}
    for entry in _grouped(phases):
        sums[entry.phase] = sums.get(entry.phase, 0.0) + entry.energy
    return max(sums, key=lambda name: sums[name]) if sums else ""


def verdict(phases: Sequence[Phase]) -> str:
    """Return one sentence on what dominates."""
    total, group = energy(phases), dominant(phases)
    if not group or total <= 0:
        return "Nothing takes energy."
    own = sum(e.energy for e in _grouped(phases) if e.phase == group)
    verb = {"write": "Writes", "compute": "Computing (settling and nudging)"}.get(group)
    verb = verb or {"read-out": "Reading states out", "decide": "Deciding on pulses"}.get(group)
    most, rest = own / total, total - own
    group_name = verb or _begin(group)
    if most < 0.55:
        many = "take" if group == "write" else "takes"
        return f"{group_name} {many} the largest part, {100 * most:.1f} % of the energy."
    many = "dominate" if group == "write" else "dominates"
    text = f"{group_name} {many} with {100 * most:.1f} % of the energy"
    compute = sum(e.energy for e in _grouped(phases) if e.phase == "compute")
    if group == "write" and compute > 0:
        return f"{text}, {own / compute:.3g} times as much as settling and nudging."
    return f"{text}, {own / rest:.3g} times the rest." if rest > 0 else f"{text}."


def halving(phases: Sequence[Phase]) -> list[str]:
    """Return what would halve the total, as sentences.

    The largest entries are lowered together by one factor, as few of them as a factor of at least
    a tenth allows; then comes what each of them asks for.
    """
    total = energy(phases)
    if total <= 0:
        return []
    together: list[Share] = []
    entries = _grouped(phases)
    while entries and sum(e.share for e in together) < 0.5 / (1.0 - _FACTOR):
        together.append(entries.pop(0))
    taken = sum(e.share for e in together)
    names = [_name(entry) for entry in together]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    left = f"{100 * (1.0 - 0.5 / taken):.0f} %"
    whose = f"the energy of {listed} falls" if len(names) == 1 else f"{listed} together fall"
    first = f"The total halves when {whose} to {left} of what it takes now."
    return [first] + [
        f"{_begin(_name(entry))} ({100 * entry.share:.1f} %): {_lever(entry)}."
        for entry in together
    ]


def _name(entry: Share) -> str:
    where = {
        "write": "programming",
        "compute": "settling and nudging",
        "decide": "decisions",
        "switch": "switching",
    }
    return f"{entry.element} in {where.get(entry.phase, entry.phase)}"


def _begin(sentence: str) -> str:
    """Return *sentence* with a capital letter in front; ADC stays ADC."""
    return sentence[:1].upper() + sentence[1:]


def _lever(entry: Share) -> str:
    return _LEVERS.get((entry.phase, entry.element), "fewer or shorter phases of this kind")
