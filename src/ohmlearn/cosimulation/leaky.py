"""An experiment's Hopfield-type network as a circuit in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..assembly import choose_wires, tile_shape
from ..circuits.leaky.network import LeakyNetwork
from ..circuits.leaky.tiles import Tiling
from ..circuits.simulator import Phase
from ..errors import ConfigError
from ..experiment import Experiment
from ..spice_netlists.networks.leaky_deck import MOST_WIRES, measures_wires
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
    crossbars = learner.crossbars
    pairs = []
    for xbar in crossbars:
        g = xbar.conductance.astype(np.float64)
        minus = g[..., 1] if xbar.arms == 2 else np.repeat(xbar.reference[:, None], g.shape[1], 1)
        pairs.append((g[..., 0].copy(), minus.astype(np.float64)))
    depth = learner.network.layout.depth
    leak = tuple(float(xbar.unit) for xbar in crossbars[:depth])
    notes = []
    if crossbars[0].effects.read_noise:
        notes.append("Read noise is left out.")
    if crossbars[0].arms == 1:
        notes.append("The reference of each row stands as a second cell in every weight.")
    tiling = _tiling(experiment, learner)
    network = _network(experiment, pairs, leak, tiling)
    if tiling is not None:
        notes.append(_about_wires(network, tiling))
    return network, notes


def _tiling(experiment: Experiment, learner: PulsedLearner) -> Tiling | None:
    """Return the tiles of *learner* and their wires, or ``None`` for ideal lines."""
    wires = choose_wires(experiment)
    if wires is None or wires.ideal:
        return None
    rows, columns = tile_shape(experiment, learner.network.layout)
    return Tiling(wires, rows, columns, paired=learner.crossbars[0].arms == 2)


def _about_wires(network: LeakyNetwork, tiling: Tiling) -> str:
    tiles = (
        f"Wires are in, segment by segment, in tiles of at most {tiling.rows} word lines and "
        f"{tiling.columns} columns of weights"
    )
    if not tiling.paired:
        tiles += "; references are subtracted on ideal lines"
    if not measures_wires(network):
        tiles += f"; the netlist does not measure the heat of more than {MOST_WIRES} segments"
    return tiles + "."


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
    experiment: Experiment,
    pairs: list[tuple[NDArray, NDArray]],
    leak: tuple[float, ...],
    tiling: Tiling | None = None,
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
        tiling,
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
        notes.append(
            "Converters (DAC, ADC) are left out: they work once per time step, and a circuit in "
            "continuous time has no time steps."
        )
    if experiment.wires is not None and experiment.run.level == "ideal":
        notes.append("Wires are left out: at level 'ideal' training has no array for them.")
    return notes
