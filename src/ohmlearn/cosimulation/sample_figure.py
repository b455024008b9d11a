"""The figure of one learned sample. Matplotlib is imported on use, and needs no display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..figures import COLOURS, GREY, canvas, save_figures, style
from .sample_comparison import shown_by

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..spice_netlists.networks.sample_deck import SampleDeck, SampleEnds
    from .sample import CepSample

__all__ = ["draw_sample"]

# Okabe and Ito's palette: distinct for colour-blind readers.
_MOST = 7  # nodes drawn: one for each colour


def draw_sample(
    folder: str | Path, sample: CepSample, netlist: SampleDeck, ends: SampleEnds
) -> list[Path]:
    """Draw ``learned_sample.png`` into *folder* and return its path.

    Raises
    ------
    RecordError
        The file cannot be written; an earlier figure is untouched.
    """
    return save_figures(Path(folder), {"learned_sample": _figure(sample, netlist, ends)})


def _figure(sample: CepSample, netlist: SampleDeck, ends: SampleEnds) -> Figure:
    """Draw voltages over time, marks for the toolkit, and the changes of all cells."""
    figure = canvas(2, 1, width=7.2, height=6.4)
    t, times = 1e6 * ends.plot["time"], [1e6 * span.end for span in netlist.computing]
    with style():
        over, cells = figure.axes
        for span in netlist.programming:
            over.axvspan(1e6 * span.start, 1e6 * span.end, color="#DDDDDD", lw=0)
        chosen = np.unique(np.linspace(0, len(netlist.nodes) - 1, _MOST).astype(int))
        for k, node in enumerate(chosen):
            colour, name = COLOURS[k], netlist.nodes[node]
            over.plot(t, 1e3 * ends.plot[name], color=colour, lw=1.2, label=name[2:-1])
            over.plot(times, 1e3 * sample.voltages[:, node], "x", color=colour)
        over.set_xlabel("time (µs); grey: cells are programmed")
        over.set_ylabel("nodes (mV); x: kernels")
        over.legend(ncols=_MOST, fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 1.0))
        for layer, xbar in enumerate(sample.crossbars, start=1):
            before = sample.before[layer - 1]
            ours, theirs = sample.after[layer - 1], shown_by(xbar, ends.states[layer - 1])
            cells.plot(
                1e6 * (ours - before).ravel(), 1e6 * (theirs - before).ravel(), "o", mfc="none",
                ms=4, color=COLOURS[(layer - 1) % len(COLOURS)], label=f"array {layer}",
            )  # fmt: skip
        cells.axline((0.0, 0.0), slope=1.0, color=GREY, lw=0.8)
        cells.set_xlabel("change of a cell, kernels (µS)")
        cells.set_ylabel("ngspice (µS)")
        cells.legend()
    return figure
