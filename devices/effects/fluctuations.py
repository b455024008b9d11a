"""Fluctuations that remember: random telegraph noise and 1/f noise.

Random telegraph noise: some cells hold a trap. While it is occupied the cell's conductance is
lower by a fraction. The trap is captured and emitted with constant rates, so its occupancy is a
two-state Markov chain whose autocorrelation falls as exp(-t / tau), 1 / tau = 1 / capture +
1 / emission.

1/f noise: the noise that has built up a time t after programming has the standard deviation
G(t) Q sqrt(ln((t + t_read) / (2 t_read))), Q = min(q / x^exponent, max), x = G / g_max with the
programmed conductance G.

References
----------
S. Machlup, "Noise in semiconductors: spectrum of a two-parameter random signal", Journal of
Applied Physics 25(3), 1954, doi:10.1063/1.1721637.
V. Joshi et al., "Accurate deep neural network inference using computational phase-change
memory", Nature Communications 11, 2473, 2020, doi:10.1038/s41467-020-16108-9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DeviceError, nearest
from .entries import check_fraction, check_number, check_positive, from_table

__all__ = [
    "FLICKER_SETS",
    "FlickerNoise",
    "RandomTelegraph",
    "flicker_sigma",
    "occupied_after",
    "occupied_fraction",
    "parse_flicker",
]


@dataclass(frozen=True)
class RandomTelegraph:
    """Two-level fluctuators in some of the cells.

    Attributes
    ----------
    fraction
        Fraction of cells that have one.
    amplitude
        Fraction of its conductance that a cell loses while the trap is occupied, at the upper
        end of the nominal window.
    capture, emission
        Mean times [s] that the trap stays empty and occupied.
    exponent
        The amplitude at conductance G is amplitude (g_top / G)^exponent, at most 1: with an
        exponent above 0, high resistances fluctuate more. 0 is the same at every state.
    decades
        Cells differ: both times are multiplied by one factor, uniform in its logarithm over so
        many decades around 1.
    """

    fraction: float
    amplitude: float
    capture: float
    emission: float
    exponent: float = 0.0
    decades: float = 0.0

    def __post_init__(self) -> None:
        check_fraction("random_telegraph.fraction", self.fraction)
        check_fraction("random_telegraph.amplitude", self.amplitude)
        check_positive("random_telegraph.fraction", self.fraction, "")
        check_positive("random_telegraph.amplitude", self.amplitude, "")
        check_positive("random_telegraph.capture", self.capture, " s")
        check_positive("random_telegraph.emission", self.emission, " s")
        check_positive("random_telegraph.exponent", self.exponent, "", zero=True)
        if not 0 <= check_number("random_telegraph.decades", self.decades) <= 30:
            raise DeviceError(
                f"random_telegraph.decades is {self.decades!r}; allowed is 0 to 30 decades."
            )


def occupied_fraction(telegraph: RandomTelegraph) -> float:
    """Return the probability that a trap is occupied, in the long run."""
    return telegraph.emission / (telegraph.capture + telegraph.emission)


def occupied_after(
    telegraph: RandomTelegraph, occupied: NDArray, seconds: float, slower: NDArray
) -> NDArray:
    """Return the probability that traps are occupied *seconds* after they were as *occupied*.

    Exact for any time. *slower* (cells,) is the factor on both times of each cell.
    """
    rate = (1.0 / telegraph.capture + 1.0 / telegraph.emission) / slower
    memory = np.exp(-rate * seconds)
    settled = occupied_fraction(telegraph)
    return settled + (np.asarray(occupied, np.float64) - settled) * memory


@dataclass(frozen=True)
class FlickerNoise:
    """1/f noise, built up since the cell was programmed.

    Attributes
    ----------
    q, exponent, max
        Q = min(q / x^exponent, max), relative to the conductance.
    t_read
        Duration of a read [s].
    g_max
        Conductance of x = 1 [S]; None is the upper end of the nominal window.
    """

    q: float
    exponent: float = 0.0
    max: float = 1.0
    t_read: float = 250e-9
    g_max: float | None = None

    def __post_init__(self) -> None:
        check_positive("flicker_noise.q", self.q, "")
        check_positive("flicker_noise.exponent", self.exponent, "", zero=True)
        check_positive("flicker_noise.max", self.max, "")
        check_positive("flicker_noise.t_read", self.t_read, " s")
        if self.g_max is not None:
            check_positive("flicker_noise.g_max", self.g_max, " S")


FLICKER_SETS: Mapping[str, FlickerNoise] = {
    # Nandakumar 2019, Joshi 2020, as in AIHWKit.
    "PCMLike": FlickerNoise(q=0.0088, exponent=0.65, max=0.2, t_read=250e-9, g_max=25e-6),
}
"""Published 1/f noise: name to numbers."""


def parse_flicker(value: Any, base: FlickerNoise | None) -> FlickerNoise:
    """Return the 1/f noise of an experiment: a set's name, q alone, or a table (with ``set``).

    Raises
    ------
    DeviceError
        If a name or a number is not allowed.
    """
    if isinstance(value, str):
        value = {"set": value}
    if not isinstance(value, Mapping):
        return FlickerNoise(check_number("flicker_noise", value))
    table = dict(value)
    if "set" in table:
        name = str(table.pop("set"))
        if name not in FLICKER_SETS:
            raise DeviceError(nearest(name, FLICKER_SETS, "flicker_noise set"))
        base = FLICKER_SETS[name]
    return from_table(FlickerNoise, table, base, "flicker_noise")


def flicker_sigma(
    noise: FlickerNoise, programmed: NDArray, g: NDArray, t: NDArray, g_top: float
) -> NDArray:
    """Return the standard deviation [S] of the 1/f noise of cells now at *g* [S].

    *programmed* is their conductance just after programming [S], *t* the time since then [s];
    until ``t_read`` there is none.
    """
    x = np.maximum(np.asarray(programmed, np.float64) / (noise.g_max or g_top), 1e-30)
    relative = np.minimum(noise.q * x**-noise.exponent, noise.max)
    built_up = np.log(np.maximum((t + noise.t_read) / (2.0 * noise.t_read), 1.0))
    return np.asarray(g, np.float64) * relative * np.sqrt(built_up)
