"""The figures of a report. Matplotlib is imported on use."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..figures import BLUE, canvas, run_drawings, style
from .budget import ELEMENTS, Phase, energy
from .palette import ELEMENT_COLOURS, FAINT, INK, WIDTH
from .report import Report
from .run_figures import draw_accuracy_cost, draw_wear
from .timeline_figure import draw_timeline
from .words import percent, quantity, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Picture", "pictures"]


class Picture(NamedTuple):
    """A figure as SVG text, what it is called, and what it shows, in words."""

    name: str
    title: str
    svg: bytes
    words: str


def pictures(report: Report) -> list[Picture]:
    """Return all figures for which *report* has the numbers."""
    found = [
        _picture(
            "energy", "Where the energy goes", _energy(report),
            "Energy by class of element: an inference, a training sample, and each of its phases.",
        ),
        _picture(
            "timeline", "One training sample in time", draw_timeline(report.sample, report),
            "Power over time to scale, and below the order of the phases with their durations; "
            f"a training sample takes {span(report.sample_latency.total)}, longest is "
            f"{report.sample_latency.longest}.",
        ),
    ]  # fmt: skip
    if any(s.high - s.low > 0.001 * energy(report.sample) for s in report.sensitivities):
        found.append(
            _picture(
                "sensitivity", "How sure the total is", _tornado(report),
                "Energy of a training sample when one constant alone goes from the low to the "
                "high end of its range.",
            )
        )  # fmt: skip
    return found + _of_the_run(report)


def _of_the_run(report: Report) -> list[Picture]:
    """Return the figures that a record has beyond the report."""
    record = report.subject.record
    if record is None:
        return []
    summary = {k: v for k, v in record.summary.items() if k != "name"}
    drawn = run_drawings(summary, record.arrays, record.events)
    words = {
        "accuracy": ("Accuracy", "Training and test accuracy after every epoch."),
        "pulses": ("Programming pulses", "Programming pulses in every epoch."),
        "conductances": (
            "Conductances after training", "Histogram of the conductances of each array."
        ),
        "conductance_map": (
            "Conductance map", "Conductance differences of the first array, cell by cell."
        ),
    }  # fmt: skip
    found = [_picture(n, words[n][0], drawn[n], words[n][1]) for n in words if n in drawn]
    if (cost := draw_accuracy_cost(report)) is not None:
        text = "Test accuracy against the energy that training has taken until then."
        found.insert(1, _picture("accuracy_energy", "What accuracy costs", cost, text))
    if (worn := draw_wear(report)) is not None:
        text = "Histogram of programming pulses per cell in the run, and what a cell endures."
        found.append(_picture("wear", "Pulses per cell", worn, text))
    return found


def _picture(name: str, title: str, figure: Figure, words: str) -> Picture:
    import matplotlib

    text = io.BytesIO()
    # A fixed salt and no date: the same report gives the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": name}), style():
        figure.savefig(text, format="svg", metadata={"Date": None})
    return Picture(name, title, text.getvalue(), words)


def _energy(report: Report) -> Figure:
    """Draw the composition of every span and phase as a full bar, with its energy beside it."""
    rows: list[tuple[str, Sequence[Phase], bool]] = [
        ("inference", report.inference, True),
        ("training sample", report.sample, True),
        *((phase.name, (phase,), False) for phase in report.sample if energy((phase,)) > 0),
    ]
    total = energy(report.sample)
    used = [e for e in ELEMENTS if any(p.energy.get(e) for _, ps, _ in rows for p in ps)]
    figure = canvas(width=WIDTH, height=1.35 + 0.36 * len(rows))
    axes = figure.axes[0]
    places = [-0.0, -1.0, *(-2.35 - k for k in range(len(rows) - 2))]
    with style():
        for place, (_, phases, whole) in zip(places, rows, strict=True):
            _bar(axes, place, phases, 0.78 if whole else 0.6)
            words = quantity(energy(phases), "J")
            if not whole:
                words += f"  ({percent(energy(phases) / total)})"
            axes.text(1.015, place, words, va="center", fontsize=9.5, color=INK)
        for name in used:
            axes.barh(0, 0, color=ELEMENT_COLOURS[name], label=name)
        axes.axhline(-1.67, color="#C8C8C8", linewidth=0.8)
        axes.set_yticks(places, [name for name, _, _ in rows])
        for label, (_, _, whole) in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_fontweight("bold" if whole else "normal")
        axes.set_xlim(0, 1)
        axes.set_ylim(places[-1] - 0.55, 0.55)
        axes.set_xticks(np.linspace(0, 1, 5), ["0", "25", "50", "75", "100 %"])
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.spines["left"].set_visible(False)
        figure.legend(
            *axes.get_legend_handles_labels(),
            loc="outside lower center",
            ncols=min(len(used), 5),
            fontsize=9,
            handlelength=1.1,
        )
    return figure


def _bar(axes: Axes, place: float, phases: Sequence[Phase], height: float) -> None:
    total, left = energy(phases), 0.0
    for element in ELEMENTS:
        share = sum(p.energy.get(element, 0.0) for p in phases) / total if total else 0.0
        if share <= 0:
            continue
        axes.barh(
            place, share, height, left=left, color=ELEMENT_COLOURS[element], edgecolor="white",
            linewidth=0.5,
        )  # fmt: skip
        if share >= 0.09:
            light = element in ("DAC", "access transistors", "ADC")
            axes.text(
                left + share / 2, place, f"{100 * share:.0f} %", ha="center", va="center",
                fontsize=8.5, color=INK if light else "white",
            )  # fmt: skip
        left += share


def _tornado(report: Report) -> Figure:
    """Draw the energy of a sample with each constant at either end of its range."""
    from matplotlib.patches import Patch

    usual = energy(report.sample)
    rows = [s for s in report.sensitivities if s.high - s.low > 0.001 * usual][:10]
    prefix, unit = _unit(usual)
    figure = canvas(width=WIDTH, height=1.2 + 0.36 * len(rows))
    axes = figure.axes[0]
    with style():
        for place, row in enumerate(rows):
            own = row.number.origin == "our choice"
            axes.barh(
                -place, (row.high - row.low) / unit, 0.62, left=row.low / unit,
                color="#B9CFE4" if own else BLUE, linewidth=0,
            )  # fmt: skip
            ends = sorted((row.number.low, row.number.high))
            words = " to ".join(quantity(v, row.number.unit, given=True) for v in ends)
            axes.text(
                1.015, -place, words, va="center", fontsize=8.5, color=FAINT,
                transform=axes.get_yaxis_transform(),
            )  # fmt: skip
        axes.axvline(usual / unit, color=INK, linewidth=1.0)
        axes.set_yticks([-k for k in range(len(rows))], [row.name for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.spines["left"].set_visible(False)
        # A narrow range should look narrow.
        low = min(0.95 * usual, *(row.low for row in rows)) / unit
        high = max(1.05 * usual, *(row.high for row in rows)) / unit
        margin = 0.03 * (high - low)
        axes.set_xlim(low - margin, high + margin)
        axes.set_xlabel(f"energy of a training sample ({prefix}J)")
        kinds = [
            Patch(color=BLUE, label="published number"),
            Patch(color="#B9CFE4", label="our choice"),
        ]
        axes.legend(handles=kinds, loc="lower right", fontsize=9)
    return figure


def _unit(value: float) -> tuple[str, float]:
    """Return the prefix in which *value* joules are shown, and what it stands for."""
    word = quantity(value, "J").split(" ")[1].removesuffix("J")
    return word, {"a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "µ": 1e-6, "m": 1e-3}.get(
        word, 1.0
    )
