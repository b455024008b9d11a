"""The resistive network in time.

Every sample takes its own steps of Rodas5P, as long as its own error allows, so that its waveform
does not depend on the others in the batch. A phase ends exactly on a step; evenly spaced points,
energies and the settling time are read off the method's continuous output.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from ..simulator import Phase, Trajectory
from .elimination import make_factors
from .flat import FlatNetwork, applied, by_layer, flatten, state_of
from .integration import MOST_STEPS, Control, run_phase
from .network import _IDEAL, _PIECEWISE, ResistiveNetwork
from .power import class_names, sources_of

__all__ = ["transient"]

_PART = 0.05  # of the tolerance, for the error of one step: errors of many steps add up
_PART_KINKED = 0.01  # at the kink of a diode's curve the error of a step is told less well


def transient(
    network: ResistiveNetwork,
    phases: Sequence[Phase],
    start: Sequence[NDArray] | None = None,
    points: int = 200,
    *,
    tolerance: float = 1e-6,
    settled_within: float = 1e-4,
    stop_within: float = 0.0,
) -> Trajectory:
    """Return the waveforms of *network* through *phases*.

    Inputs step at the start of a phase (ideal sources).

    Parameters
    ----------
    network, phases
        The circuit, and what is applied to it for how long.
    start : sequence of (batch, n_l), optional
        Node voltages [V] at time 0; 0 V where left out.
    points
        Evenly spaced times per phase, the last one at its end; time 0 comes before them.
    tolerance
        Largest error of the waveforms that the step control aims at [V].
    settled_within
        A node has settled when it stays this close to its voltage at the end of the phase [V].
    stop_within
        Above 0, a sample is integrated only until it is this close [V] to its steady state, and
        stands still for the rest of the phase.

    Returns
    -------
    Trajectory
        Its energies have the names of :func:`~.power.class_names` and "stored capacitors", see
        :mod:`.power`; its steps are those of the slowest sample.

    Raises
    ------
    ConfigError
        If a phase or the start does not fit the network, a phase has no duration or a node no
        capacitance.
    """
    flat = flatten(network)
    _check(flat, phases, points, tolerance)
    batch, names = phases[0].batch, class_names(network.depth)
    nodes = len(flat.conductance)
    v = np.zeros((batch, nodes)) if start is None else state_of(start, flat, batch)
    if flat.diode.kind == _IDEAL:
        np.clip(v, flat.low, flat.high, out=v)
    waves = np.empty((1 + len(phases) * points, batch, nodes))
    waves[0] = v
    energies = np.zeros((len(phases), batch, len(names)))
    stored, settled = np.zeros((len(phases), batch)), np.zeros((len(phases), batch))
    steps, complete = np.zeros(batch, np.int64), np.ones(batch, np.bool_)
    factors = make_factors(flat)
    part = _PART_KINKED if flat.diode.kind == _PIECEWISE else _PART
    for number, phase in enumerate(phases):
        conductance, drive = applied(network, flat, phase)
        control = Control(float(phase.duration), part * tolerance, settled_within, stop_within)
        before = v.copy()
        run_phase(
            flat,
            conductance,
            drive,
            sources_of(network, phase),
            control,
            v,
            factors,
            waves[1 + number * points : 1 + (number + 1) * points],
            energies[number],
            settled[number],
            steps,
            complete,
        )
        stored[number] = 0.5 * (v * v - before * before) @ flat.capacitance
    energy = {name: energies[:, :, k].copy() for k, name in enumerate(names)}
    energy["stored capacitors"] = stored
    return Trajectory(
        _times(phases, points),
        by_layer(flat, waves),
        energy,
        settled,
        bool(complete.all()),
        int(steps.max(initial=0)),
        _message(complete),
    )


def _times(phases: Sequence[Phase], points: int) -> NDArray:
    ends = np.concatenate([[0.0], np.cumsum([phase.duration for phase in phases])])
    inner = np.arange(1, points + 1) / points
    return np.concatenate([[0.0], *(a + (b - a) * inner for a, b in pairwise(ends))])


def _check(flat: FlatNetwork, phases: Sequence[Phase], points: int, tolerance: float) -> None:
    if not phases or points < 1:
        raise ConfigError("a transient needs at least one phase and one point.")
    if len({phase.batch for phase in phases}) > 1:
        raise ConfigError("the phases of a transient must have the same samples.")
    if not tolerance > 0.0:
        raise ConfigError(f"transient: tolerance is {tolerance} V; it must be above 0.")
    for phase in phases:
        if not 0.0 < phase.duration < np.inf:
            raise ConfigError(
                f"phase: its duration is {phase.duration} s; a transient needs a finite one "
                "above 0."
            )
    if not (flat.capacitance > 0.0).all():
        raise ConfigError(
            "resistive network: a node has no capacitance; in time every node needs one."
        )


def _message(complete: NDArray) -> str:
    failed = np.flatnonzero(~complete)
    if failed.size == 0:
        return ""
    return (
        f"{failed.size} of {complete.size} samples (first: {failed[0]}) did not reach the end of "
        f"a phase within {MOST_STEPS} steps of a size that can be told from 0. A negative nudge "
        "may make a node run away; else raise the tolerance or shorten the phase."
    )
