"""The simulator of this room: Numba kernels behind the two verbs.

Each kind of network brings its own pair of functions ``settle(network, phase, start, **options)``
and ``transient(network, phases, start, points, **options)``; this file only finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from numpy.typing import NDArray

from ..errors import ConfigError
from .simulator import Equilibrium, Phase, Trajectory

__all__ = ["NumbaSimulator"]

_SOLVERS = {
    ("ResistiveNetwork", "settle"): ".resistive.newton",
    ("ResistiveNetwork", "transient"): ".resistive.transient",
    ("LeakyNetwork", "settle"): ".leaky.settling",
    ("LeakyNetwork", "transient"): ".leaky.transient",
}
"""Module of each function, by kind of network; loaded when first used."""


@dataclass(frozen=True)
class NumbaSimulator:
    """Runs networks in compiled kernels; see :class:`~ohmlearn.circuits.simulator.Simulator`.

    Attributes
    ----------
    tolerance : float
        Largest error of a waveform that the step control aims at [V].
    settled_within : float
        A node has settled when it stays this close to its voltage at the end of the phase [V].
    iterations : int
        Newton iterations after which a steady state is given up.
    """

    tolerance: float = 1e-6
    settled_within: float = 1e-4
    iterations: int = 200

    def settle(
        self, network: Any, phase: Phase, start: Sequence[NDArray] | None = None
    ) -> Equilibrium:
        """Return the steady state of *network* under *phase*, sought from *start* on."""
        return _solver(network, "settle")(network, phase, start, iterations=self.iterations)

    def transient(
        self,
        network: Any,
        phases: Sequence[Phase],
        start: Sequence[NDArray] | None = None,
        points: int = 200,
    ) -> Trajectory:
        """Return the waveforms through *phases*, from *start* (zero volts if left out)."""
        return _solver(network, "transient")(
            network,
            phases,
            start,
            points,
            tolerance=self.tolerance,
            settled_within=self.settled_within,
        )


def _solver(network: Any, verb: str) -> Callable[..., Any]:
    kind = type(network).__name__
    if (kind, verb) not in _SOLVERS:
        known = ", ".join(sorted({name for name, _ in _SOLVERS}))
        raise ConfigError(f"simulator: no kernels for a {kind}; there are some for {known}.")
    return getattr(import_module(_SOLVERS[kind, verb], __package__), verb)
