"""Write-verify: pulse, read, compare, and again, until every cell is near enough to its target."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from ..bank import fire
from ..reading import read_cells
from ..requests import checked_targets
from .schemes import row_slots

if TYPE_CHECKING:
    from ..array import Crossbar

__all__ = ["WriteVerify", "write_verify"]


class WriteVerify(NamedTuple):
    """What write-verify reached, and what it took.

    Attributes
    ----------
    reached : (rows, columns, arms) of bool
        Whether the last read of a cell lay within the tolerance; true for cells without target.
    iterations : (rows, columns, arms) of int
        Times that a cell was pulsed.
    error : (rows, columns, arms)
        Conductance shown, without read noise, less the target [S]; 0 without target.
    tolerance : float
        As asked for [S].
    pulses, reads : int
        Pulses on and reads of single cells.
    operations : int
        Pulse slots, one after the other, where the cells of a row that move in one direction
        are pulsed together, and the rows one after the other.
    time : float
        Sum of the widths of the slots [s], without the reads.
    """

    reached: NDArray
    iterations: NDArray
    error: NDArray
    tolerance: float
    pulses: int
    reads: int
    operations: int
    time: float

    @property
    def missed(self) -> NDArray:
        """Row, column and arm of each cell that was not reached, shape (n, 3)."""
        return np.argwhere(~self.reached)

    def __str__(self) -> str:
        """Return a sentence on what was reached, which names the first cells that were not."""
        text = (
            f"{int(self.reached.sum())} of {self.reached.size} cells within "
            f"{self.tolerance * 1e6:g} uS after {int(self.iterations.max())} iterations at most"
        )
        if not len(self.missed):
            return text + "."
        names = ", ".join(str(tuple(cell.tolist())) for cell in self.missed[:5])
        more = ", ..." if len(self.missed) > 5 else ""
        worst = float(np.abs(self.error[~self.reached]).max())
        return (
            f"{text}; {len(self.missed)} missed (row, column, arm): {names}{more}, the worst by "
            f"{worst * 1e6:.3g} uS."
        )


def write_verify(
    xbar: Crossbar,
    targets: NDArray,
    tolerance: float,
    *,
    max_iterations: int = 100,
    burst: int = 1,
) -> WriteVerify:
    """Bring cells to their target conductances by nominal pulses with reads in between.

    Each iteration reads the cells that are not there yet, with read noise, and pulses those whose
    read is off by more than the tolerance towards their target. A cell once found within the
    tolerance is left alone. Cells that cannot get there (stuck, out of their window, or with
    steps larger than the tolerance) end as not reached.

    Parameters
    ----------
    xbar : Crossbar
        The array; its seed and counts of operations and reads decide the random numbers.
    targets : (rows, columns, arms)
        Conductances [S], such as ``xbar.cell_targets(weights)``; NaN leaves a cell alone.
    tolerance : float
        Largest deviation allowed [S], > 0.
    max_iterations : int
        Most times that a cell is pulsed.
    burst : int
        Most pulses of a cell in one iteration; 1 is one pulse per read. It takes as many as would
        close the gap at the nominal step; each time it leaps over its target the most is halved.

    Raises
    ------
    ConfigError
        If an argument is not allowed.
    """
    targets = checked_targets(targets, xbar.conductance.shape, "write-verify")
    _check(tolerance, max_iterations, burst)
    step = xbar.cell_step
    pending = np.isfinite(targets)
    reached = ~pending
    iterations, side = np.zeros(targets.shape, np.int64), np.zeros(targets.shape)
    most = np.full(targets.shape, burst)
    pulses = reads = n_set = n_reset = 0
    for iteration in range(max_iterations + 1):
        reads += int(pending.sum())
        gap = np.where(pending, targets - read_cells(xbar), 0.0)
        reached |= pending & (np.abs(gap) <= tolerance)
        pending &= ~reached
        if iteration == max_iterations or not pending.any():
            break
        # A cell that leapt over its target has larger steps than the nominal one.
        most = np.where(np.sign(gap) * side < 0, np.maximum(most // 2, 1), most)
        side = np.sign(gap)
        count = np.clip(np.rint(np.abs(gap) / step), 1, most)
        counts = np.where(pending, side * count, 0).astype(np.int64)
        cells = np.flatnonzero(counts)
        pulses += fire(xbar.bank, 0, 1, cells, counts.ravel()[cells], xbar.tick())
        iterations += pending
        up, down = row_slots(counts)
        n_set, n_reset = n_set + int(up.sum()), n_reset + int(down.sum())
    xbar.pulses += pulses
    error = np.where(np.isfinite(targets), xbar.conductance - targets, 0.0)
    time = n_set * xbar.params.t_set + n_reset * xbar.params.t_reset
    return WriteVerify(
        reached, iterations, error, float(tolerance), pulses, reads, n_set + n_reset, float(time)
    )


def _check(tolerance: float, max_iterations: int, burst: int) -> None:
    if not 0.0 < tolerance < np.inf:
        raise ConfigError(f"write-verify: tolerance is {tolerance!r} S; allowed is finite, > 0.")
    for name, value in (("max_iterations", max_iterations), ("burst", burst)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ConfigError(
                f"write-verify: {name} is {value!r}; allowed is a whole number >= 1."
            )
