"""The tolerance: bisection, its confidence, and what it says when there is no answer."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ohmlearn.cli import app
from ohmlearn.errors import ConfigError
from ohmlearn.sweeps import figures
from ohmlearn.sweeps.bar import Silent
from ohmlearn.sweeps.plan import find_base
from ohmlearn.sweeps.points import DONE
from ohmlearn.sweeps.tolerance import Goal, bisect, find_tolerance, lower_bound

EXPERIMENT = """
name = "tolerated"
[data]
name = "digits"
limit_train = 50
limit_test = 40
[network]
layers = [64, 8, 10]
[device]
preset = "HfO2-1T1R-demo"
[learning]
rule = "cep"
beta = 0.5
eta = [0.02, 0.01]
free_steps = 8
nudged_steps = 3
[training]
epochs = 1
"""
KEY = "device.cycle_to_cycle"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    Path("tolerated.toml").write_text(EXPERIMENT)


class Model:
    """An engine without a network: the error is 100 times the spread, and the seed's noise."""

    def __init__(self, noise: float = 0.01, fails_above: float = 2.0) -> None:
        self.noise, self.fails_above = noise, fails_above
        self.values: list[float] = []

    def __call__(self, jobs):
        import tomllib

        for job in jobs:
            document = tomllib.loads(job["experiment"])
            value, seed = document["device"]["cycle_to_cycle"], document["run"]["seed"]
            self.values.append(value)
            error = 100.0 * (value + self.noise * (seed - 2))
            good = value <= self.fails_above
            yield {
                "key": job["key"],
                "status": DONE if good else "failed",
                "reason": "" if good else "it diverged.",
                "metrics": {"test_error_percent": error} if good else {},
                "spent": {},
            }


def find(engine, accuracy=0.7, folder="out", **changes):
    options = {"low": 0.0, "high": 1.0, "resolution": 0.01, "seeds": 5, "confidence": 0.95}
    goal = Goal(KEY, accuracy, **(options | changes))
    base = find_base(Path("tolerated.toml"), [], None)
    return find_tolerance(base, goal, Path(folder), engine, Silent())


@given(threshold=st.floats(0.001, 0.999), resolution=st.floats(0.002, 0.5))
def test_bisection_brackets_the_threshold_in_as_few_steps_as_halving_takes(threshold, resolution):
    asked = []

    def attempt(values):
        asked.extend(values)
        return [value <= threshold for value in values]

    meets, fails = bisect(0.0, 1.0, resolution, attempt)
    assert meets is not None
    assert fails is not None
    assert meets <= threshold < fails
    assert fails - meets <= resolution
    assert 2 ** (len(asked) - 3) <= 1 / resolution + 1e-9 or len(asked) == 2
    assert bisect(0.0, 1.0, resolution, lambda values: [False] * len(values)) == (None, 0.0)
    assert bisect(0.0, 1.0, resolution, lambda values: [True] * len(values)) == (1.0, None)


def test_lower_bound_is_students_one_sided():
    values = [0.9, 0.92, 0.97, 0.91, 0.95]
    found, bound = lower_bound(values, 0.95)
    assert found == pytest.approx(mean(values))
    # The 95 % quantile of Student's t with 4 degrees of freedom, from any table.
    assert bound == pytest.approx(mean(values) - 2.131847 * stdev(values) / 5**0.5, rel=1e-6)
    assert lower_bound([0.5, 0.5], 0.99) == (0.5, 0.5)


def test_the_bound_decides_not_the_mean():
    found = find(Model(noise=0.01))
    # The mean meets 0.7 up to a spread of 0.3; the bound takes 2.13 standard errors off.
    standard_error = 0.01 * stdev(range(5)) / 5**0.5
    threshold = 0.3 - 2.131847 * standard_error
    assert found.meets is not None
    assert found.fails is not None
    assert found.meets <= threshold < found.fails <= found.meets + 0.01
    certain = find(Model(noise=0.01), folder="strict", confidence=0.999)
    assert certain.fails is not None
    assert certain.fails < found.meets
    assert "95 % lower bound" in found.sentence()
    assert "5 seeds" in found.sentence()


def test_all_values_have_the_same_seeds_and_nothing_is_computed_twice():
    model = Model()
    first = find(model)
    assert len(model.values) == 5 * len(first.trials)
    assert len({tuple(trial.accuracies) for trial in first.trials}) == len(first.trials)
    count = len(model.values)
    assert find(model) == first
    assert len(model.values) == count
    finer = find(model, resolution=0.005)
    assert len(model.values) == count + 5
    assert len(finer.trials) == len(first.trials) + 1
    other = find(model, accuracy=0.5)  # the ends, at least, are known
    assert other.meets is not None
    assert other.meets > 0.4


def test_stopped_anywhere_it_goes_on_to_the_same_answer():
    whole = find(Model(), folder="whole")

    class Stopping(Model):
        def __call__(self, jobs):
            for number, result in enumerate(super().__call__(jobs)):
                if number == 3:
                    raise KeyboardInterrupt
                yield result

    for _ in range(100):
        try:
            found = find(Stopping())
        except KeyboardInterrupt:
            continue
        break
    assert found == whole
    tables = [Path(folder, "results.csv").read_bytes() for folder in ("out", "whole")]
    assert tables[0] == tables[1]


def test_the_figure_names_the_accuracy_and_the_bracket(monkeypatch):
    drawn = {}
    monkeypatch.setattr(figures, "save_figures", lambda folder, found: drawn.update(found) or [])
    figures.draw_tolerance(Path("out"), find(Model()))
    shown = [text.get_text() for text in drawn["tolerance"].axes[0].get_legend().get_texts()]
    assert "accuracy asked for, 70 %" in shown
    assert "the limit lies in between" in shown


def test_no_answer_in_the_range_is_said():
    low = find(Model(), accuracy=1.0, folder="low")
    assert (low.meets, low.fails) == (None, 0.0)
    assert low.sentence().endswith("better cells alone do not help.")  # 0 cannot be lowered
    cut = find(Model(), accuracy=0.9, folder="cut", low=0.4)
    assert cut.sentence().endswith("or --low must be lower.")
    high = find(Model(), accuracy=0.7, folder="high", high=0.2)
    assert (high.meets, high.fails) == (0.2, None)
    assert "raise --high" in high.sentence()
    assert len(low.trials) == len(high.trials) == 2


def test_a_spread_with_a_failed_seed_does_not_meet():
    found = find(Model(fails_above=0.1))
    assert found.fails is not None
    assert 0.1 < found.fails < 0.12
    (worst,) = [trial for trial in found.trials if trial.value == found.fails]
    assert worst.failed == 5
    assert worst.reason == "it diverged."


def test_command_with_a_real_network_prints_json_and_a_figure():
    arguments = ["tolerance", "tolerated.toml", "--accuracy", "0.05", "--over", KEY, "--high",
                 "60", "--resolution", "20", "--seeds", "2", "-o", "out"]  # fmt: skip
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content["key"] == KEY
    assert len(content["trials"]) >= 2
    assert Path(content["figures"][0]).read_bytes().startswith(b"\x89PNG")
    told = CliRunner().invoke(app, arguments)
    assert content["sentence"] in told.stdout


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"--accuracy": "1.5"}, "--accuracy is 1.5"),
        ({"--accuracy": "95"}, "a fraction above 0"),
        ({"--confidence": "1"}, "--confidence is 1"),
        ({"--seeds": "1"}, "needs at least 2"),
        ({"--low": "2"}, "in this order"),
        ({"--low": "nan"}, "in this order"),
        ({"--resolution": "0"}, "--resolution is 0"),
        ({"--over": "run.seed"}, "name one key"),
        ({"--over": f"{KEY}=0,1"}, "name one key"),
        ({"--over": "training.epochs"}, "takes whole numbers"),
        ({"--over": "device.cycle_to_cyle"}, "did you mean 'cycle_to_cycle'"),
        ({"--over": "learning.policy"}, "--over: learning.policy is 0"),
        ({"--low": "-1"}, "device.cycle_to_cycle is -1"),
    ],
)
def test_wrong_input_is_one_sentence(changes, says):
    options = {"--accuracy": "0.5", "--over": KEY} | changes
    flat = [part for option in options.items() for part in option]
    result = CliRunner().invoke(app, ["tolerance", "tolerated.toml", *flat])
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert says in line


def test_goal_is_checked_from_python_too():
    with pytest.raises(ConfigError, match="at least 2"):
        Goal(KEY, 0.5, 0.0, 1.0, 0.1, 1, 0.95)
