"""Reading a layer tile by tile, through DACs and ADCs.

A layer larger than a tile is split: every tile's line currents are converted on their own and
the numbers added, so each converter sees a part of the sum only. Forward into layer l the tiles
follow one another along the word lines, the bias line being the last; backward into layer l,
along the bit lines. Without converters the split changes nothing, and this file is not used.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..crossbar.tiles.converters import Converters, draw_mismatch, levels_step, quantise
from ..devices.counter_rng import Stream, normal_pair, philox
from ..jit import inner, kernel, loop
from .dynamics import advance, copy, input_drive, send
from .hopfield import Layout
from .products import block, input_rows
from .read_noise import squares

__all__ = [
    "Sensing",
    "drive_lines",
    "input_parts",
    "make_sensing",
    "parts",
    "peaks",
    "sensed_relax",
]

_READ = int(Stream.READ)
FORWARD, BACKWARD = 0, 1


class Sensing(NamedTuple):
    """Tiles and converters as the kernels take them; signals count as in the drives.

    Attributes
    ----------
    tile_rows, tile_columns
        Word lines of a tile, and columns of weights.
    dac_step, dac_limit
        Distance of two levels of a driven line (0: exact), and their largest.
    adc_step, adc_limit : (2, depth + 1)
        The same of a sensed line, by direction (forward, backward) and the layer that listens.
    adc_noise
        Standard deviation of one conversion, in steps.
    gain, offset : (converters,)
        Factor and shift (in steps) of every converter.
    converter_at : (2, depth + 1)
        First converter of a direction and layer; then tile by tile, line by line.
    """

    tile_rows: int
    tile_columns: int
    dac_step: float
    dac_limit: float
    adc_step: NDArray
    adc_limit: NDArray
    adc_noise: float
    gain: NDArray
    offset: NDArray
    converter_at: NDArray[np.int64]


@kernel
def parts(lines, size):
    """Return into how many tiles *lines* lines fall."""
    return (lines + size - 1) // size


def make_sensing(
    layout: Layout,
    converters: Converters,
    tile_rows: int,
    tile_columns: int,
    limits: NDArray,
    seed: int,
    dtype: np.dtype,
) -> Sensing:
    """Return the sensing of a network whose converters reach *limits* (2, depth + 1)."""
    depth, sizes = layout.depth, layout.sizes
    counts = np.zeros((2, depth + 1), np.int64)
    for layer in range(1, depth + 1):
        n = int(sizes[layer])
        counts[FORWARD, layer] = parts(int(sizes[layer - 1]) + 1, tile_rows) * n
        if layer < depth:
            counts[BACKWARD, layer] = parts(int(sizes[layer + 1]), tile_columns) * n
    starts = np.concatenate([[0], np.cumsum(counts.ravel())])
    mismatch = draw_mismatch(converters, int(starts[-1]), seed, 0, dtype)
    step = np.array([[levels_step(converters.adc_bits, float(v)) for v in row] for row in limits])
    return Sensing(
        tile_rows,
        tile_columns,
        levels_step(converters.dac_bits, converters.dac_range),
        converters.dac_range,
        step.astype(dtype),
        limits.astype(dtype),
        converters.adc_noise,
        mismatch.gain,
        mismatch.offset,
        starts[:-1].reshape(2, depth + 1),
    )


@kernel
def input_parts(x, theta, layout, sensing, drive):
    """Write the input's share of the first layer, tile by tile, to *drive* (tiles, batch, n_1).

    *x* has gone through the DAC; the bias line belongs to the last tile.
    """
    if drive.shape[0] == 1:
        input_drive(x, theta, layout, drive[0])
        return
    batch, m = x.shape
    n = layout.sizes[1]
    weight = block(theta, layout.weight_at[1], m, n)
    bias = theta[layout.bias_at[1] : layout.bias_at[1] + n]
    nothing = np.zeros(n, theta.dtype)
    active = np.empty(sensing.tile_rows, np.uint32)
    for t in range(drive.shape[0]):
        low = t * sensing.tile_rows
        high = min(low + sensing.tile_rows, m)
        part = np.empty((batch, max(high - low, 0)), x.dtype)
        for b in range(batch):
            for i in range(part.shape[1]):
                part[b, i] = x[b, low + i]
        last = t == drive.shape[0] - 1
        input_rows(part, weight[low:high], bias if last else nothing, active, drive[t])


@loop
def drive_lines(step, limit, sent, out):
    """Write the levels to which a DAC rounds the signals *sent* to *out*, both flat."""
    for i in range(sent.size):
        out[i] = quantise(sent[i], step, limit)


@inner
def _forward_part(s, rows, bias, low, high, out):
    """Write sum_i s_i W_ij over word lines *low* to *high*, *rows* being W^T, to *out*."""
    m = rows.shape[1]
    end = min(high, m)
    for b in range(out.shape[0]):
        for j in range(out.shape[1]):
            total = s.dtype.type(0.0)
            for i in range(low, end):
                total += s[b, i] * rows[j, i]
            out[b, j] = total + bias[j] if high > m else total


@loop
def _backward_part(s, rows, low, high, out):
    """Write sum_j s_j B_ji over columns *low* to *high* to *out*."""
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[b, i] = 0
        for j in range(low, min(high, rows.shape[0])):
            f = s[b, j]
            for i in range(out.shape[1]):
                out[b, i] += f * rows[j, i]


@kernel
def _part_noise(moment, t, b, part, out):
    """Fill *out* with the normal numbers of row *b* and tile *part*, *t* steps after *moment*."""
    c1 = np.uint32(((moment.first + b) << 12) | (moment.slot + t))
    low = np.uint32(moment.step & 0xFFFFFFFF)
    high = np.uint32((_READ << 16) | (moment.step >> 32))
    for k in range(out.size // 4):
        c0 = np.uint32(((part + 1) << 18) | k)
        u0, u1, u2, u3 = philox(moment.k0, moment.k1, c0, c1, low, high)
        out[4 * k], out[4 * k + 1] = normal_pair(u0, u1)
        out[4 * k + 2], out[4 * k + 3] = normal_pair(u2, u3)


@loop
def _convert(gain, offset, step, limit, sigma, adc_noise, noise, variance, a, out):
    """Add the conversions of the line currents *a* to *out*."""
    own = adc_noise * step
    for j in range(a.size):
        deviation = np.sqrt(sigma * sigma * variance[j] + own * own)
        value = gain[j] * a[j] + offset[j] * step + deviation * noise[j]
        out[j] += quantise(value, step, limit)


@loop
def _largest(a):
    most = a.dtype.type(0.0)
    for j in range(a.size):
        most = max(most, abs(a[j]))
    return most


@kernel
def _part(matrix, layout, direction, layer, t, sensing, sent, drive, out):
    """Write the currents of tile *t* into *layer* to *out* (batch, n); *drive* is the input's."""
    batch, n = out.shape
    if direction == FORWARD and layer == 1:
        copy(drive[t].ravel(), out.ravel())
        return
    if direction == FORWARD:
        m = layout.sizes[layer - 1]
        s = block(sent, batch * layout.unit_at[layer - 1], batch, m)
        bias = matrix[layout.bias_at[layer] : layout.bias_at[layer] + n]
        low = t * sensing.tile_rows
        rows = block(matrix, layout.weight_at[layer], n, m)
        _forward_part(s, rows, bias, low, low + sensing.tile_rows, out)
        return
    p = layout.sizes[layer + 1]
    s = block(sent, batch * layout.unit_at[layer + 1], batch, p)
    low = t * sensing.tile_columns
    rows = block(matrix, layout.back_at[layer + 1], p, n)
    _backward_part(s, rows, low, low + sensing.tile_columns, out)


@kernel
def _tiles(layout, sensing, direction, layer):
    if direction == FORWARD:
        return parts(layout.sizes[layer - 1] + 1, sensing.tile_rows)
    if layer == layout.sizes.size - 1:
        return 0
    return parts(layout.sizes[layer + 1], sensing.tile_columns)


@kernel
def _sense(theta, q, layout, sensing, drive, q_drive, sigma, moment, t, heard, squared, out):
    """Write every layer's drive, read tile by tile, to *out*."""
    batch = drive.shape[1]
    kind = theta.dtype.type
    number = 0
    for i in range(out.size):
        out[i] = 0
    for layer in range(1, layout.sizes.size):
        n, at = layout.sizes[layer], batch * layout.unit_at[layer]
        a, variance = np.empty((batch, n), theta.dtype), np.zeros((batch, n), theta.dtype)
        noise = np.zeros(n + (-n) % 4, theta.dtype)
        for direction in range(2):
            step, limit = sensing.adc_step[direction, layer], sensing.adc_limit[direction, layer]
            for tile in range(_tiles(layout, sensing, direction, layer)):
                _part(theta, layout, direction, layer, tile, sensing, heard, drive, a)
                if sigma > 0:
                    _part(q, layout, direction, layer, tile, sensing, squared, q_drive, variance)
                c = sensing.converter_at[direction, layer] + tile * n
                gain, offset = sensing.gain[c : c + n], sensing.offset[c : c + n]
                for b in range(batch):
                    if sigma > 0 or sensing.adc_noise > 0:
                        _part_noise(moment, t, b, number, noise)
                    here = out[at + b * n : at + (b + 1) * n]
                    _convert(
                        gain, offset, step, limit, kind(sigma), kind(sensing.adc_noise), noise,
                        variance[b], a[b], here,
                    )  # fmt: skip
                number += 1


@kernel
def sensed_relax(
    steps, theta, q, layout, dynamics, sensing, drive, q_drive, sigma, moment, beta, target,
    state, work,
):  # fmt: skip
    """Advance *state* in place by *steps* time steps, every line read through its converters.

    As :func:`~ohmlearn.circuits.read_noise.noisy_relax`, but *drive* and *q_drive* hold the
    input's share tile by tile, (tiles, batch, n_1).
    """
    batch = drive.shape[1]
    sent, a, rate, heard, new = work[0], work[1], work[2], work[3], work[4]
    squared = np.zeros(heard.size if sigma > 0 else 0, heard.dtype)
    step, limit = heard.dtype.type(sensing.dac_step), heard.dtype.type(sensing.dac_limit)
    for t in range(steps):
        send(dynamics, state, sent)
        drive_lines(step, limit, sent, heard)
        if sigma > 0:
            squares(heard, squared)
        _sense(theta, q, layout, sensing, drive, q_drive, sigma, moment, t, heard, squared, a)
        advance(layout, dynamics, batch, a, beta, target, state, sent, new, rate)
        copy(new, state)


@kernel
def peaks(theta, layout, sensing, drive, sent, out):
    """Raise *out* (2, depth + 1) to the largest line current of every direction and layer."""
    batch = drive.shape[1]
    for layer in range(1, layout.sizes.size):
        a = np.empty((batch, layout.sizes[layer]), theta.dtype)
        for direction in range(2):
            for tile in range(_tiles(layout, sensing, direction, layer)):
                _part(theta, layout, direction, layer, tile, sensing, sent, drive, a)
                out[direction, layer] = max(out[direction, layer], _largest(a.ravel()))
