"""What a data set is once it is read: arrays that are checked, scaled and labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import DataError

__all__ = ["Dataset", "check", "part"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples and labels for training and for testing.

    Attributes
    ----------
    name : name under which the set was loaded.
    x_train, x_test : inputs, shape (samples, features), float32 or float64 in [0, 1], no unit.
    y_train, y_test : labels, shape (samples,), int64 in 0 .. classes - 1.
    classes : number of classes.
    shape : shape of one sample before flattening, e.g. (28, 28) for rows and columns of pixels.
    licence, source : terms of use, and where the numbers come from.
    note : what a reader of results must know (a partial set, our own split); may be empty.
    """

    name: str
    x_train: NDArray[np.floating]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.floating]
    y_test: NDArray[np.int64]
    classes: int
    shape: tuple[int, ...]
    licence: str
    source: str
    note: str = ""

    @property
    def features(self) -> int:
        """Number of inputs of one sample."""
        return self.x_train.shape[1]


def check(x: NDArray[Any], y: NDArray[Any], classes: int, where: str = "the data") -> None:
    """Raise unless *x* and *y* can be trained on.

    Parameters
    ----------
    x : inputs, shape (samples, features), real and finite.
    y : labels, shape (samples,), integers in 0 .. classes - 1.
    classes : number of classes, at least 1.
    where : how to call the data in an error message.

    Raises
    ------
    DataError
        If the sizes do not fit, a value is NaN or infinite, or a label is out of range.
    """
    _check_sizes(x, y, where)
    if classes < 1:
        raise DataError(f"{where}: {classes} classes; at least 1 is needed.")
    _check_finite(x, where)
    wrong = np.flatnonzero((y < 0) | (y >= classes))
    if wrong.size:
        first = int(wrong[0])
        raise DataError(
            f"{where}: {wrong.size} labels are out of range, the first is {y[first]} at sample "
            f"{first}; allowed are 0 to {classes - 1}."
        )


def _check_sizes(x: NDArray[Any], y: NDArray[Any], where: str) -> None:
    if x.ndim != 2 or x.dtype.kind not in "fiub":
        raise DataError(
            f"{where}: inputs have shape {x.shape} and type {x.dtype}; allowed are real numbers "
            "of shape (samples, features)."
        )
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise DataError(
            f"{where}: labels have shape {y.shape} and type {y.dtype}; allowed are integers of "
            "shape (samples,)."
        )
    if len(x) != len(y):
        raise DataError(
            f"{where}: {len(x):,} samples but {len(y):,} labels; each sample needs one label."
        )
    if x.size == 0:
        raise DataError(
            f"{where}: {x.shape[0]} samples of {x.shape[1]} features; at least 1 of each is "
            "needed."
        )


def _check_finite(x: NDArray[Any], where: str) -> None:
    # The extremes carry any NaN or infinity and cost no copy of x.
    if np.isfinite(x.min()) and np.isfinite(x.max()):
        return
    wrong = np.argwhere(~np.isfinite(x))
    row, column = (int(i) for i in wrong[0])
    raise DataError(
        f"{where}: {len(wrong)} inputs are NaN or infinite, the first is {x[row, column]} at "
        f"sample {row}, feature {column}; every input must be finite."
    )


def part(
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    full_scale: float,
    limit: int | None,
    dtype: DTypeLike,
    classes: int,
    where: str,
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Return the first *limit* samples, checked, flattened and scaled to [0, 1].

    Parameters
    ----------
    x : inputs as stored, shape (samples, ...).
    y : labels as stored, shape (samples,).
    full_scale : stored value that becomes 1.
    limit : number of samples to keep, from the first on; None keeps all.
    dtype : float32 or float64, the type of the inputs returned.
    classes, where : as in :func:`check`.

    Raises
    ------
    DataError
        As :func:`check`; also for a limit or type that is not allowed.
    """
    target = _float_type(dtype)
    flat = x.reshape(len(x), -1) if x.size else x.reshape(len(x), 0)
    check(flat, y, classes, where)
    rows = len(y) if limit is None else limit
    if not 1 <= rows <= len(y):
        raise DataError(f"{where}: a limit of {rows:,} samples; allowed are 1 to {len(y):,}.")
    scaled = np.divide(flat[:rows], full_scale, dtype=target)
    return np.ascontiguousarray(scaled), y[:rows].astype(np.int64)


def _float_type(dtype: DTypeLike) -> np.dtype[Any]:
    # NumPy takes None for float64; here it is more likely a forgotten value.
    for allowed in (np.float32, np.float64):
        if dtype is not None and dtype in (allowed, allowed.__name__, np.dtype(allowed)):
            return np.dtype(allowed)
    raise DataError(f"inputs cannot have type {dtype!r}; allowed are float32 and float64.")
