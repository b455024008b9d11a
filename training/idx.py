"""Read the IDX files in which MNIST and its relatives are published.

An IDX file is a header of big-endian numbers (two zero bytes, the element type, the number of
dimensions, each size as 32 bits) followed by the elements in row-major order. Only unsigned bytes
(type 0x08) are read: no image data set offered here holds anything else.
Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits" (1998).
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

__all__ = ["idx_shape", "read_idx"]

_Stream = BufferedReader | gzip.GzipFile

_GZIP_MAGIC = b"\x1f\x8b"
_UNSIGNED_BYTE = 0x08
_CHUNK = 1 << 20


def read_idx(path: str | os.PathLike[str], dimensions: int) -> NDArray[np.uint8]:
    """Return the array of unsigned bytes stored in an IDX file, compressed with gzip or plain.

    Parameters
    ----------
    path : path of the file. Compression is recognised by content, not by name.
    dimensions : number of dimensions the file must have (1 for labels, 3 for images).

    Returns
    -------
    Array of shape as announced by the header.

    Raises
    ------
    DataError
        If the file is missing, truncated, corrupt, not IDX, or of another number of dimensions.
    """
    with _opened(path) as stream:
        shape = _read_shape(stream, path, dimensions)
        body = _read_body(stream, path, math.prod(shape))
    return np.frombuffer(body, dtype=np.uint8).reshape(shape)


def idx_shape(path: str | os.PathLike[str], dimensions: int) -> tuple[int, ...]:
    """Return the shape announced by the header of an IDX file, without reading its elements.

    Raises
    ------
    DataError
        As :func:`read_idx`, as far as the header shows it.
    """
    with _opened(path) as stream:
        return _read_shape(stream, path, dimensions)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[_Stream]:
    """Open *path*, decompressing if need be, and turn every failure to read into a DataError."""
    name = os.fspath(path)
    try:
        with open(path, "rb") as raw:
            compressed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            if compressed:
                with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
                    yield stream
            else:
                yield raw
    except EOFError:
        raise DataError(
            f"{name} is truncated: its gzip stream ends early; copy or download it again."
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{name} is corrupt: its gzip stream cannot be decompressed ({error}); "
            "copy or download it again."
        ) from None
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from None


def _read_shape(stream: _Stream, path: str | os.PathLike[str], dimensions: int) -> tuple[int, ...]:
    name = os.fspath(path)
    magic = stream.read(4)
    if len(magic) < 4:
        raise DataError(f"{name} is truncated: {len(magic)} bytes, an IDX header has at least 8.")
    if magic[:2] != b"\0\0":
        raise DataError(
            f"{name} is not an IDX file: it starts with bytes {magic.hex(' ')}, allowed is "
            f"00 00 08 {dimensions:02x}."
        )
    if magic[2] != _UNSIGNED_BYTE:
        raise DataError(
            f"{name} has IDX elements of type 0x{magic[2]:02x}; allowed is 0x08, unsigned bytes."
        )
    if magic[3] != dimensions:
        raise DataError(
            f"{name} has {magic[3]} dimensions; allowed is {dimensions} "
            "(IDX images have 3, labels 1)."
        )
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataError(
            f"{name} is truncated: its IDX header ends after {4 + len(sizes)} of "
            f"{4 + 4 * dimensions} bytes."
        )
    return tuple(int(size) for size in np.frombuffer(sizes, dtype=">u4"))


def _read_body(stream: _Stream, path: str | os.PathLike[str], size: int) -> bytearray:
    """Read *size* bytes and the end of the file behind them.

    Reading goes chunk by chunk, so that a corrupt header cannot ask for more memory than the
    file has, and one byte too far, which makes gzip compare its checksum.
    """
    body = bytearray()
    while len(body) <= size:
        chunk = stream.read(min(_CHUNK, size + 1 - len(body)))
        if not chunk:
            break
        body += chunk
    if len(body) < size:
        raise DataError(
            f"{os.fspath(path)} is truncated: {len(body):,} bytes of elements, "
            f"its header announces {size:,}."
        )
    if len(body) > size:
        raise DataError(
            f"{os.fspath(path)} is corrupt: bytes follow the {size:,} elements "
            "that its header announces."
        )
    return body
