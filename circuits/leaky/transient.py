"""The leaky network in time: C dv/dt = currents, with error control.

Every sample takes its own steps, so that its waveform does not depend on the others; the kernels
are in :mod:`.stepping`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from ..simulator import Phase, Trajectory
from .energy import CLASSES
from .loads import InputPowers, Loads, input_powers, loads_of
from .network import LeakyNetwork
from .signals import Conditions, Signals, conditions, signals_of, split_nodes, start_signals
from .stepping import INTEGRATED, MOST_STEPS, Plant, run_phase

__all__ = ["transient"]


def transient(
    network: LeakyNetwork,
    phases: Sequence[Phase],
    start: Sequence[NDArray] | None = None,
    points: int = 200,
    *,
    tolerance: float = 1e-6,
    settled_within: float = 1e-4,
) -> Trajectory:
    """Return the waveforms of *network* through *phases*.

    Parameters
    ----------
    network, phases
        The circuit, and what is applied to it for how long.
    start : sequence of (batch, n_l), optional
        Node voltages [V] at time 0; 0 V where left out.
    points
        Evenly spaced times per phase, the last one at its end; time 0 comes before them.
    tolerance
        Largest error of the waveforms that the step control aims at [V]; a step's estimated
        error stays below a hundredth of it.
    settled_within
        A node has settled when it stays this close to its voltage at the end of the phase [V].

    Returns
    -------
    Trajectory
        Its energies are those of :data:`~.energy.CLASSES`; its steps those of the slowest sample.

    Raises
    ------
    ConfigError
        If a phase or the start does not fit the network, or a phase has no duration.
    """
    _check(phases, points)
    signals = signals_of(network)
    bounds = 0.01 * tolerance / signals.v_ref, settled_within / signals.v_ref
    loads = loads_of(network)
    batch, units = phases[0].batch, signals.layout.units
    state = start_signals(signals, batch, start)
    waves = np.empty((1 + len(phases) * points, batch, units))
    waves[0] = state
    energy = {name: np.zeros((len(phases), batch)) for name in CLASSES}
    settled = np.zeros((len(phases), batch))
    steps, complete = np.zeros(batch, np.int64), True
    for number, phase in enumerate(phases):
        given = conditions(signals, phase)
        rows = waves[1 + number * points : 1 + (number + 1) * points]
        before = state.copy()
        integrals = np.zeros((batch, len(INTEGRATED)))
        for b in range(batch):
            plant = _plant(signals, loads, phase, given, b)
            limits = (*bounds, phase.duration)
            taken, quiet = run_phase(plant, limits, state[b], rows[:, b], integrals[b])
            complete = complete and taken >= 0
            steps[b] += abs(taken)
            settled[number, b] = quiet
        first = input_powers(network, phase)
        _count(signals, first, phase, energy, number, integrals, (before, state))
    ends = np.concatenate([[0.0], np.cumsum([phase.duration for phase in phases])])
    inner = np.arange(1, points + 1) / points
    t = np.concatenate([[0.0], *(a + (b - a) * inner for a, b in pairwise(ends))])
    voltages = split_nodes(signals.layout, waves * signals.v_ref)
    return Trajectory(
        t, voltages, energy, settled, complete, int(steps.max(initial=0)), _advice(complete)
    )


def _advice(complete: bool) -> str:
    if complete:
        return ""
    return (
        f"a phase needed more than {MOST_STEPS} steps: it lasts very many time constants of the "
        "fastest node. Shorten it, or settle() for its end."
    )


def _check(phases: Sequence[Phase], points: int) -> None:
    if not phases or points < 1:
        raise ConfigError("a transient needs at least one phase and one point.")
    if len({phase.batch for phase in phases}) > 1:
        raise ConfigError("the phases of a transient must have the same samples.")
    for phase in phases:
        if not 0.0 < phase.duration < np.inf:
            raise ConfigError(
                f"phase: its duration is {phase.duration} s; a transient needs a finite one "
                "above 0."
            )


def _plant(signals: Signals, loads: Loads, phase: Phase, given: Conditions, b: int) -> Plant:
    width = int(signals.layout.sizes[-1])
    unit, v_ref = float(signals.leak[-1]), signals.v_ref
    target, injected = np.zeros(width), np.zeros(width)
    if phase.target is not None:
        target[:] = phase.target[b] / v_ref
    if phase.current is not None:
        injected[:] = phase.current[b] / (unit * v_ref)
    return Plant(
        signals.layout, signals.theta, signals.code, signals.tau, given.damping, given.pull[b],
        given.drive[b : b + 1], loads.bias / unit, loads.forward / unit, loads.backward / unit,
        loads.forms / unit, signals.leak / unit, phase.nudge / unit, target, injected,
    )  # fmt: skip


def _count(
    signals: Signals,
    first: InputPowers,
    phase: Phase,
    energy: Mapping[str, NDArray],
    number: int,
    integrals: NDArray,
    states: tuple[NDArray, NDArray],
) -> None:
    """Write the energies [J] of a phase from the integrals of its powers."""
    unit = float(signals.leak[-1]) * signals.v_ref**2  # power of signal 1 on the output's leak [W]
    for k, name in enumerate(INTEGRATED):
        energy[name][number] = unit * integrals[:, k]
    for name, power in (
        ("supplied inputs", first.inputs),
        ("supplied bias", first.bias),
        ("dissipated forward", first.cells),
        ("dissipated wires", first.wires),
    ):
        energy[name][number] += power * phase.duration
    capacitance = signals.tau * signals.leak
    before, after = states
    gained = 0.5 * signals.v_ref**2 * (after**2 - before**2)
    energy["stored capacitors"][number] = gained @ capacitance
