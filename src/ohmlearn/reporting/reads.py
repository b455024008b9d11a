"""Power of an array read, in closed form.

A line carries ``v_read`` times a signal, so with the mean square a_i of line i's signal the cells
of an array take

    P = v_read^2 sum_i a_i sum_j G_ij        (both arms of a pair, bias line: a = 1)

while the lines are driven. That is exact for cells that are linear conductors between a driven
line and a virtual ground. The transistor in series with a memristor has the same current, hence
the share G / g_channel of a cell's power. Two further sums cannot be had from mean squares alone
and are taken at their upper bounds, which are met where all lines carry their root mean square:
the mean current of the drivers (sum_i sqrt(a_i) G_i), and the squared currents along bit lines.

Every tile of an ``offset`` array has a bit line of reference cells behind its others. Forward it
is sensed with them. Backward it is driven with minus the sum of the tile's signals, whose mean
square is taken at its upper bound (sum_j sqrt(a_j))^2 too: signals that rise and fall together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Load", "array_load", "tile_shape", "total_load", "with_references"]


class Array(NamedTuple):
    """One array of a network.

    Attributes
    ----------
    layer
        The layer it leads to.
    g : (rows, columns, arms)
        Conductances [S]; of the bias line last.
    ways : tuple of str
        In which directions it is read: ``"forward"``, ``"backward"``.
    bias
        Whether its last row is the bias line.
    reference : (rows, tiles), optional
        Conductances of the columns of reference cells [S], one for each tile along the columns.
    """

    layer: int
    g: NDArray
    ways: tuple[str, ...]
    bias: bool
    reference: NDArray | None = None

    @property
    def references(self) -> int:
        """Number of reference cells; all others are those of weights and biases."""
        return 0 if self.reference is None else self.reference.size


class Load(NamedTuple):
    """What one time step asks of the arrays.

    Attributes
    ----------
    cells, access, wires
        Power [W] in memristors, access transistors and wire resistances.
    current
        Mean current that the line drivers deliver [A], an upper bound.
    summed
        The same of the drivers of reference lines, which carry the sum of a tile's signals.
    charged
        Cells on the lines that are charged, weighted with the mean square of the line's signal.
    sensed, driven
        Lines at virtual ground; lines driven.
    conversions
        Conversions of ADCs, where every tile has its own.
    """

    cells: float = 0.0
    access: float = 0.0
    wires: float = 0.0
    current: float = 0.0
    summed: float = 0.0
    charged: float = 0.0
    sensed: int = 0
    driven: int = 0
    conversions: int = 0


def total_load(
    arrays: Sequence[Array],
    activity: Sequence[NDArray],
    v_read: float,
    *,
    channel: float = 0.0,
    ohms: Mapping[str, float] | None = None,
    tile: tuple[int, int] | None = None,
) -> Load:
    """Return the load of all reads of one time step.

    Parameters
    ----------
    arrays
    activity : sequence of (n_l,)
        Mean squared signal of every line, of the input and each layer.
    v_read : float
        Voltage of signal 1 [V].
    channel : float
        Conductance of an access transistor [S]; 0 without one.
    ohms : mapping, optional
        ``r_word``, ``r_bit``, ``r_driver``, ``r_sense`` [ohm].
    tile : (word lines, bit lines), optional
    """
    loads = [
        array_load(array, way, activity, v_read, channel=channel, ohms=ohms, tile=tile)
        for array in arrays
        for way in array.ways
    ]
    return Load(*(sum(parts) for parts in zip(*loads, strict=True)))


def array_load(
    array: Array,
    way: str,
    activity: Sequence[NDArray],
    v_read: float,
    *,
    channel: float = 0.0,
    ohms: Mapping[str, float] | None = None,
    tile: tuple[int, int] | None = None,
) -> Load:
    """Return the load of reading one array one *way*; parameters as in :func:`total_load`."""
    forward = way == "forward"
    rows, columns, arms = array.g.shape
    word, width = tile_shape(array, tile)
    tiles, references = -(-columns // width), int(array.reference is not None)
    g, bits = _bit_lines(array, width), width * arms + references
    if forward:
        drive = np.asarray(activity[array.layer - 1], np.float64)
        drive = np.append(drive, 1.0) if array.bias else drive
        summed = np.zeros(len(drive), bool)
        sensed = columns + tiles * references
        conversions = -(-rows // word) * columns
    else:
        drive, summed = _back_drive(array, np.asarray(activity[array.layer], np.float64), width)
        g = g[: rows - array.bias].T
        sensed = rows - array.bias
        conversions = tiles * sensed
    line = g.sum(axis=1)
    mean = v_read * np.sqrt(drive) * line
    power = v_read**2 * float(drive @ line)
    access = v_read**2 * float(drive @ (g * g).sum(axis=1)) / channel if channel else 0.0
    return Load(
        cells=power - access,
        access=access,
        wires=_wire_loss(g, drive, v_read, ohms, forward, (word, bits)) if ohms else 0.0,
        current=float(mean[~summed].sum()),
        summed=float(mean[summed].sum()),
        charged=float(drive.sum()) * g.shape[1],
        sensed=sensed,
        driven=len(drive),
        conversions=conversions,
    )


def with_references(array: Array, column: NDArray, tile: tuple[int, int] | None) -> Array:
    """Return *array* with a line of reference cells *column* (rows,) [S] in each of its tiles."""
    tiles = -(-array.g.shape[1] // tile_shape(array, tile)[1])
    return array._replace(reference=np.repeat(column[:, np.newaxis], tiles, axis=1))


def tile_shape(array: Array, tile: tuple[int, int] | None) -> tuple[int, int]:
    """Return the word lines and the columns of weights of an array's largest tile.

    The bit lines of *tile* are those of weights: a reference line comes on top of them.
    """
    rows, columns, arms = array.g.shape
    word, bit = tile or (rows, columns * arms)
    return min(rows, word), min(columns, max(bit // arms, 1))


def _bit_lines(array: Array, width: int) -> NDArray:
    """Return the conductances (rows, bit lines) [S], tile by tile; a reference ends its tile."""
    rows, columns, arms = array.g.shape
    g = np.asarray(array.g, np.float64).reshape(rows, columns * arms)
    if array.reference is None:
        return g
    ends = [*range(width, columns, width), columns]
    return np.insert(g, ends, array.reference, axis=1)


def _back_drive(array: Array, a: NDArray, width: int) -> tuple[NDArray, NDArray]:
    """Return mean squares (bit lines,) of a backward read, and which are of reference lines."""
    drive = np.repeat(a, array.g.shape[2])
    if array.reference is None:
        return drive, np.zeros(len(drive), bool)
    starts = np.arange(0, len(a), width)
    ends = [*starts[1:], len(a)]
    sums = np.add.reduceat(np.sqrt(a), starts) ** 2
    return np.insert(drive, ends, sums), np.insert(np.zeros(len(a), bool), ends, True)


def _wire_loss(
    g: NDArray,
    drive: NDArray,
    v: float,
    ohms: Mapping[str, float],
    forward: bool,
    tile: tuple[int, int],
) -> float:
    """Return I^2 R of all wires [W], to first order in their resistance, tile by tile.

    A *tile* has so many word lines and bit lines, reference line included.
    """
    ends = ("r_word", "r_bit") if forward else ("r_bit", "r_word")
    along, across = (ohms.get(name, 0.0) for name in ends)
    at_driver, at_sense = ohms.get("r_driver", 0.0), ohms.get("r_sense", 0.0)
    driven, sensed = tile if forward else tile[::-1]
    loss = 0.0
    for top in range(0, g.shape[0], driven):
        for left in range(0, g.shape[1], sensed):
            part = g[top : top + driven, left : left + sensed]
            a = drive[top : top + driven]
            if not forward:  # bit lines are driven from their lower ends, word lines end left
                part, a = part[::-1, ::-1], a[::-1]
            # Segment k of a driven line carries what the cells from k on take.
            squares = np.cumsum(part[:, ::-1], axis=1) ** 2
            loss += v**2 * float(a @ (along * squares.sum(axis=1) + at_driver * squares[:, -1]))
            down = np.cumsum(np.sqrt(a)[:, np.newaxis] * part, axis=0) ** 2
            loss += v**2 * float(across * down.sum() + at_sense * down[-1].sum())
    return loss
