"""Target conductances of single cells, as the ways of writing take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError

if TYPE_CHECKING:
    from ..array import Crossbar

__all__ = ["checked_targets"]


def checked_targets(xbar: Crossbar, targets: NDArray, what: str) -> NDArray:
    """Return *targets* [S] as floats, shape (rows, columns, arms); NaN leaves a cell alone.

    Raises
    ------
    ConfigError
        If the shape is wrong or a target is infinite or not above 0; *what* begins the sentence.
    """
    targets = np.asarray(targets)
    shape = (*xbar.shape, xbar.arms)
    numbers = targets.shape == shape and targets.dtype.kind in "iuf"
    if not numbers or np.any(targets <= 0) or np.any(np.isinf(targets)):
        raise ConfigError(
            f"{what}: targets of shape {targets.shape} and type {targets.dtype}; allowed: finite "
            f"conductances > 0 S of shape {shape} (rows, columns, arms), NaN to leave alone."
        )
    return targets.astype(np.float64)
