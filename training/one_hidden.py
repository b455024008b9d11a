"""The nudged phase of the continual rule for the commonest network: clocked, one hidden layer.

The output layer is so narrow that its weights are worth writing in every slot, in work space: it
costs as much as one product of a time step. The input layer's change stays in the Gram matrix of
the inputs, which joins the output's weights in one product for the drive of the hidden layer.
"""

from __future__ import annotations

import numpy as np

from ..circuits.activation import activate
from ..circuits.dynamics import block, copy, nudge
from ..circuits.products import add_gram, aligned
from ..circuits.tiles import (
    FIVE,
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
from ..circuits.vectors import TOTALS, put
from ..jit import inlined, kernel, loop
from .contrast import difference

__all__ = ["continual_one_hidden", "input_gram"]


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
    p = coefficients.shape[1] - gram.shape[0]
    for b in range(gram.shape[0]):
        for k in range(p):
            coefficients[b, k] = 0
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
        for k in range(0, p, FIVE):
            f = five(k, p)
            where = _places(f, at, w)
            coefficients = _places(f, 0, batch)
            states = (q * (p + batch) + p) * w
            put_five(
                add_five(weight, where, scaled, coefficients, stack, states, w, batch),
                weight, where,
            )  # fmt: skip


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
            sent = (
                rho(code, pull[0], one), rho(code, pull[1], one), rho(code, pull[2], one),
                rho(code, pull[3], one), rho(code, pull[4], one),
            )  # fmt: skip
            put_five(sent, new, _places(f, at + p * w, w))


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
def continual_one_hidden(
    rule, schedule, beta, factor, theta, layout, dynamics, x, drive, target, state, work
):
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
    hidden, output = block(state, 0, batch, n), block(state, batch * n, batch, p)
    w, depth = width(state), p + batch
    count = (n + w - 1) // w
    rows, pull = aligned(count * p, w, drive).ravel(), aligned(count * batch, w, drive).ravel()
    stack, next_stack = aligned(count * depth, w, drive), aligned(count * depth, w, drive)
    now, then = stack.ravel(), next_stack.ravel()
    to_panels(weight, p, 0, rows)
    to_panels(drive, batch, 0, pull)
    to_panels(hidden, depth, p, now)
    coefficients, sums = np.empty((batch, depth), drive.dtype), np.empty(sums_room(batch, p), drive.dtype)
    scaled, moved = np.empty((p, batch), drive.dtype), np.empty(p, drive.dtype)
    heard, new = np.empty((batch, p), drive.dtype), np.empty((batch, p), drive.dtype)
    _start(
        -kind(factor) * kind(schedule.eta[0]),
        input_gram(x, schedule.input_bias),
        coefficients,
    )
    for q in range(count):  # the drive's part of the Gram matrix, as if no weight of W_2 were there
        for b in range(0, batch, FIVE):
            f = five(b, batch)
            where = _places(f, q * batch * w, w)
            states = (q * depth + p) * w
            put_five(
                add_five(pull, where, coefficients.ravel(), _places(f, p, depth), now, states, w, batch),
                pull, where,
            )  # fmt: skip
    _negate(coefficients)
    _take(-scale, output, scaled, coefficients)
    _add_products(count, p, batch, scaled.ravel(), now, rows)
    _add_sums(scaled, bias)
    for _ in range(schedule.nudged_steps):
        _take(scale, output, scaled, coefficients)
        copy(bias, moved)
        _add_sums(scaled, moved)
        _slot(
            code, count, p, batch, rows, pull, scaled.ravel(), coefficients.ravel(), now, then
        )
        _hear(count, p, batch, now, sums)
        collect(sums, p, moved, heard)
        activate(code, heard.ravel(), new.ravel())
        nudge(gain, target, output.ravel(), new.ravel())
        output, new = new, output
        now, then = then, now
    _take(scale, output, scaled, coefficients)
    _add_products(count, p, batch, scaled.ravel(), now, rows)
    _add_sums(scaled, bias)
    from_panels(rows, p, 0, weight)
    change = np.empty((batch, n), drive.dtype)
    from_panels(now, depth, p, change)
    difference(change.ravel(), hidden.ravel(), change.ravel())
    return change


@loop
def _negate(a):
    for b in range(a.shape[0]):
        for k in range(a.shape[1]):
            a[b, k] = -a[b, k]
