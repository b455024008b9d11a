"""What a solver keeps to follow its array from one solution to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .balance import State
from .follow import Progress, Tuning, follow
from .ladders import Lines
from .solution import ArraySolution
from .sweeps import Changes, empty_base, find_mode

__all__ = ["Warm"]

_CHANGED = 0.06  # share of the cells that may differ from the base before it is renewed
_SAFETY = 3.0  # times the rate seen last
_RATE = 0.1  # assumed before
_STEPS = 3  # to find the mode from the voltages of a solution; one renews it
_LIMIT = 20
_AXES = 1, 1, 2, 2, 2, 2  # of what a solution holds for one drive


class Warm:
    """Factors, slowest mode and rate of convergence of an array of *shape* on *lines*."""

    def __init__(self, shape: tuple[int, int], lines: Lines) -> None:
        self._shape, self._lines = shape, lines
        rows, columns = shape
        self._base, self._room = empty_base(rows, columns)
        most = int(_CHANGED * rows * columns) + 8
        self._changes = Changes(
            np.zeros(rows + 1, np.int64), np.empty(most, np.int64), np.empty(most, np.float32),
            np.empty(most, np.float32),
        )  # fmt: skip
        self._rate, self._lam = _RATE, 0.0
        self._aged, self._steps = False, 0  # whether the mode is of another base; to find it
        self._roots: tuple[int, bool, NDArray] | None = None
        self._none = np.zeros(shape, np.float32)

    def follow(
        self, g: NDArray, one: State, start: ArraySolution, k: int, tolerance: float, ritz: NDArray
    ) -> tuple[Progress, NDArray]:
        """Write the solution *one* for conductances *g*, from drive *k* of *start*.

        *ritz* are the roots of :attr:`.linear.LinearSystem.ritz`, as far as known. Returns also
        the excess of the solution, see :class:`.solution.ArraySolution`.
        """
        output, supply, before, drop, rise, excess = (
            self._none if a is None else np.ascontiguousarray(a if a.ndim == whole else a[k])
            for a, whole in zip((*start[:5], start.excess), _AXES, strict=True)
        )
        left = np.empty(self._shape, np.float32)
        if self._steps:
            self._find_mode(rise)
        omega = self._inverse_roots(ritz)
        tuning = Tuning(omega, self._lam, self._rate, min(3 * omega.size + 3, _LIMIT))
        done = follow(
            g, self._lines, one, (drop, rise), before, excess, (supply, output), tolerance,
            self._base, self._changes, self._room, tuning, left,
        )  # fmt: skip
        # A round that leaves next to nothing says no more than that the rate may be smaller.
        if done.iterations > 0:
            self._rate = min(max(_SAFETY * done.rate, self._rate / 4), 1.0)
        self._aged = self._aged or done.rebased
        if self._aged and done.iterations > 1:
            self._steps = 1 if self._lam > 0 else _STEPS
        return done, left

    def _inverse_roots(self, ritz: NDArray) -> NDArray:
        """Return the relaxation of each sweep; the mode needs none if it is known."""
        known = self._lam > 0
        if self._roots is None or self._roots[:2] != (ritz.size, known):
            left = ritz[ritz > ritz.min()] if known and ritz.size > 1 else ritz
            self._roots = ritz.size, known, 1.0 / left if left.size else np.ones(1)
        return self._roots[2]

    def _find_mode(self, rise: NDArray) -> None:
        """Find the slowest mode, from the bit lines' voltages *rise*, or renew it."""
        if not self._lam > 0:
            top = np.abs(rise).max()
            np.divide(rise, top or 1.0, out=self._base.mode, casting="same_kind")
        none = self._changes._replace(first=np.zeros_like(self._changes.first))
        self._lam = float(find_mode(self._base, self._lines, none, self._room, self._steps))
        self._aged, self._steps = False, 0
