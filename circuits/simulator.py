"""The two verbs every simulator of a network has, what they are asked, and what they answer.

A network is asked to *settle* under a phase, which gives an equilibrium, or to run through phases
in time, which gives a trajectory. The simulator of this room answers with Numba kernels, the one
of :mod:`ohmlearn.spice_netlists` with ngspice; one test suite holds them against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError

__all__ = ["Equilibrium", "Phase", "Simulator", "Trajectory"]


@dataclass(frozen=True)
class Phase:
    """What is applied to a network: inputs, and a nudge of its output nodes.

    Attributes
    ----------
    inputs : (batch, n_0)
        Voltages of the input nodes [V].
    nudge : float
        Conductance from each output node to a source at its target [S]; negative in the second
        phase of centred EP; 0 in the free phase.
    target : (batch, n_N), optional
        Target voltages of the output nodes [V]; needed where *nudge* is not 0.
    current : (batch, n_N), optional
        Currents injected into the output nodes [A], for nudging by current.
    duration : float
        How long the phase lasts in a transient [s]; not used when settling.
    """

    inputs: NDArray
    nudge: float = 0.0
    target: NDArray | None = None
    current: NDArray | None = None
    duration: float = 0.0

    def __post_init__(self) -> None:
        if self.inputs.ndim != 2:
            raise ConfigError(
                f"phase: inputs have shape {self.inputs.shape}; give one row per sample."
            )
        if self.nudge != 0.0 and self.target is None:
            raise ConfigError("phase: a nudge needs a target; none is given.")
        for name in ("target", "current"):
            value = getattr(self, name)
            if value is not None and (value.ndim != 2 or len(value) != len(self.inputs)):
                raise ConfigError(
                    f"phase: {name} has shape {value.shape}; give one row for each of the "
                    f"{len(self.inputs)} samples."
                )

    @property
    def batch(self) -> int:
        """Number of samples."""
        return len(self.inputs)


@dataclass(frozen=True)
class Equilibrium:
    """A steady state.

    Attributes
    ----------
    voltages : tuple of (batch, n_l)
        Node voltages [V] of layers 1 to N.
    converged : (batch,) of bool
        Whether each sample met the tolerance.
    residual : float
        Largest violation of Kirchhoff's current law at any node [A].
    iterations : int
        Iterations of the slowest sample.
    message : str
        What to try where something did not converge; else empty.
    """

    voltages: tuple[NDArray, ...]
    converged: NDArray[np.bool_]
    residual: float
    iterations: int
    message: str = ""


@dataclass(frozen=True)
class Trajectory:
    """Waveforms of a sequence of phases.

    Attributes
    ----------
    t : (points,)
        Times [s], from 0; the end of every phase is among them.
    voltages : tuple of (points, batch, n_l)
        Node voltages [V] of layers 1 to N.
    energy : mapping of str to (phases, batch)
        Energy [J] dissipated, stored or supplied, by class of element.
    settled : (phases, batch)
        Time [s] from a phase's start after which every node stays within the settling tolerance
        of its voltage at the end of the phase.
    converged : bool
        Whether every step met its tolerance.
    steps : int
        Time steps taken.
    message : str
        What to try where it did not converge; else empty.
    """

    t: NDArray
    voltages: tuple[NDArray, ...]
    energy: Mapping[str, NDArray] = field(default_factory=dict)
    settled: NDArray | None = None
    converged: bool = True
    steps: int = 0
    message: str = ""


class Simulator(Protocol):
    """What runs a network: Numba kernels, or ngspice."""

    def settle(
        self, network: Any, phase: Phase, start: Sequence[NDArray] | None = None
    ) -> Equilibrium:
        """Return the steady state of *network* under *phase*, sought from *start* on."""
        ...

    def transient(
        self,
        network: Any,
        phases: Sequence[Phase],
        start: Sequence[NDArray] | None = None,
        points: int = 200,
    ) -> Trajectory:
        """Return the waveforms through *phases*, from *start* (zero volts if left out).

        *points* evenly spaced times per phase are returned, whatever steps were taken.
        """
        ...
