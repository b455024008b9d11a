"""The account of programming: every pulse, with the state it met."""

import numpy as np
import pytest

from ohmlearn.crossbar import Crossbar
from ohmlearn.crossbar.metering import make_meter
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.devices.contract import current
from ohmlearn.devices.effects.wear import Endurance
from ohmlearn.devices.registry import builtin_devices
from ohmlearn.devices.variability import CycleToCycle, Effects

DEVICES = builtin_devices()


def build(name="SoftBounds", shape=(1, 1), **options):
    device = DEVICES[name]
    xbar = Crossbar.build(*shape, device, device.params(), **options)
    xbar.meter()
    return xbar


def expected(p, x, up):
    """Energy of one nominal pulse that takes the state from x[0] to x[1], by hand."""
    v, width = (p.v_set, p.t_set) if up else (p.v_reset, p.t_reset)
    return v * 0.5 * (current(p, v, x[0]) + current(p, v, x[1])) * width


@pytest.mark.parametrize("name", ["NeuroSim", "PhaseChange", "SoftBounds", "VTEAM"])
def test_one_pulse_on_one_cell_is_what_one_computes_by_hand(name):
    encoding = "pair" if DEVICES[name].one_sided else "single"
    xbar = build(name, encoding=encoding)
    before = float(xbar.bank.x[0])
    xbar.program(np.array([[1]]))
    by_hand = expected(xbar.params, (before, float(xbar.bank.x[0])), True)
    assert by_hand > 0.0
    assert xbar.bank.meter.energy.sum() == pytest.approx(by_hand, rel=1e-12)
    assert xbar.bank.meter.pulses.tolist()[0] == [1, 0]


def test_a_train_is_the_sum_of_its_pulses():
    whole, single = build(), build()
    whole.program(np.array([[3]]))
    for _ in range(3):
        single.program(np.array([[1]]))
    assert whole.bank.meter.pulses.tolist() == [[3, 0], [0, 3]]
    assert np.array_equal(whole.bank.meter.pulses, single.bank.meter.pulses)
    np.testing.assert_allclose(whole.bank.meter.energy, single.bank.meter.energy, rtol=1e-14)


def test_two_by_two_array_and_both_directions():
    xbar = build(shape=(2, 2), encoding="single")
    counts = np.array([[1, -1], [0, 2]])
    states = [xbar.bank.x.copy()]
    for _ in range(2):
        now = np.clip(counts, -1, 1)
        counts = counts - now
        xbar.program(now)
        states.append(xbar.bank.x.copy())
    by_hand = [
        expected(xbar.params, (states[0][0], states[1][0]), True),
        expected(xbar.params, (states[0][1], states[1][1]), False),
        0.0,
        expected(xbar.params, (states[0][3], states[1][3]), True)
        + expected(xbar.params, (states[1][3], states[2][3]), True),
    ]
    np.testing.assert_allclose(xbar.bank.meter.energy.sum(axis=1), by_hand, rtol=1e-12)
    assert xbar.bank.meter.pulses.sum(axis=1).tolist() == [1, 1, 0, 2]


def test_stuck_and_worn_cells_dissipate_and_do_not_move():
    effects = Effects(endurance=Endurance(pulses=2.0, fails="low"))
    xbar = build(encoding="single", effects=effects)
    xbar.program(np.array([[10]]))
    assert xbar.bank.meter.pulses.tolist() == [[10, 0]]
    xbar.bank.stuck[0] = 2
    before = float(xbar.bank.x[0])
    spent = xbar.bank.meter.energy.sum()
    xbar.program(np.array([[1]]))
    assert xbar.bank.meter.energy.sum() - spent == pytest.approx(
        expected(xbar.params, (before, before), True), rel=1e-9
    )


def test_accounting_changes_no_state_and_costs_nothing_when_off():
    effects = Effects(cycle_to_cycle=CycleToCycle(0.3, "step"))
    device = DEVICES["SoftBounds"]
    counts = np.random.default_rng(0).integers(-2, 3, (20, 15))
    plain = Crossbar.build(20, 15, device, device.params(), effects)
    counted = Crossbar.build(20, 15, device, device.params(), effects)
    counted.meter()
    for xbar in (plain, counted):
        assert xbar.program(counts) == 2 * np.abs(counts).sum()
    np.testing.assert_allclose(plain.bank.x, counted.bank.x, rtol=1e-12)
    assert plain.bank.meter.pulses.size == 0
    assert counted.bank.meter.pulses.sum() == counted.pulses


def test_squared_currents_are_kept_where_a_transistor_carries_them():
    xbar = build(encoding="single", access=ACCESS)
    before = float(xbar.bank.x[0])
    xbar.program(np.array([[1]]))
    p = xbar.params
    i = [current(p, p.v_set, x) for x in (before, float(xbar.bank.x[0]))]
    by_hand = 0.5 * (i[0] ** 2 + i[1] ** 2) * p.t_set
    assert xbar.bank.meter.squares[0, 0] == pytest.approx(by_hand, rel=1e-12)
    assert make_meter(3).squares.shape == (0, 2)


def test_refreshing_a_pair_of_one_sided_cells_is_paid_for():
    xbar = build("PhaseChange")
    used = xbar.program(np.array([[200]])) + xbar.program(np.array([[-200]]))
    assert xbar.bank.meter.pulses.sum() == used
    assert xbar.bank.meter.pulses[:, 1].sum() > 0
