"""A user's own .npz file: read, scaled as it is, and refused in a sentence when it is damaged."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmlearn.errors import DataError
from ohmlearn.training.datasets import load


def arrays():
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.random((6, 2, 3)),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_test": rng.random((4, 2, 3)),
        "y_test": np.array([2, 1, 0, 0], dtype=np.uint8),
    }


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("user") / "whole.npz"
    np.savez_compressed(path, **arrays())
    return path


def test_the_arrays_come_back(stored):
    mine = load(str(stored), dtype=np.float64, limit_test=3)
    np.testing.assert_array_equal(mine.x_train, arrays()["x_train"].reshape(6, 6))
    np.testing.assert_array_equal(mine.y_test, arrays()["y_test"][:3])
    assert (mine.name, mine.classes, mine.shape) == ("whole.npz", 3, (2, 3))
    assert mine.y_test.dtype == np.int64


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("x_train", None, "no array 'x_train'; needed are x_train, y_train, x_test, y_test"),
        ("x_train", np.full((6, 6), 255.0), "x_train of .* 255.0; allowed is 0 to 1"),
        ("x_test", np.full((4, 2, 3), -0.1), "x_test of .* allowed is 0 to 1"),
        ("x_test", np.zeros((4, 5)), r"x_test \(5,\); both must be equal"),
        ("x_train", np.full((6, 2, 3), np.nan), "36 inputs are NaN"),
        ("x_train", np.zeros(6), r"shape \(6,\)"),
        ("x_train", np.array(0.5), r"shape \(\)"),
        ("x_train", np.array([["a"]]), "type <U1"),
        ("x_train", np.array([[None]]), "cannot be read.*Object arrays"),
        ("y_test", np.array([0, 1, 2, 3]), "first is 3 at sample 3; allowed are 0 to 2"),
        ("y_train", np.array([0, 1, 2, 0, 1, -1]), "first is -1 at sample 5"),
        ("y_train", np.zeros(6), "labels have shape .* float64"),
        ("y_train", np.array([0, 1]), "6 samples but 2 labels"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, key, value, message):
    path = tmp_path / "bad.npz"
    held = arrays() | {key: value}
    np.savez(path, **{name: array for name, array in held.items() if array is not None})
    with pytest.raises(DataError, match=message):
        load(str(path))


def test_a_missing_file_is_named(tmp_path):
    path = str(tmp_path / "absent.npz")
    with pytest.raises(DataError, match=re.escape(path) + " does not exist"):
        load(path)


def test_every_truncation_is_refused(tmp_path, stored):
    content, path = stored.read_bytes(), tmp_path / "cut.npz"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            load(str(path))


@given(data=st.data())
def test_a_flipped_byte_is_refused_or_harmless(stored, data):
    content = bytearray(stored.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = stored.with_name("flip.npz")
    path.write_bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile warns of some damage before it raises
            mine = load(str(path), dtype=np.float64)
    except DataError:
        return
    np.testing.assert_array_equal(mine.x_train, arrays()["x_train"].reshape(6, 6))
