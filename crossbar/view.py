"""An array seen from its bit lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .array import Crossbar

__all__ = ["CrossbarView"]


class CrossbarView(NamedTuple):
    """The array seen from its bit lines: ``xbar.T @ v`` is the forward read."""

    crossbar: Crossbar
    __array_ufunc__ = None  # so that ``u @ xbar.T`` reaches __rmatmul__

    @property
    def shape(self) -> tuple[int, int]:
        """Columns of weights and word lines."""
        return self.crossbar.columns, self.crossbar.rows

    @property
    def T(self) -> Crossbar:
        """The array itself."""
        return self.crossbar

    def __matmul__(self, v: NDArray) -> NDArray:
        """Return bit-line currents [A], (columns,) or (columns, p), for word lines *v* [V]."""
        return self.crossbar.read(np.asarray(v).T).T

    def __rmatmul__(self, u: NDArray) -> NDArray:
        """Return word-line currents [A], (rows,) or (batch, rows), for bit lines *u* [V]."""
        return self.crossbar.read_back(u)
