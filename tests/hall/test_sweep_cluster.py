"""A sweep on a real Dask scheduler with two worker processes, one of them killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

SWEPT = (Path(__file__).parents[1] / "experiments" / "swept.toml").read_text()
EXPERIMENT = SWEPT.replace("epochs = 2", "epochs = 10")
COMMAND = ("sweep", "swept.toml", "--over", "learning.beta=0.1,0.3", "--seeds", "6", "-o")


def started(stack: ExitStack, folder: Path, module: str, *arguments: str) -> subprocess.Popen:
    log = stack.enter_context((folder / f"{module}.log").open("ab"))
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def ohmlearn(folder: Path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "ohmlearn", *arguments]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def finished(folder: Path) -> int:
    log = folder / "points.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


def wait_for(condition, seconds: float = 90.0):
    patience = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < patience
        time.sleep(0.01)
    return found


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_one_of_two_workers_killed_in_the_middle_changes_nothing(tmp_path):
    (tmp_path / "swept.toml").write_text(EXPERIMENT)
    with ohmlearn(tmp_path, *COMMAND, "here") as alone:
        assert alone.wait(300) == 0
    with ExitStack() as stack:
        named = tmp_path / "scheduler.json"
        file = ("--scheduler-file", str(named))
        scheduler = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        started(stack, tmp_path, "dask_scheduler", *scheduler, *file)
        wait_for(named.exists)
        worker = ("--no-nanny", "--nthreads", "1", "--no-dashboard", *file)
        first, _ = (started(stack, tmp_path, "dask_worker", *worker) for _ in range(2))
        address = wait_for(lambda: _address(named))
        with ohmlearn(tmp_path, *COMMAND, "there", "--scheduler", address) as sweep:
            wait_for(lambda: finished(tmp_path / "there") >= 3 or sweep.poll() is not None)
            first.send_signal(signal.SIGKILL)
            before = finished(tmp_path / "there")
            assert sweep.wait(300) == 0, sweep.stderr.read() if sweep.stderr else ""
    assert 3 <= before < 12
    assert finished(tmp_path / "there") == 12
    there, here = (tmp_path / name / "results.csv" for name in ("there", "here"))
    assert there.read_bytes() == here.read_bytes()


def _address(named: Path) -> str:
    import json

    try:
        return json.loads(named.read_text())["address"]
    except ValueError:
        return ""


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere at all", "foo://x", ""])
def test_a_scheduler_that_does_not_answer_is_one_sentence(address, monkeypatch):
    from ohmlearn.errors import ConfigError
    from ohmlearn.sweeps import cluster

    monkeypatch.setattr(cluster, "_PATIENCE", 0.3)
    for _ in range(3):
        with pytest.raises(ConfigError, match="no Dask scheduler answers"):
            next(cluster.on_cluster(address)([{"key": "a"}]))


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_port_that_is_silent_or_talks_otherwise_is_one_sentence(words, monkeypatch):
    from ohmlearn.errors import ConfigError
    from ohmlearn.sweeps import cluster

    monkeypatch.setattr(cluster, "_PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as port, ThreadPoolExecutor(1) as threads:
        caller = threads.submit(port.accept)
        threads.submit(lambda: caller.result()[0].sendall(10 * words))
        address = f"tcp://127.0.0.1:{port.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"{address}: no Dask scheduler answers"):
            next(cluster.on_cluster(address)([{"key": "a"}]))
        caller.result()[0].close()


def test_without_dask_the_sentence_says_what_to_install(monkeypatch):
    from ohmlearn.errors import ConfigError
    from ohmlearn.sweeps import cluster

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match="pip install"):
        cluster.on_cluster("tcp://127.0.0.1:1")
