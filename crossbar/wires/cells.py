"""Reads of an array whose cells are nonlinear: Newton's method on Kirchhoff's laws.

Each step replaces every cell by its tangent and solves the linear array by the methods of
:mod:`.linear`. A cell is known only through its current and slope at a voltage
(:func:`current_and_slope` for a device model), so another two-terminal cell needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...devices.dispatch import cell, current
from ...errors import ConfigError
from ...jit import inlined, kernel
from .balance import State, balance
from .linear import LinearSystem
from .resistances import Wires
from .solution import (
    ArraySolution,
    Outcome,
    begin,
    check_drives,
    check_limits,
    finished,
    lines_of,
    rounding,
    scale_of,
    worst_of,
)

__all__ = ["Respond", "current_and_slope", "respond", "solve_cells", "solve_devices"]

Respond = Callable[[NDArray, NDArray, NDArray], None]
"""Writes currents [A] and slopes [S] of all cells, for their voltages; all (rows, columns)."""

_INNER = 1e-6  # accuracy of a step, relative: Newton's own error is larger until the last one
_SHORTEST = 2.0**-20  # share of a step below which the search gives up


@inlined
def current_and_slope(like, table, x, c, v):
    """Return current [A] and slope dI/dV [S] of device *c* at state x[c] and *v* volts.

    The slope is a central difference; its relative error of about 1e-10 costs Newton's method
    nothing, and the currents are exact.
    """
    p = cell(like, table, c)
    h = 6e-6 * (abs(v) + 0.01)
    slope = (current(p, v + h, x[c]) - current(p, v - h, x[c])) / (h + h)
    return current(p, v, x[c]), slope


@kernel
def respond(like, table, x, drop, out, slope):
    """Write currents and slopes of the devices for voltages *drop*; all (rows, columns)."""
    columns = drop.shape[1]
    for i in range(drop.shape[0]):
        for j in range(columns):
            c = i * columns + j
            out[i, j], slope[i, j] = current_and_slope(like, table, x, c, drop[i, j])


class _Newton:
    """Work space of one array."""

    def __init__(self, respond: Respond, shape: tuple[int, int], wires: Wires) -> None:
        self.respond = respond
        self.system = LinearSystem(*shape, lines_of(wires))
        self.slope, self.fw, self.fb, self.dw, self.db, self.drop = np.empty((6, *shape))
        self.trial = np.empty((2, *shape))

    def evaluate(self, one: State) -> float:
        """Write the currents of the cells; return the largest left over at a node."""
        np.subtract(one.w, one.b, out=self.drop)
        self.drop += one.v[:, np.newaxis] - one.u
        self.respond(self.drop, one.current, self.slope)
        np.maximum(self.slope, 0.0, out=self.slope)  # the tangent of a passive cell
        return self._left(one, False)

    def _left(self, one: State, keep: bool) -> float:
        return balance(self.slope, self.system.lines, one, False, keep, self.fw, self.fb)

    def step(self, one: State, rest: float, limit: int) -> float:
        """Move *one* along Newton's direction, as far as it helps; return what is left over."""
        self._left(one, True)
        self.system.renew(self.slope.copy())
        count = self.system.solve(self.fw, self.fb, self.dw, self.db, _INNER, 0.0, limit)
        if count < 0 and self.system.direct_possible:
            self.system.solve_direct(self.fw, self.fb, self.dw, self.db)
        w, b = self.trial
        w[...], b[...] = one.w, one.b
        share = 1.0
        while True:
            one.w[...] = w + share * self.dw
            one.b[...] = b + share * self.db
            now = self.evaluate(one)
            if now < (1.0 - 1e-4 * share) * rest or share < _SHORTEST:
                return now
            share *= 0.5

    def solve(self, one: State, tolerance: float, limit: int) -> Outcome:
        """Solve one drive."""
        rest, number = self.evaluate(one), 0
        while True:
            scale = scale_of(one.supply, one.output)
            if rest <= tolerance * scale or rest <= rounding(self.slope, self.system.lines, one):
                return Outcome(number, float(rest / scale), True)
            if number == limit or not np.isfinite(rest):
                break
            now = self.step(one, rest, 500)
            if not now < rest:
                break
            rest, number = now, number + 1
        return Outcome(number, float(rest / scale), False)


def solve_cells(
    respond: Respond,
    shape: tuple[int, int],
    wires: Wires,
    v_word: ArrayLike | None = None,
    v_bit: ArrayLike | None = None,
    *,
    tolerance: float = 1e-10,
    start: ArraySolution | None = None,
    max_iterations: int = 50,
) -> ArraySolution:
    """Return the voltages and currents of cells of any kind on resistive wires.

    Parameters
    ----------
    respond
        Writes the cells' currents and slopes for their voltages, see :data:`Respond`. Currents
        should rise with the voltage.
    shape
        Rows and columns.
    wires, v_word, v_bit, tolerance, start
        As for :func:`~.solver.solve_array`.
    max_iterations
        Newton steps.

    Returns
    -------
    ArraySolution
        Its ``iterations`` are Newton steps.

    Raises
    ------
    ConfigError
        If a shape or a number is not allowed.
    """
    check_limits(tolerance, max_iterations)
    v, u, batched = check_drives(v_word, v_bit, shape)
    state = begin(v, u, shape, start)
    newton = _Newton(respond, shape, wires)
    outcomes = [newton.solve(state.part(k), tolerance, max_iterations) for k in range(len(v))]
    worst = worst_of(outcomes, shape)
    g_max = float(newton.slope.max())
    found = state if batched else state.part(0)
    return finished(found, worst, tolerance, g_max, newton.system.lines)


def solve_devices(
    like: Any,
    table: ArrayLike,
    x: ArrayLike,
    wires: Wires,
    v_word: ArrayLike | None = None,
    v_bit: ArrayLike | None = None,
    *,
    tolerance: float = 1e-10,
    start: ArraySolution | None = None,
    max_iterations: int = 50,
) -> ArraySolution:
    """Return the voltages and currents of memristors on resistive wires, through their model.

    Parameters
    ----------
    like
        Any parameter tuple of the device model; gives the kernels its type.
    table : (rows * columns, fields)
        Parameters of every cell, row by row, SI units.
    x : (rows, columns)
        States of the cells, 0 to 1.
    wires, v_word, v_bit, tolerance, start, max_iterations
        As for :func:`solve_cells`.

    Returns
    -------
    ArraySolution

    Raises
    ------
    ConfigError
        If a shape or a number is not allowed.
    """
    x = np.ascontiguousarray(x, np.float64)
    table = np.ascontiguousarray(table, np.float64)
    if x.ndim != 2 or x.size == 0 or table.shape != (x.size, len(like)):
        raise ConfigError(
            f"states of shape {x.shape} and parameters of shape {table.shape} for the "
            f"{len(like)} fields of {type(like).__name__}; allowed is (rows, columns) and (rows * "
            "columns, fields)."
        )
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(table))):
        raise ConfigError("states and parameters of the cells must be finite numbers.")
    flat = x.ravel()

    def devices(drop: NDArray, out: NDArray, slope: NDArray) -> None:
        respond(like, table, flat, drop, out, slope)

    return solve_cells(
        devices, x.shape, wires, v_word, v_bit, tolerance=tolerance, start=start,
        max_iterations=max_iterations,
    )  # fmt: skip
