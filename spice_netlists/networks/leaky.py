"""The leaky network as a netlist: every cell a resistor, lines sensed at virtual ground.

Node names, i and j counting from 0 in each layer:

============  ================================================================================
``n{l}_{i}``  node i of layer l, with its capacitor and leak
``r{l}_{i}``  the line it drives, at V_ref rho(v / V_ref), from its output stage ``d{l}_{i}``
              through the ammeter ``vr{l}_{i}``; ``r0_{j}`` is input line j
``b{l}``      the bias line of layer l's array
``p{l}_{i}``  sense line of the plus arms of node i in the forward read; ``m{l}_{i}`` minus arms
``q{l}_{i}``  the same in the backward read; ``s{l}_{i}`` minus arms
``y_{i}``     source at the target of output i
``nudge``     a voltage that stands for beta, the nudge conductance over the output's leak
============  ================================================================================

Both reads of a shared array happen at once in continuous time, so its cells stand twice, once for
each direction, with the same conductance. A sense stage holds its lines at 0 V by a source
through which it knows their current, and sends the difference of the two currents to the node.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...circuits.leaky.network import LeakyNetwork
from ...errors import NetlistError
from ..deck import wrap
from ..names import number
from .behavioural import current_source, parameter, voltage_source

__all__ = ["CIRCUIT", "MOST_PORTS", "RHO", "node_map", "parameters", "ports", "sense_stage",
           "subcircuit", "weights"]  # fmt: skip

CIRCUIT = "leaky_net"
"""Name of the subcircuit."""

MOST_PORTS = 900
"""Terminals that a subcircuit may have: ngspice 39 ends with an error at about a thousand."""

RHO = {
    "sigmoid": "1/(1+exp(min(2-4*{s},300)))",
    "tanh": "tanh({s})",
    "hard-sigmoid": "min(max({s},0),1)",
    "half-hard-sigmoid": "min(max(0.5*{s},0),1)",
}
"""Text of the activation of a signal ``{s}``."""


def ports(network: LeakyNetwork) -> list[str]:
    """Return the terminals of the network: input lines, outputs, targets, nudge.

    Raises
    ------
    NetlistError
        If there are more than ngspice takes.
    """
    inputs, outputs, last = network.sizes[0], network.sizes[-1], network.depth
    names = [
        *(f"r0_{j}" for j in range(inputs)),
        *(f"n{last}_{i}" for i in range(outputs)),
        *(f"y_{i}" for i in range(outputs)),
        "nudge",
    ]
    if len(names) > MOST_PORTS:
        raise NetlistError(
            f"netlist: the network has {len(names)} terminals (inputs, outputs, targets); at most "
            f"{MOST_PORTS} fit in a subcircuit of ngspice. Use a network with fewer inputs."
        )
    return names


def node_map(network: LeakyNetwork, instance: str) -> dict[str, list[list[str]]]:
    """Return names of nodes in a test bench, by layer: inputs, nodes, driven lines, targets."""
    sizes, last = network.sizes, network.depth
    return {
        "inputs": [[f"r0_{j}" for j in range(sizes[0])]],
        "nodes": [
            [f"n{layer}_{i}" if layer == last else f"{instance}.n{layer}_{i}" for i in range(n)]
            for layer, n in enumerate(sizes[1:], start=1)
        ],
        "lines": [
            [f"{instance}.r{layer}_{i}" for i in range(n)]
            for layer, n in enumerate(sizes[1:], start=1)
            if _drives(network, layer)
        ],
        "targets": [[f"y_{i}" for i in range(sizes[-1])]],
    }


def _drives(network: LeakyNetwork, layer: int) -> bool:
    """Return whether the nodes of *layer* drive lines: not the outputs of a single layer."""
    return network.depth > 1 or layer < network.depth


def parameters(network: LeakyNetwork) -> Iterator[str]:
    """Yield what may be changed by hand, with the measured energies still those of the circuit.

    Leaks and the voltage of signal 1 are none of it: nudges, activations, inputs and energies
    have them, too.
    """
    for layer in range(1, network.depth + 1):
        yield f".param c_{layer}={number(network.capacitance[layer - 1])}"


def weights(network: LeakyNetwork) -> Iterator[str]:
    """Yield the cells of all arrays as resistors; an open cell (0 S) is left out.

    ``rp{l}_{j}_{i}`` is the plus arm between line j and node i of layer l (j = n is the bias
    line), ``rm`` the minus arm; ``rq{l}_{k}_{i}`` and ``rs`` those read backward from node k of
    the layer above.
    """
    for layer in range(1, network.depth + 1):
        rows = [f"r{layer - 1}_{j}" for j in range(network.sizes[layer - 1])] + [f"b{layer}"]
        for arm, g in (("p", network.plus[layer - 1]), ("m", network.minus[layer - 1])):
            yield from _cells(g, f"{arm}{layer}", rows)
    for layer in range(1, network.depth):
        rows = [f"r{layer + 1}_{k}" for k in range(network.sizes[layer + 1])]
        for arm, g in zip("qs", _backward(network, layer + 1), strict=True):
            yield from _cells(g.T, f"{arm}{layer}", rows)


def _backward(network: LeakyNetwork, layer: int) -> tuple[NDArray, NDArray]:
    """Return both arms of what is read backward from *layer*, each (n_{l-1}, n_l)."""
    if network.symmetric:
        return network.plus[layer - 1][:-1], network.minus[layer - 1][:-1]
    return network.back_plus[layer - 2], network.back_minus[layer - 2]


def _cells(g: NDArray, lines: str, rows: list[str]) -> Iterator[str]:
    if not np.all(np.isfinite(g)) or np.any(g < 0):
        raise NetlistError("netlist: a cell's conductance is negative or not finite.")
    for j, (row, values) in enumerate(zip(rows, g.tolist(), strict=True)):
        for i, value in enumerate(values):
            if value > 0:
                yield f"r{lines}_{j}_{i} {row} {lines}_{i} {1.0 / value!r}"


def subcircuit(network: LeakyNetwork, dialect: str = "ngspice") -> Iterator[str]:
    """Yield the network as a subcircuit that includes ``weights.inc``."""
    yield wrap([".subckt", CIRCUIT, *ports(network)])
    yield ".include weights.inc"
    for layer in range(1, network.depth + 1):
        yield f"* layer {layer}: {network.sizes[layer]} nodes"
        yield f"vb{layer} b{layer} 0 {number(network.v_ref)}"
        for i in range(network.sizes[layer]):
            yield from _neuron(network, layer, i, dialect)
    last, leak = network.depth, number(network.leak[-1])
    yield "* nudge: a conductance from each output to a source at its target"
    for i in range(network.sizes[-1]):
        formula = f"{leak}*v(nudge)*(v(n{last}_{i})-v(y_{i}))"
        yield current_source(dialect, f"y_{i}", f"n{last}_{i}", f"y_{i}", formula)
    yield f".ends {CIRCUIT}"


def _neuron(network: LeakyNetwork, layer: int, i: int, dialect: str) -> Iterator[str]:
    node = f"n{layer}_{i}"
    yield f"c{layer}_{i} {node} 0 {parameter(dialect, f'c_{layer}')}"
    yield f"rl{layer}_{i} {node} 0 {number(1.0 / network.leak[layer - 1])}"
    yield from sense_stage(node, f"p{layer}_{i}", f"m{layer}_{i}", 1.0)
    if layer < network.depth:
        # A unit of weight is the same in both directions, also where the leaks differ.
        gain = network.leak[layer - 1] / network.leak[layer]
        yield from sense_stage(node, f"q{layer}_{i}", f"s{layer}_{i}", gain)
    if _drives(network, layer):
        v_ref = number(network.v_ref)
        rho = RHO[network.activation].format(s=f"v({node})/{v_ref}")
        yield voltage_source(dialect, f"n{layer}_{i}", f"d{layer}_{i}", "0", f"{v_ref}*({rho})")
        yield f"vr{layer}_{i} d{layer}_{i} r{layer}_{i} 0"


def sense_stage(node: str, plus: str, minus: str, gain: float) -> Iterator[str]:
    """Yield a sense stage: two lines at 0 V, the difference of their currents into *node*."""
    yield f"v{plus} {plus} 0 0"
    yield f"v{minus} {minus} 0 0"
    yield f"f{plus} 0 {node} v{plus} {number(gain)}"
    yield f"f{minus} {node} 0 v{minus} {number(gain)}"
