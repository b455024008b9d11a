"""Read noise of the arrays, as the neurons feel it.

Each cell's conductance is read with a relative error of standard deviation sigma, independent
between cells and between reads. A line's current is then off by a Gaussian of variance
sigma^2 sum_i (v_i g_i)^2, so one number per line and read has exactly the distribution that one
number per cell would give. That sum has the form of the drive itself, with squared signals and
with q = sum over a weight's cells of g^2 in the place of the weight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..devices.counter_rng import Stream, normal_pair, philox
from ..jit import kernel, loop
from .dynamics import advance, copy, drives, send

__all__ = ["Moment", "noisy_relax", "squares"]

_READ = int(Stream.READ)


class Moment(NamedTuple):
    """The moment of a read, from which its random numbers follow.

    A tuple type of its own, so that all callers share one compiled kernel: in a plain tuple every
    literal number is a type.

    Attributes
    ----------
    k0, k1 : uint32
        Key of the seed.
    step : int
        Sample number of the run, below 2**48.
    slot : int
        Time step within the sample, below 4096.
    first : int
        Number of the batch's first row, below 2**20.
    """

    k0: np.uint32
    k1: np.uint32
    step: int
    slot: int
    first: int


@loop
def squares(source, out):
    """Write the squares of the flat array *source* to *out*."""
    for i in range(source.size):
        out[i] = source[i] * source[i]


@kernel
def _row_noise(moment, t, b, out):
    """Fill *out* with the standard normal numbers of row *b*, *t* time steps after *moment*."""
    c1 = np.uint32(((moment.first + b) << 12) | (moment.slot + t))
    low = np.uint32(moment.step & 0xFFFFFFFF)
    high = np.uint32((_READ << 16) | (moment.step >> 32))
    for k in range(out.size // 4):
        u0, u1, u2, u3 = philox(moment.k0, moment.k1, np.uint32(k), c1, low, high)
        out[4 * k], out[4 * k + 1] = normal_pair(u0, u1)
        out[4 * k + 2], out[4 * k + 3] = normal_pair(u2, u3)


@loop
def _add_noise(sigma, variance, noise, a):
    for j in range(a.size):
        a[j] += sigma * np.sqrt(variance[j]) * noise[j]


@kernel
def noisy_relax(
    steps, theta, q, layout, dynamics, drive, q_drive, sigma, moment, beta, target, state, work
):
    """Advance *state* in place by *steps* time steps, with noise on every line.

    Without noise each of them is :func:`~ohmlearn.circuits.dynamics.step`.

    Parameters
    ----------
    q, q_drive
        Squared conductances in the units of squared weights, laid out as theta; and the input's
        share x^2 Q_1 + q_b, shape (batch, n_1).
    sigma : float
        Relative standard deviation of one cell's conductance in one read.
    moment : Moment
        That of the first time step; slots count on from it.
    work : (5, batch * units)
        Work space.
    """
    batch = drive.shape[0]
    sent, a, rate, variance, new = work[0], work[1], work[2], work[3], work[4]
    units = layout.unit_at[-1] + layout.sizes[-1]
    noise = np.empty(units + (-units) % 4, state.dtype)
    relative = state.dtype.type(sigma)
    for t in range(steps):
        send(dynamics, state, sent)
        drives(theta, layout, drive, sent, a)
        if sigma > 0:
            squares(sent, rate)
            drives(q, layout, q_drive, rate, variance)
            for b in range(batch):
                _row_noise(moment, t, b, noise)
                for layer in range(1, layout.sizes.size):
                    at, n = layout.unit_at[layer], layout.sizes[layer]
                    here = batch * at + b * n
                    there = here + n
                    _add_noise(relative, variance[here:there], noise[at : at + n], a[here:there])
        advance(layout, dynamics, batch, a, beta, target, state, sent, new, rate)
        copy(new, state)
