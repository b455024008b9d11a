"""The figures of a run record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import BLUE, ORANGE, canvas, save_figures, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_figures", "run_drawings"]

_BINS = 60
_FEWEST_BINS = 8


def draw_figures(
    folder: str | Path,
    summary: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    events: Sequence[Mapping[str, Any]],
) -> list[Path]:
    """Draw the figures of a run into ``figures/`` of its record.

    Parameters
    ----------
    folder
        The folder of the record.
    summary
        The content of ``record.json``; ``name`` is used as a title where it is there.
    arrays
        ``g_plus_1``, ``g_minus_1``, ... (conductances in S, shape (rows, columns)) at level
        'device', or ``w_1``, ... (weights) at level 'ideal'; layer 1 is next to the input.
    events
        One mapping per epoch with ``epoch``, ``train_accuracy`` and ``test_accuracy`` (fractions
        of 1) and, at level 'device', ``pulses``, or ``set_pulses`` and ``reset_pulses``.

    Returns
    -------
    list of Path
        The PNG files: ``accuracy``, ``pulses`` (where any were given), ``conductances`` or
        ``weights``, ``conductance_map`` or ``weight_map``.

    Raises
    ------
    RecordError
        A file cannot be written; earlier figures are untouched.
    """
    return save_figures(Path(folder) / "figures", run_drawings(summary, arrays, events))


def run_drawings(
    summary: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    events: Sequence[Mapping[str, Any]],
) -> dict[str, Figure]:
    """Return the figures of :func:`draw_figures` by name, drawn but not written."""
    device = any(name.startswith("g_plus_") for name in arrays)
    drawings = {"accuracy": _accuracy(summary, events)}
    if device and any(_pulses_of(event) for event in events):
        drawings["pulses"] = _pulses(summary, events)
    layers = list(_layers(arrays, "g_plus_" if device else "w_"))
    if layers and device:
        drawings["conductances"] = _conductances(layers, arrays)
    elif layers:
        drawings["weights"] = _weights(layers, arrays)
    if layers:
        drawings["conductance_map" if device else "weight_map"] = _map(layers[0], arrays, device)
    return drawings


def _layers(arrays: Mapping[str, np.ndarray], prefix: str) -> Iterator[int]:
    layer = 1
    while f"{prefix}{layer}" in arrays:
        yield layer
        layer += 1


def _epochs(axes: Axes, epochs: Sequence[int]) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator

    axes.set_xlabel("epoch")
    few = 0 < len(epochs) <= 3
    axes.xaxis.set_major_locator(
        FixedLocator(epochs) if few else MaxNLocator(integer=True, min_n_ticks=1)
    )
    margin = 1.6 if few else 0.6  # one bar should not fill the whole width
    axes.set_xlim(min(epochs, default=1) - margin, max(epochs, default=1) + margin)


def _column(events: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    return np.array([np.nan if event.get(key) is None else event[key] for event in events], float)


def _accuracy(summary: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Figure:
    figure = canvas()
    axes = figure.axes[0]
    epochs = [int(event["epoch"]) for event in events]
    curves = (("train_accuracy", "training", ORANGE, "s"), ("test_accuracy", "test", BLUE, "o"))
    # Few epochs are points that should be seen; many are a curve.
    size = 4.0 if len(epochs) <= 40 else 0.0
    with style():
        for key, label, colour, marker in curves:
            values = 100 * _column(events, key)
            if np.isfinite(values).any():
                axes.plot(
                    epochs, values, color=colour, marker=marker, markersize=size, label=label
                )
        final = summary.get("test_accuracy")
        if final is not None:
            label = f"test accuracy at the end {100 * final:.2f} %"
            axes.set_title(label, loc="right", color=BLUE, fontsize="medium")
        axes.set_ylabel("accuracy (%)")
        axes.set_title(_title(summary, "Accuracy per epoch"))
        _epochs(axes, epochs)
        if axes.lines:
            axes.legend(loc="lower right")
    return figure


def _title(summary: Mapping[str, Any], text: str) -> str:
    return f"{text}: {summary['name']}" if summary.get("name") else text


def _pulses_of(event: Mapping[str, Any]) -> float | None:
    parts = [event.get("set_pulses"), event.get("reset_pulses")]
    return event.get("pulses") if None in parts else sum(p for p in parts if p is not None)


def _pulses(summary: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Figure:
    from matplotlib.ticker import EngFormatter

    figure = canvas()
    axes = figure.axes[0]
    epochs = [int(event["epoch"]) for event in events]
    up, down = (np.nan_to_num(_column(events, f"{kind}_pulses")) for kind in ("set", "reset"))
    split = any(event.get("set_pulses") is not None for event in events)
    with style():
        if split:
            axes.bar(epochs, up, color=BLUE, label="SET (potentiation)")
            axes.bar(epochs, down, bottom=up, color=ORANGE, label="RESET (depression)")
            axes.margins(y=0.2)
            axes.legend(loc="upper right", ncols=2)
        else:
            axes.bar(epochs, np.nan_to_num(_column(events, "pulses")), color=BLUE)
        axes.yaxis.set_major_formatter(EngFormatter(sep=" "))
        axes.grid(False, axis="x")
        axes.set_ylabel("programming pulses per epoch")
        axes.set_title(_title(summary, "Programming pulses"))
        _epochs(axes, epochs)
    return figure


def _conductances(layers: Sequence[int], arrays: Mapping[str, np.ndarray]) -> Figure:
    figure = canvas(1, len(layers), width=max(6.4, 4.2 * len(layers)), height=3.8)
    for axes, layer in zip(figure.axes, layers, strict=True):
        arms = [(arrays[f"g_plus_{layer}"], "$G^+$", BLUE)]
        paired = f"g_minus_{layer}" in arrays
        if paired:
            arms.append((arrays[f"g_minus_{layer}"], "$G^-$", ORANGE))
        factor, unit = _siemens([arm for arm, _, _ in arms])
        with style():
            _histogram(axes, [(factor * arm, label, colour) for arm, label, colour in arms])
            axes.set_xlabel(f"conductance ({unit})")
            per = " per arm" if paired else ""
            axes.set_title(f"Layer {layer}: {_size(arms[0][0])} cells{per}")
            if paired:
                axes.legend(loc="upper right")
    figure.axes[0].set_ylabel("cells per bin")
    return figure


def _weights(layers: Sequence[int], arrays: Mapping[str, np.ndarray]) -> Figure:
    figure = canvas(1, len(layers), width=max(6.4, 4.2 * len(layers)), height=3.8)
    for axes, layer in zip(figure.axes, layers, strict=True):
        weights = arrays[f"w_{layer}"]
        with style():
            _histogram(axes, [(weights, "", BLUE)])
            axes.set_xlabel("weight")
            axes.set_title(f"Layer {layer}: {_size(weights)} weights")
    figure.axes[0].set_ylabel("weights per bin")
    return figure


def _siemens(values: Sequence[np.ndarray]) -> tuple[float, str]:
    """Return the factor and the unit in which the largest conductance has up to three digits."""
    largest = max((np.abs(v[np.isfinite(v)]).max(initial=0.0) for v in values), default=0.0)
    units = ((1e9, "nS"), (1e6, "µS"), (1e3, "mS"), (1.0, "S"))
    fitting = (each for each in units if largest * each[0] < 1e3)
    return next(fitting, units[-1]) if largest else units[1]


def _size(array: np.ndarray) -> str:
    return " x ".join(f"{n:,}" for n in array.shape)


def _histogram(axes: Axes, parts: Sequence[tuple[np.ndarray, str, str]]) -> None:
    from matplotlib.ticker import MaxNLocator

    finite = [np.ravel(values)[np.isfinite(np.ravel(values))] for values, _, _ in parts]
    filled = [values for values in finite if values.size]
    if not filled:
        return
    every = np.concatenate(filled)
    bins = int(np.clip(2.0 * np.sqrt(every.size), _FEWEST_BINS, _BINS))  # few cells, few bins
    edges = np.histogram_bin_edges(every, bins).tolist()
    for values, (_, label, colour) in zip(finite, parts, strict=True):
        axes.hist(values, edges, color=colour, alpha=0.25)
        axes.hist(values, edges, color=colour, histtype="step", linewidth=1.3, label=label)
    axes.set_xlim(edges[0], edges[-1])
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))


def _map(layer: int, arrays: Mapping[str, np.ndarray], device: bool) -> Figure:
    from matplotlib.ticker import MaxNLocator

    plus = arrays[f"g_plus_{layer}" if device else f"w_{layer}"]
    minus = arrays.get(f"g_minus_{layer}") if device else None
    values = plus if minus is None else plus - minus
    factor, unit = _siemens([values]) if device else (1.0, "")
    values = factor * values
    signed = minus is not None or not device
    values = np.atleast_2d(values)
    values = values if values.shape[0] <= values.shape[1] else values.T
    turned = values.shape != np.atleast_2d(plus).shape
    rows, columns = values.shape
    height = float(np.clip(6.4 * rows / columns, 1.6, 6.4)) + 1.2
    figure = canvas(width=7.2, height=height)
    axes = figure.axes[0]
    low, high = _colour_range(values, signed)
    with style():
        image = axes.imshow(
            values,
            cmap="RdBu_r" if signed else "viridis",
            vmin=low,
            vmax=high,
            interpolation="nearest",
            aspect="auto",
        )
        axes.grid(False)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        labels = ("column", "row") if turned else ("row", "column")
        axes.set_ylabel(f"{labels[0]} of the array")
        axes.set_xlabel(f"{labels[1]} of the array")
        pair = f"$G^+ - G^-$ ({unit})"
        quantity = pair if minus is not None else f"G ({unit})" if device else "weight"
        figure.colorbar(image, ax=axes, label=quantity, extend="both" if signed else "neither")
        axes.set_title(f"Layer {layer}" + (", differential pairs" if minus is not None else ""))
    return figure


def _colour_range(values: np.ndarray, signed: bool) -> tuple[float, float]:
    """Return the ends of the colour scale, also where a run has diverged to NaN."""
    finite = values[np.isfinite(values)]
    if not finite.size or not finite.any():
        return (-1.0, 1.0) if signed else (0.0, 1.0)
    if signed:
        # The few extreme cells of a noisy array would wash out all others.
        high = float(np.quantile(np.abs(finite), 0.995)) or float(np.abs(finite).max())
        return -high, high
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if high > low else (low - 1.0, high + 1.0)
