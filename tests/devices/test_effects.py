"""Effects: off by default, one switch each, honest refusals, and the ledger."""

import math

import pytest

from ohmlearn.devices import CycleToCycle, Effects, Stuck, ledger, merge
from ohmlearn.errors import DeviceError

ALL_ON = Effects(
    device_to_device={"step": 0.2},
    cycle_to_cycle=CycleToCycle(0.3, "nominal"),
    write_noise=2.0,
    read_noise=0.01,
    stuck=Stuck(0.01, 0.002),
    levels=32,
)
ORDER = [
    "device_to_device",
    "stuck",
    "cycle_to_cycle",
    "window",
    "levels",
    "write_noise",
    "read_noise",
]
SWITCHES = [name for name in ORDER if name != "window"]
# The same effects as they stand in an experiment.
ENTRIES = {
    "device_to_device": {"step": 0.2},
    "cycle_to_cycle": {"sigma": 0.3, "of": "nominal"},
    "write_noise": 2.0,
    "read_noise": 0.01,
    "stuck": {"low": 0.01, "high": 0.002},
    "levels": 32,
}


def on(effects):
    return [row["name"] for row in ledger(effects) if row["on"]]


def test_nothing_is_on_by_default_but_the_window():
    assert on(Effects()) == ["window"]
    assert on(ALL_ON) == ORDER


@pytest.mark.parametrize("name", SWITCHES)
def test_each_effect_switches_alone(name):
    off = merge(ALL_ON, {name: False})
    assert on(off) == [n for n in ORDER if n != name]
    alone = merge(Effects(), {name: ENTRIES[name]})
    assert on(alone) == [n for n in ORDER if n in (name, "window")]
    assert getattr(alone, name) == getattr(ALL_ON, name)
    assert merge(ALL_ON, {name: True}) == ALL_ON
    with pytest.raises(DeviceError, match=f"{name} = true: the preset has no {name}"):
        merge(Effects(), {name: True})


def test_the_window_can_be_opened():
    assert on(merge(Effects(), {"window": False})) == []


def test_plain_numbers_mean_what_the_field_means():
    effects = merge(ALL_ON, {"device_to_device": 0.1, "cycle_to_cycle": 0.5, "stuck": 0.02})
    assert effects.device_to_device == {"step": 0.1, "g_max": 0.1, "g_min": 0.1}
    assert effects.cycle_to_cycle == CycleToCycle(0.5, "nominal")
    assert effects.stuck == Stuck(low=0.02, high=0.0)
    assert merge(ALL_ON, {"stuck": {"high": 0.1}}).stuck == Stuck(0.01, 0.1)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ({"read_nois": 0.1}, "unknown effect 'read_nois'; did you mean 'read_noise'"),
        ({"read_noise": -0.1}, "read_noise is -0.1; a standard deviation must be >= 0"),
        ({"write_noise": math.nan}, "write_noise is nan; allowed is a finite number"),
        ({"device_to_device": {"step": -1.0}}, "device_to_device.step is -1.0"),
        ({"device_to_device": math.inf}, "device_to_device is inf; allowed is a finite number"),
        ({"cycle_to_cycle": -0.3}, "cycle_to_cycle.sigma is -0.3"),
        ({"cycle_to_cycle": {"of": "steps"}}, "unknown kind 'steps'; did you mean 'step'"),
        ({"cycle_to_cycle": {"sigm": 1.0}}, "did you mean 'sigma'"),
        ({"stuck": 1.5}, "stuck.low is 1.5; a fraction must be between 0 and 1"),
        ({"stuck": {"low": 0.6, "high": 0.6}}, "stuck.low + stuck.high is 1.2"),
        ({"stuck": {"middle": 0.6}}, "unknown entry of stuck 'middle'"),
        ({"levels": 1}, "levels is 1; allowed is a whole number >= 2"),
        ({"levels": 2.5}, "levels is 2.5; allowed is a whole number >= 2"),
        ({"window": 1}, "window is 1; allowed is true or false"),
        ({"read_noise": "much"}, "read_noise is 'much'; allowed is a finite number"),
    ],
)
def test_impossible_effects_are_refused_with_one_sentence(override, sentence):
    with pytest.raises(DeviceError) as refusal:
        merge(Effects(), override)
    assert sentence in str(refusal.value)


def test_the_ledger_gives_the_numbers_and_says_what_they_mean():
    rows = {row["name"]: row for row in ledger(ALL_ON)}
    assert rows["cycle_to_cycle"]["numbers"] == {"sigma": 0.3, "of": "nominal"}
    assert rows["device_to_device"]["numbers"] == {"step": 0.2}
    assert rows["levels"]["numbers"] == {"levels": 32}
    assert all(len(row["meaning"]) > 20 for row in rows.values())
