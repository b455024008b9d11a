"""The resistive energy network: its elements and their parameters.

Layer 0 are input nodes, held by sources; layers 1 to N are free nodes. Node j of layer l obeys
Kirchhoff's current law

    c dv_j/dt = sum_i g_ij (A u_i - v_j) + b_j - i_clamp(v_j)
                - B' sum_k g'_jk (A' v_j - w_k) + nudge (layer N)

with u the layer before, w the layer after, A and B the voltage gain forward and the current gain
backward of the amplifier between two layers, primes for the amplifier and conductances behind
layer l. Without amplifiers A = B = 1. With the weights :meth:`ResistiveNetwork.factors` on the
layers the equations are the gradient of one co-content.

References
----------
J. Kendall, R. Pantone, K. Manickavasagam, Y. Bengio, B. Scellier, "Training end-to-end analog
neural networks with equilibrium propagation", arXiv 2006.01981 (2020). B. Scellier, "A fast
algorithm to simulate nonlinear resistive networks", ICML 2024, arXiv 2402.11674.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError

__all__ = ["BOLTZMANN", "CHARGE", "DIODES", "IDEAL", "Diode", "ResistiveNetwork"]

BOLTZMANN = 1.38064852e-23
CHARGE = 1.6021766208e-19
"""k [J/K] and q [C] of CODATA 2014, which ngspice uses: other values move nodes by nanovolts."""

_IDEAL, _SHOCKLEY, _PIECEWISE = range(3)
DIODES = {"ideal": _IDEAL, "shockley": _SHOCKLEY, "piecewise": _PIECEWISE}


class Diode(NamedTuple):
    """A diode between a node and a rail; plain numbers, as the kernels take them.

    Attributes
    ----------
    kind : int
        A value of :data:`DIODES`. An ideal diode is a bound on the node's voltage.
    i_s, n : float
        Shockley: saturation current [A] and emission coefficient.
    v_t : float
        Shockley: thermal voltage k T / q [V].
    gmin : float
        Shockley: conductance [S] in parallel with each junction.
    v_on, r_on, r_off : float
        Piecewise linear: forward voltage [V], resistance beyond it and below it [ohm].
    """

    kind: int = _IDEAL
    i_s: float = 1e-12
    n: float = 1.0
    v_t: float = BOLTZMANN * 300.15 / CHARGE
    gmin: float = 1e-12
    v_on: float = 0.3
    r_on: float = 1.0
    r_off: float = 1e20


IDEAL = Diode()


@dataclass(frozen=True)
class ResistiveNetwork:
    """A layered resistive network.

    Attributes
    ----------
    g : tuple of (n_{l-1}, n_l)
        Conductances [S] between layers l - 1 and l, for l in 1..N; none negative.
    bias : tuple of (n_l,)
        Current into each node [A].
    low, high : tuple of (n_l,)
        Rails of the clamping diodes of each node [V]; infinite where there is no diode. A node
        conducts to a rail when it lies beyond it by the diode's forward voltage.
    diode : Diode
        All clamping diodes.
    gain : tuple of float
        Voltage gain A forward of the amplifiers behind layers 1 to N - 1.
    back_gain : tuple of float
        Their current gain B backward; 1/A in Kendall's circuit, A in a reciprocal one.
    capacitance : tuple of (n_l,)
        Capacitance of each node to ground [F]; used in time only.
    """

    g: tuple[NDArray, ...]
    bias: tuple[NDArray, ...]
    low: tuple[NDArray, ...]
    high: tuple[NDArray, ...]
    diode: Diode = IDEAL
    gain: tuple[float, ...] = ()
    back_gain: tuple[float, ...] = ()
    capacitance: tuple[NDArray, ...] = ()

    def __post_init__(self) -> None:
        self._check_shapes()
        self._check_values()

    @staticmethod
    def build(
        g: tuple[NDArray, ...] | list[NDArray],
        *,
        low: list | None = None,
        high: list | None = None,
        bias: list | None = None,
        diode: Diode = IDEAL,
        gain: float | tuple[float, ...] = 1.0,
        back_gain: float | tuple[float, ...] | None = None,
        capacitance: float = 1e-12,
    ) -> ResistiveNetwork:
        """Return a network from its conductances, everything else having a default.

        Parameters
        ----------
        g
            Conductances [S] per layer, see :class:`ResistiveNetwork`.
        low, high
            Rails [V] per layer, each a number, an array or None for no diodes.
        bias
            Currents [A] per layer, each a number, an array or None for none.
        gain, back_gain
            One number for all amplifiers, or one each; *back_gain* defaults to 1 / *gain*.
        capacitance
            Of every node [F].

        Raises
        ------
        ConfigError
            If shapes do not fit or a value is not allowed.
        """
        arrays = tuple(np.ascontiguousarray(each, np.float64) for each in g)
        sizes = [each.shape[-1] for each in arrays]
        hidden = len(arrays) - 1
        forward = gain if isinstance(gain, tuple) else (float(gain),) * hidden
        if back_gain is None:
            back = tuple(1.0 / a if a else np.inf for a in forward)
        else:
            back = back_gain if isinstance(back_gain, tuple) else (float(back_gain),) * hidden
        return ResistiveNetwork(
            arrays,
            _per_node(bias, sizes, 0.0),
            _per_node(low, sizes, -np.inf),
            _per_node(high, sizes, np.inf),
            diode,
            forward,
            back,
            tuple(np.full(n, capacitance) for n in sizes),
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Nodes per layer, inputs first."""
        return (self.g[0].shape[0], *(each.shape[1] for each in self.g))

    @property
    def depth(self) -> int:
        """Number of conductance layers N."""
        return len(self.g)

    def factors(self) -> NDArray:
        """Return (A/B)^k of every conductance layer, k counting the amplifiers behind it.

        These are the weights with which the layers enter the network's energy: the raw
        difference of squared voltages of layer l times ``factors()[l - 1]`` is the gradient.
        """
        ratio = [a / b for a, b in zip(self.gain, self.back_gain, strict=True)]
        return np.array([float(np.prod(ratio[layer:])) for layer in range(self.depth)])

    def _check_shapes(self) -> None:
        sizes = [each.shape for each in self.g]
        fits = all(len(s) == 2 for s in sizes) and len(sizes) > 0
        if not fits or any(a[1] != b[0] for a, b in pairwise(sizes)):
            raise ConfigError(
                f"resistive network: conductances have shapes {sizes}; each layer must have as "
                "many rows as the one before has columns."
            )
        for name in ("bias", "low", "high", "capacitance"):
            shapes = [each.shape for each in getattr(self, name)]
            if shapes != [(s[1],) for s in sizes]:
                raise ConfigError(
                    f"resistive network: {name} has shapes {shapes}; one value for each node of "
                    "each layer is needed."
                )
        if len(self.gain) != len(self.g) - 1 or len(self.back_gain) != len(self.g) - 1:
            raise ConfigError(
                f"resistive network: {len(self.gain)} gains and {len(self.back_gain)} backward "
                f"gains are given; {len(self.g) - 1} amplifiers stand between the layers."
            )

    def _check_values(self) -> None:
        for layer, each in enumerate(self.g, 1):
            if not (np.isfinite(each).all() and (each >= 0.0).all()):
                raise ConfigError(
                    f"resistive network: layer {layer} has conductances that are negative or not "
                    "finite; allowed are finite numbers of at least 0 S."
                )
        for layer, (a, b) in enumerate(zip(self.low, self.high, strict=True), 1):
            if not (a <= b).all():
                raise ConfigError(
                    f"resistive network: in layer {layer} a lower rail lies above the upper one."
                )
        for name in ("gain", "back_gain"):
            if not all(np.isfinite(a) and a > 0.0 for a in getattr(self, name)):
                raise ConfigError(
                    f"resistive network: {name} is {getattr(self, name)}; allowed are finite "
                    "numbers above 0."
                )


def _per_node(values: list | None, sizes: list[int], default: float) -> tuple[NDArray, ...]:
    given = [None] * len(sizes) if values is None else values
    if len(given) != len(sizes):
        raise ConfigError(
            f"resistive network: {len(given)} entries are given for {len(sizes)} layers."
        )
    return tuple(
        np.broadcast_to(np.asarray(default if v is None else v, np.float64), (n,)).copy()
        for v, n in zip(given, sizes, strict=True)
    )
