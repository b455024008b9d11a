"""What a fit has found: tables for the terminal, JSON, and the preset file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..devices import Preset
from ..devices.fitting.compare import Comparison
from ..devices.fitting.estimate import Fit, Parameter
from ..devices.fitting.noise import Noise
from ..devices.fitting.presets import quality_of
from ..devices.fitting.traces import Traces, describe
from ..devices.preset_files import preset_as_table
from ..storage import write_file
from ..tables import engineering
from ..terminal import empty_table

__all__ = ["FitReport", "as_json", "tables", "write_preset"]


class FitReport(NamedTuple):
    """Traces, the models compared, and the noise and preset of the chosen one."""

    traces: Traces
    comparison: Comparison
    noise: Noise
    preset: Preset
    name: str


def tables(report: FitReport) -> Iterator[RenderableType]:
    """Yield the tables of a fit."""
    traces, comparison = report.traces, report.comparison
    fit = comparison.chosen
    yield Text(f"{traces.source}: {describe(traces)}\n")
    if len(comparison.rows) > 1:
        yield _models(comparison)
    yield _parameters(fit)
    yield from _remarks(fit)
    yield _noise(report.noise)
    yield _residuals(report)
    for sentence in comparison.failed.values():
        yield Text(sentence, style="yellow")


def _models(comparison: Comparison) -> Table:
    table = empty_table("Models by AICc (smaller is better)")
    for heading in ("model", "AICc above best", "weight", "numbers", "residual sd", ""):
        table.add_column(heading, justify="left" if heading in ("model", "") else "right")
    for row in comparison.rows:
        fit = row.fit
        chosen = fit is comparison.chosen
        remark = f"same curve as {row.same_as}" if row.same_as else ""
        table.add_row(
            fit.device.name,
            f"{row.difference:.1f}",
            f"{row.weight:.2g}" if row.weight > 1e-4 else "0",
            str(fit.k),
            engineering(float(f"{fit.sigma:.3g}"), "S"),
            f"chosen; {remark}".strip("; ") if chosen else remark,
            style="bold" if chosen else "",
        )
    return table


def _parameters(fit: Fit) -> Table:
    table = empty_table(f"{fit.device.name}: parameters")
    for heading in ("parameter", "value", "95 % interval", "meaning"):
        table.add_column(heading, overflow="fold")
    for p in fit.parameters:
        open_ended = p.status in ("held", "not determined", "not measured")
        table.add_row(
            p.name,
            "" if p.status == "not measured" else _shown(p, p.value),
            _interval(p),
            f"inverse of the {p.meaning}" if p.name.startswith("1/") else p.meaning,
            style="yellow" if open_ended else "",
        )
    return table


def _interval(p: Parameter) -> str:
    """Return the interval of a parameter, and what is to be known of it."""
    parts = [] if p.status == "fitted" else [p.status]
    if p.low is not None or p.high is not None:
        low = "open" if p.low is None else _shown(p, p.low).removesuffix("/pulse")
        parts.insert(0, f"{low} to {'open' if p.high is None else _shown(p, p.high)}")
    return ", ".join(parts)


def _shown(p: Parameter, value: float) -> str:
    """Return *value* with the digits its interval justifies, and two more."""
    digits = 4
    if p.low is not None and p.high is not None and p.high > p.low and value:
        digits = round(math.log10(abs(value) / (p.high - p.low))) + 3
    return engineering(float(f"{value:.{min(max(digits, 2), 6)}g}"), p.unit)


def _remarks(fit: Fit) -> Iterator[Text]:
    held = [p.name for p in fit.parameters if p.status == "held"]
    if held:
        yield Text(
            f"Held, because other parameters can stand in for them exactly: {', '.join(held)}.\n"
        )
    if fit.unmeasured:
        yield Text(
            f"Not measured, since no pulse of that kind was given: {', '.join(fit.unmeasured)}. A "
            "preset takes the other direction's numbers.\n",
            style="yellow",
        )
    if fit.undetermined:
        yield Text(
            "Not determined: very different values would fit as well, so the value given is one "
            f"of many: {', '.join(fit.undetermined)}.\n",
            style="yellow",
        )


def _noise(noise: Noise) -> Table:
    table = empty_table("Noise")
    for heading in ("effect", "size", "from", "to", "meaning"):
        table.add_column(heading, overflow="fold")
    for term in noise.terms:
        numbers = (f"{v:.3g}" for v in (term.value, term.low, term.high))
        table.add_row(term.effect, *numbers, term.meaning)
    return table


def _residuals(report: FitReport) -> Text:
    fit = report.comparison.chosen
    if fit.gain:
        kind = f"{100 * fit.gain:.0f} % of an error of prediction stays in the cell"
    else:
        kind = "no noise stays in the cell"
    return Text(
        f"Residuals: standard deviation {engineering(float(f'{fit.sigma:.3g}'), 'S')} "
        f"({100 * fit.sigma / fit.width:.2g} % of the window); {kind}; "
        f"{100 * report.noise.outlier_fraction:.1f} % of the readings are more than 4 standard "
        "deviations off."
    )


def as_json(report: FitReport) -> dict[str, Any]:
    """Return everything as plain values."""
    comparison = report.comparison
    return {
        "file": report.traces.source,
        "chosen": comparison.chosen.device.name,
        "models": [
            {
                "model": row.fit.device.name,
                "aicc_above_best": row.difference,
                "weight": row.weight,
                "numbers": row.fit.k,
                "log_likelihood": row.fit.log_likelihood,
                "same_curve_as": row.same_as or None,
            }
            for row in comparison.rows
        ],
        "failed": dict(comparison.failed),
        "parameters": [p._asdict() for p in comparison.chosen.parameters],
        "noise": [term._asdict() for term in report.noise.terms],
        "quality": quality_of(comparison, report.noise, report.traces),
        "preset": preset_as_table(report.name, comparison.chosen.device, report.preset),
    }


def write_preset(report: FitReport, path: Path) -> None:
    """Write the preset file.

    Raises
    ------
    RecordError
        The file cannot be written.
    """
    comparison = report.comparison
    content = preset_as_table(report.name, comparison.chosen.device, report.preset)
    content["fit"] = quality_of(comparison, report.noise, report.traces)
    write_file(path, lambda file: file.write(tomli_w.dumps(content).encode()))
