"""Data sets by name: digits, Iris and gates, MNIST and relatives from IDX files, own files.

Training and test parts are those stored in the files; nothing here depends on a seed, so no run
can move a test row into training. Limits keep the first rows.
"""

from __future__ import annotations

import os
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ..errors import DataError, nearest
from .idx import idx_shape, read_idx
from .published import PUBLISHED, Located, Pair, Published, locate
from .samples import Dataset, check, part
from .shipped import SHIPPED, load_shipped
from .user_data import load_npz

__all__ = ["NAMES", "Dataset", "Listing", "check", "describe", "load"]

NAMES: tuple[str, ...] = ("digits", *SHIPPED, *PUBLISHED)

_DIGITS_LICENCE = "CC BY 4.0"
_DIGITS_SOURCE = (
    "E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits (1998), "
    "UCI Machine Learning Repository, doi:10.24432/C50P49"
)
_DIGITS_NOTE = (
    "the 1,797 images of the published test set, split here 1,442 to 355; "
    "accuracies are not comparable with the published protocol"
)


def load(
    name: str,
    data_dir: str | os.PathLike[str] | None = None,
    limit_train: int | None = None,
    limit_test: int | None = None,
    dtype: DTypeLike = np.float32,
) -> Dataset:
    """Return the data set called *name*.

    Parameters
    ----------
    name : one of :data:`NAMES`, or the path of a ``.npz`` file (see
        :mod:`ohmlearn.training.user_data`).
    data_dir : folder of the IDX files; they lie in ``<data_dir>/<name>/`` or in ``<data_dir>/``.
        Default: the environment variable ``OHMLEARN_DATA``, else the user's data folder.
    limit_train, limit_test : number of samples to keep, from the first on; None keeps all.
    dtype : float32 or float64, the type of the inputs.

    Returns
    -------
    Dataset, inputs of shape (samples, features) in [0, 1], checked by :func:`check`.

    Raises
    ------
    DataError
        If the name is unknown, a file is missing or corrupt, or a value or limit is not allowed.
    """
    if name.lower().endswith(".npz"):
        return load_npz(os.path.expanduser(name), limit_train, limit_test, dtype)
    if name == "digits":
        return _load_digits(limit_train, limit_test, dtype)
    if name in SHIPPED:
        return load_shipped(name, limit_train, limit_test, dtype)
    if name not in PUBLISHED:
        raise DataError(nearest(name, NAMES, "data set") + " The path of a .npz file works too.")
    return _load_published(PUBLISHED[name], data_dir, limit_train, limit_test, dtype)


def _load_digits(limit_train: int | None, limit_test: int | None, dtype: DTypeLike) -> Dataset:
    with (
        (files("ohmlearn.training") / "data" / "digits.npz").open("rb") as stream,
        np.load(stream, allow_pickle=False) as stored,
    ):
        pixels, labels, is_test = (stored[key] for key in ("pixels", "labels", "is_test"))

    def take(rows: np.ndarray, limit: int | None, where: str):
        return part(
            pixels[rows],
            labels[rows],
            full_scale=16.0,
            limit=limit,
            dtype=dtype,
            classes=10,
            where=f"the {where} part of digits",
        )

    x_train, y_train = take(~is_test, limit_train, "training")
    x_test, y_test = take(is_test, limit_test, "test")
    return Dataset(
        name="digits",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=10,
        shape=(8, 8),
        licence=_DIGITS_LICENCE,
        source=_DIGITS_SOURCE,
        note=_DIGITS_NOTE,
    )


def _load_published(
    published: Published,
    data_dir: str | os.PathLike[str] | None,
    limit_train: int | None,
    limit_test: int | None,
    dtype: DTypeLike,
) -> Dataset:
    located = locate(published, data_dir)
    train, test = _sizes(published, located)

    def read(pair: Pair, limit: int | None):
        return part(
            read_idx(pair.images, 3),
            read_idx(pair.labels, 1),
            full_scale=255.0,
            limit=limit,
            dtype=dtype,
            classes=published.classes,
            where=f"{published.name} ({pair.images} with {pair.labels.name})",
        )

    x_train, y_train = read(located.train, limit_train)
    x_test, y_test = read(located.test, limit_test)
    return Dataset(
        name=published.name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=published.classes,
        shape=published.shape,
        licence=published.licence,
        source=published.source,
        note=_note(published, located, train, test),
    )


def _sizes(published: Published, located: Located) -> tuple[int, int]:
    """Return the number of training and test images, from the headers of the image files."""
    counts = []
    for pair in (located.train, located.test):
        count, *image = idx_shape(pair.images, 3)
        if tuple(image) != published.shape:
            raise DataError(
                f"{pair.images} holds images of {image[0]} x {image[1]} pixels; "
                f"{published.name} has {published.shape[0]} x {published.shape[1]}."
            )
        counts.append(count)
    return counts[0], counts[1]


def _note(published: Published, located: Located, train: int, test: int) -> str:
    """Say what makes results incomparable with published ones."""
    remarks = []
    if train != published.train:
        remarks.append(
            f"the training set is partial: {train:,} of {published.train:,} images; "
            "accuracies are not comparable with published ones"
        )
    if test != published.test or not located.as_published:
        remarks.append("the test labels are not those of the published test set")
    return "; ".join(remarks)


class Listing(NamedTuple):
    """One row of the table of data sets.

    ``where`` names the file or folder, or says that nothing was found; ``train`` and ``test``
    count images found, or published ones where nothing was found; ``note`` says what is wrong or
    partial.
    """

    name: str
    found: bool
    where: str
    train: int
    test: int
    shape: tuple[int, ...]
    classes: int
    licence: str
    source: str
    note: str


def describe(data_dir: str | os.PathLike[str] | None = None) -> list[Listing]:
    """Return what is known of each data set and where its files are, reading only headers.

    Files that are missing or corrupt are reported in the row, not raised.
    """
    rows = [_list_shipped(load(name)) for name in ("digits", *SHIPPED)]
    return rows + [_list_published(published, data_dir) for published in PUBLISHED.values()]


def _list_shipped(data: Dataset) -> Listing:
    return Listing(
        name=data.name,
        found=True,
        where="in the package",
        train=len(data.y_train),
        test=len(data.y_test),
        shape=data.shape,
        classes=data.classes,
        licence=data.licence,
        source=data.source,
        note=data.note,
    )


def _list_published(published: Published, data_dir: str | os.PathLike[str] | None) -> Listing:
    try:
        located = locate(published, data_dir)
        train, test = _sizes(published, located)
    except DataError as error:
        found, where, note = False, "not found", str(error)
        train, test = published.train, published.test
    else:
        found, where = True, str(located.train.images.parent)
        note = _note(published, located, train, test)
    return Listing(
        name=published.name,
        found=found,
        where=where,
        train=train,
        test=test,
        shape=published.shape,
        classes=published.classes,
        licence=published.licence,
        source=published.source,
        note=note,
    )
