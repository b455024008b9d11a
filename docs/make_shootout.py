"""Draw docs/figures/shootout.png and print its table: every preset in one network.

Usage: ``python docs/make_shootout.py FOLDER``, the folder of the sweep that docs/results.md names.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from ohmlearn.figures import BLUE, GREEN, GREY, ORANGE, canvas, save_figures
from ohmlearn.tables import engineering

FOLDER = Path(__file__).parent / "figures"
COLUMNS = {
    "test_error_percent": ("test error", "%", BLUE),
    "energy_per_training_sample": ("energy per training sample", "J", ORANGE),
    "latency_per_training_sample": ("latency per training sample", "s", GREEN),
    "pulses": ("pulses in all", "", GREY),
}


def rows_of(folder: Path) -> list[dict[str, str]]:
    """Return the finished points of the sweep, best accuracy first."""
    with open(folder / "results.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "done"]
    return sorted(rows, key=lambda row: float(row["test_error_percent"]))


def shown(row: dict[str, str], name: str) -> str:
    """Return one number of a row as the table shows it."""
    value, unit = float(row[name]), COLUMNS[name][1]
    if unit == "%":
        return f"{value:.1f} %"
    return engineering(float(f"{value:.3g}"), unit) if unit else f"{value / 1e6:.2f} M"


def print_table(rows: list[dict[str, str]]) -> None:
    """Print the table in Markdown."""
    print("| preset | " + " | ".join(label for label, _, _ in COLUMNS.values()) + " |")
    print("| --- |" + " --- |" * len(COLUMNS))
    for row in rows:
        cells = " | ".join(shown(row, name) for name in COLUMNS)
        print(f"| {row['device.preset']} | {cells} |")


def draw(rows: list[dict[str, str]]) -> None:
    """Draw one panel per column, the presets in the same order in each."""
    figure = canvas(1, len(COLUMNS), width=11.0, height=0.22 * len(rows) + 0.8)
    names = [row["device.preset"] for row in rows][::-1]
    for axes, (name, (label, unit, colour)) in zip(figure.axes, COLUMNS.items(), strict=True):
        axes.barh(names, [float(row[name]) for row in rows][::-1], color=colour, height=0.7)
        axes.grid(False, axis="y")
        axes.margins(y=0.01)
        axes.set_title(label + (f" ({unit})" if unit else ""), fontsize=9)
        axes.tick_params(labelsize=8)
        if unit != "%":
            axes.set_xscale("log")
        if axes is not figure.axes[0]:
            axes.set_yticklabels([])
    save_figures(FOLDER, {"shootout": figure})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = rows_of(Path(sys.argv[1]))
    print_table(found)
    draw(found)
