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
programmed cells are read forward, their *readers* backward (:mod:`.sample_arrays`): between the
line ``t{l}_i`` that node i of layer l drives and the sense lines ``u{l}_j`` (plus arms) and
``w{l}_j`` (minus arms) of node j of layer l - 1; on tiles with wires, minus arms are driven by the
opposite voltage ``o{l}_i`` and sensed on ``u{l}_j`` as well. ``compute`` connects driven lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...circuits.leaky.network import LeakyNetwork
from ..names import number
from ..parts.pulses import Lines
from .behavioural import current_source, voltage_source
from .leaky import RHO, sense_stage

__all__ = ["circuit", "node_names", "programming_lines", "wired"]

_LINK = "on_off"
_CONDUCTION = f".model {_LINK} sw vt=0.5 vh=0 ron=0.1 roff=1e12"


def wired(network: LeakyNetwork) -> bool:
    """Return whether the arrays are tiles with wires."""
    return network.tiling is not None


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
        minus = None if wired(network) else f"w{layer + 1}_{i}"
        yield from sense_stage(node, f"u{layer + 1}_{i}", minus, gain)
    if network.depth > 1:
        rho = RHO[network.activation].format(s=f"v({node})/{v_ref}")
        yield voltage_source("ngspice", f"d{layer}_{i}", f"d{layer}_{i}", "0", f"{v_ref}*({rho})")
    if layer > 1:
        yield _link(f"t{layer}_{i}", f"d{layer}_{i}", f"t{layer}_{i}", "compute")
        if wired(network):
            yield f"eo{layer}_{i} e{layer}_{i} 0 d{layer}_{i} 0 -1"
            yield _link(f"o{layer}_{i}", f"e{layer}_{i}", f"o{layer}_{i}", "compute")
