"""Numba kernels of the ideal update: exact weight changes from the contrast of two states.

Each rule's update of one layer is a sum of outer products over the batch. The change of a product
is written post' dpre + dpost pre, which does not cancel two nearly equal large products.
"""

from __future__ import annotations

import numpy as np

from ..circuits.activation import HARD, SIGMOID, TANH
from ..circuits.dynamics import block, copy
from ..circuits.hopfield import ENERGY_BASED
from ..circuits.products import WIDE, add_gram, add_rows
from ..jit import inner, kernel, loop

__all__ = [
    "add_products",
    "add_to_bias",
    "add_to_input_weights",
    "change_layer",
    "difference",
    "feed_drive",
    "feed_products",
    "response",
]


@loop
def difference(new, old, out):
    """Write new - old to *out*, all flat."""
    for i in range(new.size):
        out[i] = new[i] - old[i]


@loop
def _by_slope(code, sent, out):
    """Multiply *out* by rho', at least 0, where rho = *sent*; a nudged output may leave (0, 1)."""
    zero, one, four = sent.dtype.type(0.0), sent.dtype.type(1.0), sent.dtype.type(4.0)
    for i in range(out.size):
        if code == SIGMOID:
            rate = four * sent[i] * (one - sent[i])
        elif code == TANH:
            rate = one - sent[i] * sent[i]
        else:
            gain = one if code == HARD else sent.dtype.type(0.5)
            rate = gain if zero < sent[i] < one else zero
        out[i] *= max(rate, zero)


@kernel
def response(layout, dynamics, by_slope, new, old, change, out):
    """Write to *out* what the vector-field rule multiplies with the presynaptic signal.

    That is (dF/dW)^T ds for the step s <- F(s, W): the change of what a neuron sends where its
    dynamics carry the factor rho', and the change of its state itself where they do not.
    *new* and *old* are states, *change* is the difference of the signals sent. *by_slope*
    multiplies by rho' of the old state (prototypical dynamics).
    """
    first = (new.size // (layout.unit_at[-1] + layout.sizes[-1])) * layout.unit_at[-1]
    plain = dynamics.kind == ENERGY_BASED and not dynamics.output_slope
    for i in range(out.size):
        out[i] = new[i] - old[i] if plain and i >= first else change[i]
    if by_slope:
        _by_slope(dynamics.activation, old, out)


@inner
def _product_change(scale, post, dpost, pre, dpre, rows):
    """Add scale sum_b (post x dpre + dpost x pre) to *rows*: the change of post x pre."""
    batch = post.shape[0]
    for k in range(rows.shape[0]):
        for b in range(0, batch - 1, 2):
            f0, g0 = scale * post[b, k], scale * dpost[b, k]
            f1, g1 = scale * post[b + 1, k], scale * dpost[b + 1, k]
            for j in range(rows.shape[1]):
                rows[k, j] += (
                    f0 * dpre[b, j] + g0 * pre[b, j] + f1 * dpre[b + 1, j] + g1 * pre[b + 1, j]
                )
        if batch % 2 == 1:
            f0, g0 = scale * post[batch - 1, k], scale * dpost[batch - 1, k]
            for j in range(rows.shape[1]):
                rows[k, j] += f0 * dpre[batch - 1, j] + g0 * pre[batch - 1, j]


@loop
def _scale_transposed(scale, source, out):
    for k in range(out.shape[0]):
        for b in range(out.shape[1]):
            out[k, b] = scale * source[b, k]


@kernel
def _add_outer(scale, post, pre, rows):
    """Add scale sum_b post[b] x pre[b] to *rows* (n_post, n_pre)."""
    scaled = np.empty((post.shape[1], post.shape[0]), post.dtype)
    _scale_transposed(scale, post, scaled)
    add_rows(scaled, pre, rows)


@loop
def add_to_bias(scale, change, bias):
    """Add scale sum_b change[b] to *bias*."""
    for b in range(change.shape[0]):
        for j in range(bias.size):
            bias[j] += scale * change[b, j]


@kernel
def change_layer(post_difference, scale, layer, layout, theta, old, new, change, moved):
    """Apply one contrast to the weights and bias of *layer* (2 or above).

    Parameters
    ----------
    post_difference : bool
        The rule's product, see :class:`~ohmlearn.training.rules.Rule`.
    scale : float
        eta / (beta batch), or eta / (2 beta batch) for the centred rule.
    old, new, change : (batch * units,)
        What the neurons send before and after, and the difference.
    moved : (batch * units,)
        What the vector-field rule multiplies, see :func:`response`.
    """
    batch = new.size // (layout.unit_at[-1] + layout.sizes[-1])
    m, n = layout.sizes[layer - 1], layout.sizes[layer]
    pre_at, post_at = batch * layout.unit_at[layer - 1], batch * layout.unit_at[layer]
    rows = block(theta, layout.weight_at[layer], n, m)
    pre, dpre = block(old, pre_at, batch, m), block(change, pre_at, batch, m)
    post, dpost = block(new, post_at, batch, n), block(change, post_at, batch, n)
    bias = theta[layout.bias_at[layer] : layout.bias_at[layer] + n]
    if post_difference:
        _add_outer(scale, block(moved, post_at, batch, n), pre, rows)
        back = block(theta, layout.back_at[layer], n, m)
        _add_outer(scale, block(old, post_at, batch, n), block(moved, pre_at, batch, m), back)
        add_to_bias(scale, block(moved, post_at, batch, n), bias)
    elif batch == 1 or n < WIDE:
        _product_change(scale, post, dpost, pre, dpre, rows)
        add_to_bias(scale, dpost, bias)
    else:
        _add_outer(scale, post, dpre, rows)
        _add_outer(scale, dpost, pre, rows)
        add_to_bias(scale, dpost, bias)


@kernel
def feed_drive(scale, gram, change, drive):
    """Add scale (x x^T + 1) change to *drive*: what the input weights' change does to it.

    The change of W_1 in one slot is scale x^T change, of rank batch, and that of b_1 its sum, so
    the new drive needs neither W_1 nor x: *gram* = x x^T + 1 (batch, batch) is enough.
    """
    add_rows(scale * gram, change, drive)


@kernel
def add_products(factor, eta, layout, theta, sent):
    """Add factor eta_l sum_b s_{l-1} x s_l to the weights of layers 2 and above, s_l to b_l."""
    batch = sent.size // (layout.unit_at[-1] + layout.sizes[-1])
    for layer in range(2, layout.sizes.size):
        m, n = layout.sizes[layer - 1], layout.sizes[layer]
        scale = factor * sent.dtype.type(eta[layer - 1])
        pre = block(sent, batch * layout.unit_at[layer - 1], batch, m)
        post = block(sent, batch * layout.unit_at[layer], batch, n)
        _add_outer(scale, post, pre, block(theta, layout.weight_at[layer], n, m))
        add_to_bias(scale, post, theta[layout.bias_at[layer] : layout.bias_at[layer] + n])


@loop
def _mix(below, above, bias, scale_below, scale_above, out):
    for b in range(out.shape[0]):
        for c in range(out.shape[1]):
            out[b, c] = scale_below * (below[b, c] + bias) + scale_above * above[b, c]


@kernel
def feed_products(factor, eta, gram, layout, sent, a):
    """Add to the drives *a* what the weights :func:`add_products` would add do to them.

    A change of rank batch acts through the inner products of the samples' states: with S_l =
    s_l s_l^T (batch, batch), a_l gains (eta_l (S_{l-1} + 1) + eta_{l+1} S_{l+1}) s_l, the 1 for
    the bias. *gram* is S_0 + 1 of the inputs.
    """
    batch = gram.shape[0]
    depth = layout.sizes.size - 1
    one, zero = sent.dtype.type(1.0), sent.dtype.type(0.0)
    products = np.zeros((depth + 2, batch, batch), sent.dtype)
    copy(gram.ravel(), products[0].ravel())
    for layer in range(1, depth + 1):
        s = block(sent, batch * layout.unit_at[layer], batch, layout.sizes[layer])
        add_gram(s, products[layer])
    mixed = np.empty((batch, batch), sent.dtype)
    for layer in range(1, depth + 1):
        at, n = batch * layout.unit_at[layer], layout.sizes[layer]
        up = factor * sent.dtype.type(eta[layer]) if layer < depth else zero
        down = factor * sent.dtype.type(eta[layer - 1])
        bias = one if layer > 1 else zero
        _mix(products[layer - 1], products[layer + 1], bias, down, up, mixed)
        add_rows(mixed, block(sent, at, batch, n), block(a, at, batch, n))


@inner
def add_to_input_weights(scale, x, change, weight):
    """Add scale x^T change to W_1, word line by word line, skipping samples with no input."""
    batch, n = change.shape
    active = np.empty(batch, np.uint32)
    for i in range(x.shape[1]):
        count = 0
        for b in range(batch):  # no branch to mispredict
            active[count] = b
            count += 1 if x[b, i] != 0 else 0
        for a in range(0, count - 3, 4):
            b0, b1, b2, b3 = active[a], active[a + 1], active[a + 2], active[a + 3]
            f0, f1, f2, f3 = scale * x[b0, i], scale * x[b1, i], scale * x[b2, i], scale * x[b3, i]
            for j in range(n):
                weight[i, j] += (
                    f0 * change[b0, j]
                    + f1 * change[b1, j]
                    + f2 * change[b2, j]
                    + f3 * change[b3, j]
                )
        for a in range(count - count % 4, count):
            b0 = active[a]
            f0 = scale * x[b0, i]
            for j in range(n):
                weight[i, j] += f0 * change[b0, j]
