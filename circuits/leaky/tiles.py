"""Tiles with wires under the arrays of a leaky network: what their edges see.

A layer is cut into tiles as in training (:mod:`..wiring`): at most so many word lines and columns
of weights each, every tile with its own wires. Pairs lie side by side on two bit lines. A tile is
read forward with its word lines driven and its bit lines at 0 V. Read backward its columns are
driven, the two bit lines of a pair with opposite voltages, and its word lines are at 0 V, through
the same resistances; that map is the transpose, since arrays of resistors are reciprocal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...crossbar.wires import Wires, effective_map
from ...errors import ConfigError

__all__ = ["Place", "Tiling", "bit_drives", "seen", "tile_cells"]

_TOLERANCE = 1e-13  # of a map's node voltages: many cells add up to a nanovolt at a node


@dataclass(frozen=True)
class Tiling:
    """How arrays are cut into tiles, and their wires.

    Attributes
    ----------
    wires : Wires
        Resistances inside every tile.
    rows, columns : int
        Word lines and columns of weights of a tile, at most.
    paired : bool
        Whether both arms of a weight lie in the tile, on two bit lines. If not, only plus arms
        do, and an ideal circuit subtracts the minus arms.

    Raises
    ------
    ConfigError
        If a tile has no cells.
    """

    wires: Wires
    rows: int
    columns: int
    paired: bool = True

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1:
            raise ConfigError(
                f"tiles of {self.rows} x {self.columns} weights; allowed are at least 1 x 1."
            )

    def places(self, shape: tuple[int, int]) -> Iterator[Place]:
        """Yield the tiles of an array of *shape* (word lines, columns of weights)."""
        for i, top in enumerate(range(0, shape[0], self.rows)):
            for j, left in enumerate(range(0, shape[1], self.columns)):
                rows = slice(top, min(top + self.rows, shape[0]))
                yield Place(i, j, rows, slice(left, min(left + self.columns, shape[1])))


class Place(NamedTuple):
    """A tile's number along word lines' and along columns' numbers, and which they are."""

    down: int
    across: int
    rows: slice
    columns: slice


def tile_cells(tiling: Tiling, place: Place, plus: NDArray, minus: NDArray) -> NDArray:
    """Return the conductances [S] of a tile's cells, (word lines, bit lines)."""
    g = plus[place.rows, place.columns]
    if not tiling.paired:
        return np.ascontiguousarray(g, np.float64)
    both = np.stack([g, minus[place.rows, place.columns]], axis=2)
    return both.reshape(len(g), -1).astype(np.float64)


def bit_drives(tiling: Tiling, columns: int) -> NDArray:
    """Return the voltages of a tile's bit lines for each column driven alone, (columns, lines)."""
    unit = np.eye(columns)
    return np.kron(unit, [[1.0, -1.0]]) if tiling.paired else unit


def seen(tiling: Tiling, plus: NDArray, minus: NDArray) -> tuple[NDArray, NDArray]:
    """Return the conductances [S] of both arms as the edges of their tiles see them.

    Raises
    ------
    ConfigError
        If a conductance is negative or not finite.
    """
    plus_seen, minus_seen = (np.array(each, np.float64) for each in (plus, minus))
    for place in tiling.places(plus.shape):
        g = tile_cells(tiling, place, plus, minus)
        m = effective_map(g, tiling.wires, tolerance=_TOLERANCE).matrix
        at = place.rows, place.columns
        if tiling.paired:
            plus_seen[at], minus_seen[at] = m[:, ::2], m[:, 1::2]
        else:
            plus_seen[at] = m
    return plus_seen, minus_seen
