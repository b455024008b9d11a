"""The free phase of the clocked network with one hidden layer, as Numba kernels.

Hidden and output states of one time step do not hear of each other, only of the step before, so
two trajectories of a sample never meet: outputs at even with hidden states at odd times, and the
rest. Both go from output to output state by the same map, two time steps long, from different
starts. Where that map contracts they end in one state, and only the first is followed to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..jit import inner, kernel, loop
from .activation import activate
from .products import add_backward, add_forward, aligned, block

__all__ = ["settle_one_hidden"]

_NEAR = 0.1  # distance of outputs within which the slopes of the neurons change little
_MARGIN = 1.5  # by which the map may turn out to contract less than was seen
_TOGETHER = 20  # samples whose products share the loads of the weights


class _Weights(NamedTuple):
    """W_2 as the hidden layer hears it and as the output does, both (p, n), and b_2 (width,).

    Outputs are padded to *width*, a multiple of 8, as an odd end is computed number by number.
    """

    backward: NDArray
    forward: NDArray
    bias: NDArray


class _Room(NamedTuple):
    """Trajectories in rows: two of each sample, or only the first.

    Drives and states of the hidden layer (rows, n); drives and states of the output layer, and
    its states one step of the map before (rows, width).
    """

    pull: NDArray
    hidden: NDArray
    heard: NDArray
    sent: NDArray
    last: NDArray


class _Settling(NamedTuple):
    """Samples known to settle: their rows in the batch, first trajectories' outputs, and pace.

    ``step`` is the squared length of the last step, ``rate`` what a further one takes of it at
    most.
    """

    who: NDArray
    sent: NDArray
    step: NDArray
    rate: NDArray


@loop
def _copy(source, into):
    for i in range(source.size):
        into[i] = source[i]


@loop
def _spread(source, out):
    for b in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[b, j] = source[j]


@inner
def _apart(a, b):
    """Return the squared distance of two vectors."""
    total = a.dtype.type(0.0)
    for i in range(a.size):
        d = a[i] - b[i]
        total += d * d
    return total


@kernel
def _advance(code, drive, who, each, rows, weights, room):
    """Take *rows* trajectories, *each* of them per sample, one step of the map ahead."""
    pull, hidden = room.pull[:rows], room.hidden[:rows]
    heard, sent = room.heard[:rows], room.sent[:rows]
    _copy(sent.ravel(), room.last[:rows].ravel())
    for row in range(rows):
        _copy(drive[who[row // each]], pull[row])
    add_backward(sent, weights.backward, pull)
    activate(code, pull.ravel(), hidden.ravel())
    _spread(weights.bias, heard)
    add_forward(hidden, weights.forward, heard)
    activate(code, heard.ravel(), sent.ravel())


@kernel
def _rate(first, second, between, before, left, tolerance):
    """Return the rate at which a sample's squares shrink if that decides where it ends, else 1.

    *first*, *second* and *between* are the squared lengths of either trajectory's last step and
    of what separates them, *before* (3,) what they were one step ago. Where both are near each
    other, move little, and would come within *tolerance* of a state in the *left* steps to come,
    even if they shrank less than was seen, that state is the end.
    """
    near = _NEAR * _NEAR
    if not (0 < before[0] < near and 0 < before[1] < near and 0 < before[2] < near):
        return 1.0
    rate = max(first / before[0], max(second / before[1], between / before[2])) * _MARGIN**2
    if not rate < 0.5:
        return 1.0
    ahead = max(first, max(second, between)) / (1.0 - np.sqrt(rate)) ** 2
    return rate if ahead * rate**left <= tolerance * tolerance else 1.0


@kernel
def _keep(hidden, sent, sample, batch, p, state):
    """Write a sample's state."""
    n = hidden.size
    _copy(hidden, state[sample * n : (sample + 1) * n])
    at = batch * n + sample * p
    _copy(sent[:p], state[at : at + p])


@kernel
def _follow_both(code, steps, cut, drive, weights, room, who, count, p, state, settling):
    """Settle the first *count* samples of *who*; return how many are left in *settling*.

    Both trajectories are followed, to where they repeat, bit for bit, or through all *steps*;
    with *cut* only until both are known to end in one state.
    """
    tolerance = float(np.finfo(drive.dtype).eps)
    total, settled = (steps + 1) // 2, 0
    lengths = np.zeros((count, 3))
    hidden, sent, last = room.hidden, room.sent, room.last
    for s in range(count):
        sent[2 * s] = 0
        activate(code, weights.bias, sent[2 * s + 1])
    for t in range(total):
        _advance(code, drive, who, 2, 2 * count, weights, room)
        for s in range(count - 1, -1, -1):
            a, b = 2 * s, 2 * s + 1
            first, second = float(_apart(sent[a], last[a])), float(_apart(sent[b], last[b]))
            between = float(_apart(sent[a], sent[b]))
            rate = 1.0
            if cut:
                rate = _rate(first, second, between, lengths[s], total - 1 - t, tolerance)
            if t == total - 1 or (first == 0 and second == 0):
                output = sent[a] if steps % 2 == 0 else last[b]
                _keep(hidden[b - steps % 2], output, who[s], drive.shape[0], p, state)
            elif rate < 1.0:
                settling.who[settled], settling.rate[settled] = who[s], rate
                settling.step[settled] = first
                _copy(sent[a], settling.sent[settled])
                settled += 1
            else:
                lengths[s, 0], lengths[s, 1], lengths[s, 2] = first, second, between
                continue
            count -= 1  # the last sample takes the place; it has been looked at
            who[s] = who[count]
            lengths[s] = lengths[count]
            sent[a], sent[b] = sent[2 * count], sent[2 * count + 1]
        if count == 0:
            break
    return settled


@kernel
def _follow_first(code, drive, weights, room, settling, count, p, state, failed):
    """Settle *count* samples along their first trajectories; return how many did not shrink.

    These are written to *failed*. Steps shorter than the rounding of a product may grow.
    """
    tolerance = float(np.finfo(drive.dtype).eps)
    who, step, rate = settling.who, settling.step, settling.rate
    hidden, sent, last = room.hidden, room.sent, room.last
    failures = 0
    _copy(settling.sent[:count].ravel(), sent[:count].ravel())
    while count > 0:
        _advance(code, drive, who, 1, count, weights, room)
        for s in range(count - 1, -1, -1):
            now, grown = float(_apart(sent[s], last[s])), False
            grown = now > rate[s] * step[s]
            if grown and now > (8 * tolerance) ** 2:
                failed[failures] = who[s]
                failures += 1
            elif grown or now <= (tolerance * (1.0 - np.sqrt(rate[s]))) ** 2:
                _keep(hidden[s], sent[s], who[s], drive.shape[0], p, state)
            else:
                step[s] = now
                continue
            count -= 1
            who[s], step[s], rate[s] = who[count], step[count], rate[count]
            sent[s] = sent[count]
    return failures


@kernel
def settle_one_hidden(steps, theta, layout, dynamics, drive, state):
    """Run the free phase of a clocked network with one hidden layer from zero.

    The result is that of all *steps*, but for rounding; most samples need far fewer. Samples do
    not hear of each other: each takes the same steps whatever else is in the batch.
    """
    batch, n = drive.shape
    p, code = layout.sizes[2], dynamics.activation
    if steps == 0:
        state[:] = 0
        return
    width = 8 * ((p + 7) // 8)
    most = min(batch, _TOGETHER)
    backward, forward = aligned(p, n, drive), aligned(p, n, drive)
    _copy(block(theta, layout.back_at[2], p, n).ravel(), backward.ravel())
    if layout.symmetric:
        forward = backward
    else:
        _copy(block(theta, layout.weight_at[2], p, n).ravel(), forward.ravel())
    bias = np.zeros(width, drive.dtype)
    _copy(theta[layout.bias_at[2] : layout.bias_at[2] + p], bias)
    weights = _Weights(backward, forward, bias)
    room = _Room(
        aligned(2 * most, n, drive), aligned(2 * most, n, drive),
        aligned(2 * most, width, drive), aligned(2 * most, width, drive),
        aligned(2 * most, width, drive),
    )  # fmt: skip
    who = np.empty(most, np.int64)
    settling = _Settling(
        np.empty(most, np.int64), aligned(most, width, drive), np.empty(most), np.empty(most)
    )
    for start in range(0, batch, most):
        count = min(most, batch - start)
        for s in range(count):
            who[s] = start + s
        count = _follow_both(
            code, steps, True, drive, weights, room, who, count, p, state, settling
        )
        count = _follow_first(code, drive, weights, room, settling, count, p, state, who)
        if count > 0:
            _follow_both(code, steps, False, drive, weights, room, who, count, p, state, settling)
