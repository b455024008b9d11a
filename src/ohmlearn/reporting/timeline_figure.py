"""A training sample in time: power to scale, and the order of the phases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..figures import canvas, style
from .budget import Phase
from .palette import FAINT, INK, PHASES, WIDTH
from .report import Report
from .timeline import Step, timeline
from .words import span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_timeline"]


def draw_timeline(phases: Sequence[Phase], report: Report) -> Figure:
    """Draw power over time to scale, and the order of the phases not to scale."""
    steps = timeline(report.subject, phases)
    figure = canvas(2, 1, width=WIDTH, height=4.3)
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
            color=PHASES[step.name], linewidth=0, label=label,
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
        axes.barh(0, 0.94, 0.9, left=place + 0.03, color=PHASES[step.name], linewidth=0)
        light = step.name in ("switch", "idle", "read-out")
        colour = INK if light else "white"
        axes.text(place + 0.5, 0.12, step.name, ha="center", va="center", fontsize=9, color=colour)
        axes.text(
            place + 0.5, -0.2, span(step.duration), ha="center", va="center", fontsize=8,
            color=colour,
        )  # fmt: skip
    for first, last, times in repeats:
        axes.annotate(
            "", (first, -0.72), (last, -0.72),
            arrowprops={"arrowstyle": "|-|", "color": FAINT, "mutation_scale": 3},
        )  # fmt: skip
        words = f"repeated {times} times" if times > 2 else "twice"
        axes.text(
            (first + last) / 2, -1.0, words, ha="center", va="center", fontsize=9, color=FAINT
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
