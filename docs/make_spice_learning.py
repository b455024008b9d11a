"""Draw docs/figures/xor_in_spice.png: the same learning by the kernels and inside ngspice.

Usage: ``python docs/make_spice_learning.py RUN_BY_KERNELS RUN_INSIDE_NGSPICE``, two folders of
runs; docs/results.md says how they were made.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ohmlearn.figures import BLUE, ORANGE, canvas, save_figures
from ohmlearn.record import Record, read_record

FOLDER = Path(__file__).parent / "figures"


def draw(kernels: Record, spice: Record) -> None:
    """Draw loss and pulses over the epochs of both runs."""
    figure = canvas(2, 1, height=5.0)
    top, bottom = figure.axes
    for record, label, style in (
        (kernels, "kernels", {"color": BLUE, "linewidth": 4.0, "alpha": 0.45}),
        (spice, "inside ngspice", {"color": ORANGE, "linewidth": 1.3}),
    ):
        epochs = [event["epoch"] for event in record.events]
        top.plot(epochs, [event["train_loss"] for event in record.events], label=label, **style)
        bottom.plot(epochs, [event["pulses"] for event in record.events], **style)
    top.set_title("XOR on a resistive network of 100 1T1R cells")
    top.set_ylabel("loss (cross-entropy)")
    top.legend()
    bottom.set_ylabel("pulses per epoch")
    bottom.set_xlabel("epoch")
    save_figures(FOLDER, {"xor_in_spice": figure})


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    draw(read_record(sys.argv[1]), read_record(sys.argv[2]))
