"""How long the command line keeps its user waiting: help, first run, later runs, a report.

Each measurement is a process of its own: CPU seconds with its children, and wall seconds. The
first run after an installation compiles the kernels into the user's cache folder; here that
folder is an empty temporary one, and the second run finds it filled.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SINGLE = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")


def measure(title: str, command: list[str], cache: Path) -> tuple[float, float]:
    """Run *command* with *cache* as the user's cache folder; print and return (CPU s, wall s).

    Raises
    ------
    SystemExit
        If the command fails; its last line of output is the message.
    """
    caches = {"XDG_CACHE_HOME": str(cache), "NUMBA_CACHE_DIR": str(cache / "kernels")}
    environment = os.environ | SINGLE | caches
    before, started = _children_cpu(), time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall, cpu = time.perf_counter() - started, _children_cpu() - before
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        sys.exit(f"error: {' '.join(command)} failed: {said[-1] if said else 'no message'}")
    print(f"{title:34} {cpu:7.2f} CPU s {wall:7.2f} s wall", flush=True)
    return cpu, wall


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", nargs="?", help="a TOML file; else the default experiment")
    parser.add_argument("--samples", type=int, default=20, help="training and test samples")
    parser.add_argument("--help-only", action="store_true", help="measure only ohmlearn --help")
    parser.add_argument("--data-dir", help="folder of the data sets; else OHMLEARN_DATA")
    chosen = parser.parse_args()

    ohmlearn = [sys.executable, "-m", "ohmlearn"]
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        measure("ohmlearn --help", [*ohmlearn, "--help"], cache)
        measure("ohmlearn --help, again", [*ohmlearn, "--help"], cache)
        if chosen.help_only:
            return
        run = [*ohmlearn, "run", *([chosen.experiment] if chosen.experiment else []), "--json"]
        for key in ("data.limit_train", "data.limit_test"):
            run += ["--set", f"{key}={chosen.samples}"]
        run += ["--set", "training.epochs=1"]
        if chosen.data_dir:
            run += ["--data-dir", chosen.data_dir]
        words = f"({chosen.samples} samples)"
        first = measure(
            f"first run, empty cache {words}", [*run, "--out", f"{folder}/first"], cache
        )
        again = measure(f"second run {words}", [*run, "--out", f"{folder}/second"], cache)
        print(f"{'compilation (difference)':34} {first[0] - again[0]:7.2f} CPU s")
        if 'level = "device"' in (Path(folder) / "second" / "experiment.toml").read_text():
            measure("ohmlearn report", [*ohmlearn, "report", f"{folder}/second"], cache)


if __name__ == "__main__":
    main()
