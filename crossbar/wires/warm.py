"""What a solver keeps to follow its array from one solution to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .balance import State
from .follow import Progress, follow
from .ladders import Lines
from .solution import ArraySolution
from .store import empty_store
from .sweeps import find_mode

__all__ = ["Warm"]

_CHANGED = 0.06  # share of the cells that may differ from the base before it is renewed
_SAFETY = 3.0  # times the rate seen last
_RATE = 0.1  # assumed before
_STEPS = 3  # to find the mode from the voltages of a solution; one renews it
_LIMIT = 20


class Warm:
    """Factors, slowest mode and rate of convergence of an array of *shape* on *lines*."""

    def __init__(self, shape: tuple[int, int], lines: Lines) -> None:
        self._shape, self._lines = shape, lines
        self._wires = np.array(lines)
        self._store = empty_store(*shape, int(_CHANGED * shape[0] * shape[1]) + 8)
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
        drop, rise, before, supply, output, excess = self._before(start, k)
        left = np.empty(self._shape, np.float32)
        if self._steps:
            self._find_mode(rise)
        omega = self._inverse_roots(ritz)
        done = Progress(*follow(
            g, self._wires, *one, drop, rise, before, excess, supply, output, left, tolerance,
            omega, self._lam, self._rate, min(3 * omega.size + 3, _LIMIT), *self._store,
        ))  # fmt: skip
        # A round that leaves next to nothing says no more than that the rate may be smaller.
        if done.iterations > 0:
            self._rate = min(max(_SAFETY * done.rate, self._rate / 4), 1.0)
        self._aged = self._aged or done.rebased
        if self._aged and done.iterations > 1:
            self._steps = 1 if self._lam > 0 else _STEPS
        return done, left

    def _before(self, start: ArraySolution, k: int) -> list[NDArray]:
        """Return what the kernel takes of drive *k* of *start*."""
        excess = start.excess
        found = [start.word_drop, start.bit_rise, start.device_current, start.supply, start.output]
        if start.word_drop.ndim > 2:
            found = [a[k] for a in found]
            excess = None if excess is None else excess[k]
        found.append(self._none if excess is None else excess)
        return [np.ascontiguousarray(a) for a in found]

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
            np.divide(rise, top or 1.0, out=self._store.mode, casting="same_kind")
        self._lam = float(find_mode(self._lines, self._steps, *self._store))
        self._aged, self._steps = False, 0
