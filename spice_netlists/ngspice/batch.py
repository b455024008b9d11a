"""Netlists run by the program ngspice, in a process and a folder of their own."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import NetlistError
from . import log as reading
from .find import Found, find_ngspice
from .process import run_process
from .raw import Plot, read_raw

__all__ = ["Plots", "run_batch"]

_RAW, _DECK = "results.raw", "run.cir"
_SUFFIXES = {".inc", ".lib", ".sp", ".cir", ".net", ".sub", ".mod"}
_END = re.compile(r"^\s*\.end\s*$", re.IGNORECASE | re.MULTILINE)
_CONTROL = re.compile(r"^\s*\.control\b", re.IGNORECASE | re.MULTILINE)
_MEASURE = re.compile(r"^\s*\.meas(?:ure)?\s+\w+\s+(\w+)", re.IGNORECASE | re.MULTILINE)
# Variables that change what ngspice reads or how it writes.
_UNWANTED = ("SPICE_ASCIIRAWFILE", "NGSPICE_INPUT_DIR")
# ``-r`` would leave every .meas line unevaluated, hence a control block. Plot "const" holds pi.
_WRITE_ALL = f"""\
set filetype=binary
foreach each $plots
  strcmp other $each const
  if $other ne 0
    setplot $each
    set appendwrite
    write {_RAW}
  end
end
quit
"""


@dataclass(frozen=True)
class Plots:
    """What a run of ngspice gave.

    Attributes
    ----------
    plots : tuple of Plot
        One for each analysis.
    measures : mapping
        Results of ``.meas`` lines by name, in SI units, to full precision.
    notes : tuple of str
        Warnings, and how an operating point was found where that was not at once.
    log : str
        All that ngspice printed.
    seconds : float
        How long the process ran [s].
    """

    plots: tuple[Plot, ...]
    measures: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    log: str = ""
    seconds: float = 0.0

    def __iter__(self) -> Iterator[Plot]:
        return iter(self.plots)

    def __len__(self) -> int:
        return len(self.plots)

    def __getitem__(self, kind: str | int) -> Plot:
        """Return a plot by its number, or by the first letters of its kind, such as ``tran``."""
        if isinstance(kind, int):
            return self.plots[kind]
        for plot in self.plots:
            if plot.kind.lower().startswith(kind.lower()):
                return plot
        raise KeyError(kind)


def run_batch(
    deck: str | Path,
    *,
    vectors: Iterable[str] = (),
    points: int | None = None,
    commands: Sequence[str] = ("run",),
    timeout: float = 600.0,
    simulator: Found | None = None,
) -> Plots:
    """Run a netlist and return its results.

    Parameters
    ----------
    deck
        The text of a netlist that needs no other file, or the path of a test bench: then the
        netlist files beside it can be included by their bare names.
    vectors
        Names that the first plot must hold.
    points
        Number of points that the first plot must hold.
    commands
        What ngspice is told to do with the circuit. Not used if the netlist has a control block,
        which must then write ``results.raw`` and quit.
    timeout
        Time [s] after which the process is killed.
    simulator
        Which ngspice; by default the one that is found.

    Raises
    ------
    NetlistError
        If ngspice is missing, does not end in time, or tells of any error; if results are missing
        or cut short; if a ``.meas`` line found nothing. The message quotes ngspice.
    """
    program = (simulator or find_ngspice()).path
    with tempfile.TemporaryDirectory(prefix="ohmlearn-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        text = _gather(deck, folder)
        (folder / _DECK).write_text(_controlled(text, commands), "utf-8")
        start = time.perf_counter()
        status, log = run_process(
            [program, "-b", "-n", _DECK], folder, timeout, _environment(folder)
        )
        seconds = time.perf_counter() - start
        _check_log(status, log)
        plots = read_raw(folder / _RAW)
    found = reading.measures(log, _MEASURE.findall(text))
    result = Plots(plots, found, tuple(reading.notes(log)), log, seconds)
    _check_results(result, text, vectors, points)
    return result


def _gather(deck: str | Path, folder: Path) -> str:
    """Return the text to run; copy what stands beside a file into *folder*."""
    if isinstance(deck, str):
        return deck
    try:
        for path in deck.parent.iterdir():
            if path.suffix.lower() in _SUFFIXES and path.is_file() and path.name != _DECK:
                shutil.copyfile(path, folder / path.name)
        return deck.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NetlistError(f"netlist {deck} cannot be read: {error}.") from None


def _controlled(text: str, commands: Sequence[str]) -> str:
    if _CONTROL.search(text):
        return text
    lines = "\n".join(commands)
    return f"{_END.sub('', text).rstrip()}\n.control\n{lines}\n{_WRITE_ALL}.endc\n.end\n"


def _environment(folder: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in _UNWANTED}
    wanted = {"LC_ALL": "C", "HOME": str(folder), "NGSPICE_MEAS_PRECISION": "16"}
    return kept | wanted | {"OMP_NUM_THREADS": "1"}


def _check_log(status: int, log: str) -> None:
    told = reading.faults(log)
    if told:
        raise NetlistError("ngspice: " + "\n".join(told[:5]))
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        last = [line for line in log.splitlines() if line.strip()][-3:]
        raise NetlistError(f"ngspice {how}. It printed last:\n" + "\n".join(last))


def _check_results(result: Plots, text: str, vectors: Iterable[str], points: int | None) -> None:
    if not result.plots:
        raise NetlistError("ngspice: the netlist holds no analysis, so there are no results.")
    first = result.plots[0]
    first.columns(list(vectors))
    if points is not None and first.points != points:
        raise NetlistError(
            f"ngspice: the {first.kind.lower()} holds {first.points} points of {points}."
        )
    lost = {name.lower() for name in _MEASURE.findall(text)} - set(result.measures)
    if lost:
        raise NetlistError(f"ngspice: .meas {', '.join(sorted(lost))} found nothing.")
