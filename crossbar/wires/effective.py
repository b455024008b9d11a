"""An array with wires as one matrix, corrected as its cells change.

Linear cells on resistive wires are one linear map: bit-line currents are ``v_word @ m``, and by
reciprocity word-line currents of a backward read through the same terminals are ``v_bit @ m.T``.
:func:`effective_map` finds m for the conductances of a moment, and with it the sensitivity
f = dm[a, b] / dg[a, b] of every element to its own cell. :func:`correct` then follows a
programming pulse at the cost of two products; what it leaves out is bounded by
:func:`error_bound`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ...errors import ConfigError, SimulationError
from ...jit import inlined
from .bound import Margins, margins
from .ladders import Lines, empty_ladders, factor, factor_upward
from .lanes import LANES, TwoWay, finish_map, relax
from .linear import LinearSystem
from .resistances import Wires
from .solution import ArraySolution, check_cells, lines_of
from .solver import ArraySolver

__all__ = ["EffectiveMap", "correct", "effective_map", "exact_change"]

_LOOSE = 1e-6  # accuracy of sensitivities, relative: they only scale small changes


class EffectiveMap(NamedTuple):
    """The matrix of an array with wires, as flat arrays that kernels change in place.

    Attributes
    ----------
    m : (rows * columns,)
        Effective conductances [S], row by row.
    f : (rows * columns,)
        Change of an element of m per change of its own cell, 0 to 1, when the map was made.
    spent_row, spent_column : (rows,), (columns,) float64
        Sums of the absolute changes of conductance since then [S].
    margins : Margins
        What :func:`~.bound.error_bound` needs.
    rows, columns : int
    """

    m: NDArray
    f: NDArray
    spent_row: NDArray
    spent_column: NDArray
    margins: Margins
    rows: int
    columns: int

    @property
    def matrix(self) -> NDArray:
        """Effective conductances [S], (rows, columns); a view."""
        return self.m.reshape(self.rows, self.columns)

    @property
    def sensitivity(self) -> NDArray:
        """Sensitivities, (rows, columns); a view."""
        return self.f.reshape(self.rows, self.columns)


@inlined
def correct(m, f, spent_row, spent_column, row, column, dg):
    """Follow a change *dg* [S] of cell (*row*, *column*) in the arrays of an EffectiveMap.

    For compiled code; the first four arguments are the map's own arrays.
    """
    c = row * spent_column.size + column
    m[c] += f[c] * dg
    size = abs(dg)
    spent_row[row] += size
    spent_column[column] += size


def _spectrum(g: NDArray, lines: Lines) -> NDArray:
    """Return the roots for relaxing array *g*, found with a drive that excites every mode."""
    rows, columns = g.shape
    system = LinearSystem(rows, columns, lines)
    system.renew(g)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], len(g))
    fb = g * signs[:, np.newaxis]
    w, b = np.empty_like(g), np.empty_like(g)
    count = system.solve(-fb, fb, w, b, 1e-13, 0.0, 200)
    if count < 0 or system.ritz.size > 40:
        return np.empty(0)
    return system.ritz if system.ritz.size else np.ones(1)


def _relaxed(
    g: NDArray, lines: Lines, ritz: NDArray, tolerance: float, dtype: Any
) -> tuple[NDArray, NDArray, NDArray] | None:
    """Return m and the drops for unit drives of word and bit lines; None if a block stalls."""
    rows, columns = g.shape
    g = g.astype(dtype)
    up, last = np.empty_like(g), np.empty(columns, dtype)
    ladders = empty_ladders(rows, columns, dtype)
    factor(g, lines, ladders)
    factor_upward(g, lines, up, last)
    bits = TwoWay(ladders, up, last)
    m, forward, backward = (np.empty((rows, columns), dtype) for _ in range(3))
    unused = np.empty((LANES, columns), dtype)
    b, q = np.empty((2, rows, LANES, columns), dtype)
    for is_backward, lines_driven in ((False, rows), (True, columns)):
        enough = _LOOSE if is_backward else tolerance
        for at in range(0, lines_driven, LANES):
            wide = min(LANES, lines_driven - at)
            v, u = np.zeros((rows, LANES), dtype), np.zeros((LANES, columns), dtype)
            lanes = np.arange(wide)
            if is_backward:
                u[lanes, at + lanes] = 1
            else:
                v[at + lanes, lanes] = 1
            b[...] = 0
            if relax(g, lines, bits, v, u, 1.0 / ritz, enough, 4 * ritz.size + 4, b, q) < 0:
                return None
            out = unused if is_backward else m[at:]
            drop = backward if is_backward else forward
            finish_map(g, lines, bits, v, u, b, is_backward, at, wide, drop, out)
    return m, forward, backward


def _one_by_one(g: NDArray, wires: Wires) -> tuple[NDArray, NDArray, NDArray]:
    """Return the same for arrays too stiff to relax."""
    rows, columns = g.shape
    solver = ArraySolver(g, wires)
    m, forward, backward = (np.empty((rows, columns)) for _ in range(3))
    for a in range(rows):
        one = _solved(solver.solve(np.eye(1, rows, a)[0]))
        m[a] = one.output
        forward[a] = one.word_voltage[a] - one.bit_voltage[a]
    for k in range(columns):
        one = _solved(solver.solve(None, np.eye(1, columns, k)[0]))
        backward[:, k] = one.bit_voltage[:, k] - one.word_voltage[:, k]
    return m, forward, backward


def _solved(solution: ArraySolution) -> ArraySolution:
    if not solution.converged:
        rows, columns = solution.device_current.shape
        raise SimulationError(
            f"a tile of {rows} x {columns} cells with wires is {solution.message} In an "
            "experiment: smaller tiles (crossbar.tile), or less resistance or conductance."
        )
    return solution


def effective_map(
    g: ArrayLike, wires: Wires, *, dtype: DTypeLike = np.float64, tolerance: float = 1e-10
) -> EffectiveMap:
    """Return the matrix of linear cells *g* (rows, columns) [S] on resistive wires.

    Parameters
    ----------
    g, wires
        As for :func:`~.solver.solve_array`.
    dtype
        Of the result and of the work: float64, or float32, whose m is good to about 1e-6.
    tolerance
        Accuracy of the node voltages for a drive of 1 V, root mean square [V]; in float32 at
        least 1e-6.

    Raises
    ------
    ConfigError
        If a conductance, the dtype or the tolerance is not allowed.
    SimulationError
        If the array could not be solved.
    """
    g = check_cells(g)
    kind = np.dtype(dtype)
    if kind not in (np.float32, np.float64) or not 0.0 < tolerance < 1.0:
        raise ConfigError(
            f"a map of type {kind} and tolerance {tolerance}; allowed are float32 and float64, "
            "and a tolerance between 0 and 1."
        )
    if kind == np.float32:
        tolerance = max(tolerance, 1e-6)
    lines = lines_of(wires)
    ritz = _spectrum(g, lines)
    found = _relaxed(g, lines, ritz, tolerance, kind) if ritz.size else None
    m, forward, backward = found or _one_by_one(g, wires)
    rows, columns = g.shape
    return EffectiveMap(
        m.astype(kind, copy=False).ravel(), (forward * backward).astype(kind, copy=False).ravel(),
        np.zeros(rows), np.zeros(columns), margins(g, lines), rows, columns,
    )  # fmt: skip


def exact_change(
    g: ArrayLike, wires: Wires, rows: ArrayLike, columns: ArrayLike, dg: ArrayLike
) -> NDArray:
    """Return by how much m changes, exactly, when a few cells change.

    One solution of the array per changed cell (Sherman, Morrison and Woodbury): cheaper than a
    new map for up to some thirty cells.

    Parameters
    ----------
    g, wires
        The array before the change.
    rows, columns : (n,) of int
        The cells that change, none twice.
    dg : (n,)
        Their changes [S].

    Returns
    -------
    ndarray, (rows, columns)
        Change of m [S].

    Raises
    ------
    ConfigError
        If the cells or their changes do not fit the array.
    """
    g, at, to = check_cells(g), np.asarray(rows), np.asarray(columns)
    dg = np.asarray(dg, np.float64)
    n = dg.size
    if not at.shape == to.shape == dg.shape == (n,) or len(set(zip(at, to, strict=True))) < n:
        raise ConfigError(
            f"changes of shape {dg.shape} at rows of shape {at.shape} and columns of shape "
            f"{to.shape}; allowed are three vectors of one length, no cell twice."
        )
    if n and not (at.min() >= 0 and at.max() < len(g) and to.min() >= 0 and to.max() < g.shape[1]):
        raise ConfigError(f"a changed cell lies outside the array of {g.shape}.")
    if not np.all(g[at, to] + dg >= 0) or not np.all(np.isfinite(dg)):
        raise ConfigError("a change makes a conductance negative or not finite.")
    system = LinearSystem(g.shape[0], g.shape[1], lines_of(wires))
    system.renew(g)
    across, from_words, from_bits = (
        np.empty((n, n)),
        np.empty((n, len(g))),
        np.empty((n, len(g.T))),
    )
    w, b = np.empty_like(g), np.empty_like(g)
    for k in range(n):  # a unit current from the word line's node to the bit line's, backwards
        source = np.zeros(g.shape)
        source[at[k], to[k]] = 1.0
        if system.solve(source, -source, w, b, 1e-13, 0.0, 500) < 0:
            system.solve_direct(source, -source, w, b)
        left = source - g * (w - b)
        across[k] = (w - b)[at, to]
        from_words[k], from_bits[k] = left.sum(axis=1), left.sum(axis=0)
    inside = np.linalg.solve(np.eye(n) + dg[:, np.newaxis] * across, dg[:, np.newaxis] * from_bits)
    return from_words.T @ inside
