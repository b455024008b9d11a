"""The nudged phase of the continual rule for the commonest network: clocked, one hidden layer.

The output layer is so narrow that its weights are worth writing in every slot, in work space: it
costs as much as one product of a time step. The input layer's change stays in the Gram matrix of
the inputs, which joins the output's weights in one product for the drive of the hidden layer.
"""

from __future__ import annotations

import numpy as np

from ..circuits.activation import activate
from ..circuits.dynamics import block, copy, nudge
from ..circuits.lit import add_lit_products, lit_drive
from ..circuits.one_hidden import settle_one_hidden
from ..circuits.products import add_gram, aligned
from ..circuits.tiles import (
    FIVE,
    PANEL,
    add_five,
    collect,
    five,
    five_sums,
    from_panels,
    put_five,
    rho,
    sums_room,
    to_panels,
    width,
)
from ..circuits.vectors import TOTALS, load, put
from ..jit import inlined, kernel, loop
from .contrast import add_to_bias, difference

__all__ = ["input_gram", "learn_one_hidden"]


@kernel
def input_gram(x, bias):
    """Return x x^T, plus 1 where the first layer's biases learn too."""
    gram = np.full((x.shape[0], x.shape[0]), x.dtype.type(1.0 if bias else 0.0))
    add_gram(x, gram)
    return gram


@loop
def _take(scale, output, transposed, coefficients):
    """Write *output* (batch, p) times *scale* to *transposed*, and itself to *coefficients*."""
    for b in range(output.shape[0]):
        for k in range(output.shape[1]):
            transposed[k, b] = scale * output[b, k]
            coefficients[b, k] = output[b, k]


@loop
def _add_sums(scaled, bias):
    for k in range(bias.size):
        for b in range(scaled.shape[1]):
            bias[k] += scaled[k, b]


@loop
def _start(scale, gram, coefficients):
    """Write *scale* times *gram* to the last columns of *coefficients*."""
    p = coefficients.shape[1] - gram.shape[0]
    for b in range(gram.shape[0]):
        for c in range(gram.shape[1]):
            coefficients[b, p + c] = scale * gram[b, c]


@inlined
def _places(f, at, step):
    return (
        at + f[0] * step, at + f[1] * step, at + f[2] * step, at + f[3] * step, at + f[4] * step
    )  # fmt: skip


@kernel
def _add_products(count, p, batch, scaled, stack, weight):
    """Add *scaled* (p, batch) times the hidden states in *stack* to W_2, all in *count* panels."""
    w = width(weight)
    for q in range(count):
        at = q * p * w
        states = (q * (p + batch) + p) * w
        for k in range(0, p, FIVE):
            f = five(k, p)
            where, rates = _places(f, at, w), _places(f, 0, batch)
            moved = add_five(weight, where, scaled, rates, stack, states, w, batch)
            put_five(moved, weight, where)


@loop
def _clear(n, p, batch, stack):
    """Write zeros to the padding of the hidden states, so that W_2's stays zero."""
    w = width(stack)
    for b in range(batch):
        at = (n // w * (p + batch) + p + b) * w
        for j in range(n % w, w):
            stack[at + j] = 0


@kernel
def _slot(code, count, p, batch, weight, drive, scaled, coefficients, stack, new):
    """Write W_2 as it is now to *stack*, and the next hidden states to *new*, panel by panel."""
    w, depth = width(weight), p + batch
    one = weight.dtype.type(1.0)
    for q in range(count):
        at = q * depth * w
        for k in range(0, p, FIVE):
            f = five(k, p)
            base, rates = _places(f, q * p * w, w), _places(f, 0, batch)
            moved = add_five(weight, base, scaled, rates, stack, at + p * w, w, batch)
            put_five(moved, stack, _places(f, at, w))
        for b in range(0, batch, FIVE):
            f = five(b, batch)
            base, rates = _places(f, q * batch * w, w), _places(f, 0, depth)
            pull = add_five(drive, base, coefficients, rates, stack, at, w, depth)
            put_five(pull, new, _places(f, at + p * w, w))
        for b in range(p, depth):
            put(rho(code, load(new, at + b * w, PANEL), one), new, at + b * w)


@kernel
def _hear(count, p, batch, stack, sums):
    """Write to *sums* what the hidden states in *stack* send through the weights in it."""
    w, at = width(stack), 0
    step = (p + batch) * w
    for b in range(0, batch, FIVE):
        states = _places(five(b, batch), p * w, w)
        for k in range(0, p, 2):
            second = min(k + 1, p - 1)
            heard = five_sums(stack, states, step, stack, k * w, second * w, step, count)
            put(heard, sums, at)
            at += TOTALS


@kernel
def _add_coupling(count, p, batch, coefficients, stack, drive):
    """Add the part of *coefficients* that multiplies the hidden states in *stack* to *drive*."""
    w, depth = width(drive), p + batch
    for q in range(count):
        states = (q * depth + p) * w
        for b in range(0, batch, FIVE):
            f = five(b, batch)
            at, rates = _places(f, q * batch * w, w), _places(f, p, depth)
            pull = add_five(drive, at, coefficients, rates, stack, states, w, batch)
            put_five(pull, drive, at)


@kernel
def continual_one_hidden(schedule, beta, factor, theta, layout, dynamics, x, drive, target, state):
    """Let neurons and synapses move together for K slots; return the input layer's total change.

    With G the input layer's coupling of the samples, the drive of slot t is x W_1 + b_1 +
    G (h_t - h_0), and what the output layer adds is a product of one stack of rows, those of
    W_2 as it is now and the hidden states, with (o_t, G).
    """
    batch, n = drive.shape
    p, code = layout.sizes[2], dynamics.activation
    kind = state.dtype.type
    gain, scale = kind(beta), kind(factor) * kind(schedule.eta[1])
    weight = block(theta, layout.weight_at[2], p, n)
    bias = theta[layout.bias_at[2] : layout.bias_at[2] + p]
    hidden = block(state, 0, batch, n)
    output = block(state, batch * n, batch, p).copy()
    w, depth = width(state), p + batch
    count = (n + w - 1) // w
    rows, pull = aligned(count * p, w, drive).ravel(), aligned(count * batch, w, drive).ravel()
    stack = aligned(2 * count * depth, w, drive).ravel()
    now, then = stack[: stack.size // 2], stack[stack.size // 2 :]
    to_panels(weight, p * w, rows)
    to_panels(drive, batch * w, pull)
    to_panels(hidden, depth * w, now[p * w :])
    coefficients = np.zeros((batch, depth), drive.dtype)
    scaled, moved = np.empty((p, batch), drive.dtype), np.empty(p, drive.dtype)
    heard, new = np.empty((batch, p), drive.dtype), np.empty((batch, p), drive.dtype)
    sums = np.empty(sums_room(batch, p), drive.dtype)
    coupling = kind(factor) * kind(schedule.eta[0])
    gram = input_gram(x, schedule.input_bias)
    _start(-coupling, gram, coefficients)
    _add_coupling(count, p, batch, coefficients.ravel(), now, pull)
    _start(coupling, gram, coefficients)
    _take(-scale, output, scaled, coefficients)
    _add_products(count, p, batch, scaled.ravel(), now, rows)
    _add_sums(scaled, bias)
    for _ in range(schedule.nudged_steps):
        _take(scale, output, scaled, coefficients)
        copy(bias, moved)
        _add_sums(scaled, moved)
        _slot(code, count, p, batch, rows, pull, scaled.ravel(), coefficients.ravel(), now, then)
        if n % w > 0:
            _clear(n, p, batch, then)
        _hear(count, p, batch, now, sums)
        collect(sums, p, moved, heard)
        activate(code, heard.ravel(), new.ravel())
        nudge(gain, target, output.ravel(), new.ravel())
        output, new = new, output
        now, then = then, now
    _take(scale, output, scaled, coefficients)
    _add_products(count, p, batch, scaled.ravel(), now, rows)
    _add_sums(scaled, bias)
    from_panels(rows, p * w, weight)
    end, change = aligned(batch, n, drive), aligned(batch, n, drive)
    from_panels(now[p * w :], depth * w, end)
    difference(end.ravel(), hidden.ravel(), change.ravel())
    return change


@kernel
def learn_one_hidden(schedule, beta, factor, theta, layout, dynamics, x, target, state):
    """Learn from one batch by the continual rule; *state* is then that of the free phase."""
    m, n = layout.sizes[0], layout.sizes[1]
    weight = block(theta, layout.weight_at[1], m, n)
    bias = theta[layout.bias_at[1] : layout.bias_at[1] + n]
    inputs, drive = aligned(len(x), m, x), aligned(len(x), n, x)
    copy(x.ravel(), inputs.ravel())
    x = inputs
    lit_drive(x, weight, bias, drive)
    settle_one_hidden(schedule.free_steps, theta, layout, dynamics, drive, state)
    change = continual_one_hidden(
        schedule, beta, factor, theta, layout, dynamics, x, drive, target, state
    )
    scale = theta.dtype.type(factor * schedule.eta[0])
    add_lit_products(scale, x, change, weight)
    if schedule.input_bias:
        add_to_bias(scale, change, bias)
