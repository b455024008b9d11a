"""The arrays that hold a network's weights, laid out so that kernels can program them.

One array per weight layer, with one word line more than the layer has inputs: its cells hold the
biases and it is always driven with the voltage of signal 1. With separate backward weights a
second array per layer above the first. The weights that the dynamics use, theta, are a copy of
what the cells show; every programming renews the entry it touches, so theta can be rebuilt from
the cells at any time, to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..crossbar.array import Crossbar
from ..crossbar.bank import CellBank
from ..crossbar.drawing import join
from ..jit import kernel
from .hopfield import Layout

__all__ = ["Fabric", "array_shapes", "make_fabric", "refer", "renew", "renew_all"]


class Fabric(NamedTuple):
    """All arrays of a network as the kernels take them; entries are indexed by array.

    Attributes
    ----------
    bank
        The cells of all arrays.
    arms
        Cells per weight.
    rows, columns, cell_at, row_at
        Size of each array, offset of its first cell and of its first entry in *reference*.
    weight_at, bias_at, turned
        Where theta holds it, with -1 for an array without biases; whether theta has the
        post-synaptic index first.
    unit, step
        Conductance of weight 1 [S]; weight change by one nominal pulse on each arm.
    reference, reference_square
        What each row subtracts [S]; what that adds to the squares that carry read noise [S^2].
    tile_rows
        Word lines of a tile.
    slots : (arrays, 2) int64
        SET and RESET pulse slots so far, the rows of an array taking turns.
    slope, base : (cells,)
        What wires make of a conductance as seen from the edge, base + slope g [S]; empty without
        wires.
    """

    bank: CellBank
    arms: int
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    cell_at: NDArray[np.int64]
    row_at: NDArray[np.int64]
    weight_at: NDArray[np.int64]
    bias_at: NDArray[np.int64]
    turned: NDArray[np.bool_]
    unit: NDArray
    step: NDArray
    reference: NDArray
    reference_square: NDArray
    tile_rows: int
    slots: NDArray[np.int64]
    slope: NDArray
    base: NDArray


def array_shapes(layout: Layout) -> list[tuple[int, int]]:
    """Return rows and columns of every array: forward 1..N with bias row, then backward 2..N."""
    n = [int(size) for size in layout.sizes]
    shapes = [(n[layer - 1] + 1, n[layer]) for layer in range(1, len(n))]
    if not layout.symmetric:
        shapes += [(n[layer - 1], n[layer]) for layer in range(2, len(n))]
    return shapes


def make_fabric(
    layout: Layout,
    crossbars: Sequence[Crossbar],
    tile_rows: int | None = None,
    *,
    wired: bool = False,
) -> Fabric:
    """Lay *crossbars*, of the shapes of :func:`array_shapes`, under the network *layout*.

    A *wired* fabric has room for what the wires do, which is nothing until it is filled in.
    """
    depth = layout.depth
    forward = np.arange(1, depth + 1)
    backward = np.arange(2, 2 if layout.symmetric else depth + 1)
    kind = crossbars[0].bank.g.dtype
    bank = join(crossbars)
    cells = bank.x.size if wired else 0
    fabric = Fabric(
        bank=bank,
        arms=crossbars[0].arms,
        rows=np.array([x.rows for x in crossbars], np.int64),
        columns=np.array([x.columns for x in crossbars], np.int64),
        cell_at=_starts([x.cells for x in crossbars]),
        row_at=_starts([x.rows for x in crossbars]),
        weight_at=np.concatenate([layout.weight_at[forward], layout.back_at[backward]]),
        bias_at=np.concatenate([layout.bias_at[forward], np.full(len(backward), -1)]),
        turned=np.concatenate([forward, backward]) > 1,
        unit=np.array([x.unit for x in crossbars], kind),
        step=np.array([x.step for x in crossbars], kind),
        reference=np.zeros(sum(x.rows for x in crossbars), kind),
        reference_square=np.zeros(sum(x.rows for x in crossbars), kind),
        tile_rows=tile_rows or max(x.rows for x in crossbars),
        slots=np.zeros((len(crossbars), 2), np.int64),
        slope=np.ones(cells, kind),
        base=np.zeros(cells, kind),
    )
    refer(fabric, crossbars)
    return fabric


def _starts(sizes: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)


@kernel
def renew(fabric, a, weights, theta, q, change, change_q):
    """Set theta and q from the cells of some weights of array *a*.

    Parameters
    ----------
    weights : (n,) of int
        Row times columns plus column of each weight.
    theta : (length,)
        Parameters of the network.
    q : (length,)
        Sum of the squared conductances that carry each weight's read noise, in squared units.
    change, change_q : (n,)
        Receive by how much theta and q changed.
    """
    g, reference, square = fabric.bank.g, fabric.reference, fabric.reference_square
    arms, unit, n = fabric.arms, fabric.unit[a], fabric.columns[a]
    first, row_at = fabric.cell_at[a], fabric.row_at[a]
    bias_at, weight_at, turned = fabric.bias_at[a], fabric.weight_at[a], fabric.turned[a]
    m = fabric.rows[a] - 1 if bias_at >= 0 else fabric.rows[a]
    slope, base = fabric.slope, fabric.base
    wired = slope.size > 0
    for k in range(weights.size):
        i, j = weights[k] // n, weights[k] % n
        if i == m:
            at = bias_at + j
        elif turned:
            at = weight_at + j * m + i
        else:
            at = weight_at + i * n + j
        c = first + weights[k] * arms
        plus, noisy = g[c], g[c]
        if wired:
            plus, noisy = base[c] + slope[c] * g[c], slope[c] * g[c]
        if arms == 1:
            minus, squares = reference[row_at + i], noisy * noisy + square[row_at + i]
        else:
            minus, other = g[c + 1], g[c + 1]
            if wired:
                minus, other = base[c + 1] + slope[c + 1] * g[c + 1], slope[c + 1] * g[c + 1]
            squares = noisy * noisy + other * other
        weight = (plus - minus) / unit
        noise = squares / (unit * unit)
        change[k] = weight - theta[at]
        change_q[k] = noise - q[at]
        theta[at] = weight
        q[at] = noise


def refer(fabric: Fabric, crossbars: Sequence[Crossbar]) -> None:
    """Take over the conductances that the rows of *crossbars* subtract."""
    fabric.reference[...] = np.concatenate([x.reference for x in crossbars])
    squares = [x.reference**2 * (x.encoding == "offset") for x in crossbars]
    fabric.reference_square[...] = np.concatenate(squares)


def renew_all(fabric: Fabric, theta: NDArray, q: NDArray) -> None:
    """Set theta and q from all cells, see :func:`renew`."""
    for a, (rows, columns) in enumerate(zip(fabric.rows, fabric.columns, strict=True)):
        weights = np.arange(rows * columns)
        unused = np.empty(weights.size, theta.dtype)
        renew(fabric, a, weights, theta, q, unused, unused.copy())
