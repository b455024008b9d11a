"""Effects: off by default, one switch each, honest refusals, and the ledger."""

import math

import pytest

from ohmlearn.devices import (
    CycleToCycle,
    Effects,
    Endurance,
    FlickerNoise,
    Line,
    PowerLaw,
    RandomTelegraph,
    ReadDisturb,
    Relaxation,
    Stuck,
    ledger,
    merge,
)
from ohmlearn.devices.effects.fluctuations import FLICKER_SETS
from ohmlearn.devices.effects.retention_sets import RETENTION_SETS
from ohmlearn.errors import DeviceError

ALL_ON = Effects(
    device_to_device={"step": 0.2},
    cycle_to_cycle=CycleToCycle(0.3, "nominal"),
    write_noise=2.0,
    read_noise=0.01,
    stuck=Stuck(0.01, 0.002),
    levels=32,
    endurance=Endurance(1e6, spread=0.5),
    read_disturb=ReadDisturb(1e-6, "set"),
    retention=PowerLaw(nu=0.05, spread=0.01),
    random_telegraph=RandomTelegraph(0.1, 0.05, capture=1e-3, emission=2e-3),
    flicker_noise=FlickerNoise(0.01),
)
ORDER = [
    "device_to_device",
    "stuck",
    "cycle_to_cycle",
    "endurance",
    "window",
    "levels",
    "write_noise",
    "read_disturb",
    "retention",
    "random_telegraph",
    "flicker_noise",
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
    "endurance": {"pulses": 1e6, "spread": 0.5},
    "read_disturb": {"change": 1e-6, "towards": "set"},
    "retention": {"kind": "power-law", "nu": 0.05, "spread": 0.01},
    "random_telegraph": {"fraction": 0.1, "amplitude": 0.05, "capture": 1e-3, "emission": 2e-3},
    "flicker_noise": 0.01,
}


def telegraph(**entries):
    return {"fraction": 0.1, "amplitude": 0.1, "capture": 1.0, "emission": 1.0, **entries}


def power_law(**entries):
    return {"kind": "power-law", "nu": 0.1, **entries}


def relaxation(**entries):
    return {"kind": "relaxation", "times": [1, 2], "sigma": [[0.1], [0.2]], **entries}


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


def test_laws_of_time_are_named_replaced_and_spelled_out():
    named = merge(Effects(), {"retention": "PCMLike", "flicker_noise": "PCMLike"})
    assert named.retention == RETENTION_SETS["PCMLike"]
    assert named.flicker_noise == FLICKER_SETS["PCMLike"]
    changed = merge(named, {"retention": {"t0": 1.0}, "flicker_noise": {"max": 0.1}})
    assert (changed.retention.t0, changed.retention.nu) == (1.0, named.retention.nu)
    assert (changed.flicker_noise.max, changed.flicker_noise.q) == (0.1, 0.0088)
    same = merge(Effects(), {"retention": {"set": "PCMLike", "t0": 1.0}})
    assert same.retention == changed.retention
    line = {"offset": 0.1, "slope": -0.01, "max": 0.2}
    assert merge(Effects(), {"retention": power_law(nu=line)}).retention == PowerLaw(
        Line(0.1, -0.01, max=0.2)
    )
    other = merge(named, {"retention": relaxation(sigma=[[0, 0.1], [0.2]])}).retention
    assert other == Relaxation((1, 2), ((0, 0.1), (0.2,)))


@pytest.mark.parametrize("name", RETENTION_SETS)
def test_the_ledger_spells_out_every_published_law(name):
    (row,) = (r for r in ledger(merge(Effects(), {"retention": name})) if r["name"] == "retention")
    assert row["on"]
    assert {"kind", *row["numbers"]} == set(row["numbers"])
    assert all(isinstance(value, int | float | str) for value in row["numbers"].values())


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ({"read_nois": 0.1}, "unknown effect 'read_nois'; did you mean 'read_noise'"),
        ({"read_noise": -0.1}, "read_noise is -0.1; a standard deviation must be >= 0"),
        ({"write_noise": math.nan}, "write_noise is nan; allowed is a finite number"),
        ({"write_noise": 1e300}, "write_noise is 1e+300; allowed is a number up to 1e+30"),
        ({"read_noise": 1e7}, "a standard deviation must be <= 1e+06 here"),
        ({"cycle_to_cycle": 1e7}, "cycle_to_cycle.sigma is 10000000.0; a standard deviation"),
        ({"device_to_device": {"g_max": 1e7}}, "device_to_device.g_max is 10000000.0; a standard"),
        ({"device_to_device": {"step_log": 11}}, "device_to_device.step_log is 11; a standard"),
        ({"endurance": {"pulses": 9, "spread": 11}}, "must be <= 10 here"),
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
        ({"endurance": 0}, "endurance.pulses is 0.0 pulses; allowed is > 0"),
        ({"endurance": {"spread": 0.1}}, "endurance needs pulses; give them in its table"),
        ({"endurance": {"pulses": 9, "spraed": 0.1}}, "did you mean 'spread'"),
        ({"endurance": {"pulses": 9, "spread": -0.1}}, "endurance.spread is -0.1"),
        ({"endurance": {"pulses": 9, "fade": 1.1}}, "endurance.fade is 1.1; a fraction"),
        ({"endurance": {"pulses": 9, "close_low": 0.6, "close_high": 0.6}}, "is 1.2"),
        ({"endurance": {"pulses": 9, "exponent": 0}}, "endurance.exponent is 0; allowed is > 0"),
        ({"endurance": {"pulses": 9, "fails": "hi"}}, "endurance.fails: unknown kind 'hi'"),
        ({"read_disturb": 1e-6}, "read_disturb is 1e-06; allowed is a table of change, towards"),
        ({"read_disturb": {"change": 1e-6}}, "read_disturb needs towards"),
        ({"read_disturb": {"change": 0, "towards": "set"}}, "read_disturb.change is 0; allowed"),
        ({"read_disturb": {"change": 1.5, "towards": "set"}}, "read_disturb.change is 1.5"),
        ({"read_disturb": {"change": 0.1, "towards": "up"}}, "read_disturb.towards: unknown kind"),
        ({"random_telegraph": 0.1}, "random_telegraph is 0.1; allowed is a table of fraction"),
        ({"random_telegraph": {"fraction": 0.1}}, "needs amplitude and capture and emission"),
        ({"random_telegraph": telegraph(fraction=0)}, "random_telegraph.fraction is 0"),
        ({"random_telegraph": telegraph(amplitude=1.5)}, "random_telegraph.amplitude is 1.5"),
        ({"random_telegraph": telegraph(capture=0)}, "random_telegraph.capture is 0 s"),
        ({"random_telegraph": telegraph(emission=math.inf)}, "random_telegraph.emission is inf"),
        ({"random_telegraph": telegraph(decades=99)}, "random_telegraph.decades is 99"),
        ({"flicker_noise": "PCM"}, "unknown flicker_noise set 'PCM'; did you mean 'PCMLike'"),
        ({"flicker_noise": -0.1}, "flicker_noise.q is -0.1; allowed is > 0"),
        ({"flicker_noise": {"q": 0.1, "t_read": 0}}, "flicker_noise.t_read is 0 s"),
        ({"flicker_noise": {"q": 0.1, "g_max": -1}}, "flicker_noise.g_max is -1 S"),
        ({"retention": 0.1}, "retention is 0.1; allowed is the name of a published set or a"),
        ({"retention": "ReRamWan"}, "unknown retention set 'ReRamWan'; did you mean 'ReRamWan2"),
        ({"retention": {"nu": 0.1}}, "retention needs kind or set"),
        ({"retention": {"kind": "power"}}, "did you mean 'power-law'"),
        ({"retention": {"kind": "power-law"}}, "retention needs nu; give them in its table"),
        ({"retention": {"set": "ReRamCMO", "nu": 0.1}}, "unknown entry of retention 'nu'"),
        ({"retention": power_law(nu=-0.1)}, "retention.nu is -0.1; allowed is >= 0"),
        ({"retention": power_law(nu=[0.1])}, "retention.nu is (0.1,); allowed is a finite number"),
        ({"retention": power_law(nu={"slope": 1.0})}, "retention.nu needs offset"),
        ({"retention": power_law(nu={"offset": 0.1, "min": 2, "max": 1})}, "min 2 and max 1"),
        ({"retention": power_law(nu=0.0)}, "nu and its spread are all 0; write false"),
        ({"retention": power_law(t0=0.0)}, "retention.t0 is 0.0 s; allowed is > 0"),
        ({"retention": power_law(towards=-1.0)}, "retention.towards is -1.0 S"),
        ({"retention": power_law(g_max=0.0)}, "retention.g_max is 0.0 S"),
        ({"retention": {"kind": "log", "spread": -1e-6}}, "retention.spread is -1e-06"),
        ({"retention": {"kind": "log"}}, "its numbers are all 0"),
        ({"retention": relaxation(times=[])}, "retention.times is []; allowed are rising times"),
        ({"retention": relaxation(times=[2, 1])}, "retention.times is [2, 1]"),
        ({"retention": relaxation(times=[0, 1])}, "retention.times is 0 s; allowed is > 0"),
        (
            {"retention": relaxation(times=1.0)},
            "retention.times and retention.sigma must be lists",
        ),
        ({"retention": relaxation(sigma=[[0.1]])}, "1 lists of coefficients for 2 times"),
        ({"retention": relaxation(sigma=[0.1, 0.2])}, "retention.sigma holds 0.1"),
        ({"retention": relaxation(sigma=[["a"], [1]])}, "retention.sigma is 'a'"),
    ],
)
def test_impossible_effects_are_refused_with_one_sentence(override, sentence):
    with pytest.raises(DeviceError) as refusal:
        merge(Effects(), override)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_ledger_gives_the_numbers_and_says_what_they_mean():
    rows = {row["name"]: row for row in ledger(ALL_ON)}
    assert rows["cycle_to_cycle"]["numbers"] == {"sigma": 0.3, "of": "nominal"}
    assert rows["device_to_device"]["numbers"] == {"step": 0.2}
    assert rows["retention"]["numbers"] == {
        "kind": "power-law", "nu": 0.05, "spread": 0.01, "t0": 1.0, "towards": 0.0
    }  # fmt: skip
    assert rows["read_disturb"]["numbers"] == {
        "change": 1e-6, "towards": "set", "of": "distance"
    }  # fmt: skip
    assert rows["levels"]["numbers"] == {"levels": 32}
    assert all(len(row["meaning"]) > 20 for row in rows.values())
