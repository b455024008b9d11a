"""The figures of a report. Matplotlib is imported on use."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..figures import canvas, run_drawings, style
from .budget import ELEMENTS, Phase, energy
from .report import Report
from .timeline import Step, timeline
from .words import percent, quantity, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Picture", "pictures"]

# Paul Tol's "muted" and Okabe-Ito colours: distinct for colour-blind readers, one per element.
COLOURS: dict[str, str] = dict(
    zip(
        ELEMENTS,
        (
            "#0072B2", "#56B4E9", "#999933", "#D55E00", "#009E73",
            "#CC79A7", "#882255", "#F0E442", "#E69F00", "#7F7F7F",
        ),
        strict=True,
    )
)  # fmt: skip
_PHASES = {
    "settle": "#0072B2",
    "read-out": "#E69F00",
    "nudge": "#009E73",
    "decide": "#7F7F7F",
    "switch": "#BBBBBB",
    "SET": "#D55E00",
    "RESET": "#882255",
    "verify": "#CC79A7",
    "idle": "#DDDDDD",
}
_INK, _FAINT = "#222222", "#6E6E6E"
_WIDTH = 8.6


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
            "timeline", "One training sample in time", _timeline(report.sample, report),
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
    if (cost := _accuracy_cost(report)) is not None:
        text = "Test accuracy against the energy that training has taken until then."
        found.insert(1, _picture("accuracy_energy", "What accuracy costs", cost, text))
    if (worn := _wear(report)) is not None:
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
    figure = canvas(width=_WIDTH, height=1.35 + 0.36 * len(rows))
    axes = figure.axes[0]
    places = [-0.0, -1.0, *(-2.35 - k for k in range(len(rows) - 2))]
    with style():
        for place, (_, phases, whole) in zip(places, rows, strict=True):
            _bar(axes, place, phases, 0.78 if whole else 0.6)
            words = quantity(energy(phases), "J")
            if not whole:
                words += f"  ({percent(energy(phases) / total)})"
            axes.text(1.015, place, words, va="center", fontsize=9.5, color=_INK)
        for name in used:
            axes.barh(0, 0, color=COLOURS[name], label=name)
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
            place, share, height, left=left, color=COLOURS[element], edgecolor="white",
            linewidth=0.5,
        )  # fmt: skip
        if share >= 0.09:
            light = element in ("DAC", "access transistors", "ADC")
            axes.text(
                left + share / 2, place, f"{100 * share:.0f} %", ha="center", va="center",
                fontsize=8.5, color=_INK if light else "white",
            )  # fmt: skip
        left += share


def _timeline(phases: Sequence[Phase], report: Report) -> Figure:
    """Draw power over time to scale, and the order of the phases not to scale."""
    steps = timeline(report.subject, phases)
    figure = canvas(2, 1, width=_WIDTH, height=4.3)
    above, below = figure.axes
    with style():
        _power(above, steps)
        _order(below, steps)
    return figure


def _power(axes: Axes, steps: Sequence[Step]) -> None:
    from matplotlib.ticker import EngFormatter

    start, end = 0.0, sum(step.duration for step in steps)
    rates = [s.power for s in steps if s.power > 0 and s.duration > 0]
    floor = min(rates, default=1e-6) / 3
    shown: set[str] = set()
    for step in steps:
        if step.duration <= 0:
            continue
        label = "" if step.name in shown else step.name
        shown.add(step.name)
        # A step shorter than a pixel is still seen.
        width = max(step.duration, 0.0015 * end)
        axes.bar(
            start, max(step.power, floor) - floor, width, bottom=floor, align="edge",
            color=_PHASES[step.name], linewidth=0, label=label,
        )  # fmt: skip
        start += step.duration
    axes.set_yscale("log")
    axes.set_ylim(floor, max(rates, default=1e-6) * 8)  # room for the legend
    axes.set_xlim(0, end or 1.0)
    axes.xaxis.set_major_formatter(EngFormatter("s", sep=" "))
    axes.yaxis.set_major_formatter(EngFormatter("W", sep=" "))
    axes.grid(False, axis="x")
    axes.set_ylabel("power")
    axes.set_title("To scale")
    axes.legend(loc="upper right", ncols=len(shown), fontsize=8.5, handlelength=1.0)


def _order(axes: Axes, steps: Sequence[Step]) -> None:
    """Draw the steps of the sample as boxes, with a slot that repeats drawn once."""
    boxes, repeats = _once(steps)
    for place, step in enumerate(boxes):
        axes.barh(0, 0.94, 0.9, left=place + 0.03, color=_PHASES[step.name], linewidth=0)
        light = step.name in ("switch", "idle", "read-out")
        colour = _INK if light else "white"
        axes.text(place + 0.5, 0.12, step.name, ha="center", va="center", fontsize=9, color=colour)
        axes.text(
            place + 0.5, -0.2, span(step.duration), ha="center", va="center", fontsize=8,
            color=colour,
        )  # fmt: skip
    for first, last, times in repeats:
        axes.annotate(
            "", (first, -0.72), (last, -0.72),
            arrowprops={"arrowstyle": "|-|", "color": _FAINT, "mutation_scale": 3},
        )  # fmt: skip
        words = f"repeated {times} times" if times > 2 else "twice"
        axes.text(
            (first + last) / 2, -1.0, words, ha="center", va="center", fontsize=9, color=_FAINT
        )
    axes.set_xlim(0, max(len(boxes), 1))
    axes.set_ylim(-1.3, 0.6)
    axes.axis("off")
    axes.set_title("In order, not to scale")


def _once(steps: Sequence[Step]) -> tuple[list[Step], list[tuple[int, int, int]]]:
    """Return the steps with every run of equal slots once, and where that is: from, to, times."""
    boxes: list[Step] = []
    repeats = []
    position = 0
    while position < len(steps):
        slot = steps[position].slot
        length = 1
        while slot and position + length < len(steps) and steps[position + length].slot == slot:
            length += 1
        times = 1
        end = position + length
        while slot and end < len(steps) and steps[end].slot:
            end += length
            times += 1
        if times > 1:
            repeats.append((len(boxes), len(boxes) + length, times))
        boxes += steps[position : position + length]
        position = end if times > 1 else position + length
    return boxes, repeats


def _tornado(report: Report) -> Figure:
    """Draw the energy of a sample with each constant at either end of its range."""
    from matplotlib.patches import Patch

    usual = energy(report.sample)
    rows = [s for s in report.sensitivities if s.high - s.low > 0.001 * usual][:10]
    prefix, unit = _unit(usual)
    figure = canvas(width=_WIDTH, height=1.2 + 0.36 * len(rows))
    axes = figure.axes[0]
    with style():
        for place, row in enumerate(rows):
            own = row.number.origin == "our choice"
            axes.barh(
                -place, (row.high - row.low) / unit, 0.62, left=row.low / unit,
                color="#B9CFE4" if own else "#0072B2", linewidth=0,
            )  # fmt: skip
            ends = sorted((row.number.low, row.number.high))
            words = " to ".join(quantity(v, row.number.unit, given=True) for v in ends)
            axes.text(
                1.015, -place, words, va="center", fontsize=8.5, color=_FAINT,
                transform=axes.get_yaxis_transform(),
            )  # fmt: skip
        axes.axvline(usual / unit, color=_INK, linewidth=1.0)
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
            Patch(color="#0072B2", label="published number"),
            Patch(color="#B9CFE4", label="our choice"),
        ]
        axes.legend(handles=kinds, loc="lower right", fontsize=9)
    return figure


def _accuracy_cost(report: Report) -> Figure | None:
    """Draw test accuracy over the energy spent; None without accuracies or energies."""
    from matplotlib.ticker import EngFormatter

    record, subject = report.subject.record, report.subject
    events = record.events if record else ()
    seen = [e for e in events if e.get("test_accuracy") is not None]
    if not seen or subject.writes is None or energy(report.sample) <= 0:
        return None
    spent = np.cumsum(_per_epoch(report, events))
    figure = canvas(width=_WIDTH, height=3.4)
    axes = figure.axes[0]
    with style():
        accuracy = [100 * e["test_accuracy"] for e in seen]
        at = [spent[events.index(e)] for e in seen]
        axes.plot(at, accuracy, color="#0072B2", marker="o", markersize=4)
        axes.set_xlim(0, None)
        axes.xaxis.set_major_formatter(EngFormatter("J", sep=" "))
        axes.set_xlabel("energy of training so far")
        axes.set_ylabel("test accuracy (%)")
    return figure


def _per_epoch(report: Report, events: Sequence[Any]) -> np.ndarray:
    """Return the energy of every epoch [J]: writes as metered, all else as on average."""
    subject, total = report.subject, energy(report.sample)
    rows = subject.epoch_samples
    metered = [event.get("write_energy") for event in events]
    known = [value for value in metered if value is not None]
    if len(known) < len(events) or not sum(known):
        return np.full(len(events), total * rows)
    # Wires, drivers and slots of a write go with the energy that the cells take.
    writes = sum(energy((p,)) for p in report.sample if p.name in ("SET", "RESET", "verify"))
    share = np.array(known) / sum(known) * len(known)
    return (total - writes) * rows + writes * rows * share


def _wear(report: Report) -> Figure | None:
    """Draw the histogram of pulses per cell; None where they are not recorded."""
    record, worn = report.subject.record, report.wear
    names = [n for n in sorted(record.arrays) if n.startswith("writes_")] if record else []
    if record is None or worn is None or not names:
        return None
    counts = np.concatenate([record.arrays[name].ravel() for name in names])
    figure = canvas(width=_WIDTH, height=3.2)
    axes = figure.axes[0]
    top = max(float(counts.max()), 1.0)
    edges = np.geomspace(0.7, top * 1.05, 49)
    never = float(np.mean(counts == 0))
    with style():
        axes.hist(counts[counts > 0], edges.tolist(), color="#D55E00", alpha=0.85)
        axes.set_xscale("log")
        axes.axvline(worn.endurance, color=_INK, linewidth=1.0, linestyle="--")
        axes.text(
            worn.endurance, 0.97, "endurance ", rotation=90, va="top", ha="right", fontsize=9,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        axes.set_xlim(0.7, max(worn.endurance, top) * 3)
        words = f"; {percent(never)} of the cells were never pulsed" if never else ""
        axes.set_xlabel(f"programming pulses of a cell in the whole run{words}")
        axes.set_ylabel("cells per bin")
    return figure


def _unit(value: float) -> tuple[str, float]:
    """Return the prefix in which *value* joules are shown, and what it stands for."""
    word = quantity(value, "J").split(" ")[1].removesuffix("J")
    return word, {"a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "µ": 1e-6, "m": 1e-3}.get(
        word, 1.0
    )
