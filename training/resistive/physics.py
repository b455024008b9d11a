"""What settles the nodes of a resistive network while it learns.

Voltages of all free nodes lie in one flat vector, layer by layer, each layer (batch, n_l). A
*step* is one exact sweep over the layers with ideal diodes, and one full settling otherwise.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...circuits.hopfield import Layout
from ...circuits.resistive.descent import refuse_runaway, sweeps
from ...circuits.resistive.packed import Rails, node_totals, source_currents

__all__ = ["Descent", "Nudge", "Physics"]


class Nudge(NamedTuple):
    """What is applied to the output nodes; conductances in the units of the weights.

    Attributes
    ----------
    conductance : float
        From each node to a source at *target*; 0 in the free phase.
    target, current : (batch, n_N)
        Source voltages [V] and injected currents; of shape (0, n_N) where there are none.
    """

    conductance: float
    target: NDArray
    current: NDArray

    def times(self, factor: float) -> Nudge:
        """Return a nudge *factor* times as strong."""
        current = self.current * self.current.dtype.type(factor)
        return Nudge(factor * self.conductance, self.target, current)


class Physics(Protocol):
    """Settles nodes, given the conductances and biases in theta."""

    dtype: np.dtype
    """Type of all voltages."""
    rails: Rails
    """Bounds and gains of the layers."""

    def twin(self) -> Physics:
        """Return physics of the same conductances with inputs of its own, for another thread."""
        ...

    def inputs(self, u: NDArray) -> None:
        """Take new input voltages (batch, n_0), and the conductances as they are now."""
        ...

    def renew(self) -> None:
        """Take the conductances as they are now."""
        ...

    def settle(self, steps: int, nudge: Nudge, state: NDArray) -> None:
        """Take *steps* steps from *state*, changing it in place."""
        ...

    def others(self, layers: list[NDArray]) -> dict[str, float]:
        """Return the mean power [W] by class of element, conductances left out.

        *layers* are settled voltages (batch, n_l) [V], inputs first.
        """
        ...


class Descent:
    """Physics of ideal diodes, see :mod:`ohmlearn.circuits.resistive.descent`.

    Parameters
    ----------
    layout, rails
        The network.
    theta : (length,)
        Its conductances and biases, changed by others; its dtype is that of all voltages.
    """

    def __init__(self, layout: Layout, rails: Rails, theta: NDArray) -> None:
        self.layout = layout
        self.rails = rails
        self.theta = theta
        self.dtype = theta.dtype
        self.total = np.empty(layout.units, theta.dtype)
        self._u = self._drive = np.empty((0, 0), theta.dtype)

    def twin(self) -> Descent:
        """Return physics of the same conductances with inputs of its own."""
        return Descent(self.layout, self.rails, self.theta)

    def inputs(self, u: NDArray) -> None:
        """Take new input voltages, see :class:`Physics`."""
        self._u = u
        self._drive = np.empty((len(u), int(self.layout.sizes[1])), self.theta.dtype)
        self.renew()

    def renew(self) -> None:
        """Take the conductances as they are now."""
        node_totals(self.layout, self.rails, self.theta, self.total)
        source_currents(self.layout, self.theta, self._u, self._drive)

    def settle(self, steps: int, nudge: Nudge, state: NDArray) -> None:
        """Take *steps* sweeps from *state*.

        Raises
        ------
        SimulationError
            If a negative nudge leaves an output node without an equilibrium.
        """
        if nudge.conductance < 0.0:
            refuse_runaway(self.layout, self.total, nudge.conductance)
        sweeps(
            steps, 0.0, self.layout, self.rails, self.theta, self.total, self._drive,
            nudge.conductance, nudge.target, nudge.current, state,
        )  # fmt: skip

    def others(self, layers: list[NDArray]) -> dict[str, float]:
        """Return no power: nothing but the conductances dissipates, see :class:`Physics`."""
        return {}
