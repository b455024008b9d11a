"""Folders, full disks and damaged files: one sentence, and nothing of a result lost."""

from __future__ import annotations

import errno
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from ohmlearn import checkpoint, storage
from ohmlearn.record import read_record
from ohmlearn.run import course as running
from small_runs import contents, error, invoke, prepare, run


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    prepare(tmp_path, monkeypatch)


@pytest.fixture
def few_figures(monkeypatch):
    """Leave out the figures, which take longer than these runs."""
    monkeypatch.setattr(running, "draw_figures", lambda *_: [])


# ---- the folder of the record


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", ""],
        ["run", "--out", ""],
        ["run", "--data-dir", " "],
        ["gdu", "--out", ""],
        ["cosim", "--out", ""],
        ["netlist", "-o", ""],
        ["sweep", "--over", "run.seed=1", "-o", ""],
        ["tolerance", "--accuracy", "0.5", "--over", "device.stuck", "--out", ""],
        ["compare", "a", "b", "--out", ""],
        ["compare", "a", ""],
        ["report", ""],
        ["report", "a", "--html", ""],
        ["fit", ""],
        ["fit", "a.csv", "--preset-out", ""],
        ["fit", "a.csv", "--figure", ""],
        ["devices", "ReRamES", "--plot", ""],
        ["devices", "ReRamES", "--spice", ""],
        ["devices", "ReRamES", "--verilog-a", ""],
        ["data", "--data-dir", ""],
    ],
)
def test_an_empty_path_is_not_the_current_folder(arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "the path is empty; give one (. is the current folder)." in result.stderr
    assert list(Path().iterdir()) == [Path("small.toml")]


def test_folder_that_cannot_be_written():
    Path("out").write_text("in the way")
    assert "it is a file, not a folder; choose another with --out" in error(run(), code=1)
    assert "Not a directory" in error(invoke("run", "small.toml", "--out", "out/below"), code=1)
    assert Path("out").read_text() == "in the way"


@contextmanager
def mounted(folder: str, options: str):
    """Mount a file system of its own at *folder*."""
    Path(folder).mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except OSError as failure:
        pytest.skip(f"cannot mount: {failure}")
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")
    try:
        yield Path(folder)
    finally:
        subprocess.run(["umount", folder], check=True, timeout=10)


def test_read_only_folder_is_refused_before_training():
    with mounted("out", "ro"):
        assert "cannot write out: Read-only file system." in error(run(), code=1)


def test_folder_without_permission_is_refused_before_training(tmp_path):
    root = getattr(os, "geteuid", lambda: 1)() == 0
    error(run(sets=("learning.eta=1e6",)))  # imports everything while it may still be read
    Path("out").mkdir()
    Path("out").chmod(0o000)
    tmp_path.chmod(0o755)
    try:
        if root:  # who may write anywhere: be nobody for a moment
            os.seteuid(65534)
        assert "cannot write out: Permission denied." in error(run(), code=1)
        assert "cannot write out: Permission denied." in error(run("--resume"), code=1)
    finally:
        if root:
            os.seteuid(0)
        Path("out").chmod(0o755)


# ---- full disks and damaged files; earlier results


@pytest.fixture
def done(few_figures):
    """Leave a finished run of one epoch in ``out``; return its files."""
    del few_figures
    assert run(sets=("training.epochs=1",)).exit_code == 0
    return contents("out")


class FullDisk:
    """Lets the n-th write that starts from now on run out of space half way."""

    def __init__(self, monkeypatch, name: str):
        self.hits, self.name = 0, name
        monkeypatch.setattr(storage, "open", self, raising=False)

    def __call__(self, path, mode="r", *more):
        file = open(path, mode, *more)  # noqa: SIM115
        if self.name in str(path) and "w" in mode:
            self.hits += 1
            os.ftruncate(file.fileno(), 100)
            file.close()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return file


@pytest.mark.parametrize(
    "name", ["checkpoint.npz", "experiment.toml", "arrays.npz", "events.csv", "record.json"]
)
@pytest.mark.parametrize("option", ["--overwrite", "--resume"])
def test_full_disk_costs_nothing_of_the_earlier_result(done, monkeypatch, name, option):
    with monkeypatch.context() as patch:
        disk = FullDisk(patch, name)
        message = error(run(option), code=1)
    assert disk.hits == 1
    assert f"cannot write out/{name}: the disk is full. What was saved there before" in message
    now = contents("out")
    assert {path: now[path] for path in done} == done
    assert all("checkpoint" in path.name for path in now.keys() - done.keys())
    # With space again, the run goes on to its end.
    assert run("--resume").exit_code == 0
    assert read_record("out").summary["epochs"] == 2
    assert not checkpoint.exists("out")


def test_full_disk_while_drawing_leaves_a_whole_record(monkeypatch):
    with monkeypatch.context() as patch:
        FullDisk(patch, ".png")
        assert ".png: the disk is full" in error(run(), code=1)
    assert read_record("out").summary["epochs"] == 2
    assert run("--resume").exit_code == 0
    assert Path("out/figures/accuracy.png").stat().st_size > 1000


@pytest.mark.usefixtures("few_figures")
def test_really_full_disk():
    with mounted("out", "size=512k"):
        assert run(sets=("training.epochs=1",)).exit_code == 0
        before = contents("out")
        spare = os.statvfs("out")
        with open("out/filler", "wb") as filler:
            filler.write(bytes(max(spare.f_bavail - 1, 0) * spare.f_bsize))
        message = error(run("--overwrite"), code=1)
        assert "out/checkpoint.npz: the disk is full" in message
        now = contents("out")
        del now[Path("out/filler")]
        assert now == before
        Path("out/filler").unlink()
        assert run("--overwrite").exit_code == 0


@pytest.fixture
def half(few_figures, monkeypatch):
    """Leave an interrupted run with two checkpoints in ``out``."""
    del few_figures
    monkeypatch.setattr(running, "_TELL_EVERY", 0.0)
    heard = []

    def stop(_bars, rows):
        heard.append(rows)
        if len(heard) == 60:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ohmlearn.progress.RichProgress.advanced", stop)
        result = run(sets=("run.checkpoint_seconds=1e-9",))
    assert result.exit_code == 130
    assert "--resume goes on from the last checkpoint in out." in result.stderr
    return [Path("out", name) for name in (checkpoint.NEWEST, checkpoint.PREVIOUS)]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[700] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flip, empty])
@pytest.mark.parametrize("file", [True, False])
def test_damaged_checkpoints(half, damage, file):
    newest, previous = half
    command = ["run", *(["small.toml"] if file else []), "--out", "out", "--resume"]
    damage(newest)
    damage(previous)
    before = contents("out")
    message = error(invoke(*command), code=1)
    assert f"{newest} is damaged" in message
    assert f"{previous} is damaged" in message
    assert "--overwrite" in message
    assert contents("out") == before


@pytest.mark.parametrize("damage", [cut, flip, empty])
def test_damaged_newest_checkpoint_costs_no_bit(half, damage):
    damage(half[0])
    result = run("--resume")
    assert result.exit_code == 0, result.output
    assert f"{half[0]} is damaged" in result.stderr
    assert "Going on from the checkpoint before it" in result.stderr
    resumed = read_record("out")
    assert invoke("run", "small.toml", "--out", "other").exit_code == 0
    for name, array in read_record("other").arrays.items():
        np.testing.assert_array_equal(resumed.arrays[name], array, strict=True)


@pytest.mark.parametrize("name", ["record.json", "arrays.npz", "events.csv", "experiment.toml"])
def test_damaged_record_is_not_resumed(done, name):
    path = Path("out", name)
    path.write_bytes(done[path][: len(done[path]) // 2])
    before = contents("out")
    assert f"{path} is damaged" in error(run("--resume"), code=1)
    assert contents("out") == before


def test_another_experiment_cannot_resume(done):
    message = error(run("--resume", sets=("learning.beta=0.5", "training.epochs=3")))
    assert "another experiment (different: learning.beta)" in message
    assert contents("out") == done


@pytest.mark.usefixtures("few_figures")
def test_fewer_epochs_are_refused():
    assert run().exit_code == 0
    before = contents("out")
    message = error(run("--resume", sets=("training.epochs=1",)))
    assert "training.epochs = 1 must be at least as many" in message
    assert contents("out") == before


@pytest.mark.usefixtures("few_figures")
def test_a_second_run_keeps_out_of_a_folder_that_is_being_worked_on():
    Path("busy").mkdir()
    with storage.alone_in(Path("busy")):
        refused = invoke("run", "small.toml", "--out", "busy")
    assert refused.exit_code == 1
    assert "is being worked on by another run" in refused.stderr
    assert os.listdir("busy") == []  # nor does the lock leave a file
    assert invoke("run", "small.toml", "--out", "busy").exit_code == 0
