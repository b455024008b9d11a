"""DAC and ADC at the edges of a tile: resolution, range, noise, and mismatch of each converter.

A line is driven with the nearest of the DAC's levels, and its current is returned as the nearest
of the ADC's, after the converter's own gain and offset and its noise. Everything is counted in
*signal* units: 1 is the full-scale drive voltage on a line, or the current that weight 1 passes at
that voltage, so the numbers do not depend on the conductance window.

Inputs are encoded as an amplitude, or as the width of a pulse at the full-scale voltage, its sign
choosing the polarity. The width form reads every cell at one voltage, so a cell whose current is
not proportional to its voltage still multiplies exactly as long as the lines are ideal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ...devices.counter_rng import Stream, normals
from ...errors import ConfigError, nearest
from ...jit import inlined

__all__ = [
    "ENCODINGS",
    "Converters",
    "Mismatch",
    "draw_mismatch",
    "levels_step",
    "quantise",
    "round_to_levels",
]

ENCODINGS = ("amplitude", "pulse-width")


@dataclass(frozen=True)
class Converters:
    """The converters of an array; a resolution of ``None`` is an exact conversion.

    Attributes
    ----------
    dac_bits, adc_bits
        Resolution, 1 to 24 bits; both converters are symmetric about zero and have zero as a
        level, hence 2**bits - 1 levels (with one bit three: zero and either end).
    dac_range
        Largest signal that a line can be driven with.
    adc_noise
        Standard deviation of the noise of one conversion, in units of the last bit.
    adc_gain, adc_offset
        Standard deviation over the converters of their relative gain error, and of their offset in
        units of the last bit.
    encoding
        ``"amplitude"`` or ``"pulse-width"``.

    Raises
    ------
    ConfigError
        If a number is outside its range, or an error in units of the last bit is given without
        ``adc_bits``.
    """

    dac_bits: int | None = None
    adc_bits: int | None = None
    dac_range: float = 1.0
    adc_noise: float = 0.0
    adc_gain: float = 0.0
    adc_offset: float = 0.0
    encoding: str = "amplitude"

    def __post_init__(self) -> None:
        for name in ("dac_bits", "adc_bits"):
            bits = getattr(self, name)
            if bits is not None and not (isinstance(bits, int) and 1 <= bits <= 24):
                raise ConfigError(f"converters.{name} is {bits!r}; allowed is 1 to 24, or none.")
        for name in ("adc_noise", "adc_gain", "adc_offset"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ConfigError(
                    f"converters.{name} is {getattr(self, name)!r}; allowed is a finite number of "
                    "at least 0."
                )
        if not 0.0 < self.dac_range < math.inf:
            raise ConfigError(
                f"converters.dac_range is {self.dac_range!r}; allowed is a finite number above 0."
            )
        if self.adc_bits is None and (self.adc_noise > 0 or self.adc_offset > 0):
            raise ConfigError(
                "converters.adc_noise and adc_offset are in units of the ADC's last bit; set "
                "converters.adc_bits too."
            )
        if self.encoding not in ENCODINGS:
            raise ConfigError(nearest(self.encoding, ENCODINGS, "converters.encoding"))

    @property
    def active(self) -> bool:
        """Whether a read with these converters differs from an exact one."""
        return self.dac_bits is not None or self.adc_bits is not None or self.adc_gain > 0


def levels_step(bits: int | None, limit: float) -> float:
    """Return the distance of two levels of a converter that reaches from -limit to limit.

    0 stands for an exact conversion.
    """
    return 0.0 if bits is None else limit / max(2 ** (bits - 1) - 1, 1)


@inlined
def quantise(value, step, limit):
    """Return the level nearest to *value*, a half going to the even one; *step* 0 is exact.

    Beyond the *limit* a converter saturates.
    """
    if step > 0:
        value = min(max(np.rint(value / step) * step, -limit), limit)
    return value


def round_to_levels(value: ArrayLike, step: float, limit: float) -> tuple[NDArray, NDArray]:
    """Do what :func:`quantise` does to every number of an array.

    Returns
    -------
    levels : ndarray
    saturated : ndarray of bool
        Where the nearest level would have been beyond the limit.
    """
    value = np.asarray(value, np.float64)
    if step <= 0:
        return value, np.zeros(value.shape, bool)
    level = np.rint(value / step) * step
    saturated = np.abs(level) > limit + 0.25 * step  # the last level is the limit, to rounding
    return np.clip(level, -limit, limit), saturated


class Mismatch(NamedTuple):
    """Gain and offset of each converter of an array.

    Attributes
    ----------
    gain, offset : (converters,)
        Factor on the signal, and what is added to it in units of the last bit.
    """

    gain: NDArray
    offset: NDArray


def draw_mismatch(
    converters: Converters, count: int, seed: int, number: int, dtype: DTypeLike = np.float64
) -> Mismatch:
    """Draw gain and offset of *count* converters; *number* tells groups of one seed apart."""
    drawn = normals(seed, Stream.CONVERTER, number, 2 * count, dtype)
    gain = (1.0 + converters.adc_gain * drawn[:count]).astype(dtype)
    return Mismatch(gain, (converters.adc_offset * drawn[count:]).astype(dtype))
