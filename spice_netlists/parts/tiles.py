"""A tile as a netlist: cells at the crossings of lines, with the wires of :mod:`crossbar.wires`.

Rows are the lines that are driven and columns those that are sensed, as in a matrix; line
numbers start at 0 and are those of the conductances given. A row line is what
:mod:`ohmlearn.crossbar.wires` calls a word line and the ``bl`` pin of its cells, a column line is
a bit line there and the ``sl`` pin; ``gate_i`` is the gate line of row i. The two cells of a pair
lie on columns 2 j and 2 j + 1.

===============  ==============================================================================
port, node       is
===============  ==============================================================================
``row_i``        terminal of row i: driver, first segment, then the cell in column 0
``col_j``        terminal of column j, below the last row: segment and sensor lead to it
``gate_i``       gate line of row i, without resistance; only with transistors
``row_i_j``      row line at the cell (i, j), in subcircuit ``row_i`` under the name ``r_j``
``col_i_j``      column line at the cell (i, j)
``x_i_j``        state of the cell, in ``row_i`` under the name ``x_j``
===============  ==============================================================================

The hierarchy is tile, row, cell. ngspice 39 ends where one call of a subcircuit has more than
1,004 nodes ("N_GLOBAL_NODES overflow"), so a tile with more lines than :data:`MOST_NODES` is
written flat: its elements stand by themselves, their names beginning with the tile's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...crossbar.wires import Wires
from ...errors import NetlistError
from ..names import number
from .cards import label_of, node, wrapped
from .crossings import (
    LEAST_SIEMENS,
    MOST_SIEMENS,
    DrawnCells,
    FrozenCells,
    Lattice,
    MemristorCells,
    lattice_of,
)
from .dialects import dialect_of

__all__ = ["MOST_NODES", "DrawnCells", "FrozenCells", "MemristorCells", "Tile", "TileNodes",
           "is_flat", "tile"]  # fmt: skip

MOST_NODES = 900
"""Nodes of one subcircuit call from which on a tile is written flat."""


class TileNodes(NamedTuple):
    """Names of a tile's nodes as the whole netlist sees them, by matrix index.

    Attributes
    ----------
    row, column, gate : tuple of str
        Terminals of the lines; no gates without transistors.
    row_at, column_at : tuple of tuple of str
        Lines at the cells, [row][column].
    state : tuple of tuple of str
        States, [row][column]; empty for cells without.
    """

    row: tuple[str, ...]
    column: tuple[str, ...]
    gate: tuple[str, ...]
    row_at: tuple[tuple[str, ...], ...]
    column_at: tuple[tuple[str, ...], ...]
    state: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Tile:
    """A tile in four parts, in the order in which a netlist needs them.

    Attributes
    ----------
    devices
        Subcircuits of memristor and cell; empty for frozen cells.
    weights
        The rows, and in them the values of all cells.
    text
        The subcircuit of the tile; its wires if flat.
    call
        The call of that subcircuit; empty if flat.
    nodes
        Where to find what.
    flat
        Whether it is written without hierarchy.
    """

    devices: str
    weights: str
    text: str
    call: str
    nodes: TileNodes
    flat: bool

    @property
    def netlist(self) -> str:
        """All four parts."""
        return self.devices + self.weights + self.text + self.call


def tile(
    cells: FrozenCells | MemristorCells | DrawnCells,
    wires: Wires | None = None,
    *,
    label: str = "tile",
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    gates: Sequence[str] | None = None,
    dialect: str = "ngspice",
    flat: bool | None = None,
) -> Tile:
    """Return the netlist of a tile.

    Parameters
    ----------
    cells : FrozenCells, MemristorCells or DrawnCells
    wires : Wires, optional
        Resistances of lines, drivers and sensors; none by default.
    label : str
        Name of the tile.
    rows, columns, gates : sequence of str, optional
        Nodes to which its terminals are connected; ``row_0`` and so on by default.
    dialect : str
    flat : bool, optional
        Whether to write it without hierarchy; by default only where it is too large for it.

    Raises
    ------
    NetlistError
        If shapes or names do not fit or a number is not allowed.
    DeviceError
        If the parameters describe no cell of the model.
    """
    dialect_of(dialect)
    wires = _checked(wires or Wires())
    lattice = lattice_of(cells, label_of(label, "tile"), dialect)
    n, m = lattice.shape
    ports = _Ports(
        _terminals(rows, "row", n), _terminals(columns, "col", m),
        _terminals(gates, "gate", n) if lattice.gated else (),
    )  # fmt: skip
    if flat is None:
        flat = is_flat(n, m)
    writer = _Writer(lattice, wires, label_of(label, "tile"), ports, flat)
    return Tile(
        lattice.devices, "\n".join([*writer.rows(), ""]), "\n".join([*writer.frame(), ""]),
        writer.call(), writer.nodes(), flat,
    )  # fmt: skip


def is_flat(rows: int, columns: int) -> bool:
    """Return whether a tile of so many lines is by default written without hierarchy."""
    return max(2 * rows + columns, 2 * columns + 2) > MOST_NODES


def _checked(wires: Wires) -> Wires:
    """Return *wires* if a simulator can tell their resistances from 0 and from an open line."""
    low, high = 1.0 / MOST_SIEMENS, 1.0 / LEAST_SIEMENS
    for what in ("r_word", "r_bit", "r_driver", "r_sense"):
        r = getattr(wires, what)
        if r != 0.0 and not low <= r <= high:
            raise NetlistError(
                f"tile: wires.{what} is {r} ohm; allowed is 0 (ideal), or {low:g} to {high:g} ohm."
            )
    return wires


class _Ports(NamedTuple):
    row: tuple[str, ...]
    column: tuple[str, ...]
    gate: tuple[str, ...]


def _terminals(given: Sequence[str] | None, kind: str, count: int) -> tuple[str, ...]:
    if given is None:
        return tuple(f"{kind}_{k}" for k in range(count))
    named = tuple(map(node, given))
    if len(named) != count:
        raise NetlistError(f"tile: {len(named)} nodes for {count} terminals of kind '{kind}'.")
    return named


class _Writer(NamedTuple):
    """Writes rows and frame of a tile, with or without hierarchy."""

    lattice: Lattice
    wires: Wires
    label: str
    ports: _Ports
    flat: bool

    def rows(self) -> Iterator[str]:
        """Yield the rows: word-line segments and cells."""
        for i in range(self.lattice.shape[0]):
            if self.flat:
                yield from self._row(i)
                continue
            columns = [f"c_{j}" for j in range(self.lattice.shape[1])]
            gate = ["gate"] if self.lattice.gated else []
            yield wrapped([".subckt", f"{self.label}_row_{i}", "row", *gate, *columns])
            yield from self._row(i)
            yield f".ends {self.label}_row_{i}"

    def _row(self, i: int) -> Iterator[str]:
        """Yield the elements of row *i*."""
        tag = f"{self.label}_{i}_" if self.flat else ""
        terminal = self.ports.row[i] if self.flat else "row"
        gate = (self.ports.gate[i] if self.flat else "gate",) if self.lattice.gated else ()
        nodes, first = self._row_nodes(i), self.wires.r_word + self.wires.r_driver
        if nodes[0] != terminal:
            yield f"rw_{tag}0 {terminal} {nodes[0]} {number(first)}"
        for j in range(1, len(nodes)):
            if nodes[j] != nodes[j - 1]:
                yield f"rw_{tag}{j} {nodes[j - 1]} {nodes[j]} {number(self.wires.r_word)}"
        for j, at in enumerate(nodes):
            column = self._column(i, j) if self.flat else f"c_{j}"
            state = (self._state(i, j),) if self.lattice.states else ()
            yield self.lattice.card(i, j, f"c_{tag}{j}", (at, *gate, column, *state))

    def _row_nodes(self, i: int) -> list[str]:
        """Return the row line's node at every cell, as its own elements name it."""
        head = f"{self.label}_row_{i}_" if self.flat else "r_"
        terminal = self.ports.row[i] if self.flat else "row"
        columns = range(self.lattice.shape[1])
        if self.wires.word_ideal:
            return [terminal for _ in columns]
        return [f"{head}{j if self.wires.r_word else 0}" for j in columns]

    def _state(self, i: int, j: int) -> str:
        return f"{self.label}_x_{i}_{j}" if self.flat else f"x_{j}"

    def _column(self, i: int, j: int) -> str:
        """Return the column line's node at a cell, as the tile names it."""
        terminal = self.ports.column[j] if self.flat else f"col_{j}"
        if self.wires.bit_ideal:
            return terminal
        head = f"{self.label}_col" if self.flat else "col"
        return f"{head}_{i if self.wires.r_bit else self.lattice.shape[0] - 1}_{j}"

    def frame(self) -> Iterator[str]:
        """Yield the column lines and, with hierarchy, the calls of the rows around them."""
        n, m = self.lattice.shape
        if self.flat:
            yield from self._column_wires()
            return
        ports = [*(f"row_{i}" for i in range(n)), *(f"col_{j}" for j in range(m))]
        ports += [f"gate_{i}" for i in range(n)] if self.lattice.gated else []
        yield wrapped([".subckt", self.label, *ports])
        for i in range(n):
            gate = [f"gate_{i}"] if self.lattice.gated else []
            columns = [self._column(i, j) for j in range(m)]
            yield wrapped([f"xrow_{i}", f"row_{i}", *gate, *columns, f"{self.label}_row_{i}"])
        yield from self._column_wires()
        yield f".ends {self.label}"

    def _column_wires(self) -> Iterator[str]:
        n, m = self.lattice.shape
        tag = f"{self.label}_" if self.flat else ""
        last = self.wires.r_bit + self.wires.r_sense
        for j in range(m):
            terminal = self.ports.column[j] if self.flat else f"col_{j}"
            for i in range(n):
                here = self._column(i, j)
                below = self._column(i + 1, j) if i + 1 < n else terminal
                if here != below:
                    r = self.wires.r_bit if i + 1 < n else last
                    yield f"rb_{tag}{i}_{j} {here} {below} {number(r)}"

    def call(self) -> str:
        """Return the call of the tile."""
        if self.flat:
            return ""
        nodes = [*self.ports.row, *self.ports.column, *self.ports.gate]
        return wrapped([f"x{self.label}", *nodes, self.label]) + "\n"

    def nodes(self) -> TileNodes:
        """Return the names of all nodes as the whole netlist sees them."""
        n, m = self.lattice.shape
        rows, columns = range(n), range(m)
        return TileNodes(
            *self.ports,
            tuple(tuple(self._seen_row(i)) for i in rows),
            tuple(tuple(self._seen_column(i, j) for j in columns) for i in rows),
            tuple(tuple(self._seen(f"xrow_{i}", self._state(i, j)) for j in columns) for i in rows)
            if self.lattice.states else (),
        )  # fmt: skip

    def _seen(self, *path: str) -> str:
        return path[-1] if self.flat else ".".join((f"x{self.label}", *path))

    def _seen_row(self, i: int) -> list[str]:
        if self.wires.word_ideal:
            return [self.ports.row[i]] * self.lattice.shape[1]
        return [self._seen(f"xrow_{i}", at) for at in self._row_nodes(i)]

    def _seen_column(self, i: int, j: int) -> str:
        if self.wires.bit_ideal:
            return self.ports.column[j]
        return self._seen(self._column(i, j))
