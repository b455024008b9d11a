"""A record holds what was given, and an earlier one survives every failure."""

import errno
import json
import os
from typing import Any

import numpy as np
import pytest

from ohmlearn import storage
from ohmlearn.errors import RecordError
from ohmlearn.experiment import load_experiment
from ohmlearn.record import SUMMARY_KEYS, is_record, read_record, write_record


def a_summary(accuracy: float = 0.95) -> dict:
    summary: dict[str, Any] = dict.fromkeys(SUMMARY_KEYS, 0)
    summary.update(
        test_accuracy=accuracy, effects=[{"name": "stuck", "on": True}], versions={"numpy": "2"}
    )
    return summary


ARRAYS = {"g_plus_1": np.linspace(5e-6, 1e-4, 12).reshape(3, 4), "none": np.zeros((0, 2))}
EVENTS = [
    {"epoch": 1, "test_accuracy": 0.1 + 0.2, "pulses": 12345678901},
    {"epoch": 2, "test_accuracy": float("nan"), "note": "a,b"},
]


def write(folder, summary=None, arrays=ARRAYS):
    return write_record(folder, load_experiment(None), summary or a_summary(), arrays, EVENTS)


def content(folder) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_record_reads_back_as_written(tmp_path):
    written = write(tmp_path / "a" / "b")
    read = read_record(tmp_path / "a" / "b")
    assert read.experiment == load_experiment(None).to_toml()
    assert read.summary == written.summary
    assert read.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read.arrays[name], array, strict=True)
    assert read.events[0] == {**EVENTS[0], "note": None}
    assert read.events[1] == {"epoch": 2, "test_accuracy": None, "pulses": None, "note": "a,b"}


def test_summary_is_plain_json(tmp_path):
    odd = {
        **a_summary(),
        "cells": np.int64(17),
        "accuracy": np.float32(0.5),
        "loss": float("nan"),
        "curve": np.array([1.0, np.inf]),
        "layers": (64, 10),
    }
    write(tmp_path, odd)
    summary = json.loads((tmp_path / "record.json").read_text(), parse_constant=pytest.fail)
    assert (summary["cells"], summary["accuracy"], summary["loss"]) == (17, 0.5, None)
    assert (summary["curve"], summary["layers"]) == ([1.0, None], [64, 10])
    assert set(SUMMARY_KEYS) <= summary.keys()


def test_same_record_gives_the_same_bytes(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b")
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_incomplete_summary_is_refused(tmp_path):
    summary = a_summary()
    del summary["pulses_total"]
    with pytest.raises(RecordError, match="lacks pulses_total"):
        write(tmp_path, summary)
    assert not any(tmp_path.iterdir())


def test_python_objects_are_never_pickled(tmp_path):
    with pytest.raises(ValueError, match="pickle"):
        write(tmp_path, arrays={"a": np.array([{}, []], dtype=object)})
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_full_disk_leaves_the_earlier_record(tmp_path, monkeypatch, nth):
    write(tmp_path, a_summary(0.91))
    before = content(tmp_path)
    calls = []

    def fsync(handle):
        calls.append(handle)
        if len(calls) == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(storage.os, "fsync", fsync)
    with pytest.raises(RecordError, match="disk is full"):
        write(tmp_path, a_summary(0.99))
    assert content(tmp_path) == before
    assert read_record(tmp_path).summary["test_accuracy"] == 0.91


def test_folder_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="cannot write"):
        write(tmp_path / "file" / "record")


def test_missing_record_is_explained(tmp_path):
    with pytest.raises(RecordError, match="no finished run"):
        read_record(tmp_path)
    with pytest.raises(RecordError, match="no such folder"):
        read_record(tmp_path / "absent")
    assert not is_record(tmp_path)


@pytest.mark.parametrize("name", ["experiment.toml", "arrays.npz", "events.csv"])
def test_missing_or_changed_part_is_named(tmp_path, name):
    write(tmp_path)
    damaged = bytearray((tmp_path / name).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / name).write_bytes(damaged)
    with pytest.raises(RecordError, match=rf"{name} is damaged"):
        read_record(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(RecordError, match=rf"{name} is missing"):
        read_record(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "damaged or incomplete"),
        ('{"test_acc', "damaged or incomplete"),
        ("[1, 2]", "not the summary"),
        ('{"files": {}}', "lacks test_accuracy"),
    ],
)
def test_damaged_summary_is_explained(tmp_path, text, says):
    write(tmp_path)
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(RecordError, match=says):
        read_record(tmp_path)
