"""What the access transistor leaves of a nominal pulse."""

from __future__ import annotations

import pytest

from ohmlearn.devices import devices
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.devices.cell.programming import program_cell
from ohmlearn.devices.cell.reach import STATES, pulse_reach
from ohmlearn.devices.cell.series import memristor_voltage
from ohmlearn.devices.contract import WRITE_THRESHOLD

WIDE = ACCESS._replace(w=20e-6)
every_device = pytest.mark.parametrize("device", devices().values(), ids=lambda d: d.name)


@every_device
def test_nothing_is_lost_behind_a_very_wide_transistor(device):
    reach = pulse_reach(device.params(), ACCESS._replace(w=1.0), 10.0)
    assert reach.least == pytest.approx(1.0, abs=5e-3)


@every_device
def test_less_is_left_behind_a_narrower_transistor(device):
    p = device.params()
    wide, narrow = (pulse_reach(p, m, 3.3) for m in (WIDE, ACCESS))
    for ours, theirs in zip((*narrow.set, *narrow.reset), (*wide.set, *wide.reset), strict=True):
        assert 0.0 <= ours <= theirs + 1e-3
    assert narrow.least <= narrow.set[0]


def test_a_pulse_response_is_whole_or_nothing_by_the_threshold():
    p = devices()["SoftBounds"].params()
    reach = pulse_reach(p, ACCESS, 3.3)
    for x, part in zip(STATES, reach.set, strict=True):
        above = memristor_voltage(p, ACCESS, 3.3, p.v_set, 0.0, x) >= WRITE_THRESHOLD * p.v_set
        assert part == pytest.approx(1.0 if above else 0.0, abs=1e-3)
    assert set(reach.set) == {1.0, 0.0}
    assert str(reach.reset) == "(0.0, 0.0, 0.0)"


def test_it_is_the_ratio_of_two_pulses():
    p = devices()["VTEAM"].params()
    reach = pulse_reach(p, ACCESS, 3.3)
    for parts, amplitude, width in (
        (reach.set, abs(p.v_set), p.t_set),
        (reach.reset, -abs(p.v_reset), p.t_reset),
    ):
        for x, part in zip(STATES, parts, strict=True):
            behind, alone = (
                program_cell(p, m, 3.3, amplitude, width, x) - x for m in (ACCESS, None)
            )
            assert part == pytest.approx(behind / alone)
            assert 0.0 < part < 1.0
