"""An experiment's resistive network as a circuit in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..assembly import resistive_network
from ..circuits.numba_simulator import NumbaSimulator
from ..circuits.resistive.network import DIODES, ResistiveNetwork
from ..circuits.simulator import Phase
from ..errors import SimulationError
from ..experiment import Experiment
from ..training.resistive.learner import ResistiveLearner

__all__ = ["resistive_circuit", "resistive_circuit_notes", "resistive_phases"]

_FREE, _SLOT = 20.0, 5.0  # time constants


def resistive_circuit(experiment: Experiment, learner: ResistiveLearner) -> ResistiveNetwork:
    """Return the network of *learner* with its conductances as they stand."""
    network = resistive_network(experiment, learner)
    capacitance = experiment.circuit.capacitance
    return replace(network, capacitance=tuple(np.full(n, capacitance) for n in network.sizes[1:]))


def resistive_phases(
    experiment: Experiment,
    learner: ResistiveLearner,
    network: ResistiveNetwork,
    x: NDArray,
    y: NDArray,
) -> tuple[Phase, Phase]:
    """Return the free and the nudged phase of samples *x* (batch, features) and targets *y*.

    A nudge by current keeps the value that belongs to the free phase's steady state.

    Raises
    ------
    SimulationError
        If that steady state is needed and not found.
    """
    section, learning = experiment.circuit, experiment.learning
    tau = _longest(network)
    inputs = learner.encoding.volts(x, np.float64)
    free = Phase(inputs, duration=section.free_duration or _FREE * tau)
    slots = learning.nudged_steps * (section.slot_duration or _SLOT * tau)
    unit, readout = learner.synapses.unit, learner.readout
    if not readout.by_current:
        nudge = learning.beta * unit * readout.gain**2
        return free, Phase(inputs, nudge, readout.nudge_target(y), duration=slots)
    state = NumbaSimulator().settle(network, free)
    if not state.converged.all():
        raise SimulationError(f"free phase: {state.message}")
    current = -learning.beta * unit * readout.slope(state.voltages[-1], y)
    return free, Phase(inputs, current=current, duration=slots)


def resistive_circuit_notes(network: ResistiveNetwork) -> list[str]:
    """Return sentences on how the circuit differs from its model."""
    if network.diode.kind != DIODES["ideal"]:
        return []
    return ["Ideal diodes are an approximation in the netlist: a very small resistance."]


def _longest(network: ResistiveNetwork) -> float:
    """Return the longest time constant of a node whose diodes do not conduct [s]."""
    longest = 0.0
    for layer, g in enumerate(network.g):
        total = g.sum(axis=0)
        if layer + 1 < network.depth:
            gain = network.gain[layer] * network.back_gain[layer]
            total = total + gain * network.g[layer + 1].sum(axis=1)
        longest = max(longest, float((network.capacitance[layer] / total).max()))
    return longest
