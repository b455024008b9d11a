"""Raw files of ngspice: plots of vectors, in binary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import NetlistError

__all__ = ["Plot", "parse_raw", "read_raw"]

_BODY = b"Binary:\n"


@dataclass(frozen=True)
class Plot:
    """One analysis: vectors of equal length.

    Attributes
    ----------
    kind : str
        As ngspice calls it, such as ``Operating Point`` or ``Transient Analysis``.
    names : tuple of str
        Names of the vectors in lower case, such as ``time``, ``v(h1_3)``, ``i(v1)``.
    data : (points, vectors)
        Their values, in SI units; complex for an AC analysis.
    """

    kind: str
    names: tuple[str, ...]
    data: NDArray

    @property
    def points(self) -> int:
        """Number of points."""
        return len(self.data)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.names

    def __getitem__(self, name: str) -> NDArray:
        """Return the vector *name*, of shape (points,); ``KeyError`` if there is none."""
        try:
            return self.data[:, self.names.index(name.lower())]
        except ValueError:
            raise KeyError(name) from None

    def columns(self, names: list[str] | tuple[str, ...]) -> NDArray:
        """Return the vectors *names*, of shape (points, len(names)).

        Raises
        ------
        NetlistError
            If one of them is not among the results.
        """
        where = {name: column for column, name in enumerate(self.names)}
        missing = [name for name in names if name.lower() not in where]
        if missing:
            raise NetlistError(
                f"ngspice: {len(missing)} vectors, {missing[0]} first, are not among the "
                f"{len(self.names)} results of the {self.kind.lower()}."
            )
        return self.data[:, [where[name.lower()] for name in names]]


def read_raw(path: Path) -> tuple[Plot, ...]:
    """Return the plots in the raw file *path*.

    Raises
    ------
    NetlistError
        If the file is missing, cut short, or not a binary raw file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NetlistError(
            f"ngspice: no results were written ({error.strerror}); has the netlist an analysis, "
            "such as .op?"
        ) from None
    return parse_raw(content, path.name)


def parse_raw(content: bytes, where: str = "raw file") -> tuple[Plot, ...]:
    """Return the plots in *content*, see :func:`read_raw`."""
    return tuple(_plots(content, where))


def _plots(content: bytes, where: str) -> Iterator[Plot]:
    position = 0
    while position < len(content):
        end = content.find(_BODY, position)
        if end < 0:
            raise NetlistError(
                f"ngspice: {where} is cut short or not a binary raw file: no data follow the "
                f"header at byte {position}."
            )
        kind, complex_, names, points = _header(content[position:end], where)
        position = end + len(_BODY)
        dtype = np.dtype(np.complex128 if complex_ else np.float64)
        needed = points * len(names) * dtype.itemsize
        if len(content) - position < needed:
            raise NetlistError(
                f"ngspice: {where} is cut short: the {kind.lower()} holds "
                f"{len(content) - position} of {needed} bytes."
            )
        flat = np.frombuffer(content, dtype, points * len(names), position)
        yield Plot(kind, names, flat.reshape(points, len(names)))
        position += needed


def _header(content: bytes, where: str) -> tuple[str, bool, tuple[str, ...], int]:
    text = content.decode("utf-8", "replace")
    head, _, listed = text.partition("Variables:\n")
    fields = {}
    for line in head.splitlines():
        key, _, value = line.partition(":")
        fields[key.strip().lower()] = value.strip()
    rows = [line.split() for line in listed.splitlines() if line.strip()]
    try:
        count, points = int(fields["no. variables"]), int(fields["no. points"])
        names = tuple(row[1].lower() for row in rows)
        flags = fields["flags"].split()
    except (KeyError, ValueError, IndexError):
        raise NetlistError(f"ngspice: {where} is not a raw file that can be read.") from None
    if len(names) != count or points < 0 or "unpadded" in flags:
        raise NetlistError(
            f"ngspice: {where} lists {len(names)} vectors where it tells of {count}."
        )
    return fields.get("plotname", ""), "complex" in flags, names, points
