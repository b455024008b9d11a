"""Wattmeters: what every source of a resistive network delivers, measured by the netlist itself.

Their names are those of energies in a bench, see :mod:`.bench`.

=====================  ==========================================================
``inputs``             delivered by the sources of the input nodes
``hi_0``, ``lo_0``...  delivered by each rail
``bias``               delivered by the current sources of the biases
``nudge``              delivered by target sources and nudging currents
``nudged``             dissipated in the nudge conductances
``amplifiers``         delivered by the amplifiers, net
=====================  ==========================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...circuits.resistive.network import ResistiveNetwork
from ...circuits.simulator import Phase
from ..names import number
from .behavioural import current_through
from .resistive import INSTANCE, amplified, is_flat, nodes_of, rails_of

__all__ = ["classes_of", "measured"]

_CLASSES = {
    "inputs": "supplied inputs",
    "bias": "supplied bias",
    "nudge": "supplied nudge",
    "nudged": "dissipated nudge",
    "amplifiers": "supplied amplifiers",
}


def classes_of(network: ResistiveNetwork, results: Mapping[str, float]) -> list[dict[str, float]]:
    """Return energies [J] by class of element, one mapping for each phase.

    Parameters
    ----------
    network
        The circuit.
    results
        Of the ``.meas`` lines.

    Returns
    -------
    list of dict
        Under the names of :mod:`ohmlearn.circuits.resistive.power`.
    """
    rails = {name for name, _ in rails_of(network).all()}
    found: list[dict[str, float]] = []
    for key, value in results.items():
        if not key.startswith("e_"):
            continue
        name, _, phase = key.removeprefix("e_").rpartition("_")
        while len(found) < int(phase):
            found.append(dict.fromkeys([*_CLASSES.values(), "supplied rails"], 0.0))
        found[int(phase) - 1]["supplied rails" if name in rails else _CLASSES[name]] += value
    return found


def measured(
    network: ResistiveNetwork, phases: Sequence[Phase], dialect: str
) -> dict[str, list[str]]:
    """Return the terms [W] of each wattmeter; those that would show nothing are absent."""
    inputs, *_, outputs = nodes_of(network)
    terms = {"inputs": [f"-v({node})*i(v{node})" for node in inputs]}
    for name, _ in rails_of(network).all():
        terms[name] = [f"-v({name})*i(v{name})"]
    terms["bias"] = [
        f"({number(value)})*v({node})"
        for nodes, values in zip(nodes_of(network)[1:], network.bias, strict=True)
        for node, value in zip(nodes, values.tolist(), strict=True)
        if value
    ]
    terms["nudge"] = terms["nudged"] = []
    targets = [f"target_{k}" for k in range(len(outputs))]
    if any(phase.nudge for phase in phases):
        pairs = list(zip(outputs, targets, strict=True))
        terms["nudge"] = [f"-v({t})*i(v{t})" for t in targets]
        terms["nudged"] = [f"v(nudge)*v({node},{t})*v({node},{t})" for node, t in pairs]
    if any(phase.current is not None for phase in phases):
        given = [f"v({node})*i(vinto_{k})" for k, node in enumerate(outputs)]
        terms["nudge"] = [*terms["nudge"], *given]
    terms["amplifiers"] = _amplifiers(network, dialect)
    return {name: each for name, each in terms.items() if each}


def _amplifiers(network: ResistiveNetwork, dialect: str) -> list[str]:
    terms = []
    for layer in range(1, network.depth):
        net = network.gain[layer - 1] - network.back_gain[layer - 1]
        if not amplified(network, layer) or not net:
            continue
        # In ngspice the gains of params.inc, so that the energy follows them when they change.
        by_name = f"{{gain_{layer}}}-{{back_gain_{layer}}}"
        factor = by_name if dialect == "ngspice" else number(net)
        for node in nodes_of(network)[layer]:
            sense = f"v{node.replace('h', 'a', 1)}"
            flat = is_flat(network)
            current = f"i({sense})" if flat else current_through(dialect, INSTANCE, sense)
            terms.append(f"({factor})*v({node})*{current}")
    return terms
