"""The figures of a check of Theorem 1. Matplotlib is imported on use, and needs no display."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..figures import COLOURS, GREY, canvas, save_figures, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .process import Curves, GduResult, Row

__all__ = ["draw_gdu", "layer_label"]

_MARKERS = "osD^vP*X"


def draw_gdu(folder: str | Path, result: GduResult) -> list[Path]:
    """Draw ``gdu_curves.png`` and ``gdu_error.png`` into *folder* and return their paths.

    Raises
    ------
    RecordError
        A file cannot be written; earlier figures are untouched.
    """
    drawings = {"gdu_curves": _curves(result), "gdu_error": _errors(result)}
    return save_figures(Path(folder), drawings)


def layer_label(name: str, depth: int) -> str:
    """Return the words for ``s_2``, ``w_1``, ``back_2`` in a network of *depth* weight layers."""
    kind, layer = name.rsplit("_", 1)
    k = int(layer)
    place = {0: "input", depth: "output"}
    ends = [place.get(j, f"hidden {j}" if depth > 2 else "hidden") for j in (k - 1, k)]
    if kind == "s":
        return f"neurons, {ends[1]}"
    return " to ".join(ends if kind == "w" else ends[::-1])


def _title(curves: Curves) -> str:
    if not any(curves.eta):
        return rf"$\beta$ = {curves.beta:g}, $\eta$ = 0"
    return rf"$\beta$ = {curves.beta:g}, $\eta/\beta$ = {max(curves.eta) / abs(curves.beta):.2g}"


def _curves(result: GduResult) -> Figure:
    """Draw a row of panels per layer and a column per (beta, eta)."""
    from matplotlib.lines import Line2D

    depth = result.problem.network.layout.depth
    names = list(result.curves[0].process)
    rows, columns = len(names), len(result.curves)
    figure = canvas(rows, columns, width=1.2 + 3.1 * columns, height=0.9 + 1.75 * rows)
    with style():
        for at, axes in enumerate(figure.axes):
            row, column = divmod(at, columns)
            curves = result.curves[column]
            _panel(axes, curves.descent[names[row]], curves.process[names[row]])
            if row == 0:
                axes.set_title(_title(curves))
            if column == 0:
                kind = "s" if names[row].startswith("s_") else r"\theta"
                label = layer_label(names[row], depth)
                axes.set_ylabel(rf"{label}" + "\n" + rf"$\Delta_{kind}$, $-\nabla_{kind}$")
            if row == rows - 1:
                axes.set_xlabel("slot t")
        process = "C-EP" if result.problem.network.layout.symmetric else "C-VF"
        handles = [
            Line2D([], [], color=GREY, lw=4.5, alpha=0.5, label=r"BPTT, $-\nabla(t)$"),
            Line2D([], [], color=GREY, lw=1.4, ls="--", label=rf"{process}, $\Delta(t)$"),
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _panel(axes: Axes, descent: np.ndarray, process: np.ndarray) -> None:
    slots = np.arange(len(descent))
    for k in range(descent.shape[1]):
        colour = COLOURS[k % len(COLOURS)]
        axes.plot(slots, descent[:, k], color=colour, lw=4.5, alpha=0.5, solid_capstyle="butt")
        axes.plot(slots, process[:, k], color=colour, lw=1.4, ls="--")
    axes.ticklabel_format(axis="y", scilimits=(-2, 3), useMathText=True)
    # A process that runs away would press the gradients flat; show where it leaves.
    low, high = float(descent.min()), float(descent.max())
    room = 0.6 * (high - low) or 1.0
    bottom, top = (float(f(process)) for f in (np.nanmin, np.nanmax))
    margin = 0.08 * (high - low) or 0.1
    axes.set_ylim(
        max(min(bottom, low) - margin, low - room), min(max(top, high) + margin, high + room)
    )


def _errors(result: GduResult) -> Figure:
    """Draw RelMSE over beta where eta is 0, and over eta / beta where it is not."""
    still = [row for row in result.rows if not any(row.eta)]
    moving = [row for row in result.rows if any(row.eta)]
    panels: list[tuple[Sequence[Row], str, Callable[[Row], float]]] = []
    if still:
        panels.append((still, r"$|\beta|$, at $\eta$ = 0", lambda row: abs(row.beta)))
    if moving:
        panels.append((moving, r"$\eta/|\beta|$", lambda row: row.ratio))
    figure = canvas(1, len(panels), width=2.0 + 3.9 * len(panels), height=4.2)
    with style():
        for axes, (rows, label, of) in zip(figure.axes, panels, strict=True):
            _error_panel(axes, rows, of, result.problem.network.layout.depth)
            axes.set_xlabel(label)
        figure.axes[0].set_ylabel("distance from BPTT (RelMSE, mean of a layer)")
        labelled: dict[str, Any] = {}
        for axes in figure.axes:
            handles, labels = axes.get_legend_handles_labels()
            labelled.update(zip(labels, handles, strict=True))
        figure.legend(list(labelled.values()), list(labelled), loc="outside right center")
    return figure


def _error_panel(axes: Axes, rows: Sequence[Row], of: Callable[[Row], float], depth: int) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    line, extra = _one_line(rows, of)
    for k, name in enumerate(rows[0].distance.error):
        look: dict[str, Any] = {"color": COLOURS[k % len(COLOURS)], "ms": 6}
        look["marker"] = _MARKERS[k % len(_MARKERS)]
        style = "-" if name.startswith("s_") else "--"
        label = layer_label(name, depth)
        axes.plot(*_points(line, of, name), style, mfc="none", label=label, **look)
        axes.plot(*_points(extra, of, name), ls="", **look)
    if extra:
        others = ", ".join(f"{beta:g}" for beta in sorted({row.beta for row in extra}))
        axes.plot([], [], "o", color=GREY, ms=6, label=rf"filled: $\beta$ = {others}")
    _proportional(axes, line, of)


def _one_line(rows: Sequence[Row], of: Callable[[Row], float]) -> tuple[list[Row], list[Row]]:
    """Split *rows* into those of one line, and those of other betas at the same abscissas."""
    if len({of(row) for row in rows}) == len(rows):
        return sorted(rows, key=of), []
    betas = [row.beta for row in rows]
    common = max(betas, key=betas.count)
    line = sorted((row for row in rows if row.beta == common), key=of)
    return line, [row for row in rows if row.beta != common]


def _points(
    rows: Sequence[Row], of: Callable[[Row], float], name: str
) -> tuple[list[float], list[float]]:
    return [of(row) for row in rows], [row.distance.error[name][0] for row in rows]


def _proportional(axes: Axes, rows: Sequence[Row], of: Callable[[Row], float]) -> None:
    """Draw, below the first points, an error that is proportional to the abscissa."""
    start, end = of(rows[0]), of(rows[-1])
    lowest = 0.5 * min(mean for mean, _ in rows[0].distance.error.values())
    if not (start < end and lowest > 0):
        return
    stop = min(end, start / lowest)  # RelMSE saturates at 1
    axes.plot([start, stop], [lowest, lowest * stop / start], ":", color=GREY, label="slope 1")
