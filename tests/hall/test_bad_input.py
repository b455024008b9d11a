"""Wrong input: one sentence and an exit code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.run import course as running
from small_runs import BASE, DEVICE, contents, error, errors, invoke, prepare, run


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    prepare(tmp_path, monkeypatch)


@pytest.fixture
def few_figures(monkeypatch):
    """Leave out the figures, which take longer than these runs."""
    monkeypatch.setattr(running, "draw_figures", lambda *_: [])


# ---- the experiment


@pytest.mark.parametrize(
    ("sets", "says"),
    [
        (("learning.betta=1",), r"unknown key 'betta'; did you mean 'beta'\?"),
        (("lerning.beta=1",), r"did you mean 'learning'\?"),
        (("beta=1",), r"unknown key 'beta'; it belongs in section \[learning\]"),
        (("device.preset=HfO2-1T1R-dmo",), r"did you mean 'HfO2-1T1R-demo'\?"),
        (("device.model=SoftBuonds",), r"did you mean 'SoftBounds'\?"),
        ((*DEVICE, "device.parameters={g_maxx=1e-4}"), r"did you mean 'g_max'\?"),
        ((*DEVICE, "device.read_noise=-0.1"), r"device\.read_noise is -0\.1"),
        ((*DEVICE, "device.cycle_to_cycle=-1"), r"device\.cycle_to_cycle is -1"),
        ((*DEVICE, "device.device_to_device={step=-0.2}"), r"device\.device_to_device is .*-0\.2"),
        ((*DEVICE, "device.stuck={low=0.7,high=0.6}"), r"stuck"),
        ((*DEVICE, "device.levels=1"), r"levels is 1"),
        ((*DEVICE, "crossbar.g_min=1e-4", "crossbar.g_max=1e-5"), r"crossbar\.g_min is 0\.0001 S"),
        ((*DEVICE, "crossbar.g_min=1e-5", "crossbar.g_max=1e-5"), r"must be below crossbar"),
        ((*DEVICE, "crossbar.g_min=1"), r"window would reach from 1 S"),
        (("run.level=device",), r"needs a \[device\] section"),
        ((*DEVICE, "learning.free_steps=4090"), r"must stay below 4096"),
        (("network.layers=[64,12,9]",), r"the first layer must be 64 and the last 10"),
        (("network.layers=[63,12,10]",), r"the first layer must be 64 and the last 10"),
        (("network.layers=[64]",), r"a list of at least 2 layer sizes"),
        (("learning.eta=[0.1,0.1,0.1]",), r"one per weight layer"),
        (("learning.eta=-1",), r"learning\.eta is -1"),
        (("learning.eta=nan",), r"learning\.eta is nan"),
        (("learning.beta=0",), r"other than 0"),
        (("learning.rule=cvf",), r"needs network\.symmetric = false"),
        (("network.symmetric=false",), r"the rule that fits is 'cvf'"),
        ((*DEVICE, "learning.policy=sign-threshold"), r"learning\.threshold is missing"),
        (("data.name=mnits",), r"one of digits, iris"),
        (("data.limit_train=0",), r"data\.limit_train is 0"),
        (("data.limit_train=100000",), r"a limit of 100,000 samples; allowed are 1 to 1,442"),
        (("training.epochs=0",), r"training\.epochs is 0"),
        (("run.seed=-1",), r"run\.seed is -1"),
        (("run.threads=0",), r"run\.threads is 0"),
        (("name=../escape",), r"name is \"\.\./escape\""),
        (("learning.beta",), r"write it as section\.key=value"),
        (("learning.eta=1e6",), r"learning\.eta of weight layer 1 is 1e\+06.*lower learning\.eta"),
        ((*DEVICE, "learning.eta=1e6"), r"learning\.eta of weight layer 1 is 1e\+06"),
        (("network.dynamics=energy-based", "network.activation=tanh", "learning.eta=1e6"), r"eta"),
        (("learning.beta=1e-300",), r"learning\.beta is 1e-300; a number must be 0 or between"),
        (("learning.eta=[0.1,1e99]",), r"learning\.eta is 1e\+99; a number must be 0 or between"),
        ((*DEVICE, "crossbar.weight_range=1e300"), r"crossbar\.weight_range is 1e\+300"),
        ((*DEVICE, "device.parameters={g_max=1e300}"), r"device\.parameters\.g_max is 1e\+300"),
        (("learning.rule=ep", "learning.eta=1e30"), r"learning\.eta of weight layer 1 is 1e\+30"),
    ],
)
def test_wrong_experiment(sets, says):
    assert re.search(says, error(run(sets=sets)))
    assert not contents("out")


def test_every_error_of_an_experiment_has_its_own_line():
    sets = ("learning.betta=1", "training.epochs=0", "network.layers=[0, 10]", "run.level=devise")
    lines = errors(run(sets=sets))
    assert len(lines) == len(set(lines)) == 4
    for line, key in zip(sorted(lines), ("betta", "epochs", "layers", "level"), strict=False):
        assert any(key in other for other in lines), line


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe name", r"not UTF-8 text"),
        (b"name = ", r"not valid TOML"),
        (b"", r"is missing"),
        (b"[data]\nname = 3\n", r"data\.name is 3"),
        (b"\0" * 2000, r"not valid TOML"),
    ],
)
def test_unreadable_experiment_file(content, says):
    Path("bad.toml").write_bytes(content)
    lines = errors(run(file="bad.toml"))
    assert any(re.search(says, line) for line in lines)
    assert all("bad.toml" in line for line in lines)


def test_missing_file_and_directory_as_file():
    assert "no such experiment file" in error(run(file="absent.toml"))
    Path("folder.toml").mkdir()
    assert "folder.toml: cannot read it: Is a directory." in error(run(file="folder.toml"))
    assert "absent/small.toml" in error(run(file="absent/small.toml"))
    assert "small.toml/more.toml" in error(run(file="small.toml/more.toml"))


# ---- the data


def save_npz(**changes):
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.random((30, 64)).astype(np.float32),
        "y_train": np.arange(30) % 10,
        "x_test": rng.random((20, 64)).astype(np.float32),
        "y_test": np.arange(20) % 10,
    }
    arrays.update(changes)
    np.savez("own.npz", **arrays)  # type: ignore[arg-type]


def with_value(value, shape=(30, 64)):
    x = np.full(shape, 0.5, np.float32)
    x[3, 7] = value
    return x


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"x_train": with_value(np.nan)}, r"1 inputs are NaN.* sample 3, feature 7"),
        ({"x_test": with_value(np.nan, (20, 64))}, r"test part.*sample 3, feature 7"),
        ({"x_train": with_value(np.inf)}, r"ranges from 0\.5 to inf; allowed is 0 to 1"),
        ({"x_train": with_value(255.0)}, r"allowed is 0 to 1: divide by the full scale"),
        ({"y_train": np.arange(30) % 10 - 1}, r"labels are out of range, the first is -1"),
        ({"y_test": np.arange(20)}, r"10 labels are out of range.* allowed are 0 to 9"),
        ({"y_train": np.arange(30) % 10 + 0.5}, r"allowed are integers"),
        ({"y_train": np.arange(29) % 10}, r"30 samples but 29 labels"),
        ({"x_test": np.zeros((20, 63))}, r"both must be equal"),
        ({"x_train": np.zeros((0, 64)), "y_train": np.zeros(0, int)}, r"0 samples"),
        ({"x_train": np.array([{}] * 30)}, r"corrupt or not a \.npz file of plain arrays"),
        ({"y_train": np.arange(30) % 9}, r"2 labels are out of range"),
    ],
)
def test_wrong_data_of_the_user(changes, says):
    save_npz(**changes)
    assert re.search(says, error(run(sets=("data.name=own.npz", "data.limit_train=20"))))
    assert not contents("out")


@pytest.mark.usefixtures("few_figures")
def test_right_data_of_the_user_runs():
    save_npz()
    sets = ("data.name=own.npz", "data.limit_train=30")
    assert run(sets=sets).exit_code == 0


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "absent", "folder"])
def test_damaged_data_of_the_user(damage):
    save_npz()
    path = Path("own.npz")
    whole = bytearray(path.read_bytes())
    path.unlink()
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "flip":
        whole[500] ^= 4
        path.write_bytes(whole)
    elif damage == "text":
        path.write_text("no archive at all")
    elif damage == "folder":
        path.mkdir()
    assert "own.npz" in error(run(sets=("data.name=own.npz",)))


MNIST = ("data.name=mnist", "network.layers=[784,12,10]")


def test_damaged_image_files(write_idx):
    rng = np.random.default_rng(0)
    folder = Path("images/mnist")
    images = folder / "train-images-idx3-ubyte"
    labels = folder / "train-labels-idx1-ubyte.gz"
    whole = write_idx(images, rng.integers(0, 256, (50, 28, 28)))
    packed = write_idx(labels, np.arange(50) % 10)
    write_idx(folder / "t10k-images-idx3-ubyte.gz", rng.integers(0, 256, (30, 28, 28)))
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", np.arange(30) % 10)

    def refused() -> str:
        return error(run("--data-dir", "images", sets=MNIST))

    for content, says in (
        (whole[: len(whole) // 2], "is truncated"),
        (whole[:10], "is truncated"),
        (b"", "is truncated"),
        (whole + b"\0", "is corrupt"),
        (b"PNG!" + whole[4:], "is not an IDX file"),
        (whole[:7] + b"\xff" + whole[8:], "is truncated"),
    ):
        images.write_bytes(content)
        assert says in (message := refused()), message
        assert str(images) in message
    images.write_bytes(whole)
    for content in (packed[: len(packed) // 2], packed[:-6] + b"\1" + packed[-5:]):
        labels.write_bytes(content)
        assert str(labels) in refused()
    write_idx(labels, np.arange(50) % 11)
    assert "4 labels are out of range, the first is 10" in refused()
    write_idx(labels, np.arange(49) % 10)
    assert "50 samples but 49 labels" in refused()
    labels.unlink()
    message = refused()
    assert "cannot find train-labels-idx1-ubyte.gz" in message
    assert "ohmlearn data --download mnist" in message
    assert not contents("out")


def test_absent_image_files_say_where_they_were_looked_for():
    message = error(run("--data-dir", "nowhere", sets=MNIST))
    assert "looked in nowhere/mnist and nowhere" in message
    assert "--data-dir or OHMLEARN_DATA" in message


@pytest.mark.parametrize("folder", ["nonexistent", "small.toml"])
def test_table_of_data_with_a_folder_that_is_not_there(folder):
    result = invoke("data", "--data-dir", folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{folder}/kmnist" in re.sub(r"[\s│]+", "", result.stdout)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("devices", "nosuch"), "unknown"),
        (("devices", "SoftBound"), "did you mean 'SoftBounds'?"),
        (("devices", "EcRamMo1"), "did you mean 'EcRamMO'?"),
        (("data", "--download", "mnits"), "did you mean 'mnist'?"),
    ],
)
def test_unknown_names_on_the_command_line(arguments, says):
    assert says in error(invoke(*arguments))


def test_the_real_program_ends_the_same_way():
    command = [sys.executable, "-m", "ohmlearn", "run", "small.toml", "--out", "small.toml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: cannot write to small.toml: it is a file, not a folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert Path("small.toml").read_text() == BASE


@pytest.mark.usefixtures("few_figures")
def test_a_byte_order_mark_does_no_harm():
    Path("marked.toml").write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert invoke("run", "marked.toml", "--set", "training.epochs=1").exit_code == 0
