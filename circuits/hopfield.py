"""The layered Hopfield-type network: its structure, its parameters and its energy.

Layers are numbered from the input: layer 0 is the input x, layers 1 to N hold state, layer N is
the output. Layer l hears a_l = s_{l-1} W_l + b_l + s_{l+1} B_{l+1}, where W_l has shape
(n_{l-1}, n_l), rows being word lines and columns bit lines as in the array that holds it, and the
backward weights B_{l+1} are W_{l+1}^T (one array read in both directions) or a second array.

All parameters live in one flat vector theta, so that one kernel serves every depth. Weights of
layers 2 to N are stored with the post-synaptic index first, since both directions of the kernels'
inner loops then run along contiguous memory; :meth:`Layout.weight` hides this.

References
----------
M. Ernoult, J. Grollier, D. Querlioz, Y. Bengio, B. Scellier, "Equilibrium propagation with
continual weight updates", arXiv 2005.04168 (2020). The circuit of which this is the clocked form
is described in docs/circuit.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import ConfigError, nearest
from .activation import activation_code

__all__ = ["DYNAMICS", "Dynamics", "HopfieldNetwork", "Layout", "make_layout"]

PROTOTYPICAL, ENERGY_BASED = range(2)
DYNAMICS = {"prototypical": PROTOTYPICAL, "energy-based": ENERGY_BASED}


class Dynamics(NamedTuple):
    """How the state moves in one time step; plain numbers, as the kernels take them."""

    kind: int
    activation: int
    time_step: float
    clamp: bool
    output_slope: bool


class Layout(NamedTuple):
    """Where each layer's parameters lie in theta and each layer's units in the state.

    Offsets are indexed by layer; entry 0 (the input) is unused. ``back`` equals ``weight`` where
    forward and backward weights are shared.
    """

    sizes: NDArray[np.int64]
    weight_at: NDArray[np.int64]
    back_at: NDArray[np.int64]
    bias_at: NDArray[np.int64]
    unit_at: NDArray[np.int64]
    length: int
    symmetric: bool

    @property
    def depth(self) -> int:
        """Number of weight layers N."""
        return len(self.sizes) - 1

    @property
    def units(self) -> int:
        """Number of state variables of one sample."""
        return int(self.sizes[1:].sum())

    def _matrix(self, theta: NDArray, at: NDArray[np.int64], layer: int) -> NDArray:
        pre, post = int(self.sizes[layer - 1]), int(self.sizes[layer])
        flat = theta[at[layer] : at[layer] + pre * post]
        return flat.reshape(pre, post) if layer == 1 else flat.reshape(post, pre).T

    def weight(self, theta: NDArray, layer: int) -> NDArray:
        """Return the view W_l of *theta*, shape (n_{l-1}, n_l), for *layer* l in 1..N."""
        return self._matrix(theta, self.weight_at, layer)

    def backward(self, theta: NDArray, layer: int) -> NDArray:
        """Return the view B_l^T of *theta*, shape (n_{l-1}, n_l), for *layer* l in 2..N."""
        return self._matrix(theta, self.back_at, layer)

    def bias(self, theta: NDArray, layer: int) -> NDArray:
        """Return the view b_l of *theta*, shape (n_l,), for *layer* l in 1..N."""
        return theta[self.bias_at[layer] : self.bias_at[layer] + self.sizes[layer]]

    def split(self, state: NDArray, batch: int) -> list[NDArray]:
        """Return the views of a flat *state* for layers 1..N, each of shape (batch, n_l)."""
        return [
            state[batch * at : batch * (at + n)].reshape(batch, n)
            for at, n in zip(self.unit_at[1:], self.sizes[1:], strict=True)
        ]


def make_layout(sizes: Sequence[int], symmetric: bool = True) -> Layout:
    """Return the layout of a network with layer *sizes*, input first.

    Raises
    ------
    ConfigError
        If there are fewer than two layers or a layer has no unit.
    """
    n = [int(size) for size in sizes]
    if len(n) < 2 or min(n) < 1:
        raise ConfigError(f"network.layers is {n}; at least two layers of at least one unit each")
    depth = len(n) - 1
    weight_at, back_at, bias_at, unit_at = (np.zeros(depth + 1, np.int64) for _ in range(4))
    length = units = 0
    for layer in range(1, depth + 1):
        weight_at[layer], length = length, length + n[layer - 1] * n[layer]
        bias_at[layer], length = length, length + n[layer]
        unit_at[layer], units = units, units + n[layer]
    back_at[:] = weight_at
    if not symmetric:
        for layer in range(2, depth + 1):
            back_at[layer], length = length, length + n[layer - 1] * n[layer]
    sizes_array = np.array(n, np.int64)
    return Layout(sizes_array, weight_at, back_at, bias_at, unit_at, length, symmetric)


@dataclass(frozen=True)
class HopfieldNetwork:
    """Structure and dynamics of a layered network; its parameters are passed beside it.

    Attributes
    ----------
    layout
        Sizes and offsets, see :func:`make_layout`.
    dynamics
        Kind of dynamics, activation and time step.
    """

    layout: Layout
    dynamics: Dynamics

    @staticmethod
    def build(
        layers: Sequence[int],
        dynamics: str = "prototypical",
        activation: str = "sigmoid",
        *,
        symmetric: bool = True,
        time_step: float = 1.0,
        clamp: bool = False,
        output_slope: bool = True,
    ) -> HopfieldNetwork:
        """Return a network from the words an experiment file uses.

        Parameters
        ----------
        layers
            Units per layer, input first.
        dynamics
            ``"prototypical"`` (clocked sample-and-hold neurons, s <- rho(a)) or
            ``"energy-based"`` (s <- s + dt (-s + rho'(s) a), a summing rho of the neighbours).
        activation
            A name of :data:`~ohmlearn.circuits.activation.ACTIVATIONS`.
        symmetric
            One array read in both directions, or separate forward and backward arrays.
        time_step, clamp, output_slope
            Energy-based only: dt in units of C / g_L; clip the state to [0, 1]; keep the factor
            rho' on the output too (needed for Theorem 1 to be exact; the published code omits it).

        Raises
        ------
        ConfigError
            If a name is unknown or a size or time step is out of range.
        """
        if dynamics not in DYNAMICS:
            raise ConfigError(nearest(dynamics, DYNAMICS, "network.dynamics"))
        if not 0.0 < time_step <= 1.0:
            raise ConfigError(f"network.time_step is {time_step}; allowed: above 0, at most 1")
        code = activation_code(activation)
        moves = Dynamics(DYNAMICS[dynamics], code, float(time_step), clamp, output_slope)
        return HopfieldNetwork(make_layout(layers, symmetric), moves)

    def initial_parameters(
        self, rng: np.random.Generator, angle: float = 0.0, dtype: DTypeLike = np.float64
    ) -> NDArray:
        """Draw W, b ~ U(-1/sqrt(n_pre), 1/sqrt(n_pre)), the published initialisation.

        With separate backward weights, B starts as W^T with each sign flipped with probability
        (1 - cos *angle*) / 2, *angle* in degrees: the expected angle between the two.
        """
        layout = self.layout
        # On a cache line's start: a vector that straddles two lines is loaded twice.
        line = 64 // np.dtype(dtype).itemsize
        buffer = np.zeros(layout.length + line, dtype)
        start = -buffer.ctypes.data % 64 // buffer.itemsize
        theta = buffer[start : start + layout.length]
        for layer in range(1, layout.depth + 1):
            bound = 1.0 / np.sqrt(float(layout.sizes[layer - 1]))
            weight, bias = layout.weight(theta, layer), layout.bias(theta, layer)
            weight[...] = rng.uniform(-bound, bound, weight.shape)
            bias[...] = rng.uniform(-bound, bound, bias.shape)
        if not layout.symmetric:
            flip = 0.5 * (1.0 - np.cos(np.deg2rad(angle)))
            for layer in range(2, layout.depth + 1):
                weight = layout.weight(theta, layer)
                sign = np.where(rng.random(weight.shape) < flip, -1, 1).astype(theta.dtype)
                layout.backward(theta, layer)[...] = sign * weight
        return theta
