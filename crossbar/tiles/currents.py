"""Currents of one tile at its edge, before any conversion: with or without wires.

====================  ==========================  =============================================
cells                 ideal lines                 lines with resistance
====================  ==========================  =============================================
linear (conductance)  a product                   one exact solution for each drive
nonlinear, amplitude  every cell once             Newton's method for each drive
nonlinear, width      every cell twice, +-v_full  Newton's method for each drive and time slice
====================  ==========================  =============================================

A pulse-width read turns all driven lines on at once and each off at its own time. Between two
such times the lines that are on stay the same: that is a slice, and the result is the integral of
the currents over the slices. The loss along a wire depends on how many lines are on, so with wires
each slice needs its own solution; linear cells add up to the amplitude read all the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...devices.dispatch import cell, conductance_array, current
from ...jit import kernel
from ..bank import CellBank
from ..wires import ArraySolution, ArraySolver, Wires, solve_cells
from ..wires.cells import respond

__all__ = ["CurvedCells", "LineCurrents", "LinearCells", "TileCells", "curved_cells"]

_ROOM = 2**22  # cells of all drives solved at a time: 100 MB


class LineCurrents(NamedTuple):
    """What the sensed lines of a tile carry, a batch of drives.

    Attributes
    ----------
    current : (batch, lines)
        Out of bit lines, or out of word lines [A].
    squares : (batch, lines)
        Sum of the squared currents of the line's cells [A^2].
    residual : float
        Largest current left over at a node, relative to the largest terminal current.
    converged : bool
        Whether every solution met its tolerance.
    message : str
        What to try if not.
    """

    current: NDArray
    squares: NDArray
    residual: float = 0.0
    converged: bool = True
    message: str = ""


def _joined(parts: list[LineCurrents]) -> LineCurrents:
    """Return the drives of *parts* one after the other."""
    return LineCurrents(
        np.concatenate([part.current for part in parts]),
        np.concatenate([part.squares for part in parts]),
        max(part.residual for part in parts),
        all(part.converged for part in parts),
        next((part.message for part in parts if part.message), ""),
    )


def _sums(cells: NDArray, forward: bool) -> tuple[NDArray, NDArray]:
    """Return currents and squares of sensed lines for those of cells, (..., rows, lines)."""
    axis, sign = (-2, 1.0) if forward else (-1, -1.0)
    return sign * cells.sum(axis=axis), np.sum(cells**2, axis=axis)


def _summed(solution: ArraySolution, forward: bool) -> LineCurrents:
    """Return what a solution says about the sensed lines."""
    _, squares = _sums(solution.device_current, forward)
    sensed = solution.output if forward else -solution.supply
    message = "" if solution.converged else solution.message
    return LineCurrents(sensed, squares, solution.residual, solution.converged, message)


def _on(v: NDArray, forward: bool) -> tuple[NDArray | None, NDArray | None]:
    """Return the drives of word lines and of bit lines."""
    return (v, None) if forward else (None, v)


class LinearCells:
    """Cells that conduct as conductances *g* (rows, lines) [S], on *wires* or ideal lines."""

    def __init__(self, g: NDArray, wires: Wires | None) -> None:
        self.g = g
        self._solver = None if wires is None else ArraySolver(g.copy(), wires)

    def renew(self, g: NDArray) -> None:
        """Take new conductances."""
        if self._solver is not None and not np.array_equal(g, self.g):
            self._solver.update(g.copy())
        self.g = g

    def carry(self, v: NDArray, forward: bool) -> LineCurrents:
        """Return the currents for driven lines at *v* (batch, driven) [V]."""
        if self._solver is None:
            g = self.g if forward else self.g.T
            # Driven bit lines push their current out of the word lines.
            return LineCurrents(v @ g, (v * v) @ (g * g))
        step = max(1, _ROOM // self.g.size)
        solver = self._solver
        return _joined([
            _summed(solver.solve(*_on(v[at : at + step], forward)), forward)
            for at in range(0, len(v), step)
        ])  # fmt: skip


class CurvedCells(NamedTuple):
    """Cells that conduct as their model says, scaled to the conductance they show at v_read.

    Attributes
    ----------
    like, table, x
        Device model, parameters (cells, fields) and states (cells,), as in a bank.
    ratio : (cells,)
        Conductance shown over that of the state: write error, levels and drift.
    shape
        Word lines and bit lines.
    wires
        Resistances, or ``None`` for ideal lines.
    v_full
        Voltage of all driven lines of a pulse-width read [V]; 0 for amplitudes.
    """

    like: Any
    table: NDArray
    x: NDArray
    ratio: NDArray
    shape: tuple[int, int]
    wires: Wires | None
    v_full: float

    def carry(self, v: NDArray, forward: bool) -> LineCurrents:
        """Return the currents for driven lines at *v* (batch, driven) [V].

        Of a pulse-width read *v* is the mean voltage, the width times ``v_full``.
        """
        if self.wires is not None:
            reads = self._slices if self.v_full else self._solved
            return _joined([reads(one, forward) for one in v])
        return self._widths(v, forward) if self.v_full else self._amplitudes(v, forward)

    def respond(self, drop: NDArray, out: NDArray, slope: NDArray) -> None:
        """Write currents [A] and slopes [S] for voltages *drop*; all (rows, lines)."""
        respond(self.like, self.table, self.x, drop, out, slope)
        ratio = self.ratio.reshape(self.shape)
        out *= ratio
        slope *= ratio

    def _solve(self, v: NDArray, forward: bool, start: ArraySolution | None) -> ArraySolution:
        wires = self.wires or Wires()
        return solve_cells(self.respond, self.shape, wires, *_on(v, forward), start=start)

    def _solved(self, v: NDArray, forward: bool) -> LineCurrents:
        """Return the currents for one drive on lines with resistance."""
        found = _summed(self._solve(v, forward, None), forward)
        return found._replace(current=found.current[np.newaxis], squares=found.squares[np.newaxis])

    def _slices(self, v: NDArray, forward: bool) -> LineCurrents:
        """Return the mean currents of one pulse-width drive on lines with resistance."""
        widths = np.unique(np.abs(v))
        charge, before, start = np.zeros(self.shape), 0.0, None
        residual, converged, message = 0.0, True, ""
        for width in widths[widths > 0]:
            on = np.where(np.abs(v) >= width, np.copysign(self.v_full, v), 0.0)
            start = self._solve(on, forward, start)
            charge += (width - before) / self.v_full * start.device_current
            residual = max(residual, start.residual)
            if not start.converged:
                converged, message = False, start.message
            before = width
        total, squares = _sums(charge, forward)
        return LineCurrents(total[np.newaxis], squares[np.newaxis], residual, converged, message)

    def _widths(self, v: NDArray, forward: bool) -> LineCurrents:
        """Return the mean currents of pulse-width drives of ideal lines."""
        batch, sensed = len(v), self.shape[1 if forward else 0]
        total, squares = np.zeros((2, batch, sensed))
        for sign in (1.0, -1.0):
            width = np.maximum(sign * v, 0.0) / self.v_full
            across = sign * self.v_full if forward else -sign * self.v_full
            i, slope = np.empty((2, *self.shape))
            self.respond(np.full(self.shape, across), i, slope)
            seen = i if forward else -i.T
            total += width @ seen
            squares += (width * width) @ (seen * seen)
        return LineCurrents(total, squares)

    def _amplitudes(self, v: NDArray, forward: bool) -> LineCurrents:
        """Return the currents for drives of ideal lines."""
        word, bit = (np.zeros((len(v), n)) for n in self.shape)
        (word if forward else bit)[...] = v
        output, supply = np.zeros((2, *bit.shape)), np.zeros((2, *word.shape))
        conduct(self.like, self.table, self.x, self.ratio, word, bit, output, supply)
        total, squares = output if forward else (-supply[0], supply[1])
        return LineCurrents(total, squares)


TileCells = LinearCells | CurvedCells


def curved_cells(
    bank: CellBank, cells: NDArray, wires: Wires | None, v_full: float
) -> CurvedCells:
    """Return cells number *cells* (rows, lines) of *bank* with the current of their model.

    A cell whose state conducts nothing at the read voltage passes no current at all.
    """
    at = cells.ravel()
    table = np.ascontiguousarray(bank.table[at], np.float64)
    x = bank.x[at].astype(np.float64)
    model = np.empty(x.size)
    conductance_array(bank.like, table, float(bank.v_read), x, model)
    ratio = np.divide(bank.g[at], model, out=np.zeros(x.size), where=model > 0)
    rows, lines = cells.shape
    return CurvedCells(bank.like, table, x, ratio, (rows, lines), wires, v_full)


@kernel
def conduct(like, table, x, ratio, v_word, v_bit, output, supply):
    """Add the currents [A] of devices between ideal lines, and their squares.

    Parameters
    ----------
    like, table, x, ratio
        As in :class:`CurvedCells`.
    v_word, v_bit : (batch, rows), (batch, lines)
        Voltages of the lines [V].
    output, supply : (2, batch, lines), (2, batch, rows)
        Receive currents out of the bit lines and into the word lines, and sums of squares.
    """
    lines = v_bit.shape[1]
    for k in range(v_word.shape[0]):
        for i in range(v_word.shape[1]):
            for j in range(lines):
                drop = v_word[k, i] - v_bit[k, j]
                if drop == 0.0:
                    continue
                c = i * lines + j
                one = ratio[c] * current(cell(like, table, c), drop, x[c])
                output[0, k, j] += one
                output[1, k, j] += one * one
                supply[0, k, i] += one
                supply[1, k, i] += one * one
