"""Nonlinear cells on resistive wires: the laws hold, and a general root finder agrees."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import root

from ohmlearn.crossbar.wires.cells import solve_cells, solve_devices
from ohmlearn.crossbar.wires.resistances import Wires
from ohmlearn.crossbar.wires.solver import solve_array
from ohmlearn.devices import current, get_device
from ohmlearn.errors import ConfigError

SOFT = get_device("SoftBounds")
VTEAM = get_device("VTEAM")
HEAVY = Wires(200.0, 100.0, 50.0, 30.0)


def diode(drop, current, slope):
    """Exponential cells with a leak, 10 nA and 50 mV."""
    current[...] = 1e-8 * np.sinh(drop / 0.05) + 1e-7 * drop
    slope[...] = 1e-8 / 0.05 * np.cosh(drop / 0.05) + 1e-7


def squares(drop, current, slope):
    """Square-law cells, whose slope vanishes at 0 V."""
    current[...] = 1e-3 * drop * np.abs(drop)
    slope[...] = 2e-3 * np.abs(drop)


def kirchhoff(x, respond, shape, wires, v, u):
    """Return the currents left at the nodes, for a general root finder."""
    word, bit = x.reshape(2, *shape)
    current, slope = np.empty((2, *shape))
    respond(word - bit, current, slope)
    along = np.hstack([v[:, np.newaxis], word])
    down = np.vstack([bit, u])
    r_word, r_bit = np.full(shape, wires.r_word), np.full(shape, wires.r_bit)
    r_word[:, 0] += wires.r_driver
    r_bit[-1] += wires.r_sense
    into, out = -np.diff(along) / r_word, -np.diff(down, axis=0) / r_bit
    further = np.hstack([into[:, 1:], np.zeros((shape[0], 1))])
    above = np.vstack([np.zeros(shape[1]), out[:-1]])
    return np.stack([into - further - current, current + above - out]).ravel()


@pytest.mark.parametrize("respond", [diode, squares])
@pytest.mark.parametrize("shape", [(3, 4), (5, 2), (1, 3), (1, 1)])
def test_voltages_equal_those_of_a_general_root_finder(respond, shape):
    rng = np.random.default_rng(0)
    v, u = rng.uniform(0.2, 0.6, shape[0]), rng.uniform(0, 0.1, shape[1])
    s = solve_cells(respond, shape, HEAVY, v, u)
    assert s.converged, s.message
    start = np.concatenate([s.v_word[:, np.newaxis] * np.ones(shape), u * np.ones(shape)])
    found = root(
        lambda x: 1e6 * kirchhoff(x, respond, shape, HEAVY, v, u), start.ravel(), tol=1e-13
    )
    word, bit = found.x.reshape(2, *shape)
    np.testing.assert_allclose(s.word_voltage, word, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(s.bit_voltage, bit, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("respond", [diode, squares])
@pytest.mark.parametrize("wires", [HEAVY, Wires(), Wires(r_bit=50.0), Wires(0.0, 5.0, 70.0, 0.0)])
def test_currents_balance_and_power_is_conserved(respond, wires):
    v = np.random.default_rng(1).uniform(-0.7, 0.7, (3, 20))
    s = solve_cells(respond, (20, 12), wires, v)
    assert s.converged, s.message
    assert s.residual < 1e-10
    current, slope = np.empty((2, 20, 12))
    for k in range(3):
        drop = s.word_voltage[k] - s.bit_voltage[k]
        respond(drop, current, slope)
        np.testing.assert_allclose(s.device_current[k], current, rtol=1e-10, atol=1e-18)
        into, out = s.word_line_current[k], s.bit_line_current[k]
        lost = np.sum(current * drop) + wires.r_word * np.sum(into**2)
        lost += wires.r_bit * np.sum(out**2) + wires.r_driver * np.sum(into[:, 0] ** 2)
        lost += wires.r_sense * np.sum(out[-1] ** 2)
        assert v[k] @ s.supply[k] == pytest.approx(lost, rel=1e-8)


def test_linear_devices_are_the_linear_array():
    rng = np.random.default_rng(2)
    p, x, v = SOFT.params(), rng.uniform(size=(30, 20)), rng.uniform(0, 0.2, 30)
    table = np.tile(np.array(p), (600, 1))
    g = np.array([current(p, 1.0, state) for state in x.ravel()]).reshape(x.shape)
    s = solve_devices(p, table, x, HEAVY, v, tolerance=1e-12)
    linear = solve_array(g, HEAVY, v)
    assert s.converged
    np.testing.assert_allclose(s.output, linear.output, rtol=1e-9)
    backward = solve_devices(p, table, x, HEAVY, None, v[:20])
    expected = solve_array(g, HEAVY, None, v[:20]).supply
    np.testing.assert_allclose(backward.supply, expected, rtol=1e-8)


@pytest.mark.parametrize("device", [SOFT, VTEAM], ids=lambda d: d.name)
def test_devices_carry_what_their_model_says(device):
    rng = np.random.default_rng(3)
    p, x, v = device.params(), rng.uniform(size=(9, 11)), rng.normal(0, 0.5, 9)
    table = np.tile(np.array(p), (99, 1))
    table[:, 0] *= rng.uniform(0.5, 1.5, 99)  # every cell has its own parameters
    s = solve_devices(p, table, x, HEAVY, v)
    assert s.converged, s.message
    drop = s.word_voltage - s.bit_voltage
    for c, (one_x, one_v) in enumerate(zip(x.ravel(), drop.ravel(), strict=True)):
        expected = current(type(p)(*table[c]), one_v, one_x)
        assert s.device_current.ravel()[c] == pytest.approx(expected, rel=1e-9)


def test_a_warm_start_saves_newton_steps():
    v = np.full(30, 0.5)
    cold = solve_cells(diode, (30, 30), HEAVY, v)
    warm = solve_cells(diode, (30, 30), HEAVY, 1.0001 * v, start=cold)
    again = solve_cells(diode, (30, 30), HEAVY, v, start=cold)
    assert warm.iterations < cold.iterations
    assert again.iterations == 0
    assert warm.converged


def test_what_cannot_be_solved_is_said():
    few = solve_cells(diode, (6, 6), HEAVY, np.ones(6), max_iterations=1)
    assert not few.converged
    assert "not converged" in few.message

    def broken(drop, current, slope):
        current[...] = np.nan
        slope[...] = 1e-5

    assert not solve_cells(broken, (3, 3), HEAVY, np.ones(3)).converged


def test_bad_input_is_refused_with_a_sentence():
    p = SOFT.params()
    table, x, v = np.tile(np.array(p), (6, 1)), np.full((2, 3), 0.5), np.ones(2)
    for bad_table, bad_x in ((table[:5], x), (table[:, :3], x), (table, x.ravel())):
        with pytest.raises(ConfigError, match="fields of SoftBounds"):
            solve_devices(p, bad_table, bad_x, HEAVY, v)
    with pytest.raises(ConfigError, match="finite"):
        solve_devices(p, table, np.full((2, 3), np.nan), HEAVY, v)
    with pytest.raises(ConfigError, match="for 2 lines"):
        solve_devices(p, table, x, HEAVY, np.ones(3))
    with pytest.raises(ConfigError, match="tolerance"):
        solve_devices(p, table, x, HEAVY, v, tolerance=2.0)
