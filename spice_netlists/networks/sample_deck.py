"""One sample of continual learning as one transient: compute, program, compute again.

::

    time     free phase | slot 1 | pulses | slot 2 | pulses | ... | slot K | pulses
    compute  1111111111111111111  0000000  11111111  0000000         1111111  000000
    program  0000000000000000000  1111111  00000000  1111111         0000000  111111
    nudge    0          beta       0       beta      0               beta     0

Edges of ``compute`` straddle the ends of the slots; ``program`` waits for twice that time on
either side. Rows of an array are programmed one after the other, arrays side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...circuits.leaky.network import LeakyNetwork
from ...circuits.leaky.signals import conditions, signals_of
from ...circuits.simulator import Phase
from ...errors import NetlistError
from ..arrays import array_pulses
from ..deck import Deck
from ..names import number
from ..ngspice import run_batch
from ..ngspice.raw import Plot
from ..parts.cards import wrapped
from ..parts.pulses import CellPulse, Lines, programming_sources
from ..parts.tiles import MemristorCells
from .leaky import parameters
from .sample import circuit, node_names, programming_lines
from .sample_arrays import CellArray, cell_arrays, readers

__all__ = ["SampleDeck", "SampleEnds", "Span", "run_sample", "sample_deck"]

# A closed switch of 0.1 ohm on a line at 2 V passes rounding errors of 1e-14 A: with abstol near
# that, iterations never end where a line carries no current.
_OPTIONS = (
    ".options method=gear temp=27 tnom=27 reltol=1e-5 vntol=1e-8 abstol=1e-11 chgtol=1e-18 "
    "gmin=1e-12 trtol=1"
)
_EDGE = 0.02  # of the shorter nominal pulse
_SWITCH = 1e-3  # of the shortest time in the circuit
_FINEST = 20  # steps per time constant and nominal pulse, at least


class Span(NamedTuple):
    """A time from *start* to *end* [s]."""

    start: float
    end: float


class SampleDeck(NamedTuple):
    """The netlist of a sample and where to find what in its results.

    Attributes
    ----------
    deck
        The netlist, with the one test bench ``learn``.
    nodes
        Vectors of the nodes' voltages, layer by layer.
    states
        Vectors of the cells' states, by array: [row][column].
    computing
        When the network computes: the free phase alone, then every slot [s].
    programming
        When cells are programmed, after every slot [s].
    """

    deck: Deck
    nodes: list[str]
    states: list[list[list[str]]]
    computing: list[Span]
    programming: list[Span]


class SampleEnds(NamedTuple):
    """What ngspice found.

    Attributes
    ----------
    voltages : (1 + slots, nodes)
        At the end of the free phase and of every slot [V].
    held : (slots, nodes)
        At the end of the programming after each slot [V].
    states : tuple of (rows, columns)
        Of the cells of each array, after all of it.
    seconds : float
        How long the simulator ran [s].
    plot : Plot
        All waveforms.
    """

    voltages: NDArray
    held: NDArray
    states: tuple[NDArray, ...]
    seconds: float
    plot: Plot


def sample_deck(
    network: LeakyNetwork,
    arrays: Sequence[MemristorCells],
    free: Phase,
    slot: Phase,
    counts: Sequence[Sequence[NDArray]],
    *,
    v_gate: float,
    title: str = "one sample of continual learning",
    seed: int | None = None,
    experiment: str = "",
    library: str = "",
) -> SampleDeck:
    """Return the netlist of one sample.

    Parameters
    ----------
    network
        Structure, leaks, capacitors and activation; its conductances are not used.
    arrays
        The cells of each array with their states at the start, shape (rows, 2 columns), the arms
        of a pair side by side.
    free, slot
        What is applied in the free phase and in each slot, for a batch of one.
    counts
        Signed pulses of every cell after each slot, by array: (rows, columns, 2) of int.
    v_gate
        Voltage of the gates in reads and of the selected row's gate under pulses [V].
    title, seed, experiment, library
        See :meth:`~..deck.Deck.build`.

    Raises
    ------
    NetlistError
        If cells, phases or pulses do not fit.
    ConfigError
        If a phase does not fit the network.
    """
    for phase in (free, slot):
        conditions(signals_of(network), phase)
        if phase.batch != 1 or not 0.0 < phase.duration < np.inf:
            raise NetlistError("sample: a phase needs one sample and a duration above 0 s.")
    made = cell_arrays(network, arrays)
    plan = _plan(network, arrays, free, slot, counts, v_gate)
    bodies = {
        "params.inc": "\n".join(parameters(network)),
        "devices.lib": "".join(each.devices for each in made),
        "weights.inc": "".join(each.weights for each in made),
        "dut.sp": "\n".join(_dut(network, arrays, made)),
        "tb_learn.sp": "\n".join(_bench(network, made, free, slot, plan, v_gate)),
    }
    names = {"nodes": node_names(network), "states": [each.states for each in made]}
    deck = Deck.build(
        bodies, title=title, nodes=names, seed=seed, experiment=experiment, library=library
    )
    nodes = [f"v({node})" for layer in names["nodes"] for node in layer]
    states = [[[f"v({x})" for x in row] for row in each.states] for each in made]
    return SampleDeck(deck, nodes, states, plan.computing, plan.programming)


def run_sample(sample: SampleDeck) -> SampleEnds:
    """Run the netlist by ngspice.

    Raises
    ------
    NetlistError
        If ngspice is missing or fails.
    """
    flat = [x for array in sample.states for row in array for x in row]
    plots = run_batch(sample.deck.flat(), vectors=[*sample.nodes, *flat])
    plot = plots["tran"]
    t, waves = plot["time"], plot.columns(sample.nodes).T

    def at(times: list[float]) -> NDArray:
        return np.stack([np.interp(times, t, wave) for wave in waves], axis=1)

    states = tuple(
        np.array([[plot[x][-1] for x in row] for row in array]) for array in sample.states
    )
    ends = at([span.end for span in sample.computing])
    return SampleEnds(ends, at([s.end for s in sample.programming]), states, plots.seconds, plot)


class _Plan(NamedTuple):
    """When what happens; times [s]."""

    computing: list[Span]
    programming: list[Span]
    pulses: list[list[CellPulse]]
    edge: float
    switch: float
    step: float

    @property
    def end(self) -> float:
        return self.programming[-1].end


def _plan(
    network: LeakyNetwork,
    arrays: Sequence[MemristorCells],
    free: Phase,
    slot: Phase,
    counts: Sequence[Sequence[NDArray]],
    v_gate: float,
) -> _Plan:
    shapes = [(*plus.shape, 2) for plus in network.plus]
    if not counts or any([np.shape(c) for c in each] != shapes for each in counts):
        raise NetlistError(f"sample: pulses of every slot need the shapes {shapes}.")
    tau = float(network.time_constants().min())
    width = min(min(cells.params.t_set, cells.params.t_reset) for cells in arrays)
    edge, switch = _EDGE * width, _SWITCH * min(tau, free.duration, slot.duration, width)
    pulses: list[list[CellPulse]] = [[] for _ in arrays]
    computing, programming = [Span(0.0, free.duration)], []
    now = free.duration
    for asked in counts:
        computing.append(Span(now, now + slot.duration))
        begin = computing[-1].end + 3.0 * switch
        end = begin
        for cells, own, wanted in zip(arrays, pulses, asked, strict=True):
            found, last = array_pulses(cells, wanted, v_gate, edge)
            own += [pulse._replace(time=pulse.time + begin) for pulse in found]
            end = max(end, begin + last)
        programming.append(Span(begin, end))
        now = end + 3.0 * switch
    step = min(tau / _FINEST, width / _FINEST, slot.duration / 10)
    return _Plan(computing, programming, pulses, edge, switch, step)


def _dut(
    network: LeakyNetwork, arrays: Sequence[MemristorCells], made: Sequence[CellArray]
) -> Iterator[str]:
    yield ".include devices.lib"
    yield ".include weights.inc"
    yield from circuit(network)
    yield from (each.calls.rstrip() for each in made)
    yield "* readers: the same cells once more, read backward"
    yield from readers(network, arrays, made)


def _bench(
    network: LeakyNetwork, made: Sequence[CellArray], free: Phase, slot: Phase, plan: _Plan,
    v_gate: float,
) -> Iterator[str]:  # fmt: skip
    yield ".include params.inc"
    yield ".include dut.sp"
    for j, (a, b) in enumerate(zip(free.inputs[0].tolist(), slot.inputs[0].tolist(), strict=True)):
        if a != b:
            raise NetlistError("sample: free phase and slots have different inputs.")
        yield f"vx_{j} x_{j} 0 {number(a)}"
    target = np.zeros(network.sizes[-1]) if slot.target is None else slot.target[0]
    yield from (f"vy_{i} y_{i} 0 {number(y)}" for i, y in enumerate(target.tolist()))
    yield f"vbias bias 0 {number(network.v_ref)}"
    yield f"von on 0 {number(v_gate)}"
    slots, beta = plan.computing[1:], slot.nudge / network.leak[-1]
    together = [Span(plan.computing[0].start, slots[0].end), *slots[1:]]
    yield _mode("compute", together, plan.switch, 1.0)
    yield _mode("program", plan.programming, plan.switch, 1.0)
    yield _mode("nudge", slots, plan.switch, beta)
    for layer, pulses in enumerate(plan.pulses, start=1):
        drivers: Lines = programming_lines(network, layer)
        label = f"a{layer}"
        yield programming_sources(pulses, drivers, edge=plan.edge, label=label).rstrip()
    yield _OPTIONS
    yield f".tran {number(plan.step)} {number(plan.end)} 0 {number(plan.step)}"
    names = [node for layer in node_names(network) for node in layer]
    yield wrapped([".ic", *(f"v({node})=0" for node in names)])
    states = [x for each in made for row in each.states for x in row]
    kept = ["compute", "program", "nudge", *names, *states]
    yield wrapped([".save", *(f"v({node})" for node in kept)])
    yield from _measures(names, made, plan)


def _measures(names: Sequence[str], made: Sequence[CellArray], plan: _Plan) -> Iterator[str]:
    """Yield measurements of what the sample leaves; without any, ``ngspice -b`` runs nothing."""
    yield "* voltages at the end of the free phase and of every slot, states of cells after all"
    for slot, span in enumerate(plan.computing):
        when = f"slot{slot}" if slot else "free"
        for node in names:
            yield f".meas tran {when}_{node} find v({node}) at={number(span.end)}"
    at = f"at={number(plan.end - plan.switch)}"  # the very end may be lost in rounding
    for array, each in enumerate(made, start=1):
        for row, states in enumerate(each.states):
            for column, node in enumerate(states):
                yield f".meas tran state{array}_{row}_{column} find v({node}) {at}"


def _mode(node: str, spans: Sequence[Span], edge: float, level: float) -> str:
    """Return a source that is at *level* during *spans*, its edges straddling their ends."""
    half = 0.5 * edge
    first = level if spans[0].start == 0.0 else 0.0
    corners = [(0.0, first)]
    for span in spans:
        if span.start > 0.0:
            corners += [(span.start - half, 0.0), (span.start + half, level)]
        corners += [(span.end - half, level), (span.end + half, 0.0)]
    if any(b[0] <= a[0] for a, b in pairwise(corners)):
        raise NetlistError("sample: a phase is too short for its switches.")
    points = [f"{number(t)} {number(v)}" for t, v in corners]
    return wrapped([f"v{node} {node} 0", "pwl(" + points[0], *points[1:-1], points[-1] + ")"])
