"""How long things take, one after the other, and which step is on the critical path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .budget import Phase, duration

__all__ = ["Latency", "latency"]


class Latency(NamedTuple):
    """The time of one inference or training sample.

    Attributes
    ----------
    total
        In seconds; all phases follow one another, so every one is on the critical path.
    longest, share
        The phase that takes most of it, and its fraction.
    rate
        Inferences or samples per second.
    """

    total: float
    longest: str
    share: float
    rate: float


def latency(phases: Sequence[Phase]) -> Latency:
    """Return the latency of *phases*, which follow one another."""
    total = duration(phases)
    if total <= 0:
        return Latency(0.0, "", 0.0, 0.0)
    longest = max(phases, key=lambda phase: phase.duration)
    return Latency(total, longest.name, longest.duration / total, 1.0 / total)
