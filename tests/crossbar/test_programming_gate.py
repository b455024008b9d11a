"""One-shot writing through the gate: the curve, the cells, their noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar.array import Crossbar
from ohmlearn.crossbar.writing.gate import GateCurve, TwoPulses, gate_curve, write_by_gate
from ohmlearn.crossbar.writing.verify import write_verify
from ohmlearn.devices import Effects, conductance, get_device, make_params, merge
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.devices.cell.programming import program_cell
from ohmlearn.devices.contract import nominal_step
from ohmlearn.errors import ConfigError, DeviceError

VTEAM = get_device("VTEAM")
# A test cell: the demonstration card with rates that switch it within one pulse of 100 ns.
FAST = make_params(VTEAM, {"k_on": -1e10, "k_off": 1e9})
TWO = TwoPulses(v_set=1.3, t_set=1e-7, v_reset=2.5, t_reset=1e-7, v_g_reset=3.3)
GATES = np.linspace(0.8, 3.3, 101)


@pytest.fixture(scope="module")
def curve() -> GateCurve:
    return gate_curve(FAST, ACCESS, TWO, GATES, 0.2)


def build(shape=(6, 5), p=FAST, **effects: Any) -> Crossbar:
    return Crossbar.build(*shape, VTEAM, p, merge(Effects(), effects), seed=4)


def asked(xbar: Crossbar) -> np.ndarray:
    return xbar.cell_targets(np.random.default_rng(0).uniform(-0.4, 0.4, xbar.shape))


def test_the_curve_rises_over_the_window_and_is_what_the_cell_does(curve):
    assert np.all(np.diff(curve.g) > 0)
    assert np.all(np.diff(curve.v_g) > 0)
    assert curve.g[0] == pytest.approx(FAST.g_off, rel=1e-3)
    assert curve.g[-1] == pytest.approx(FAST.g_on, rel=1e-3)
    erased = program_cell(FAST, ACCESS, 3.3, -2.5, 1e-7, 1.0)
    for v_g, g in list(zip(curve.v_g, curve.g, strict=True))[::9]:
        x = program_cell(FAST, ACCESS, float(v_g), 1.3, 1e-7, erased)
        assert conductance(FAST, 0.2, x) == pytest.approx(g, rel=1e-6)
    np.testing.assert_allclose(curve.gate(curve.g), curve.v_g)
    np.testing.assert_array_equal(curve.gate(np.array([1e-9, 1.0])), curve.v_g[[0, -1]])


def test_a_curve_of_whole_cells_holds_the_resistance_of_the_gate(curve):
    seen = gate_curve(FAST, ACCESS, TWO, GATES, 0.2, v_g_read=3.3)
    for v_g, g in zip(seen.v_g[1:], seen.g[1:], strict=True):
        alone = np.interp(v_g, curve.v_g, curve.g)
        assert 5e3 < 1 / g - 1 / alone < 15e3


def test_like_cells_land_on_their_targets(curve):
    xbar = build()
    targets = asked(xbar)
    done = write_by_gate(xbar, targets, ACCESS, TWO, curve)
    np.testing.assert_allclose(xbar.conductance, targets, rtol=2e-3)
    np.testing.assert_array_equal(done.error, xbar.conductance - targets)
    assert done.pulses == 2 * xbar.cells == xbar.pulses
    assert done.operations == 2 * 6
    assert done.time == pytest.approx(6 * 2e-7)
    written = xbar.bank.x.copy()
    write_by_gate(xbar, targets, ACCESS, TWO, curve)  # from wherever the cells are
    np.testing.assert_allclose(xbar.bank.x, written, atol=1e-5)


def test_each_effect_leaves_its_error(curve):
    for effects in (
        {"cycle_to_cycle": 0.1},
        {"device_to_device": {"v_on": 0.05}},
        {"write_noise": 0.01},
        {"levels": 8},
        {"stuck": {"low": 0.2}},
    ):
        xbar = build(**effects)
        targets = asked(xbar)
        error = np.abs(write_by_gate(xbar, targets, ACCESS, TWO, curve).error)
        assert error.max() > 0.01 * targets.min(), effects


def test_a_change_of_many_steps_has_the_noise_of_as_many_pulses(curve):
    """Up to the square root, on cells of small nominal steps."""
    slow = FAST._replace(t_set=1e-13, t_reset=1e-12)  # nominal pulses; the two pulses stay
    quiet, noisy = build((40, 40), slow), build((40, 40), slow, cycle_to_cycle=0.5)
    targets = asked(quiet)
    for xbar in (quiet, noisy):
        xbar.bank.x[:] = 0.0  # the RESET finds nothing to do
        write_by_gate(xbar, targets, ACCESS, TWO, curve)
    step = nominal_step(slow)
    assert step < 0.01
    expected = 0.5 * np.sqrt(quiet.bank.x * step)
    inside = expected < 0.2 * np.minimum(quiet.bank.x, 1 - quiet.bank.x)
    ratio = ((noisy.bank.x - quiet.bank.x) / expected)[inside]
    assert ratio.size > 500
    assert ratio.std() == pytest.approx(1.0, rel=5 / (2 * ratio.size) ** 0.5)


def test_stuck_cells_and_cells_without_target_stay(curve):
    xbar = build((10, 10), stuck={"low": 0.1, "high": 0.1})
    targets = asked(xbar)
    targets[5:] = np.nan
    before = xbar.bank.x.copy()
    done = write_by_gate(xbar, targets, ACCESS, TWO, curve)
    still = (xbar.bank.stuck > 0) | np.isnan(targets).ravel()
    np.testing.assert_array_equal(xbar.bank.x[still], before[still])
    assert np.all(xbar.bank.x[~still] != before[~still])
    assert done.operations == 2 * 5
    assert not done.error[5:].any()


def test_the_seed_decides_and_verifying_can_follow(curve):
    def outcome(seed: int) -> np.ndarray:
        effects = merge(Effects(), {"cycle_to_cycle": 0.1, "write_noise": 0.001})
        xbar = Crossbar.build(6, 5, VTEAM, FAST, effects, seed=seed)
        return write_by_gate(xbar, asked(xbar), ACCESS, TWO, curve).error

    np.testing.assert_array_equal(outcome(1), outcome(1))
    assert not np.any(outcome(1) == outcome(2))
    fine = make_params(VTEAM, {"k_on": -1e10, "k_off": 1e9, "t_set": 1e-13, "t_reset": 1e-12})
    xbar = build(p=fine, device_to_device={"v_on": 0.02})
    targets = asked(xbar)
    coarse = write_by_gate(xbar, targets, ACCESS, TWO, curve)
    done = write_verify(xbar, targets, 0.5e-6, max_iterations=200)
    assert np.abs(coarse.error).max() > 0.5e-6
    assert done.reached.all()


def test_a_pulse_response_is_written_by_its_compliance_too():
    soft = get_device("SoftBounds")
    two = TwoPulses(v_set=3.0, t_set=1e-4, v_reset=3.0, t_reset=1e-3, v_g_reset=5.0)
    found = gate_curve(soft.params(), ACCESS, two, np.linspace(1.0, 3.5, 51), 0.2)
    xbar = Crossbar.build(3, 3, soft, soft.params(), seed=0)
    targets = xbar.cell_targets(np.random.default_rng(0).uniform(-0.2, 0.2, (3, 3)))
    done = write_by_gate(xbar, targets, ACCESS, two, found)
    assert np.abs(done.error).max() < 0.2e-6


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"two": TWO._replace(v_reset=-2.5)}, r"two pulses: v_reset is -2\.5; allowed is finite"),
        ({"two": TWO._replace(t_set=0.0)}, r"two pulses: t_set is 0\.0"),
        ({"v_g": np.array([1.0])}, r"gate voltages \[1\.\]; allowed: at least two"),
        ({"v_g": np.array([2.0, 1.0])}, r"finite numbers, rising"),
    ],
)
def test_bad_pulses_and_gates_are_refused(changes, sentence):
    arguments = {"p": FAST, "access": ACCESS, "two": TWO, "v_g": GATES, "v_read": 0.2} | changes
    with pytest.raises(ConfigError, match=sentence):
        gate_curve(**arguments)


def test_a_pulse_too_weak_to_write_is_an_error_and_so_is_one_that_cannot_be_integrated(curve):
    weak = TWO._replace(v_set=0.5)
    with pytest.raises(DeviceError, match=r"from 0\.8 to 3\.3 V all leave the cell at 5e-06 S"):
        gate_curve(FAST, ACCESS, weak, GATES, 0.2)
    xbar = build()
    xbar.bank.table[3, FAST._fields.index("k_on")] = -np.inf
    before = xbar.bank.x.copy()
    with pytest.raises(DeviceError, match=r"could not be integrated for 1 of 60 cells"):
        write_by_gate(xbar, asked(xbar), ACCESS, TWO, curve)
    np.testing.assert_array_equal(xbar.bank.x, before)
    with pytest.raises(ConfigError, match="one-shot writing: targets of shape"):
        write_by_gate(xbar, np.ones((6, 5)), ACCESS, TWO, curve)
