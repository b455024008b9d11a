"""One sample of continual learning by the circuit in time, and the same sample in ngspice.

The toolkit's own simulation: the leaky circuit runs through the free phase and slot after slot;
after each slot the change of the neurons' signals goes to the learner's rule and policy, which
program its cells, and the next slot hears the changed weights. The pulses that this took are what
the netlist applies; cells and voltages at the end are then for ngspice to confirm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assembly import AnyLearner
from ..circuits.leaky.network import LeakyNetwork
from ..circuits.leaky.signals import send, signals_of
from ..circuits.leaky.transient import transient
from ..circuits.simulator import Phase
from ..crossbar.array import Crossbar
from ..crossbar.read_motion import disturb, moves
from ..devices.cell.access import make_access
from ..errors import ConfigError, SimulationError
from ..experiment import Experiment
from ..record import Record
from ..settings.cell import choose_access
from ..settings.periphery import AccessSection
from ..spice_netlists.arrays import with_spice
from ..spice_netlists.networks.sample_deck import SampleDeck, sample_deck
from ..spice_netlists.parts.cells import library
from ..spice_netlists.parts.tiles import MemristorCells
from ..training.pulsed import PulsedLearner
from .circuit import learner_of
from .leaky import leaky_network, leaky_phases
from .reading import row_voltages
from .transistor import own_transistor

__all__ = [
    "CepSample",
    "learn_sample",
    "learn_test_sample",
    "netlist_of",
]


_PARTS = 20  # of a phase, after each of which the circuit hears what reads have moved
_POINTS = 10  # of a part's waveform

_Nodes = tuple[NDArray, ...] | None


@dataclass(frozen=True, eq=False)
class CepSample:
    """One sample as the toolkit learned it.

    Attributes
    ----------
    network
        The circuit before it.
    cells
        The cells before it, by array.
    free, slot
        What was applied in the free phase and in each slot.
    voltages : (1 + slots, nodes)
        At the end of the free phase and of every slot [V].
    counts
        Signed pulses of every cell after each slot, by array: (rows, columns, arms).
    before, after
        Conductances that a read shows before and after, by array: (rows, columns, arms) [S].
    disturbed
        What reads alone have changed of them, likewise [S]; zeros where cells rest in reads.
    crossbars
        The arrays, which have learned the sample.
    """

    network: LeakyNetwork
    cells: tuple[MemristorCells, ...]
    free: Phase
    slot: Phase
    voltages: NDArray
    counts: tuple[tuple[NDArray, ...], ...]
    before: tuple[NDArray, ...]
    after: tuple[NDArray, ...]
    disturbed: tuple[NDArray, ...]
    crossbars: tuple[Crossbar, ...]

    @property
    def pulses(self) -> int:
        """Pulses on single cells."""
        return int(sum(np.abs(array).sum() for slot in self.counts for array in slot))


def learn_sample(
    experiment: Experiment, learner: AnyLearner, x: NDArray, y: NDArray, step: int = 0
) -> CepSample:
    """Learn one sample by the circuit in time; the learner's cells change.

    Parameters
    ----------
    experiment, learner
        What describes the circuit, with a continual rule, and what holds its cells.
    x, y : (n_0,), (classes,)
        The sample and its target, as signals.
    step
        Number of the sample; random numbers of a stochastic policy follow from it.

    Raises
    ------
    ConfigError
        If the experiment asks for what this leaves out.
    SimulationError
        If a waveform cannot be found.
    """
    needed = _needed(experiment)
    if needed or not isinstance(learner, PulsedLearner):
        raise ConfigError(f"one sample in SPICE needs {needed}.")
    _check(experiment, learner)
    network, _ = leaky_network(experiment, learner)
    free, nudged = leaky_phases(experiment, network, x[np.newaxis], y[np.newaxis])
    slots = experiment.learning.nudged_steps
    slot = replace(nudged, duration=nudged.duration / slots)
    cells, before = _cells(experiment, learner.crossbars), _shown(learner.crossbars)
    disturbed = tuple(np.zeros_like(each) for each in before)
    state, found, counts = None, [], []
    largest = max(network.v_ref, float(np.abs(free.inputs).max()))
    reads = moves(learner.crossbars, largest, free.duration + slots * slot.duration)
    run = _read_through if reads else _run_through
    for number, phase in enumerate([free, *[slot] * slots]):
        state = run(experiment, learner, phase, state, disturbed)
        found.append(np.concatenate(state, axis=1))
        if number > 0:
            old, new = (_sent(network, each) for each in found[-2:])
            counts.append(_program(learner, x, old, new, step, number - 1))
    after = _shown(learner.crossbars)
    voltages = np.concatenate(found)
    return CepSample(
        network, cells, free, slot, voltages, tuple(counts), before, after, disturbed,
        tuple(learner.crossbars),
    )  # fmt: skip


def _run_through(
    experiment: Experiment, learner: PulsedLearner, phase: Phase, state: _Nodes, _: Any
) -> tuple[NDArray, ...]:
    """Return the voltages at the end of *phase* from *state* on, with cells at rest."""
    now, _ = leaky_network(experiment, learner)
    return tuple(layer[-1] for layer in _path(now, phase, state, 1))


def _read_through(
    experiment: Experiment,
    learner: PulsedLearner,
    phase: Phase,
    state: _Nodes,
    disturbed: Sequence[NDArray],
) -> tuple[NDArray, ...]:
    """Do the same part by part with cells that reads move, and add up what they change."""
    section = _access(experiment)
    access = make_access(section.parameters())
    part = replace(phase, duration=phase.duration / _PARTS)
    for _ in range(_PARTS):
        now, _notes = leaky_network(experiment, learner)
        path = _path(now, part, state, _POINTS)
        state = tuple(layer[-1] for layer in path)
        rows = row_voltages(now, phase.inputs[0], np.concatenate([v[:, 0] for v in path], axis=1))
        before = _shown(learner.crossbars)
        disturb(learner.crossbars, rows, access, section.v_gate, part.duration)
        for total, old, new in zip(disturbed, before, _shown(learner.crossbars), strict=True):
            total += new - old
    return state or ()


def _path(network: LeakyNetwork, phase: Phase, state: _Nodes, points: int) -> tuple[NDArray, ...]:
    path = transient(network, [phase], state, points=points)
    if not path.converged:
        raise SimulationError(f"one sample in SPICE: {path.message}")
    return path.voltages


def learn_test_sample(
    experiment: Experiment, record: Record | None, row: int, data_dir: str | Path | None = None
) -> CepSample:
    """Learn *row* of the test set, from the initial weights or, with *record*, the trained ones.

    The errors are those of :func:`learn_sample` and of :func:`~.circuit_of.circuit_of`.
    """
    if needed := _needed(experiment):
        raise ConfigError(f"one sample in SPICE needs {needed}.")
    learner, data = learner_of(experiment, record, data_dir)
    if not 0 <= row < len(data.x_test):
        raise ConfigError(
            f"sample {row}: the test set of {data.name} has rows 0 to {len(data.x_test) - 1}."
        )
    target = np.eye(data.classes)[data.y_test[row]]
    return learn_sample(experiment, learner, data.x_test[row], target)


def netlist_of(experiment: Experiment, sample: CepSample) -> SampleDeck:
    """Return *sample* as a netlist, its pulses included."""
    own = own_transistor(experiment)
    cells = [cells if own is None else replace(cells, access=own) for cells in sample.cells]
    return sample_deck(
        sample.network, cells, sample.free, sample.slot, sample.counts,
        v_gate=_access(experiment).v_gate, seed=experiment.run.seed,
        title=f"{experiment.name}: one sample, {len(sample.counts)} slots",
        experiment=experiment.digest(), library="" if own is None else library(own),
    )  # fmt: skip


def _access(experiment: Experiment) -> AccessSection:
    if experiment.access is None:
        raise ConfigError("one sample in SPICE needs cells with a transistor; add [access].")
    return experiment.access


def _check(experiment: Experiment, learner: PulsedLearner) -> None:
    _access(experiment)
    for xbar in learner.crossbars:
        with_spice(xbar)  # refuses what ngspice does not simulate
        if xbar.bank.stuck.any():
            raise ConfigError(
                "one sample in SPICE needs cells that move; set device.stuck = false."
            )


def _needed(experiment: Experiment) -> str:
    """Return the setting that a sample in SPICE needs and *experiment* does not have, or ''."""
    wrong = {
        "network.kind = 'hopfield'": experiment.network.kind == "resistive",
        "run.level = 'device'": experiment.run.level != "device",
        "learning.rule = 'cep'": experiment.learning.rule != "cep",
        "crossbar.encoding = 'pair'": experiment.crossbar.encoding != "pair",
        "learning.policy other than 'ideal'": experiment.learning.policy == "ideal",
        "run.precision = 'float64'": experiment.run.precision != "float64",
    }
    return next((name for name, missing in wrong.items() if missing), "")


def _cells(experiment: Experiment, crossbars: Sequence[Crossbar]) -> tuple[MemristorCells, ...]:
    access, found = choose_access(_access(experiment)), []
    for xbar in crossbars:
        shape = xbar.rows, xbar.columns * xbar.arms
        table = np.array(xbar.bank.table, np.float64).reshape(*shape, -1)
        found.append(MemristorCells(xbar.params, xbar.bank.x.reshape(shape).copy(), access, table))
    return tuple(found)


def _shown(crossbars: Sequence[Crossbar]) -> tuple[NDArray, ...]:
    return tuple(xbar.conductance.copy() for xbar in crossbars)


def _sent(network: LeakyNetwork, voltages: NDArray) -> NDArray:
    """Return what the neurons send at *voltages* (1, nodes), flat and without unit."""
    return send(signals_of(network), voltages / network.v_ref)[0]


def _program(
    learner: PulsedLearner, x: NDArray, old: NDArray, new: NDArray, step: int, slot: int
) -> tuple[NDArray, ...]:
    """Program one contrast; return the signed pulses of every cell, by array."""
    before = [xbar.bank.meter.pulses.copy() for xbar in learner.crossbars]
    learner.contrast(x[np.newaxis], old, new, step, slot)
    counts = []
    for xbar, earlier in zip(learner.crossbars, before, strict=True):
        taken = xbar.bank.meter.pulses.astype(np.int64) - earlier
        counts.append((taken[:, 0] - taken[:, 1]).reshape(xbar.conductance.shape))
    return tuple(counts)
