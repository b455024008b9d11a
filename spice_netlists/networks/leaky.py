"""The leaky network as a netlist: its neurons and the lines between them and the arrays.

Node names, i and j counting from 0 in each layer:

============  ================================================================================
``n{l}_{i}``  node i of layer l, with its capacitor and leak
``r{l}_{i}``  the line it drives, at V_ref rho(v / V_ref), from its output stage ``d{l}_{i}``
              through the ammeter ``vr{l}_{i}``; ``r0_{j}`` is input line j
``o{l}_{i}``  the opposite of ``r{l}_{i}``, only where tiles with wires are read backward
``b{l}``      the bias line of layer l's array
``p{l}_{i}``  sense line of the plus arms of node i in the forward read; ``m{l}_{i}`` minus arms
``q{l}_{i}``  the same in the backward read; ``s{l}_{i}`` minus arms, unless ``o`` drives them
``y_{i}``     source at the target of output i
``nudge``     a voltage that stands for beta, the nudge conductance over the output's leak
============  ================================================================================

Both reads of a shared array happen at once in continuous time, so its cells stand twice, once for
each direction, with the same conductance; :mod:`.leaky_arrays` writes them. A sense stage holds
its lines at 0 V by a source through which it knows their current, and sends the difference of the
two currents to the node.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...circuits.leaky.network import LeakyNetwork
from ...errors import NetlistError
from ..names import number
from ..parts.cards import wrapped
from .behavioural import current_source, parameter, voltage_source

__all__ = ["CIRCUIT", "MOST_PORTS", "RHO", "inverted", "node_map", "parameters", "ports",
           "sense_stage", "subcircuit"]  # fmt: skip

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


def _inverts(network: LeakyNetwork) -> bool:
    """Return whether backward reads subtract by opposite voltages, not by two sense lines."""
    return network.tiling is not None and network.tiling.paired


def inverted(network: LeakyNetwork, layer: int) -> bool:
    """Return whether the nodes of *layer* drive lines with the opposite voltage too."""
    return _inverts(network) and layer > 1


def parameters(network: LeakyNetwork) -> Iterator[str]:
    """Yield what may be changed by hand, with the measured energies still those of the circuit.

    Leaks and the voltage of signal 1 are none of it: nudges, activations, inputs and energies
    have them, too.
    """
    for layer in range(1, network.depth + 1):
        yield f".param c_{layer}={number(network.capacitance[layer - 1])}"


def subcircuit(network: LeakyNetwork, frames: str, dialect: str = "ngspice") -> Iterator[str]:
    """Yield the network as a subcircuit that includes ``weights.inc``, and *frames* around it."""
    yield wrapped([".subckt", CIRCUIT, *ports(network)])
    yield ".include weights.inc"
    if frames:
        yield frames
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
        minus = None if _inverts(network) else f"s{layer}_{i}"
        yield from sense_stage(node, f"q{layer}_{i}", minus, gain)
    if _drives(network, layer):
        v_ref = number(network.v_ref)
        rho = RHO[network.activation].format(s=f"v({node})/{v_ref}")
        yield voltage_source(dialect, f"n{layer}_{i}", f"d{layer}_{i}", "0", f"{v_ref}*({rho})")
        yield f"vr{layer}_{i} d{layer}_{i} r{layer}_{i} 0"
        if inverted(network, layer):
            yield f"eo{layer}_{i} e{layer}_{i} 0 d{layer}_{i} 0 -1"
            yield f"vo{layer}_{i} e{layer}_{i} o{layer}_{i} 0"


def sense_stage(node: str, plus: str, minus: str | None, gain: float) -> Iterator[str]:
    """Yield a sense stage: two lines at 0 V, the difference of their currents into *node*.

    Without *minus* there is one line.
    """
    yield f"v{plus} {plus} 0 0"
    yield f"f{plus} 0 {node} v{plus} {number(gain)}"
    if minus is not None:
        yield f"v{minus} {minus} 0 0"
        yield f"f{minus} {node} 0 v{minus} {number(gain)}"
