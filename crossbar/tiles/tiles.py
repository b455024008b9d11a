"""The cells of an array on tiles of limited size, with wires inside and converters at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from numpy.typing import NDArray

from ..array import Crossbar
from ..wires import Wires
from .converters import Converters, Mismatch
from .currents import LinearCells

__all__ = ["Tiles"]


@dataclass(repr=False)
class Tiles:
    """Weights on tiles with wires and converters; :mod:`.reading` says what a read goes through.

    Attributes
    ----------
    crossbar
        The cells of all tiles, and all that is done to them.
    tile
        Word lines and columns of weights of a tile.
    wires
        Resistances inside a tile, or ``None`` for ideal lines.
    converters
        DAC of every driven and ADC of every sensed line of a tile.
    nonlinear
        Whether cells follow the current of their model, not their conductance at ``v_read``.
    adc_range : (2,)
        Largest current an ADC returns, forward and backward, in units of weight 1 at ``v_full``.
    mismatch
        Gain and offset of the ADCs, forward and backward, tile by tile and line by line.
    solvers
        Tiles of linear cells by their first word line and column, kept from read to read.
    """

    crossbar: Crossbar
    tile: tuple[int, int]
    wires: Wires | None
    converters: Converters
    nonlinear: bool
    adc_range: NDArray
    mismatch: tuple[Mismatch, Mismatch]
    solvers: dict[tuple[int, int], LinearCells] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Word lines and columns of weights."""
        return self.crossbar.shape

    @property
    def v_full(self) -> float:
        """Voltage of a line driven in full [V]; the read voltage of the cells."""
        return float(self.crossbar.bank.v_read)

    @property
    def current_unit(self) -> float:
        """Current of weight 1 on a line driven in full [A]."""
        return float(self.crossbar.unit) * self.v_full

    @property
    def tiles(self) -> tuple[int, int]:
        """Number of tiles along the word lines' numbers and along the columns'."""
        rows, columns = (-(-n // size) for n, size in zip(self.shape, self.tile, strict=True))
        return rows, columns

    @property
    def weights(self) -> NDArray:
        """Weights that an exact read without wires would see, shape (rows, columns)."""
        return self.crossbar.weights

    def places(self) -> Iterator[tuple[slice, slice]]:
        """Yield word lines and columns of every tile, row of tiles by row of tiles."""
        (rows, columns), (high, wide) = self.shape, self.tile
        for top in range(0, rows, high):
            for left in range(0, columns, wide):
                yield slice(top, min(top + high, rows)), slice(left, min(left + wide, columns))
