"""A trained run tested again: read noise, drift and broken cells, without training."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app
from ohmlearn.errors import ConfigError, RecordError
from ohmlearn.experiment import parse_experiment
from ohmlearn.record import read_record
from ohmlearn.run import run
from ohmlearn.sweeps.bar import Silent
from ohmlearn.sweeps.design import make_points, parse_axes
from ohmlearn.sweeps.engine import in_this_process
from ohmlearn.sweeps.plan import find_base
from ohmlearn.sweeps.sweep import run_sweep

EXPERIMENT = """
name = "read"
[data]
name = "digits"
limit_train = 200
limit_test = 100
[network]
layers = [64, 16, 10]
[device]
preset = "HfO2-1T1R-demo"
read_noise = false
[learning]
rule = "cep"
beta = 0.5
eta = [0.02, 0.01]
free_steps = 10
nudged_steps = 4
[training]
epochs = 6
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    run(parse_experiment(EXPERIMENT, "test"), folder, figures=False)
    return folder


def swept(trained, folder, *over, seeds=1, overrides=()):
    axes = parse_axes(over)
    base = find_base(trained, overrides, None)
    found = run_sweep(
        base, [a.key for a in axes], make_points(axes, "grid"), seeds, folder, in_this_process,
        Silent(),
    )  # fmt: skip
    assert not found.failed
    with open(found.results, newline="") as file:
        return list(csv.DictReader(file))


def errors(rows):
    return [float(row["test_error_percent"]) for row in rows]


def losses(rows):
    return [float(row["test_loss"]) for row in rows]


def test_unchanged_conditions_give_the_accuracy_of_the_record(trained, tmp_path):
    rows = swept(trained, tmp_path, "device.read_noise=0", seeds=2)
    summary = read_record(trained).summary
    assert losses(rows) == [summary["test_loss"]] * 2
    assert errors(rows) == pytest.approx([summary["test_error_percent"]] * 2, abs=1e-8)


def test_read_noise_differs_from_seed_to_seed_and_hurts(trained, tmp_path):
    rows = swept(trained, tmp_path, "device.read_noise=0,0.02,0.5", seeds=3)
    assert len(set(losses(rows))) == 1 + 3 + 3
    assert min(losses(rows[6:])) > max(losses(rows[3:6]))
    assert min(losses(rows[6:])) > losses(rows)[0]


def test_cells_break_in_the_fraction_asked_beside_those_stuck_before(trained, tmp_path):
    rows = swept(trained, tmp_path, "device.stuck=0,0.1,{low=0.0,high=0.1}",
                 seeds=3)  # fmt: skip
    broken = [int(row["broken_cells"]) for row in rows]
    cells = read_record(trained).summary["cells"]
    assert broken[:3] == [0, 0, 0]
    assert all(abs(count - 0.1 * cells) < 4 * (0.09 * cells) ** 0.5 for count in broken[3:])
    assert len(set(broken[3:6])) == 3
    assert min(losses(rows[3:])) > losses(rows)[0]
    # Stuck high is another fault than stuck low.
    assert losses(rows[3:6]) != losses(rows[6:])


def test_time_passes_only_where_asked_and_a_run_may_be_given_retention(trained, tmp_path):
    law = ("device.retention=PCMLike",)
    rows = swept(trained, tmp_path, "evaluation.after_seconds=0,1e2,1e7", seeds=2, overrides=law)
    assert losses(rows)[0] == losses(rows)[1] == read_record(trained).summary["test_loss"]
    assert len(set(losses(rows))) == 5  # every seed drifts its own way
    assert min(losses(rows[4:])) > losses(rows)[0]


def test_effects_of_retention_beside_read_noise(trained, tmp_path):
    over = ("device.read_noise=0,0.05", "evaluation.after_seconds=0,1e6")
    rows = swept(trained, tmp_path, *over, overrides=("device.retention=PCMLike",))
    assert len(set(losses(rows))) == 4


def test_another_or_changed_run_is_refused(trained, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    swept(copy, tmp_path / "out", "device.read_noise=0,0.1")
    base = find_base(copy, (), None)
    record = copy / "record.json"
    record.write_text(record.read_text() + " ")
    with pytest.raises(ConfigError, match="different: run"):
        swept(copy, tmp_path / "out", "device.read_noise=0,0.1")
    with pytest.raises(RecordError, match="was changed after the sweep began"):
        run_sweep(
            base, ["device.read_noise"], [("0.3",)], 1, tmp_path / "new", in_this_process, Silent()
        )


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ("learning.beta=0.1", "only read again, so this key cannot act"),
        ("device.cycle_to_cycle=0.1", "only read again"),
        ("device.read_nois=0.1", "did you mean 'device.read_noise'?"),
        ("evaluation.after_seconds=[1,2]", "has one time"),
        ("device.read_noise=-1", "--over: device.read_noise is -1"),
        ("device.stuck=2", "stuck"),
    ],
)
def test_keys_that_cannot_act_are_one_sentence(trained, tmp_path, monkeypatch, over, says):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["sweep", str(trained), "--over", over])
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert says in line


def test_a_run_without_cells_cannot_be_read_again(tmp_path):
    text = EXPERIMENT.replace('[device]\npreset = "HfO2-1T1R-demo"\nread_noise = false\n', "")
    experiment = parse_experiment(text, "test", ["data.limit_train=20", "training.epochs=1"])
    run(experiment, tmp_path / "ideal", figures=False)
    with pytest.raises(ConfigError, match="level 'ideal', which has no cells"):
        find_base(Path(tmp_path / "ideal"), (), None)
