"""Physics of real diodes and amplifiers: every step is a full settling by a simulator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...circuits.hopfield import Layout
from ...circuits.resistive.energy import power
from ...circuits.resistive.network import ResistiveNetwork
from ...circuits.resistive.packed import Rails
from ...circuits.simulator import Phase, Simulator
from ...errors import SimulationError
from .physics import Nudge

__all__ = ["Settling"]


class Settling:
    """Physics by a simulator.

    Parameters
    ----------
    simulator
        Whatever settles a resistive network.
    network
        Everything but the conductances and biases, which are taken from *theta*.
    layout, theta
        Conductances and current sources in units of *unit*, changed by others.
    rails
        Bounds and gains, as the learning rules take them.
    unit
        Conductance of 1 in theta [S].
    """

    def __init__(
        self,
        simulator: Simulator,
        network: ResistiveNetwork,
        layout: Layout,
        theta: NDArray,
        rails: Rails,
        unit: float,
    ) -> None:
        self.simulator = simulator
        self.layout = layout
        self.theta = theta
        self.rails = rails
        self.unit = unit
        self.dtype = np.dtype(np.float64)
        self._network = network
        self._u = np.empty((0, 0))

    def twin(self) -> Settling:
        """Return physics of the same conductances with inputs of its own."""
        return Settling(
            self.simulator, self._network, self.layout, self.theta, self.rails, self.unit
        )

    @property
    def network(self) -> ResistiveNetwork:
        """The network with its conductances as they were last taken [S]."""
        return self._network

    def inputs(self, u: NDArray) -> None:
        """Take new input voltages (batch, n_0), and the conductances as they are now."""
        self._u = u
        self.renew()

    def renew(self) -> None:
        """Take the conductances as they are now."""
        layers = range(1, self.layout.depth + 1)
        theta = self.theta.astype(np.float64) * self.unit
        self._network = replace(
            self._network,
            g=tuple(np.ascontiguousarray(self.layout.weight(theta, layer)) for layer in layers),
            bias=tuple(self.layout.bias(theta, layer) for layer in layers),
        )

    def settle(self, steps: int, nudge: Nudge, state: NDArray) -> None:
        """Settle from *state*; *steps* adds nothing to a steady state.

        Raises
        ------
        SimulationError
            If a sample finds no steady state.
        """
        batch = len(self._u)
        phase = Phase(
            self._u,
            nudge=self.unit * nudge.conductance,
            target=nudge.target if nudge.conductance != 0.0 else None,
            current=self.unit * nudge.current if nudge.current.size else None,
        )
        start = self.layout.split(state, batch)
        found = self.simulator.settle(self._network, phase, start)
        if not found.converged.all():
            raise SimulationError(
                f"{int(np.sum(~found.converged))} of {batch} samples found no steady state: "
                f"{found.message}"
            )
        for own, volts in zip(start, found.voltages, strict=True):
            own[...] = volts

    def others(self, layers: list[NDArray]) -> dict[str, float]:
        """Return the mean power [W] of diodes and amplifiers, see :class:`.Physics`."""
        self.renew()
        found = power(self._network, Phase(layers[0]), layers[1:])
        names = {"diodes": "dissipated diodes", "amplifiers": "supplied amplifiers"}
        return {own: float(np.mean(found[name])) for own, name in names.items() if name in found}
