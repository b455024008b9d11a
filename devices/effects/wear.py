"""What use does to a cell: endurance against programming pulses, disturb by reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .entries import check_fraction, check_name, check_positive, check_spread

__all__ = ["FAILURES", "Endurance", "ReadDisturb", "disturbed"]

FAILURES = ("low", "high", "hold")
"""Where a failed cell stands: at the low end, at the high end, or where it failed."""


@dataclass(frozen=True)
class Endurance:
    """Wear by programming pulses (the laws are our choice; measured endurance varies widely).

    A cell endures N pulses, drawn log-normally once per cell; the pulse after the N-th finds it
    failed, and from then on it is stuck. After n pulses, with w = (n / N)^exponent, each pulse
    moves the state by (1 - fade w) of a fresh cell's step, and the state is held in
    [close_low w, 1 - close_high w] of the window.

    Attributes
    ----------
    pulses
        Median of N.
    spread
        Standard deviation of ln N.
    fade
        Fraction of the step lost at the end of life.
    close_low, close_high
        Fractions of the window lost at its low and its high end at the end of life. They act
        only while the effect ``window`` is on.
    exponent
        How the loss goes with the count: 1 is in proportion, above 1 late, below 1 early.
    fails
        A name of :data:`FAILURES`.
    """

    pulses: float
    spread: float = 0.0
    fade: float = 0.0
    close_low: float = 0.0
    close_high: float = 0.0
    exponent: float = 1.0
    fails: str = "low"

    def __post_init__(self) -> None:
        check_positive("endurance.pulses", self.pulses, " pulses")
        check_spread("endurance.spread", self.spread, logarithmic=True)
        check_fraction("endurance.fade", self.fade)
        check_fraction("endurance.close_low", self.close_low)
        check_fraction("endurance.close_high", self.close_high)
        check_fraction("endurance.close_low + close_high", self.close_low + self.close_high)
        check_positive("endurance.exponent", self.exponent, "")
        check_name("endurance.fails", self.fails, FAILURES)


@dataclass(frozen=True)
class ReadDisturb:
    """Change of the state by each read at the read voltage.

    Attributes
    ----------
    change
        Change per read, as a fraction *of* what.
    towards
        ``"set"``: to the high end of the window; ``"reset"``: to the low end.
    of
        ``"distance"``: of what is left to that end (relative); ``"window"``: of the whole window
        (absolute).
    """

    change: float
    towards: str
    of: str = "distance"

    def __post_init__(self) -> None:
        check_fraction("read_disturb.change", self.change)
        check_positive("read_disturb.change", self.change, "")
        check_name("read_disturb.towards", self.towards, ("set", "reset"))
        check_name("read_disturb.of", self.of, ("distance", "window"))


def disturbed(disturb: ReadDisturb, x: NDArray, reads: NDArray) -> NDArray:
    """Return the states, float64, of cells at states *x* after as many *reads* each."""
    x = np.asarray(x, np.float64)
    end = 1.0 if disturb.towards == "set" else 0.0
    if disturb.of == "distance":
        with np.errstate(divide="ignore", invalid="ignore"):
            done = -np.expm1(reads * np.log1p(-disturb.change))
        return x + (end - x) * np.where(np.asarray(reads) > 0, done, 0.0)
    way = disturb.change * np.asarray(reads, np.float64)
    if disturb.towards == "set":
        return np.maximum(x, np.minimum(x + way, 1.0))
    return np.minimum(x, np.maximum(x - way, 0.0))
