"""``ohmlearn fit``: tables, JSON, a preset that an experiment can name, a figure, errors."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app
from ohmlearn.devices import get_device
from ohmlearn.devices.fitting.estimate import Parameter
from ohmlearn.devices.preset_files import read_preset
from ohmlearn.errors import ConfigError
from ohmlearn.experiment import load_experiment, parse_experiment
from ohmlearn.fits import report

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "examples" / "traces"
CYCLES = str(TRACES / "cycles.csv")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")


def invoke(*arguments: str, code: int = 0):
    result = CliRunner().invoke(app, ["fit", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.stderr
    return result


def sentence(*arguments: str) -> str:
    result = invoke(*arguments, code=2)
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    return line


EXPERIMENT = """
name = "fitted"
[data]
name = "digits"
[network]
layers = [64, 10]
[device]
preset = "PRESET"
cycle_to_cycle = false
[learning]
rule = "ep"
beta = 0.3
eta = 0.01
free_steps = 5
nudged_steps = 5
[training]
epochs = 1
"""


def test_tables_preset_figure_and_json_tell_the_same():
    arguments = (CYCLES, "--unit", "uS", "--model", "softbounds", "--model", "ConstantStep")
    shown = invoke(*arguments, "--preset-out", "cells/mine.toml", "--figure", "fit.png").stdout
    for words in ("801 readings", "AICc", "chosen", "dg_down", "cycle_to_cycle", "Residuals"):
        assert words in shown
    assert Path("fit.png").read_bytes().startswith(b"\x89PNG")
    assert Path("fit.png").stat().st_size > 20_000

    numbers = json.loads(invoke(*arguments, "--json").stdout)
    assert numbers["chosen"] == "SoftBounds"
    assert [m["model"] for m in numbers["models"]] == ["SoftBounds", "ConstantStep"]
    stored = tomllib.loads(Path("cells/mine.toml").read_text(encoding="utf-8"))
    assert stored["parameters"] == numbers["preset"]["parameters"]
    assert stored["effects"] == numbers["preset"]["effects"]
    assert stored["fit"] == numbers["quality"]
    assert stored["name"] == "mine"
    assert "cycles.csv" in stored["source"]
    # The recipe is in the file: 1.3 uS up and 1.7 uS down at 51.5 uS.
    for name, low, high in (("g_max", 90e-6, 100e-6), ("dg_up", 1.1e-6, 1.5e-6)):
        assert low < stored["parameters"][name] < high


def test_a_fitted_preset_becomes_part_of_the_experiment_that_names_it(tmp_path):
    folder = tmp_path / "elsewhere"
    invoke(CYCLES, "--unit", "uS", "--model", "SoftBounds", "--preset-out", str(folder / "p.toml"))
    path = folder / "run.toml"
    path.write_text(EXPERIMENT.replace("PRESET", "p.toml"))  # relative to the experiment
    experiment = load_experiment(path)
    preset = read_preset(folder / "p.toml", get_device).preset
    assert experiment.device is not None
    assert experiment.device.preset is None
    assert experiment.device.model == "SoftBounds"
    assert experiment.device.parameters == preset.params._asdict()
    assert experiment.device.write_noise == preset.effects.write_noise
    assert experiment.device.cycle_to_cycle is None  # switched off by the experiment

    # What the record keeps needs no file, and another content is another experiment.
    again = parse_experiment(experiment.to_toml(), "the record")
    assert again == experiment
    assert again.digest() == experiment.digest()
    text = (folder / "p.toml").read_text()
    value = repr(float(preset.params.g_max))
    assert value in text
    (folder / "p.toml").write_text(text.replace(f"g_max = {value}", "g_max = 9e-05"))
    changed = load_experiment(path)
    assert changed.digest() != experiment.digest()
    assert experiment.differences(changed) == ["device.parameters"]

    # In an override the path counts from the current folder.
    with pytest.raises(ConfigError, match="no such preset file"):
        load_experiment(path, ["device.preset=p.toml"])
    assert load_experiment(path, [f"device.preset={folder / 'p.toml'}"]) == changed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("model = ", "not valid TOML"),
        ("", "model is missing"),
        ('model = "SoftBound"', "did you mean 'SoftBounds'"),
        ('model = "SoftBounds"\nparameter = {}', "did you mean 'parameters'"),
        ('model = "SoftBounds"\n[parameters]\ng_mx = 1e-6', "did you mean 'g_max'"),
        ('model = "SoftBounds"\n[parameters]\ng_max = 1e-9', "g_min < g_max"),
        ('model = "SoftBounds"\n[effects]\nread_noise = -1', "must be >= 0"),
        ('model = "SoftBounds"\neffects = 3', r"section \[effects\]"),
    ],
)
def test_a_wrong_preset_file_is_named_in_the_sentence(content, words, tmp_path):
    (tmp_path / "p.toml").write_text(content)
    path = tmp_path / "run.toml"
    path.write_text(EXPERIMENT.replace("PRESET", "p.toml"))
    with pytest.raises(ConfigError, match=words) as caught:
        load_experiment(path)
    assert "p.toml" in str(caught.value)
    assert "section [device]" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_experiment_may_change_numbers_of_a_preset_file(tmp_path):
    (tmp_path / "p.toml").write_text(
        'model = "NeuroSim"\n[effects]\ncycle_to_cycle = { sigma = 0.1, of = "window" }'
    )
    path = tmp_path / "run.toml"
    text = EXPERIMENT.replace("PRESET", "p.toml").replace("= false", "= 0.2")
    path.write_text(text.replace("[learning]", "[device.parameters]\nnl_up = 2.0\n[learning]"))
    section = load_experiment(path).device
    assert section is not None
    assert section.cycle_to_cycle == {"sigma": 0.2, "of": "window"}
    assert section.parameters["a_up"] == pytest.approx(0.6087, rel=1e-3)


def test_every_example_trace_can_be_fitted():
    found = sorted(TRACES.glob("*.csv"))
    assert len(found) == 3
    for path in found:
        unit = ["--unit", "uS"] if path.name == "cycles.csv" else []
        shown = invoke(str(path), "--model", "LinearStep", *unit).stdout
        assert "LinearStep: parameters" in shown


def test_what_was_not_measured_is_said():
    shown = invoke(str(TRACES / "states.csv"), "--model", "SoftBounds").stdout
    assert "Not measured" in shown
    assert "dg_down" in shown


def test_wrong_input_is_one_sentence_and_exit_code_2():
    assert "did you mean 'SoftBounds'" in sentence(CYCLES, "--unit", "uS", "--model", "SoftBound")
    assert "VTEAM is a dynamical" in sentence(CYCLES, "--unit", "uS", "--model", "VTEAM")
    assert "--unit" in sentence(CYCLES)
    assert "no such file" in sentence("absent.csv")
    arguments = (CYCLES, "--unit", "uS", "--model", "ConstantStep")
    assert ".png, .pdf, .svg" in sentence(*arguments, "--figure", "fit.gif")
    Path("bad.csv").write_text("pulse,conductance\n1,1e-6\n2,x\n")
    assert sentence("bad.csv") == (
        "error: bad.csv: line 3: conductance is 'x'; it must be a number."
    )


def test_a_preset_that_cannot_be_written_is_a_failure(tmp_path):
    (tmp_path / "file").write_text("")
    arguments = (CYCLES, "--unit", "uS", "--model", "ConstantStep")
    result = invoke(*arguments, "--preset-out", "file/p.toml", code=1)
    assert "cannot write" in result.stderr


@pytest.mark.parametrize("page", ["fitting.md", "own_devices.md"])
def test_the_commands_of_the_page_run(page, tmp_path, monkeypatch):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    calls = [line.split() for line in block.splitlines()]
    assert len(calls) >= 4
    for words in calls:
        env = dict(os.environ, COLUMNS="120", PYTHONPATH=str(ROOT / "src"))
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            env[name] = value
        assert words[0] == "ohmlearn"
        command = [sys.executable, "-m", *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stderr)


@pytest.mark.parametrize(("name", "said"), [("mine.toml", "no preset"), ("p.txt", ".toml")])
def test_a_preset_is_not_written_over_a_file_of_another_kind(name, said):
    Path(name).write_text("[network]\nlayers = [1, 2]\n")
    result = invoke(CYCLES, "--unit", "uS", "--preset-out", name, code=2)
    assert said in result.stderr
    assert Path(name).read_text().startswith("[network]")


@pytest.mark.parametrize(
    ("low", "high", "status", "shown"),
    [
        (2e-6, 3e-6, "fitted", "2 µS to 3 µS/pulse"),
        (None, 3e-6, "not determined", "open to 3 µS/pulse, not determined"),
        (2e-6, None, "at its limit", "2 µS to open, at its limit"),
        (None, None, "held", "held"),
    ],
)
def test_an_interval_says_where_it_is_open_and_why(low, high, status, shown):
    assert report._interval(Parameter("dg_up", "S/pulse", "", 2.5e-6, low, high, status)) == shown
