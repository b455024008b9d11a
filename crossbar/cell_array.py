"""An array of cells and the signed weights that their conductances hold.

=========  =======  =====================================  =====================================
encoding   cells    weight                                 reference
=========  =======  =====================================  =====================================
pair       2        (g_plus - g_minus) / unit              each weight's own second cell
offset     1        (g - g_row) / unit                     one cell per row, set once to mid-window
single     1        (g - g_mid) / unit                     subtracted by an ideal circuit
=========  =======  =====================================  =====================================

``unit`` is the conductance that stands for weight 1 [S]: the window divided by the weight range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..devices.cell.read import Channel, read_conductance, read_step
from ..devices.contract import Device
from ..devices.variability import Effects
from ..errors import ConfigError
from .bank import CellBank

__all__ = ["ENCODINGS", "CellArray", "window_ends"]

ENCODINGS = {"pair": 2, "offset": 1, "single": 1}


@dataclass
class CellArray:
    """The cells of an array and what they hold; :class:`~.array.Crossbar` reads and programs them.

    Attributes
    ----------
    device, params, effects
        The cell model, its nominal parameters (SI units), its non-idealities.
    encoding
        ``"pair"``, ``"offset"`` or ``"single"``.
    rows, columns
        Word lines and bit lines (pairs of bit lines for ``"pair"``).
    unit
        Conductance that stands for weight 1 [S].
    seed, array_id
        Key of all its random numbers.
    bank
        The cells; ``bank.x`` and ``bank.g`` change with programming.
    reference
        Conductance subtracted from each row [S], shape (rows,); zeros for pairs.
    reference_cells
        The cells of the reference column, if there is one.
    operations, reads, pulses, drifts
        Programming operations, reads, single-cell pulses and rests so far.
    """

    device: Device
    params: Any
    effects: Effects
    encoding: str
    rows: int
    columns: int
    unit: float
    seed: int
    array_id: int
    bank: CellBank
    reference: NDArray
    reference_cells: CellBank | None = None
    operations: int = 0
    reads: int = 0
    pulses: int = 0
    drifts: int = 0

    @property
    def arms(self) -> int:
        """Cells per weight."""
        return ENCODINGS[self.encoding]

    @property
    def shape(self) -> tuple[int, int]:
        """Word lines and columns of weights."""
        return self.rows, self.columns

    @property
    def cells(self) -> int:
        """Number of cells, without the reference column."""
        return self.bank.x.size

    @property
    def step(self) -> float:
        """Weight change by one nominal pulse on each arm, at the reference conductance.

        In a pair of one-sided cells by one on one arm, the other one resting.
        """
        moving = 1 if self.device.one_sided else self.arms
        return moving * self.cell_step / self.unit

    @property
    def cell_step(self) -> float:
        """Change of a cell's conductance by one nominal pulse [S]."""
        return read_step(self.params, self.bank.channel, float(self.bank.v_read))

    @property
    def conductance(self) -> NDArray:
        """Conductances shown to a read [S], shape (rows, columns, arms); a view."""
        return self.bank.g.reshape(self.rows, self.columns, self.arms)

    @property
    def weights(self) -> NDArray:
        """Weights that a noiseless read would see, shape (rows, columns)."""
        return self.signed_conductance / self.unit

    @property
    def signed_conductance(self) -> NDArray:
        """Conductances less those subtracted from them [S], shape (rows, columns)."""
        g = self.conductance
        return g[..., 0] - (g[..., 1] if self.arms == 2 else self.reference[:, np.newaxis])

    def cell_targets(self, weights: NDArray) -> NDArray:
        """Return the conductances [S] that hold *weights*, shape (rows, columns, arms).

        The arms of a pair go to mid-window plus and minus half the weight. A cell's own window is
        not asked.

        Raises
        ------
        ConfigError
            If the shape is wrong or a weight is not finite.
        """
        weights = np.asarray(weights, self.bank.g.dtype)
        if weights.shape != self.shape or not np.all(np.isfinite(weights)):
            raise ConfigError(
                f"weights of shape {weights.shape} for a crossbar of shape {self.shape}; "
                "allowed: that shape, finite numbers."
            )
        middle = 0.5 * sum(window_ends(self.params, self.bank.channel, float(self.bank.v_read)))
        target = np.empty((*self.shape, self.arms), self.bank.g.dtype)
        if self.arms == 2:
            target[..., 0] = middle + 0.5 * self.unit * weights
            target[..., 1] = middle - 0.5 * self.unit * weights
        else:
            target[..., 0] = self.reference[:, np.newaxis] + self.unit * weights
        return target


def window_ends(params: Any, channel: Channel | None, v_read: float) -> tuple[float, float]:
    """Return the conductances [S] at both ends of the nominal cell's window."""
    low, high = (float(read_conductance(params, channel, v_read, x)) for x in (0.0, 1.0))
    return low, high
