"""Data sets: the parts are fixed, the values scaled, and bad data is refused in a sentence."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import numpy as np
import platformdirs
import pytest

from ohmlearn.errors import DataError
from ohmlearn.training.datasets import NAMES, check, describe, load
from ohmlearn.training.published import PUBLISHED, data_folder
from ohmlearn.training.shipped import SHIPPED

TRAIN, TEST = 30, 20


def images_of(labels):
    """Return 28 x 28 images whose grey level tells their place and label."""
    level = (np.arange(len(labels)) * 10 + labels) % 256
    return np.broadcast_to(level[:, None, None], (len(labels), 28, 28))


@pytest.fixture
def write_set(write_idx):
    """Return a writer of the four files of a small set; arrays given replace the usual ones."""

    def write(folder, ending=".gz", train="train", **arrays):
        labels = {"train": np.arange(TRAIN) % 10, "t10k": np.arange(TEST) % 10}
        for part, stem in (("train", train), ("t10k", "t10k")):
            y = arrays.get(f"{part}_labels", labels[part])
            x = arrays.get(f"{part}_images", images_of(labels[part]))
            write_idx(folder / f"{stem}-images-idx3-ubyte{ending}", x)
            write_idx(folder / f"{stem}-labels-idx1-ubyte{ending}", y)

    return write


# ---- digits ---------------------------------------------------------------------------------


def test_digits_are_the_published_numbers():
    digits = load("digits")
    assert digits.x_train.shape == (1442, 64)
    assert digits.x_test.shape == (355, 64)
    counts = np.bincount(np.concatenate([digits.y_train, digits.y_test]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    first = [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
    assert (digits.x_train[0, :16] * 16).tolist() == first
    assert digits.licence == "CC BY 4.0"
    assert (digits.features, digits.classes, digits.shape) == (64, 10, (8, 8))


def test_digits_are_split_by_class_and_share_no_row():
    digits = load("digits")
    for digit in range(10):
        test = np.count_nonzero(digits.y_test == digit)
        total = test + np.count_nonzero(digits.y_train == digit)
        assert test == total // 5
    train = {row.tobytes() for row in digits.x_train}
    assert not any(row.tobytes() in train for row in digits.x_test)


def test_digits_do_not_depend_on_the_global_seed():
    parts = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002  (the global state is what is tested)
        parts.append(load("digits"))
    np.testing.assert_array_equal(parts[0].x_test, parts[1].x_test)
    np.testing.assert_array_equal(parts[0].y_train, parts[1].y_train)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, "float32", np.dtype("f8")])
def test_the_type_is_the_one_asked_for(dtype):
    digits = load("digits", dtype=dtype)
    assert digits.x_train.dtype == digits.x_test.dtype == np.dtype(dtype)
    assert digits.y_train.dtype == digits.y_test.dtype == np.int64
    assert digits.x_train.min() == 0
    assert digits.x_train.max() == 1
    assert digits.x_train.flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.float16, int, "garbage", None])
def test_other_types_are_refused(dtype):
    with pytest.raises(DataError, match="allowed are float32 and float64"):
        load("digits", dtype=dtype)


def test_limits_keep_the_first_rows():
    whole, short = load("digits"), load("digits", limit_train=7, limit_test=355)
    np.testing.assert_array_equal(short.x_train, whole.x_train[:7])
    np.testing.assert_array_equal(short.y_train, whole.y_train[:7])
    assert len(short.y_test) == 355


@pytest.mark.parametrize("limit", [0, -3, 1443])
def test_limits_out_of_range_are_refused(limit):
    with pytest.raises(DataError, match=r"training part of digits.*allowed are 1 to 1,442"):
        load("digits", limit_train=limit)


# ---- IDX sets -------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("sub", ["mnist", "."])
def test_idx_files_are_found_and_scaled(tmp_path, write_set, ending, sub):
    write_set(tmp_path / sub, ending)
    mnist = load("mnist", tmp_path)
    expected = images_of(np.arange(TRAIN) % 10).reshape(TRAIN, 784).astype(np.float32) / 255
    np.testing.assert_array_equal(mnist.x_train, expected)
    np.testing.assert_array_equal(mnist.y_test, np.arange(TEST) % 10)
    assert mnist.shape == (28, 28)
    assert "30 of 60,000" in mnist.note
    assert "test labels are not those of the published" in mnist.note


def test_the_folder_is_argument_then_environment_then_user_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OHMLEARN_DATA", str(tmp_path / "env"))
    assert data_folder(tmp_path / "arg") == tmp_path / "arg"
    assert data_folder() == tmp_path / "env"
    monkeypatch.setenv("OHMLEARN_DATA", "")
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda app: str(tmp_path / app))
    assert data_folder() == tmp_path / "ohmlearn"


def test_a_missing_file_says_which_where_and_how(tmp_path, write_set):
    write_set(tmp_path / "mnist")
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError) as caught:
        load("mnist", tmp_path)
    message = str(caught.value)
    assert "t10k-labels-idx1-ubyte.gz" in message
    assert "t10k-images" not in message
    assert f"{tmp_path / 'mnist'} and {tmp_path}" in message
    assert "ohmlearn data --download mnist" in message
    assert "OHMLEARN_DATA" in message


def test_images_and_labels_must_lie_together(tmp_path, write_set):
    write_set(tmp_path / "mnist")
    moved = "train-labels-idx1-ubyte.gz"
    (tmp_path / "mnist" / moved).rename(tmp_path / moved)
    with pytest.raises(DataError, match="images and labels in one folder"):
        load("mnist", tmp_path)


def test_the_longest_partial_file_serves_until_the_complete_one_is_there(tmp_path, write_set):
    for size in (9, 12):
        labels = np.arange(size) % 10
        write_set(
            tmp_path / "kmnist",
            train=f"train-first{size}",
            train_labels=labels,
            train_images=images_of(labels),
        )
    kmnist = load("kmnist", tmp_path)
    assert len(kmnist.y_train) == 12
    assert "the training set is partial: 12 of 60,000" in kmnist.note
    write_set(tmp_path / "kmnist")
    assert len(load("kmnist", tmp_path).y_train) == TRAIN


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"train_labels": np.zeros(TRAIN - 1)}, "30 samples but 29 labels"),
        ({"t10k_labels": np.full(TEST, 10)}, "20 labels are out of range, the first is 10"),
        ({"train_images": np.zeros((TRAIN, 8, 8))}, "8 x 8 pixels; mnist has 28 x 28"),
        ({"train_images": np.zeros((TRAIN, 784))}, "2 dimensions; allowed is 3"),
        ({"train_labels": np.zeros((TRAIN, 1))}, "2 dimensions; allowed is 1"),
        (
            {"train_images": np.zeros((0, 28, 28)), "train_labels": np.zeros(0)},
            "at least 1 of each",
        ),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, write_set, arrays, message):
    write_set(tmp_path / "mnist", **arrays)
    with pytest.raises(DataError, match=message):
        load("mnist", tmp_path)


@pytest.mark.parametrize("part", ["train-images-idx3", "t10k-labels-idx1"])
def test_a_truncated_file_is_one_sentence(tmp_path, write_set, part):
    write_set(tmp_path / "mnist")
    path = tmp_path / "mnist" / f"{part}-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=re.escape(str(path)) + " is truncated") as caught:
        load("mnist", tmp_path)
    assert "\n" not in str(caught.value)
    row = next(row for row in describe(tmp_path) if row.name == "mnist")
    if part == "t10k-labels-idx1":
        assert not row.found
        assert "truncated" in row.note


def test_another_set_in_the_same_folder_is_recognised(tmp_path, write_set, monkeypatch):
    write_set(tmp_path)
    labels = (np.arange(TEST) % 10).astype(np.uint8).tobytes()
    known = replace(PUBLISHED["mnist"], test_labels=hashlib.sha256(labels).hexdigest())
    monkeypatch.setitem(PUBLISHED, "mnist", known)
    with pytest.raises(DataError, match=r"kmnist: .* belongs to mnist"):
        load("kmnist", tmp_path)
    found = {row.name for row in describe(tmp_path) if row.found}
    assert found == {"digits", *SHIPPED, "mnist"}


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(DataError, match=r"unknown data set 'mnits'; did you mean 'mnist'\?"):
        load("mnits")


def test_describe_lists_every_set_whether_found_or_not(tmp_path, write_set):
    write_set(tmp_path / "fashion_mnist")
    rows = {row.name: row for row in describe(tmp_path)}
    assert tuple(rows) == NAMES
    assert {name for name, row in rows.items() if row.found} == {
        "digits",
        *SHIPPED,
        "fashion_mnist",
    }
    assert rows["digits"][3:7] == (1442, 355, (8, 8), 10)
    assert rows["fashion_mnist"].where == str(tmp_path / "fashion_mnist")
    assert (rows["fashion_mnist"].train, rows["fashion_mnist"].test) == (TRAIN, TEST)
    assert "ohmlearn data --download mnist" in rows["mnist"].note
    assert (rows["mnist"].train, rows["mnist"].test) == (60_000, 10_000)


# ---- check ----------------------------------------------------------------------------------

GOOD_X, GOOD_Y = np.full((4, 3), 0.5), np.array([0, 1, 2, 1])


def test_check_accepts_good_data():
    check(GOOD_X, GOOD_Y, 3)
    check(GOOD_X.astype(np.float32), GOOD_Y.astype(np.uint8), 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_check_finds_what_is_not_finite(value):
    x = GOOD_X.copy()
    x[2, 1] = value
    with pytest.raises(DataError, match=f"mine: 1 inputs.*is {value} at sample 2, feature 1"):
        check(x, GOOD_Y, 3, "mine")


@pytest.mark.parametrize(
    ("x", "y", "classes", "message"),
    [
        (GOOD_X, np.array([0, 3, 1, -1]), 3, "2 labels .* first is 3 at sample 1; .* 0 to 2"),
        (GOOD_X, GOOD_Y[:3], 3, "4 samples but 3 labels"),
        (GOOD_X, GOOD_Y, 0, "0 classes"),
        (GOOD_X, GOOD_Y * 1.0, 3, "labels have shape .* float64"),
        (GOOD_X, GOOD_Y[:, None], 3, r"labels have shape \(4, 1\)"),
        (GOOD_X[0], GOOD_Y, 3, r"inputs have shape \(3,\)"),
        (GOOD_X.astype(object), GOOD_Y, 3, "type object"),
        (GOOD_X * 1j, GOOD_Y, 3, "type complex128"),
        (GOOD_X[:0], GOOD_Y[:0], 3, "0 samples of 3 features"),
        (GOOD_X[:, :0], GOOD_Y, 3, "4 samples of 0 features"),
    ],
)
def test_check_refuses(x, y, classes, message):
    with pytest.raises(DataError, match=message):
        check(x, y, classes)


# ---- the published files --------------------------------------------------------------------


@pytest.mark.data
def test_mnist_as_published(data_dir):
    mnist = load("mnist", data_dir, limit_train=100)
    assert mnist.x_test.shape == (10_000, 784)
    counts = np.bincount(mnist.y_test).tolist()
    assert counts == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.note == ""


@pytest.mark.data
def test_fashion_mnist_as_published(data_dir):
    fashion = load("fashion_mnist", data_dir, limit_train=100)
    assert np.bincount(fashion.y_test).tolist() == [1000] * 10
    assert fashion.note == ""


@pytest.mark.data
def test_kmnist_says_whether_it_is_partial(data_dir):
    kmnist = load("kmnist", data_dir)
    assert np.bincount(kmnist.y_test).tolist() == [1000] * 10
    assert ("partial" in kmnist.note) == (len(kmnist.y_train) < 60_000)


@pytest.mark.data
def test_files_of_another_set_are_not_taken(data_dir):
    with pytest.raises(DataError, match="belongs to mnist"):
        load("kmnist", data_dir / "mnist")
    found = {row.name for row in describe(data_dir / "mnist") if row.found}
    assert found == {"digits", *SHIPPED, "mnist"}
