"""Iris and the gates: what is in the package."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.training.datasets import load


def test_iris_is_split_once_and_for_all():
    iris = load("iris")
    assert iris.x_train.shape == (105, 4)
    assert iris.x_test.shape == (45, 4)
    assert np.bincount(iris.y_train).tolist() == [35, 35, 35]
    assert np.bincount(iris.y_test).tolist() == [15, 15, 15]
    assert iris.licence == "CC BY 4.0"


def test_iris_in_centimetres():
    iris = load("iris", dtype=np.float64)
    x = np.vstack([iris.x_train, iris.x_test])
    assert x.min() >= 0.0
    assert x.max() <= 1.0
    lengths = x * [4.0, 2.5, 6.0, 2.5] + [4.0, 2.0, 1.0, 0.0]
    published = [5.843333, 3.057333, 3.758, 1.199333]  # means, R's iris
    np.testing.assert_allclose(lengths.mean(axis=0), published, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "labels"), [("or", [0, 1, 1, 1]), ("and", [0, 0, 0, 1]), ("xor", [0, 1, 1, 0])]
)
def test_gates_are_their_truth_tables(name, labels):
    gate = load(name)
    assert gate.x_train.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert gate.y_train.tolist() == gate.y_test.tolist() == labels
    assert gate.classes == 2


def test_limits_count_rows():
    assert len(load("iris", limit_train=7).y_train) == 7
    assert len(load("xor", limit_test=2).y_test) == 2
