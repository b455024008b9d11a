"""The 1T1R cell in a read: equal to the full solution, its inverse, and its limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.devices import conductance, conductance_step, current, devices, get_device
from ohmlearn.devices.cell.access import ACCESS, make_access
from ohmlearn.devices.cell.dispatch import memristor_share as compiled_share
from ohmlearn.devices.cell.dispatch import read_conductance as compiled_conductance
from ohmlearn.devices.cell.read import (
    make_channel,
    memristor_share,
    read_conductance,
    read_step,
)
from ohmlearn.devices.cell.series import cell_conductance
from ohmlearn.errors import DeviceError
from ohmlearn.jit import kernel

TRANSISTORS = {
    "default": ACCESS,
    "ideal square law": make_access({"gamma": 0.0, "lam": 0.0}),
    "short and weak": make_access({"lam": 1.0, "kp": 1e-6}),
    "wide": make_access({"w": 1e-3}),
}
every_device = pytest.mark.parametrize("device", devices().values(), ids=lambda d: d.name)
every_transistor = pytest.mark.parametrize("m", TRANSISTORS.values(), ids=TRANSISTORS)


def conditions():
    return [
        (v_g, v, x) for v_g in (0.75, 1.0, 3.3) for v in (0.05, 0.2, 1.0) for x in (0.0, 0.4, 1.0)
    ]


@every_device
@every_transistor
def test_it_is_the_conductance_of_the_full_solution(device, m):
    p = device.params()
    for v_g, v, x in conditions():
        full = cell_conductance(p, m, v_g, v, x)
        assert read_conductance(p, make_channel(m, v_g), v, x) == pytest.approx(full, rel=1e-12)


@every_device
@every_transistor
def test_the_memristors_share_is_its_own_conductance(device, m):
    p, checked = device.params(), 0
    side = 1.0 if p.v_set > 0 else -1.0
    for v_g, v, x in conditions():
        channel = make_channel(m, v_g)
        u, g = memristor_share(channel, v, read_conductance(p, channel, v, x))
        if u > 1e-4 * v:  # else the transistor alone decides, and the rest is rounding
            assert g == pytest.approx(side * current(p, side * u, x) / u, rel=1e-9)
            checked += 1
    assert checked > 8


def test_no_memristor_is_enough_for_more_than_the_transistor_has():
    channel: Any = make_channel(ACCESS, 1.0)
    alone = channel.k * (1 + channel.lam * 0.2) * (channel.over - 0.1)
    assert memristor_share(channel, 0.2, 0.999 * alone)[0] > 0
    assert memristor_share(channel, 0.2, 1.001 * alone)[0] == 0


@every_device
def test_the_transistor_takes_its_part_and_a_wide_one_takes_none(device):
    p, x = device.params(), 0.7
    alone = read_conductance(p, None, 0.2, x)
    assert alone == conductance(p, 0.2, x)
    mounted = conductance(p, 0.2 if p.v_set > 0 else -0.2, x)
    g = [read_conductance(p, make_channel(ACCESS, v_g), 0.2, x) for v_g in (0.8, 2.0, 10.0, 1e8)]
    assert np.all(np.diff(g) > 0)
    assert g[-2] < mounted
    assert g[-1] == pytest.approx(mounted, rel=1e-4)


@kernel
def solve(p, channel, v, x):
    return compiled_conductance(p, channel, v, x)


@kernel
def share(channel, v, g):
    return compiled_share(channel, v, g)


@pytest.mark.parametrize("name", ["SoftBounds", "StanfordPKU", "VTEAM"])
def test_compiled_equals_plain(name):
    p = get_device(name).params()
    p = type(p)(*map(float, p))
    channel: Any = make_channel(ACCESS, 2.0)
    for x in (0.0, 0.3, 1.0):
        g = read_conductance(p, channel, 0.2, x)
        assert solve(p, channel, 0.2, x) == pytest.approx(g, rel=1e-12)
        assert solve(p, None, 0.2, x) == pytest.approx(conductance(p, 0.2, x), rel=1e-12)
        assert share(channel, 0.2, g) == pytest.approx(memristor_share(channel, 0.2, g), rel=1e-12)


@every_device
def test_the_step_of_a_cell_is_smaller_and_that_of_the_memristor_without_transistor(device):
    p = device.params()
    assert read_step(p, None, 0.2) == conductance_step(p, 0.2)
    wide = make_channel(make_access({"w": 10.0}), 10.0)
    if p.v_set > 0:  # else the mounted memristor is read at the other sign
        assert read_step(p, wide, 0.2) == pytest.approx(conductance_step(p, 0.2), rel=1e-3)
    if hasattr(p, "g_ref"):
        assert 0 < read_step(p, make_channel(ACCESS, 2.0), 0.2) < read_step(p, None, 0.2)


@pytest.mark.parametrize("v_gate", [0.7, -1.0, float("nan"), float("inf")])
def test_a_gate_that_does_not_turn_it_on_is_refused(v_gate):
    with pytest.raises(DeviceError, match=r"v_gate is .* V; allowed is a finite voltage above"):
        make_channel(ACCESS, v_gate)
