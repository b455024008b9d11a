"""Whole runs: the same bits whatever the threads, the number of starts, and where they stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ohmlearn import checkpoint
from ohmlearn.errors import ConfigError, RecordError
from ohmlearn.experiment import load_experiment, parse_experiment
from ohmlearn.progress import SilentProgress
from ohmlearn.record import Record, read_record
from ohmlearn.run import course as running
from ohmlearn.run import run

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

BASE = """
name = "small"
[data]
name = "digits"
limit_train = 90
limit_test = 300
[network]
layers = [64, 26, 10]
[learning]
rule = "cep"
beta = 0.3
eta = [0.02, 0.01]
free_steps = 10
nudged_steps = 5
[training]
epochs = 2
"""

EVERY_EFFECT = (
    "device.preset=HfO2-1T1R-demo",
    "device.write_noise=0.2",
    "device.levels=64",
    "run.level=device",
)
IDEAL = ("training.batch_size=20", "learning.random_sign=true", "learning.eta_decay=0.9")

KINDS = {
    "ideal": IDEAL,
    "ideal-cvf": (*IDEAL, "learning.rule=cvf", "network.symmetric=false", "network.angle=30"),
    "device": EVERY_EFFECT,
    "device-residue": (
        *EVERY_EFFECT,
        "learning.policy=deterministic-residue",
        "crossbar.encoding=offset",
        "training.batch_size=3",
    ),
    "device-converters": (
        *EVERY_EFFECT,
        "crossbar.tile=[20,16]",
        "converters={dac_bits=6,adc_bits=8,adc_noise=0.3,adc_gain=0.02,adc_offset=0.5}",
    ),
    "device-wires": (
        *EVERY_EFFECT,
        "crossbar.tile=[20,16]",
        "wires={r_word=5.0,r_bit=5.0,error=1e-5}",
        "device.retention=ReRamCMO",
        "device.endurance=1e4",
        "evaluation.after_seconds=[1.0,86400.0]",
    ),
    "device-centred": (
        *EVERY_EFFECT,
        "learning.rule=centred-ep",
        "network.dynamics=energy-based",
        "learning.policy=ideal",
    ),
    "device-cvf": (*EVERY_EFFECT, "learning.rule=cvf", "network.symmetric=false"),
}


def an_experiment(kind: str, *more: str):
    return parse_experiment(BASE, "the test", [*KINDS[kind], *more])


def bits(record: Record) -> tuple:
    """Return all of a record that must not depend on when and how it was computed."""
    arrays = {k: (a.dtype.str, a.shape, a.tobytes()) for k, a in record.arrays.items()}
    events = [{k: v for k, v in e.items() if k != "cpu_seconds"} for e in record.events]
    timing = ("cpu_seconds", "cpu_seconds_per_epoch", "peak_memory_bytes", "files")
    summary = {k: v for k, v in record.summary.items() if k not in timing}
    return arrays, events, summary


class Stop(SilentProgress):
    """Interrupts the run when it has heard of some number of batches."""

    def __init__(self, after: int):
        self.left = after
        self.said: list[str] = []

    def advanced(self, samples: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def message(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(autouse=True)
def _quick(request, monkeypatch):
    """Leave out the figures, which take longer than these runs, but for the examples."""
    if request.node.get_closest_marker("data") is None:
        monkeypatch.setattr(running, "draw_figures", lambda *_: [])


@pytest.fixture
def every_batch(monkeypatch):
    """Tell of every batch; with :data:`SAVE_ALWAYS`, a checkpoint follows each."""
    monkeypatch.setattr(running, "_TELL_EVERY", 0.0)


SAVE_ALWAYS = "run.checkpoint_seconds=1e-9"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the bits of the undisturbed run of a kind, computed once."""
    known = {}

    def of(kind: str) -> tuple:
        if kind not in known:
            folder = tmp_path_factory.mktemp(kind)
            run(an_experiment(kind), folder)
            known[kind] = bits(read_record(folder))
        return known[kind]

    return of


# ---- the same bits


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_bits_whatever_the_threads(kind, undisturbed, tmp_path):
    run(an_experiment(kind, "run.threads=2"), tmp_path)
    assert bits(read_record(tmp_path)) == undisturbed(kind)


@pytest.mark.parametrize("kind", ["ideal", "device"])
def test_other_seed_other_result(kind, undisturbed, tmp_path):
    other = bits(run(an_experiment(kind, "run.seed=1"), tmp_path))
    for name, array in undisturbed(kind)[0].items():
        if name != "activity_0":  # the data alone
            assert other[0][name] != array or not array[2], name  # no policy keeps a residue
    for ours, theirs in zip(undisturbed(kind)[1], other[1], strict=True):
        assert ours["test_loss"] != theirs["test_loss"]


def test_each_kind_learns_something_else(undisturbed):
    losses = {kind: undisturbed(kind)[1][-1]["test_loss"] for kind in KINDS}
    assert len(set(losses.values())) == len(KINDS)
    assert all(np.isfinite(list(losses.values())))


_REPORT = """
import hashlib, json, sys
from pathlib import Path
from threadpoolctl import threadpool_info
from ohmlearn.experiment import load_experiment
from ohmlearn.progress import SilentProgress
from ohmlearn.run import run

class Watch(SilentProgress):
    seen = []
    def epoch_done(self, event):
        blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        self.seen.append([pool["num_threads"] for pool in blas])

path, folder = Path(sys.argv[1]), Path(sys.argv[2])
record = run(load_experiment(path), folder, progress=Watch())
content = hashlib.sha256((folder / "arrays.npz").read_bytes()).hexdigest()
print(json.dumps({"threads": Watch.seen, "content": content}))
"""


def test_threads_of_the_matrix_library_change_no_bit(tmp_path):
    # Layers wide enough for products through BLAS; NumPy and SciPy may bring one each.
    wide = an_experiment("ideal", "network.layers=[64,200,120,10]", "learning.eta=0.01")
    path = tmp_path / "wide.toml"
    path.write_text(wide.to_toml())
    found = []
    for threads in ("1", "2"):
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        done = subprocess.run(
            [sys.executable, "-c", _REPORT, path, tmp_path / threads],
            env=os.environ | dict.fromkeys(names, threads),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    assert found[0]["content"] == found[1]["content"]
    for report in found:
        assert report["threads"]
        assert all(set(pools) == {1} for pools in report["threads"])


# ---- stopping and going on


@pytest.mark.usefixtures("every_batch")
@pytest.mark.parametrize("kind", KINDS)
def test_stopped_in_both_epochs_and_resumed_gives_the_same_bits(kind, undisturbed, tmp_path):
    experiment = an_experiment(kind, SAVE_ALWAYS)
    batches = -(-90 // experiment.training.batch_size)
    # The second and third stop are heard before the batch is saved: that batch is learned again.
    for after in (batches // 2, batches // 2 + 2, 1):
        with pytest.raises(KeyboardInterrupt):
            run(experiment, tmp_path, resume=True, progress=Stop(after))
        assert checkpoint.exists(tmp_path)
    talk = Stop(10**9)
    run(experiment, tmp_path, resume=True, progress=talk)
    assert any("resumed at epoch 2, batch " in said for said in talk.said)
    assert not checkpoint.exists(tmp_path)
    found = bits(read_record(tmp_path))
    assert found[:2] == undisturbed(kind)[:2]
    assert found[2] == undisturbed(kind)[2]


@pytest.mark.parametrize("kind", ["ideal", "device", "device-residue"])
def test_finished_run_goes_on_to_more_epochs(kind, undisturbed, tmp_path):
    short = run(an_experiment(kind, "training.epochs=1"), tmp_path)
    assert len(short.events) == 1
    longer = run(an_experiment(kind), tmp_path, resume=True)
    assert bits(longer) == undisturbed(kind)
    assert bits(read_record(tmp_path)) == undisturbed(kind)


def test_finished_run_is_not_trained_again(undisturbed, tmp_path):
    first = run(an_experiment("device"), tmp_path)
    talk = Stop(0)  # would stop any training
    again = run(an_experiment("device"), tmp_path, resume=True, progress=talk)
    assert bits(again) == bits(first) == undisturbed("device")
    assert again.summary["cpu_seconds"] == first.summary["cpu_seconds"]
    assert any("all 2 epochs" in said for said in talk.said)


@pytest.mark.usefixtures("every_batch")
def test_fewer_epochs_than_begun_are_refused(tmp_path):
    done = tmp_path / "done"
    run(an_experiment("ideal"), done)
    with pytest.raises(ConfigError, match=r"training\.epochs = 1 must be at least"):
        run(an_experiment("ideal", "training.epochs=1"), done, resume=True)
    assert read_record(done).summary["epochs"] == 2
    # Stopped inside epoch 2: the weights already hold part of it, so epoch 1 is gone.
    half = tmp_path / "half"
    with pytest.raises(KeyboardInterrupt):
        run(an_experiment("ideal", SAVE_ALWAYS), half, progress=Stop(8))
    found = checkpoint.load(half)
    assert found is not None
    assert found[1]["position"]["epoch"] == 1
    with pytest.raises(ConfigError, match="holds 2 epochs"):
        run(an_experiment("ideal", "training.epochs=1"), half, resume=True)
    assert checkpoint.exists(half)


@pytest.mark.usefixtures("every_batch")
@pytest.mark.parametrize("finished", [True, False])
def test_another_experiment_is_refused_and_the_keys_are_named(tmp_path, finished):
    before = an_experiment("device", SAVE_ALWAYS)
    if finished:
        run(before, tmp_path)
    else:
        with pytest.raises(KeyboardInterrupt):
            run(before, tmp_path, progress=Stop(20))
    content = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    other = an_experiment(
        "device",
        "learning.beta=0.4",
        "device.levels=32",
        "run.seed=3",
        "run.threads=2",
        "training.epochs=4",
    )
    with pytest.raises(ConfigError) as error:
        run(other, tmp_path, resume=True)
    assert "(different: device.levels, learning.beta, run.seed)" in str(error.value)
    with pytest.raises(ConfigError, match=r"device\.preset.*run\.level"):
        run(an_experiment("ideal"), tmp_path, resume=True)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == content


def test_nothing_to_resume_says_so_and_starts(undisturbed, tmp_path):
    talk = Stop(10**9)
    run(an_experiment("ideal"), tmp_path / "new", resume=True, progress=talk)
    assert any("holds nothing to resume" in said for said in talk.said)
    assert bits(read_record(tmp_path / "new")) == undisturbed("ideal")


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"experiment": an_experiment("ideal").to_toml()},
        {"experiment": an_experiment("ideal").to_toml(), "position": {"page": 3}},
    ],
)
def test_foreign_checkpoint_is_refused(tmp_path, meta):
    checkpoint.save(tmp_path, {}, meta)
    with pytest.raises(RecordError, match="does not fit its experiment"):
        run(an_experiment("ideal"), tmp_path, resume=True)


def test_checkpoint_with_other_shapes_is_refused(tmp_path):
    experiment = an_experiment("ideal")
    meta = {"experiment": experiment.to_toml(), "position": {"epoch": 1}}
    checkpoint.save(tmp_path, {"theta": np.zeros(7, np.float32)}, meta)
    with pytest.raises(RecordError, match="does not fit its experiment"):
        run(experiment, tmp_path, resume=True)


# ---- warnings and refusals before training


@pytest.mark.parametrize(("rule", "warns"), [("cep", True), ("ep", False)])
def test_loop_gain_is_warned_of_where_there_is_a_loop(rule, warns, tmp_path):
    talk = Stop(10**9)
    experiment = an_experiment("ideal", f"learning.rule={rule}", "learning.eta=0.2")
    run(experiment, tmp_path, progress=talk)
    assert any("the loop gain of weight layer 1" in said for said in talk.said) == warns


@pytest.mark.parametrize("rule", ["cep", "ep", "centred-ep"])
@pytest.mark.parametrize("kind", ["ideal", "device"])
def test_absurd_learning_rate_is_refused_before_training(kind, rule, tmp_path):
    experiment = an_experiment(
        kind, "learning.eta=1e6", f"learning.rule={rule}", "learning.random_sign=false"
    )
    with pytest.raises(ConfigError, match=r"learning\.eta of weight layer 1 is 1e\+06"):
        run(experiment, tmp_path, progress=Stop(0))
    assert not checkpoint.exists(tmp_path)


# ---- the examples


EXAMPLE_FILES = sorted(EXAMPLES.rglob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda p: p.stem)
def test_example_is_valid(path):
    assert load_experiment(path).name


# A budget is reported on, not run: its network has the inputs of MNIST twice.
RUNNABLE = [path for path in EXAMPLE_FILES if path.stem != "energy_budget"]


@pytest.mark.data
@pytest.mark.parametrize("path", RUNNABLE, ids=lambda p: p.stem)
def test_example_runs(path, data_dir, tmp_path):
    small = ["training.epochs=1"]
    if load_experiment(path).data.name != "xor":  # which has four rows
        small += ["data.limit_train=40", "data.limit_test=20"]
    record = run(load_experiment(path, small), tmp_path, data_dir)
    assert record.summary["epochs"] == 1
    assert 0.0 <= record.summary["test_accuracy"] <= 1.0
    assert np.isfinite(record.summary["test_loss"])


def test_events_count_the_pulses_of_their_own_epoch(tmp_path):
    experiment = load_experiment(None, ["data.limit_train=60", "training.epochs=3"])
    record = run(experiment, tmp_path / "counted")
    pulses = [int(event["pulses"]) for event in record.events]
    assert sum(pulses) == record.summary["pulses_total"] > 0
    assert max(pulses) < record.summary["pulses_total"]
