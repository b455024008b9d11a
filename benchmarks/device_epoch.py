"""One epoch of MNIST on simulated 1T1R cells: CPU seconds, programming pulses and memory.

A process of its own runs the experiment through the command line. The CPU seconds of the epoch
are those of training in the run's record; the whole process, with start, evaluation and figures,
is printed beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

EPOCH = 60_000
EXPERIMENT = Path(__file__).resolve().parent.parent / "examples" / "mnist_1t1r.toml"
SINGLE = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")


def run_epoch(experiment: Path, samples: int, data_dir: str | None) -> dict:
    """Train one epoch on the first *samples* rows; return the record.

    Raises
    ------
    SystemExit
        If the run fails; its own message has been printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ohmlearn", "run", str(experiment), "--json"]
        command += ["--set", "training.epochs=1", "--out", f"{folder}/run"]
        if samples < EPOCH:
            command += ["--set", f"data.limit_train={samples}"]
        if data_dir:
            command += ["--data-dir", data_dir]
        done = subprocess.run(
            command, env=os.environ | SINGLE, stdout=subprocess.PIPE, text=True, check=False
        )
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout)


def report(record: dict, samples: int) -> None:
    """Print the figures of *record* and of the process that made it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    kib = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)  # bytes there, else KiB
    seconds = record["cpu_seconds_per_epoch"]
    print(f"cells                     {record['cells']:12,}")
    print(f"training                  {seconds:12.1f} CPU s for {samples:,} samples")
    if samples < EPOCH:
        scaled = seconds * EPOCH / samples
        print(f"  extrapolated            {scaled:12.1f} CPU s for {EPOCH:,} samples")
    print(f"whole process             {used.ru_utime + used.ru_stime:12.1f} CPU s")
    print(f"pulses per sample         {record['pulses_total'] / samples:12,.0f}")
    print(f"peak resident memory      {kib / 1024:12,.0f} MiB")
    print(f"test error                {record['test_error_percent']:12.2f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--samples", type=int, default=EPOCH, help="first rows to train on; else all 60,000"
    )
    parser.add_argument("--experiment", type=Path, default=EXPERIMENT)
    parser.add_argument("--data-dir", help="folder of MNIST; else OHMLEARN_DATA")
    chosen = parser.parse_args()
    if not 1 <= chosen.samples <= EPOCH:
        parser.error(f"--samples is {chosen.samples}; allowed: 1 to {EPOCH}")
    if not chosen.experiment.is_file():
        parser.error(f"there is no file {chosen.experiment}")
    report(run_epoch(chosen.experiment, chosen.samples, chosen.data_dir), chosen.samples)


if __name__ == "__main__":
    main()
