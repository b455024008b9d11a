"""Arrays of 1T1R cells: what they show, how they are placed, and how little it changes else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar import Crossbar
from ohmlearn.crossbar import array as arrays
from ohmlearn.crossbar.bank import shift
from ohmlearn.devices import Effects, conductance, get_device, merge
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.devices.cell.series import cell_conductance
from ohmlearn.errors import DeviceError

SHAPE = (12, 9)
V_GATE = 2.0
SPREAD = {"device_to_device": 0.2, "cycle_to_cycle": 0.3}


def build(access: Any = ACCESS, name="SoftBounds", effects=None, v_gate=V_GATE, **options):
    device = get_device(name)
    chosen = merge(Effects(), SPREAD if effects is None else effects)
    return Crossbar.build(
        *SHAPE, device, device.params(), chosen, seed=7, access=access, v_gate=v_gate, **options
    )


def states_seen(xbar):
    """Return the conductances of the states by the full solution of every cell."""
    return np.array(
        [
            cell_conductance(type(xbar.params)(*map(float, row)), ACCESS, V_GATE, 0.2, float(x))
            for row, x in zip(xbar.bank.table, xbar.bank.x, strict=True)
        ]
    )


@pytest.mark.parametrize("encoding", ["pair", "offset", "single"])
@pytest.mark.parametrize("name", ["SoftBounds", "StanfordPKU"])
def test_an_array_shows_the_conductance_of_memristor_and_transistor(name, encoding):
    xbar = build(name=name, encoding=encoding, effects=SPREAD if name == "SoftBounds" else {})
    rng = np.random.default_rng(0)
    xbar.program(rng.integers(-2, 3, SHAPE))
    np.testing.assert_allclose(xbar.bank.g, states_seen(xbar), rtol=1e-12)
    few = np.zeros(SHAPE, int)
    few[3, 4], few[5, 5] = 3, -2
    xbar.program(few)
    np.testing.assert_allclose(xbar.bank.g, states_seen(xbar), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("encoding", ["pair", "offset", "single"])
@pytest.mark.parametrize("name", ["SoftBounds", "StanfordPKU", "VTEAM"])
def test_weights_are_placed_in_the_window_that_the_cell_is_left_with(name, encoding, dtype):
    xbar = build(name=name, encoding=encoding, effects={}, dtype=dtype)
    top = 0.5 if encoding != "pair" else 1.0
    weights = np.random.default_rng(1).uniform(-top, top, SHAPE)
    xbar.set_weights(weights)
    np.testing.assert_allclose(xbar.weights, weights, atol=3e-6 if dtype == np.float32 else 1e-11)
    xbar.set_weights(np.full(SHAPE, top))
    ends = [cell_conductance(xbar.params, ACCESS, V_GATE, 0.2, x) for x in (0.0, 1.0)]
    assert ends[1] - ends[0] == pytest.approx(xbar.unit)
    np.testing.assert_allclose(xbar.conductance[..., 0], ends[1], rtol=1e-5)


def test_a_cell_conducts_less_than_its_memristor_and_as_much_with_a_huge_gate():
    plain, real, strong = build(None), build(), build(v_gate=1e7)
    start = plain.bank.x.copy()
    for xbar in (plain, real, strong):
        xbar.bank.x[:] = start
        xbar.program(np.ones(SHAPE, int))
    np.testing.assert_array_equal(real.bank.x, plain.bank.x)  # the pulse keeps its step
    assert np.all(real.bank.g < 0.9 * plain.bank.g)
    np.testing.assert_allclose(strong.bank.g, plain.bank.g, rtol=1e-5)
    assert real.step < plain.step
    assert strong.step == pytest.approx(plain.step, rel=1e-5)
    np.testing.assert_allclose(
        plain.bank.g,
        [
            conductance(type(plain.params)(*row), 0.2, x)
            for row, x in zip(plain.bank.table, plain.bank.x, strict=True)
        ],
        rtol=1e-13,
    )


def test_programming_all_at_once_equals_one_by_one(monkeypatch):
    counts = np.random.default_rng(0).integers(-2, 4, SHAPE)
    banks = []
    for at_once in (False, True):
        monkeypatch.setattr(arrays, "suits", lambda *_, at_once=at_once: at_once)
        xbar = build()
        xbar.program(counts)
        banks.append(xbar.bank)
    np.testing.assert_allclose(banks[0].x, banks[1].x, rtol=0, atol=1e-14)
    np.testing.assert_allclose(banks[0].g, banks[1].g, rtol=1e-12)


def test_levels_and_write_error_are_those_of_the_cell():
    effects = {"levels": 5}
    xbar = build(effects=effects)
    xbar.program(np.random.default_rng(2).integers(-300, 300, SHAPE))
    ends = [cell_conductance(xbar.params, ACCESS, V_GATE, 0.2, x) for x in (0.0, 1.0)]
    ladder = np.linspace(ends[0], ends[1], 5)
    nearest = ladder[np.abs(xbar.bank.g[:, np.newaxis] - ladder).argmin(axis=1)]
    np.testing.assert_allclose(xbar.bank.g, nearest, rtol=1e-12)
    assert len(np.unique(nearest)) > 2
    noisy, plain = build(effects={"write_noise": 0.5}), build(None, effects={"write_noise": 0.5})
    assert float(noisy.bank.write_sigma) == pytest.approx(0.5 * noisy.cell_step)
    assert float(noisy.bank.write_sigma) < float(plain.bank.write_sigma)


def test_an_exact_change_is_one_of_the_cell():
    xbar = build(effects={})
    before = xbar.conductance.reshape(-1, 2).copy()
    change = np.random.default_rng(3).uniform(-3e-6, 3e-6, 20)
    shift(xbar.bank, 0, 2, np.arange(20), change)
    moved = xbar.conductance.reshape(-1, 2) - before
    np.testing.assert_allclose(moved[:20], np.stack([change, -change], axis=1), atol=1e-15)
    assert not moved[20:].any()


def test_a_gate_below_threshold_is_refused():
    with pytest.raises(DeviceError, match=r"v_gate is 0\.5 V"):
        build(v_gate=0.5)
