"""The linear system of an array with wires: voltages for currents into its nodes.

Conjugate gradients solve it, in float32 where a small reduction of the currents suffices, since
that moves half the memory; sparse elimination takes over where they stall.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .balance import State, integrate
from .direct import DirectSolver
from .follow import follow
from .kernels import conjugate_gradients
from .ladders import Ladders, Lines, empty_ladders, factor, factor_upward
from .lanes import TwoWay, roots

__all__ = ["SINGLE", "LinearSystem", "Single"]

SINGLE = 2e-7
"""The smallest reduction of currents that float32 is trusted with."""

_DIRECT_CELLS = 300_000  # beyond, the direct solver's factors need gigabytes
_LIMIT = 20
_MOST_ROOTS = 40


class Single(NamedTuple):
    """The float32 copy: conductances, right sides, answers, room, factors."""

    g: NDArray
    fw: NDArray
    fb: NDArray
    w: NDArray
    b: NDArray
    work: NDArray
    ladders: Ladders

    @staticmethod
    def room(rows: int, columns: int) -> Single:
        """Return an empty copy for an array."""
        block = np.empty((10, rows, columns), np.float32)
        g, fw, fb, w, b = (block[k] for k in range(5))
        ladders = empty_ladders(rows, columns, np.float32)
        return Single(g, fw, fb, w, b, block[5:], ladders)


class LinearSystem:
    """Slopes of the cells (rows, columns) [S], wires, and what solving keeps between calls.

    Attributes
    ----------
    g
        The slopes; set by :meth:`renew`.
    ladders
        Their factors, once :meth:`prepare` was called.
    """

    def __init__(self, rows: int, columns: int, lines: Lines) -> None:
        self.lines = lines
        self.ladders = empty_ladders(rows, columns, np.float64)
        self._ritz = np.empty(0)
        self._spectrum: tuple[NDArray, int] | None = None
        self._work = np.empty((5, rows, columns))
        self._single: Single | None = None
        self._room: tuple[NDArray, NDArray, NDArray, NDArray] | None = None
        self._direct: DirectSolver | None = None
        self._up: tuple[NDArray, NDArray] | None = None
        self._ready = self._single_ready = self._followed = False

    def renew(self, g: NDArray) -> None:
        """Take new slopes."""
        self.g = g
        self._ready = self._single_ready = self._followed = False
        self._direct = None
        self._up = None

    def prepare(self) -> None:
        """Factorise the lines, unless that was done."""
        if not self._ready:
            factor(self.g, self.lines, self.ladders)
            self._ready = True

    def two_way(self) -> TwoWay:
        """Return the factors of the bit lines in both directions."""
        self.prepare()
        if self._up is None:
            self._up = np.empty_like(self.g), np.empty(self.g.shape[1])
            factor_upward(self.g, self.lines, *self._up)
        return TwoWay(self.ladders, *self._up)

    @property
    def relaxes(self) -> bool:
        """Whether the spectrum is known, and narrow enough for a fixed polynomial."""
        return 0 < self.ritz.size <= _MOST_ROOTS

    @property
    def direct_possible(self) -> bool:
        """Whether sparse elimination fits into memory."""
        return self.g.size <= _DIRECT_CELLS

    def solve(
        self,
        fw: NDArray,
        fb: NDArray,
        w: NDArray,
        b: NDArray,
        relative: float,
        absolute: float,
        limit: int,
    ) -> int:
        """Write the voltages [V] for node currents *fw*, *fb* [A]; return the iterations.

        Iterations stop at a residual norm of *relative* times that at the start, or *absolute*
        [A]. -1 means that *limit* of them did not suffice; the answer is then the last iterate.
        """
        self.prepare()
        trace = np.empty(2 * limit)
        count = conjugate_gradients(
            self.g, fw, fb, self.lines, self.ladders, relative, absolute, limit, self._work, w, b,
            trace,
        )  # fmt: skip
        if count > 0 and self._spectrum is None:
            self._spectrum = trace, count
        return count

    @property
    def ritz(self) -> NDArray:
        """Roots of the residual polynomial of the first solution; empty before it."""
        if not self._ritz.size and self._spectrum is not None:
            self._ritz = roots(*self._spectrum)
        return self._ritz

    @property
    def single(self) -> Single:
        """The float32 copy, for its right sides to be written."""
        if self._single is None:
            self._single = Single.room(*self.g.shape)
        return self._single

    def correct_single(self, w: NDArray, b: NDArray, scale: float, absolute: float) -> int:
        """Correct the voltages *w* and *b* for the right sides in :attr:`single`.

        These are currents times *scale*; iterations stop as in :meth:`solve` at *absolute* [A].
        Returns the iterations, -1 where float32 does not get there; nothing is done then.
        """
        single = self.single
        if not self._single_ready:
            single.g[...] = self.g
            factor(single.g, self.lines, single.ladders)
            self._single_ready = True
        count = self._iterate_single(single, absolute * scale)
        if count >= 0:
            integrate(
                single.g, single.fw, single.fb, single.w, single.b, 1.0 / scale, self.lines,
                self._work[0], w, b,
            )  # fmt: skip
        return count

    def follow(
        self, state: State, before: NDArray, scale: float, allowed: float
    ) -> tuple[int, float]:
        """Correct *state*, whose cells carried *before* [A] before they changed, by a polynomial.

        Its spectrum must be known (:attr:`relaxes`). *scale* is the inverse of the largest
        terminal current, *allowed* what may be left at a node [A]. Returns the iterations, -1
        where float32 does not get there, and what is left at a node [A].
        """
        single = self.single
        if self._room is None:
            rows, columns = self.g.shape
            block = np.empty((2, rows, columns), np.float32)
            self._room = block[0], np.empty(columns, np.float32), block[1], self._work[0]
        count, rest, renewed = follow(
            self.g, self.lines, state, before, scale, allowed, SINGLE, single, self._room,
            not self._followed, 1.0 / self.ritz, _LIMIT,
        )  # fmt: skip
        self._followed = self._followed or renewed
        return count, rest

    def _iterate_single(self, single: Single, absolute: float) -> int:
        """Solve the float32 copy by conjugate gradients."""
        g, fw, fb, w, b, work, ladders = single
        trace = np.empty(2 * _LIMIT, np.float32)
        return conjugate_gradients(
            g, fw, fb, self.lines, ladders, 0.0, absolute, _LIMIT, work, w, b, trace
        )

    def solve_direct(self, fw: NDArray, fb: NDArray, w: NDArray, b: NDArray) -> None:
        """Do so by sparse elimination."""
        self._direct = self._direct or DirectSolver(self.g, self.lines)
        w[...], b[...] = self._direct.solve(fw, fb)
