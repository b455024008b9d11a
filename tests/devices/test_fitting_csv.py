"""Trace files: three formats read as documented, and every wrong file one sentence."""

import re

import numpy as np
import pytest

from ohmlearn.devices.fitting.csv_rows import MOST_ROWS
from ohmlearn.devices.fitting.traces import describe, read_traces
from ohmlearn.errors import DataError

RISING = "".join(f"{k},{k}e-6\n" for k in range(1, 13))
PLAIN = "pulse,conductance\n" + RISING
WEIGHTS = "up_data,down_data\n" + "".join(f"{k / 10 - 1},{1 - k / 10}\n" for k in range(10))
STATES = "states,mean,std\n" + "".join(f"{k},{k + 1}e-6,1e-7\n" for k in range(10))

# name: content, number of the line that is wrong, words of the sentence
MALFORMED = {
    "empty": ("", 1, "empty"),
    "only blank lines": ("\n\n  \n", 1, "empty"),
    "only a comment": ("# nothing\n", 1, "empty"),
    "header only": ("pulse,conductance\n", 1, "no readings"),
    "no header": (RISING, 1, "no header"),
    "wrong header": (PLAIN.replace("pulse", "time"), 1, "allowed is up_data,down_data"),
    "column twice": (PLAIN.replace("conductance", "pulse"), 1, "twice"),
    "half a header": (WEIGHTS.replace("up_data,down_data", "up_data"), 1, "allowed is"),
    "text in a number": (PLAIN.replace("5,5e-6", "5,five"), 6, "'five'.*must be a number"),
    "underscore in a number": (PLAIN.replace("5,5e-6", "5,1_000"), 6, "must be a number"),
    "unit in a number": (PLAIN.replace("5,5e-6", "5,5 uS"), 6, "'5 uS'"),
    "empty value": (PLAIN.replace("5,5e-6", "5,"), 6, "conductance is empty"),
    "nan": (PLAIN.replace("5,5e-6", "5,nan"), 6, "must be finite"),
    "infinite": (PLAIN.replace("5,5e-6", "5,-inf"), 6, "must be finite"),
    "overflow": (PLAIN.replace("5,5e-6", "5,1e999"), 6, "must be finite"),
    "negative conductance": (PLAIN.replace("5,5e-6", "5,-5e-6"), 6, "must be >= 0.*weight"),
    "microsiemens without unit": (PLAIN.replace("5,5e-6", "5,52.5"), 6, "--unit"),
    "one row": ("pulse,conductance\n1,1e-6\n", 2, "only 1 readings"),
    "ragged, short": (PLAIN.replace("5,5e-6", "5"), 6, "1 value for the 2 columns"),
    "ragged, long": (PLAIN.replace("5,5e-6", "5,5e-6,9"), 6, "3 values for the 2 columns"),
    "decimal comma": (PLAIN.replace("5,5e-6", "5,0,000005"), 6, "decimal comma"),
    "semicolons": (PLAIN.replace(",", ";"), 1, "semicolons"),
    "tabs": (PLAIN.replace(",", "\t"), 1, "tabs"),
    "mixed separators": (PLAIN.replace("5,5e-6", "5;5e-6"), 6, "mixes separators"),
    "quotes": (PLAIN.replace("5,5e-6", '"5","5e-6"'), 6, "quotes"),
    "duplicate pulse": (PLAIN.replace("6,6e-6", "5,6e-6"), 7, "pulse 5 comes twice"),
    "pulse going back": (PLAIN.replace("6,6e-6", "2,6e-6"), 7, "after pulse 5"),
    "half a pulse": (PLAIN.replace("6,6e-6", "5.5,6e-6"), 7, "whole number"),
    "no pulse at all": (re.sub(r"(?m)^\d+,", "0,", PLAIN), 13, "no reading follows a pulse"),
    "constant trace": (re.sub(r"\d+e-6", "5e-6", PLAIN), 13, "constant"),
    "states out of order": (STATES.replace("5,6e-6", "7,6e-6"), 7, "must be 5, in order"),
    "negative deviation": (STATES.replace("5,6e-6,1e-7", "5,6e-6,-1e-7"), 7, "std is -1e-07"),
    "weight below zero": (WEIGHTS.replace("-0.5,", "-9.5,"), 7, "no conductance"),
}


def refusal(path) -> str:
    with pytest.raises(DataError) as caught:
        read_traces(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_gives_one_sentence_with_its_line(name, tmp_path):
    content, line, words = MALFORMED[name]
    path = tmp_path / "trace.csv"
    path.write_text(content, encoding="utf-8")
    message = refusal(path)
    assert f"line {line}: " in message
    assert re.search(words, message), message
    assert message.endswith(".")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (PLAIN.encode("utf-16"), 1),
        (b"pulse,conductance\n1,1e-6\n\x00\x01\x02", 3),
        (b"pulse,conductance\n1,1e-6\n2,\xff\xfe2e-6\n", 3),
        (("pulse,conductance\n" + "1,1e-6\n" * (MOST_ROWS + 3)).encode(), MOST_ROWS + 2),
        (b"pulse,conductance\n" + b"1" * 21_000_000, 1),
    ],
    ids=["UTF-16", "binary", "not UTF-8", "too many rows", "too many bytes"],
)
def test_bytes_that_are_no_text_give_one_sentence_with_their_line(content, line, tmp_path):
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    assert f"line {line}: " in refusal(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    assert "no such file" in refusal(tmp_path / "absent.csv")
    assert "folder" in refusal(tmp_path)


def test_weights_become_two_trains(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(WEIGHTS)
    traces = read_traces(path)
    assert traces.segments == 2
    assert traces.g[0] == pytest.approx(25e-6)  # w = -1
    np.testing.assert_array_equal(traces.pulses, [0] + [1] * 9 + [0] + [-1] * 9)
    # In siemens the same numbers would be negative conductances.
    with pytest.raises(DataError, match="--unit weight"):
        read_traces(path, "S")


def test_states_are_one_pulse_apart_upwards_or_downwards(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(STATES)
    rising = read_traces(path)
    np.testing.assert_array_equal(rising.pulses, [0] + [1] * 9)
    assert rising.spread == pytest.approx(1e-7)
    path.write_text(re.sub(r"(\d+)e-6", lambda m: f"{20 - int(m[1])}e-6", STATES))
    np.testing.assert_array_equal(read_traces(path).pulses, [0] + [-1] * 9)


def test_counted_pulses_and_directions_say_the_same(tmp_path):
    numbers = [0, 1, 2, 3, 5, 9, -1, -2, -6, 0, 1, 2]
    g = [f"{10 + k}e-6" for k in range(len(numbers))]
    path = tmp_path / "a.csv"
    path.write_text(
        "pulse,conductance\n" + "".join(f"{a},{b}\n" for a, b in zip(numbers, g, strict=True))
    )
    np.testing.assert_array_equal(
        read_traces(path).pulses, [0, 1, 1, 1, 2, 4, -1, -1, -4, 0, 1, 1]
    )
    signs = [0, 1, 1, 1, -1, -1, 0, 1, -1, 1, 1, 1]
    path.write_text(
        "conductance,pulse\n" + "".join(f"{b},{a}\n" for a, b in zip(signs, g, strict=True))
    )
    np.testing.assert_array_equal(read_traces(path).pulses, signs)


def test_cells_may_alternate_and_keep_their_own_order(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{k},{cell},{k + 10 * (cell == 'b') + 1}\n" for k in range(6) for cell in "ba"]
    path.write_text("pulse,device,conductance\n" + "".join(rows))
    traces = read_traces(path, "uS")
    assert (traces.devices, traces.segments) == (2, 2)
    assert traces.g[:6] == pytest.approx(1e-6 * np.arange(11, 17))  # 'b' comes first in the file
    assert traces.of_device(1).g == pytest.approx(1e-6 * np.arange(1, 7))
    assert describe(traces) == "12 readings of 2 cells, 10 SET and 0 RESET pulses"


def test_comments_blank_lines_a_byte_order_mark_and_any_line_end_are_fine(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(PLAIN)
    plain = read_traces(path)
    decorated = "\ufeff# a comment\n\n" + PLAIN.replace("\n", "\r\n") + "\n\n"
    path.write_bytes(decorated.encode())
    np.testing.assert_array_equal(read_traces(path).g, plain.g)


def test_units_differ_by_their_prefix(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(PLAIN.replace("e-6", ""))
    for unit, factor in {"mS": 1e-3, "uS": 1e-6, "nS": 1e-9}.items():
        assert read_traces(path, unit).g[0] == pytest.approx(factor)
    with pytest.raises(DataError, match="did you mean 'uS'"):
        read_traces(path, "us")
