"""From an experiment, or the record of a finished run, to its network as a circuit in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..assembly import build
from ..circuits.leaky.network import LeakyNetwork
from ..circuits.resistive.network import ResistiveNetwork
from ..circuits.simulator import Phase
from ..errors import ConfigError, RecordError
from ..experiment import Experiment, load_experiment, parse_experiment
from ..record import Record, learned, read_record
from ..training.datasets import load
from ..training.ideal import IdealLearner
from ..training.pulsed import PulsedLearner
from ..training.resistive.learner import ResistiveLearner
from ..training.samples import Dataset
from .leaky import leaky_network, leaky_notes, leaky_phases
from .resistive import resistive_circuit, resistive_circuit_notes, resistive_phases

__all__ = ["Circuit", "circuit_of", "learner_of", "open_source"]


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
    show
        ``show(x, y)`` returns the free and the nudged phase of samples (batch, features) and
        one-hot targets (batch, classes).
    notes
        Sentences on what the circuit leaves out or had to choose.
    trained
        Whether its conductances are those at the end of a run.
    """

    experiment: Experiment
    network: LeakyNetwork | ResistiveNetwork
    data: Dataset
    show: Callable[[NDArray, NDArray], tuple[Phase, Phase]]
    notes: tuple[str, ...]
    trained: bool

    @property
    def title(self) -> str:
        """One line that says what the circuit is."""
        kind = "Hopfield-type" if isinstance(self.network, LeakyNetwork) else "resistive"
        sizes = "-".join(map(str, self.network.sizes))
        when = "trained" if self.trained else "initial weights"
        return f"{self.experiment.name}: {kind} network {sizes}, {when}"

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
        x = self.data.x_test[chosen].astype(np.float64)
        return self.show(x, np.eye(self.data.classes)[self.data.y_test[chosen]])


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


def learner_of(
    experiment: Experiment, record: Record | None = None, data_dir: str | Path | None = None
) -> tuple[IdealLearner | PulsedLearner | ResistiveLearner, Dataset]:
    """Return what learns in *experiment*, at its initial weights or as trained, and its data.

    The errors are those of :func:`circuit_of`.
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
    return learner, data


def circuit_of(
    experiment: Experiment, record: Record | None = None, data_dir: str | Path | None = None
) -> Circuit:
    """Return the network of *experiment* as a circuit: at its initial weights, or as trained.

    At level 'device' the conductances are those of the cells, on tiles with wires if there are
    any. At level 'ideal' every weight becomes a pair around the middle of a conductance window.

    Raises
    ------
    UserError
        If the experiment, its data or its device do not fit.
    RecordError
        If *record* does not fit the experiment.
    """
    learner, data = learner_of(experiment, record, data_dir)
    if isinstance(learner, ResistiveLearner):
        network = resistive_circuit(experiment, learner)
        notes = resistive_circuit_notes(network)

        def show(x: NDArray, y: NDArray) -> tuple[Phase, Phase]:
            return resistive_phases(experiment, learner, network, x, y)
    else:
        network, notes = leaky_network(experiment, learner)
        notes += leaky_notes(experiment)
        show = partial(leaky_phases, experiment, network)
    return Circuit(experiment, network, data, show, tuple(notes), record is not None)
