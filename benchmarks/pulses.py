"""Cell updates per second when every cell of an array is pulsed.

Usage: ``python benchmarks/pulses.py [--rows 784] [--columns 256]``
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from ohmlearn.crossbar import Crossbar
from ohmlearn.devices import CycleToCycle, Effects, get_device

ROUNDS = 30

CASES = {
    "SoftBounds, spread and cycle-to-cycle noise": (
        "SoftBounds",
        Effects(
            device_to_device={"step": 0.2, "g_max": 0.1, "g_min": 0.1},
            cycle_to_cycle=CycleToCycle(0.3, "step"),
        ),
    ),
    "SoftBounds, no noise": ("SoftBounds", Effects()),
    "ConstantStep, cycle-to-cycle noise": (
        "ConstantStep",
        Effects(cycle_to_cycle=CycleToCycle(0.3, "step")),
    ),
}


def updates_per_second(name: str, effects: Effects, rows: int, columns: int) -> list[float]:
    """Return cell updates per CPU second of each round: one pulse on every cell."""
    device = get_device(name)
    xbar = Crossbar.build(rows, columns, device, device.params(), effects, dtype=np.float32)
    rng = np.random.default_rng(0)
    rates = []
    for round_number in range(ROUNDS + 1):
        counts = rng.choice(np.array([-1, 1]), size=xbar.shape)
        start = time.process_time()
        fired = xbar.program(counts)
        spent = time.process_time() - start
        if round_number > 0:  # the first one compiles
            rates.append(fired / spent)
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=784)
    parser.add_argument("--columns", type=int, default=256)
    options = parser.parse_args()
    cells = 2 * options.rows * options.columns
    print(f"{options.rows} x {options.columns} pairs, {cells} cells, float32, one thread")
    for label, (name, effects) in CASES.items():
        rates = updates_per_second(name, effects, options.rows, options.columns)
        low, middle, high = np.quantile(rates, [0.1, 0.5, 0.9])
        print(f"{label:45s} {middle:.2e} cell updates per CPU s ({low:.2e} to {high:.2e})")


if __name__ == "__main__":
    main()
