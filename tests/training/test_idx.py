"""The IDX reader: what was written comes back, and no damaged file gets through."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ohmlearn.errors import DataError
from ohmlearn.training.idx import idx_shape, read_idx

byte_arrays = arrays(np.uint8, array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5))
endings = st.sampled_from(["", ".gz"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


@given(array=byte_arrays, ending=endings)
def test_round_trip(folder, write_idx, array, ending):
    path = folder / f"round{ending}"
    write_idx(path, array)
    read = read_idx(path, array.ndim)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)
    assert idx_shape(path, array.ndim) == array.shape


@settings(max_examples=15)
@given(array=byte_arrays, ending=endings)
def test_every_truncation_is_refused(folder, write_idx, array, ending):
    path = folder / f"cut{ending}"
    stored = write_idx(path, array)
    for length in range(len(stored)):
        path.write_bytes(stored[:length])
        with pytest.raises(DataError, match="truncated"):
            read_idx(path, array.ndim)


@given(array=byte_arrays, ending=endings, data=st.data())
def test_a_flipped_byte_is_refused_or_harmless(folder, write_idx, array, ending, data):
    path = folder / f"flip{ending}"
    stored = bytearray(write_idx(path, array))
    # In a plain file only the header can be checked; gzip carries a checksum of everything.
    end = len(stored) if ending else 4 + 4 * array.ndim
    stored[data.draw(st.integers(0, end - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(stored)
    try:
        read = read_idx(path, array.ndim)
    except DataError:
        return
    np.testing.assert_array_equal(read.ravel(), array.ravel())


def test_bytes_behind_the_elements_are_refused(tmp_path, write_idx):
    path = tmp_path / "long"
    path.write_bytes(write_idx(path, np.arange(3)) + b"\0")
    with pytest.raises(DataError, match="bytes follow the 3 elements"):
        read_idx(path, 1)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"\x89PNG", "not an IDX file.*89 50 4e 47.*00 00 08 01"),
        (b"\0\0\x0d\x01", "type 0x0d; allowed is 0x08"),
        (b"\0\0\x08\x03", "3 dimensions; allowed is 1"),
        (b"\0\0\x08\x00", "0 dimensions; allowed is 1"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_wrong_header_is_named(tmp_path, header, message, pack):
    path = tmp_path / "wrong"
    path.write_bytes(pack(header + b"\0\0\0\x01\x07"))
    with pytest.raises(DataError, match=message):
        read_idx(path, 1)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_that_announces_too_much_takes_no_memory(tmp_path, pack):
    path = tmp_path / "huge"
    path.write_bytes(pack(b"\0\0\x08\x03" + b"\xff" * 12 + b"abc"))
    with pytest.raises(DataError, match=r"truncated: 3 bytes of elements"):
        read_idx(path, 3)


def test_a_gzip_checksum_that_differs_is_refused(tmp_path, write_idx):
    path = tmp_path / "crc.gz"
    stored = bytearray(write_idx(path, np.arange(9)))
    stored[-8] ^= 1
    path.write_bytes(stored)
    with pytest.raises(DataError, match=r"corrupt.*CRC"):
        read_idx(path, 1)


def test_what_is_not_a_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_idx(tmp_path / "absent", 1)
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path, 1)
