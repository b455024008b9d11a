"""An array seen from its bit lines."""

from __future__ import annotations

from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["CrossbarView"]


class Readable(Protocol):
    """What is read along its word lines and along its bit lines."""

    @property
    def shape(self) -> tuple[int, int]:
        """Word lines and columns of weights."""
        ...

    def read(self, v: NDArray) -> NDArray:
        """Return bit-line currents [A] for word lines at *v* [V]."""
        ...

    def read_back(self, u: NDArray) -> NDArray:
        """Return word-line currents [A] for bit lines at *u* [V]."""
        ...


Array = TypeVar("Array", bound=Readable)


class CrossbarView(NamedTuple, Generic[Array]):
    """The array seen from its bit lines: ``xbar.T @ v`` is the forward read."""

    crossbar: Array
    __array_ufunc__ = None  # so that ``u @ xbar.T`` reaches __rmatmul__

    @property
    def shape(self) -> tuple[int, int]:
        """Columns of weights and word lines."""
        rows, columns = self.crossbar.shape
        return columns, rows

    @property
    def T(self) -> Array:
        """The array itself."""
        return self.crossbar

    def __matmul__(self, v: NDArray) -> NDArray:
        """Return bit-line currents [A], (columns,) or (columns, p), for word lines *v* [V]."""
        return self.crossbar.read(np.asarray(v).T).T

    def __rmatmul__(self, u: NDArray) -> NDArray:
        """Return word-line currents [A], (rows,) or (batch, rows), for bit lines *u* [V]."""
        return self.crossbar.read_back(u)
