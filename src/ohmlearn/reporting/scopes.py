"""The four spans of work that a report adds up: inference, sample, epoch, whole run."""

from __future__ import annotations

from typing import NamedTuple

from .budget import duration, energy, power
from .report import Report

__all__ = ["Scope", "scopes"]


class Scope(NamedTuple):
    """Energy [J], its range, duration [s], and power [W] of a span of work.

    *peak* is the mean power within the phase that has the largest, *peak_phase*.
    """

    name: str
    energy: float
    low: float
    high: float
    duration: float
    power: float
    peak: float
    peak_phase: str


def scopes(report: Report) -> tuple[Scope, ...]:
    """Return what one inference, one training sample, an epoch and the run take."""
    subject = report.subject
    once, sample = energy(report.inference), energy(report.sample)
    rows = (
        ("inference", 1.0, once, report.inference_range, report.inference),
        ("training sample", 1.0, sample, report.sample_range, report.sample),
        ("epoch", subject.epoch_samples, sample, report.sample_range, report.sample),
        ("whole run", float(subject.samples), sample, report.sample_range, report.sample),
    )
    return tuple(
        Scope(
            name,
            times * spent,
            times * low,
            times * high,
            times * duration(phases),
            *power(phases),
        )
        for name, times, spent, (low, high), phases in rows
    )
