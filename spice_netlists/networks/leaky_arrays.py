"""The arrays of the leaky network as text: resistors on ideal lines, or tiles with wires.

On ideal lines a cell is called ``rp{l}_{j}_{i}``: the plus arm between line j and node i of layer
l (j = n is the bias line); ``rm`` is the minus arm, ``rq{l}_{k}_{i}`` and ``rs`` those read
backward from node k of the layer above.

With wires array l consists of tiles ``t{l}_{a}_{b}`` (a-th along the word lines, b-th along the
columns), each one subcircuit with the nodes of :mod:`..parts.tiles`, i and j counting from 0 in
the tile. It is called ``xt{l}_{a}_{b}`` for the forward read and once more, with the same cells,
``xt{l}_{a}_{b}_back`` for the backward read: its columns driven, those of minus arms with the
opposite voltage, its word lines at virtual ground, that of the biases at ground. Separate backward
arrays are ``u{l}_{a}_{b}``. Where minus arms lie outside of the tiles they stand on ideal lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...circuits.leaky.network import LeakyNetwork
from ...circuits.leaky.tiles import Place, Tiling, tile_cells
from ...errors import NetlistError
from ..parts.cards import wrapped
from ..parts.tiles import FrozenCells, is_flat, tile

__all__ = ["Arrays", "arrays", "segments", "tile_map"]


class Arrays(NamedTuple):
    """The arrays in two parts: all that was learned, and what connects it."""

    weights: str
    frames: str


class _Read(NamedTuple):
    """The nodes of an array's lines in a read in one direction."""

    rows: list[str]
    plus: list[str]
    minus: list[str]

    def columns(self, tiling: Tiling, place: Place) -> list[str]:
        """Return the nodes of a tile's bit lines."""
        plus, minus = self.plus[place.columns], self.minus[place.columns]
        if not tiling.paired:
            return plus
        return [node for pair in zip(plus, minus, strict=True) for node in pair]


class _Array(NamedTuple):
    """Cells (word lines, columns) [S] of one array, and the reads it takes part in."""

    label: str
    layer: int
    plus: NDArray
    minus: NDArray
    forward: _Read | None
    backward: _Read | None


def arrays(network: LeakyNetwork, dialect: str = "ngspice") -> Arrays:
    """Return the arrays of *network* for the inside of its subcircuit.

    Raises
    ------
    NetlistError
        If a conductance or a resistance is not allowed.
    """
    for each in (*network.plus, *network.minus, *network.back_plus, *network.back_minus):
        if not np.all(np.isfinite(each)) or np.any(each < 0):
            raise NetlistError("netlist: a cell's conductance is negative or not finite.")
    if network.tiling is None:
        lines = [line for each in _arrays(network) for line in _ideal(each, "plus", "minus")]
        return Arrays("\n".join(lines), "")
    weights, frames = [], []
    for each in _arrays(network):
        if not network.tiling.paired:
            weights += _ideal(each, "minus")
        for place in network.tiling.places(each.plus.shape):
            cells, frame = _tile(network.tiling, each, place, dialect)
            weights.append(cells)
            frames.append(frame)
    return Arrays("\n".join(weights), "\n".join(frames))


def tile_map(network: LeakyNetwork, instance: str) -> dict[str, Any]:
    """Return where the nodes of tiles are in a test bench; nothing on ideal lines.

    Names hold ``{i}`` and ``{j}`` for the word line and the bit line, counted in the tile.
    """
    tiling = network.tiling
    if tiling is None:
        return {}
    found = [
        {
            "array": each.layer,
            "word_lines": [place.rows.start, place.rows.stop],
            "columns": [place.columns.start, place.columns.stop],
            **{
                way: _at_cells(tiling, place, instance, _label(each, place) + tag)
                for way, read, tag in _reads(each)
                if read is not None
            },
        }
        for each in _arrays(network)
        for place in tiling.places(each.plus.shape)
    ]
    return {"tiles": found, "bit_lines": ["plus", "minus"] if tiling.paired else ["plus"]}


def _at_cells(tiling: Tiling, place: Place, instance: str, label: str) -> dict[str, str]:
    """Return the names of the nodes of lines at the cells, ideal lines left out."""
    wires, n = tiling.wires, place.rows.stop - place.rows.start
    flat = is_flat(n, _bit_lines(tiling, place))
    row, column = ("{}_row_{{i}}_", "{}_col_") if flat else ("x{}.xrow_{{i}}.r_", "x{}.col_")
    found = {}
    if not wires.word_ideal:
        found["word line"] = row.format(label) + ("{j}" if wires.r_word else "0")
    if not wires.bit_ideal:
        found["bit line"] = column.format(label) + ("{i}" if wires.r_bit else f"{n - 1}") + "_{j}"
    return {line: f"{instance}.{name}" for line, name in found.items()}


def _bit_lines(tiling: Tiling, place: Place) -> int:
    return (place.columns.stop - place.columns.start) * (2 if tiling.paired else 1)


def segments(network: LeakyNetwork) -> Iterator[tuple[str, str, float]]:
    """Yield the ends, inside the subcircuit, and the resistance [ohm] of all wires."""
    tiling = network.tiling
    if tiling is None:
        return
    wires = tiling.wires
    for each in _arrays(network):
        for place in tiling.places(each.plus.shape):
            cells = FrozenCells(tile_cells(tiling, place, each.plus, each.minus))
            for _, read, tag in _reads(each):
                if read is not None:
                    ends = read.rows[place.rows], read.columns(tiling, place)
                    label = _label(each, place) + tag
                    at = tile(cells, wires, label=label, rows=ends[0], columns=ends[1]).nodes
                    lines = zip(*at.column_at[::-1], strict=True)
                    yield from _wires(at.row, at.row_at, wires.r_driver, wires.r_word)
                    yield from _wires(at.column, lines, wires.r_sense, wires.r_bit)


def _wires(
    terminals: Sequence[str], lines: Iterable[Sequence[str]], first: float, each: float
) -> Iterator[tuple[str, str, float]]:
    for terminal, line in zip(terminals, lines, strict=True):
        for k, (a, b) in enumerate(pairwise([terminal, *line])):
            if a != b:
                yield a, b, each + first if k == 0 else each


def _label(array: _Array, place: Place) -> str:
    return f"{array.label}_{place.down}_{place.across}"


def _reads(array: _Array) -> tuple[tuple[str, _Read | None, str], ...]:
    """Return the reads of *array*, and what their calls' names end with."""
    tag = "" if array.forward is None else "_back"
    return ("forward", array.forward, ""), ("backward", array.backward, tag)


def _arrays(network: LeakyNetwork) -> Iterator[_Array]:
    for layer in range(1, network.depth + 1):
        plus, minus = network.plus[layer - 1], network.minus[layer - 1]
        below, here = network.sizes[layer - 1], network.sizes[layer]
        forward = _Read(
            [*_nodes("r", layer - 1, below), f"b{layer}"],
            _nodes("p", layer, here),
            _nodes("m", layer, here),
        )
        backward = None
        if network.symmetric and layer > 1:
            backward = _behind(network, layer, [*_nodes("q", layer - 1, below), "0"])
        yield _Array(f"t{layer}", layer, plus, minus, forward, backward)
    if not network.symmetric:
        for layer in range(2, network.depth + 1):
            backward = _behind(network, layer, _nodes("q", layer - 1, network.sizes[layer - 1]))
            yield _Array(f"u{layer}", layer, *network.behind(layer), None, backward)


def _behind(network: LeakyNetwork, layer: int, rows: list[str]) -> _Read:
    drives, n = _nodes("r", layer, network.sizes[layer]), network.sizes[layer]
    return _Read(rows, drives, _nodes("o", layer, n))


def _nodes(kind: str, layer: int, count: int) -> list[str]:
    return [f"{kind}{layer}_{i}" for i in range(count)]


def _ideal(array: _Array, *arms: str) -> Iterator[str]:
    """Yield *arms* of an array on ideal lines; an open cell (0 S) is left out."""
    for arm in arms:
        g = array.plus if arm == "plus" else array.minus
        if array.forward is not None:
            sensed = array.forward.plus if arm == "plus" else array.forward.minus
            yield from _cells(g, array.forward.rows, sensed)
        if array.backward is not None:
            # Each arm is sensed on a line of its own and no drive is inverted.
            kind = "q" if arm == "plus" else "s"
            sensed = [f"{kind}{row[1:]}" for row in array.backward.rows if row != "0"]
            yield from _cells(g[: len(sensed)].T, array.backward.plus, sensed)


def _cells(g: NDArray, driven: Sequence[str], sensed: Sequence[str]) -> Iterator[str]:
    for j, (row, values) in enumerate(zip(driven, g.tolist(), strict=True)):
        for line, value in zip(sensed, values, strict=True):
            if value > 0:
                kind, _, i = line.partition("_")
                yield f"r{kind}_{j}_{i} {row} {line} {1.0 / value!r}"


def _tile(tiling: Tiling, array: _Array, place: Place, dialect: str) -> tuple[str, str]:
    """Return the cells of a tile, and the rest of it with its calls."""
    cells = FrozenCells(tile_cells(tiling, place, array.plus, array.minus))
    weights, frames, first = [], [], None
    for _, read, tag in _reads(array):
        if read is None:
            continue
        label = _label(array, place) + tag
        ends = read.rows[place.rows], read.columns(tiling, place)
        if first is None or first.flat:
            first = tile(
                cells, tiling.wires, label=label, rows=ends[0], columns=ends[1], dialect=dialect
            )
            weights.append(first.weights)
            frames.append(first.text + first.call)
        else:
            frames.append(wrapped([f"x{label}", *ends[0], *ends[1], _label(array, place)]))
    return "".join(weights).rstrip(), "\n".join(each.rstrip() for each in frames)
