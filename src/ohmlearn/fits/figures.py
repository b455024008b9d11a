"""The figure of a fit: readings and curve, residuals, step against conductance, models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..devices import conductance, depression, potentiation
from ..figures import BLUE, GREEN, GREY, ORANGE, canvas, save_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..devices.fitting.compare import Comparison
    from ..devices.fitting.estimate import Fit
    from ..devices.fitting.traces import Traces
    from .report import FitReport

__all__ = ["draw_fit"]

_MICRO = 1e6
_BINS = 10
_FEWEST = 5  # differences in a bin that is drawn


def draw_fit(path: Path, report: FitReport) -> Path:
    """Draw the fit into *path* (.png, .pdf or .svg) and return it.

    Raises
    ------
    ConfigError
        The name has another ending.
    RecordError
        The file cannot be written.
    """
    fit, traces = report.comparison.chosen, report.traces
    figure = canvas(2, 2, width=10.0, height=6.8)
    curve, steps, residuals, models = figure.axes
    with style():
        _draw_curve(curve, fit, traces)
        _draw_residuals(residuals, fit, traces)
        _draw_steps(steps, fit, traces)
        if len(report.comparison.rows) > 1:
            _draw_models(models, report.comparison)
        else:
            _draw_histogram(models, fit)
        figure.suptitle(f"{fit.device.name} fitted to {traces.source}", x=0.01, ha="left")
    return save_figure(path, figure)


def _draw_curve(axes: Axes, fit: Fit, traces: Traces) -> None:
    at = np.arange(traces.g.size)
    out = fit.outliers
    size = 2.2 if at.size > 300 else 3.5
    look = {"ls": "", "marker": "o", "ms": size, "alpha": 0.45, "mec": "none"}
    axes.plot(at[~out], _MICRO * traces.g[~out], color=GREY, label="readings", **look)
    if out.any():
        axes.plot(
            at[out],
            _MICRO * traces.g[out],
            ls="",
            marker="x",
            ms=4,
            mew=0.9,
            color=ORANGE,
            label=r"beyond 4 $\sigma$",
        )
    for part in np.split(at, np.flatnonzero(traces.starts)[1:]):
        axes.plot(part, _MICRO * fit.predicted[part], color=BLUE, lw=1.6)
    axes.plot([], [], color=BLUE, lw=1.6, label="model")
    low, high = _MICRO * np.quantile(traces.g, (0.005, 0.995))
    room = 0.12 * (high - low)
    axes.set_ylim(low - room, high + room)
    axes.set_xlabel("reading")
    axes.set_ylabel("conductance (µS)")
    _legend_above(axes)
    axes.set_title("Response")


def _legend_above(axes: Axes) -> None:
    """Put the legend at the right of the title, where no reading can be."""
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.01, 0.98),
        ncols=3,
        fontsize="small",
        handletextpad=0.4,
        columnspacing=1.0,
        borderaxespad=0.2,
    )


def _draw_residuals(axes: Axes, fit: Fit, traces: Traces) -> None:
    at, r = np.arange(traces.g.size), _MICRO * fit.residuals
    sigma = _MICRO * fit.sigma
    axes.axhspan(-2 * sigma, 2 * sigma, color=BLUE, alpha=0.10, lw=0)
    axes.axhline(0, color=BLUE, lw=1.2)
    shown = np.clip(r, -5 * sigma, 5 * sigma)
    far = np.abs(r) > 5 * sigma
    axes.plot(at[~far], shown[~far], "o", ms=2.2, color=GREY, alpha=0.5, mec="none")
    for sign, marker in ((1, "^"), (-1, "v")):
        chosen = far & (np.sign(r) == sign)
        axes.plot(at[chosen], shown[chosen], marker, ms=4, color=ORANGE, mec="none")
    axes.set_ylim(-5.6 * sigma, 5.6 * sigma)
    axes.set_xlabel("reading")
    axes.set_ylabel("residual (µS)")
    axes.set_title(r"Residuals; band: $\pm 2\,\sigma$, triangles: beyond 5 $\sigma$")


def _draw_steps(axes: Axes, fit: Fit, traces: Traces) -> None:
    p = fit.params
    states = np.linspace(0.0, 1.0, 201)
    g = np.array([conductance(p, 0.1, x) for x in states.tolist()])
    seen = (g >= fit.predicted.min()) & (g <= fit.predicted.max())
    for sign, step, colour, name in (
        (1, potentiation, BLUE, "SET"),
        (-1, depression, ORANGE, "RESET"),
    ):
        at, change, lag = _measured_steps(fit, traces, sign)
        if not at.size:
            continue
        moved = np.array([_moved(p, x, sign, step) for x in states.tolist()])
        axes.plot(_MICRO * g[seen], _MICRO * moved[seen], color=colour, lw=1.6)
        axes.plot([], [], color=colour, marker="o", ms=4, lw=1.6, label=name)
        _binned(axes, at, change, lag, colour)
    axes.axhline(0, color=GREY, lw=0.8)
    axes.set_xlabel("conductance (µS)")
    axes.set_ylabel("step of a pulse (µS)")
    _legend_above(axes)
    axes.set_title("Step; points: measured, with 95 %")


def _measured_steps(fit: Fit, traces: Traces, sign: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return conductances [S], mean steps [S] over some readings of one direction, how many.

    A single difference of readings is mostly noise; over m of them there is m times less of it.
    """
    trains = _trains(traces, sign)
    if not trains:
        return np.empty(0), np.empty(0), 1
    lag = int(np.clip(np.median([len(t) for t in trains]) / 12, 1, 25))
    at, change = [np.empty(0)], [np.empty(0)]
    for train in trains:
        given = np.cumsum(np.abs(traces.pulses[train]))
        first, last = train[:-lag], train[lag:]
        at.append(0.5 * (fit.predicted[first] + fit.predicted[last]))
        change.append((traces.g[last] - traces.g[first]) / (given[lag:] - given[:-lag]))
    return np.concatenate(at), np.concatenate(change), lag


def _trains(traces: Traces, sign: int) -> list[np.ndarray]:
    """Return the readings of each train of one direction, with the one before the first pulse."""
    inside = (np.sign(traces.pulses) == sign) & ~traces.starts
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.view(np.int8), [0]])))
    pairs = edges.reshape(-1, 2).tolist()
    return [np.arange(a - 1, b) for a, b in pairs if b - a >= 1]


def _moved(p, x: float, sign: int, step) -> float:
    """Return the change of conductance [S] by one pulse from state *x*."""
    after = min(max(x + sign * step(p, x), 0.0), 1.0)
    return conductance(p, 0.1, after) - conductance(p, 0.1, x)


def _binned(axes: Axes, g: np.ndarray, change: np.ndarray, lag: int, colour: str) -> None:
    """Draw medians of the measured steps, with the 95 % interval of each median."""
    edges = np.unique(np.quantile(g, np.linspace(0.0, 1.0, _BINS + 1)))
    where = np.clip(np.digitize(g, edges) - 1, 0, edges.size - 2)
    for k in range(edges.size - 1):
        part = change[where == k]
        if part.size < _FEWEST:
            continue
        middle = float(np.median(part))
        deviation = 1.4826 * float(np.median(np.abs(part - middle)))
        # Differences over the same readings are not independent.
        error = 1.96 * 1.2533 * deviation / np.sqrt(max(part.size / lag, 1.0))
        axes.errorbar(
            _MICRO * float(np.mean(g[where == k])),
            _MICRO * middle,
            _MICRO * error,
            fmt="o",
            ms=3.5,
            color=colour,
            alpha=0.75,
            lw=1.0,
        )


def _draw_models(axes: Axes, comparison: Comparison) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    rows = comparison.rows[::-1]
    linear = 10.0  # up to here differences count, beyond it only their order of size does
    for at, row in enumerate(rows):
        colour = GREEN if row.fit is comparison.chosen else GREY
        d = max(row.difference, 0.0)
        axes.plot([0, d], [at, at], color=colour, lw=2, solid_capstyle="butt")
        axes.plot(d, at, "o", color=colour, ms=7, clip_on=False)
        axes.annotate(f"{d:.1f}", (d, at), xytext=(8, 0), textcoords="offset points", va="center")
    most = max(row.difference for row in rows)
    axes.set_xscale("symlog", linthresh=linear)
    axes.set_xlim(0, max(3.0 * most, 2 * linear))
    axes.xaxis.set_major_locator(FixedLocator([0, 2, 5, 10, 30, 100, 300, 1000, 3000, 10000]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_yticks(range(len(rows)), [row.fit.device.name for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(False, axis="y")
    axes.set_xlabel("AICc above the best")
    axes.set_title(f"Models; chosen: {comparison.chosen.device.name}")


def _draw_histogram(axes: Axes, fit: Fit) -> None:
    sigma = fit.sigma
    z = np.clip(fit.residuals / sigma, -5, 5)
    edges = np.linspace(-5, 5, 41)
    axes.hist(z, edges.tolist(), color=GREY, alpha=0.5)
    at = np.linspace(-5, 5, 201)
    normal = np.exp(-0.5 * at**2) / np.sqrt(2 * np.pi) * z.size * (edges[1] - edges[0])
    axes.plot(at, normal, color=BLUE, lw=1.6, label="normal")
    axes.set_xlabel(r"residual / $\sigma$ (ends: all beyond)")
    axes.set_ylabel("readings")
    axes.legend()
    axes.set_title("Residuals")
