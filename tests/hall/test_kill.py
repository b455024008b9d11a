"""A run that is killed, again and again and anywhere, ends with the bits of an undisturbed one.

Most runs here are children forked from one process that has imported and compiled everything: a
child starts in milliseconds instead of seconds, and SIGKILL ends it as it ends any process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from ohmlearn import checkpoint
from ohmlearn.record import read_record

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")

EXPERIMENTS = {
    "ideal": """
name = "killed"
[data]
name = "digits"
limit_train = 1000
limit_test = 100
[network]
layers = [64, 32, 10]
dynamics = "energy-based"
[learning]
rule = "cep"
beta = 0.3
random_sign = true
eta = 0.01
eta_decay = 0.9
free_steps = 30
nudged_steps = 10
[training]
epochs = 4
batch_size = 4
""",
    "device": """
name = "killed"
[data]
name = "digits"
limit_train = 800
limit_test = 100
[network]
layers = [64, 24, 10]
[device]
preset = "HfO2-1T1R-demo"
write_noise = 0.2
levels = 64
[learning]
rule = "cep"
beta = 0.3
eta = [0.02, 0.01]
free_steps = 12
nudged_steps = 6
policy = "deterministic-residue"
[training]
epochs = 4
""",
}

# Reads one order a line, forks a child that runs the command line, and tells how it ended.
_PARENT = r"""
import json, os, signal, sys, time, warnings
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
warnings.simplefilter("ignore")
from pathlib import Path
import ohmlearn.tables
from ohmlearn.cli import main
from ohmlearn.experiment import load_experiment
from ohmlearn.run import run

def die_at(call, count):
    # Kill the process as it enters the count-th call of a function of os that changes the disk.
    real, left = getattr(os, call), [count]
    def wrapped(*args, **options):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **options)
    setattr(os, call, wrapped)

def child(order):
    for stream, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    if order["die_at"]:
        die_at(*order["die_at"])
    sys.argv = ["ohmlearn", *order["arguments"]]
    try:
        main()
    except SystemExit as end:
        code = end.code
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)

def inode(path):
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return None

for line in sys.stdin:
    order = json.loads(line)
    if order["here"]:
        run(load_experiment(order["here"], ["training.epochs=1"]), Path(order["out"]))
        print(0, flush=True)
        continue
    before = inode(order["watch"]) if order["watch"] else None
    pid = os.fork()
    if pid == 0:
        child(order)
    ended = 0
    if order["seconds"] is not None:
        while not ended and order["watch"] and inode(order["watch"]) == before:
            time.sleep(0.001)
            ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            time.sleep(order["seconds"])
            os.kill(pid, order["signal"])
    if not ended:
        _, status = os.waitpid(pid, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class Parent:
    """The process that forks runs, seen from the test."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PARENT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"COLUMNS": "200", "MPLBACKEND": "Agg"},
        )

    def warm_up(self, path: Path, out: Path) -> None:
        """Run the experiment for one epoch without a fork, so that later children find it warm."""
        self._order(here=str(path), out=str(out))

    def run(
        self,
        *arguments: Any,
        seconds: float | None = None,
        watch: Path | None = None,
        how: int = signal.SIGKILL,
        die_at: tuple[str, int] | None = None,
    ) -> int:
        """Run ``ohmlearn run`` to its end and return its exit code, or minus a signal.

        With *seconds* it gets the signal *how* that long after its start, or after it has
        replaced the file *watch*; with *die_at* it kills itself at the n-th call of a function.
        """
        return self._order(
            here="",
            arguments=["run", *map(str, arguments)],
            seconds=seconds,
            watch=str(watch) if watch else "",
            signal=int(how),
            die_at=die_at,
            stdout=str(self.folder / "stdout"),
            stderr=str(self.folder / "stderr"),
        )

    def _order(self, **order: Any) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def errors(self) -> str:
        return (self.folder / "stderr").read_text()


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    parent = Parent(tmp_path_factory.mktemp("parent"))
    with parent.process:  # closes its pipes, which ends it
        yield parent
    assert parent.process.returncode == 0


def bits(folder: Path) -> dict[str, Any]:
    """Return everything of a record but its times, its memory and what follows from them."""
    record = read_record(folder)
    passing = ("cpu_seconds", "cpu_seconds_per_epoch", "peak_memory_bytes")
    summary = {k: v for k, v in record.summary.items() if k not in passing}
    files = dict(summary.pop("files"))
    del files["events.csv"]  # holds the CPU seconds
    return {
        "summary": summary,
        "files": files,
        "arrays": {k: (v.dtype.str, v.shape, v.tobytes()) for k, v in record.arrays.items()},
        "events": [{k: v for k, v in e.items() if k != "cpu_seconds"} for e in record.events],
    }


def same(folder: Path, reference: Path, level: str) -> None:
    ours, theirs = bits(folder), bits(reference)
    # The experiment holds checkpoint_seconds, which these runs choose; nothing else may differ.
    ours["files"].pop("experiment.toml")
    theirs["files"].pop("experiment.toml")
    assert ours == theirs
    assert not list(folder.glob("*checkpoint*"))
    assert not list(folder.rglob(".*.partial"))
    pictures = {"accuracy.png", "pulses.png" if level == "device" else "weights.png"}
    assert pictures <= {path.name for path in (folder / "figures").iterdir()}


@pytest.fixture(scope="module", params=list(EXPERIMENTS))
def case(request, parent, tmp_path_factory):
    """Return level, experiment file, folder of the undisturbed run, and its training seconds."""
    home = tmp_path_factory.mktemp(f"reference-{request.param}")
    path = home / "experiment.toml"
    path.write_text(EXPERIMENTS[request.param])
    parent.warm_up(path, home / "warm")
    assert parent.run(path, "--out", home / "done") == 0, parent.errors()
    record = read_record(home / "done")
    assert len({e["test_loss"] for e in record.events}) == len(record.events)
    return request.param, path, home / "done", record.summary["cpu_seconds"]


def position(folder: Path) -> tuple[int, int]:
    found = checkpoint.load(folder, warn=lambda _: None) if checkpoint.exists(folder) else None
    if found is None:
        return (0, 0)
    return found[1]["position"]["epoch"], found[1]["position"]["batch"]


def test_ten_kills_at_random_moments_change_no_bit(case, parent, tmp_path):
    level, path, reference, duration = case
    random, folder = Random(1), tmp_path / "killed"
    command = (path, "--out", folder, "--resume")
    stops, endings = [], []
    for kill in range(10):
        newest = folder / checkpoint.NEWEST if kill % 3 else None  # else: at any moment at all
        wait = random.uniform(0.0, duration / 20)
        # Every other run does little else than saving, so that kills fall into the writing.
        often = f"run.checkpoint_seconds={1e-4 if kill % 2 else duration / 40}"
        endings.append(parent.run(*command, "--set", often, seconds=wait, watch=newest))
        stops.append(position(folder))
    assert endings == [-signal.SIGKILL] * 10, parent.errors()
    assert stops == sorted(stops)
    assert len(set(stops)) >= 4
    assert any(batch for _, batch in stops)
    assert parent.run(*command) == 0, parent.errors()
    assert "resumed at epoch" in parent.errors()
    same(folder, reference, level)


def test_kill_at_every_step_of_saving_changes_no_bit(case, parent, tmp_path):
    level, path, _, _ = case
    folder, reference = tmp_path / "killed", tmp_path / "done"
    short = (path, "--set", "data.limit_train=60", "--set", "training.epochs=2")
    assert parent.run(*short, "--out", reference) == 0, parent.errors()
    command = (*short, "--out", folder, "--resume")

    def killed_at(call: str, count: int) -> tuple[int, int]:
        assert parent.run(*command, die_at=(call, count)) == -signal.SIGKILL, (call, count)
        return position(folder)  # of a whole checkpoint, or none: never of a broken one

    # A checkpoint flushes its content, moves it into place, and flushes the folder.
    assert killed_at("fsync", 1) == killed_at("replace", 1) == (0, 0)
    assert killed_at("fsync", 2) == (1, 0)
    # The second one first moves the older one aside: twice killed, before and after that.
    assert killed_at("replace", 1) == killed_at("replace", 2) == (1, 0)
    # From the end of training on, there are the four files of the record, a figure, the removal.
    assert killed_at("fsync", 3) == (2, 0)
    for call, counts in (("fsync", range(1, 7)), ("replace", range(1, 5)), ("unlink", (1, 2))):
        for count in counts:
            killed_at(call, count)
    assert parent.run(*command) == 0, parent.errors()
    same(folder, reference, level)


def test_interrupt_says_how_to_go_on_and_changes_no_bit(case, parent, tmp_path):
    level, path, reference, duration = case
    folder = tmp_path / "stopped"
    command = (path, "--out", folder, "--set", f"run.checkpoint_seconds={duration / 40}")
    newest = folder / checkpoint.NEWEST
    for more in ((), ("--resume",)):
        code = parent.run(*command, *more, seconds=duration / 30, watch=newest, how=signal.SIGINT)
        assert code == 130
        said = parent.errors().strip().splitlines()
        assert said[-1].startswith("interrupted: ")
        assert "--resume" in said[-1]
        assert str(folder) in said[-1]
        assert "Traceback" not in parent.errors()
    assert parent.run(*command, "--resume") == 0, parent.errors()
    same(folder, reference, level)


def test_plain_program_killed_and_resumed(case, tmp_path):
    """The same once more without forking: ``python -m ohmlearn``, as a user starts it."""
    level, path, reference, _ = case
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "ohmlearn", "run", str(path), "--out", str(folder)]
    often = ["--set", "run.checkpoint_seconds=1e-4", "--set", "run.threads=2"]
    with subprocess.Popen(
        [*command, *often], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        patience = time.monotonic() + 120
        while not (folder / checkpoint.PREVIOUS).exists() and run.poll() is None:
            assert time.monotonic() < patience
            time.sleep(0.002)
        run.send_signal(signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    assert position(folder) > (0, 0)
    done = subprocess.run(
        [*command, "--resume"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "resumed at epoch 1, batch " in done.stderr
    same(folder, reference, level)


def test_reference_learned_something(case):
    _, _, reference, _ = case
    record = read_record(reference)
    assert record.summary["test_accuracy"] > 0.2
    assert all(np.isfinite(a).all() for a in record.arrays.values())
