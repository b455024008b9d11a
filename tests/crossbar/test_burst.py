"""Programming all cells at once does what programming them one by one does."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.crossbar import Crossbar
from ohmlearn.crossbar import array as arrays
from ohmlearn.crossbar.burst import suits, survey
from ohmlearn.devices import Effects, devices, get_preset, merge

SHAPE = (37, 41)  # neither a multiple of four cells nor of a block


def build(name="SoftBounds", effects=None, **options):
    device = devices()[name]
    chosen = merge(Effects(), effects or {})
    return Crossbar.build(*SHAPE, device, device.params(), chosen, seed=5, **options)


def programmed(monkeypatch, at_once, counts, times=3, **options):
    xbar = build(**options)
    xbar.set_weights(np.random.default_rng(1).uniform(-1, 1, SHAPE))
    monkeypatch.setattr(arrays, "suits", lambda *_: at_once)
    fired = [xbar.program(counts) for _ in range(times)]
    return xbar, fired


@pytest.mark.parametrize("encoding", ["pair", "offset", "single"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "effects",
    [
        {},
        {"cycle_to_cycle": 0.3},
        {"cycle_to_cycle": {"sigma": 0.02, "of": "window"}, "window": False},
        {"cycle_to_cycle": 0.3, "stuck": {"low": 0.1, "high": 0.1}, "device_to_device": 0.2},
    ],
)
def test_it_equals_one_by_one(monkeypatch, encoding, dtype, effects):
    counts = np.random.default_rng(0).integers(-2, 4, SHAPE)
    options = {"encoding": encoding, "dtype": dtype, "effects": effects}
    one, fired_one = programmed(monkeypatch, False, counts, **options)
    all_, fired_all = programmed(monkeypatch, True, counts, **options)
    assert fired_one == fired_all == [np.abs(counts).sum() * one.arms] * 3
    tolerance = 2e-6 if dtype == np.float32 else 1e-14
    np.testing.assert_allclose(all_.bank.x, one.bank.x, rtol=0, atol=tolerance)
    np.testing.assert_allclose(all_.bank.g, one.bank.g, rtol=10 * tolerance)
    assert not np.array_equal(one.bank.x, build(**options).bank.x)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, d in devices().items()
        if not (d.dynamical or d.one_sided) and name != "SoftBounds"
    ],
)
def test_it_serves_every_pulse_response(monkeypatch, name):
    counts = np.random.default_rng(0).integers(-1, 2, SHAPE)
    options = {"name": name, "effects": {"cycle_to_cycle": 0.3}}
    one, _ = programmed(monkeypatch, False, counts, **options)
    all_, _ = programmed(monkeypatch, True, counts, **options)
    np.testing.assert_allclose(all_.bank.x, one.bank.x, rtol=0, atol=1e-13)


def test_it_is_chosen_where_it_is_faster_and_allowed():
    ones, few = np.ones((2, SHAPE[0] * SHAPE[1]), np.int64)
    few[5:] = 0
    assert suits(build().bank, ones, survey(ones))
    assert not suits(build().bank, few, survey(few))
    for effects in ({"levels": 16}, {"write_noise": 0.5}, {"endurance": 1e5}):
        assert not suits(build(effects=effects).bank, ones, survey(ones))
    device, preset = get_preset("HfO2-1T1R-demo")
    assert suits(
        Crossbar.build(*SHAPE, device, preset.params, preset.effects).bank, ones, survey(ones)
    )
