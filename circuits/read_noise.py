"""Read noise of the arrays, as the neurons feel it.

Each cell's conductance is read with a relative error of standard deviation sigma, independent
between cells and between reads. A line's current is then off by a Gaussian of variance
sigma^2 sum_i (v_i g_i)^2, so one number per line and read has exactly the distribution that one
number per cell would give. That sum has the form of the drive itself, with squared signals and
with q = sum over a weight's cells of g^2 in the place of the weight.
"""

from __future__ import annotations

import numpy as np

from ..devices.counter_rng import Stream, normal_pair, philox
from ..jit import kernel, loop
from .dynamics import advance, drives, send

__all__ = ["noisy_relax", "noisy_step", "squares"]

_READ = int(Stream.READ)


@loop
def squares(source, out):
    """Write the squares of the flat array *source* to *out*."""
    for i in range(source.size):
        out[i] = source[i] * source[i]


@kernel
def _row_noise(k0, k1, step, slot, row, out):
    """Fill *out* with the standard normal numbers of sample *row* in time step *slot*."""
    c1 = np.uint32((row << 12) | slot)
    low, high = np.uint32(step & 0xFFFFFFFF), np.uint32((_READ << 16) | (step >> 32))
    for b in range(out.size // 4):
        u0, u1, u2, u3 = philox(k0, k1, np.uint32(b), c1, low, high)
        out[4 * b], out[4 * b + 1] = normal_pair(u0, u1)
        out[4 * b + 2], out[4 * b + 3] = normal_pair(u2, u3)


@loop
def _add_noise(sigma, variance, noise, a):
    for j in range(a.size):
        a[j] += sigma * np.sqrt(variance[j]) * noise[j]


@kernel
def noisy_step(
    theta, q, layout, dynamics, drive, q_drive, sigma, moment, beta, target, state, new, work
):
    """One time step as :func:`~ohmlearn.circuits.dynamics.step`, with noise on every line.

    Parameters
    ----------
    q, q_drive
        Squared conductances in the units of squared weights, laid out as theta; and the input's
        share x^2 Q_1 + q_b, shape (batch, n_1).
    sigma : float
        Relative standard deviation of one cell's conductance in one read.
    moment : (k0, k1, step, slot, first row)
        Key of the random numbers.
    work : (5, batch * units)
        Work space.
    """
    batch = drive.shape[0]
    sent, a, rate, variance = work[0], work[1], work[2], work[3]
    send(dynamics, state, sent)
    drives(theta, layout, drive, sent, a)
    if sigma > 0:
        squares(sent, rate)
        drives(q, layout, q_drive, rate, variance)
        k0, k1, step, slot, first = moment
        units = layout.unit_at[-1] + layout.sizes[-1]
        noise = np.empty(units + (-units) % 4, state.dtype)
        for b in range(batch):
            _row_noise(k0, k1, step, slot, first + b, noise)
            for layer in range(1, layout.sizes.size):
                at, n = layout.unit_at[layer], layout.sizes[layer]
                here = batch * at + b * n
                _add_noise(
                    state.dtype.type(sigma),
                    variance[here : here + n],
                    noise[at : at + n],
                    a[here : here + n],
                )
    advance(layout, dynamics, batch, a, beta, target, state, sent, new, rate)


@kernel
def noisy_relax(
    steps, theta, q, layout, dynamics, drive, q_drive, sigma, moment, beta, target, state, work
):
    """Advance *state* in place by *steps* noisy time steps; slots count on from *moment*'s."""
    new = work[4]
    k0, k1, step, slot, first = moment
    for t in range(steps):
        now = (k0, k1, step, slot + t, first)
        noisy_step(
            theta, q, layout, dynamics, drive, q_drive, sigma, now, beta, target, state, new, work
        )
        for i in range(state.size):
            state[i] = new[i]
