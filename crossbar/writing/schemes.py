"""Update schemes: which cells are pulsed together, and how many pulse slots that takes.

A *slot* is the time of one nominal pulse on the array. Cells that move up and cells that move
down need slots of their own, since the lines carry other voltages; the two cells of a pair move
in opposite directions.

================  ====================  ====================================================
scheme            request               slots
================  ====================  ====================================================
row_serial        any signed counts     per row: largest SET plus largest RESET count
row_parallel      integers a, b         per sign of a: max abs(a) times max abs(b), each way
outer_product     real x, d             per sign of x: the length of the pulse trains, each way
================  ====================  ====================================================

``row_parallel`` repeats the pulses of the rows within each pulse of the columns, so that cell
(i, j) sees exactly a_i b_j coincidences. ``outer_product`` fires every line at random in each
slot, so that it does so on average. Rows of opposite sign take turns, since one line of the
columns cannot ask for a rise in one row and a fall in the next. Time is the sum of the slots;
what a driver needs in between is for the caller to add, per operation.

References
----------
T. Gokmen, Y. Vlasov, "Acceleration of deep neural network training with resistive cross-point
devices: design considerations", Frontiers in Neuroscience 10, 2016,
doi:10.3389/fnins.2016.00333 (stochastic coincidence).
M. J. Rasch et al., "A flexible and fast PyTorch toolkit for simulating training and inference on
analog crossbar arrays" (AIHWKit), AICAS 2021, doi:10.1109/AICAS51828.2021.9458494 (balanced
probabilities).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...devices.counter_rng import Stream, uniforms
from ...errors import ConfigError
from ..requests import pulse_counts

if TYPE_CHECKING:
    from ..array import Crossbar

__all__ = [
    "Programming",
    "cell_counts",
    "outer_product",
    "result",
    "row_parallel",
    "row_serial",
    "row_slots",
]


class Programming(NamedTuple):
    """What an update took.

    Attributes
    ----------
    pulses : int
        Pulses on single cells.
    operations : int
        Pulse slots, one after the other.
    time : float
        Sum of their widths [s].
    clipped : int
        Lines whose firing probability was cut at 1, so that their update is too small.
    """

    pulses: int
    operations: int
    time: float
    clipped: int = 0


def cell_counts(xbar: Crossbar, counts: NDArray) -> NDArray:
    """Return the signed pulses of each cell, shape (rows, columns, arms), for *counts* of weights.

    Pairs of one-sided cells take SET pulses only; those of a refresh are not foreseen.

    Raises
    ------
    ConfigError
        If *counts* does not fit.
    """
    counts = pulse_counts(counts, xbar.shape)
    arms = np.stack([counts, -counts][: xbar.arms], axis=2)
    return np.maximum(arms, 0) if xbar.device.one_sided else arms


def row_slots(cells: NDArray) -> tuple[NDArray, NDArray]:
    """Return the SET and the RESET slots of each row, (rows,), for *cells* of `cell_counts`."""
    lines = cells.reshape(cells.shape[0], -1)
    return np.maximum(lines.max(axis=1), 0), np.maximum((-lines).max(axis=1), 0)


def row_serial(xbar: Crossbar, counts: NDArray) -> Programming:
    """Apply signed pulse *counts* (rows, columns) row by row, the cells of a row together.

    Raises
    ------
    ConfigError
        If *counts* does not fit.
    """
    n_set, n_reset = row_slots(cell_counts(xbar, counts))
    return result(xbar, xbar.program(counts), int(n_set.sum()), int(n_reset.sum()))


def row_parallel(xbar: Crossbar, a: NDArray, b: NDArray) -> Programming:
    """Apply the rank-one request a_i b_j (signed pulses per weight), all rows at once.

    Parameters
    ----------
    xbar : Crossbar
    a : (rows,) of int
    b : (columns,) of int

    Raises
    ------
    ConfigError
        If *a* or *b* does not fit or holds no integers.
    """
    a, b = (_factor(v, n, "iu") for v, n in ((a, xbar.rows), (b, xbar.columns)))
    pulses = xbar.program(np.multiply.outer(a, b))
    ahead, back = _largest(a)
    up, down = _largest(b)
    if xbar.arms == 2:
        # The minus cell of a weight rises where its plus cell falls.
        up = down = max(up, down)
    return result(xbar, pulses, ahead * up + back * down, ahead * down + back * up)


def outer_product(
    xbar: Crossbar, x: NDArray, d: NDArray, *, scale: float = 1.0, length: int = 31
) -> Programming:
    """Apply scale x_i d_j pulses per weight on average, all rows at once, by coincidence.

    In each of *length* slots row i fires with a probability proportional to abs(x_i), column j
    with one proportional to abs(d_j); a weight takes a pulse where both do, in the direction of
    the sign of the product. Largest probabilities of rows and columns are equal. The mean is
    exact unless probabilities reach 1, that is as long as scale max abs(x) max abs(d) <= length.

    Parameters
    ----------
    xbar : Crossbar
        The array; its seed and count of operations decide the random numbers.
    x : (rows,)
    d : (columns,)
    scale : float
        Pulses for x_i d_j = 1, > 0.
    length : int
        Slots of the pulse trains ("BL" in AIHWKit), at least 1.

    Raises
    ------
    ConfigError
        If *x*, *d*, *scale* or *length* is not allowed.
    """
    x, d = (_factor(v, n, "iuf") for v, n in ((x, xbar.rows), (d, xbar.columns)))
    if not 0.0 < scale < np.inf or isinstance(length, bool) or length != int(length) or length < 1:
        raise ConfigError(
            f"outer product of scale {scale!r} and length {length!r}; allowed: a finite scale "
            "> 0, a whole length >= 1."
        )
    top_x, top_d = float(np.abs(x).max()), float(np.abs(d).max())
    if top_x == 0.0 or top_d == 0.0:
        return Programming(0, 0, 0.0)
    top = (scale * top_x * top_d / length) ** 0.5
    chance = np.concatenate([np.abs(x) * (top / top_x), np.abs(d) * (top / top_d)])
    step = (xbar.array_id << 40) + xbar.operations
    fired = uniforms(xbar.seed, Stream.PULSE, step, (int(length), chance.size)) < chance
    bits = fired.astype(np.float32)
    coincidences = bits[:, : x.size].T @ bits[:, x.size :]
    signs = np.multiply.outer(np.sign(x), np.sign(d))
    pulses = xbar.program((coincidences * signs).astype(np.int64))
    slots = int(length) * (int(np.any(x > 0)) + int(np.any(x < 0)))
    return result(xbar, pulses, slots, slots)._replace(clipped=int(np.sum(chance > 1.0)))


def _factor(values: NDArray, size: int, kinds: str) -> NDArray:
    values = np.asarray(values)
    if values.shape != (size,) or values.dtype.kind not in kinds or not np.isfinite(values).all():
        raise ConfigError(
            f"factor of an outer product of shape {values.shape} and type {values.dtype}; "
            f"allowed: shape ({size},), {'finite numbers' if 'f' in kinds else 'integers'}."
        )
    return values.astype(np.float64 if "f" in kinds else np.int64)


def _largest(values: NDArray) -> tuple[int, int]:
    """Return the largest value and the largest negated one, 0 where there is none."""
    return int(np.max(values, initial=0)), int(np.max(-values, initial=0))


def result(xbar: Crossbar, pulses: int, n_set: int, n_reset: int) -> Programming:
    """Return what *pulses* on cells in so many SET and RESET slots took."""
    time = n_set * xbar.params.t_set + n_reset * xbar.params.t_reset
    return Programming(pulses, n_set + n_reset, float(time))
