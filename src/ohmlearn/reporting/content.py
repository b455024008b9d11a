"""The tables of a report as rows of words, for the terminal and the page alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .budget import Phase, by_element, energy
from .constants import SOURCES
from .report import Report
from .scopes import scopes
from .words import area, count, percent, quantity, span

__all__ = [
    "Grid",
    "area_grid",
    "cited",
    "constants_grid",
    "count_of_cells",
    "critical",
    "elements_grid",
    "left_out",
    "phases_grid",
    "scopes_grid",
    "wear_grid",
]


class Grid(NamedTuple):
    """A table: title, column heads, rows of words; the first *text* columns are words."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: int = 1


def scopes_grid(report: Report) -> Grid:
    """Return energy, time and power of the four scopes."""
    rows = tuple(
        (
            scope.name,
            quantity(scope.energy, "J"),
            f"{quantity(scope.low, 'J')} to {quantity(scope.high, 'J')}",
            span(scope.duration),
            quantity(scope.power, "W"),
            f"{quantity(scope.peak, 'W')} ({scope.peak_phase})" if scope.peak_phase else "-",
        )
        for scope in scopes(report)
    )
    heads = ("", "energy", "low to high", "time", "mean power", "peak power (phase)")
    return Grid("Energy, time and power", heads, rows)


def phases_grid(title: str, phases: Sequence[Phase]) -> Grid:
    """Return duration and energy of every phase."""
    total = energy(phases)
    rows = []
    for phase in phases:
        own = sum(phase.energy.values())
        most = max(phase.energy, key=lambda name: phase.energy[name]) if own else "-"
        share = own / total if total else 0.0
        rows.append(
            (
                phase.name,
                count(phase.times),
                quantity(phase.duration, "s"),
                quantity(own, "J"),
                percent(share),
                most,
            )
        )
    heads = ("phase", "count", "time", "energy", "share", "mostly")
    return Grid(title, heads, tuple(rows))


def elements_grid(report: Report) -> Grid:
    """Return energy and share of every class of element that takes any."""
    rows = []
    once, sample = by_element(report.inference), by_element(report.sample)
    totals = energy(report.inference), energy(report.sample)
    for name in once:
        if once[name] or sample[name]:
            cells = [
                word
                for value, total in zip((once[name], sample[name]), totals, strict=True)
                for word in (quantity(value, "J"), percent(value / total if total else 0.0))
            ]
            rows.append((name, *cells))
    heads = ("element", "per inference", "share", "per training sample", "share")
    return Grid("Energy by class of element", heads, tuple(rows))


def area_grid(report: Report) -> Grid:
    """Return what takes area."""
    rows = [(p.name, count(p.number), area(p.each), area(p.area)) for p in report.area]
    rows.append(("total", "", "", area(sum(p.area for p in report.area))))
    return Grid("Area", ("part", "count", "each", "together"), tuple(rows))


def critical(report: Report) -> str:
    """Return the sentence on the critical path."""
    once, sample = report.inference_latency, report.sample_latency
    return (
        "All phases follow one another, so the critical path is their sum. Its longest part in "
        f"an inference is {once.longest} ({100 * once.share:.1f} %; {count(once.rate)} inferences "
        f"per second), in a training sample {sample.longest} ({100 * sample.share:.1f} %; "
        f"{count(sample.rate)} samples per second)."
    )


def count_of_cells(report: Report, device: str = "") -> str:
    """Return how many cells there are: those of weights and biases, and reference cells."""
    subject, made = report.subject, f" of {device}" if device else ""
    if not subject.references:
        return f"{subject.cells:,} cells{made}"
    return f"{subject.cells:,} cells of weights and {subject.references:,} reference cells{made}"


def wear_grid(report: Report) -> Grid | None:
    """Return pulses against endurance; None without pulses."""
    wear = report.wear
    if wear is None:
        return None
    known = report.subject.worst_pulses is not None
    which = "the worst" if known else "an average"
    seconds = wear.runs * report.subject.samples * report.sample_latency.total
    rows = (
        ("pulses per cell in the run, mean", count(wear.mean)),
        ("pulses of the most pulsed cell", count(wear.worst) if known else "not recorded"),
        ("pulses that a cell endures", count(wear.endurance)),
        (
            f"runs until {which} cell is worn out",
            count(wear.runs),
        ),
        ("the same, training without a pause", span(seconds)),
        ("the same, at one training sample per second", span(wear.runs * report.subject.samples)),
    )
    return Grid("Pulses against endurance", ("", ""), rows)


def constants_grid(report: Report) -> Grid:
    """Return every constant with its range, what that does to a sample, and its source."""
    effect = {s.name: s for s in report.sensitivities}
    usual = energy(report.sample)
    rows = []
    for name, number in report.numbers.items():
        found = effect.get(name)
        moves = "-"
        if found and usual:
            moves = " to ".join(_change(end / usual - 1.0) for end in (found.low, found.high))
        ends = sorted((number.low, number.high))
        fixed = number.low == number.high
        between = "-" if fixed else " to ".join(quantity(v, number.unit, given=True) for v in ends)
        value = quantity(number.value, number.unit, given=True)
        rows.append((name, number.meaning, value, between, moves, number.source))
    heads = ("constant", "meaning", "value", "range", "training sample", "source")
    return Grid("Constants", heads, tuple(rows), text=2)


def cited(report: Report) -> list[tuple[str, str]]:
    """Return short name and citation of every source that a constant of the report names."""
    text = " ".join(number.source for number in report.numbers.values())
    names = [name for name in SOURCES if name in text]
    if any("hwcomponents-library" in SOURCES[name] for name in names):
        names.append("hwcomponents-library")
    return [(name, SOURCES[name]) for name in names]


def _change(relative: float) -> str:
    return f"{100 * relative:+.1f} %" if abs(relative) >= 5e-4 else "0 %"


def left_out(report: Report) -> str:
    """Return one sentence on what is missing, or an empty string."""
    parts = report.subject.missing
    if not parts:
        return ""
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
