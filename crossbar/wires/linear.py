"""The linear system of an array with wires: voltages for currents into its nodes.

Conjugate gradients solve it; sparse elimination takes over where they stall.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .direct import DirectSolver
from .kernels import conjugate_gradients
from .ladders import Lines, empty_ladders, factor, factor_upward
from .lanes import TwoWay, roots

__all__ = ["LinearSystem"]

_DIRECT_CELLS = 300_000  # beyond, the direct solver's factors need gigabytes
_MOST_ROOTS = 40


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
        self._direct: DirectSolver | None = None
        self._up: tuple[NDArray, NDArray] | None = None
        self._ready = False

    def renew(self, g: NDArray) -> None:
        """Take new slopes."""
        self.g = g
        self._ready = False
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
    def stiff(self) -> bool:
        """Whether the spectrum is known, and too wide for that."""
        return self.ritz.size > _MOST_ROOTS

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

    def solve_direct(self, fw: NDArray, fb: NDArray, w: NDArray, b: NDArray) -> None:
        """Do so by sparse elimination."""
        self._direct = self._direct or DirectSolver(self.g, self.lines)
        w[...], b[...] = self._direct.solve(fw, fb)
