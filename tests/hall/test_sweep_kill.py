"""A sweep that is killed, or whose workers are, ends with the table of an undisturbed one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")

SWEPT = (Path(__file__).parents[1] / "experiments" / "swept.toml").read_text()
EXPERIMENT = SWEPT + "[run]\ncheckpoint_seconds = 0.02\n"
OVER = ("--over", "learning.beta=0.1,0.3,0.5", "--over", "learning.free_steps=20,30")
COMMAND = ("sweep", "swept.toml", *OVER, "--seeds", "2")
POINTS = 12

# Compiles all it needs, then forks a child per line that runs the command line, kills it after so
# many seconds, or soon after it has finished a point (so that no machine is too fast for ten
# kills), and tells how it ended.
_PARENT = r"""
import json, os, signal, sys, time
from ohmlearn.cli import main
import ohmlearn.sweeps.sweep, ohmlearn.sweeps.figures, matplotlib.figure
from pathlib import Path
from ohmlearn.experiment import load_experiment
from ohmlearn.run import run

def points():
    log = Path("killed/points.jsonl")
    return log.stat().st_size if log.exists() else 0

run(load_experiment("swept.toml", ["training.epochs=1"]), Path("warm"), figures=False)
for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if pid == 0:
        for stream in (1, 2):
            os.dup2(os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        sys.argv = ["ohmlearn", *order["arguments"]]
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    if order["seconds"] is not None:
        before, end = points(), time.monotonic() + order["seconds"]
        while time.monotonic() < end and points() == before:
            time.sleep(0.002)
        time.sleep(order["seconds"] / 50)
        os.kill(pid, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with the experiment and the table of an undisturbed sweep of it."""
    folder = tmp_path_factory.mktemp("sweeps")
    (folder / "swept.toml").write_text(EXPERIMENT)
    with fresh_process(folder, *COMMAND, "-o", "whole") as process:
        assert process.wait(300) == 0
    assert len(logged(folder / "whole")) == POINTS
    return folder


def fresh_process(folder: Path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "ohmlearn", *arguments]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=folder, **quiet)


def logged(folder: Path) -> list[str]:
    lines = (folder / "points.jsonl").read_bytes().split(b"\n")[:-1]
    return [json.loads(line)["key"] for line in lines]


def finished(folder: Path) -> int:
    return len(logged(folder)) if (folder / "points.jsonl").exists() else 0


def same(folder: Path, reference: Path, points: int = POINTS) -> None:
    assert (folder / "results.csv").read_bytes() == (reference / "results.csv").read_bytes()
    assert len(set(logged(folder))) == len(logged(folder)) == points
    assert set(logged(folder)) == set(logged(reference))
    assert not (folder / "points").exists()


def test_ten_kills_of_the_sweep_lose_and_repeat_no_point(home):
    random, folder = Random(2), home / "killed"
    spent = (home / "whole" / "times.csv").read_text().splitlines()[2:]  # the first one compiles
    duration = sum(float(line.split(",")[3]) for line in spent)
    process = subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=home,
        env=os.environ | {"MPLBACKEND": "Agg"},
    )
    with process as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None

        def order(seconds: float | None) -> int:
            content = {"arguments": [*COMMAND, "-o", "killed"], "seconds": seconds, "log": "log"}
            parent.stdin.write(json.dumps(content) + "\n")  # type: ignore[union-attr]
            parent.stdin.flush()  # type: ignore[union-attr]
            return int(parent.stdout.readline())  # type: ignore[union-attr]

        endings, done, longest = [], [], duration / 8
        while len(endings) < 10 or (len(set(done)) < 3 and len(endings) < 60):
            endings.append(order(random.uniform(0.02, longest)))
            done.append(finished(folder))
            if len(done) > 2 and done[-1] == done[-3]:
                longest *= 1.3  # a busy machine needs longer to get anywhere
        assert order(None) == 0, (home / "log").read_text()
    assert set(endings) == {-signal.SIGKILL}
    assert done == sorted(done)
    assert len(set(done)) >= 3
    same(folder, home / "whole")


def children(pid: int) -> list[int]:
    """Return the worker processes of a sweep (its children that run loky's worker)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == pid and b"loky" in command and b"popen_loky" in command:
            found.append(int(entry.name))
    return found


def wait_for(condition, seconds: float = 60.0):
    patience = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < patience
        time.sleep(0.01)
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds workers in /proc")
def test_workers_killed_at_random_moments_lose_and_repeat_no_point(home):
    random, folder, kills = Random(3), home / "workers", 0
    command = ("sweep", "swept.toml", *OVER, "--seeds", "3", "--set", "training.epochs=6", "-o")
    with fresh_process(home, *command, "undisturbed") as process:
        assert process.wait(300) == 0
    with fresh_process(home, *command, "workers", "--workers", "2") as process:
        while kills < 10:
            found = wait_for(lambda: children(process.pid))
            # However fast the machine is, the sweep does not end before its tenth kill.
            before, patience = finished(folder), time.monotonic() + random.uniform(0.0, 3.0)
            while time.monotonic() < patience and finished(folder) == before:
                time.sleep(0.01)
            time.sleep(random.uniform(0.0, 0.1))
            victim = random.choice(found)
            if alive(victim):
                os.kill(victim, signal.SIGKILL)
                kills += 1
        assert process.wait(300) == 0
    same(folder, home / "undisturbed", points=18)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds workers in /proc")
def test_workers_end_with_their_sweep_and_the_next_one_goes_on(home):
    folder = home / "orphans"
    command = (*COMMAND, "--workers", "2", "-o", "orphans")
    with fresh_process(home, *command) as process:
        wait_for(lambda: finished(folder))
        workers = children(process.pid)
        process.kill()
    assert workers
    wait_for(lambda: not any(map(alive, workers)), seconds=60.0)
    with fresh_process(home, *command) as process:
        assert process.wait(300) == 0
    same(folder, home / "whole")
