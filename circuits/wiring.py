"""Wires in a network that learns: every tile as the linear map that its lines make of it.

With resistive lines the currents of a tile are still linear in its voltages, so a network with
wires is one with other conductances: those of the tile's effective map, seen from its edge. By
reciprocity the same map, transposed, is the backward read. A cell's own pulse moves its own
entry of the map by a known factor, which :func:`~.fabric.renew` applies at once; what it does to
the entries of other cells is left out until the tile is solved anew, and a tile is solved anew
before an estimate of that exceeds the error asked for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..crossbar.wires.bound import error_estimate
from ..crossbar.wires.effective import EffectiveMap, effective_map
from ..crossbar.wires.resistances import Wires
from ..jit import kernel
from .fabric import Fabric

__all__ = ["CHECK_EVERY", "Wiring"]

CHECK_EVERY = 256
"""Samples between two looks at how far the conductances have moved (our choice)."""


class Tile(NamedTuple):
    """A tile's place: array, word lines and bit lines, and where its array begins."""

    array: int
    rows: slice
    lines: slice
    first: int
    width: int


@kernel
def _moved(now, then, row, column):
    """Sum |now - then| by row and column; return the sums of squares and of magnitudes."""
    squares, total = 0.0, 0.0
    for i in range(now.shape[0]):
        for j in range(now.shape[1]):
            size = np.float64(abs(now[i, j] - then[i, j]))
            row[i] += size
            column[j] += size
            squares += size * size
            total += size
    return squares, total


class Wiring:
    """The wires of all arrays of a network.

    Parameters
    ----------
    fabric
        The arrays, made with room for wires.
    wires
        Resistances of the lines.
    tile
        Word lines and bit lines of a tile.
    error
        Largest estimated error of a map, relative to its largest element.

    Attributes
    ----------
    solved
        Tiles solved so far.
    worst
        Largest error found when a tile was solved anew, relative to its largest element.
    """

    def __init__(self, fabric: Fabric, wires: Wires, tile: tuple[int, int], error: float) -> None:
        self.fabric = fabric
        self.wires = wires
        self.error = error
        self.solved = 0
        self.worst = 0.0
        self.tiles = list(_tiles(fabric, tile))
        self.reference = np.zeros_like(fabric.bank.g)  # conductances when each tile was solved
        self._maps: list[EffectiveMap | None] = [None] * len(self.tiles)

    def _view(self, values: NDArray, tile: Tile) -> NDArray:
        """Return the part of *values*, one number per cell, that belongs to *tile*."""
        rows = int(self.fabric.rows[tile.array])
        whole = values[tile.first : tile.first + rows * tile.width].reshape(rows, tile.width)
        return whole[tile.rows, tile.lines]

    def _map(self, g: NDArray) -> EffectiveMap:
        return effective_map(g.astype(np.float64), self.wires, dtype=g.dtype)

    def solve(self, number: int) -> None:
        """Solve a tile at its present conductances."""
        tile, fabric = self.tiles[number], self.fabric
        g = self._view(fabric.bank.g, tile)
        made = self._map(g)
        slope, base = self._view(fabric.slope, tile), self._view(fabric.base, tile)
        if self._maps[number] is not None:
            found = np.abs(base + slope * g - made.matrix).max() / made.matrix.max()
            self.worst = max(self.worst, float(found))
        slope[...] = made.sensitivity
        base[...] = made.matrix - made.sensitivity * g
        self._view(self.reference, tile)[...] = g
        self._maps[number] = made
        self.solved += 1

    def solve_all(self) -> None:
        """Solve every tile."""
        for number in range(len(self.tiles)):
            self.solve(number)

    def estimate(self, number: int) -> float:
        """Return the estimated error of a tile's map, relative to its largest element."""
        tile, made = self.tiles[number], self._maps[number]
        if made is None:
            return np.inf
        row, column = np.zeros(made.rows), np.zeros(made.columns)
        now = self._view(self.fabric.bank.g, tile)
        squares, total = _moved(now, self._view(self.reference, tile), row, column)
        if total == 0.0:
            return 0.0
        spent = made._replace(spent_row=row, spent_column=column)
        return error_estimate(spent, squares / total) / float(made.m.max())

    def follow(self) -> list[int]:
        """Solve the tiles whose estimated error is too large; return the arrays they lie in."""
        touched = set()
        for number, tile in enumerate(self.tiles):
            if self.estimate(number) > self.error:
                self.solve(number)
                touched.add(tile.array)
        return sorted(touched)

    def show(self) -> None:
        """Write the present maps of all tiles to the fabric, and forget them."""
        for tile in self.tiles:
            g = self._view(self.fabric.bank.g, tile)
            made = self._map(g)
            self._view(self.fabric.slope, tile)[...] = made.sensitivity
            self._view(self.fabric.base, tile)[...] = made.matrix - made.sensitivity * g

    def state(self) -> dict[str, NDArray]:
        """Return what :meth:`restore` needs."""
        counts = np.array([self.worst, self.solved])
        return {"wired_g": self.reference, "wired_counts": counts}

    def restore(self, arrays: dict[str, NDArray]) -> None:
        """Solve every tile at the conductances at which it was solved before, in another run."""
        g = self.fabric.bank.g
        now = g.copy()
        g[...] = arrays["wired_g"]
        self.solve_all()
        g[...] = now
        self.worst, self.solved = float(arrays["wired_counts"][0]), int(arrays["wired_counts"][1])


def _tiles(fabric: Fabric, tile: tuple[int, int]):
    rows, lines = tile
    for a in range(fabric.rows.size):
        height, width = int(fabric.rows[a]), int(fabric.columns[a]) * fabric.arms
        for top in range(0, height, rows):
            for left in range(0, width, lines):
                yield Tile(
                    a,
                    slice(top, min(top + rows, height)),
                    slice(left, min(left + lines, width)),
                    int(fabric.cell_at[a]),
                    width,
                )
