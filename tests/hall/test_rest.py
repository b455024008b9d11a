"""Testing after a rest: what the record says, and what is said where no time passes."""

import pytest

from ohmlearn.experiment import parse_experiment
from ohmlearn.progress import SilentProgress
from ohmlearn.run import run

TEXT = """
name = "small"
[data]
name = "digits"
limit_train = 60
limit_test = 100
[network]
layers = [64, 16, 10]
[device]
preset = "HfO2-1T1R-demo"
retention = "PCMLike"
read_noise = false
[learning]
rule = "cep"
beta = 0.3
eta = [0.02, 0.01]
free_steps = 8
nudged_steps = 4
[training]
epochs = 1
"""


class Listener(SilentProgress):
    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch):
    monkeypatch.setattr("ohmlearn.run.course.draw_figures", lambda *_: None)


def test_each_rest_has_its_accuracy_and_the_run_itself_none(tmp_path):
    listener, rests = Listener(), "evaluation.after_seconds=[0.0, 1e7]"
    record = run(parse_experiment(TEXT, "text", [rests]), tmp_path / "a", progress=listener)
    at_once, late = record.summary["after_rest"]
    assert (at_once["after_seconds"], late["after_seconds"]) == (0.0, 1e7)
    assert at_once["test_accuracy"] == record.summary["test_accuracy"]
    assert late["test_loss"] != at_once["test_loss"]
    assert not any("no time" in text or "time passes" in text for text in listener.said)
    again = run(parse_experiment(TEXT, "text", [rests]), tmp_path / "b")
    assert again.summary["after_rest"] == record.summary["after_rest"]


def test_an_effect_of_time_without_time_is_said(tmp_path):
    listener = Listener()
    record = run(parse_experiment(TEXT, "text"), tmp_path / "a", progress=listener)
    assert record.summary["after_rest"] == []
    assert any("evaluation.after_seconds" in text for text in listener.said)
    quiet = Listener()
    changed = parse_experiment(TEXT, "text", ["device.retention=false"])
    run(changed, tmp_path / "b", progress=quiet)
    assert not any("evaluation.after_seconds" in text for text in quiet.said)
