"""Read a data set of the user's own from one ``.npz`` file of plain arrays.

The file holds ``x_train`` and ``x_test`` (numbers in [0, 1], shape (samples, ...)) and ``y_train``
and ``y_test`` (integers from 0 on, shape (samples,)), as ``numpy.savez_compressed`` writes them.
Python objects are never unpickled.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import DataError
from .samples import Dataset, part

__all__ = ["load_npz"]

_KEYS = ("x_train", "y_train", "x_test", "y_test")


def load_npz(
    path: str | os.PathLike[str],
    limit_train: int | None = None,
    limit_test: int | None = None,
    dtype: DTypeLike = np.float32,
) -> Dataset:
    """Return the data set of a ``.npz`` file; classes are counted from the training labels.

    Parameters
    ----------
    path : path of the file.
    limit_train, limit_test : number of samples to keep, from the first on; None keeps all.
    dtype : float32 or float64, the type of the inputs.

    Raises
    ------
    DataError
        If the file is missing or corrupt, lacks an array, or holds values that are not allowed.
    """
    name = os.fspath(path)
    x_train, y_train, x_test, y_test = (_array(name, key) for key in _KEYS)
    for key, x in (("x_train", x_train), ("x_test", x_test)):
        _check_inputs(x, f"{key} of {name}")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{name}: samples of x_train have shape {x_train.shape[1:]}, those of x_test "
            f"{x_test.shape[1:]}; both must be equal."
        )
    classes = _count_classes(y_train)
    common: dict[str, Any] = {"full_scale": 1.0, "dtype": dtype, "classes": classes}
    train = part(
        x_train, y_train, limit=limit_train, where=f"the training part of {name}", **common
    )
    test = part(x_test, y_test, limit=limit_test, where=f"the test part of {name}", **common)
    return Dataset(
        name=os.path.basename(name),
        x_train=train[0],
        y_train=train[1],
        x_test=test[0],
        y_test=test[1],
        classes=classes,
        shape=x_train.shape[1:],
        licence="not stated (a file of the user)",
        source=name,
    )


def _array(name: str, key: str) -> NDArray[Any]:
    """Read one array; its bytes first, so that zip's checksum is compared before NumPy parses."""
    try:
        with zipfile.ZipFile(name) as archive:
            members = archive.namelist()
            if f"{key}.npy" not in members:
                held = ", ".join(m.removesuffix(".npy") for m in members) or "nothing"
                raise DataError(
                    f"{name} has no array '{key}'; needed are {', '.join(_KEYS)}, "
                    f"the file holds {held}."
                )
            content = archive.read(f"{key}.npy")
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except FileNotFoundError:
        raise DataError(
            f"{name} does not exist; give the path of a .npz file with the arrays "
            f"{', '.join(_KEYS)}."
        ) from None
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError) as error:
        raise DataError(
            f"{name} is corrupt or not a .npz file of plain arrays: '{key}' cannot be read "
            f"({error})."
        ) from None
    except (OSError, RuntimeError) as error:
        # RuntimeError: an encrypted member, or a compression that this Python cannot undo.
        raise DataError(f"{name} cannot be read: {error}.") from None


def _check_inputs(x: NDArray[Any], where: str) -> None:
    if x.ndim < 2 or x.dtype.kind not in "fiub":
        raise DataError(
            f"{where} has shape {x.shape} and type {x.dtype}; allowed are real numbers of shape "
            "(samples, ...)."
        )
    # NaN fails neither comparison; it is reported with its place when the part is checked.
    if x.size and (x.min() < 0 or x.max() > 1):
        raise DataError(
            f"{where} ranges from {x.min()} to {x.max()}; allowed is 0 to 1: divide by the full "
            "scale (255 for bytes) before saving."
        )


def _count_classes(y: NDArray[Any]) -> int:
    """Return one more than the largest label; 1 where the labels are unusable (reported later)."""
    if y.dtype.kind in "iu" and y.size:
        return max(int(y.max()) + 1, 1)
    return 1
