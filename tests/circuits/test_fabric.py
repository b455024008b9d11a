"""The arrays under a network: theta is what the cells show, and drives are currents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.circuits.dynamics import drives, input_drive
from ohmlearn.circuits.fabric import Fabric, array_shapes, make_fabric, renew, renew_all
from ohmlearn.circuits.hopfield import Layout, make_layout
from ohmlearn.crossbar.array import ENCODINGS, Crossbar
from ohmlearn.devices import Effects, get_device, merge

SOFT = get_device("SoftBounds")
REAL = {
    "device_to_device": {"step": 0.2, "g_max": 0.1, "g_min": 0.1},
    "cycle_to_cycle": 0.3,
    "stuck": 0.05,
    "write_noise": 0.5,
}
every_encoding = pytest.mark.parametrize("encoding", list(ENCODINGS))
both_symmetries = pytest.mark.parametrize("symmetric", [True, False])
SIZES = (5, 4, 6, 3)


def build(symmetric: bool, encoding: str = "pair", **effects: Any):
    layout = make_layout(SIZES, symmetric)
    chosen = merge(Effects(), effects)
    arrays, rng = [], np.random.default_rng(8)
    for number, shape in enumerate(array_shapes(layout)):
        options = {"encoding": encoding, "seed": 5, "array_id": number, "weight_range": 2.0}
        arrays.append(Crossbar.build(*shape, SOFT, SOFT.params(), chosen, **options))
        arrays[-1].set_weights(rng.uniform(-0.9, 0.9, shape))
    return layout, arrays, make_fabric(layout, arrays)


def rebuilt(layout: Layout, fabric: Fabric) -> tuple[np.ndarray, np.ndarray]:
    theta, q = np.full(layout.length, np.nan), np.full(layout.length, np.nan)
    renew_all(fabric, theta, q)
    return theta, q


def test_shapes_have_a_bias_row_for_forward_arrays_only():
    assert array_shapes(make_layout(SIZES)) == [(6, 4), (5, 6), (7, 3)]
    assert array_shapes(make_layout(SIZES, symmetric=False)) == [
        (6, 4),
        (5, 6),
        (7, 3),
        (4, 6),
        (6, 3),
    ]
    assert array_shapes(make_layout((3, 2), symmetric=False)) == [(4, 2)]


@every_encoding
@both_symmetries
def test_theta_holds_the_weights_and_biases_that_the_arrays_show(encoding, symmetric):
    layout, arrays, fabric = build(symmetric, encoding, **REAL)
    theta, q = rebuilt(layout, fabric)
    assert np.all(np.isfinite(theta))
    assert np.all(np.isfinite(q))
    squares = [x.weights.size * [0.0] for x in arrays]
    for k, x in enumerate(arrays):
        g, reference = x.conductance, x.reference[:, np.newaxis]
        own = (g**2).sum(axis=2) + (reference**2 if encoding == "offset" else 0.0)
        squares[k] = own / x.unit**2
    for vector, held in ((theta, [x.weights for x in arrays]), (q, squares)):
        for layer in range(1, layout.depth + 1):
            forward = np.vstack([layout.weight(vector, layer), layout.bias(vector, layer)])
            np.testing.assert_allclose(forward, held[layer - 1], rtol=1e-12, atol=1e-15)
            if layer > 1 and not symmetric:
                back = layout.backward(vector, layer)
                np.testing.assert_allclose(
                    back, held[layout.depth + layer - 2], rtol=1e-12, atol=1e-15
                )


@every_encoding
@both_symmetries
def test_theta_carried_through_programming_equals_theta_rebuilt_to_the_bit(encoding, symmetric):
    layout, arrays, fabric = build(symmetric, encoding, **REAL)
    theta, q = rebuilt(layout, fabric)
    rng = np.random.default_rng(9)
    for _ in range(5):
        before = theta.copy()
        for a, x in enumerate(arrays):
            counts = rng.integers(-3, 4, x.shape) * (rng.random(x.shape) < 0.3)
            x.program(counts)
            weights = np.flatnonzero(counts)
            change, change_q = np.empty(weights.size), np.empty(weights.size)
            old, old_q = theta.copy(), q.copy()
            renew(fabric, a, weights, theta, q, change, change_q)
            assert np.count_nonzero(theta != old) <= weights.size
            assert change.sum() == pytest.approx((theta - old).sum(), abs=1e-12)
            assert change_q.sum() == pytest.approx((q - old_q).sum(), abs=1e-12)
        again, again_q = rebuilt(layout, fabric)
        np.testing.assert_array_equal(theta, again)
        np.testing.assert_array_equal(q, again_q)
        assert np.any(theta != before)


@every_encoding
@both_symmetries
def test_a_drive_is_the_current_of_the_arrays_over_the_leak(encoding, symmetric):
    """a_l = I / (g_L V_ref): a forward read with the bias line on, and the array above."""
    layout, arrays, fabric = build(symmetric, encoding, **REAL)
    theta, _ = rebuilt(layout, fabric)
    rng, v_ref, depth = np.random.default_rng(10), 0.25, layout.depth
    x, signals = rng.random((1, SIZES[0])), rng.random(layout.units)
    drive, out = np.empty((1, SIZES[1])), np.empty(layout.units)
    input_drive(x, theta, layout, drive)
    drives(theta, layout, drive, signals, out)
    levels = [x[0], *(s[0] for s in layout.split(signals, 1))]
    for layer, drawn in enumerate(layout.split(out, 1), start=1):
        below = arrays[layer - 1]
        current = below.read(v_ref * np.append(levels[layer - 1], 1.0)) / below.unit
        if layer < depth:
            above = arrays[layer if symmetric else depth + layer - 1]
            back = above.read_back(v_ref * levels[layer + 1]) / above.unit
            current += back[: SIZES[layer]]  # the bias line is not read back
        np.testing.assert_allclose(drawn[0], current / v_ref, rtol=1e-12, atol=1e-14)
