"""The lines of a tile and the weights they stand for.

The two cells of a pair lie side by side on two bit lines; an offset tile has its reference column
behind the others, one bit line more. Forward, the sense stage subtracts bit lines in analogue and
one converter serves each column of weights. Backward, the second line of a pair is driven with the
opposite voltage, and the reference line with minus the sum of all. A ``single`` array's reference
is subtracted by an ideal circuit, which knows nothing of wires.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from ..array import ENCODINGS, Crossbar
from ..reading import squared_conductance
from .currents import LineCurrents

__all__ = [
    "cell_numbers",
    "drive_columns",
    "line_conductances",
    "tile_shape",
    "weight_currents",
    "weight_map",
]


def tile_shape(tile: tuple[int, int], encoding: str) -> tuple[int, int]:
    """Return word lines and columns of weights of a tile of so many word and bit lines."""
    arms = ENCODINGS[encoding]
    whole = len(tile) == 2 and all(isinstance(n, int | np.integer) for n in tile)
    if not whole or tile[0] < 1 or tile[1] < arms:
        raise ConfigError(
            f"crossbar.tile is {tile!r}; allowed are two whole numbers, at least 1 word line and "
            f"{arms} bit line{'s' if arms > 1 else ''}."
        )
    return int(tile[0]), int(tile[1]) // arms


def line_conductances(xbar: Crossbar, rows: slice, columns: slice) -> NDArray:
    """Return the conductances [S] of a tile's cells, float64, (word lines, bit lines)."""
    g = xbar.conductance[rows, columns].astype(np.float64)
    g = g.reshape(len(g), -1)
    if xbar.encoding == "offset":
        g = np.hstack([g, xbar.reference[rows, np.newaxis]])
    return g


def cell_numbers(xbar: Crossbar, rows: slice, columns: slice) -> NDArray:
    """Return where in the bank a tile's cells lie, (word lines, bit lines)."""
    part = np.arange(xbar.cells).reshape(xbar.conductance.shape)[rows, columns]
    return part.reshape(len(part), -1)


def drive_columns(xbar: Crossbar, u: NDArray) -> NDArray:
    """Return the bit-line voltages [V] for columns of weights at *u* (batch, columns) [V]."""
    if xbar.encoding == "pair":
        return np.stack([u, -u], axis=2).reshape(len(u), -1)
    if xbar.encoding == "offset":
        return np.hstack([u, -u.sum(axis=1, keepdims=True)])
    return u


def weight_currents(
    xbar: Crossbar, rows: slice, columns: slice, v: NDArray, forward: bool, lines: LineCurrents
) -> LineCurrents:
    """Return the signed currents of weights, from those of the sensed *lines* of a tile.

    *v* (batch, driven) [V] drives its word lines, or its columns of weights. The squares of an
    offset tile are those without wires.
    """
    current, squares = lines.current, lines.squares
    if xbar.encoding == "offset":
        part = squared_conductance(xbar)[rows, columns]
        squares = (v * v) @ (part if forward else part.T)
    if forward and xbar.encoding == "pair":
        current = current[:, ::2] - current[:, 1::2]
        squares = squares[:, ::2] + squares[:, 1::2]
    elif forward and xbar.encoding == "offset":
        current = current[:, :-1] - current[:, -1:]
    elif xbar.encoding == "single":
        middle = xbar.reference[rows]
        total = (v @ middle)[:, np.newaxis] if forward else v.sum(axis=1, keepdims=True) * middle
        current = current - total
    return lines._replace(current=current, squares=squares)


def weight_map(xbar: Crossbar, rows: slice, m: NDArray) -> NDArray:
    """Return the signed conductances [S] of weights for the map *m* (word lines, bit lines)."""
    if xbar.encoding == "pair":
        return m[:, ::2] - m[:, 1::2]
    if xbar.encoding == "offset":
        return m[:, :-1] - m[:, -1:]
    return m - xbar.reference[rows, np.newaxis]
