"""Numba kernels of the layered network: one time step, and the free phase.

A state is a flat vector, layer after layer, each layer a C-contiguous (batch, units) block; the
input's contribution to the first layer, x W_1 + b_1, is constant while the weights stand still
and is passed as *drive*. Every kernel writes into arrays it is given.
"""

from __future__ import annotations

import numpy as np

from ..jit import kernel, loop
from .activation import activate, slope
from .hopfield import PROTOTYPICAL
from .one_hidden import settle_one_hidden
from .products import add_columns, add_rows, block, input_rows

__all__ = [
    "advance",
    "block",
    "copy",
    "drives",
    "free_phase",
    "input_drive",
    "nudge",
    "relax",
    "send",
    "step",
]


@kernel
def input_drive(x, theta, layout, drive):
    """Write x W_1 + b_1 to *drive* (batch, n_1), skipping word lines with no input.

    Most pixels of a digit are dark, and a dark word line draws no current.
    """
    n = layout.sizes[1]
    weight = block(theta, layout.weight_at[1], x.shape[1], n)
    bias = theta[layout.bias_at[1] : layout.bias_at[1] + n]
    input_rows(x, weight, bias, np.empty(x.shape[1], np.uint32), drive)


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
            add_columns(s, rows, a)
        if layer < depth:
            p = layout.sizes[layer + 1]
            s = block(sent, batch * layout.unit_at[layer + 1], batch, p)
            rows = block(theta, layout.back_at[layer + 1], p, n)
            add_rows(s, rows, a)


@loop
def nudge(gain, target, old, new):
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
            nudge(gain, target, state[first:], new[first:])
        return
    slope(dynamics.activation, state, sent, rate)
    if not dynamics.output_slope:
        for i in range(first, state.size):
            rate[i] = 1
    _multiply(a, rate)
    if beta != 0:
        nudge(gain, target, state[first:], a[first:])
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
def free_phase(steps, theta, layout, dynamics, drive, state, scratch):
    """Settle a batch from zero, without nudge, in *state*; *scratch* as in :func:`relax`."""
    if dynamics.kind == PROTOTYPICAL and layout.sizes.size == 3:
        settle_one_hidden(steps, theta, layout, dynamics, drive, state)
        return
    for i in range(state.size):
        state[i] = 0
    relax(steps, theta, layout, dynamics, drive, 0.0, state, state, scratch)
