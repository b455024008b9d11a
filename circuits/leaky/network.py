"""The Hopfield-type circuit: cells, leaks, capacitors and the activation stage of the neurons.

Node i of layer l obeys

    C_l dv_i/dt = -g_L,l v_i + sum_j (g+_ji - g-_ji) V_ref rho(v_j / V_ref)     from layer l - 1
                  + (g+_0i - g-_0i) V_ref                                       bias row
                  + r_l sum_k (g+_ik - g-_ik) V_ref rho(v_k / V_ref)            from layer l + 1
                  + nudge (V_ref y_i - v_i)                                     output nodes

with r_l = g_L,l / g_L,l+1 the gain of the sense stage in the backward read, which makes a unit of
weight the same both ways. Inputs are voltages V_ref x. On tiles with wires g stands for the
conductances that the edges of the tiles see.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError, nearest
from ..activation import ACTIVATIONS
from .tiles import Tiling, seen

__all__ = ["Edges", "LeakyNetwork"]


class Edges(NamedTuple):
    """Conductances [S] that the lines see: those of the cells, or of the tiles' edges."""

    plus: tuple[NDArray, ...]
    minus: tuple[NDArray, ...]
    back_plus: tuple[NDArray, ...]
    back_minus: tuple[NDArray, ...]


@dataclass(frozen=True)
class LeakyNetwork:
    """A layered network of leaky integrators.

    Attributes
    ----------
    plus, minus : tuple of (n_{l-1} + 1, n_l)
        Conductances [S] of the cells in the two arms of each pair, the bias row last, for l in
        1..N.
    back_plus, back_minus : tuple of (n_{l-1}, n_l)
        The same for separate backward arrays of layers 2 to N, index 0 being layer 2; empty where
        the forward array is read backward.
    leak : tuple of float
        Leak g_L of the nodes of layers 1 to N [S].
    capacitance : tuple of float
        Capacitance of each of their nodes [F].
    v_ref : float
        Voltage of signal 1 [V].
    activation : str
        A name of :data:`~ohmlearn.circuits.activation.ACTIVATIONS`.
    tiling : Tiling, optional
        How the arrays are cut into tiles with wires; ideal lines where left out.
    """

    plus: tuple[NDArray, ...]
    minus: tuple[NDArray, ...]
    leak: tuple[float, ...]
    capacitance: tuple[float, ...]
    v_ref: float
    activation: str = "sigmoid"
    back_plus: tuple[NDArray, ...] = ()
    back_minus: tuple[NDArray, ...] = ()
    tiling: Tiling | None = None

    def __post_init__(self) -> None:
        shapes = [each.shape for each in self.plus]
        if shapes != [each.shape for each in self.minus] or any(
            a[1] + 1 != b[0] for a, b in pairwise(shapes)
        ):
            raise ConfigError(
                f"leaky network: arrays have shapes {shapes}; each needs one row per node of the "
                "layer before and one for the biases, the same for both arms."
            )
        if len(self.leak) != len(shapes) or len(self.capacitance) != len(shapes):
            raise ConfigError(
                f"leaky network: {len(self.leak)} leaks and {len(self.capacitance)} capacitances "
                f"are given for {len(shapes)} layers."
            )
        if not all(np.isfinite(v) and v > 0 for v in (*self.leak, *self.capacitance, self.v_ref)):
            raise ConfigError("leaky network: leaks, capacitances and v_ref must be above 0.")
        if self.activation not in ACTIVATIONS:
            raise ConfigError(nearest(self.activation, ACTIVATIONS, "network.activation"))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Nodes per layer, inputs first, without bias rows."""
        return (self.plus[0].shape[0] - 1, *(each.shape[1] for each in self.plus))

    @property
    def depth(self) -> int:
        """Number of weight layers N."""
        return len(self.plus)

    @property
    def symmetric(self) -> bool:
        """Whether one array per layer is read in both directions."""
        return not self.back_plus

    @cached_property
    def edges(self) -> Edges:
        """What the lines see, found once: on tiles with wires after a solution of every tile.

        Forward and backward reads of an array see the same, see :mod:`.tiles`.

        Raises
        ------
        ConfigError
            If wires meet a conductance that is negative or not finite.
        """
        if self.tiling is None:
            return Edges(self.plus, self.minus, self.back_plus, self.back_minus)
        found = []
        for plus, minus in ((self.plus, self.minus), (self.back_plus, self.back_minus)):
            pairs = [seen(self.tiling, a, b) for a, b in zip(plus, minus, strict=True)]
            found += [tuple(pair[arm] for pair in pairs) for arm in (0, 1)]
        return Edges(*found)

    def behind(self, layer: int) -> tuple[NDArray, NDArray]:
        """Return the cells [S] of both arms that *layer* drives towards the input, (n_{l-1}, n_l).

        The bias row of a shared array is left out.
        """
        if self.symmetric:
            return self.plus[layer - 1][:-1], self.minus[layer - 1][:-1]
        return self.back_plus[layer - 2], self.back_minus[layer - 2]

    def time_constants(self) -> NDArray:
        """Return tau = C / g_L [s] of layers 1 to N."""
        return np.array(self.capacitance) / np.array(self.leak)
