"""The tables name every model, preset, parameter and effect there is, with units."""

import io

import pytest
from rich.console import Console

from ohmlearn import tables
from ohmlearn.devices import devices
from ohmlearn.errors import DeviceError


def text(parts) -> str:
    console = Console(width=250, file=io.StringIO(), record=True)
    for part in parts:
        console.print(part)
    return console.export_text()


PRESETS = [(n, label) for n, model in devices().items() for label in model.presets]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (5e-6, "S", "5 µS"),
        (1e-4, "S", "100 µS"),
        (1e-3, "S", "1 mS"),
        (999e-9, "S/pulse", "999 nS/pulse"),
        (-2.5, "V", "-2.5 V"),
        (1e-7, "s", "100 ns"),
        (1e6, "ohm", "1 Mohm"),
        (0.0, "S", "0 S"),
        (3e-20, "s", "3e-05 fs"),
        (0.25, "1", "0.25"),
        (2e5, "1/s", "200000 1/s"),
    ],
)
def test_engineering_prefixes(value, unit, shown):
    assert tables.engineering(value, unit) == shown


def test_overview_names_every_model_and_preset():
    shown = text(tables.all_devices())
    lines = {line.split("  ")[0].strip(): line for line in shown.splitlines()}
    assert lines["HfO2-1T1R-demo"].rstrip().endswith("our choice")
    assert lines["ReRamES"].rstrip().endswith("AIHWKit preset")
    assert PRESETS
    for model, preset in PRESETS:
        assert model in shown
        assert preset in shown


@pytest.mark.parametrize("name", sorted(devices()))
def test_model_shows_every_parameter_with_its_meaning(name):
    shown = text(tables.device(name.upper()))
    for field in devices()[name].fields().values():
        assert field.name in shown
        assert field.meaning in shown
    assert devices()[name].reference[:20] in shown


@pytest.mark.parametrize(("model", "preset"), PRESETS)
def test_preset_shows_its_values_effects_and_source(model, preset):
    shown = text(tables.device(preset.lower()))
    params = devices()[model].presets[preset].params
    for field in devices()[model].fields().values():
        assert tables.engineering(getattr(params, field.name), field.unit) in shown
    assert "cycle_to_cycle" in shown
    assert "source: " in shown


def test_effects_that_are_on_have_their_numbers_and_the_others_their_names():
    rows = [
        {"name": "stuck", "on": True, "numbers": {"low": 0.01}, "meaning": "stand still"},
        {"name": "levels", "on": False, "numbers": {}, "meaning": "so many values"},
        {"name": "wires", "on": False, "numbers": {}, "meaning": "resistance"},
    ]
    shown = text([tables.effects(rows)])
    assert "low 0.01" in shown
    assert "stand still" in shown
    assert "Off: levels, wires." in shown
    assert "so many values" not in shown
    assert text([tables.effects(rows[1:])]).strip() == "Off: levels, wires."


def test_a_rest_is_given_in_the_units_of_people():
    rested = [{"after_seconds": t, "test_accuracy": 0.5} for t in (1.0, 86400.0)]
    summary = {"test_accuracy": None, "train_accuracy": None, "epochs": 1, "after_rest": rested,
               "cpu_seconds_per_epoch": None, "cells": 0, "pulses_total": 0}  # fmt: skip
    rows = dict(tables._outcome(summary))
    assert {"test accuracy after 1 s", "test accuracy after 1 day"} <= set(rows)


def test_unknown_name_gives_the_nearest():
    with pytest.raises(DeviceError, match="did you mean 'HfO2-1T1R-demo'"):
        list(tables.device("HfO2-1T1R-dem"))


def test_cells_without_a_single_pulse_are_explained():
    summary = {
        "test_accuracy": 0.34,
        "test_error_percent": 66.0,
        "train_accuracy": 0.4,
        "epochs": 40,
        "cpu_seconds_per_epoch": None,
        "cells": 174,
        "pulses_total": 0,
    }
    rows = dict(tables._outcome(summary))
    assert rows["programming pulses"].startswith("0: no request asked for a pulse")
    assert "programming pulses" not in dict(tables._outcome(summary | {"cells": 0}))
