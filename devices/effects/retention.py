"""Retention: what happens to a programmed conductance as time passes.

===========  ===============================================================================
kind         conductance at time t after programming, G being the one programmed
===========  ===============================================================================
power-law    G_inf + (G - G_inf) (t / t0)^-nu from t0 on; nu is drawn once per cell
log          G + m + s z, m = mean + mean_slope ln(t / t0), s = spread + spread_slope ln(t / t0)
relaxation   G + sigma(G, t) z; sigma is known at some times and interpolated in ln t between
===========  ===============================================================================

z is a standard normal number that is drawn anew whenever the cell is programmed. Our choices,
where the sources are silent: before the first time (t0, or the first of ``times``) the change of
"log" and "relaxation" grows in proportion to t; beyond the last time it stays; one z serves all
times, so a cell keeps the side to which it went. No conductance falls below 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import DeviceError
from .entries import check_number, check_positive, check_spread

__all__ = [
    "KINDS",
    "Line",
    "Logarithmic",
    "PowerLaw",
    "Relaxation",
    "Retention",
    "kind_of",
    "relaxation_sigma",
    "retained",
]

_LEAST = 1e-7  # smallest G / g_max of which a logarithm is taken


@dataclass(frozen=True)
class Line:
    """A number that depends on the state: offset + slope ln x, held between *min* and *max*.

    x = G / g_max, with the conductance G just after programming.
    """

    offset: float
    slope: float = 0.0
    min: float = 0.0
    max: float = math.inf

    def __post_init__(self) -> None:
        for name in ("offset", "slope", "min"):
            check_number(f"retention: {name} of nu or of its spread", getattr(self, name))
        if not 0 <= self.min <= self.max:
            raise DeviceError(
                f"retention: nu or its spread is held between min {self.min!r} and max "
                f"{self.max!r}; allowed is 0 <= min <= max."
            )

    def __str__(self) -> str:
        return f"{self.offset:g} {self.slope:+g} ln x within [{self.min:g}, {self.max:g}]"

    def at(self, x: NDArray) -> NDArray:
        """Return the number at relative conductances *x*."""
        line = self.offset + self.slope * np.log(np.maximum(x, _LEAST))
        return np.clip(line, self.min, self.max)


@dataclass(frozen=True)
class PowerLaw:
    """Power-law drift towards the conductance *towards* [S].

    Attributes
    ----------
    nu, spread
        Mean and standard deviation of the exponent between cells: numbers, or a :class:`Line`
        each. No cell has an exponent below 0.
    t0
        Time after programming [s] at which the programmed conductance is meant; it stays until
        then.
    towards
        Conductance at infinite time [S].
    g_max
        Conductance of x = 1 [S]; None is the upper end of the nominal window.
    """

    nu: float | Line
    spread: float | Line = 0.0
    t0: float = 1.0
    towards: float = 0.0
    g_max: float | None = None

    def __post_init__(self) -> None:
        for name in ("nu", "spread"):
            value = getattr(self, name)
            if not isinstance(value, Line):
                check_positive(f"retention.{name}", value, "", zero=True)
        _check_common(self.g_max, self.t0)
        check_positive("retention.towards", self.towards, " S", zero=True)
        _check_any("nu and its spread", (self.nu, self.spread))


@dataclass(frozen=True)
class Logarithmic:
    """Shift and spread that grow with ln(t / t0), the same at every conductance; all in [S].

    Attributes
    ----------
    mean, mean_slope, spread, spread_slope
        Mean shift and standard deviation at t0, and what each gains per unit of ln t.
    t0
        First time after programming [s] at which this holds.
    """

    mean: float = 0.0
    mean_slope: float = 0.0
    spread: float = 0.0
    spread_slope: float = 0.0
    t0: float = 1.0

    def __post_init__(self) -> None:
        check_number("retention.mean", self.mean)
        check_number("retention.mean_slope", self.mean_slope)
        check_spread("retention.spread", self.spread)
        check_spread("retention.spread_slope", self.spread_slope)
        _check_common(None, self.t0)
        _check_any("its numbers", (self.mean, self.mean_slope, self.spread, self.spread_slope))


@dataclass(frozen=True)
class Relaxation:
    """Gaussian spread that depends on state and time.

    Attributes
    ----------
    times
        Times after programming [s], rising.
    sigma
        For each time the coefficients c0, c1, ... of sigma / g_max = sum_i c_i x^i, with
        x = G / g_max held in [0, 1]. A negative sigma counts as 0.
    g_max
        Conductance of x = 1 [S]; None is the upper end of the nominal window.
    """

    times: tuple[float, ...]
    sigma: tuple[tuple[float, ...], ...]
    g_max: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.times, tuple) or not isinstance(self.sigma, tuple):
            raise DeviceError("retention.times and retention.sigma must be lists.")
        for time in self.times:
            check_positive("retention.times", time, " s")
        if not self.times or any(b <= a for a, b in zip(self.times, self.times[1:], strict=False)):
            raise DeviceError(
                f"retention.times is {list(self.times)}; allowed are rising times in seconds."
            )
        if len(self.sigma) != len(self.times):
            raise DeviceError(
                f"retention.sigma has {len(self.sigma)} lists of coefficients for "
                f"{len(self.times)} times; give one for each."
            )
        for row in self.sigma:
            if not isinstance(row, tuple) or not row:
                raise DeviceError(
                    f"retention.sigma holds {row!r}; allowed is a list of coefficients, c0 first."
                )
            for c in row:
                check_number("retention.sigma", c)
        _check_common(self.g_max, self.times[0])
        _check_any("its coefficients", tuple(c for row in self.sigma for c in row))


Retention = PowerLaw | Logarithmic | Relaxation

KINDS = {"power-law": PowerLaw, "log": Logarithmic, "relaxation": Relaxation}
"""Retention laws by the name of their kind."""


def _check_common(g_max: float | None, t0: float) -> None:
    check_positive("retention.t0", t0, " s")
    if g_max is not None:
        check_positive("retention.g_max", g_max, " S")


def _check_any(what: str, values: tuple[object, ...]) -> None:
    if not any(values):
        raise DeviceError(f"retention is on, but {what} are all 0; write false to switch it off.")


def kind_of(law: Retention) -> str:
    """Return the name of the kind of *law*."""
    return next(name for name, kind in KINDS.items() if isinstance(law, kind))


def retained(law: Retention, g: NDArray, t: NDArray, z: NDArray, g_top: float) -> NDArray:
    """Return the conductances [S] to which cells have come.

    Parameters
    ----------
    law
        How they change.
    g : (cells,)
        Conductances just after programming [S].
    t : (cells,)
        Times since then [s].
    z : (cells,)
        A standard normal number per cell: of its exponent, for a power law; of its last
        programming, for the others.
    g_top : float
        Conductance of x = 1 where the law names none [S].

    Returns
    -------
    ndarray of float64, (cells,), at least 0
    """
    g = np.asarray(g, np.float64)
    if isinstance(law, PowerLaw):
        x = g / (law.g_max or g_top)
        mean, spread = (
            value.at(x) if isinstance(value, Line) else value for value in (law.nu, law.spread)
        )
        nu = np.maximum(mean + spread * z, 0.0)
        lost = -np.expm1(-nu * np.log(np.maximum(t, law.t0) / law.t0))
        return np.maximum(g - (g - law.towards) * lost, 0.0)
    if isinstance(law, Logarithmic):
        early, late = np.minimum(t / law.t0, 1.0), np.log(np.maximum(t, law.t0) / law.t0)
        mean = law.mean + law.mean_slope * late
        spread = law.spread + law.spread_slope * late
        return np.maximum(g + early * (mean + spread * z), 0.0)
    return np.maximum(g + relaxation_sigma(law, g, t, g_top) * z, 0.0)


def relaxation_sigma(law: Relaxation, g: NDArray, t: NDArray, g_top: float) -> NDArray:
    """Return the standard deviation [S] of cells programmed to *g* [S] a time *t* [s] ago."""
    g_max = law.g_max or g_top
    x = np.clip(np.asarray(g, np.float64) / g_max, 0.0, 1.0)
    known = np.maximum([np.polynomial.polynomial.polyval(x, row) for row in law.sigma], 0.0)
    first, last = law.times[0], law.times[-1]
    position = np.interp(
        np.log(np.clip(t, first, last)), np.log(law.times), np.arange(len(law.times))
    )
    before = np.minimum(position.astype(np.int64), max(len(law.times) - 2, 0))
    after = np.minimum(before + 1, len(law.times) - 1)
    cell = np.arange(x.size)
    weight = position - before
    sigma = (1.0 - weight) * known[before, cell] + weight * known[after, cell]
    return g_max * np.minimum(t / first, 1.0) * sigma
