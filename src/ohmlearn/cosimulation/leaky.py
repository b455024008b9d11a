"""An experiment's Hopfield-type network as a circuit in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..circuits.leaky.network import LeakyNetwork
from ..circuits.simulator import Phase
from ..errors import ConfigError
from ..experiment import Experiment
from ..training.ideal import IdealLearner
from ..training.pulsed import PulsedLearner

__all__ = ["leaky_network", "leaky_notes", "leaky_phases"]

_WINDOW = 5e-6, 100e-6  # S; what an experiment without a device is given where it names none
_FREE, _SLOT = 20.0, 5.0  # time constants


def leaky_network(
    experiment: Experiment, learner: IdealLearner | PulsedLearner
) -> tuple[LeakyNetwork, list[str]]:
    """Return the circuit of *learner* as it stands, and sentences on what had to be chosen."""
    if isinstance(learner, IdealLearner):
        return _of_weights(experiment, learner)
    return _of_cells(experiment, learner)


def leaky_phases(
    experiment: Experiment, network: LeakyNetwork, x: NDArray, y: NDArray
) -> tuple[Phase, Phase]:
    """Return the free and the nudged phase of samples *x* (batch, n_0) and targets *y*."""
    v_ref, section, learning = network.v_ref, experiment.circuit, experiment.learning
    tau = float(network.time_constants().max())
    inputs, target = v_ref * x, v_ref * y
    free = Phase(inputs, target=target, duration=section.free_duration or _FREE * tau)
    slots = learning.nudged_steps * (section.slot_duration or _SLOT * tau)
    return free, Phase(inputs, learning.beta * network.leak[-1], target, duration=slots)


def _of_cells(experiment: Experiment, learner: PulsedLearner) -> tuple[LeakyNetwork, list[str]]:
    crossbars, fabric = learner.crossbars, learner.fabric
    pairs = []
    for number, xbar in enumerate(crossbars):
        g = xbar.conductance.astype(np.float64)
        if experiment.wires is not None:
            at = int(fabric.cell_at[number])
            cells = slice(at, at + xbar.cells)
            g = fabric.base[cells].reshape(g.shape) + fabric.slope[cells].reshape(g.shape) * g
        minus = g[..., 1] if xbar.arms == 2 else np.repeat(xbar.reference[:, None], g.shape[1], 1)
        pairs.append((g[..., 0].copy(), minus.astype(np.float64)))
    depth = learner.network.layout.depth
    leak = tuple(float(xbar.unit) for xbar in crossbars[:depth])
    notes = []
    if crossbars[0].effects.read_noise:
        notes.append("Read noise is left out.")
    if crossbars[0].arms == 1:
        notes.append("The reference of each row stands as a second cell in every weight.")
    if experiment.wires is not None:
        notes.append("Wires are in the conductances: each is what the edge of its tile sees.")
    return _network(experiment, pairs, leak), notes


def _of_weights(experiment: Experiment, learner: IdealLearner) -> tuple[LeakyNetwork, list[str]]:
    layout, theta = learner.network.layout, learner.theta.astype(np.float64)
    weights = [
        np.vstack([layout.weight(theta, layer), layout.bias(theta, layer)])
        for layer in range(1, layout.depth + 1)
    ]
    upper = range(2, 2 if layout.symmetric else layout.depth + 1)
    weights += [layout.backward(theta, layer) for layer in upper]
    section = experiment.crossbar
    low, high = section.g_min or _WINDOW[0], section.g_max or _WINDOW[1]
    if not low < high:
        raise ConfigError(
            f"the conductance window would reach from {low:g} S to {high:g} S; set crossbar.g_min "
            "and crossbar.g_max in this order."
        )
    owners = [*range(layout.depth), *(layer - 1 for layer in upper)]
    ranges = list(section.weight_range)
    for owner, w in zip(owners, weights, strict=True):
        ranges[owner] = max(ranges[owner], float(np.abs(w).max()))
    units = [(high - low) / each for each in ranges]
    middle = 0.5 * (low + high)
    pairs = [
        (middle + 0.5 * units[owner] * w, middle - 0.5 * units[owner] * w)
        for owner, w in zip(owners, weights, strict=True)
    ]
    note = (
        f"Weights became pairs around the middle of a window of {low:g} to {high:g} S that holds "
        f"weights up to {', '.join(f'{each:.3g}' for each in ranges)} (layer by layer)."
    )
    return _network(experiment, pairs, tuple(units[: layout.depth])), [note]


def _network(
    experiment: Experiment, pairs: list[tuple[NDArray, NDArray]], leak: tuple[float, ...]
) -> LeakyNetwork:
    depth = len(leak)
    plus, minus = (tuple(pair[arm] for pair in pairs) for arm in (0, 1))
    return LeakyNetwork(
        plus[:depth],
        minus[:depth],
        leak,
        (experiment.circuit.capacitance,) * depth,
        experiment.crossbar.v_read,
        experiment.network.activation,
        plus[depth:],
        minus[depth:],
    )


def leaky_notes(experiment: Experiment) -> list[str]:
    """Return sentences on what the circuit leaves out."""
    notes = []
    if experiment.network.dynamics == "energy-based":
        notes.append(
            "The energy-based dynamics have a factor rho' that no leaky integrator has: its "
            "steady states differ from those of training."
        )
    section = experiment.converters
    if section.dac_bits is not None or section.adc_bits is not None:
        notes.append("Converters are left out.")
    return notes
