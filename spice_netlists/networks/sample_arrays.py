"""The arrays of a learned sample: cells that are programmed, and readers of them.

Array l is the tile ``a{l}``, or with wires the tiles ``a{l}_{a}_{b}`` (a-th along the word lines,
b-th along the columns). For the read backward every cell of array l > 1 has a *reader*: the
current law of its memristor at the same state, which is taken from the programmed cell, with a
transistor of its own. With wires, the readers of a tile stand at the crossings of lines like those
of the tile, ``z{l}_{a}_{b}``, and the word line of the biases is at ground. Readers are never
programmed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...circuits.leaky.network import LeakyNetwork
from ...circuits.leaky.tiles import Place
from ...devices.cell.access import Nmos
from ...devices.contract import device_of
from ...errors import NetlistError
from ..names import number
from ..parts.cells import nmos_model, transistor
from ..parts.dialects import dialect_of
from ..parts.expressions import Language, write
from ..parts.physics import physics_of
from ..parts.tiles import DrawnCells, MemristorCells, tile
from ..parts.unfolding import in_full
from .behavioural import current_source
from .sample import programming_lines, wired

__all__ = ["MOST_CELLS", "CellArray", "cell_arrays", "readers"]

MOST_CELLS = 1000
"""Cells with a state beyond which a transient of ngspice takes hours."""


class CellArray(NamedTuple):
    """An array, whole or in tiles, in the order in which a netlist needs its parts.

    Attributes
    ----------
    devices, weights, calls
        Subcircuits of cells; rows and tiles; their calls.
    states
        Nodes of the cells' states, [row][column].
    """

    devices: str
    weights: str
    calls: str
    states: list[list[str]]


def cell_arrays(network: LeakyNetwork, arrays: Sequence[MemristorCells]) -> list[CellArray]:
    """Return the arrays of *network* with the cells *arrays*.

    Raises
    ------
    NetlistError
        If the cells do not fit the network, or have no access transistor.
    """
    if not network.symmetric:
        raise NetlistError("sample: separate backward arrays are not foreseen; share the weights.")
    if network.tiling is not None and not network.tiling.paired:
        raise NetlistError("sample: on tiles with wires, both arms of a pair must be in the tile.")
    shapes = [(plus.shape[0], 2 * plus.shape[1]) for plus in network.plus]
    if [np.shape(cells.x0) for cells in arrays] != shapes:
        raise NetlistError(
            f"sample: cells of shapes {[np.shape(cells.x0) for cells in arrays]}; allowed are "
            f"pairs for every weight, {shapes}."
        )
    total = sum(int(np.prod(shape)) for shape in shapes)
    if total > MOST_CELLS:
        raise NetlistError(
            f"sample: the network has {total} cells; at most {MOST_CELLS} are simulated with "
            "their own motion. Use a smaller network."
        )
    if any(cells.access is None for cells in arrays):
        raise NetlistError("sample: every cell needs an access transistor; set [access].")
    return [_array(network, layer, cells) for layer, cells in enumerate(arrays, start=1)]


def _array(network: LeakyNetwork, layer: int, cells: MemristorCells) -> CellArray:
    own = programming_lines(network, layer, "")
    states = [[""] * len(own.columns) for _ in own.rows]
    parts = []
    for place in _places(network, layer):
        rows, lines = place.rows, _lines(place)
        made = tile(
            _cut(cells, rows, lines),
            None if network.tiling is None else network.tiling.wires,
            label=_label("a", network, layer, place),
            rows=own.rows[rows],
            columns=own.columns[lines],
            gates=own.gates[rows],
        )
        parts.append(made)
        for at, row in zip(states[rows], made.nodes.state, strict=True):
            at[lines] = row
    return CellArray(
        "".join(each.devices for each in parts),
        "".join(each.weights + each.text for each in parts),
        "".join(each.call for each in parts),
        states,
    )


def _places(network: LeakyNetwork, layer: int) -> list[Place]:
    """Return the tiles of an array; a single one without wires."""
    shape = network.plus[layer - 1].shape
    if network.tiling is None:
        return [Place(0, 0, slice(0, shape[0]), slice(0, shape[1]))]
    return list(network.tiling.places(shape))


def _lines(place: Place) -> slice:
    """Return the bit lines of a tile, two for every column of weights."""
    return slice(2 * place.columns.start, 2 * place.columns.stop)


def _label(kind: str, network: LeakyNetwork, layer: int, place: Place) -> str:
    return f"{kind}{layer}_{place.down}_{place.across}" if wired(network) else f"{kind}{layer}"


def _cut(cells: MemristorCells, rows: slice, lines: slice) -> MemristorCells:
    table = None if cells.table is None else np.asarray(cells.table, float)[rows, lines]
    return MemristorCells(cells.params, np.asarray(cells.x0)[rows, lines], cells.access, table)


def readers(
    network: LeakyNetwork, arrays: Sequence[MemristorCells], made: Sequence[CellArray]
) -> Iterator[str]:
    """Yield the readers of all arrays above the first."""
    for layer in range(2, network.depth + 1):
        cells, states = arrays[layer - 1], made[layer - 1].states
        if isinstance(cells.access, Nmos):
            yield nmos_model(cells.access, f"reader_{layer}")
        if wired(network):
            for place in _places(network, layer):
                yield _tile_of_readers(network, layer, cells, states, place)
            continue
        for j in range(network.sizes[layer - 1]):
            for k in range(2 * network.sizes[layer]):
                pins = f"{'uw'[k % 2]}{layer}_{j}", f"t{layer}_{k // 2}"
                yield from _reader(layer, cells, states, (j, k), pins)


def _tile_of_readers(
    network: LeakyNetwork,
    layer: int,
    cells: MemristorCells,
    states: list[list[str]],
    place: Place,
) -> str:
    lines, top = _lines(place), place.rows.start

    def card(i: int, j: int, own: str, nodes: tuple[str, ...]) -> str:
        at = top + i, lines.start + j
        return "\n".join(_reader(layer, cells, states, at, (nodes[0], nodes[1])))

    sensed = [f"u{layer}_{j}" for j in range(network.sizes[layer - 1])] + ["0"]
    driven = [f"{kind}{layer}_{i}" for i in range(network.sizes[layer]) for kind in "to"]
    shape = place.rows.stop - top, lines.stop - lines.start
    # Flat, since readers hear of states that are nodes inside other tiles.
    made = tile(
        DrawnCells(shape, card),
        None if network.tiling is None else network.tiling.wires,
        label=_label("z", network, layer, place),
        rows=sensed[place.rows],
        columns=driven[lines],
        flat=True,
    )
    return (made.weights + made.text).rstrip()


def _reader(
    layer: int,
    cells: MemristorCells,
    states: list[list[str]],
    at: tuple[int, int],
    pins: tuple[str, str],
) -> Iterator[str]:
    """Yield the reader of the cell *at* (row, column) between a sensed and a driven line."""
    (j, k), (sense, drive), access = at, pins, cells.access
    if access is None:
        return
    own = f"k{layer}_{j}_{k}"
    top, bottom = (sense, own) if cells.params.v_set > 0.0 else (own, sense)
    law = _current(_cell(cells, j, k), f"v({top}, {bottom})", states[j][k])
    yield current_source("ngspice", own, top, bottom, law)
    yield transistor(own, (own, "on", drive, "0"), access, f"reader_{layer}")


def _cell(cells: MemristorCells, j: int, k: int) -> Any:
    if cells.table is None:
        return cells.params
    return type(cells.params)(*np.asarray(cells.table, float)[j, k].tolist())


def _current(params: Any, voltage: str, state: str) -> str:
    """Return the text of the current of a memristor at *voltage* whose state is another's."""
    physics = physics_of(device_of(type(params)))
    fields = {f: f"({number(v, f)})" for f, v in params._asdict().items()}
    given = (voltage, f"min(max(v({state}), 0.0), 1.0)")
    texts = dict(zip(physics.current.arguments, given, strict=True))
    helpers = {h.name: h.name for h in physics.helpers}
    language = Language(dialect_of("ngspice"), texts, fields, helpers)
    return write(in_full(physics.current, physics), language)
