"""Exact reads of an array with resistive wires: Kirchhoff's laws at every node.

    solution = solve_array(g, Wires(r_word=1.0, r_bit=1.0), v_word)
    solution.output            # currents out of the bit lines [A]

:class:`ArraySolver` keeps factors and work space for several reads of one array.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ...errors import ConfigError
from .balance import State, add, balance, change
from .blocks import ENOUGH, relax_some
from .lanes import LANES
from .linear import LinearSystem
from .resistances import Wires
from .solution import (
    ArraySolution,
    Outcome,
    begin,
    check_cells,
    check_drives,
    check_limits,
    finished,
    lines_of,
    rounding,
    scale_of,
    worst_of,
)
from .warm import Warm

__all__ = ["ArraySolver", "solve_array"]

_ROUNDS = 6  # corrections of a solution that does not yet balance
_STUCK = 0.3  # a correction that leaves more than this share is not worth repeating


class ArraySolver:
    """An array of linear cells and its wires, ready for reads.

    Factors, work space and the spectrum found so far are kept from read to read.

    Parameters
    ----------
    g : (rows, columns)
        Conductances of the cells [S]; 0 is an open cell. A contiguous float64 array is not
        copied: after changing it in place call :meth:`update`.
    wires : Wires

    Raises
    ------
    ConfigError
        If a conductance is negative or not finite.
    """

    def __init__(self, g: ArrayLike, wires: Wires) -> None:
        self.wires = wires
        self.g = check_cells(g)
        rows, columns = self.g.shape
        self._system = LinearSystem(rows, columns, lines_of(wires))
        self._system.renew(self.g)
        self._warm: Warm | None = None
        self._room = np.empty((4, rows, columns))

    def update(self, g: ArrayLike) -> None:
        """Take new conductances (rows, columns) [S]."""
        g = check_cells(g)
        if g.shape != self.g.shape:
            raise ConfigError(
                f"conductances of shape {g.shape} for an array of {self.g.shape}; allowed is the "
                "same shape."
            )
        self.g = g
        self._system.renew(g)

    def solve(
        self,
        v_word: ArrayLike | None = None,
        v_bit: ArrayLike | None = None,
        *,
        tolerance: float = 1e-12,
        start: ArraySolution | None = None,
        max_iterations: int = 500,
    ) -> ArraySolution:
        """Solve for one drive or a batch; arguments and result as for :func:`solve_array`."""
        check_limits(tolerance, max_iterations)
        v, u, batched = check_drives(v_word, v_bit, self.g.shape)
        one_by_one = len(v) < ENOUGH and not self._system.stiff
        state = begin(v, u, self.g.shape, start, copied=not one_by_one)
        if batched:
            outcome = self._run(state, start, tolerance, max_iterations)
        else:
            state = state.part(0)
            outcome = self._one(state, start, 0, tolerance, max_iterations)
        g_max = 0.0 if outcome.good else float(self.g.max())
        return finished(state, outcome, tolerance, g_max, self._system.lines)

    def _run(
        self, state: State, start: ArraySolution | None, tolerance: float, limit: int
    ) -> Outcome:
        """Solve all drives; many at a time once one of them has shown the spectrum."""
        batch, done = len(state.v), 0
        outcomes = []
        while done < batch and not (batch - done >= ENOUGH and self._system.relaxes):
            outcomes.append(self._one(state.part(done), start, done, tolerance, limit))
            done += 1
        while batch - done >= ENOUGH and self._system.relaxes:
            some = state.part(slice(done, done + LANES))
            taken = relax_some(self._system, some, start is None, tolerance)
            for k in range(len(some.v)):
                outcomes.append(self._refine(some.part(k), tolerance, limit, taken, False))
            done += len(some.v)
        for k in range(done, batch):
            outcomes.append(self._one(state.part(k), start, k, tolerance, limit))
        return outcomes[0] if batch == 1 else worst_of(outcomes, self.g.shape)

    def _one(
        self, one: State, start: ArraySolution | None, k: int, tolerance: float, limit: int
    ) -> Outcome:
        """Solve drive *k*, from nothing or from its solution in *start*."""
        if start is None:
            fw, fb = self._room[:2]
            if change(self.g, one, np.zeros_like(self.g), 1.0, fw, fb) == 0.0:
                return self._refine(one, tolerance, limit, 0, False)
            count = self._correct(one, tolerance, 0.0, limit, False)
            return self._refine(one, tolerance, limit, count, True)
        if self._system.stiff:
            return self._refine(one, tolerance, limit, 0, True)
        if self._warm is None:
            self._warm = Warm(self.g.shape, self._system.lines)
        followed, left = self._warm.follow(self.g, one, start, k, tolerance, self._system.ritz)
        if followed.rest <= tolerance * followed.scale:
            return Outcome(followed.iterations, followed.rest / followed.scale, True, left)
        return self._refine(one, tolerance, limit, followed.iterations, False, followed.rest)

    def _refine(
        self,
        one: State,
        tolerance: float,
        limit: int,
        taken: int,
        linear: bool,
        rest: float | None = None,
    ) -> Outcome:
        """Correct one solution until its currents balance at every node.

        *linear* says that its currents do not yet belong to its voltages, *rest* is what is left
        at a node [A] where that is known already.
        """
        system, (fw, fb, _, _) = self._system, self._room
        last = np.inf
        for _ in range(_ROUNDS):
            if rest is None:
                rest = float(balance(self.g, system.lines, one, linear, False, fw, fb))
            scale = scale_of(one.supply, one.output)
            if rest <= tolerance * scale or rest <= rounding(self.g, system.lines, one):
                return Outcome(taken, float(rest / scale), True)
            balance(self.g, system.lines, one, False, True, fw, fb)
            stuck = rest > _STUCK * last
            taken += self._correct(one, 0.0, 0.5 * tolerance * scale, limit, stuck)
            last, rest, linear = rest, None, True
        rest = float(balance(self.g, system.lines, one, True, False, fw, fb))
        scale = scale_of(one.supply, one.output)
        return Outcome(taken, float(rest / scale), bool(rest <= tolerance * scale))

    def _correct(
        self, one: State, relative: float, absolute: float, limit: int, stuck: bool
    ) -> int:
        """Correct one solution for the currents left over; return the iterations.

        *stuck* says that doing so by iterations once more is no use.
        """
        system, (fw, fb, dw, db) = self._system, self._room
        count = 0
        if stuck and system.direct_possible:
            system.solve_direct(fw, fb, dw, db)
        else:
            count = system.solve(fw, fb, dw, db, relative, absolute, limit)
        add(1.0, dw, one.w)
        add(1.0, db, one.b)
        return limit if count < 0 else count


def solve_array(
    g: ArrayLike,
    wires: Wires,
    v_word: ArrayLike | None = None,
    v_bit: ArrayLike | None = None,
    *,
    tolerance: float = 1e-12,
    start: ArraySolution | None = None,
    max_iterations: int = 500,
) -> ArraySolution:
    """Return the voltages and currents of linear cells on resistive wires.

    Parameters
    ----------
    g : (rows, columns)
        Conductances of the cells [S]; 0 is an open cell.
    wires : Wires
        Resistances of the wires; zeros stand for ideal lines.
    v_word, v_bit : (rows,), (columns,) or with a leading batch axis
        Voltages at the terminals of the word lines and bit lines [V]; None is 0 V. Driving
        *v_word* alone is a forward read, *v_bit* alone a backward one, whose currents are
        ``-supply``.
    tolerance
        Largest current left over at a node, relative to the largest terminal current.
    start
        Solution of the same array before a small change of cells or drives; saves iterations.
    max_iterations
        Of conjugate gradients per correction, before sparse elimination is tried.

    Returns
    -------
    ArraySolution

    Raises
    ------
    ConfigError
        If a shape or a number is not allowed.
    """
    return ArraySolver(g, wires).solve(
        v_word, v_bit, tolerance=tolerance, start=start, max_iterations=max_iterations
    )
