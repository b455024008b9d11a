"""The resistive network as a circuit: conductances, amplifiers, clamps, biases, capacitors.

Nodes are called ``in_0``, ``h1_0`` and ``out_0``, with the numbers of layer and node. Every node
is a terminal of the circuit, so that it has one name on every level; behind an amplifier stands
``a1_0``. Rails of equal voltage are one terminal, ``hi_0`` or ``lo_0``. The conductances of a
layer are cut into blocks of at most 256 x 256, each a subcircuit, since ngspice 39 refuses calls
with more than about a thousand terminals; for the same reason a circuit with more nodes than that
stands by itself, without being a subcircuit.

=========  ====================================================================================
Shockley   a ``D`` of the simulator with IS and N; the bench fixes the temperature and gmin
piecewise  a current source of ``max((v - v_on) / r_on, (v - v_on) / r_off)``
ideal      an approximation: a piecewise diode without threshold, whose resistance is so low that
           1 V across all conductances of a node moves the node by 0.1 nV
=========  ====================================================================================

An amplifier is a voltage source of A times the node's voltage (``E``), whose current a second
source draws B-fold from the node (``F``). Where A = B = 1 it does nothing and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...circuits.resistive.network import DIODES, Diode, ResistiveNetwork
from ..names import number
from ..parts.cards import wrapped
from .behavioural import current_source, parameter

__all__ = [
    "CIRCUIT",
    "INSTANCE",
    "Rails",
    "amplified",
    "devices",
    "dut",
    "is_flat",
    "node_map",
    "nodes_of",
    "parameters",
    "ports",
    "rails_of",
    "weights",
]

CIRCUIT, INSTANCE = "resistive_network", "xnet"
BLOCK = 256
_MOST_PORTS = 900  # ngspice 39 stops somewhat above 1,000
# What stands for an ideal diode has so much voltage per volt across all conductances of a node:
# ngspice finds a steady state with less, but takes no time step.
_STIFF = {"steady": 1e-12, "in time": 1e-10}


class Rails(NamedTuple):
    """The rails of a network.

    Attributes
    ----------
    high, low : mapping of float to str
        Node of each different voltage [V].
    """

    high: dict[float, str]
    low: dict[float, str]

    def all(self) -> list[tuple[str, float]]:
        """Return nodes and voltages [V]."""
        pairs = (*self.high.items(), *self.low.items())
        return [(node, value) for value, node in pairs]


def nodes_of(network: ResistiveNetwork) -> tuple[list[str], ...]:
    """Return the node names of layers 0 to N."""
    sizes = network.sizes
    prefixes = ["in", *(f"h{layer}" for layer in range(1, network.depth)), "out"]
    return tuple(
        [f"{prefix}_{j}" for j in range(size)]
        for prefix, size in zip(prefixes, sizes, strict=True)
    )


def rails_of(network: ResistiveNetwork) -> Rails:
    """Return the rails, numbered by rising voltage."""
    return Rails(_numbered("hi", network.high), _numbered("lo", network.low))


def _numbered(prefix: str, layers: tuple[NDArray, ...]) -> dict[float, str]:
    values = np.unique(np.concatenate(layers))
    finite = (float(value) for value in values[np.isfinite(values)])
    return {value: f"{prefix}_{k}" for k, value in enumerate(finite)}


def ports(network: ResistiveNetwork) -> list[str]:
    """Return the terminals of the circuit: all nodes, then all rails."""
    rails = rails_of(network).all()
    return [*(node for layer in nodes_of(network) for node in layer), *(name for name, _ in rails)]


def is_flat(network: ResistiveNetwork) -> bool:
    """Return whether the circuit has too many terminals to be a subcircuit."""
    return len(ports(network)) > _MOST_PORTS


def amplified(network: ResistiveNetwork, layer: int) -> bool:
    """Return whether amplifiers stand behind *layer*, from 1."""
    if not 1 <= layer < network.depth:
        return False
    return (network.gain[layer - 1], network.back_gain[layer - 1]) != (1.0, 1.0)


def node_map(network: ResistiveNetwork) -> dict[str, Any]:
    """Return what ``map.json`` tells: nodes by layer, rails, and where each conductance is."""
    path = "" if is_flat(network) else f"{INSTANCE}."
    arrays = [
        {
            "layer": layer,
            "rows": each.shape[0],
            "columns": each.shape[1],
            "row_nodes": _drivers(network, layer),
            "element": f"{path}xg{layer}_{{i//{BLOCK}}}_{{j//{BLOCK}}}.r{{i}}_{{j}}",
            "note": "a resistor of 1 / g[i, j] between row i and column j; none where g is 0",
        }
        for layer, each in enumerate(network.g, 1)
    ]
    rails = [{"node": name, "volts": value} for name, value in rails_of(network).all()]
    return {
        "instance": "" if is_flat(network) else INSTANCE,
        "nodes": list(nodes_of(network)),
        "rails": rails,
        "conductances": arrays,
    }


def parameters(network: ResistiveNetwork) -> Iterator[str]:
    """Yield ``params.inc``: gains of the amplifiers, rails."""
    for layer in range(1, network.depth):
        if amplified(network, layer):
            yield f".param gain_{layer}={number(network.gain[layer - 1])}"
            yield f".param back_gain_{layer}={number(network.back_gain[layer - 1])}"
    for name, value in rails_of(network).all():
        yield f".param v_{name}={number(value)}"


def devices(network: ResistiveNetwork, dialect: str, moving: bool = True) -> Iterator[str]:
    """Yield ``devices.lib``: the clamping diode, for transients too if *moving*."""
    diode = network.diode
    yield "* clamping diode from anode a to cathode c"
    yield ".subckt clamp a c"
    if diode.kind == DIODES["shockley"]:
        yield "d1 a c junction"
        yield f".model junction d(is={number(diode.i_s)} n={number(diode.n)})"
    else:
        yield current_source(dialect, "1", "a", "c", _piecewise(network, diode, moving))
    yield ".ends"


def _piecewise(network: ResistiveNetwork, diode: Diode, moving: bool) -> str:
    if diode.kind == DIODES["ideal"]:
        return f"max(v(a,c)/{number(_stiff(network, moving))},0)"
    chosen = "max" if diode.r_on <= diode.r_off else "min"
    over = f"(v(a,c)-{_term(diode.v_on)})"
    return f"{chosen}({over}/{number(diode.r_on)},{over}/{number(diode.r_off)})"


def _term(value: float) -> str:
    return f"({number(value)})" if value < 0.0 else number(value)


def _stiff(network: ResistiveNetwork, moving: bool) -> float:
    """Return the resistance [ohm] of what stands for an ideal diode."""
    return _STIFF["in time" if moving else "steady"] / max(
        float(each.sum(axis=0).max()) for each in network.g
    )


def weights(network: ResistiveNetwork) -> Iterator[str]:
    """Yield ``weights.inc``: a subcircuit of resistors for each block of a layer."""
    for layer, g in enumerate(network.g, 1):
        for name, rows, columns in _blocks(layer, g):
            terminals = [*(f"i{i}" for i in rows), *(f"j{j}" for j in columns)]
            yield wrapped([".subckt", name, *terminals])
            yield from _resistors(g, rows, columns)
            yield f".ends {name}"


def _blocks(layer: int, g: NDArray) -> Iterator[tuple[str, range, range]]:
    for p in range(0, g.shape[0], BLOCK):
        for q in range(0, g.shape[1], BLOCK):
            rows = range(p, min(p + BLOCK, g.shape[0]))
            columns = range(q, min(q + BLOCK, g.shape[1]))
            yield f"g{layer}_{p // BLOCK}_{q // BLOCK}", rows, columns


def _resistors(g: NDArray, rows: range, columns: range) -> Iterator[str]:
    """Yield resistors, column after column: in this order ngspice is four times as fast."""
    with np.errstate(divide="ignore", over="ignore"):
        values = (1.0 / g[rows.start : rows.stop, columns.start : columns.stop]).T.tolist()
    for j, column in zip(columns, values, strict=True):
        for i, r in zip(rows, column, strict=True):
            if r != np.inf:
                yield f"r{i}_{j} i{i} j{j} {r!r}"


def dut(network: ResistiveNetwork, dialect: str) -> Iterator[str]:
    """Yield ``dut.sp``: the circuit, as a subcircuit if it has few enough terminals."""
    yield ".include devices.lib"
    yield ".include weights.inc"
    if is_flat(network):
        yield "* more terminals than a subcircuit may have: these elements stand by themselves"
    else:
        yield wrapped([".subckt", CIRCUIT, *ports(network)])
    nodes = nodes_of(network)
    for layer in range(1, network.depth + 1):
        yield from _amplifiers(network, layer, nodes[layer], dialect)
        yield from _loads(network, layer, nodes[layer])
    for layer, g in enumerate(network.g, 1):
        before = _drivers(network, layer)
        for name, rows, columns in _blocks(layer, g):
            ends = [before[rows.start : rows.stop], nodes[layer][columns.start : columns.stop]]
            yield wrapped([f"x{name}", *ends[0], *ends[1], name])
    if not is_flat(network):
        yield f".ends {CIRCUIT}"


def _drivers(network: ResistiveNetwork, layer: int) -> list[str]:
    """Return the nodes that drive the rows of *layer*."""
    before = nodes_of(network)[layer - 1]
    if not amplified(network, layer - 1):
        return before
    return [node.replace("h", "a", 1) for node in before]


def _amplifiers(
    network: ResistiveNetwork, layer: int, nodes: list[str], dialect: str
) -> Iterator[str]:
    if not amplified(network, layer):
        return
    gain, back = (parameter(dialect, f"{what}_{layer}") for what in ("gain", "back_gain"))
    yield f"* amplifiers behind layer {layer}: voltage forward, current backward"
    for node in nodes:
        out = node.replace("h", "a", 1)
        yield f"e{out} e{node} 0 {node} 0 {gain}"
        yield f"v{out} e{node} {out} 0"
        yield f"f{out} {node} 0 v{out} {back}"


def _loads(network: ResistiveNetwork, layer: int, nodes: list[str]) -> Iterator[str]:
    """Yield clamps, biases and capacitors of a layer."""
    at, rails = layer - 1, rails_of(network)
    yield f"* layer {layer}: clamps, biases, capacitors"
    for j, node in enumerate(nodes):
        high, low = float(network.high[at][j]), float(network.low[at][j])
        bias, capacitance = float(network.bias[at][j]), float(network.capacitance[at][j])
        if high in rails.high:
            yield f"xhi_{node} {node} {rails.high[high]} clamp"
        if low in rails.low:
            yield f"xlo_{node} {rails.low[low]} {node} clamp"
        if bias:
            yield f"ib_{node} 0 {node} {number(bias)}"
        if capacitance:
            yield f"c_{node} {node} 0 {number(capacitance)}"
