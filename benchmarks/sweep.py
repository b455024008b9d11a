"""How much faster a sweep is with several workers: wall seconds of the whole command.

Both sweeps compute the same points, and their tables must be equal to the byte.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def sweep(folder: Path, workers: int, chosen: argparse.Namespace) -> float:
    """Run the sweep into *folder* and return its wall seconds.

    Raises
    ------
    SystemExit
        If the command fails; its last line of output is the message.
    """
    spreads = ",".join(f"{0.05 * number:.2f}" for number in range(chosen.spreads))
    command = [
        *(sys.executable, "-m", "ohmlearn", "sweep", "--over", f"device.cycle_to_cycle={spreads}"),
        *("--seeds", f"{chosen.seeds}", "--workers", f"{workers}", "--out", f"{folder}"),
        *("--set", f"training.epochs={chosen.epochs}"),
    ]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit((done.stderr or done.stdout).strip().splitlines()[-1])
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spreads", type=int, default=8, help="values of cycle_to_cycle")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of each of them")
    parser.add_argument("--epochs", type=int, default=15, help="epochs of each point")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()

    points = chosen.spreads * chosen.seeds
    with tempfile.TemporaryDirectory() as place:
        few = argparse.Namespace(spreads=1, seeds=1, epochs=1)
        sweep(Path(place) / "warm", 1, few)  # compiles
        one, many = Path(place) / "one", Path(place) / "many"
        alone = sweep(one, 1, chosen)
        print(f"{points} points, 1 worker:  {alone:7.1f} s wall", flush=True)
        together = sweep(many, chosen.workers, chosen)
        print(f"{points} points, {chosen.workers} workers: {together:7.1f} s wall", flush=True)
        print(f"ratio {alone / together:.2f}")
        if (one / "results.csv").read_bytes() != (many / "results.csv").read_bytes():
            sys.exit("error: the results differ")


if __name__ == "__main__":
    main()
