"""Direct solution of an array with wires by sparse elimination, for where iterations stall.

The nodal matrix is built once and factorised by SuperLU. It takes some hundred times the time of
the iterative solver, and no preconditioner.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ladders import Lines

__all__ = ["DirectSolver"]


def _numbers(rows: int, columns: int, r: float, t: float, first: int) -> NDArray:
    """Return the numbers of nodes of lines along the second axis; -1 where they cannot move."""
    if t == 0:
        return np.full((rows, columns), -1)
    if r == 0:
        return np.repeat(first + np.arange(rows)[:, np.newaxis], columns, axis=1)
    return first + np.arange(rows * columns).reshape(rows, columns)


class DirectSolver:
    """Factors of the nodal matrix of cells *g* (rows, columns) [S] and their wires."""

    def __init__(self, g: NDArray, lines: Lines) -> None:
        from scipy.sparse import coo_array
        from scipy.sparse.linalg import splu

        rows, columns = g.shape
        word = _numbers(rows, columns, lines.r_word, lines.t_word, 0)
        count = word.max() + 1
        bit = _numbers(columns, rows, lines.r_bit, lines.t_bit, count).T
        self._word, self._bit = word, bit
        self._size = max(count, bit.max() + 1)
        at: list[NDArray] = []
        entries: list[NDArray] = []

        def connect(a: NDArray, b: NDArray, conductance: Any) -> None:
            a, b = a.ravel(), b.ravel()
            value = np.broadcast_to(conductance, a.shape).ravel()
            for i, j, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
                kept = (i >= 0) & (j >= 0)
                at.append(np.stack([i[kept], j[kept]]))
                entries.append(sign * value[kept])

        connect(word, bit, g.ravel())
        ground = np.full(max(g.shape), -1)
        if lines.r_word > 0:
            connect(word[:, 1:], word[:, :-1], 1.0 / lines.r_word)
        if lines.r_bit > 0:
            connect(bit[1:], bit[:-1], 1.0 / lines.r_bit)
        if lines.t_word > 0:
            connect(word[:, 0], ground[: len(g)], 1.0 / lines.t_word)
        if lines.t_bit > 0:
            connect(bit[-1], ground[: g.shape[1]], 1.0 / lines.t_bit)
        matrix = coo_array(
            (np.concatenate(entries), np.concatenate(at, axis=1)), (self._size, self._size)
        )
        self._factors = splu(
            matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )  # fmt: skip

    def solve(self, fw: NDArray, fb: NDArray) -> tuple[NDArray, NDArray]:
        """Return the voltages of word and bit lines [V] for currents into their nodes [A]."""
        right = np.zeros(self._size + 1)  # the last place takes what cannot move
        np.add.at(right, self._word, fw)
        np.add.at(right, self._bit, fb)
        voltage = np.append(self._factors.solve(right[:-1]), 0.0)
        return voltage[self._word], voltage[self._bit]
