"""Numba kernels of the layered network: one time step, and the free phase.

A state is a flat vector, layer after layer, each layer a C-contiguous (batch, units) block; the
input's contribution to the first layer, x W_1 + b_1, is constant while the weights stand still
and is passed as *drive*. Every kernel writes into arrays it is given.
"""

from __future__ import annotations

import numpy as np

from ..jit import inner, kernel, loop
from .activation import activate, slope
from .hopfield import PROTOTYPICAL

__all__ = [
    "advance",
    "block",
    "copy",
    "drives",
    "free_phase",
    "input_drive",
    "relax",
    "send",
    "step",
]

_GROUP = 4  # samples settled together in the free phase
_WIDE = 24  # below this many rows our own loops beat the fixed cost of a BLAS call


@kernel
def block(flat, at, rows, columns):
    """Return the (rows, columns) view of a flat array that starts at *at*."""
    return flat[at : at + rows * columns].reshape(rows, columns)


@inner
def _input_rows(x, weight, bias, active, drive):
    batch, n = drive.shape
    for b in range(batch):
        count = 0
        for i in range(x.shape[1]):
            if x[b, i] != 0:
                active[count] = i
                count += 1
        for j in range(n):
            drive[b, j] = bias[j]
        for a in range(0, count - 3, 4):
            i0, i1, i2, i3 = active[a], active[a + 1], active[a + 2], active[a + 3]
            x0, x1, x2, x3 = x[b, i0], x[b, i1], x[b, i2], x[b, i3]
            for j in range(n):
                drive[b, j] += (
                    x0 * weight[i0, j]
                    + x1 * weight[i1, j]
                    + x2 * weight[i2, j]
                    + x3 * weight[i3, j]
                )
        for a in range(count - count % 4, count):
            i0 = active[a]
            x0 = x[b, i0]
            for j in range(n):
                drive[b, j] += x0 * weight[i0, j]


@kernel
def input_drive(x, theta, layout, drive):
    """Write x W_1 + b_1 to *drive* (batch, n_1), skipping word lines with no input.

    Most pixels of a digit are dark, and a dark word line draws no current.
    """
    n = layout.sizes[1]
    weight = block(theta, layout.weight_at[1], x.shape[1], n)
    bias = theta[layout.bias_at[1] : layout.bias_at[1] + n]
    _input_rows(x, weight, bias, np.empty(x.shape[1], np.uint32), drive)


@inner
def _add_forward(s, rows, out):
    """Add s W to *out*, *rows* being W^T, for few columns: two dot products share the loads."""
    batch, m = s.shape
    n = rows.shape[0]
    zero = s.dtype.type(0.0)
    for b in range(batch):
        for k in range(0, n - 1, 2):
            first, second = zero, zero
            for j in range(m):
                first += s[b, j] * rows[k, j]
                second += s[b, j] * rows[k + 1, j]
            out[b, k] += first
            out[b, k + 1] += second
        if n % 2 == 1:
            last = zero
            for j in range(m):
                last += s[b, j] * rows[n - 1, j]
            out[b, n - 1] += last


@inner
def _add_backward(s, rows, out):
    """Add s B to *out*, for few rows: four at a time spare loads and stores of *out*."""
    batch, n = out.shape
    p = rows.shape[0]
    for b in range(batch):
        for k in range(0, p - 3, 4):
            f0, f1, f2, f3 = s[b, k], s[b, k + 1], s[b, k + 2], s[b, k + 3]
            for j in range(n):
                out[b, j] += (
                    f0 * rows[k, j]
                    + f1 * rows[k + 1, j]
                    + f2 * rows[k + 2, j]
                    + f3 * rows[k + 3, j]
                )
        for k in range(p - p % 4, p):
            f0 = s[b, k]
            for j in range(n):
                out[b, j] += f0 * rows[k, j]


@loop
def _add(what, into):
    for b in range(what.shape[0]):
        for j in range(what.shape[1]):
            into[b, j] += what[b, j]


@loop
def _spread(bias, out):
    for b in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[b, j] = bias[j]


@loop
def copy(source, into):
    """Copy the flat array *source* to *into*."""
    for i in range(source.size):
        into[i] = source[i]


@kernel
def drives(theta, layout, drive, sent, out):
    """Write every layer's drive a_l to *out*, given what the layers send, *sent*."""
    depth = layout.sizes.size - 1
    batch = drive.shape[0]
    for layer in range(1, depth + 1):
        n = layout.sizes[layer]
        a = block(out, batch * layout.unit_at[layer], batch, n)
        if layer == 1:
            copy(drive.ravel(), a.ravel())
        else:
            m = layout.sizes[layer - 1]
            _spread(theta[layout.bias_at[layer] : layout.bias_at[layer] + n], a)
            s = block(sent, batch * layout.unit_at[layer - 1], batch, m)
            rows = block(theta, layout.weight_at[layer], n, m)
            if batch == 1 or n < _WIDE:
                _add_forward(s, rows, a)
            else:
                _add(np.dot(s, rows.T), a)
        if layer < depth:
            p = layout.sizes[layer + 1]
            s = block(sent, batch * layout.unit_at[layer + 1], batch, p)
            rows = block(theta, layout.back_at[layer + 1], p, n)
            if batch == 1 or p < _WIDE:
                _add_backward(s, rows, a)
            else:
                _add(np.dot(s, rows), a)


@loop
def _nudge(gain, target, old, new):
    """Add gain (y - s) to the new output state: minus gain times the loss' derivative."""
    for i in range(target.size):
        new[i] += gain * (target[i] - old[i])


@loop
def _euler(dt, clamp, pull, old, new):
    """One explicit Euler step of ds/dt = pull - s, clipped to [0, 1] where clamped."""
    zero, one = old.dtype.type(0.0), old.dtype.type(1.0)
    if clamp:
        for i in range(old.size):
            new[i] = min(max(old[i] + dt * (pull[i] - old[i]), zero), one)
    else:
        for i in range(old.size):
            new[i] = old[i] + dt * (pull[i] - old[i])


@loop
def _multiply(into, by):
    for i in range(into.size):
        into[i] *= by[i]


@kernel
def send(dynamics, state, sent):
    """Write what the neurons send to their neighbours: s, or rho(s) in the energy-based form."""
    if dynamics.kind == PROTOTYPICAL:
        copy(state, sent)
    else:
        activate(dynamics.activation, state, sent)


@kernel
def advance(layout, dynamics, batch, a, beta, target, state, sent, new, rate):
    """Turn the drives *a* into the next state *new*; *rate* is work space (batch * units,)."""
    first = batch * layout.unit_at[-1]
    gain = state.dtype.type(beta)
    if dynamics.kind == PROTOTYPICAL:
        activate(dynamics.activation, a, new)
        if beta != 0:
            _nudge(gain, target, state[first:], new[first:])
        return
    slope(dynamics.activation, state, sent, rate)
    if not dynamics.output_slope:
        for i in range(first, state.size):
            rate[i] = 1
    _multiply(a, rate)
    if beta != 0:
        _nudge(gain, target, state[first:], a[first:])
    _euler(state.dtype.type(dynamics.time_step), dynamics.clamp, a, state, new)


@kernel
def step(theta, layout, dynamics, drive, beta, target, state, new, scratch):
    """Advance *state* by one time step into *new*, nudged to *target* with strength *beta*.

    Parameters
    ----------
    theta, layout, dynamics
        Parameters and structure, see :mod:`ohmlearn.circuits.hopfield`.
    drive : (batch, n_1)
        x W_1 + b_1.
    beta : float
        Nudging strength of the published discrete form; 0 in the free phase.
    target : (batch * n_N,)
        Target y of the output layer.
    state, new : (batch * units,)
        State before and after; they must not overlap.
    scratch : (3, batch * units)
        Work space.
    """
    sent = state
    if dynamics.kind != PROTOTYPICAL:
        sent = scratch[0]
        activate(dynamics.activation, state, sent)
    drives(theta, layout, drive, sent, scratch[1])
    batch = drive.shape[0]
    advance(layout, dynamics, batch, scratch[1], beta, target, state, sent, new, scratch[2])


@loop
def _differing(old, new):
    count = 0
    for i in range(old.size):
        count += 1 if new[i] != old[i] else 0
    return count


@kernel
def relax(steps, theta, layout, dynamics, drive, beta, target, state, scratch):
    """Advance *state* in place by *steps* time steps; return how many had to be computed.

    The two halves of a layered network (odd and even layers) do not hear of their own last state,
    so rounding leaves the settled state in a cycle of period two. Once two steps map the state
    onto itself, bit for bit, all later ones are known and are not computed. *scratch* is
    (5, batch * units); on return row 3 holds the state one step before the last.
    """
    spare, before = scratch[3], scratch[4]
    for t in range(0, steps - 1, 2):
        copy(state, before)
        step(theta, layout, dynamics, drive, beta, target, state, spare, scratch)
        step(theta, layout, dynamics, drive, beta, target, spare, state, scratch)
        if _differing(state, before) == 0:
            if (steps - t) % 2 == 1:
                _exchange(state, spare)
            return t + 2
    if steps % 2 == 1:
        step(theta, layout, dynamics, drive, beta, target, state, spare, scratch)
        _exchange(state, spare)
    return steps


@loop
def _exchange(a, b):
    for i in range(a.size):
        a[i], b[i] = b[i], a[i]


@kernel
def _narrow(layout):
    """Say whether every weight layer above the first is computed by our own loops."""
    for layer in range(2, layout.sizes.size):
        if layout.sizes[layer] >= _WIDE:
            return False
    return True


@kernel
def _scatter(layout, group, first, batch, part, state):
    for layer in range(1, layout.sizes.size):
        at, n = layout.unit_at[layer], layout.sizes[layer]
        to = batch * at + first * n
        copy(part[group * at : group * (at + n)], state[to : to + group * n])


@kernel
def free_phase(steps, theta, layout, dynamics, drive, state, scratch):
    """Settle a batch from zero, without nudge, in *state*; *scratch* as in :func:`relax`.

    Samples do not hear of each other. Where no layer needs a matrix product through BLAS they
    are settled a few at a time: the working set then stays in the first-level cache, and a group
    stops at its own fixed point. Both ways give the same bits.
    """
    batch = drive.shape[0]
    units = state.size // batch
    if batch == 1 or not _narrow(layout):
        for i in range(state.size):
            state[i] = 0
        relax(steps, theta, layout, dynamics, drive, 0.0, state, state, scratch)
        return
    for first in range(0, batch, _GROUP):
        group = min(_GROUP, batch - first)
        part = np.zeros(group * units, state.dtype)
        small = np.empty((5, group * units), state.dtype)
        few = drive[first : first + group]
        relax(steps, theta, layout, dynamics, few, 0.0, part, part, small)
        _scatter(layout, group, first, batch, part, state)
