"""The figures of a sweep and of a tolerance. Matplotlib is imported on use."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..figures import BLUE, COLOURS, GREY, ORANGE, canvas, save_figures, style
from .tidy import Interval, Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .sweep import Sweep
    from .tolerance import Tolerance

__all__ = ["draw_sweep", "draw_tolerance"]

# Okabe and Ito's palette: distinct for colour-blind readers.
_MARKERS = "osD^vP*"
_METRICS = {
    "test_error_percent": "test error (%)",
    "rested_error_percent": "test error after rest (%)",
    "pulses": "programming pulses",
}
_MANY = len(COLOURS)
_FEW = 8  # values that are all written at a logarithmic axis
_DECADE = 30.0  # ratio of values from which on an axis is logarithmic


def draw_sweep(folder: Path, sweep: Sweep, curves: bool) -> list[Path]:
    """Draw each metric over the swept keys into ``figures/`` of *folder*; return the paths.

    Parameters
    ----------
    curves
        Values of a key repeat, as in a grid, so that points make up curves. Otherwise, and where
        there would be too many curves, every key gets a panel with all points.

    Raises
    ------
    RecordError
        A file cannot be written.
    """
    drawings = {}
    for metric, label in _METRICS.items():
        points = [point for point in sweep.points if metric in point.metrics]
        if points:
            drawings[metric.removesuffix("_percent")] = _drawing(
                sweep, points, metric, label, curves
            )
    return save_figures(folder / "figures", drawings)


def _drawing(
    sweep: Sweep, points: Sequence[Summary], metric: str, label: str, curves: bool
) -> Figure:
    others = {point.values[1:] for point in points}
    panels = 1 if curves and len(others) <= _MANY else len(sweep.keys)
    figure = canvas(1, panels, width=max(6.4, 1.2 + 3.6 * panels), height=4.2)
    with style():
        if panels == 1:
            _curves(figure.axes[0], sweep.keys, points, metric)
        else:
            for axis, axes in enumerate(figure.axes):
                _scatter(axes, axis, points, metric)
        for axes, key in zip(figure.axes, sweep.keys, strict=False):
            axes.set_xlabel(key)
            _percent(axes, metric)
        figure.axes[0].set_ylabel(label)
        figure.suptitle(_title(sweep, points, metric), x=0.02, ha="left", fontsize=10.5)
    return figure


def _title(sweep: Sweep, points: Sequence[Summary], metric: str) -> str:
    seeds = sorted({point.metrics[metric].n for point in points})
    counts = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    if seeds[-1] == 1:
        return f"{sweep.name}: one seed per point"
    return f"{sweep.name}: mean of {counts} seeds, {100 * sweep.confidence:g} % interval"


def _curves(axes: Axes, keys: Sequence[str], points: Sequence[Summary], metric: str) -> None:
    """Draw one curve over the first key for each combination of the others."""
    names = list(dict.fromkeys(point.values[0] for point in points))
    place = _scale(axes, names)
    groups: dict[tuple[str, ...], list[Summary]] = {}
    for point in points:
        groups.setdefault(point.values[1:], []).append(point)
    for number, (others, group) in enumerate(groups.items()):
        look: dict[str, Any] = {"color": COLOURS[number], "marker": _MARKERS[number]}
        known = sorted((place[point.values[0]], point.metrics[metric]) for point in group)
        _band(axes, known, look, _label(keys[1:], others), _numeric(names))
    if len(groups) > 1:
        axes.legend(title=_legend_title(keys[1:]))


def _legend_title(keys: Sequence[str]) -> str | None:
    return keys[0] if len(keys) == 1 else None


def _label(keys: Sequence[str], values: Sequence[str]) -> str:
    if len(keys) == 1:
        return values[0]
    return ", ".join(f"{k} {v}" for k, v in zip(keys, values, strict=True))


def _band(
    axes: Axes,
    known: Sequence[tuple[float, Interval]],
    look: dict[str, Any],
    label: str,
    line: bool,
) -> None:
    """Draw means with a band over a number, or with bars over a name."""
    x = [at for at, _ in known]
    means = [found.mean for _, found in known]
    low = [found.low for _, found in known]
    high = [found.high for _, found in known]
    if line and len(x) > 1:
        axes.fill_between(x, low, high, color=look["color"], alpha=0.18, lw=0)
        axes.plot(x, means, ms=4.5, label=label, **look)
        return
    below = [0.0 if math.isnan(e) else m - e for m, e in zip(means, low, strict=True)]
    above = [0.0 if math.isnan(e) else e - m for m, e in zip(means, high, strict=True)]
    axes.errorbar(x, means, [below, above], ls="", ms=4.5, capsize=3, label=label, **look)


def _scatter(axes: Axes, axis: int, points: Sequence[Summary], metric: str) -> None:
    """Draw all points over one key; what the other keys do is the scatter."""
    place = _scale(axes, list(dict.fromkeys(point.values[axis] for point in points)))
    known = [(place[point.values[axis]], point.metrics[metric]) for point in points]
    look: dict[str, Any] = {"color": COLOURS[0], "marker": "o", "elinewidth": 0.8}
    _band(axes, known, look, "", line=False)


def _numeric(names: Sequence[str]) -> bool:
    try:
        return all(math.isfinite(float(name)) for name in names)
    except ValueError:
        return False


def _scale(axes: Axes, names: Sequence[str]) -> dict[str, float]:
    """Scale the abscissa to the values *names*; return where each of them is."""
    if not _numeric(names):
        axes.set_xticks(range(len(names)), names)
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.tick_params(axis="x", labelrotation=20 if sum(map(len, names)) > 50 else 0)
        return {name: float(at) for at, name in enumerate(names)}
    values = sorted(float(name) for name in names)
    positive = [value for value in values if value > 0]
    if values[0] >= 0 and len(positive) > 1 and positive[-1] > _DECADE * positive[0]:
        if values[0] == 0:  # shown at its own place, left of a linear piece
            axes.set_xscale("symlog", linthresh=positive[0], linscale=0.5)
            axes.set_xlim(-0.1 * positive[0], 1.3 * positive[-1])
        else:
            axes.set_xscale("log")
        if len(names) <= _FEW:
            axes.set_xticks([float(name) for name in names], names)
            axes.minorticks_off()
    return {name: float(name) for name in names}


def _percent(axes: Axes, metric: str) -> None:
    if metric.endswith("_percent"):
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, 0.0), min(max(high, low + 0.5), 100.0))
    else:
        from matplotlib.ticker import EngFormatter

        axes.set_ylim(bottom=max(axes.get_ylim()[0], 0.0))  # there are no fewer than no pulses
        axes.yaxis.set_major_formatter(EngFormatter(sep=" "))


def draw_tolerance(folder: Path, found: Tolerance) -> list[Path]:
    """Draw the accuracy at every spread that was tried; return the path.

    Raises
    ------
    RecordError
        The file cannot be written.
    """
    figure = canvas()
    axes = figure.axes[0]
    trials = sorted(found.trials, key=lambda trial: trial.value)
    tried = [trial for trial in trials if not trial.failed]
    with style():
        for meets, colour, label in ((True, BLUE, "meets"), (False, ORANGE, "does not meet")):
            chosen = [trial for trial in tried if trial.meets is meets]
            if not chosen:
                continue
            means = [100 * trial.mean for trial in chosen]
            down = [100 * (trial.mean - trial.bound) for trial in chosen]
            up = [0.0] * len(chosen)
            x = [trial.value for trial in chosen]
            axes.errorbar(x, means, [down, up], ls="", marker="o", ms=5, capsize=4, color=colour,
                          label=f"{label} the accuracy")  # fmt: skip
            every = [(t.value, 100 * a) for t in chosen for a in t.accuracies]
            axes.plot(*zip(*every, strict=True), ls="", marker="_", ms=7, color=colour, alpha=0.5)
        asked = f"accuracy asked for, {100 * found.accuracy:g} %"
        axes.axhline(100 * found.accuracy, color=GREY, ls="--", lw=1.0, label=asked)
        if found.meets is not None and found.fails is not None:
            axes.axvspan(found.meets, found.fails, color=GREY, alpha=0.2, lw=0,
                         label="the limit lies in between")  # fmt: skip
        axes.set_xlabel(found.key)
        axes.set_ylabel("test accuracy (%)")
        axes.set_title(
            f"{found.name}: mean of {found.seeds} seeds, {100 * found.confidence:g} % lower bound"
        )
        if tried:
            axes.legend()
    return save_figures(folder / "figures", {"tolerance": figure})
