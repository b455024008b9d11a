"""What a report is about: the facts of a run, or what is assumed before anything is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from numpy.typing import NDArray

from ..errors import ConfigError
from ..experiment import Experiment
from ..record import Record
from ..settings.cell import choose_cell
from ..settings.hardware import HardwareSection
from .reads import Array, tile_shape

__all__ = [
    "CONTINUAL",
    "Pulse",
    "Subject",
    "Writes",
    "channel_conductance",
    "is_resistive",
    "nominal_pulse",
    "structure",
]

CONTINUAL = ("cep", "cvf")
"""The rules that program after every slot of the nudged phase."""


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
        """Memristor cells of weights and biases, those that learn."""
        return sum(array.g.size for array in self.arrays)

    @property
    def references(self) -> int:
        """Reference cells of all tiles; they come on top of :attr:`cells`."""
        return sum(array.references for array in self.arrays)

    @property
    def span(self) -> int:
        """Signals that the busiest reference line adds up in a backward read; 0 without any."""
        tile = self.experiment.crossbar.tile
        back = [a for a in self.arrays if a.references and "backward" in a.ways]
        return max((tile_shape(array, tile)[1] for array in back), default=0)

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
        return learning.nudged_steps if learning.rule in CONTINUAL else 1

    @property
    def readouts(self) -> int:
        """Times in a training sample that the neurons' states are needed as numbers."""
        learning = self.experiment.learning
        if learning.rule in CONTINUAL:
            return 1 + learning.nudged_steps
        return 3 if learning.rule == "centred-ep" else 2

    @property
    def node(self) -> str:
        """The technology node."""
        wires = self.experiment.wires
        return self.hardware.node or (wires.node if wires and wires.node else "65")


def structure(experiment: Experiment) -> list[tuple[int, tuple[int, int], tuple[str, ...], bool]]:
    """Return layer, rows and columns, ways of reading and bias line of every array.

    The arrays of a resistive network settle with it: they are not read in any way.
    """
    n = experiment.network.layers
    if is_resistive(experiment):
        return [(k, (n[k - 1], n[k]), (), False) for k in range(1, len(n))]
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


def is_resistive(experiment: Experiment) -> bool:
    """Return whether the network settles as a whole instead of being read line by line."""
    return getattr(experiment.network, "kind", "hopfield") == "resistive"


def nominal_pulse(experiment: Experiment) -> Pulse:
    """Return the nominal programming pulses of the experiment's device."""
    if experiment.device is None:
        raise ConfigError("the experiment has no [device] section.")
    p = choose_cell(experiment.device, experiment.crossbar).params
    return Pulse(abs(p.v_set), p.t_set, abs(p.v_reset), p.t_reset)


def channel_conductance(experiment: Experiment) -> float:
    """Return the conductance of the access transistor at a small drop [S]; 0 without one."""
    access = experiment.access
    return access.kp * access.w / access.l * (access.v_gate - access.vto) if access else 0.0
