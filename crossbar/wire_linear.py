"""The linear system of an array with wires: voltages for currents into its nodes.

Conjugate gradients solve it, in float32 where a small reduction of the currents suffices, since
that moves half the memory; sparse elimination takes over where they stall.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .wire_balance import integrate
from .wire_direct import DirectSolver
from .wire_kernels import conjugate_gradients
from .wire_ladders import Ladders, Lines, empty_ladders, factor, factor_upward
from .wire_lanes import TwoWay, roots

__all__ = ["LinearSystem"]

_DIRECT_CELLS = 300_000  # beyond, the direct solver's factors need gigabytes
_SINGLE = 2e-7  # the smallest reduction float32 is trusted with
_SINGLE_LIMIT = 20
_MOST_ROOTS = 40


class _Single(NamedTuple):
    """The float32 copy: conductances, right sides, answers, room, factors."""

    g: NDArray
    fw: NDArray
    fb: NDArray
    w: NDArray
    b: NDArray
    work: NDArray
    ladders: Ladders

    @staticmethod
    def room(rows: int, columns: int) -> _Single:
        block = np.empty((10, rows, columns), np.float32)
        return _Single(*block[:5], block[5:], empty_ladders(rows, columns, np.float32))


class LinearSystem:
    """Slopes of the cells (rows, columns) [S], wires, and what solving keeps between calls.

    Attributes
    ----------
    g
        The slopes; set by :meth:`renew`.
    ladders
        Their factors, once :meth:`prepare` was called.
    ritz
        Roots of the residual polynomial, see :func:`~.wire_lanes.roots`; empty before the first
        solution.
    """

    def __init__(self, rows: int, columns: int, lines: Lines) -> None:
        self.lines = lines
        self.ladders = empty_ladders(rows, columns, np.float64)
        self.ritz = np.empty(0)
        self._work = np.empty((5, rows, columns))
        self._single: _Single | None = None
        self._direct: DirectSolver | None = None
        self._up: tuple[NDArray, NDArray] | None = None
        self._ready = self._single_ready = False

    def renew(self, g: NDArray) -> None:
        """Take new slopes."""
        self.g = g
        self._ready = self._single_ready = False
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
        if count > 0 and not self.ritz.size:
            self.ritz = roots(trace, count)
        return count

    def correct_single(
        self, fw: NDArray, fb: NDArray, w: NDArray, b: NDArray, size: float, absolute: float
    ) -> int:
        """Correct the voltages *w* and *b* for *fw*, *fb* in float32; return the iterations.

        *size* is the largest current. -1 where float32 is not enough; nothing is done then.
        """
        if not absolute > _SINGLE * size:
            return -1
        if self._single is None:
            self._single = _Single.room(*self.g.shape)
        single = self._single
        if not self._single_ready:
            single.g[...] = self.g
            factor(single.g, self.lines, single.ladders)
            self._single_ready = True
        np.multiply(fw, 1.0 / size, out=single.fw, casting="same_kind")
        np.multiply(fb, 1.0 / size, out=single.fb, casting="same_kind")
        trace = np.empty(2 * _SINGLE_LIMIT, np.float32)
        count = conjugate_gradients(
            single.g, single.fw, single.fb, self.lines, single.ladders, 0.0, absolute / size,
            _SINGLE_LIMIT, single.work, single.w, single.b, trace,
        )  # fmt: skip
        if count >= 0:
            integrate(
                single.g, single.fw, single.fb, single.w, single.b, size, self.lines,
                self._work[0], w, b,
            )  # fmt: skip
        return count

    def solve_direct(self, fw: NDArray, fb: NDArray, w: NDArray, b: NDArray) -> None:
        """Do so by sparse elimination."""
        self._direct = self._direct or DirectSolver(self.g, self.lines)
        w[...], b[...] = self._direct.solve(fw, fb)
