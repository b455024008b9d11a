"""Wires under a network: every tile is its effective map, kept up with the pulses."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.fabric import array_shapes, make_fabric, renew_all
from ohmlearn.circuits.hopfield import HopfieldNetwork
from ohmlearn.circuits.wiring import Wiring
from ohmlearn.crossbar import Crossbar
from ohmlearn.crossbar.wires import ArraySolver, Wires
from ohmlearn.devices import Effects, get_device

SIZES = (12, 9, 5)
DEVICE = get_device("SoftBounds")
LINES = Wires(r_word=20.0, r_bit=15.0, r_driver=50.0, r_sense=30.0)


def build(tile=(6, 8), error=1e-3, encoding="pair", symmetric=True, wires=LINES):
    network = HopfieldNetwork.build(SIZES, symmetric=symmetric)
    rng = np.random.default_rng(0)
    crossbars = []
    for number, shape in enumerate(array_shapes(network.layout)):
        xbar = Crossbar.build(
            *shape, DEVICE, DEVICE.params(), Effects(), encoding=encoding, array_id=number
        )
        xbar.set_weights(rng.uniform(-1, 1, shape))
        crossbars.append(xbar)
    fabric = make_fabric(network.layout, crossbars, tile[0], wired=True)
    wiring = Wiring(fabric, wires, tile, error)
    return network, crossbars, fabric, wiring


def shown(network, fabric):
    theta, q = np.zeros((2, network.layout.length))
    renew_all(fabric, theta, q)
    return theta, q


def expected_weights(xbar, tile):
    """Solve every tile line by line and put the effective weights together."""
    rows, columns, arms = xbar.conductance.shape
    g = xbar.conductance.reshape(rows, columns * arms)
    seen = np.zeros_like(g)
    for top in range(0, rows, tile[0]):
        for left in range(0, columns * arms, tile[1]):
            part = np.ascontiguousarray(g[top : top + tile[0], left : left + tile[1]])
            solver = ArraySolver(part, LINES)
            for i in range(len(part)):
                out = solver.solve(np.eye(1, len(part), i)[0], tolerance=1e-13).output
                seen[top + i, left : left + tile[1]] = out
    seen = seen.reshape(rows, columns, arms)
    minus = seen[..., 1] if arms == 2 else xbar.reference[:, np.newaxis]
    return (seen[..., 0] - minus) / xbar.unit


@pytest.mark.parametrize("encoding", ["pair", "single", "offset"])
@pytest.mark.parametrize("tile", [(6, 8), (100, 100), (1, 2)])
def test_theta_is_what_each_tile_passes_line_by_line(encoding, tile):
    network, crossbars, fabric, wiring = build(tile, encoding=encoding)
    wiring.solve_all()
    theta, _ = shown(network, fabric)
    layout = network.layout
    for layer, xbar in enumerate(crossbars, start=1):
        expected = expected_weights(xbar, tile)
        np.testing.assert_allclose(layout.weight(theta, layer), expected[:-1], atol=1e-9)
        np.testing.assert_allclose(layout.bias(theta, layer), expected[-1], atol=1e-9)


def test_the_backward_read_of_one_array_is_the_same_map():
    """By reciprocity; solved here in the other direction."""
    network, crossbars, fabric, wiring = build(tile=(100, 100))
    wiring.solve_all()
    theta, _ = shown(network, fabric)
    xbar = crossbars[1]
    rows, columns, arms = xbar.conductance.shape
    solver = ArraySolver(xbar.conductance.reshape(rows, columns * arms), LINES)
    u = np.random.default_rng(1).random(columns)
    lines = np.stack([u, -u], axis=1).ravel()
    back = -solver.solve(None, lines, tolerance=1e-13).supply / xbar.unit
    np.testing.assert_allclose(back[:-1], network.layout.weight(theta, 2) @ u, atol=1e-9)


def test_ideal_wires_change_nothing():
    network, _, fabric, wiring = build(wires=Wires())
    plain, plain_q = shown(network, fabric)
    wiring.solve_all()
    theta, q = shown(network, fabric)
    np.testing.assert_allclose(theta, plain, rtol=0, atol=1e-12)
    np.testing.assert_allclose(q, plain_q, rtol=1e-9)


def test_pulses_are_followed_to_first_order_and_the_estimate_covers_the_rest():
    network, crossbars, fabric, wiring = build(tile=(7, 6))
    wiring.solve_all()
    before, _ = shown(network, fabric)
    rng = np.random.default_rng(3)
    for xbar in crossbars:
        counts = rng.integers(-1, 2, xbar.shape)
        xbar.program(counts)
    theta, _ = shown(network, fabric)
    estimates = [wiring.estimate(n) for n in range(len(wiring.tiles))]
    wiring.solve_all()
    exact, _ = shown(network, fabric)
    moved, left = np.abs(exact - before).max(), np.abs(exact - theta).max()
    assert 0 < left < 0.2 * moved
    assert 0 < wiring.worst < max(estimates) < 1e-2


def test_tiles_are_solved_anew_when_their_estimate_is_too_large():
    network, crossbars, fabric, wiring = build(error=1e-4)
    wiring.solve_all()
    tiles = len(wiring.tiles)
    assert wiring.follow() == []
    assert wiring.solved == tiles
    counts = np.zeros(crossbars[0].shape, np.int64)
    counts[:6, :4] = 20  # one tile of the first array
    crossbars[0].program(counts)
    assert wiring.follow() == [0]
    assert wiring.solved == tiles + 1
    assert wiring.follow() == []
    theta, _ = shown(network, fabric)
    wiring.solve_all()
    np.testing.assert_allclose(shown(network, fabric)[0], theta, atol=1e-9)


def test_a_restored_wiring_has_the_same_bits():
    network, crossbars, fabric, wiring = build(error=1.0)
    wiring.solve_all()
    crossbars[0].program(np.full(crossbars[0].shape, 3))
    state = {name: value.copy() for name, value in wiring.state().items()}
    theta, q = shown(network, fabric)
    other_network, others, other_fabric, other = build(error=1.0)
    for mine, theirs in zip(others, crossbars, strict=True):
        mine.bank.x[:], mine.bank.g[:] = theirs.bank.x, theirs.bank.g
    other.restore(state)
    again, q_again = shown(other_network, other_fabric)
    np.testing.assert_array_equal(theta, again)
    np.testing.assert_array_equal(q, q_again)
    assert (other.solved, other.worst) == (wiring.solved, wiring.worst)
