"""The arrays that following an array takes: factors, changed cells, work space."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...jit import inner
from .ladders import ROWS, Ladders
from .lanes import TwoWay

__all__ = ["BLOCK", "Base", "Changes", "Room", "Store", "arranged", "empty_store"]

BLOCK = 8
"""Rows that are integrated together."""


class Base(NamedTuple):
    """Conductances that were factorised, in float32, and their factors.

    ``mode`` is the slowest mode W, scaled so that its product with T_b W is 1.
    """

    g: NDArray
    bits: TwoWay
    mode: NDArray


class Changes(NamedTuple):
    """Cells that differ from the base.

    Attributes
    ----------
    first : (rows + 1,) of int
        Where those of a row begin.
    cell : (n,) of int
        Their places, row by row.
    dg : (n,)
        Conductance beyond that of the base [S].
    w : (n,)
        Voltage of their word line's node in the sweep before [V].
    """

    first: NDArray
    cell: NDArray
    dg: NDArray
    w: NDArray


class Room(NamedTuple):
    """Work space.

    Attributes
    ----------
    f, c : (rows, columns)
        Currents of sources, and through the cells.
    b, q : (rows, columns)
        Voltages of the bit lines, and those half solved.
    narrow, wide : (9, columns), (33, columns)
        Rows at hand, of float32 and float64.
    """

    f: NDArray
    c: NDArray
    b: NDArray
    q: NDArray
    narrow: NDArray
    wide: NDArray


def _aligned(shape: tuple[int, ...], kind: Any) -> NDArray:
    """Return an empty array that begins where a line of the cache does."""
    size = prod(shape) * np.dtype(kind).itemsize
    raw = np.empty(size + 64, np.uint8)
    at = -raw.ctypes.data % 64
    return raw[at : at + size].view(kind).reshape(shape)


class Store(NamedTuple):
    """The arrays of :class:`Base`, :class:`Changes` and :class:`Room`, as kernels take them.

    A kernel called from Python takes longer to unpack a tuple than its arrays one by one.

    Attributes
    ----------
    block : (9, rows, columns)
    edges : (3, n)
    narrow, wide : (9, columns), (33, columns)
    first, cell : (rows + 1,), (n,) of int
    beyond : (2, n)
    """

    block: NDArray
    edges: NDArray
    narrow: NDArray
    wide: NDArray
    first: NDArray
    cell: NDArray
    beyond: NDArray

    @property
    def mode(self) -> NDArray:
        """The slowest mode of the base."""
        return self.block[4]


def empty_store(rows: int, columns: int, most: int) -> Store:
    """Return room for a base, at most *most* cells that differ from it, and to work in."""
    kind: Any = np.float32
    block = _aligned((9, rows, columns), kind)
    block[4] = 0
    block[2] = np.nan  # equals no conductance
    return Store(
        block, np.empty((3, max(rows, columns)), kind), _aligned((1 + 2 * ROWS, columns), kind),
        _aligned((1 + 4 * BLOCK, columns), np.float64), np.zeros(rows + 1, np.int64),
        np.empty(most, np.int64), np.empty((2, most), kind),
    )  # fmt: skip


@inner
def arranged(block, edges, narrow, wide, first, cell, beyond):
    """Return the arrays of a :class:`Store` as base, changes and room to work in."""
    rows, columns = block.shape[1:]
    down = Ladders(block[0], edges[0, :rows], block[1], edges[1, :columns])
    base = Base(block[2], TwoWay(down, block[3], edges[2, :columns]), block[4])
    changes = Changes(first, cell, beyond[0], beyond[1])
    return base, changes, Room(block[5], block[6], block[7], block[8], narrow, wide)
