"""Whole runs on 1T1R cells and on pairs of one-sided cells: they learn, and resume to the bit."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from ohmlearn.assembly import build
from ohmlearn.devices.cell.access import ACCESS, access_fields
from ohmlearn.errors import ConfigError
from ohmlearn.experiment import parse_experiment
from ohmlearn.progress import SilentProgress
from ohmlearn.record import read_record
from ohmlearn.run import course as running
from ohmlearn.run import run
from ohmlearn.settings.periphery import AccessSection
from ohmlearn.training.datasets import load

BASE = """
name = "small"
[data]
name = "digits"
limit_train = 800
limit_test = 300
[network]
layers = [64, 26, 10]
[device]
preset = "HfO2-1T1R-demo"
[learning]
rule = "cep"
beta = 0.3
eta = 0.005
free_steps = 12
nudged_steps = 5
[training]
epochs = 4
"""
GATED = ("access={v_gate=1.5}",)
KINDS = {
    "access": GATED,
    "one-sided": ("device.preset=PCM", "learning.eta=0.02"),
    "both": ("device.preset=PCM", "learning.eta=0.02", *GATED),
}


def an_experiment(*overrides: str):
    return parse_experiment(BASE, "small.toml", overrides)


class Stop(SilentProgress):
    """Interrupts the run after some batches."""

    def __init__(self, after: int):
        self.left = after

    def advanced(self, samples: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Leave out the figures, which take longer than these runs."""
    monkeypatch.setattr(running, "draw_figures", lambda *_: [])


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns(kind, tmp_path):
    found = run(an_experiment(*KINDS[kind]), tmp_path).summary
    assert found["test_accuracy"] > 0.4  # by chance 0.1
    assert found["pulses_total"] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_where_it_was_stopped(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_TELL_EVERY", 0.0)
    short = ("data.limit_train=60", "training.epochs=2", "run.checkpoint_seconds=1e-9")
    experiment = an_experiment(*KINDS[kind], *short)
    whole = run(an_experiment(*KINDS[kind], *short[:2]), tmp_path / "whole")
    for after in (30, 40):
        with pytest.raises(KeyboardInterrupt):
            run(experiment, tmp_path / "parts", resume=True, progress=Stop(after))
    run(experiment, tmp_path / "parts", resume=True)
    parts = read_record(tmp_path / "parts")
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(array, parts.arrays[name])
    assert whole.summary["pulses_total"] == parts.summary["pulses_total"]


def learner(*overrides: str) -> Any:
    experiment = an_experiment(*overrides)
    return build(experiment, load("digits"))


def entry(built):
    return next(row for row in built.effects if row["name"] == "access")


def test_the_transistor_stands_in_every_array_and_in_the_ledger():
    plain, gated = learner(), learner(*GATED)
    assert entry(plain)["on"] is False
    assert entry(plain)["numbers"] == {}
    assert entry(gated)["on"] is True
    assert entry(gated)["numbers"] == {"v_gate": 1.5, **ACCESS._asdict()}
    for without, with_ in zip(plain.learner.crossbars, gated.learner.crossbars, strict=True):
        assert with_.bank.channel.over == pytest.approx(0.8)
        assert without.bank.channel is None
        assert with_.unit < without.unit
    assert not np.array_equal(plain.learner.theta, gated.learner.theta)
    np.testing.assert_allclose(plain.learner.theta, gated.learner.theta, atol=0.5)


def test_its_keys_are_the_parameters_of_the_transistor():
    assert set(AccessSection.model_fields) == {"v_gate", *ACCESS._fields}
    assert AccessSection().parameters() == ACCESS._asdict()
    for name, field in access_fields().items():
        words = str(AccessSection.model_fields[name].description).replace(", in metres", ", in m")
        unit = "V" if "volts" in words else field.unit
        assert words.replace("volts", "V").endswith(f", in {unit}")
    assert an_experiment().digest() != an_experiment("access={}").digest()
    again = parse_experiment(an_experiment(*GATED).to_toml(), "again.toml")
    assert again == an_experiment(*GATED)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("access={vt0=1}", r"in section \[access\]: unknown key 'vt0'; did you mean 'vto'\?"),
        ("access={kp=-1}", r"section \[access\]: access transistor: kp is -1 A/V\^2; allowed"),
        ("access={v_gate=0.5}", r"v_gate is 0\.5 V; allowed is .* above its threshold vto, 0\.7"),
        ("access={lam='x'}", r'access\.lam is "x"; it must be a channel-length modulation'),
        ("access=2", r"access is 2; it must be a section \[access\]"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_one_sentence(override, sentence):
    with pytest.raises(ConfigError) as caught:
        an_experiment(override)
    assert re.search(sentence, str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["offset", "single"])
def test_one_sided_cells_are_refused_outside_pairs(encoding):
    sentence = rf"section \[device\]: .* needs crossbar\.encoding = 'pair'; it is '{encoding}'\."
    with pytest.raises(ConfigError, match=sentence):
        an_experiment("device.preset=PCM", f"crossbar.encoding={encoding}")
