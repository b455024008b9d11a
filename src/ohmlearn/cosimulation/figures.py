"""The figure of a co-simulation. Matplotlib is imported on use, and needs no display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..figures import COLOURS, GREY, canvas, save_figures, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from .result import CosimResult, Waves

__all__ = ["draw_cosim"]

# Okabe and Ito's palette: distinct for colour-blind readers.
_MOST = 6  # nodes drawn per layer
_MARKS = 28  # of ngspice per node
_LABEL = 0.075  # height of a label as a part of its panel


def draw_cosim(folder: str | Path, result: CosimResult) -> list[Path]:
    """Draw ``cosim_waveforms.png`` into *folder* and return its path.

    Raises
    ------
    RecordError
        The file cannot be written; an earlier figure is untouched.
    """
    return save_figures(Path(folder), {"cosim_waveforms": _waveforms(result)})


def _waveforms(result: CosimResult) -> Figure:
    """Draw a panel per layer, lines for the kernels and marks for ngspice, and the difference."""
    from matplotlib.lines import Line2D

    waves = result.waves
    depth = len(waves.sizes)
    figure = canvas(depth + 1, 1, width=7.2, height=0.9 + 2.1 * (depth + 1))
    scale, unit = _time_unit(waves.ends[-1])
    with style():
        first = 0
        for layer, size in enumerate(waves.sizes, start=1):
            axes = figure.axes[layer - 1]
            volts, volt = _voltage_unit(np.abs(waves.kernel[:, first : first + size]).max())
            _layer(axes, waves, first, size, (scale, volts))
            name = "output" if layer == depth else f"hidden {layer}" if depth > 2 else "hidden"
            axes.set_ylabel(f"{name} nodes ({volt})")
            first += size
        last = figure.axes[-1]
        _difference(last, result, scale)
        for axes in figure.axes:
            axes.set_xlim(0, waves.ends[-1] * scale)
            for end in waves.ends[:-1]:
                axes.axvline(end * scale, color=GREY, lw=0.8, ls=":")
        last.set_xlabel(f"time ({unit})")
        figure.axes[0].set_title(f"{result.title}, test sample {waves.sample}")
        handles = [
            Line2D([], [], color=GREY, lw=1.4, label="kernels"),
            Line2D([], [], color=GREY, ls="", marker="o", ms=4, mfc="none", label="ngspice"),
            Line2D([], [], color=GREY, lw=0.8, ls=":", label="nudge begins"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _time_unit(longest: float) -> tuple[float, str]:
    for factor, unit in ((1e15, "fs"), (1e12, "ps"), (1e9, "ns"), (1e6, "µs"), (1e3, "ms")):
        if longest * factor < 3e3:
            return factor, unit
    return 1.0, "s"


def _voltage_unit(largest: float) -> tuple[float, str]:
    return (1e3, "mV") if largest < 3.0 else (1.0, "V")


def _apart(heights: NDArray, gap: float) -> NDArray:
    """Return ascending *heights* raised where needed, none nearer than *gap* to the one below."""
    steps = gap * np.arange(len(heights))
    return np.maximum.accumulate(heights - steps) + steps


def _layer(axes: Axes, waves: Waves, first: int, size: int, scales: tuple[float, float]) -> None:
    """Draw the nodes of a layer that differ most from one another; *scales* of time and volts."""
    scale, volts = scales
    final = waves.kernel[-1, first : first + size]
    order = np.argsort(final)
    chosen = order[np.unique(np.linspace(0, size - 1, min(size, _MOST)).astype(int))]
    marks = np.linspace(0.0, waves.ends[-1], _MARKS + 1)[1:]
    rows = np.unique(np.searchsorted(waves.spice_t, marks).clip(max=len(waves.spice_t) - 1))
    look: dict[str, Any] = {"ls": "", "marker": "o", "ms": 4, "mfc": "none"}
    for k, node in enumerate(chosen):
        colour = COLOURS[k % len(COLOURS)]
        axes.plot(scale * waves.t, volts * waves.kernel[:, first + node], color=colour, lw=1.4)
        axes.plot(
            scale * waves.spice_t[rows],
            volts * waves.spice[rows, first + node],
            color=colour,
            **look,
        )
    low, high = axes.get_ylim()
    heights = _apart(volts * final[chosen], _LABEL * (high - low))
    for k, (node, height) in enumerate(zip(chosen, heights, strict=True)):
        axes.annotate(
            f" {node}", (scale * waves.t[-1], height), color=COLOURS[k % len(COLOURS)],
            fontsize=8, va="center", annotation_clip=False,
        )  # fmt: skip


def _difference(axes: Axes, result: CosimResult, scale: float) -> None:
    """Draw the largest difference of any node over time, and the tolerance."""
    waves = result.waves
    t, largest = waves.spice_t, waves.apart
    axes.semilogy(scale * t, np.maximum(largest, 1e-12), color=COLOURS[0], lw=1.2)
    tolerance = max(each.tolerance for each in result.comparisons if each.level == "waveform")
    axes.axhline(tolerance, color=COLOURS[1], lw=1.2, ls="--")
    axes.annotate(" tolerance", (0, tolerance), color=COLOURS[1], fontsize=9, va="bottom")
    axes.set_ylabel("largest difference (V)")
    axes.set_ylim(max(1e-9, 0.3 * float(np.median(largest))), 5 * tolerance)
