"""Kernels of learning on memristor cells: both phases of a batch, pulses after every contrast.

A network without converters reads every line exactly: *sensing* is None then, and its branches
are not even compiled.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..circuits.dynamics import block, copy, input_drive, send
from ..circuits.fabric import Fabric
from ..circuits.read_noise import Moment, noisy_relax, squares
from ..circuits.sensing import input_parts, parts, sensed_relax
from ..crossbar.bank import Tick
from ..jit import kernel, spliced
from .contrast import difference, response
from .policies import Products, program_array

__all__ = ["Plant", "active_rows", "drives_for", "program", "settle", "train"]


class Plant(NamedTuple):
    """All that a sample's kernel works on and does not choose."""

    fabric: Fabric
    theta: NDArray
    q: NDArray
    read_sigma: float


@kernel
def active_rows(x, bias):
    """Return the driven word lines of the first array, with the *bias* line if it learns."""
    rows = np.empty(x.shape[1] + 1, np.int64)
    count = 0
    for i in range(x.shape[1]):
        lit = False
        for b in range(x.shape[0]):
            lit = lit or x[b, i] != 0
        if lit:
            rows[count] = i
            count += 1
    rows[count] = x.shape[1]
    return rows[: count + 1] if bias else rows[:count]


@kernel
def _lines(values, at, n, last, out):
    """Write the (batch, n) block of *values* at *at* to *out*, and *last* to its bias column."""
    for b in range(out.shape[0]):
        for i in range(n):
            out[b, i] = values[at + b * n + i]
        for i in range(n, out.shape[1]):
            out[b, i] = last


@spliced
def program(
    rule, factor, eta, policy, plant, layout, tick, x, lit, old, new, change, drive, q_drive
):
    """Send the contrast (new, old) of all layers to their arrays; return the pulses fired.

    *old* and *new* are what the neurons send, *change* what the rule multiplies: the difference
    of the two, or :func:`~.contrast.response`. Array 0 has requests in its rows *lit* only.
    """
    fabric = plant.fabric
    batch, depth = x.shape[0], layout.sizes.size - 1
    zero, one = x.dtype.type(0.0), x.dtype.type(1.0)
    every = np.empty(layout.unit_at[-1] + layout.sizes[-1] + 1, np.int64)  # no layer has more rows
    for i in range(every.size):
        every[i] = i
    pulses = 0
    for a in range(fabric.rows.size):
        backward = a >= depth
        layer = a + 1 if not backward else a - depth + 2
        m, n, at = layout.sizes[layer - 1], layout.sizes[layer], batch * layout.unit_at[layer]
        pre = np.zeros((batch, fabric.rows[a]), x.dtype)
        dpre = np.zeros((batch, fabric.rows[a]), x.dtype)
        before = batch * layout.unit_at[layer - 1]
        if layer == 1:
            _lines(x.ravel(), before, m, one, pre)
        elif not backward:
            _lines(old if rule.post_difference else new, before, m, one, pre)
        if layer > 1 and backward == rule.post_difference:
            _lines(change, before, m, zero, dpre)
        scale = x.dtype.type(factor) * x.dtype.type(eta[layer - 1]) / fabric.step[a]
        dpost, post = block(change, at, batch, n), block(old, at, batch, n)
        products = Products(scale, pre, dpost, dpre, post)
        now = Tick(tick.k0, tick.k1, tick.step, tick.slot, a)
        rows = lit if a == 0 else every[: fabric.rows[a]]
        pulses += program_array(
            policy, fabric, a, rows, products, now, plant.theta, plant.q, x, drive, q_drive
        )
    return pulses


@kernel
def drives_for(sensing, layout, x):
    """Return room for the input's constant drives, one part for each tile read on its own."""
    count = 1
    if sensing is not None:
        count = parts(x.shape[1] + 1, sensing.tile_rows)
    return np.empty((count, x.shape[0], layout.sizes[1]), x.dtype)


@spliced
def _relax(
    steps, plant, sensing, layout, dynamics, moment, beta, target, drive, q_drive, state, work
):
    """Advance *state* by *steps* time steps; without *sensing* every line is read exactly."""
    if sensing is None:
        noisy_relax(
            steps, plant.theta, plant.q, layout, dynamics, drive[0], q_drive[0],
            plant.read_sigma, moment, beta, target, state, work,
        )  # fmt: skip
    else:
        sensed_relax(
            steps, plant.theta, plant.q, layout, dynamics, sensing, drive, q_drive,
            plant.read_sigma, moment, beta, target, state, work,
        )  # fmt: skip


@spliced
def _input(sensing, x, theta, layout, drive):
    if sensing is None:
        input_drive(x, theta, layout, drive[0])
    else:
        input_parts(x, theta, layout, sensing, drive)


@kernel
def settle(steps, plant, sensing, layout, dynamics, moment, x, drive, q_drive, state, work):
    """Settle the free phase of a batch from zero in *state*, with read noise.

    *drive* and *q_drive*, both (parts, batch, n_1), receive the input's constant drives.
    """
    _input(sensing, x, plant.theta, layout, drive)
    if plant.read_sigma > 0:
        x2 = np.empty_like(x)
        squares(x.ravel(), x2.ravel())
        _input(sensing, x2, plant.q, layout, q_drive)
    else:
        q_drive[:] = 0
    for i in range(state.size):
        state[i] = 0
    _relax(
        steps, plant, sensing, layout, dynamics, moment, 0.0, state, drive, q_drive, state, work
    )


@kernel
def train(
    rule, schedule, beta, policy, plant, sensing, layout, dynamics, tick, x, target, free, work
):
    """Run both phases on one batch of samples; return the pulses fired.

    A continual rule contrasts every slot with the one before; the others contrast once, after
    all slots, and a centred rule with the phase of the opposite nudge.
    """
    batch = x.shape[0]
    drive, q_drive = drives_for(sensing, layout, x), drives_for(sensing, layout, x)
    now = Moment(tick.k0, tick.k1, tick.step, 0, 0)
    settle(
        schedule.free_steps, plant, sensing, layout, dynamics, now, x, drive, q_drive, free, work
    )
    before, state, old, new, change = work[5], work[6], work[7], work[8], work[9]
    copy(free, before)
    copy(free, state)
    lit = active_rows(x, schedule.input_bias)
    factor = (0.5 if rule.centred else 1.0) / (beta * batch)
    contrasts, steps = schedule.nudged_steps, 1
    if not rule.continual:
        contrasts, steps = 1, schedule.nudged_steps
    pulses = 0
    for slot in range(contrasts):
        for side in range(2 if rule.centred else 1):
            time = schedule.free_steps + slot + side * steps
            now = Moment(tick.k0, tick.k1, tick.step, time, 0)
            _relax(
                steps, plant, sensing, layout, dynamics, now, beta if side == 0 else -beta,
                target, drive, q_drive, state if side == 0 else before, work,
            )  # fmt: skip
        send(dynamics, before, old)
        send(dynamics, state, new)
        difference(new, old, change)
        if rule.post_difference:
            response(layout, dynamics, rule.slope, state, before, change, change)
        pulses += program(
            rule, factor, schedule.eta, policy, plant, layout,
            Tick(tick.k0, tick.k1, tick.step, slot, 0), x, lit, old, new, change, drive, q_drive,
        )  # fmt: skip
        copy(state, before)
    return pulses
