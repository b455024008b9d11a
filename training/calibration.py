"""Full-scale ranges of the ADCs, from what the lines of a fresh network carry.

A converter's range is set once, before training, as a test engineer would: from the largest
current that each group of lines carries over some training samples, with ample headroom, since the
weights may grow tenfold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..circuits.dynamics import free_phase, input_drive, send
from ..circuits.hopfield import Dynamics, HopfieldNetwork, Layout
from ..circuits.sensing import Sensing, input_parts, parts, peaks
from ..jit import kernel

__all__ = ["SAMPLES", "line_limits"]

SAMPLES = 256
"""Training rows that a calibration looks at, at most."""


@kernel
def _peaks(steps, theta, layout, dynamics, sensing, x, state, work, out):
    drive = np.empty((x.shape[0], layout.sizes[1]), x.dtype)
    input_drive(x, theta, layout, drive)
    free_phase(steps, theta, layout, dynamics, drive, state, work)
    pieces = np.empty((parts(x.shape[1] + 1, sensing.tile_rows), *drive.shape), x.dtype)
    input_parts(x, theta, layout, sensing, pieces)
    sent = np.empty_like(state)
    send(dynamics, state, sent)
    peaks(theta, layout, sensing, pieces, sent, out)


def line_limits(
    network: HopfieldNetwork, theta: NDArray, sensing: Sensing, x: NDArray, steps: int
) -> NDArray:
    """Return the largest line currents, shape (2, depth + 1), by direction and listening layer.

    Parameters
    ----------
    network, theta
        The network at its initial weights.
    sensing
        Its tiles; the converters in it are not used.
    x : (rows, n_0)
        Training samples; the first :data:`SAMPLES` are used.
    steps
        Length of the free phase.

    Returns
    -------
    ndarray
        In units of the drives; where no line carries any current the entry is 1.
    """
    layout: Layout = network.layout
    dynamics: Dynamics = network.dynamics
    rows = np.ascontiguousarray(x[:SAMPLES], theta.dtype)
    state = np.zeros(len(rows) * layout.units, theta.dtype)
    work = np.empty((5, state.size), theta.dtype)
    out = np.zeros((2, layout.depth + 1))
    _peaks(steps, theta, layout, dynamics, sensing, rows, state, work, out)
    return np.where(out > 0, out, 1.0)
