"""Small data sets that need no download: Iris, from the package, and the three gates.

A gate's four rows are all there is: training and test part are the same truth table.
"""

from __future__ import annotations

import csv
from importlib.resources import files

import numpy as np
from numpy.typing import DTypeLike

from .samples import Dataset, part

__all__ = ["SHIPPED", "load_shipped"]

_GATES = {"or": (0, 1, 1, 1), "and": (0, 0, 0, 1), "xor": (0, 1, 1, 0)}
_TABLE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])

SHIPPED: tuple[str, ...] = ("iris", *_GATES)

# Round limits of the four lengths [cm], so that inputs lie in [0, 1].
_LEAST, _MOST = np.array([4.0, 2.0, 1.0, 0.0]), np.array([8.0, 4.5, 7.0, 2.5])


def load_shipped(
    name: str, limit_train: int | None, limit_test: int | None, dtype: DTypeLike
) -> Dataset:
    """Return the data set *name*, one of :data:`SHIPPED`; see :func:`.datasets.load`."""
    if name == "iris":
        x, y, is_test = _read_iris()
        rows = {"training": ~is_test, "test": is_test}
    else:
        x, y = _TABLE, np.array(_GATES[name])
        rows = {"training": np.ones(4, bool), "test": np.ones(4, bool)}
    classes = int(y.max()) + 1
    taken = {
        where: part(
            x[rows[where]],
            y[rows[where]],
            full_scale=1.0,
            limit=limit,
            dtype=dtype,
            classes=classes,
            where=f"the {where} part of {name}",
        )
        for where, limit in (("training", limit_train), ("test", limit_test))
    }
    return Dataset(
        name,
        *taken["training"],
        *taken["test"],
        classes=classes,
        shape=(x.shape[1],),
        licence="CC BY 4.0" if name == "iris" else "none needed",
        source=_IRIS_SOURCE if name == "iris" else "the truth table of the gate",
        note=_IRIS_NOTE if name == "iris" else _GATE_NOTE,
    )


_IRIS_SOURCE = (
    "R. A. Fisher, Annals of Eugenics 7 (1936) 179-188; UCI Machine Learning Repository, "
    "doi:10.24432/C56C76"
)
_IRIS_NOTE = "150 plants, split here 105 to 45; one test plant is 2.2 %"
_GATE_NOTE = "a truth table: the four rows are both training and test part"


def _read_iris() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return lengths scaled to [0, 1], species, and which rows are test rows."""
    text = (files("ohmlearn.training") / "data" / "iris.csv").read_text(encoding="utf-8")
    rows = np.array([[float(v) for v in row] for row in list(csv.reader(text.splitlines()))[1:]])
    x = (rows[:, :4] - _LEAST) / (_MOST - _LEAST)
    return x, rows[:, 4].astype(np.int64), rows[:, 5] == 1
