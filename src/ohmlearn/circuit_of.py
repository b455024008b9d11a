"""From an experiment, or the record of a finished run, to its network as a circuit in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .build import build
from .circuits.leaky.network import LeakyNetwork
from .circuits.simulator import Phase
from .errors import ConfigError, RecordError
from .experiment import Experiment, load_experiment, parse_experiment
from .record import Record, learned, read_record
from .training.datasets import load
from .training.ideal import IdealLearner
from .training.pulsed import PulsedLearner
from .training.samples import Dataset

__all__ = ["Circuit", "circuit_of", "open_source"]

_WINDOW = 5e-6, 100e-6  # S; what an experiment without a device is given where it names none
_FREE, _SLOT = 20.0, 5.0  # time constants


@dataclass(frozen=True, eq=False)
class Circuit:
    """A network as a circuit, and the samples it can be shown.

    Attributes
    ----------
    experiment
        Where it comes from.
    network
        The circuit.
    data
        Its data set.
    notes
        Sentences on what the circuit leaves out or had to choose.
    trained
        Whether its conductances are those at the end of a run.
    """

    experiment: Experiment
    network: LeakyNetwork
    data: Dataset
    notes: tuple[str, ...]
    trained: bool

    @property
    def title(self) -> str:
        """One line that says what the circuit is."""
        sizes = "-".join(map(str, self.network.sizes))
        when = "trained" if self.trained else "initial weights"
        return f"{self.experiment.name}: Hopfield-type network {sizes}, {when}"

    def phases(self, samples: Sequence[int]) -> tuple[Phase, Phase]:
        """Return the free and the nudged phase of the test *samples*, with their durations.

        Raises
        ------
        ConfigError
            If there is no such sample.
        """
        rows = len(self.data.x_test)
        for sample in samples:
            if not 0 <= sample < rows:
                raise ConfigError(
                    f"sample {sample}: the test set of {self.data.name} has rows 0 to {rows - 1}."
                )
        chosen = list(samples)
        v_ref, section = self.network.v_ref, self.experiment.circuit
        inputs = v_ref * self.data.x_test[chosen].astype(np.float64)
        target = v_ref * np.eye(self.data.classes)[self.data.y_test[chosen]]
        tau = float(self.network.time_constants().max())
        slot = section.slot_duration or _SLOT * tau
        learning = self.experiment.learning
        nudge = learning.beta * self.network.leak[-1]
        free = Phase(inputs, target=target, duration=section.free_duration or _FREE * tau)
        return free, Phase(inputs, nudge, target, duration=learning.nudged_steps * slot)


def open_source(
    path: Path | None, overrides: Sequence[str] = ()
) -> tuple[Experiment, Record | None]:
    """Return the experiment at *path* and, if that is the folder of a finished run, its record.

    Parameters
    ----------
    path
        An experiment file, a run's folder, or ``None`` for the default experiment.
    overrides
        ``"section.key=value"``; of a run only ``[circuit]`` can change.

    Raises
    ------
    ConfigError
        The experiment is not allowed, or an override would change what the run was.
    RecordError
        The folder holds no finished run, or a damaged one.
    """
    if path is None or not path.is_dir():
        return load_experiment(path, overrides), None
    record = read_record(path)
    where = f"the experiment stored in {path}"
    experiment = parse_experiment(record.experiment, where, overrides)
    changed = experiment.differences(parse_experiment(record.experiment, where))
    if changed:
        raise ConfigError(
            f"{path} holds a finished run, of which {', '.join(changed)} cannot change any more; "
            "only keys of [circuit] can."
        )
    return experiment, record


def circuit_of(
    experiment: Experiment, record: Record | None = None, data_dir: str | Path | None = None
) -> Circuit:
    """Return the network of *experiment* as a circuit: at its initial weights, or as trained.

    At level 'device' the conductances are those of the cells, seen through wires if there are
    any. At level 'ideal' every weight becomes a pair around the middle of a conductance window.

    Raises
    ------
    UserError
        If the experiment, its data or its device do not fit.
    RecordError
        If *record* does not fit the experiment.
    """
    section = experiment.data
    data = load(
        section.name,
        data_dir,
        section.limit_train,
        section.limit_test,
        np.dtype(experiment.run.precision),
    )
    learner = build(experiment, data).learner
    if record is not None:
        try:
            learner.restore(learned(record))
        except (KeyError, ValueError) as error:
            raise RecordError(
                f"what is stored in {record.folder} does not fit its experiment ({error})."
            ) from error
    if isinstance(learner, IdealLearner):
        network, notes = _of_weights(experiment, learner)
    else:
        network, notes = _of_cells(experiment, learner)
    return Circuit(experiment, network, data, (*notes, *_notes(experiment)), record is not None)


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


def _notes(experiment: Experiment) -> list[str]:
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
