"""The nudged phase of the continual rule for the commonest network: clocked, one hidden layer.

The output layer is so narrow that its weights are worth writing in every slot, in work space: it
costs as much as one product of a time step. The input layer's change stays in the Gram matrix of
the inputs, which joins the output's weights in one product for the drive of the hidden layer.
"""

from __future__ import annotations

import numpy as np

from ..circuits.activation import activate
from ..circuits.dynamics import block, copy, nudge
from ..circuits.products import add_backward, add_forward, add_gram, aligned, set_backward
from ..jit import kernel, loop
from .contrast import difference

__all__ = ["continual_one_hidden", "input_gram"]


@kernel
def input_gram(x, bias):
    """Return x x^T, plus 1 where the first layer's biases learn too."""
    gram = np.full((x.shape[0], x.shape[0]), x.dtype.type(1.0 if bias else 0.0))
    add_gram(x, gram)
    return gram


@loop
def _fill(bias, out):
    for b in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[b, k] = bias[k]


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
    for b in range(gram.shape[0]):
        for c in range(gram.shape[1]):
            coefficients[b, c] = scale * gram[b, c]


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
    stack, pull = aligned(p + batch, n, drive), aligned(batch, n, drive)
    rows, sent = stack[:p], stack[p:]
    coefficients = np.empty((batch, p + batch), drive.dtype)
    scaled, moved = np.empty((p, batch), drive.dtype), np.empty(p, drive.dtype)
    heard, new = np.empty((batch, p), drive.dtype), np.empty((batch, p), drive.dtype)
    copy(hidden.ravel(), sent.ravel())
    _start(
        kind(factor) * kind(schedule.eta[0]),
        input_gram(x, schedule.input_bias),
        coefficients[:, p:],
    )
    _take(-scale, output, scaled, coefficients)
    add_backward(-coefficients[:, p:], sent, drive)
    add_backward(scaled, sent, weight)
    _add_sums(scaled, bias)
    for _ in range(schedule.nudged_steps):
        _take(scale, output, scaled, coefficients)
        set_backward(weight, scaled, sent, rows)
        copy(bias, moved)
        _add_sums(scaled, moved)
        set_backward(drive, coefficients, stack, pull)
        _fill(moved, heard)
        add_forward(sent, rows, heard)
        activate(code, heard.ravel(), new.ravel())
        nudge(gain, target, output.ravel(), new.ravel())
        activate(code, pull.ravel(), sent.ravel())
        output, new = new, output
    _take(scale, output, scaled, coefficients)
    add_backward(scaled, sent, weight)
    _add_sums(scaled, bias)
    difference(sent.ravel(), hidden.ravel(), pull.ravel())
    return pull
