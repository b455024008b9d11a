"""The report: every number of it, worked out once, for all forms in which it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import ConfigError
from ..experiment import parse_experiment
from ..record import Record
from .advice import halving, verdict
from .area import Part, parts
from .budget import Phase, Prices, energy, inference, load_of, training_sample
from .constants import Number, numbers
from .endurance import Wear, wear
from .latency import Latency, latency
from .reads import Load
from .recorded import recorded
from .subject import Subject
from .words import quantity

__all__ = ["Report", "Sensitivity", "headline", "make_report", "recorded_headline", "report_on"]

_NOT_ENERGY = ("adc_area", "neuron_area", "endurance", "t_select", "t_convert")


class Sensitivity(NamedTuple):
    """What one constant alone does to the energy of a training sample [J]."""

    name: str
    number: Number
    low: float
    high: float


@dataclass(frozen=True)
class Report:
    """All numbers of a report.

    Attributes
    ----------
    subject
    numbers
        Every constant, with source and range.
    inference, sample : tuple of Phase
        Budget of one inference and of one training sample.
    inference_range, sample_range : (float, float)
        Their energies [J] with all constants at the low and at the high end of their ranges.
    sensitivities
        Of the constants that matter, the widest first.
    inference_latency, sample_latency
    area
    wear
    verdict, advice
        What dominates a training sample, and what would halve it.
    assumptions
        Sentences: what the model takes for granted.
    """

    subject: Subject
    numbers: Mapping[str, Number]
    inference: tuple[Phase, ...]
    sample: tuple[Phase, ...]
    inference_range: tuple[float, float]
    sample_range: tuple[float, float]
    sensitivities: tuple[Sensitivity, ...]
    inference_latency: Latency
    sample_latency: Latency
    area: tuple[Part, ...]
    wear: Wear | None
    verdict: str
    advice: tuple[str, ...]
    assumptions: tuple[str, ...]


def make_report(subject: Subject) -> Report:
    """Work out everything about *subject*.

    Raises
    ------
    ConfigError
        If ``hardware.node`` is unknown.
    """
    hardware = subject.hardware
    tile_bits = subject.experiment.converters.adc_bits
    table = numbers(subject.node, hardware.adc_bits, hardware.constants(), tile_bits)
    if subject.wear and "endurance" not in hardware.constants():
        table["endurance"] = table["endurance"]._replace(
            value=float(subject.wear),
            low=float(subject.wear),
            high=float(subject.wear),
            origin="experiment",
            source="device.endurance of the experiment, the median of the cells",
        )
    load = load_of(subject)
    typical = {name: number.value for name, number in table.items()}
    once, sample = (phases(subject, load, typical) for phases in (inference, training_sample))
    ends = [{n: getattr(v, end) for n, v in table.items()} for end in ("low", "high")]
    time = latency(sample)
    return Report(
        subject=subject,
        numbers=table,
        inference=once,
        sample=sample,
        inference_range=_range(inference, subject, load, ends),
        sample_range=_range(training_sample, subject, load, ends),
        sensitivities=_sensitivities(subject, load, table, typical),
        inference_latency=latency(once),
        sample_latency=time,
        area=parts(subject, load, typical),
        wear=wear(subject, typical["endurance"], time.total),
        verdict=verdict(sample),
        advice=tuple(halving(sample)),
        assumptions=_assumptions(subject),
    )


def report_on(record: Record, overrides: Sequence[str] = ()) -> Report:
    """Work out everything about the *record* of a run.

    Parameters
    ----------
    record
    overrides
        ``"hardware.key=value"`` strings: another periphery than that of the record.

    Raises
    ------
    ConfigError
        If the run has no cells, or an override is not allowed.
    """
    foreign = [o for o in overrides if not o.strip().startswith("hardware.")]
    if foreign:
        raise ConfigError(
            f"--set {foreign[0]}: a run is what it was; only keys of [hardware] can be changed "
            "in its report, such as hardware.t_step=50e-9."
        )
    source = f"the experiment stored in {record.folder}"
    return make_report(recorded(record, parse_experiment(record.experiment, source, overrides)))


def headline(report: Report) -> dict[str, float | None]:
    """Return the numbers that runs are compared by, SI units; None where not known."""
    subject, spent = report.subject, energy(report.sample)
    return {
        "energy_per_inference": energy(report.inference),
        "energy_per_training_sample": spent,
        "energy_of_training": spent * subject.samples,
        "latency_per_inference": report.inference_latency.total,
        "latency_per_training_sample": report.sample_latency.total,
        "pulses_per_sample_per_cell": (subject.mean_pulses or 0.0) / max(subject.samples, 1),
        "area": sum(part.area for part in report.area),
        "runs_to_wear_out": report.wear.runs if report.wear else None,
    }


def recorded_headline(record: Record) -> dict[str, float]:
    """Return the :func:`headline` of a run, as far as known; empty for one without cells."""
    if not record.summary.get("writes"):
        return {}
    found = headline(report_on(record))
    return {name: float(value) for name, value in found.items() if value is not None}


def _range(phases, subject: Subject, load: Load, ends: Sequence[Prices]) -> tuple[float, float]:
    low, high = (energy(phases(subject, load, prices)) for prices in ends)
    return min(low, high), max(low, high)


def _sensitivities(
    subject: Subject, load: Load, table: Mapping[str, Number], typical: Prices
) -> tuple[Sensitivity, ...]:
    found = []
    for name, number in table.items():
        if name in _NOT_ENERGY or number.low == number.high:
            continue
        at = [
            energy(training_sample(subject, load, {**typical, name: value}))
            for value in (number.low, number.high)
        ]
        found.append(Sensitivity(name, number, min(at), max(at)))
    return tuple(sorted(found, key=lambda s: (s.low - s.high, s.name)))


def _assumptions(subject: Subject) -> tuple[str, ...]:
    """Return what the model takes for granted, as sentences."""
    hardware, experiment = subject.hardware, subject.experiment
    said = [
        "Signals are those of the settled free state, in every time step of every phase: a nudge "
        "changes them in first order of beta only.",
        "Cells are linear conductors in a read, lines are sensed at virtual ground, and no "
        "current flows in cells that are not selected for programming.",
        "Drivers of lines are linear stages; their loss, the charging of wires in every time step "
        "and the currents along bit lines are upper bounds.",
        "An array that is read in both directions carries the current of either for the whole "
        "time step.",
        "Programming goes row by row within an array; arrays are programmed side by side, so the "
        "slowest one counts.",
        "Initial weights, tests during training, data movement on and off the chip, clock "
        "distribution and leakage of logic are not counted.",
    ]
    if subject.span:
        most = quantity(subject.span * experiment.crossbar.v_read, "V")
        said.append(
            "Backward, the reference line of each tile is driven with minus the sum of the tile's "
            f"signals, here up to {most}; its mean square is an upper bound, met where signals "
            "rise and fall together, and its driver's supply reaches that voltage."
        )
    if not hardware.verify_reads:
        said.append("Pulses are not verified.")
    if not subject.ohms:
        said.append("Wires have no resistance in this run; their capacitance is counted.")
    if experiment.access is None:
        said.append("Access transistors have no resistance in this run.")
    return tuple(said)
