"""Half-select disturb: who sees which voltage, and what it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar.array import Crossbar
from ohmlearn.crossbar.writing.half_select import half_select, row_serial_passive
from ohmlearn.devices import Effects, get_device, make_params, merge
from ohmlearn.devices.cell.programming import program_cell
from ohmlearn.errors import ConfigError

VTEAM = get_device("VTEAM")
# Test cells: thresholds below a half and below a third of the nominal amplitude of 1.4 V.
HALF = make_params(VTEAM, {"v_on": -0.55, "v_off": 0.6})
THIRD = make_params(VTEAM, {"v_on": -0.4, "v_off": 0.42})
every_scheme = pytest.mark.parametrize("scheme", ["V/2", "V/3"])


def build(p: Any, encoding="single", shape=(3, 4), device=VTEAM, **effects: Any) -> Crossbar:
    xbar = Crossbar.build(*shape, device, p, merge(Effects(), effects), encoding=encoding, seed=2)
    free = xbar.bank.stuck == 0
    xbar.bank.x[free] = np.random.default_rng(0).uniform(0.2, 0.8, xbar.cells)[free]
    return xbar


def test_voltages_across_the_cells():
    """From the voltages of the lines, written out."""
    for scheme, word, bit in (("V/2", 0.5, 0.5), ("V/3", 1 / 3, 2 / 3)):
        seen = half_select(scheme)
        assert seen.row == pytest.approx(1.0 - bit)
        assert seen.column == pytest.approx(word - 0.0)
        assert seen.unselected == pytest.approx(word - bit)


@every_scheme
@pytest.mark.parametrize("name", ["VTEAM", "SoftBounds"])
def test_no_disturb_below_threshold(name, scheme):
    """Both default cells hold still at half their pulse; the result is a plain programming."""
    device = get_device(name)
    counts = np.random.default_rng(1).integers(-3, 4, (3, 4))
    one, other = (build(device.params(), device=device, cycle_to_cycle=0.3) for _ in range(2))
    took = row_serial_passive(one, counts, scheme)
    assert took.pulses == other.program(counts)
    np.testing.assert_array_equal(one.bank.x, other.bank.x)
    np.testing.assert_array_equal(one.bank.g, other.bank.g)


def test_one_pulse_disturbs_its_row_and_its_column_at_half_and_all_cells_at_a_third():
    for sign in (1, -1):
        for p, scheme, others in ((HALF, "V/2", False), (THIRD, "V/3", True)):
            xbar = build(p)
            before = xbar.bank.x.reshape(3, 4).copy()
            counts = np.zeros((3, 4), int)
            counts[1, 2] = sign
            row_serial_passive(xbar, counts, scheme)
            moved = xbar.bank.x.reshape(3, 4) - before
            line = np.zeros((3, 4), bool)
            line[1], line[:, 2] = True, True
            assert np.all(sign * moved[line] > 0)
            assert np.all(sign * moved[~line] < 0) if others else np.all(moved[~line] == 0)
            assert abs(moved[1, 2]) > 3 * np.abs(moved[moved != moved[1, 2]]).max()


def slot_by_slot(xbar: Crossbar, counts: np.ndarray, fractions: Any) -> np.ndarray:
    """Play every slot on every cell, by the device's own equation."""
    p, arms = xbar.params, xbar.arms
    x = xbar.bank.x.reshape(xbar.rows, -1).copy()
    lines = np.stack([counts, -counts][:arms], axis=2).reshape(xbar.rows, -1)
    for row in range(xbar.rows):
        for sign, v, t in ((1, abs(p.v_set), p.t_set), (-1, -abs(p.v_reset), p.t_reset)):
            train = np.maximum(sign * lines[row], 0)
            for slot in range(train.max()):
                for i, j in np.ndindex(x.shape):
                    on_row, on_column = i == row, train[j] > slot
                    share = {
                        (True, True): 1.0,
                        (True, False): fractions.row,
                        (False, True): fractions.column,
                        (False, False): fractions.unselected,
                    }[on_row, bool(on_column)]
                    x[i, j] = program_cell(p, None, 0.0, share * v, t, x[i, j])
    return x.ravel()


@every_scheme
@pytest.mark.parametrize("encoding", ["single", "pair"])
def test_a_whole_update_equals_the_slots_played_one_by_one(scheme, encoding):
    xbar = build(THIRD, encoding)
    counts = np.random.default_rng(3).integers(-3, 4, xbar.shape)
    expected = slot_by_slot(xbar, counts, half_select(scheme))
    plain = build(THIRD, encoding)
    plain.program(counts)
    row_serial_passive(xbar, counts, scheme)
    np.testing.assert_allclose(xbar.bank.x, expected, atol=3e-8)
    assert np.abs(xbar.bank.x - plain.bank.x).max() > 5e-5
    shown = [VTEAM.current(THIRD, 0.2, s) / 0.2 for s in xbar.bank.x]
    np.testing.assert_allclose(xbar.bank.g, shown, rtol=1e-12)


def test_slots_and_counters():
    xbar, counts = build(THIRD), np.array([[2, -1, 0, 0], [0, 0, 0, 0], [0, 0, 3, 0]])
    took = row_serial_passive(xbar, counts, "V/2")
    assert (took.pulses, took.operations) == (6, 6) == (xbar.pulses, took.operations)
    assert took.time == pytest.approx(6 * 100e-9)


def test_stuck_cells_are_not_disturbed():
    xbar = build(HALF, shape=(10, 10), stuck={"low": 0.2, "high": 0.2})
    before = xbar.bank.x.copy()
    row_serial_passive(xbar, np.ones((10, 10), int), "V/2")
    stuck = xbar.bank.stuck > 0
    assert stuck.any()
    np.testing.assert_array_equal(xbar.bank.x[stuck], before[stuck])
    assert np.all(xbar.bank.x[~stuck] != before[~stuck])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_single_precision_gives_the_same_disturb(dtype):
    xbar = Crossbar.build(3, 4, VTEAM, HALF, encoding="single", dtype=dtype)
    reference = Crossbar.build(3, 4, VTEAM, HALF, encoding="single")
    counts = np.random.default_rng(4).integers(-2, 3, (3, 4))
    for each in (xbar, reference):
        row_serial_passive(each, counts, "V/2")
    assert xbar.bank.x.dtype == dtype
    np.testing.assert_allclose(xbar.bank.x, reference.bank.x, atol=1e-6)


def test_bad_requests_are_refused():
    with pytest.raises(ConfigError, match=r"unknown half-select scheme 'V/4'.*Allowed: V/2, V/3"):
        row_serial_passive(build(HALF), np.ones((3, 4), int), "V/4")
    with pytest.raises(ConfigError, match="pulse counts of shape"):
        row_serial_passive(build(HALF), np.ones((3, 4)), "V/2")
