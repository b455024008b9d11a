"""Pulses against what a cell endures: how long training can go on."""

from __future__ import annotations

from typing import NamedTuple

from .subject import Subject

__all__ = ["YEAR", "Wear", "wear"]

YEAR = 365.25 * 86400.0


class Wear(NamedTuple):
    """Wear by programming.

    Attributes
    ----------
    endurance
        Pulses that a cell endures.
    mean, worst
        Pulses of an average cell and of the most pulsed one in the whole run; *worst* is that of
        an average cell where the record does not hold it.
    runs
        Such runs until the worst cell is worn out.
    years
        The same of uninterrupted training at the latency of the report [years].
    """

    endurance: float
    mean: float
    worst: float
    runs: float
    years: float


def wear(subject: Subject, endurance: float, sample_time: float) -> Wear | None:
    """Return the wear of a run; None where no pulse was counted."""
    mean = subject.mean_pulses or 0.0
    worst = subject.worst_pulses if subject.worst_pulses is not None else mean
    if worst <= 0:
        return None
    runs = endurance / worst
    return Wear(endurance, mean, worst, runs, runs * subject.samples * sample_time / YEAR)
