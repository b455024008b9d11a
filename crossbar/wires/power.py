"""Where the power of a read goes: into the lines at their terminals, to cells and to wires.

With linear cells every one of these is a quadratic form of the terminals' voltages. Cells and
wires are summed element by element, so that supply = cells + wires is a law to be checked, not
a definition.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ConfigError, SimulationError
from .resistances import Wires
from .solution import ArraySolution
from .solver import ArraySolver

__all__ = ["DrivePower", "PowerForms", "drive_power", "power_forms"]

_ROOM = 2**22  # cells of all drives solved at a time: 100 MB
_FORM_ROOM = 2**26  # cells of all drives that a form is made of: 2 GB


class DrivePower(NamedTuple):
    """Powers [W] of some drives of an array.

    Attributes
    ----------
    word, bit : (batch, rows), (batch, columns)
        Supplied to each line at its terminal.
    cells, wires : (batch,)
        Dissipated in all cells, and in all wires, drivers and sensors.
    """

    word: NDArray
    bit: NDArray
    cells: NDArray
    wires: NDArray


class PowerForms(NamedTuple):
    """Quadratic forms (n, n) [S] of the powers of n drives of which any mixture may be applied.

    Attributes
    ----------
    supply
        ``x[a] * (supply @ x)[a]`` is what drive a supplies; symmetric, since arrays are
        reciprocal.
    cells, wires
        ``x @ cells @ x`` is dissipated in the cells, and so on.
    """

    supply: NDArray
    cells: NDArray
    wires: NDArray


class _Flow(NamedTuple):
    """Voltages across the cells [V], and the currents of all resistances times their root."""

    drop: NDArray
    word: NDArray
    bit: NDArray


def _flow(solution: ArraySolution, wires: Wires) -> _Flow:
    word, bit = solution.word_line_current, solution.bit_line_current
    word[..., 1:] *= np.sqrt(wires.r_word)
    word[..., 0] *= np.sqrt(wires.r_word + wires.r_driver)
    bit[..., :-1, :] *= np.sqrt(wires.r_bit)
    bit[..., -1, :] *= np.sqrt(wires.r_bit + wires.r_sense)
    return _Flow(solution.word_voltage - solution.bit_voltage, word, bit)


def _solved(
    solver: ArraySolver, v: NDArray | None, u: NDArray | None, part: slice
) -> ArraySolution:
    v, u = (None if each is None else each[part] for each in (v, u))
    found = solver.solve(v, u)
    if not found.converged:
        raise SimulationError(f"a tile with wires is {found.message}")
    return found


def _drives(
    v: ArrayLike | None, u: ArrayLike | None
) -> tuple[NDArray | None, NDArray | None, int]:
    """Return the drives of word and bit lines, and how many there are."""
    v, u = (None if each is None else np.asarray(each, np.float64) for each in (v, u))
    given = [each for each in (v, u) if each is not None]
    if not given or any(each.ndim != 2 or len(each) != len(given[0]) for each in given):
        raise ConfigError(
            f"powers of drives of shapes {[each.shape for each in given]}; allowed is (batch, "
            "lines) for word lines, bit lines or both."
        )
    return v, u, len(given[0])


def drive_power(
    g: ArrayLike, wires: Wires, v_word: ArrayLike | None = None, v_bit: ArrayLike | None = None
) -> DrivePower:
    """Return the powers of reads of linear cells *g* (rows, columns) [S] on *wires*.

    Parameters
    ----------
    g, wires
        As for :func:`~.solver.solve_array`.
    v_word, v_bit : (batch, rows), (batch, columns)
        Voltages at the terminals [V]; None is 0 V.

    Raises
    ------
    ConfigError
        If a shape or a number is not allowed.
    SimulationError
        If the array could not be solved.
    """
    v, u, batch = _drives(v_word, v_bit)
    solver = ArraySolver(g, wires)
    step, parts = max(1, _ROOM // solver.g.size), []
    for at in range(0, batch, step):
        found = _solved(solver, v, u, slice(at, at + step))
        flow, n = _flow(found, wires), len(found.supply)
        squares = [np.sum(each.reshape(n, -1) ** 2, axis=1) for each in flow[1:]]
        cells = np.sum((found.device_current * flow.drop).reshape(n, -1), axis=1)
        word, bit = found.v_word * found.supply, -found.v_bit * found.output
        parts.append(DrivePower(word, bit, cells, squares[0] + squares[1]))
    return DrivePower(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def power_forms(
    g: ArrayLike, wires: Wires, v_word: ArrayLike | None = None, v_bit: ArrayLike | None = None
) -> PowerForms:
    """Return the quadratic forms of mixtures of *n* drives of linear cells *g* on *wires*.

    Parameters
    ----------
    g, wires
        As for :func:`~.solver.solve_array`.
    v_word, v_bit : (n, rows), (n, columns)
        The drives, without unit: identity matrices where any voltages may occur.

    Raises
    ------
    ConfigError
        If a shape or a number is not allowed, or the array is too large for this.
    SimulationError
        If the array could not be solved.
    """
    v, u, n = _drives(v_word, v_bit)
    solver = ArraySolver(g, wires)
    if n * solver.g.size > _FORM_ROOM:
        raise ConfigError(
            f"the power of {n} lines of a tile of {solver.g.shape[0]} x {solver.g.shape[1]} cells "
            f"with wires needs too much memory; at most {_FORM_ROOM:g} lines times cells fit. Set "
            "crossbar.tile."
        )
    found = _solved(solver, v, u, slice(None))
    drop, word, bit = (each.reshape(n, -1) for each in _flow(found, wires))
    supply = found.v_word @ found.supply.T - found.v_bit @ found.output.T
    cells = found.device_current.reshape(n, -1) @ drop.T
    return PowerForms(supply, cells, word @ word.T + bit @ bit.T)
