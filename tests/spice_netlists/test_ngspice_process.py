"""Processes of a simulator end with whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
from ohmlearn.spice_netlists.ngspice.process import run_process

child = f"echo $$ > {sys.argv[1]}/pid.part; mv {sys.argv[1]}/pid.part {sys.argv[1]}/pid; sleep 100"
run_process(["/bin/sh", "-c", child], Path(sys.argv[1]), 100.0, {"PATH": "/usr/bin:/bin"})
"""


def wait_for(condition, seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent")
def test_a_simulator_ends_when_its_caller_is_killed(tmp_path):
    caller = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)])
    try:
        assert wait_for((tmp_path / "pid").exists)
        child = int((tmp_path / "pid").read_text())
        assert runs(child)
    finally:
        os.kill(caller.pid, signal.SIGKILL)
        caller.wait()
    assert wait_for(lambda: not runs(child))
