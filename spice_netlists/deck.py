"""A deck: the files of one netlist, as a circuit engineer expects them.

``params.inc`` holds parameters, ``devices.lib`` models, ``weights.inc`` what was learned,
``dut.sp`` the circuit, ``tb_<phase>.sp`` one test bench per phase that includes the rest by bare
file names, and ``map.json`` says which node is which element of which matrix. The same input
gives the same bytes: no file holds a date, a machine's name, or a path but that of a library that
the user names.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..errors import NetlistError, nearest
from .earlier import FILE, MAP, MARK, checksum, earlier, refuse_foreign, set_aside
from .names import comment
from .parts.dialects import dialect_of

__all__ = ["Deck"]

_ORDER = ("params.inc", "devices.lib", "weights.inc", "dut.sp")
_BENCH = re.compile(r"tb_([a-z0-9_]+)\.sp\Z")
_TEXT = re.compile(r"[\t\n\x20-\x7e]*\Z")
_LIBRARY = re.compile(r'(\.include "[^"\n]+"|\.lib "[^"\n]+" [A-Za-z][\w.]*)\n\Z', re.ASCII)
_INCLUDE = re.compile(r"^\s*\.inc(?:l|lude)?\s+(.*?)\s*$", re.IGNORECASE)
_FORBIDDEN = re.compile(r"^\s*\.(control|endc|end|lib|end_lib|endl|exec|python)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Deck:
    """The files of a netlist.

    Attributes
    ----------
    files : mapping of str to str
        Contents by file name, in the order in which they are read; ``map.json`` last.
    dialect : str
        A key of :data:`~.parts.dialects.DIALECTS`.
    """

    files: Mapping[str, str]
    dialect: str = "ngspice"

    @staticmethod
    def build(
        bodies: Mapping[str, str],
        *,
        title: str,
        nodes: Mapping[str, Any] | None = None,
        dialect: str = "ngspice",
        seed: int | None = None,
        experiment: str = "",
        library: str = "",
    ) -> Deck:
        """Return the deck with *bodies* under headers.

        Parameters
        ----------
        bodies
            Contents by file name without header: ``params.inc``, ``devices.lib``,
            ``weights.inc``, ``dut.sp``, ``tb_<phase>.sp``, and other ``*.inc``, ``*.lib``,
            ``*.sp``. They include each other by bare file name, and nothing else.
        title
            One line that says what the circuit is.
        nodes
            Content of ``map.json``: node names by what they stand for.
        dialect
            A key of :data:`~.parts.dialects.DIALECTS`.
        seed, experiment
            Seed and hash of the experiment that the circuit comes from.
        library
            The one line that reads a file from elsewhere, as :func:`~.parts.cells.library` gives
            it for the library that the user names; it goes before ``devices.lib``'s own.

        Raises
        ------
        NetlistError
            If a name or a line is not allowed, an include names no file of the deck, or there is
            no such dialect.
        """
        dialect_of(dialect)
        if library and not _LIBRARY.match(library):
            raise NetlistError(
                f"deck: the line that reads a library is {library[:60]!r}; allowed is .include or "
                ".lib with one file between quotation marks."
            )
        first = [name for name in _ORDER if name in bodies]
        benches = sorted(name for name in bodies if _BENCH.match(name))
        other = sorted(set(bodies) - {*first, *benches})
        files = {}
        for name in (*first, *other, *benches):
            _check(name, bodies[name], bodies)
            head = "\n".join(_header(title, name, dialect, seed, experiment))
            end = "\n.end\n" if name in benches else "\n"
            outside = library if name == "devices.lib" else ""
            files[name] = f"{head}\n{outside}{bodies[name].strip()}{end}"
        about = {
            "generator": _generator(),
            "dialect": dialect,
            "seed": seed,
            "experiment": experiment,
            "files": list(files),
            "sha256": {name: checksum(text.encode("ascii")) for name, text in files.items()},
        }
        files[MAP] = json.dumps({**about, **(nodes or {})}, indent=1, allow_nan=False) + "\n"
        return Deck(files, dialect)

    @property
    def benches(self) -> tuple[str, ...]:
        """Phases that have a test bench."""
        found = (_BENCH.match(name) for name in self.files)
        return tuple(match.group(1) for match in found if match)

    @property
    def map(self) -> dict[str, Any]:
        """What ``map.json`` holds."""
        return json.loads(self.files[MAP])

    def write(self, folder: Path, *, warn: Callable[[str], None] = warnings.warn) -> list[Path]:
        """Write the files into *folder*, which is made if need be; return their paths.

        Files of an earlier deck are replaced, or removed if this deck has none of that name; one
        that was edited meanwhile is kept as ``NAME.edited``, of which *warn* is told in a
        sentence. Every file appears whole or not at all.

        Raises
        ------
        NetlistError
            If a file that is not a deck's is in the way, or the disk refuses.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            old = earlier(folder)
            refuse_foreign(folder, set(self.files) - set(old.names))
            with tempfile.TemporaryDirectory(prefix=".deck-", dir=folder) as made:
                for name, content in self.files.items():
                    (Path(made) / name).write_bytes(content.encode("ascii"))
                for told in set_aside(folder, old.edited, self.files):
                    warn(told)
                for name in self.files:
                    os.replace(Path(made) / name, folder / name)
            for name in set(old.names) - set(self.files):
                (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise NetlistError(f"the netlist cannot be written to {folder}: {error}.") from None
        return [folder / name for name in self.files]

    def flat(self, bench: str | None = None) -> str:
        """Return a test bench as one text without includes.

        Parameters
        ----------
        bench
            A phase of :attr:`benches`; may be left out where there is only one.
        """
        lines = [_title(self.files[self._bench(bench)]), *self._lines(self._bench(bench))]
        return "\n".join(lines) + "\n"

    def circuit(self, bench: str | None = None) -> Any:
        """Return a ``PySpice.Spice.Netlist.Circuit`` to extend in Python.

        Parameters
        ----------
        bench
            A phase of :attr:`benches`, whose sources and options are then in the circuit (its
            analyses are not: PySpice brings its own); without one, the circuit alone.

        Raises
        ------
        NetlistError
            If PySpice is not installed.
        """
        from .ngspice.shared import circuit_of

        if bench is None:
            names = [name for name in self.files if name == "dut.sp"]
            names = [*(n for n in ("params.inc", "devices.lib") if n in self.files), *names]
            lines = [line for name in names for line in self._lines(name)]
        else:
            lines = list(self._lines(self._bench(bench)))
        title = _title(next(iter(self.files.values()))).partition(": ")[2]
        return circuit_of(title, "\n".join(lines))

    def _bench(self, bench: str | None) -> str:
        phases = self.benches
        if bench is None and len(phases) == 1:
            bench = phases[0]
        if bench not in phases:
            raise NetlistError(nearest(str(bench)[:40], phases, "test bench"))
        return f"tb_{bench}.sp"

    def _lines(self, name: str) -> Iterator[str]:
        """Yield the lines of a file and those it includes, comments left out."""
        for line in self.files[name].splitlines():
            match = _INCLUDE.match(line)
            if match and match.group(1).strip("\"'") in self.files:
                yield from self._lines(match.group(1).strip("\"'"))
            elif line.strip() and not line.startswith("*"):
                yield line


def _header(
    title: str, name: str, dialect: str, seed: int | None, experiment: str
) -> Iterator[str]:
    way = dialect_of(dialect)
    simulator = f"{way.title}, SPICE mode" if way.spectre else way.title
    run = "" if way.run_here else ", not run here"
    yield comment(f"{name}: {title}")
    yield comment(_generator())
    yield comment(f"dialect: {simulator}{run}")
    if seed is not None:
        yield comment(f"seed: {seed}")
    if experiment:
        yield comment(f"experiment: {experiment}")
    yield comment("units: SI (V, A, ohm, F, s), no suffixes")


def _generator() -> str:
    try:
        return f"{MARK} {version('ohmlearn')}"
    except PackageNotFoundError:  # run from its sources
        return MARK


def _title(text: str) -> str:
    return text.partition("\n")[0]


def _check(name: str, text: str, files: Mapping[str, str]) -> None:
    if not FILE.match(name):
        raise NetlistError(
            f"deck: file name {name!r} is not allowed; allowed are lower-case letters, digits and "
            "_ before .inc, .lib or .sp."
        )
    if not _TEXT.match(text):
        raise NetlistError(f"deck: {name} holds characters that are not printable ASCII.")
    for number, line in enumerate(text.splitlines(), 1):
        if _FORBIDDEN.match(line):
            raise NetlistError(
                f"deck: line {number} of {name} is {line.strip()[:40]!r}; a deck holds no "
                "control blocks, sections or ends."
            )
        match = _INCLUDE.match(line)
        if match and match.group(1).strip("\"'") not in files:
            raise NetlistError(
                f"deck: line {number} of {name} includes {match.group(1)[:40]!r}, which is no "
                "file of the deck."
            )
