"""Test benches of the leaky network: sources, options, analyses, measurements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ...circuits.leaky.network import LeakyNetwork
from ...circuits.leaky.signals import conditions, signals_of
from ...circuits.simulator import Phase
from ..deck import Deck
from ..names import number
from ..parts.cards import wrapped
from .behavioural import current_through
from .bench import Steps, meters, saving, starting
from .leaky import CIRCUIT, inverted, node_map, parameters, ports, subcircuit
from .leaky_arrays import arrays, segments, tile_map

__all__ = [
    "INSTANCE",
    "MEASURED",
    "MEASURED_WITH_WIRES",
    "MOST_WIRES",
    "leaky_deck",
    "measures_wires",
    "saved",
    "sources",
]

INSTANCE = "xnet"
MEASURED = {
    "inputs": "supplied inputs",
    "bias": "supplied bias",
    "neurons": "supplied neurons",
    "targets": "supplied targets",
    "leaks": "dissipated leaks",
    "nudge": "dissipated nudge",
}
"""Energies that a transient bench measures, as ``e_<key>_<phase>``, phases counted from 1; the
values are classes of :mod:`ohmlearn.circuits.leaky.energy`."""

MEASURED_WITH_WIRES = {**MEASURED, "wires": "dissipated wires"}
"""The same where wires are measured too, see :func:`measures_wires`."""

MOST_WIRES = 50_000
"""Segments of wires up to which a transient bench measures what they dissipate. That takes ngspice
a fifth to a half longer; with so many it needs hours anyway."""

_TEMPERATURE = "temp=27 tnom=27"
_OPTIONS = {
    # A relative tolerance of 1e-3 would leave microvolts.
    "op": f"reltol=1e-9 vntol=1e-12 abstol=1e-15 gmin=1e-12 {_TEMPERATURE}",
    # Steps follow the local error: where couplings are strong, nodes move in a part of their tau.
    "default": f"reltol=3e-5 vntol=1e-7 abstol=1e-13 chgtol=1e-18 trtol=1 {_TEMPERATURE}",
    "tight": f"reltol=1e-6 vntol=1e-9 abstol=1e-15 chgtol=1e-18 trtol=1 {_TEMPERATURE}",
}
_STEPS = {"default": 8, "tight": 30}  # per shortest time constant, at least
_EDGE = 1e-5  # of the shortest phase


def leaky_deck(
    network: LeakyNetwork,
    benches: Mapping[str, Phase | Sequence[Phase]],
    *,
    sample: int = 0,
    start: Sequence[NDArray] | None = None,
    near: Mapping[str, Sequence[NDArray]] | None = None,
    metered: bool = True,
    tight: bool = False,
    dialect: str = "ngspice",
    title: str = "leaky network",
    seed: int | None = None,
    experiment: str = "",
) -> Deck:
    """Return the deck of *network*.

    Parameters
    ----------
    network
        The circuit.
    benches
        Test benches by name: an operating point for one phase, a transient for several one after
        the other, also if it is only one in a list.
    sample
        Row of the phases' inputs and targets.
    start : sequence of (batch, n_l), optional
        Node voltages [V] at time 0 of transients; 0 V where left out.
    near : mapping of str to sequence of (batch, n_l), optional
        Node voltages [V] near which an operating point is looked for, by name of its bench
        (``.nodeset``): of several steady states the one there is found.
    metered
        Whether transients measure energies.
    tight
        Whether transients take small steps, for waveforms within 1e-4 V instead of 1e-3 V.
    dialect, title, seed, experiment
        See :meth:`~..deck.Deck.build`.

    Raises
    ------
    NetlistError
        If a cell's conductance is negative, the network has too many terminals, or a transient
        has a phase without duration.
    ConfigError
        If a phase does not fit the network.
    """
    signals = signals_of(network)
    for bench in benches.values():
        for phase in [bench] if isinstance(bench, Phase) else bench:
            conditions(signals, phase)
    text = arrays(network, dialect)
    bodies = {
        "params.inc": "\n".join(parameters(network)),
        "weights.inc": text.weights,
        "dut.sp": "\n".join(subcircuit(network, text.frames, dialect)),
    }
    for name, bench in benches.items():
        if isinstance(bench, Phase):
            lines = _operating_point(network, bench, sample, (near or {}).get(name), dialect)
        else:
            lines = _transient(network, bench, sample, start, metered, tight, dialect)
        bodies[f"tb_{name}.sp"] = "\n".join(lines)
    return Deck.build(
        bodies,
        title=title,
        nodes={**node_map(network, INSTANCE), **tile_map(network, INSTANCE)},
        dialect=dialect,
        seed=seed,
        experiment=experiment,
    )


def saved(network: LeakyNetwork) -> list[str]:
    """Return the vectors that hold the voltages of all nodes, layer by layer."""
    return [f"v({node})" for layer in node_map(network, INSTANCE)["nodes"] for node in layer]


def _circuit(network: LeakyNetwork) -> Iterator[str]:
    yield ".include params.inc"
    yield ".include dut.sp"
    yield wrapped([INSTANCE, *ports(network), CIRCUIT])


def sources(network: LeakyNetwork, phase: Phase) -> dict[str, NDArray]:
    """Return the values (batch,) of the independent sources of *phase*, by name."""
    names = node_map(network, INSTANCE)
    target = np.zeros((phase.batch, network.sizes[-1]))
    if phase.target is not None:
        target = np.asarray(phase.target, np.float64)
    found = _columns("v", names["inputs"][0], phase.inputs)
    found |= _columns("v", names["targets"][0], target)
    if phase.current is not None:
        found |= _columns("i", names["nodes"][-1], phase.current)
    return found


def _columns(letter: str, nodes: list[str], values: NDArray) -> dict[str, NDArray]:
    columns = np.asarray(values, np.float64).T
    return {f"{letter}{node}": column for node, column in zip(nodes, columns, strict=True)}


def _ends(source: str) -> str:
    """Return the nodes of a source, by its name."""
    return f"{source[1:]} 0" if source[0] == "v" else f"0 {source[1:]}"


def _operating_point(
    network: LeakyNetwork, phase: Phase, sample: int, near: Sequence[NDArray] | None, dialect: str
) -> Iterator[str]:
    yield from _circuit(network)
    for name, values in sources(network, phase).items():
        yield f"{name} {_ends(name)} {number(values[sample])}"
    yield f"vnudge nudge 0 {number(phase.nudge / network.leak[-1])}"
    yield from _settings(dialect, "op")
    if near is not None:
        yield starting(saved(network), sample, near, ".nodeset")
    yield ".op"
    yield saving(saved(network), dialect)


def _transient(
    network: LeakyNetwork,
    phases: Sequence[Phase],
    sample: int,
    start: Sequence[NDArray] | None,
    metered: bool,
    tight: bool,
    dialect: str,
) -> Iterator[str]:
    steps = Steps(phases, _EDGE)
    yield from _circuit(network)
    yield from steps.sources([sources(network, phase) for phase in phases], sample, _ends)
    nudges = [phase.nudge / network.leak[-1] for phase in phases]
    yield steps.source("vnudge", "nudge 0", nudges)
    level = "tight" if tight else "default"
    yield from _settings(dialect, level)
    step = min(float(network.time_constants().min()) / _STEPS[level], steps.shortest / 50)
    yield f".tran {number(step)} {number(steps.ends[-1])} 0 {number(step)} uic"
    yield starting(saved(network), sample, start)
    powers = _powers(network, dialect) if metered else {}
    yield saving([*saved(network), *(f"v(w_{name})" for name in powers)], dialect)
    yield from meters(dialect, powers, steps.ends)


def _settings(dialect: str, level: str) -> Iterator[str]:
    if dialect == "xyce":
        yield "* tolerances and temperature: set .options NONLIN and TIMEINT as you need"
    else:
        yield f".options {_OPTIONS[level]}"


def _powers(network: LeakyNetwork, dialect: str) -> dict[str, list[str]]:
    """Return the terms [W] of the energies :data:`MEASURED_WITH_WIRES`."""
    names = node_map(network, INSTANCE)
    leaks = zip(names["nodes"], network.leak, strict=True)
    nudge = f"{number(network.leak[-1])}*v(nudge)"
    ends = list(zip(names["nodes"][-1], names["targets"][0], strict=True))
    driven = zip(_lines(network), _line_currents(network, dialect), strict=True)
    found = {
        "inputs": [f"(-v({line})*i(v{line}))" for line in names["inputs"][0]],
        "bias": [f"(-{number(network.v_ref)}*{i})" for i in _bias_currents(network, dialect)],
        "neurons": [f"v({line})*{i}" for line, i in driven],
        "leaks": [f"v({n})*v({n})*{number(g)}" for layer, g in leaks for n in layer],
        "nudge": [f"{nudge}*(v({n})-v({y}))*(v({n})-v({y}))" for n, y in ends],
        "targets": [f"{nudge}*v({y})*(v({y})-v({n}))" for n, y in ends],
    }
    if measures_wires(network):
        found["wires"] = [_heat(network, *wire) for wire in segments(network)]
    return {name: terms for name, terms in found.items() if terms}


def measures_wires(network: LeakyNetwork) -> bool:
    """Return whether transient benches measure what the wires of *network* dissipate."""
    return 0 < len(list(islice(segments(network), MOST_WIRES + 1))) <= MOST_WIRES


def _heat(network: LeakyNetwork, a: str, b: str, ohms: float) -> str:
    ends = [n if n == "0" or n.startswith("r0_") else f"{INSTANCE}.{n}" for n in (a, b)]
    across = f"(v({ends[0]})-v({ends[1]}))" if "0" not in ends else f"v({max(ends)})"
    return f"{across}*{across}*{number(1.0 / ohms)}"


def _lines(network: LeakyNetwork) -> list[str]:
    """Return all lines that neurons drive."""
    lines = [line for layer in node_map(network, INSTANCE)["lines"] for line in layer]
    opposite = [
        f"{INSTANCE}.o{layer}_{i}"
        for layer in range(2, network.depth + 1)
        for i in range(network.sizes[layer])
        if inverted(network, layer)
    ]
    return lines + opposite


def _line_currents(network: LeakyNetwork, dialect: str) -> list[str]:
    ammeters = (f"v{line.rpartition('.')[2]}" for line in _lines(network))
    return [current_through(dialect, INSTANCE, each) for each in ammeters]


def _bias_currents(network: LeakyNetwork, dialect: str) -> list[str]:
    return [
        current_through(dialect, INSTANCE, f"vb{layer}") for layer in range(1, network.depth + 1)
    ]
