"""What stands at the crossings of a tile: resistors, memristors, or cells with transistors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...devices.cell.access import Nmos
from ...errors import NetlistError
from ..names import name, number
from .cells import UserNmos, cell_1r, cell_1t1r
from .devices import instance

__all__ = [
    "LEAST_SIEMENS",
    "MOST_SIEMENS",
    "DrawnCells",
    "FrozenCells",
    "Lattice",
    "MemristorCells",
    "lattice_of",
]


LEAST_SIEMENS, MOST_SIEMENS = 1e-18, 1e6
"""Conductances [S] of a resistor beside which a simulator still sees the others."""


@dataclass(frozen=True)
class FrozenCells:
    """Cells as resistors, for reads.

    Attributes
    ----------
    g : (rows, columns)
        Conductances [S], 1e-18 to 1e6; 0 leaves a cell out.
    """

    g: ArrayLike


@dataclass(frozen=True)
class MemristorCells:
    """Cells with a state.

    Attributes
    ----------
    params : parameter tuple
        The nominal cell.
    x0 : (rows, columns)
        States at the start, 0 to 1.
    access : Nmos or UserNmos, optional
        The access transistor of each; without it the cells are memristors alone.
    table : (rows, columns, fields), optional
        Parameters of every cell in the order of *params*; those equal to the nominal ones are not
        written.
    """

    params: Any
    x0: ArrayLike
    access: Nmos | UserNmos | None = None
    table: ArrayLike | None = None


@dataclass(frozen=True)
class DrawnCells:
    """Cells of two terminals that something else writes.

    Attributes
    ----------
    shape
        Rows and columns.
    card
        As in :class:`Lattice`; its nodes are row line and column line.
    """

    shape: tuple[int, int]
    card: Callable[[int, int, str, tuple[str, ...]], str]


class Lattice(NamedTuple):
    """The cells of a tile, ready to be written.

    Attributes
    ----------
    shape
        Rows and columns.
    devices
        Subcircuits of memristor and cell, if there are any.
    card
        The line of a cell, for row, column, name, and nodes: row line, gate line if it has one,
        column line, state if it has one.
    gated, states
        Whether cells have a transistor, and a state.
    """

    shape: tuple[int, int]
    devices: str
    card: Callable[[int, int, str, tuple[str, ...]], str]
    gated: bool
    states: bool


def lattice_of(
    cells: FrozenCells | MemristorCells | DrawnCells, label: str, dialect: str
) -> Lattice:
    """Return how to write *cells*, those of the tile called *label*."""
    if isinstance(cells, DrawnCells):
        return Lattice(cells.shape, "", cells.card, False, False)
    if isinstance(cells, FrozenCells):
        return _frozen(cells)
    x0 = _matrix(cells.x0, "states", 1.0)
    table = None if cells.table is None else np.asarray(cells.table, float)
    fields = len(cells.params)
    if table is not None and table.shape != (*x0.shape, fields):
        raise NetlistError(
            f"tile: parameters of shape {table.shape} for cells of shape {x0.shape}; allowed is "
            f"{(*x0.shape, fields)}."
        )
    kind = f"{label}_cell"
    if cells.access is None:
        devices = cell_1r(cells.params, dialect, label=kind)
    else:
        devices = cell_1t1r(cells.params, cells.access, dialect, label=kind)

    def card(i: int, j: int, own: str, nodes: tuple[str, ...]) -> str:
        p = None if table is None else type(cells.params)(*table[i, j].tolist())
        return instance(own, nodes, kind, p, x0=float(x0[i, j]), nominal=cells.params)

    return Lattice(x0.shape, devices, card, cells.access is not None, True)


def _frozen(cells: FrozenCells) -> Lattice:
    g = _matrix(cells.g, "conductances", MOST_SIEMENS)
    if np.any((g > 0.0) & (g < LEAST_SIEMENS)):
        raise NetlistError(
            f"tile: conductances down to {g[g > 0.0].min()} S; allowed is 0 (open), or "
            f"{LEAST_SIEMENS:g} to {MOST_SIEMENS:g} S."
        )

    def card(i: int, j: int, own: str, nodes: tuple[str, ...]) -> str:
        if g[i, j] == 0.0:
            return f"* {name(own)} is open"
        return f"r{name(own)} {nodes[0]} {nodes[1]} {number(1.0 / float(g[i, j]), 'resistance')}"

    return Lattice(g.shape, "", card, False, False)


def _matrix(values: ArrayLike, what: str, top: float) -> NDArray:
    """Return *values* as a matrix of numbers from 0 to *top*."""
    matrix = np.asarray(values, float)
    if matrix.ndim != 2 or matrix.size == 0:
        raise NetlistError(
            f"tile: {what} of shape {matrix.shape}; allowed is (rows, columns), at least 1 x 1."
        )
    good = np.isfinite(matrix) & (matrix >= 0.0) & (matrix <= top)
    if not good.all():
        i, j = (int(k) for k in np.argwhere(~good)[0])
        raise NetlistError(
            f"tile: {what} hold {matrix[i, j]} at cell ({i}, {j}); allowed is 0 to {top:g}."
        )
    return matrix
