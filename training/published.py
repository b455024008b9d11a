"""The published image sets: what their files are, where they may lie, and finding them there.

The four files have the same names in every set, so a folder is recognised by its test labels:
Fashion-MNIST files in a folder searched for MNIST must not pass as MNIST.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import platformdirs

from ..errors import DataError
from .idx import read_idx

__all__ = ["PUBLISHED", "Located", "Pair", "Published", "data_folder", "locate"]

_IMAGES = "-images-idx3-ubyte"
_LABELS = "-labels-idx1-ubyte"
TRAIN_IMAGES = f"train{_IMAGES}.gz"
TRAIN_LABELS = f"train{_LABELS}.gz"
TEST_IMAGES = f"t10k{_IMAGES}.gz"
TEST_LABELS = f"t10k{_LABELS}.gz"


@dataclass(frozen=True)
class Published:
    """One published set of four IDX files.

    Attributes
    ----------
    name : name of the set, and of its folder below the data folder.
    mirrors : folders on the web that hold the files, each with a trailing slash.
    sha256 : digest of each published file, by file name.
    test_labels : sha256 of the test labels as bytes, without IDX header and compression.
    licence, source : terms of use, and whom to cite.
    train, test : number of samples as published.
    shape : rows and columns of one image.
    classes : number of classes.
    """

    name: str
    mirrors: tuple[str, ...]
    sha256: dict[str, str]
    test_labels: str
    licence: str
    source: str
    train: int = 60_000
    test: int = 10_000
    shape: tuple[int, int] = (28, 28)
    classes: int = 10


_MNIST = Published(
    name="mnist",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    sha256={
        TRAIN_IMAGES: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        TRAIN_LABELS: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        TEST_IMAGES: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        TEST_LABELS: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    test_labels="ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    licence="CC BY-SA 3.0",
    source="Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits (1998)",
)

_FASHION = Published(
    name="fashion_mnist",
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    sha256={
        TRAIN_IMAGES: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        TRAIN_LABELS: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        TEST_IMAGES: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        TEST_LABELS: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
    test_labels="3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    licence="MIT, copyright 2017 Zalando SE",
    source="H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST (2017), arXiv:1708.07747",
)

# The digests of the training files are those listed by torchvision-ruby; its digests of the test
# files were compared with the files themselves.
_KMNIST = Published(
    name="kmnist",
    mirrors=(
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    ),
    sha256={
        TRAIN_IMAGES: "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        TRAIN_LABELS: "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        TEST_IMAGES: "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        TEST_LABELS: "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    },
    test_labels="77d83a49ca5434c5da77399edc7143065cb3a7b0834e2898ea3094e8c2b21a3c",
    licence="CC BY-SA 4.0",
    source=(
        "KMNIST Dataset created by CODH, adapted from Kuzushiji Dataset created by NIJL and "
        "others, doi:10.20676/00000341; T. Clanuwat et al. (2018), arXiv:1812.01718"
    ),
)

PUBLISHED: dict[str, Published] = {p.name: p for p in (_MNIST, _FASHION, _KMNIST)}


class Pair(NamedTuple):
    """The image file and the label file of one part of a set."""

    images: Path
    labels: Path


class Located(NamedTuple):
    """The files of one set, and whether the test labels are the published ones."""

    train: Pair
    test: Pair
    as_published: bool


def data_folder(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return the data folder: *data_dir*, else ``OHMLEARN_DATA``, else the user's data folder."""
    chosen = data_dir or os.environ.get("OHMLEARN_DATA") or platformdirs.user_data_dir("ohmlearn")
    return Path(chosen).expanduser()


def locate(published: Published, data_dir: str | os.PathLike[str] | None = None) -> Located:
    """Find the files of a published set in ``<data folder>/<name>`` or in the data folder itself.

    A training part cut short may be named ``train-first<N>-images-idx3-ubyte``; it is taken
    where the complete one is missing.

    Raises
    ------
    DataError
        If files are missing, or belong to another published set.
    """
    folder = data_folder(data_dir)
    folders = (folder / published.name, folder)
    train = _find_pair(folders, "train")
    test = _find_pair(folders, "t10k")
    if train is None or test is None:
        raise DataError(_missing(published, folders, train, test))
    labels = read_idx(test.labels, 1)
    owner = _owner(hashlib.sha256(labels.tobytes()).hexdigest())
    if owner not in (None, published.name):
        raise DataError(
            f"{published.name}: {test.labels} belongs to {owner}; put each set into a folder of "
            f"its own name below the data folder, or run 'ohmlearn data --download "
            f"{published.name}'."
        )
    return Located(train, test, as_published=owner is not None)


def _owner(digest: str) -> str | None:
    return next((p.name for p in PUBLISHED.values() if p.test_labels == digest), None)


def _find_pair(folders: tuple[Path, ...], stem: str) -> Pair | None:
    for folder in folders:
        for candidate in (stem, *_partial_stems(folder, stem)):
            images = _existing(folder, candidate + _IMAGES)
            labels = _existing(folder, candidate + _LABELS)
            if images and labels:
                return Pair(images, labels)
    return None


def _partial_stems(folder: Path, stem: str) -> list[str]:
    """Return the stems of files cut short, the longest part first."""
    pattern = re.compile(rf"{stem}-first(\d+){_IMAGES}(\.gz)?")
    found = (pattern.fullmatch(path.name) for path in folder.glob(f"{stem}-first*{_IMAGES}*"))
    sizes = {int(match[1]): match[1] for match in found if match}
    return [f"{stem}-first{sizes[size]}" for size in sorted(sizes, reverse=True)]


def _existing(folder: Path, name: str) -> Path | None:
    # os.path: a folder that may not be entered counts as empty, where Path.is_file() may raise.
    return next((p for p in (folder / f"{name}.gz", folder / name) if os.path.isfile(p)), None)


def _missing(
    published: Published, folders: tuple[Path, ...], train: Pair | None, test: Pair | None
) -> str:
    lacking = [
        f"{stem}{ending}.gz"
        for stem, pair in (("train", train), ("t10k", test))
        for ending in (_IMAGES, _LABELS)
        if pair is None and not any(_existing(folder, stem + ending) for folder in folders)
    ]
    # Both files exist but in different folders: then the pair is what is missing.
    what = ", ".join(lacking) or "images and labels in one folder"
    where = " and ".join(str(folder) for folder in folders)
    return (
        f"{published.name}: cannot find {what} (with or without .gz); looked in {where}. Run "
        f"'ohmlearn data --download {published.name}', or name the folder that holds the files "
        "with --data-dir or OHMLEARN_DATA."
    )
