"""The leaky network as a netlist: every cell a resistor, lines sensed at virtual ground.

Node names, layer by layer, i and j counting from 0:

==============  ==============================================================================
``n{l}_{i}``    node i of layer l: its capacitor and leak
``r{l}_{i}``    the line it drives, at V_ref rho(v / V_ref); ``r0_{j}`` is input line j
``b{l}``        the bias line of layer l's array
``p{l}_{i}``    plus and minus arm's sense line of node i in the forward read (``m{l}_{i}``)
``q{l}_{i}``    the same in the backward read, ``q`` for plus and ``s`` for minus
``y_{i}``       source at the target of output i
``nudge``       voltage that stands for beta: the nudge conductance over the output's leak
==============  ==============================================================================

Both reads of a shared array happen at once in continuous time, so the cells stand twice, once
for each direction, with the same conductance.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...circuits.leaky.network import LeakyNetwork
from ...errors import NetlistError
from ..names import number

__all__ = ["MOST_PORTS", "ports", "subcircuit", "weights"]

MOST_PORTS = 900
"""Terminals that a subcircuit may have: ngspice 39 ends with an error at about a thousand."""

_RHO = {
    "sigmoid": "1/(1+exp(min(2-4*{s},300)))",
    "tanh": "tanh({s})",
    "hard-sigmoid": "min(max({s},0),1)",
    "half-hard-sigmoid": "min(max(0.5*{s},0),1)",
}


def ports(network: LeakyNetwork) -> list[str]:
    """Return the terminals of the network: input lines, outputs, targets, nudge."""
    inputs, outputs, last = network.sizes[0], network.sizes[-1], network.depth
    return [
        *(f"r0_{j}" for j in range(inputs)),
        *(f"n{last}_{i}" for i in range(outputs)),
        *(f"y_{i}" for i in range(outputs)),
        "nudge",
    ]


def weights(network: LeakyNetwork) -> Iterator[str]:
    """Yield the cells of all arrays as resistors; an open cell (0 S) is left out."""
    for layer in range(1, network.depth + 1):
        rows = [*(f"r{layer - 1}_{j}" for j in range(network.sizes[layer - 1])), f"b{layer}"]
        columns = range(network.sizes[layer])
        for arm, line in (("p", "p"), ("m", "m")):
            g = (network.plus if arm == "p" else network.minus)[layer - 1]
            yield from _cells(g, f"{arm}{layer}", rows, [f"{line}{layer}_{i}" for i in columns])
    for layer in range(2, network.depth + 1):
        rows = [f"r{layer}_{k}" for k in range(network.sizes[layer])]
        columns = range(network.sizes[layer - 1])
        for arm in ("q", "s"):
            g = _backward(network, layer, arm == "q").T
            yield from _cells(
                g, f"{arm}{layer - 1}", rows, [f"{arm}{layer - 1}_{i}" for i in columns]
            )


def _backward(network: LeakyNetwork, layer: int, plus: bool) -> NDArray:
    """Return the cells read backward from *layer*, (n_{l-1}, n_l)."""
    if network.symmetric:
        return (network.plus if plus else network.minus)[layer - 1][:-1]
    return (network.back_plus if plus else network.back_minus)[layer - 2]


def _cells(g: NDArray, name: str, rows: list[str], columns: list[str]) -> Iterator[str]:
    if not np.all(np.isfinite(g)) or np.any(g < 0):
        raise NetlistError("netlist: a cell's conductance is negative or not finite.")
    for j, (line, values) in enumerate(zip(rows, g.tolist(), strict=True)):
        for i, (column, value) in enumerate(zip(columns, values, strict=True)):
            if value > 0:
                yield f"r{name}_{j}_{i} {line} {column} {1.0 / value!r}"


def subcircuit(network: LeakyNetwork) -> Iterator[str]:
    """Yield neurons, sense stages, bias lines and nudges, without the cells."""
    for layer in range(1, network.depth + 1):
        yield f"* layer {layer}: {network.sizes[layer]} nodes"
        yield f"vb{layer} b{layer} 0 {number(network.v_ref)}"
        for i in range(network.sizes[layer]):
            yield from _neuron(network, layer, i)
    last, leak = network.depth, number(network.leak[-1])
    yield "* nudge"
    for i in range(network.sizes[-1]):
        yield f"by_{i} n{last}_{i} y_{i} i={leak}*v(nudge)*(v(n{last}_{i})-v(y_{i}))"


def _neuron(network: LeakyNetwork, layer: int, i: int) -> Iterator[str]:
    node, at = f"n{layer}_{i}", layer - 1
    yield f"c{layer}_{i} {node} 0 {number(network.capacitance[at])}"
    yield f"rl{layer}_{i} {node} 0 {number(1.0 / network.leak[at])}"
    yield from _sense(node, f"p{layer}_{i}", f"m{layer}_{i}", 1.0)
    if layer < network.depth:
        gain = network.leak[at] / network.leak[at + 1]
        yield from _sense(node, f"q{layer}_{i}", f"s{layer}_{i}", gain)
        v_ref = number(network.v_ref)
        rho = _RHO[network.activation].format(s=f"v({node})/{v_ref}")
        yield f"bn{layer}_{i} r{layer}_{i} 0 v={v_ref}*({rho})"
    elif layer > 1:
        v_ref = number(network.v_ref)
        rho = _RHO[network.activation].format(s=f"v({node})/{v_ref}")
        yield f"bn{layer}_{i} r{layer}_{i} 0 v={v_ref}*({rho})"


def _sense(node: str, plus: str, minus: str, gain: float) -> Iterator[str]:
    """Yield a sense stage: two lines at virtual ground, their currents' difference to *node*."""
    yield f"v{plus} {plus} 0 0"
    yield f"v{minus} {minus} 0 0"
    yield f"f{plus} 0 {node} v{plus} {number(gain)}"
    yield f"f{minus} {node} 0 v{minus} {number(gain)}"
