"""One training sample as steps in time, in the order of the circuit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .budget import Phase
from .subject import Subject

__all__ = ["Step", "timeline"]


class Step(NamedTuple):
    """A stretch of time: phase, duration [s], mean power [W], and the slot it is part of.

    Slots are counted from 1, with 0 for none; what a mini-batch shares counts with its fraction.
    """

    name: str
    duration: float
    power: float
    slot: int


def timeline(subject: Subject, phases: Sequence[Phase]) -> list[Step]:
    """Return the steps of a training sample whose budget is *phases*."""
    known = {phase.name: phase for phase in phases}
    slots, contrasts = subject.nudged_steps, subject.contrasts
    reads = max(known["read-out"].times, 1)
    steps = [_step(known, "settle", 1, 0), _step(known, "read-out", reads, 0)]
    for slot in range(1, slots + 1):
        last = slot == slots
        number = slot if contrasts == slots else 0
        steps.append(_step(known, "nudge", slots, number))
        if contrasts == slots or last or (slot == slots // 2 and reads == 3):
            steps.append(_step(known, "read-out", reads, number))
        if contrasts == slots or last:
            steps += [
                _step(known, name, contrasts, number)
                for name in ("decide", "switch", "SET", "RESET", "verify")
                if name in known
            ]
    if "idle" in known:
        steps.append(_step(known, "idle", 1, 0))
    return [step for step in steps if step.duration > 0]


def _step(known: dict[str, Phase], name: str, parts: float, slot: int) -> Step:
    phase = known[name]
    spent = sum(phase.energy.values())
    power = spent / phase.duration if phase.duration else 0.0
    return Step(name, phase.duration / parts, power, slot)
