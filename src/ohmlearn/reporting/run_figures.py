"""What a run cost: accuracy against energy, and wear of its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..figures import BLUE, ORANGE, canvas, style
from .budget import energy
from .palette import INK, WIDTH
from .report import Report
from .words import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_accuracy_cost", "draw_wear"]


def draw_accuracy_cost(report: Report) -> Figure | None:
    """Draw test accuracy over the energy spent; None without accuracies or energies."""
    from matplotlib.ticker import EngFormatter

    record, subject = report.subject.record, report.subject
    events = record.events if record else ()
    seen = [e for e in events if e.get("test_accuracy") is not None]
    if not seen or subject.writes is None or energy(report.sample) <= 0:
        return None
    spent = np.cumsum(_per_epoch(report, events))
    figure = canvas(width=WIDTH, height=3.4)
    axes = figure.axes[0]
    with style():
        accuracy = [100 * e["test_accuracy"] for e in seen]
        at = [spent[events.index(e)] for e in seen]
        axes.plot(at, accuracy, color=BLUE, marker="o", markersize=4)
        axes.set_xlim(0, None)
        axes.xaxis.set_major_formatter(EngFormatter("J", sep=" "))
        axes.set_xlabel("energy of training so far")
        axes.set_ylabel("test accuracy (%)")
    return figure


def _per_epoch(report: Report, events: Sequence[Mapping[str, Any]]) -> np.ndarray:
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


def draw_wear(report: Report) -> Figure | None:
    """Draw the histogram of pulses per cell; None where they are not recorded."""
    record, worn = report.subject.record, report.wear
    names = [n for n in sorted(record.arrays) if n.startswith("writes_")] if record else []
    if record is None or worn is None or not names:
        return None
    counts = np.concatenate([record.arrays[name].ravel() for name in names])
    figure = canvas(width=WIDTH, height=3.2)
    axes = figure.axes[0]
    top = max(float(counts.max()), 1.0)
    edges = np.geomspace(0.7, top * 1.05, 49)
    never = float(np.mean(counts == 0))
    with style():
        axes.hist(counts[counts > 0], edges.tolist(), color=ORANGE, alpha=0.85)
        axes.set_xscale("log")
        axes.axvline(worn.endurance, color=INK, linewidth=1.0, linestyle="--")
        axes.text(
            worn.endurance, 0.97, "endurance ", rotation=90, va="top", ha="right", fontsize=9,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        axes.set_xlim(0.7, max(worn.endurance, top) * 3)
        words = f"; {percent(never)} of the cells were never pulsed" if never else ""
        axes.set_xlabel(f"programming pulses of a cell in the whole run{words}")
        axes.set_ylabel("cells per bin")
    return figure
