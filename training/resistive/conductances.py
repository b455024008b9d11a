"""Synapses that are plain numbers: a request changes a conductance by exactly what it asks."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...circuits.hopfield import Layout
from ...circuits.resistive.packed import Rails
from .contrast import change_biases, change_conductances

__all__ = ["Contrast", "Floats", "Synapses"]


class Contrast(NamedTuple):
    """Two states that ask for a change.

    Attributes
    ----------
    u : (batch, n_0)
        Input voltages [V].
    old, new : (batch * units,)
        Voltages of the free nodes [V].
    scale : float
        What the learning rates are multiplied by: 1 / (beta batch), for instance.
    step, slot : int
        When: the number of the batch's first sample in the run, and the slot within the phase.
    """

    u: NDArray
    old: NDArray
    new: NDArray
    scale: float
    step: int
    slot: int


class Synapses(Protocol):
    """Serves requests by changing theta."""

    theta: NDArray
    eta: NDArray
    cells: int
    unit: float

    def serve(self, contrast: Contrast) -> int:
        """Change what the contrast asks for; return the programming pulses that took."""
        ...

    def state(self) -> dict[str, NDArray]:
        """Return every array that requests change."""
        ...

    def restore(self, arrays: dict[str, NDArray]) -> None:
        """Take back what :meth:`state` returned."""
        ...

    def figures(self) -> dict[str, NDArray]:
        """Return what a run record keeps."""
        ...


class Floats:
    """Conductances and biases as numbers.

    Parameters
    ----------
    layout, rails
        The network.
    theta : (length,)
        Conductances and biases, changed in place.
    eta, eta_bias : (N,)
        Learning rates of conductances and of current sources, by layer; with everything they
        must absorb in them.
    floor, ceiling
        Bounds of every conductance, in theta's units.
    unit
        Conductance of 1 in theta [S].
    """

    cells = 0

    def __init__(
        self,
        layout: Layout,
        rails: Rails,
        theta: NDArray,
        eta: NDArray,
        eta_bias: NDArray,
        floor: float = 0.0,
        ceiling: float = np.inf,
        unit: float = 1.0,
    ) -> None:
        self.layout = layout
        self.rails = rails
        self.theta = theta
        self.eta = np.asarray(eta, np.float64)
        self.eta_bias = np.asarray(eta_bias, np.float64)
        self.bounds = theta.dtype.type(floor), theta.dtype.type(ceiling)
        self.unit = unit

    def serve(self, contrast: Contrast) -> int:
        """Change what the contrast asks for; return 0."""
        u, old, new, scale, _, _ = contrast
        change_conductances(
            scale * self.eta, *self.bounds, self.layout, self.rails, u, old, new, self.theta
        )
        if self.eta_bias.any():
            change_biases(scale * self.eta_bias, self.layout, len(u), old, new, self.theta)
        return 0

    def state(self) -> dict[str, NDArray]:
        """Return the conductances and biases."""
        return {"theta": self.theta}

    def restore(self, arrays: dict[str, NDArray]) -> None:
        """Take conductances and biases back, in place."""
        self.theta[...] = arrays["theta"]

    def figures(self) -> dict[str, NDArray]:
        """Return ``g_plus_l`` [S] and ``bias_l`` [A] of every layer."""
        return named_arrays(self.layout, self.theta, self.unit)


def named_arrays(layout: Layout, theta: NDArray, unit: float) -> dict[str, NDArray]:
    """Return conductances ``g_plus_l`` [S] and current sources ``bias_l`` [A] by name."""
    kept = {}
    for layer in range(1, layout.depth + 1):
        kept[f"g_plus_{layer}"] = unit * layout.weight(theta, layer)
        kept[f"bias_{layer}"] = unit * layout.bias(theta, layer)
    return kept
