"""A checkpoint is whole or it is not used, and saving one never costs the one before it."""

import errno
import os
import subprocess

import numpy as np
import pytest

from ohmlearn import checkpoint, storage
from ohmlearn.errors import RecordError

RNG = np.random.default_rng(1)
ARRAYS = {
    "state": RNG.random((20, 30)),
    "single": RNG.random(50).astype(np.float32),
    "order": RNG.permutation(100),
    "fortran": np.asfortranarray(RNG.random((3, 4))),
    "scalar": np.array(2**63, np.uint64),
    "empty": np.zeros((0, 5), np.int8),
    "special": np.array([np.nan, -0.0, np.inf]),
}


def save(folder, epoch, arrays=ARRAYS):
    checkpoint.save(folder, arrays, {"epoch": epoch, "beta": 0.1, "experiment": "name = 'ä'"})


def epoch_in(folder) -> int:
    found = checkpoint.load(folder)
    assert found is not None
    return found[1]["epoch"]


def damage(path, position, mask=0x10):
    content = bytearray(path.read_bytes())
    content[position] ^= mask
    path.write_bytes(content)


def test_no_checkpoint_is_none(tmp_path):
    assert checkpoint.load(tmp_path) is None
    assert checkpoint.load(tmp_path / "absent") is None
    assert not checkpoint.exists(tmp_path)


def test_load_returns_every_bit(tmp_path):
    save(tmp_path / "new", 3)
    found = checkpoint.load(tmp_path / "new")
    assert found is not None
    arrays, meta = found
    assert meta == {"epoch": 3, "beta": 0.1, "experiment": "name = 'ä'"}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        assert arrays[name].tobytes() == array.tobytes()
    arrays["state"][0, 0] = 0.0  # a run goes on in these arrays


def test_newest_is_used_and_the_previous_kept(tmp_path):
    for epoch in (1, 2, 3):
        save(tmp_path, epoch)
    assert epoch_in(tmp_path) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "checkpoint.npz",
        "checkpoint.previous.npz",
    ]
    (tmp_path / "checkpoint.npz").unlink()  # as if killed between the two renames
    assert epoch_in(tmp_path) == 2


def test_every_flipped_bit_is_found_or_harmless(tmp_path):
    save(tmp_path, 1, {"state": np.arange(40.0)})
    path = tmp_path / "checkpoint.npz"
    whole = path.read_bytes()
    refused = 0
    for position in range(len(whole)):
        path.write_bytes(whole)
        damage(path, position, 1 << position % 8)
        try:
            found = checkpoint.load(tmp_path)
        except RecordError:
            refused += 1
        else:
            # The zip container has bytes without meaning (dates, versions, attributes).
            assert found is not None
            np.testing.assert_array_equal(found[0]["state"], np.arange(40.0), strict=True)
            assert found[1]["epoch"] == 1
    assert refused > len(whole) / 2


def test_truncated_file_is_refused(tmp_path):
    save(tmp_path, 1)
    path = tmp_path / "checkpoint.npz"
    whole = path.read_bytes()
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(RecordError, match=r"checkpoint\.npz is damaged.*--overwrite"):
            checkpoint.load(tmp_path)


def test_damaged_newest_falls_back_and_says_so(tmp_path):
    save(tmp_path, 1)
    save(tmp_path, 2)
    damage(tmp_path / "checkpoint.npz", 300)
    with pytest.warns(UserWarning, match=r"checkpoint\.npz is damaged.* Going on from"):
        assert epoch_in(tmp_path) == 1
    said: list[str] = []
    assert checkpoint.load(tmp_path, warn=said.append) is not None
    assert len(said) == 1
    save(tmp_path, 2)
    assert epoch_in(tmp_path) == 2


def test_two_damaged_files_are_both_named(tmp_path):
    save(tmp_path, 1)
    save(tmp_path, 2)
    damage(tmp_path / "checkpoint.npz", 300)
    damage(tmp_path / "checkpoint.previous.npz", 300)
    with pytest.raises(RecordError, match=r"checkpoint\.npz.*checkpoint\.previous\.npz"):
        checkpoint.load(tmp_path)


def test_other_npz_file_is_no_checkpoint(tmp_path):
    np.savez(tmp_path / "checkpoint.npz", a=np.arange(3))
    with pytest.raises(RecordError, match="not a checkpoint"):
        checkpoint.load(tmp_path)


def test_pickled_content_is_never_loaded(tmp_path):
    np.savez(tmp_path / "checkpoint.npz", a=np.array([{}], dtype=object))
    with pytest.raises(RecordError, match="damaged"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    ("call", "nth"), [("open", 1), ("fsync", 1), ("replace", 1), ("replace", 2)]
)
def test_failing_write_leaves_the_earlier_checkpoint(tmp_path, monkeypatch, call, nth):
    save(tmp_path, 1)
    save(tmp_path, 2)
    real = open if call == "open" else getattr(os, call)
    calls = []

    def fail(*args, **options):
        calls.append(args)
        if len(calls) == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(storage if call == "open" else storage.os, call, fail, raising=False)
        with pytest.raises(RecordError, match=r"disk is full.*untouched"):
            save(tmp_path, 3)
    assert epoch_in(tmp_path) == 2
    save(tmp_path, 3)
    assert epoch_in(tmp_path) == 3


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except OSError as error:
        pytest.skip(f"cannot mount a small tmpfs: {error}")
    if done.returncode:
        pytest.skip(f"cannot mount a small tmpfs: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=10)


def test_really_full_disk_leaves_the_earlier_checkpoint(small_disk):
    save(small_disk, 1)
    with pytest.raises(RecordError, match="disk is full"):
        save(small_disk, 2, {"state": np.zeros(100_000)})
    assert [p.name for p in small_disk.iterdir()] == ["checkpoint.npz"]
    assert epoch_in(small_disk) == 1
    save(small_disk, 2)
    assert epoch_in(small_disk) == 2


def test_remove_leaves_nothing(tmp_path):
    save(tmp_path, 1)
    save(tmp_path, 2)
    checkpoint.remove(tmp_path)
    checkpoint.remove(tmp_path)
    assert not any(tmp_path.iterdir())
