"""Reads of an array and their noise: along its lines, or cell by cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..devices.counter_rng import Stream, normals
from ..errors import ConfigError
from .cell_array import CellArray

__all__ = ["line_currents", "read_cells", "read_numbers", "squared_conductance"]


def squared_conductance(xbar: CellArray) -> NDArray:
    """Return the sum of squared conductances [S^2] behind each weight, shape (rows, columns)."""
    total = np.sum(xbar.conductance**2, axis=2)
    if xbar.encoding == "offset":
        total = total + xbar.reference[:, np.newaxis] ** 2
    return total


def line_currents(xbar: CellArray, v: NDArray, signed: NDArray, squares: NDArray) -> NDArray:
    """Return the currents [A] of the lines sensed, with read noise, for driven lines at *v* [V].

    Parameters
    ----------
    xbar : CellArray
        The array, which counts its noisy reads.
    v : (driven,) or (batch, driven)
    signed, squares : (driven, sensed)
        Signed conductance [S] and squared conductance [S^2] of each weight.

    Raises
    ------
    ConfigError
        If *v* does not fit the lines.
    """
    if v.ndim not in (1, 2) or v.shape[-1] != signed.shape[0]:
        raise ConfigError(
            f"voltages of shape {v.shape} for {signed.shape[0]} lines; give one for each "
            "line, or a batch of that."
        )
    current = v @ signed
    if xbar.effects.read_noise > 0:
        # A sum over cells of independent Gaussian errors is one Gaussian per line and read.
        deviation = xbar.effects.read_noise * np.sqrt((v * v) @ squares)
        current = current + deviation * read_numbers(xbar, current.shape)
    return current


def read_cells(xbar: CellArray) -> NDArray:
    """Return the conductance [S] of each cell, read alone, shape (rows, columns, arms)."""
    g = xbar.conductance
    if xbar.effects.read_noise > 0:
        return g * (1.0 + xbar.effects.read_noise * read_numbers(xbar, g.shape))
    return g.copy()


def read_numbers(xbar: CellArray, shape: tuple[int, ...]) -> NDArray:
    """Return standard normal numbers for a new read, and count it."""
    step = (xbar.array_id << 40) + xbar.reads
    xbar.reads += 1
    return normals(xbar.seed, Stream.READ, step, shape)
