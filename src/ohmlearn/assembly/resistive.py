"""From an experiment to a resistive network that learns."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..circuits.hopfield import Layout, make_layout
from ..circuits.numba_simulator import NumbaSimulator
from ..circuits.resistive.network import DIODES, Diode, ResistiveNetwork
from ..circuits.resistive.packed import Rails, make_rails
from ..circuits.simulator import Simulator
from ..crossbar.array import Crossbar
from ..devices import ledger
from ..errors import ConfigError
from ..experiment import Experiment
from ..settings.cell import Cell, choose_access
from ..settings.resistive import ResistiveSection
from ..training.policies import make_policy
from ..training.resistive.cells import Cells
from ..training.resistive.conductances import Floats, Synapses
from ..training.resistive.encoding import Encoding
from ..training.resistive.learner import Phases, ResistiveLearner
from ..training.resistive.physics import Descent
from ..training.resistive.readout import Readout
from ..training.resistive.settling import Settling
from ..training.rules import get_rule
from ..training.samples import Dataset
from .arrays import draw_arrays, memristor

__all__ = ["build_resistive", "resistive_network", "resistive_notes"]

_INITIAL = 0  # stream of the initial conductances, as for Hopfield-type networks


def build_resistive(experiment: Experiment, data: Dataset) -> tuple[ResistiveLearner, list[dict]]:
    """Return the learner of *experiment* at its initial conductances, and the effect ledger.

    Raises
    ------
    ConfigError
        If the network's inputs or outputs do not fit the data, or an effect is not simulated.
    DeviceError
        If the cell's parameters or effects are not allowed.
    """
    section = _section(experiment)
    encoding, readout = _ends(section)
    _check_fit(experiment, data, encoding, readout)
    layout = make_layout(experiment.network.layers)
    dtype = np.dtype(experiment.run.precision)
    rng = np.random.default_rng([experiment.run.seed, _INITIAL])
    theta = _initial(layout, section, rng, dtype)
    crossbars = _build_arrays(experiment, layout, theta)
    unit = crossbars[0].unit if crossbars else section.unit
    network = _network(experiment, section)
    rails = _rails(network, dtype)
    synapses = _synapses(experiment, section, layout, rails, theta, crossbars, unit)
    if section.diode == "ideal":
        physics = Descent(layout, rails, theta)
    else:
        physics = Settling(_simulator(experiment), network, layout, theta, rails, unit)
    learning = experiment.learning
    phases = Phases(learning.free_steps, learning.nudged_steps, learning.beta, section.carry)
    rule = get_rule(learning.rule, symmetric=True)
    learner = ResistiveLearner(layout, encoding, readout, physics, synapses, rule, phases)
    return learner, ledger(crossbars[0].effects) if crossbars else []


def resistive_network(experiment: Experiment, learner: ResistiveLearner) -> ResistiveNetwork:
    """Return the network of *experiment* with the conductances and currents of *learner*."""
    kept, layers = learner.figures(), range(1, learner.layout.depth + 1)
    return replace(
        _network(experiment, _section(experiment)),
        g=tuple(kept[f"g_plus_{layer}"].astype(np.float64) for layer in layers),
        bias=tuple(kept[f"bias_{layer}"].astype(np.float64) for layer in layers),
    )


def resistive_notes(experiment: Experiment) -> list[str]:
    """Return the warnings that a run begins with."""
    section = _section(experiment)
    factors = _network(experiment, section).factors()
    if section.correct_gain or np.all(factors == 1.0):
        return []
    shares = ", ".join(f"{1.0 / factor:.3g}" for factor in factors)
    return [
        "warning: resistive.correct_gain is false: the amplifiers scale the layers' gradients "
        f"by (B/A)^k = {shares} from input to output; learning.eta must absorb it."
    ]


def _simulator(experiment: Experiment) -> Simulator:
    if experiment.run.simulator == "numba":
        return NumbaSimulator()
    from ..spice_netlists.simulator import NgspiceSimulator

    return NgspiceSimulator()


def _section(experiment: Experiment) -> ResistiveSection:
    if experiment.resistive is None:
        raise ConfigError("network.kind is 'resistive', so it needs a section [resistive].")
    return experiment.resistive


def _ends(section: ResistiveSection) -> tuple[Encoding, Readout]:
    encoding = Encoding(
        section.input_gain, section.input_offset, section.doubled_inputs, section.rails
    )
    readout = Readout(
        section.loss, section.output_gain, section.doubled_outputs, section.nudge == "current"
    )
    return encoding, readout


def _check_fit(
    experiment: Experiment, data: Dataset, encoding: Encoding, readout: Readout
) -> None:
    layers = experiment.network.layers
    needed = encoding.nodes(data.features), readout.nodes(data.classes)
    if (layers[0], layers[-1]) != needed:
        raise ConfigError(
            f"network.layers is {list(layers)}, but data.name '{data.name}' with {data.features} "
            f"inputs and {data.classes} classes takes {needed[0]} input nodes (with "
            "resistive.doubled_inputs and rails as they are) and "
            f"{needed[1]} output nodes; the first layer must be {needed[0]} and the last "
            f"{needed[1]}."
        )


def _initial(
    layout: Layout, section: ResistiveSection, rng: np.random.Generator, dtype: np.dtype
) -> NDArray:
    """Draw the initial conductances; current sources begin at 0.

    Without ``g_initial`` they are uniform between plus and minus 1 / sqrt(n_pre), and what is
    below the floor is at the floor.
    """
    theta = np.zeros(layout.length, dtype)
    ceiling = np.inf if section.g_max is None else section.g_max
    for layer in range(1, layout.depth + 1):
        shape = tuple(int(n) for n in layout.sizes[layer - 1 : layer + 1])
        ends = section.g_initial or (-(shape[0] ** -0.5), shape[0] ** -0.5)
        drawn = rng.uniform(*ends, shape)
        layout.weight(theta, layer)[...] = np.clip(drawn, section.g_floor, ceiling)
    return theta


def _network(experiment: Experiment, section: ResistiveSection) -> ResistiveNetwork:
    """Return the network without its conductances, which are 0."""
    sizes = experiment.network.layers
    g = [np.zeros(shape) for shape in pairwise(sizes)]
    ends = [_clamp(section, n) for n in sizes[1:-1]] + [(-np.inf, np.inf)]
    kind = DIODES[section.diode]
    return ResistiveNetwork.build(
        g,
        low=[low for low, _ in ends],
        high=[high for _, high in ends],
        diode=Diode(kind)._replace(**section.diode_parameters),
        gain=section.gain,
        back_gain=section.back_gain,
    )


def _clamp(section: ResistiveSection, n: int) -> tuple[Any, Any]:
    if section.clamp == "none":
        return -np.inf, np.inf
    if section.clamp == "rails":
        return section.low, section.high
    first = np.arange(n) < n - n // 2
    return np.where(first, 0.0, -np.inf), np.where(first, np.inf, 0.0)


def _rails(network: ResistiveNetwork, dtype: np.dtype) -> Rails:
    """Return the gains, and the bounds where diodes are ideal."""
    return make_rails(network if network.diode.kind == 0 else _unclamped(network), dtype)


def _unclamped(network: ResistiveNetwork) -> ResistiveNetwork:
    none = [None] * network.depth
    return ResistiveNetwork.build(
        network.g, low=none, high=none, gain=network.gain, back_gain=network.back_gain
    )


def _synapses(
    experiment: Experiment,
    section: ResistiveSection,
    layout: Layout,
    rails: Rails,
    theta: NDArray,
    crossbars: list[Crossbar],
    unit: float,
) -> Synapses:
    """Return what serves requests; the learning rates absorb what the amplifiers do."""
    learning = experiment.learning
    factors = np.ones(layout.depth)
    if section.correct_gain:
        factors = _network(experiment, section).factors()
    rates = learning.eta if section.eta_currents is None else section.eta_currents
    eta = factors * np.array(learning.eta)
    eta_bias = factors * np.array(rates) if section.currents else np.zeros(layout.depth)
    if crossbars:
        cells = sum(xbar.cells for xbar in crossbars)
        policy = make_policy(learning.policy, cells, theta.dtype, learning.threshold)
        seed = experiment.run.seed
        whole = experiment.run.simulator != "numba"
        return Cells(layout, rails, theta, crossbars, eta, eta_bias, policy, unit, seed, whole)
    ceiling = np.inf if section.g_max is None else section.g_max
    return Floats(layout, rails, theta, eta, eta_bias, section.g_floor, ceiling, unit)


def _build_arrays(experiment: Experiment, layout: Layout, theta: NDArray) -> list[Crossbar]:
    """Draw one array of single cells per layer and place the initial conductances in them.

    What a window does not hold is cut off: the floor of a cell is its own lowest conductance.
    """
    if experiment.run.level == "ideal":
        return []
    cell = memristor(experiment)
    _check_effects(cell)
    sizes = [int(n) for n in layout.sizes]
    ranges = experiment.crossbar.weight_range[:1] * layout.depth
    crossbars = draw_arrays(experiment, cell, pairwise(sizes), ranges, "single", theta.dtype)
    for layer, crossbar in enumerate(crossbars, start=1):
        middle = crossbar.reference[0] / crossbar.unit
        crossbar.set_weights(layout.weight(theta, layer) - middle)
        crossbar.meter()
    if experiment.run.simulator == "numba":
        return crossbars
    from ..spice_netlists.arrays import with_spice

    access = choose_access(experiment.access)
    gate = 0.0 if experiment.access is None else experiment.access.v_gate
    return [with_spice(xbar, access, gate) for xbar in crossbars]


def _check_effects(cell: Cell) -> None:
    for name in ("read_noise", "read_disturb"):
        if getattr(cell.effects, name):
            raise ConfigError(
                f"device.{name} is on, but it is not simulated in a resistive network; set "
                f"device.{name} = false."
            )
