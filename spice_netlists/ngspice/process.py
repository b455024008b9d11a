"""One process under control: no shell, a time limit, and no orphans."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...errors import NetlistError

__all__ = ["run_process"]

_PR_SET_PDEATHSIG = 1


def run_process(
    command: Sequence[str], folder: Path, timeout: float, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run *command* in *folder*; return its exit status and all it printed.

    The process leads a group of its own, which is killed when *timeout* [s] is over or the
    caller is interrupted. On Linux it also ends when the caller is killed outright.

    Raises
    ------
    NetlistError
        If it cannot be started or does not end in time.
    """
    printed = folder / "printed.log"
    with printed.open("wb") as sink:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_ending_with_the_caller(),
            )
        except OSError as error:
            raise NetlistError(f"{command[0]} cannot be started: {error.strerror}.") from None
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise NetlistError(
                f"ngspice: no result after {timeout:g} s; give it a longer timeout, or a smaller "
                "circuit (its time grows with the square of the number of resistors)."
            ) from None
        finally:
            _end(process)
    return status, printed.read_text("utf-8", "replace")


def _ending_with_the_caller() -> Callable[[], object] | None:
    """Return what a child has to call to be killed together with this process."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up now: after a fork little is safe
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen) -> None:
    """Kill the process and its children if it still runs."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
