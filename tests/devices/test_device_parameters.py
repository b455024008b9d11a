"""Parameters: overrides, refusals, other conductance windows."""

import math

import pytest

from ohmlearn.devices import (
    check_params,
    conductance,
    depression,
    devices,
    get_preset,
    make_params,
    potentiation,
    presets,
    window_of,
    with_window,
)
from ohmlearn.errors import DeviceError

SOFT = devices()["SoftBounds"]


def test_overrides_apply_to_the_base():
    _, preset = get_preset("ReRamSB")
    p = make_params(SOFT, {"dg_up": 1e-7}, preset)
    assert p == preset.params._replace(dg_up=1e-7)
    assert p == make_params(SOFT, {"dg_up": 1e-7}, preset.params)
    assert make_params(SOFT, {}) == SOFT.params()
    assert isinstance(make_params(SOFT, {"v_set": 3}).v_set, float)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"g_mx": 1e-6}, "unknown parameter 'g_mx'; did you mean 'g_max'"),
        ({"g_max": math.nan}, "g_max is nan; allowed is a finite number"),
        ({"g_max": "big"}, "g_max is 'big'; allowed is a finite number"),
        ({"g_max": True}, "g_max is True; allowed is a finite number"),
        ({"g_max": -1e-6}, "g_max is -1e-06 S; allowed is > 0"),
        ({"g_min": 2e-4}, "g_min is 0.0002 S and g_max is 0.0001 S; allowed is g_min < g_max"),
        ({"g_min": 1e-4}, "allowed is g_min < g_max"),
        ({"g_ref": 1e-4}, "g_ref is 0.0001 S; allowed is between"),
        ({"dg_up": 0.0}, "dg_up is 0 S/pulse; allowed is > 0"),
        ({"t_set": 0.0}, "t_set is 0 s; allowed is > 0"),
        ({"v_reset": 1.0}, "allowed are opposite signs"),
    ],
)
def test_impossible_parameters_are_refused_with_one_sentence(wrong, sentence):
    with pytest.raises(DeviceError, match=r"SoftBounds: .*") as refusal:
        make_params(SOFT, wrong)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("name", [n for n, (device, _) in presets().items() if device.window])
def test_another_window_keeps_the_response_in_states(name):
    device, preset = get_preset(name)
    assert device.window is not None
    moved = with_window(device, preset.params, 1e-6, 300e-6)
    check_params(device, moved)
    assert [getattr(moved, field) for field in device.window] == [1e-6, 300e-6]
    assert conductance(moved, 0.1, 0.0) == pytest.approx(1e-6, rel=1e-12)
    assert conductance(moved, 0.1, 1.0) == pytest.approx(300e-6, rel=1e-12)
    for x in (0.0, 0.3, 1.0):
        assert potentiation(moved, x) == pytest.approx(potentiation(preset.params, x), abs=1e-12)
        assert depression(moved, x) == pytest.approx(depression(preset.params, x), abs=1e-12)


@pytest.mark.parametrize("name", [n for n, (device, _) in presets().items() if not device.window])
def test_a_window_that_follows_from_other_parameters_cannot_be_moved(name):
    device, preset = get_preset(name)
    low, high = window_of(device, preset.params)
    assert (low, high) == tuple(conductance(preset.params, 0.2, x) for x in (0.0, 1.0))
    sentence = f"{device.name}: its window, {low:g} to {high:g} S at 0.2 V, follows from its other"
    with pytest.raises(DeviceError, match="set those instead") as refusal:
        with_window(device, preset.params, 1e-6, 300e-6)
    assert str(refusal.value).startswith(sentence)


def test_the_window_is_that_of_the_fields_where_there_are_such():
    assert window_of(SOFT, SOFT.params()) == (5e-6, 100e-6)
    assert window_of(devices()["VTEAM"], devices()["VTEAM"].params(), 0.1) == (5e-6, 100e-6)


def test_bounds_in_the_wrong_order_are_refused():
    gap = devices()["StanfordPKU"]
    with pytest.raises(DeviceError, match=r"gap_min is 2e-09 m and gap_max is 1.7e-09 m; allowed"):
        make_params(gap, {"gap_min": 2e-9})


@pytest.mark.parametrize("window", [(1e-4, 1e-6), (1e-6, 1e-6), (-1e-6, 1e-6), (0.0, 1e-6)])
def test_an_impossible_window_is_refused(window):
    with pytest.raises(DeviceError, match="allowed is"):
        with_window(SOFT, SOFT.params(), *window)
