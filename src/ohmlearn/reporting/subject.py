"""What a report is about: the facts of a run, or what is assumed before anything is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..cell import choose_cell
from ..errors import ConfigError
from ..experiment import Experiment
from ..record import Record
from ..settings_hardware import HardwareSection
from .reads import Array

__all__ = ["Pulse", "Subject", "Writes", "assumed", "recorded"]

_CONTINUAL = ("cep", "cvf")
_NO_ROWS = "data.limit_train is not given, so an epoch is counted as one sample"


class Pulse(NamedTuple):
    """The nominal programming pulses: amplitudes [V] and widths [s]."""

    v_set: float
    t_set: float
    v_reset: float
    t_reset: float


class Writes(NamedTuple):
    """What programming one array took.

    Attributes
    ----------
    set_pulses, reset_pulses
        Pulses on single cells.
    set_energy, reset_energy, transistor_energy
        Joules in memristors and access transistors.
    set_slots, reset_slots
        Pulse slots one after the other, row by row.
    """

    set_pulses: float
    reset_pulses: float
    set_energy: float
    reset_energy: float
    transistor_energy: float
    set_slots: float
    reset_slots: float


@dataclass(frozen=True)
class Subject:
    """What the arithmetic of a report starts from.

    Attributes
    ----------
    name
    experiment
    hardware
        Its ``[hardware]``, or the defaults.
    arrays
        Forward layers 1 to N, then backward ones.
    activity : tuple of (n_l,), optional
        Mean squared signals of layers 0 to N; None where the run did not record them.
    settled_power : mapping, optional
        Mean power [W] in the settled free state by class of element, of a network that is not
        read line by line (resistive networks); it then takes the place of all array reads.
    writes : tuple of Writes, optional
        One per array, summed over *samples*.
    samples
        Training samples shown in the whole run.
    pulse
    worst_pulses, mean_pulses
        Pulses of the most and of an average pulsed cell, in the whole run.
    ohms, channel
        Wire resistances [ohm] and the access transistor's conductance [S]; empty and 0 if ideal.
    wear
        Pulses that a cell endures as simulated, or None.
    missing
        Sentences on what is left out.
    record
    """

    name: str
    experiment: Experiment
    hardware: HardwareSection
    arrays: tuple[Array, ...]
    activity: tuple[NDArray, ...] | None
    settled_power: Mapping[str, float] | None
    writes: tuple[Writes, ...] | None
    samples: int
    pulse: Pulse
    worst_pulses: float | None
    mean_pulses: float | None
    ohms: Mapping[str, float]
    channel: float
    wear: float | None
    missing: tuple[str, ...] = ()
    record: Record | None = None

    @property
    def layers(self) -> tuple[int, ...]:
        """Layer sizes, input first."""
        return self.experiment.network.layers

    @property
    def neurons(self) -> int:
        """Neurons of all layers behind the input."""
        return sum(self.layers[1:])

    @property
    def cells(self) -> int:
        """Memristor cells, with reference columns."""
        return sum(array.cells for array in self.arrays)

    @property
    def weights(self) -> int:
        """Weights and biases."""
        return sum(array.g.shape[0] * array.g.shape[1] for array in self.arrays)

    @property
    def epoch_samples(self) -> float:
        """Training samples in an epoch."""
        return self.samples / self.experiment.training.epochs

    @property
    def free_steps(self) -> int:
        """Time steps of the free phase."""
        return self.experiment.learning.free_steps

    @property
    def nudged_steps(self) -> int:
        """Slots of all nudged phases of a sample."""
        learning = self.experiment.learning
        return learning.nudged_steps * (2 if learning.rule == "centred-ep" else 1)

    @property
    def contrasts(self) -> int:
        """Programming operations per mini-batch."""
        learning = self.experiment.learning
        return learning.nudged_steps if learning.rule in _CONTINUAL else 1

    @property
    def readouts(self) -> int:
        """Times in a training sample that the neurons' states are needed as numbers."""
        learning = self.experiment.learning
        if learning.rule in _CONTINUAL:
            return 1 + learning.nudged_steps
        return 3 if learning.rule == "centred-ep" else 2

    @property
    def node(self) -> str:
        """The technology node."""
        wires = self.experiment.wires
        return self.hardware.node or (wires.node if wires and wires.node else "65")


def recorded(record: Record, experiment: Experiment) -> Subject:
    """Return what the *record* of a run holds.

    Parameters
    ----------
    record
    experiment
        The record's, perhaps with another ``[hardware]``.

    Raises
    ------
    ConfigError
        If the run has no cells.
    """
    if experiment.run.level != "device":
        raise ConfigError(
            f"{record.folder} was run at level '{experiment.run.level}', which has weights but no "
            "cells, so there is no energy to report; run it with a [device] section."
        )
    summary, found = record.summary, record.arrays
    arrays = _arrays(experiment, found)
    missing = []
    activity = _activity(experiment, found)
    power = summary.get("settled_power")
    if activity is None and power is None:
        missing.append(
            "the record holds no signals of the lines, so reading the arrays is left out"
        )
    writes = _writes(summary.get("writes"), len(arrays))
    if writes is None:
        missing.append("the record holds no programming energy, so writing is left out")
    pulses = [found[name] for name in sorted(found) if name.startswith("writes_")]
    if not pulses:
        missing.append("the record holds no pulses per cell, so wear-out of the worst is left out")
    samples = int(summary.get("train_rows") or 0) * int(summary["epochs"])
    per_cell = float(summary["pulses_total"]) / max(int(summary["cells"]), 1)
    return Subject(
        name=experiment.name,
        experiment=experiment,
        hardware=experiment.hardware or HardwareSection(),
        arrays=arrays,
        activity=activity,
        settled_power=power,
        writes=writes,
        samples=samples,
        pulse=_pulse(experiment),
        worst_pulses=float(max(int(p.max(initial=0)) for p in pulses)) if pulses else None,
        mean_pulses=per_cell,
        ohms=_ledger(summary, "wires"),
        channel=_channel(experiment),
        wear=_ledger(summary, "endurance").get("pulses"),
        missing=tuple(missing),
        record=record,
    )


def assumed(experiment: Experiment, source: str) -> Subject:
    """Return what ``[hardware]`` assumes, for a budget before anything is run.

    Raises
    ------
    ConfigError
        If an assumption is missing, or the experiment has no cells.
    """
    hardware = experiment.hardware or HardwareSection()
    needed = {k: getattr(hardware, k) for k in HardwareSection.model_fields if k[:7] == "assume_"}
    absent = [f"hardware.{name}" for name, value in needed.items() if value is None]
    if experiment.run.level != "device":
        raise ConfigError(f"{source}: a report needs cells, hence a [device] section.")
    if absent:
        raise ConfigError(
            f"{source} is an experiment, not the folder of a run; to report on it before it is "
            f"run, it must assume what a run would have measured: {', '.join(absent)}."
        )
    g, g_pulse, signal, pulses = (float(value) for value in needed.values())
    arms = 2 if experiment.crossbar.encoding == "pair" else 1
    arrays = tuple(
        Array(layer, np.full((*shape, arms), g), ways, bias)
        for layer, shape, ways, bias in _structure(experiment)
    )
    rows = experiment.data.limit_train or 1
    samples = rows * experiment.training.epochs
    pulse = _pulse(experiment)
    writes = tuple(
        _expected(array, pulse, g_pulse, pulses, samples, experiment) for array in arrays
    )
    return Subject(
        name=experiment.name,
        experiment=experiment,
        hardware=hardware,
        arrays=arrays,
        activity=tuple(np.full(n, signal**2) for n in experiment.network.layers),
        settled_power=None,
        writes=writes,
        samples=samples,
        pulse=pulse,
        worst_pulses=None,
        mean_pulses=pulses * samples,
        ohms={},
        channel=_channel(experiment),
        wear=None,
        missing=("nothing was simulated: conductances, signals and pulses are assumptions",)
        + (() if experiment.data.limit_train else (_NO_ROWS,)),
    )


def _expected(
    array: Array, pulse: Pulse, g: float, pulses: float, samples: int, experiment: Experiment
) -> Writes:
    """Return what *pulses* per cell and sample take, half of them SET and half RESET.

    A row needs a slot in each direction where any of its cells is pulsed, at random.
    """
    learning, batch = experiment.learning, experiment.training.batch_size
    events = (learning.nudged_steps if learning.rule in _CONTINUAL else 1) / batch
    half = 0.5 * pulses * array.g.size * samples
    chance = 0.5 * pulses / events
    lines = array.g.shape[1] * array.g.shape[2]
    busy = 1.0 - (1.0 - chance) ** lines if chance < 1.0 else chance
    slots = array.g.shape[0] * events * samples * busy
    up = pulse.v_set**2 * g * pulse.t_set * half
    down = pulse.v_reset**2 * g * pulse.t_reset * half
    return Writes(half, half, up, down, 0.0, slots, slots)


def _structure(experiment: Experiment) -> list[tuple[int, tuple[int, int], tuple[str, ...], bool]]:
    """Return layer, rows and columns, ways of reading and bias line of every array."""
    n = experiment.network.layers
    shared = experiment.network.symmetric
    found = [
        (
            layer,
            (n[layer - 1] + 1, n[layer]),
            ("forward", "backward") if shared and layer > 1 else ("forward",),
            True,
        )
        for layer in range(1, len(n))
    ]
    if not shared:
        found += [(k, (n[k - 1], n[k]), ("backward",), False) for k in range(2, len(n))]
    return found


def _arrays(experiment: Experiment, found: Mapping[str, NDArray]) -> tuple[Array, ...]:
    arrays = []
    cells_of_reference = experiment.crossbar.encoding == "offset"
    for number, (layer, _, ways, bias) in enumerate(_structure(experiment), start=1):
        arms = [
            found[f"g_{arm}_{number}"] for arm in ("plus", "minus") if f"g_{arm}_{number}" in found
        ]
        if not arms:
            raise ConfigError(f"the record has no conductances of array {number}.")
        reference = found.get(f"g_reference_{number}") if cells_of_reference else None
        arrays.append(Array(layer, np.stack(arms, axis=2), ways, bias, reference))
    return tuple(arrays)


def _activity(experiment: Experiment, found: Mapping[str, NDArray]) -> tuple[NDArray, ...] | None:
    names = [f"activity_{layer}" for layer in range(len(experiment.network.layers))]
    return tuple(found[name] for name in names) if all(n in found for n in names) else None


def _writes(rows: Sequence[Mapping[str, Any]] | None, arrays: int) -> tuple[Writes, ...] | None:
    if not rows or len(rows) != arrays:
        return None
    return tuple(Writes(*(float(row.get(name) or 0.0) for name in Writes._fields)) for row in rows)


def _pulse(experiment: Experiment) -> Pulse:
    if experiment.device is None:
        raise ConfigError("the experiment has no [device] section.")
    p = choose_cell(experiment.device, experiment.crossbar).params
    return Pulse(abs(p.v_set), p.t_set, abs(p.v_reset), p.t_reset)


def _channel(experiment: Experiment) -> float:
    """Return the conductance of the access transistor at a small drop [S]; 0 without one."""
    access = experiment.access
    return access.kp * access.w / access.l * (access.v_gate - access.vto) if access else 0.0


def _ledger(summary: Mapping[str, Any], name: str) -> dict[str, float]:
    """Return the numbers of an effect that was on."""
    rows = (r for r in summary["effects"] if isinstance(r, Mapping) and r.get("name") == name)
    row: Mapping[str, Any] = next(rows, {})
    return dict(row.get("numbers") or {}) if row.get("on") else {}
