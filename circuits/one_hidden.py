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
from .products import aligned, block
from .tiles import (
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
from .vectors import TOTALS, load, put

__all__ = ["settle_one_hidden"]

_NEAR = 0.1  # distance of outputs within which the slopes of the neurons change little
_MARGIN = 1.5  # by which the map may turn out to contract less than was seen
_TOGETHER = 20  # samples whose products share the loads of the weights


class _Weights(NamedTuple):
    """W_2 as the hidden layer hears it and as the output does, in panels, and b_2 (padded,).

    Outputs are padded to a multiple of 8, as an odd end is computed number by number.
    """

    backward: NDArray
    forward: NDArray
    bias: NDArray


class _Room(NamedTuple):
    """Some samples' drives, and trajectories in rows: two of each sample, or only the first.

    Drives of the hidden layer in panels; its states in fives of rows, each in panels; drives and
    states of the output layer, and its states one step of the map before (rows, padded).
    """

    drive: NDArray
    hidden: NDArray
    sums: NDArray
    heard: NDArray
    sent: NDArray
    last: NDArray


class _Settling(NamedTuple):
    """Samples known to settle: their places, first trajectories' outputs, and pace.

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


@inner
def _apart(a, b):
    """Return the squared distance of two vectors."""
    total = a.dtype.type(0.0)
    for i in range(a.size):
        d = a[i] - b[i]
        total += d * d
    return total


@kernel
def _advance(code, n, p, who, count, rows, weights, room):
    """Take *rows* trajectories of *count* samples one step of the map ahead."""
    heard, sent = room.heard[:rows], room.sent[:rows]
    w, one = width(sent), sent.dtype.type(1.0)
    panels = (n + w - 1) // w
    padded, samples, each = sent.shape[1], room.drive.size // (panels * w), rows // count
    source = room.sent.ravel()
    _copy(sent.ravel(), room.last[:rows].ravel())
    end = 0
    for row in range(0, rows, FIVE):
        f = five(row, rows)
        coefficients = (f[0] * padded, f[1] * padded, f[2] * padded, f[3] * padded, f[4] * padded)
        d = (
            who[f[0] // each] * w, who[f[1] // each] * w, who[f[2] // each] * w,
            who[f[3] // each] * w, who[f[4] // each] * w,
        )  # fmt: skip
        chunk = row * panels * w
        for q in range(panels):
            b = q * samples * w
            h = chunk + q * FIVE * w
            pull = add_five(
                room.drive, (b + d[0], b + d[1], b + d[2], b + d[3], b + d[4]),
                source, coefficients, weights.backward, q * p * w, w, p,
            )  # fmt: skip
            put_five(pull, room.hidden, (h, h + w, h + 2 * w, h + 3 * w, h + 4 * w))
            for at in range(h, h + FIVE * w, w):
                put(rho(code, load(room.hidden, at, PANEL), one), room.hidden, at)
        h = (chunk, chunk + w, chunk + 2 * w, chunk + 3 * w, chunk + 4 * w)
        for k in range(0, p, 2):
            second = min(k + 1, p - 1)
            sums = five_sums(
                room.hidden, h, FIVE * w, weights.forward, k * w, second * w, p * w, panels
            )
            put(sums, room.sums, end)
            end += TOTALS
    collect(room.sums, p, weights.bias, heard)
    activate(code, heard.ravel(), sent.ravel())


@kernel
def _rate(near, first, second, between, before, left, tolerance):
    """Return the rate at which a sample's squares shrink if that decides where it ends, else 1.

    *first*, *second* and *between* are the squared lengths of either trajectory's last step and
    of what separates them, *before* (3,) what they were one step ago. Where both are *near* each
    other, move less, and would come within *tolerance* of a state in the *left* steps to come,
    even if they shrank less than was seen, that state is the end.
    """
    most = near * near
    if not (0 < before[0] < most and 0 < before[1] < most and 0 < before[2] < most):
        return 1.0
    rate = max(first / before[0], max(second / before[1], between / before[2])) * _MARGIN**2
    if not rate < 0.5:
        return 1.0
    ahead = max(first, max(second, between)) / (1.0 - np.sqrt(rate)) ** 2
    return rate if ahead * rate**left <= tolerance * tolerance else 1.0


@kernel
def _keep(hidden, row, sent, sample, n, p, state):
    """Write the state of trajectory *row* to *sample*'s place."""
    batch, w = state.size // (n + p), width(state)
    panels = (n + w - 1) // w
    chunk = hidden[(row // FIVE * FIVE * panels + row % FIVE) * w :]
    from_panels(chunk, FIVE * w, state[sample * n : (sample + 1) * n].reshape(1, n))
    at = batch * n + sample * p
    _copy(sent[:p], state[at : at + p])


@kernel
def _follow_both(code, steps, near, n, p, start, weights, room, who, count, state, settling):
    """Settle the first *count* samples of *who*; return how many are left in *settling*.

    Both trajectories are followed, to where they repeat, bit for bit, or through all *steps*;
    once they are *near*, only until both are known to end in one state (:func:`_rate`; never with
    0). Samples are numbered from *start*.
    """
    tolerance = float(np.finfo(state.dtype).eps)
    total, settled = (steps + 1) // 2, 0
    lengths = np.zeros((count, 3))
    sent, last = room.sent, room.last
    for s in range(count):
        for k in range(sent.shape[1]):
            sent[2 * s, k] = 0
        activate(code, weights.bias, sent[2 * s + 1])
    for t in range(total):
        _advance(code, n, p, who, count, 2 * count, weights, room)
        for s in range(count - 1, -1, -1):
            a, b = 2 * s, 2 * s + 1
            first, second = float(_apart(sent[a], last[a])), float(_apart(sent[b], last[b]))
            between = float(_apart(sent[a], sent[b]))
            left = total - 1 - t
            rate = _rate(near, first, second, between, lengths[s], left, tolerance)
            if t == total - 1 or (first == 0 and second == 0):
                output = sent[a] if steps % 2 == 0 else last[b]
                _keep(room.hidden, b - steps % 2, output, start + who[s], n, p, state)
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
            _copy(lengths[count], lengths[s])
            _copy(sent[2 * count], sent[a])
            _copy(sent[2 * count + 1], sent[b])
        if count == 0:
            break
    return settled


@kernel
def _follow_first(code, n, p, start, weights, room, settling, count, state, failed):
    """Settle *count* samples along their first trajectories; return how many did not shrink.

    These are written to *failed*. Steps shorter than the rounding of a product may grow.
    """
    tolerance = float(np.finfo(state.dtype).eps)
    who, step, rate = settling.who, settling.step, settling.rate
    sent, last = room.sent, room.last
    failures = 0
    _copy(settling.sent[:count].ravel(), sent[:count].ravel())
    while count > 0:
        _advance(code, n, p, who, count, count, weights, room)
        for s in range(count - 1, -1, -1):
            now, grown = float(_apart(sent[s], last[s])), False
            grown = now > rate[s] * step[s]
            if grown and now > (8 * tolerance) ** 2:
                failed[failures] = who[s]
                failures += 1
            elif grown or now <= (tolerance * (1.0 - np.sqrt(rate[s]))) ** 2:
                _keep(room.hidden, s, sent[s], start + who[s], n, p, state)
            else:
                step[s] = now
                continue
            count -= 1
            who[s], step[s], rate[s] = who[count], step[count], rate[count]
            _copy(sent[count], sent[s])
    return failures


@kernel
def _weights(theta, layout, like):
    n, p = layout.sizes[1], layout.sizes[2]
    w = width(like)
    panels = (n + w - 1) // w
    backward = aligned(panels * p, w, like).ravel()
    to_panels(block(theta, layout.back_at[2], p, n), p * w, backward)
    forward = backward
    if not layout.symmetric:
        forward = aligned(panels * p, w, like).ravel()
        to_panels(block(theta, layout.weight_at[2], p, n), p * w, forward)
    bias = np.zeros(8 * ((p + 7) // 8), like.dtype)
    _copy(theta[layout.bias_at[2] : layout.bias_at[2] + p], bias)
    return _Weights(backward, forward, bias)


@kernel
def _room(samples, n, p, like):
    w, rows, padded = width(like), 2 * samples, 8 * ((p + 7) // 8)
    panels = (n + w - 1) // w
    return _Room(
        aligned(panels * samples, w, like).ravel(),
        aligned(panels * ((rows + 4) // FIVE * FIVE), w, like).ravel(),
        aligned(1, sums_room(rows, p), like).ravel(),
        aligned(rows, padded, like), aligned(rows, padded, like), aligned(rows, padded, like),
    )  # fmt: skip


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
    most = min(batch, _TOGETHER)
    weights, room = _weights(theta, layout, drive), _room(most, n, p, drive)
    padded = room.sent.shape[1]
    who = np.empty(most, np.int64)
    settling = _Settling(
        np.empty(most, np.int64), aligned(most, padded, drive), np.empty(most), np.empty(most)
    )
    for start in range(0, batch, most):
        count = min(most, batch - start)
        to_panels(drive[start : start + count], most * width(drive), room.drive)
        for s in range(count):
            who[s] = s
        count = _follow_both(
            code, steps, _NEAR, n, p, start, weights, room, who, count, state, settling
        )
        count = _follow_first(code, n, p, start, weights, room, settling, count, state, who)
        if count > 0:
            _follow_both(code, steps, 0.0, n, p, start, weights, room, who, count, state, settling)
