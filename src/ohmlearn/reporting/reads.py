"""Power of an array read, in closed form.

A line carries ``v_read`` times a signal, so with the mean square a_i of line i's signal the cells
of an array take

    P = v_read^2 sum_i a_i sum_j G_ij        (both arms of a pair, bias line: a = 1)

while the lines are driven. That is exact for cells that are linear conductors between a driven
line and a virtual ground. The transistor in series with a memristor has the same current, hence
the share G / g_channel of a cell's power. Two further sums cannot be had from mean squares alone
and are taken at their upper bounds, which are met where all lines carry their root mean square:
the mean current of the drivers (sum_i sqrt(a_i) G_i), and the squared currents along bit lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Load", "array_load", "total_load"]


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
    reference : (rows,), optional
        Conductances of a column of reference cells [S].
    """

    layer: int
    g: NDArray
    ways: tuple[str, ...]
    bias: bool
    reference: NDArray | None = None

    @property
    def cells(self) -> int:
        """Number of cells, with the reference column."""
        return self.g.size + (0 if self.reference is None else self.reference.size)


class Load(NamedTuple):
    """What one time step asks of the arrays.

    Attributes
    ----------
    cells, access, wires
        Power [W] in memristors, access transistors and wire resistances.
    current
        Mean current that the line drivers deliver [A], an upper bound.
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
    g = np.asarray(array.g, np.float64)
    rows, columns, arms = g.shape
    word, bit = tile or (rows, columns * arms)
    if forward:
        drive = np.asarray(activity[array.layer - 1], np.float64)
        drive = np.append(drive, 1.0) if array.bias else drive
        g = g.reshape(rows, columns * arms)
        sensed = columns
        parts = -(-rows // word)
        if array.reference is not None:
            g = np.column_stack([g, array.reference])
    else:
        drive = np.repeat(np.asarray(activity[array.layer], np.float64), arms)
        g = g[: rows - array.bias].reshape(-1, columns * arms).T
        sensed = rows - array.bias
        parts = -(-columns // max(bit // arms, 1))
        word, bit = bit, word
    line = g.sum(axis=1)
    power = v_read**2 * float(drive @ line)
    access = v_read**2 * float(drive @ (g * g).sum(axis=1)) / channel if channel else 0.0
    return Load(
        cells=power - access,
        access=access,
        wires=_wire_loss(g, drive, v_read, ohms, forward, (word, bit)) if ohms else 0.0,
        current=v_read * float(np.sqrt(drive) @ line),
        charged=float(drive.sum()) * g.shape[1],
        sensed=sensed,
        driven=len(drive),
        conversions=parts * sensed,
    )


def _wire_loss(
    g: NDArray,
    drive: NDArray,
    v: float,
    ohms: Mapping[str, float],
    forward: bool,
    tile: tuple[int, int],
) -> float:
    """Return I^2 R of all wires [W], to first order in their resistance, tile by tile."""
    ends = ("r_word", "r_bit") if forward else ("r_bit", "r_word")
    along, across = (ohms.get(name, 0.0) for name in ends)
    at_driver, at_sense = ohms.get("r_driver", 0.0), ohms.get("r_sense", 0.0)
    loss = 0.0
    for top in range(0, g.shape[0], tile[0]):
        for left in range(0, g.shape[1], tile[1]):
            part = g[top : top + tile[0], left : left + tile[1]]
            a = drive[top : top + tile[0]]
            if not forward:  # bit lines are driven from their lower ends, word lines end left
                part, a = part[::-1, ::-1], a[::-1]
            # Segment k of a driven line carries what the cells from k on take.
            squares = np.cumsum(part[:, ::-1], axis=1) ** 2
            loss += v**2 * float(a @ (along * squares.sum(axis=1) + at_driver * squares[:, -1]))
            down = np.cumsum(np.sqrt(a)[:, np.newaxis] * part, axis=0) ** 2
            loss += v**2 * float(across * down.sum() + at_sense * down[-1].sum())
    return loss
