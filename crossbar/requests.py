"""What is asked of an array, checked: pulses for weights, target conductances for cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError

__all__ = ["checked_targets", "pulse_counts"]


def pulse_counts(counts: NDArray, shape: tuple[int, int]) -> NDArray:
    """Return signed pulse *counts* as int64, checked to be integers of *shape*.

    Raises
    ------
    ConfigError
        If they are not.
    """
    counts = np.asarray(counts)
    if counts.shape != shape or counts.dtype.kind not in "iu":
        raise ConfigError(
            f"pulse counts of shape {counts.shape} and type {counts.dtype} for a crossbar of "
            f"shape {shape}; allowed: that shape, integers."
        )
    return counts.astype(np.int64, copy=False)


def checked_targets(targets: NDArray, shape: tuple[int, int, int], what: str) -> NDArray:
    """Return *targets* [S] as floats, of *shape* (rows, columns, arms); NaN leaves a cell alone.

    Raises
    ------
    ConfigError
        If the shape is wrong or a target is infinite or not above 0; *what* begins the sentence.
    """
    targets = np.asarray(targets)
    numbers = targets.shape == shape and targets.dtype.kind in "iuf"
    if not numbers or np.any(targets <= 0) or np.any(np.isinf(targets)):
        raise ConfigError(
            f"{what}: targets of shape {targets.shape} and type {targets.dtype}; allowed: finite "
            f"conductances > 0 S of shape {shape} (rows, columns, arms), NaN to leave alone."
        )
    return targets.astype(np.float64)
