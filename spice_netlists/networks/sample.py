"""A leaky network whose cells are programmed in place: arrays of 1T1R cells behind switches.

Array l lies between layer l - 1 and layer l: its rows are the lines that layer l - 1 and the bias
drive, its columns 2 i and 2 i + 1 the plus and the minus arm of node i. A line has two switches:

==========  ================================  ==========================================
line        while ``compute`` is 1            while ``program`` is 1
==========  ================================  ==========================================
``r{l}_j``  output stage ``d{l-1}_j``,        programming source ``pr{l}_j``
            input ``x_j``, or ``bias``
``c{l}_k``  sense line ``s{l}_k``, at 0 V     programming source ``pc{l}_k``
``g{l}_j``  read voltage of gates, ``on``     programming source ``pg{l}_j``
==========  ================================  ==========================================

Node ``n{l}_i`` has its capacitor always, its leak through a switch that ``compute`` closes, and
gets the difference of the currents of its two sense lines; without these three it holds its
voltage while cells are programmed.

Both reads of a shared array happen at once, which no single array at virtual ground can do. The
programmed cells are read forward. For the read backward every cell of array l > 1 has a *reader*:
the current law of its memristor at the same state, which is taken from the programmed cell, with
a transistor of its own, between the line ``t{l}_i`` that node i of layer l drives and the sense
lines ``u{l}_j`` (plus arms) and ``w{l}_j`` (minus arms) of node j of layer l - 1. Readers are
never programmed; ``compute`` connects their driven lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...circuits.leaky.network import LeakyNetwork
from ...devices.cell.access import Nmos
from ...devices.contract import device_of
from ...errors import NetlistError
from ..names import number
from ..parts.cells import nmos_model, transistor
from ..parts.dialects import dialect_of
from ..parts.expressions import Language, write
from ..parts.physics import physics_of
from ..parts.pulses import Lines
from ..parts.tiles import MemristorCells, Tile, tile
from ..parts.unfolding import in_full
from .behavioural import current_source, voltage_source
from .leaky import RHO, sense_stage

__all__ = ["MOST_CELLS", "circuit", "node_names", "programming_lines", "readers", "tiles"]

MOST_CELLS = 1000
"""Cells with a state beyond which a transient of ngspice takes hours."""

_LINK = "on_off"
_CONDUCTION = f".model {_LINK} sw vt=0.5 vh=0 ron=0.1 roff=1e12"


def tiles(network: LeakyNetwork, arrays: Sequence[MemristorCells]) -> list[Tile]:
    """Return the arrays as tiles ``a1``, ``a2``, ...

    Raises
    ------
    NetlistError
        If the cells do not fit the network, or have no access transistor.
    """
    if not network.symmetric:
        raise NetlistError("sample: separate backward arrays are not foreseen; share the weights.")
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
    found = []
    for layer, cells in enumerate(arrays, start=1):
        own = programming_lines(network, layer, "")
        found.append(
            tile(cells, label=f"a{layer}", rows=own.rows, columns=own.columns, gates=own.gates)
        )
    return found


def programming_lines(network: LeakyNetwork, layer: int, source: str = "p") -> Lines:
    """Return the lines of array *layer*, or with *source* "p" the nodes of their drivers."""
    rows, columns = network.plus[layer - 1].shape
    return Lines(
        [f"{source}r{layer}_{j}" for j in range(rows)],
        [f"{source}c{layer}_{k}" for k in range(2 * columns)],
        [f"{source}g{layer}_{j}" for j in range(rows)],
    )


def node_names(network: LeakyNetwork) -> list[list[str]]:
    """Return the nodes of layers 1 to N."""
    return [[f"n{k}_{i}" for i in range(n)] for k, n in enumerate(network.sizes) if k > 0]


def circuit(network: LeakyNetwork) -> Iterator[str]:
    """Yield neurons, switches and the nudge; arrays and readers are apart."""
    yield _CONDUCTION
    for layer in range(1, network.depth + 1):
        yield f"* array {layer}: its lines between computing and programming"
        yield from _switches(network, layer)
        yield f"* layer {layer}: its neurons"
        for i in range(network.sizes[layer]):
            yield from _neuron(network, layer, i)
    last, leak = network.depth, number(network.leak[-1])
    yield "* nudge: a conductance from each output to a source at its target"
    for i in range(network.sizes[-1]):
        formula = f"{leak}*v(nudge)*(v(n{last}_{i})-v(y_{i}))"
        yield current_source("ngspice", f"y_{i}", f"n{last}_{i}", f"y_{i}", formula)


def _link(label: str, a: str, b: str, mode: str) -> str:
    return f"s{label} {a} {b} {mode} 0 {_LINK}"


def _switches(network: LeakyNetwork, layer: int) -> Iterator[str]:
    own, drivers = (programming_lines(network, layer, source) for source in ("", "p"))
    before = [f"x_{j}" if layer == 1 else f"d{layer - 1}_{j}" for j in range(len(own.rows) - 1)]
    senses = [f"s{layer}_{k}" for k in range(len(own.columns))]
    reading = [*before, "bias"], senses, ["on"] * len(own.gates)
    for lines, readers_, sources in zip(own, reading, drivers, strict=True):
        for line, reads, source in zip(lines, readers_, sources, strict=True):
            yield _link(f"c_{line}", reads, line, "compute")
            yield _link(f"p_{line}", source, line, "program")


def _neuron(network: LeakyNetwork, layer: int, i: int) -> Iterator[str]:
    node, v_ref = f"n{layer}_{i}", number(network.v_ref)
    yield f"c{node} {node} 0 {{c_{layer}}}"
    yield _link(f"l_{node}", node, f"l{layer}_{i}", "compute")
    yield f"rl{layer}_{i} l{layer}_{i} 0 {number(1.0 / network.leak[layer - 1])}"
    yield from sense_stage(node, f"s{layer}_{2 * i}", f"s{layer}_{2 * i + 1}", 1.0)
    if layer < network.depth:
        gain = network.leak[layer - 1] / network.leak[layer]
        yield from sense_stage(node, f"u{layer + 1}_{i}", f"w{layer + 1}_{i}", gain)
    if network.depth > 1:
        rho = RHO[network.activation].format(s=f"v({node})/{v_ref}")
        yield voltage_source("ngspice", f"d{layer}_{i}", f"d{layer}_{i}", "0", f"{v_ref}*({rho})")
    if layer > 1:
        yield _link(f"t{layer}_{i}", f"d{layer}_{i}", f"t{layer}_{i}", "compute")


def readers(
    network: LeakyNetwork, arrays: Sequence[MemristorCells], made: Sequence[Tile]
) -> Iterator[str]:
    """Yield the readers of all arrays above the first."""
    for layer in range(2, network.depth + 1):
        cells, states = arrays[layer - 1], made[layer - 1].nodes.state
        access = cells.access
        if isinstance(access, Nmos):
            yield nmos_model(access, f"reader_{layer}")
        for j in range(network.sizes[layer - 1]):
            for k in range(2 * network.sizes[layer]):
                own, sense = f"k{layer}_{j}_{k}", f"{'uw'[k % 2]}{layer}_{j}"
                top, bottom = (sense, own) if cells.params.v_set > 0.0 else (own, sense)
                law = _current(_cell(cells, j, k), f"v({top}, {bottom})", states[j][k])
                yield current_source("ngspice", own, top, bottom, law)
                pins = (own, "on", f"t{layer}_{k // 2}", "0")
                yield transistor(own, pins, access, f"reader_{layer}")


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
