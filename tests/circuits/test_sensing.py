"""Tiles and converters in the dynamics: exact ones change nothing, others do what they say."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.hopfield import HopfieldNetwork
from ohmlearn.circuits.read_noise import Moment, noisy_relax
from ohmlearn.circuits.sensing import (
    drive_lines,
    input_parts,
    make_sensing,
    parts,
    peaks,
    sensed_relax,
)
from ohmlearn.crossbar.tiles.converters import Converters

SIZES = (5, 4, 6, 3)
NOW = Moment(np.uint32(7), np.uint32(0), 0, 0, 0)
TILES = [(100, 100), (3, 2), (2, 5), (1, 1)]


def problem(symmetric=True, dynamics="prototypical", batch=2):
    network = HopfieldNetwork.build(SIZES, dynamics, "tanh", symmetric=symmetric, time_step=0.3)
    rng = np.random.default_rng(0)
    theta = network.initial_parameters(rng, angle=0.0 if symmetric else 30.0)
    x = rng.random((batch, SIZES[0]))
    x[:, 1] = 0.0
    return network, theta, rng.random(theta.size), x, rng.random(batch * network.layout.units)


def sense(network, converters, tile, limit=4.0, seed=0):
    limits = np.full((2, len(SIZES)), limit)
    return make_sensing(network.layout, converters, *tile, limits, seed, np.dtype(np.float64))


def relaxed(network, theta, q, x, state, sensing, steps=3, sigma=0.0, beta=0.0, moment=NOW):
    layout, state = network.layout, state.copy()
    count = parts(SIZES[0] + 1, sensing.tile_rows)
    drive, q_drive = np.empty((2, count, len(x), SIZES[1]))
    input_parts(x, theta, layout, sensing, drive)
    input_parts(x * x, q, layout, sensing, q_drive)
    target = np.full(len(x) * SIZES[-1], 0.5)
    sensed_relax(
        steps, theta, q, layout, network.dynamics, sensing, drive, q_drive, sigma, moment, beta,
        target, state, np.full((5, state.size), np.nan),
    )  # fmt: skip
    return state


def exact(network, theta, q, x, state, steps=3, beta=0.0):
    layout, state = network.layout, state.copy()
    drive = x @ layout.weight(theta, 1) + layout.bias(theta, 1)
    target = np.full(len(x) * SIZES[-1], 0.5)
    noisy_relax(
        steps, theta, q, layout, network.dynamics, drive, drive, 0.0, NOW, beta, target, state,
        np.full((5, state.size), np.nan),
    )  # fmt: skip
    return state


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("dynamics", ["prototypical", "energy-based"])
def test_exact_converters_change_nothing_however_the_layer_is_split(tile, symmetric, dynamics):
    network, theta, q, x, state = problem(symmetric, dynamics)
    sensing = sense(network, Converters(adc_bits=None), tile)
    found = relaxed(network, theta, q, x, state, sensing, beta=0.3)
    np.testing.assert_allclose(found, exact(network, theta, q, x, state, beta=0.3), rtol=1e-12)


@pytest.mark.parametrize("tile", TILES[1:])
def test_one_step_of_quantised_tiles_equals_numpy(tile):
    """Each tile's current is rounded by itself: done here line by line, without kernels."""
    network, theta, q, x, state = problem(symmetric=False)
    converters = Converters(dac_bits=4, adc_bits=5, adc_gain=0.1, adc_offset=0.7)
    sensing = sense(network, converters, tile, limit=2.0)
    heard_x = np.rint(x / (1 / 7)) / 7
    found = relaxed(network, theta, q, heard_x, state, sensing, steps=1)
    layout, batch, lsb = network.layout, len(x), 2.0 / 15
    layers = [heard_x, *(np.rint(s * 7) / 7 for s in layout.split(state, batch))]
    expected = []
    for layer in range(1, layout.depth + 1):
        n, total = SIZES[layer], 0.0
        lines = np.hstack([layers[layer - 1], np.ones((batch, 1))])
        weight = np.vstack([layout.weight(theta, layer), layout.bias(theta, layer)])
        sources = [(0, lines, weight, tile[0])]
        if layer < layout.depth:
            sources.append((1, layers[layer + 1], layout.backward(theta, layer + 1).T, tile[1]))
        for direction, signal, matrix, size in sources:
            for t, low in enumerate(range(0, len(matrix), size)):
                at = sensing.converter_at[direction, layer] + t * n
                a = signal[:, low : low + size] @ matrix[low : low + size]
                a = a * sensing.gain[at : at + n] + sensing.offset[at : at + n] * lsb
                total = total + np.clip(np.rint(a / lsb) * lsb, -2.0, 2.0)
        expected.append(np.tanh(total).ravel())
    np.testing.assert_allclose(found, np.concatenate(expected), atol=1e-12)


def test_every_converter_is_drawn_once_and_read_by_nobody_else():
    network, *_ = problem(symmetric=False)
    sensing = sense(network, Converters(adc_bits=8, adc_gain=0.1), (2, 2))
    forward = [3 * 4, 3 * 6, 4 * 3]  # tiles times lines, bias line included
    backward = [3 * 4, 2 * 6]
    assert sensing.gain.size == sum(forward) + sum(backward)
    assert np.unique(sensing.gain).size == sensing.gain.size
    again = sense(network, Converters(adc_bits=8, adc_gain=0.1), (2, 2))
    np.testing.assert_array_equal(sensing.gain, again.gain)
    other = sense(network, Converters(adc_bits=8, adc_gain=0.1), (2, 2), seed=1)
    assert not np.array_equal(sensing.gain, other.gain)


@pytest.mark.parametrize(
    ("converters", "sigma"),
    [(Converters(adc_bits=24, adc_noise=400.0), 0.0), (Converters(adc_bits=24), 0.05)],
)
def test_noise_has_its_variance_and_follows_the_moment(converters, sigma):
    network, theta, q, x, state = problem(batch=1)
    sensing = sense(network, converters, (2, 2), limit=8.0)
    quiet = np.arctanh(exact(network, theta, q, x, state, steps=1))
    drawn = np.array(
        [
            np.arctanh(
                relaxed(
                    network, theta, q, x, state, sensing, 1, sigma, moment=NOW._replace(step=i)
                )
            )
            for i in range(3000)
        ]
    )
    np.testing.assert_allclose(drawn.mean(axis=0), quiet, atol=4 * drawn.std() / np.sqrt(3000))
    layout, sent = network.layout, layout_signals(network, x, state)
    if sigma:
        expected = []
        for layer in range(1, layout.depth + 1):
            v = sent[layer - 1] ** 2 @ layout.weight(q, layer) + layout.bias(q, layer)
            if layer < layout.depth:
                v = v + sent[layer + 1] ** 2 @ layout.weight(q, layer + 1).T
            expected.append(sigma**2 * v[0])
        expected = np.concatenate(expected)
    else:
        tiles = np.concatenate([[3 + 3] * 4, [3 + 2] * 6, [4] * 3])  # forward and backward
        expected = tiles * (400.0 * 8.0 / (2**23 - 1)) ** 2
    np.testing.assert_allclose(drawn.var(axis=0), expected, rtol=0.12)
    correlation = np.corrcoef(drawn.T) - np.eye(drawn.shape[1])
    assert np.abs(correlation).max() < 0.09


def layout_signals(network, x, state):
    return [x, *network.layout.split(state, 1)]


def test_the_lines_carry_levels_of_the_dac_and_saturate():
    sent = np.array([-3.0, -0.26, 0.0, 0.2, 0.9, 5.0])
    out = np.empty_like(sent)
    drive_lines(0.5, 1.0, sent, out)
    np.testing.assert_array_equal(out, [-1.0, -0.5, 0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize("tile", TILES)
def test_peaks_are_those_of_the_tiles(tile):
    network, theta, _, x, state = problem()
    layout, sensing = network.layout, sense(network, Converters(), tile)
    drive = np.empty((parts(SIZES[0] + 1, tile[0]), len(x), SIZES[1]))
    input_parts(x, theta, layout, sensing, drive)
    np.testing.assert_allclose(
        drive.sum(axis=0), x @ layout.weight(theta, 1) + layout.bias(theta, 1), rtol=1e-12
    )
    out = np.zeros((2, len(SIZES)))
    peaks(theta, layout, sensing, drive, state, out)
    last = layout.split(state, len(x))[-1]
    back = layout.weight(theta, 3)
    found = max(
        np.abs(last[:, j : j + tile[1]] @ back[:, j : j + tile[1]].T).max()
        for j in range(0, 3, tile[1])
    )
    assert out[1, 2] == pytest.approx(found, rel=1e-12)
    assert out[0, 1] == pytest.approx(np.abs(drive).max(), rel=1e-12)
    assert out[1, 3] == 0
