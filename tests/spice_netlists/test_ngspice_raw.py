"""Raw files: what was written is what is read, and nothing broken is taken for a result."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmlearn.errors import NetlistError
from ohmlearn.spice_netlists.ngspice.raw import parse_raw, read_raw


def raw(data, kind="Operating Point", flags="real", points=None, names=None) -> bytes:
    names = names or [f"v(n{k})" for k in range(data.shape[1])]
    rows = "".join(f"\t{k}\t{name}\tvoltage\n" for k, name in enumerate(names))
    head = (
        f"Title: * t\nDate: today\nPlotname: {kind}\nFlags: {flags}\n"
        f"No. Variables: {data.shape[1]}\nNo. Points: {points or len(data)}\nVariables:\n{rows}"
    )
    return f"{head}Binary:\n".encode() + data.tobytes()


@given(points=st.integers(1, 7), vectors=st.integers(1, 5), seed=st.integers(0, 99))
def test_values_come_back_to_the_bit(points, vectors, seed):
    data = np.random.default_rng(seed).normal(size=(points, vectors))
    other = data[:1] + 1j
    first, second = parse_raw(raw(data) + raw(other, "AC Analysis", "complex"))
    np.testing.assert_array_equal(first.data, data)
    np.testing.assert_array_equal(second.data, other)
    assert second.kind == "AC Analysis"
    np.testing.assert_array_equal(first["V(n0)"], data[:, 0])


@given(cut=st.integers(1, 400))
def test_a_file_that_is_cut_short_is_refused(cut):
    content = raw(np.ones((5, 3)))
    if cut < len(content):
        with pytest.raises(NetlistError, match=r"cut short|not a raw file|not a binary raw file"):
            parse_raw(content[:-cut])


def test_columns_come_in_the_order_asked_for():
    (plot,) = parse_raw(raw(np.array([[1.0, 2.0, 3.0]]), names=["time", "v(a)", "i(v1)"]))
    np.testing.assert_array_equal(plot.columns(["i(v1)", "time"]), [[3.0, 1.0]])
    assert "V(A)" in plot
    with pytest.raises(NetlistError, match=r"v\(b\)"):
        plot.columns(["v(b)"])
    with pytest.raises(KeyError):
        _ = plot["v(b)"]


@pytest.mark.parametrize(
    "content",
    [
        b"Title: x\nValues:\n 0 1.0\n",
        raw(np.ones((1, 2))).replace(b"No. Points: 1", b"No. Points: many"),
        raw(np.ones((1, 2))).replace(b"No. Variables: 2", b"No. Variables: 3"),
        raw(np.ones((1, 2)), flags="real unpadded"),
    ],
)
def test_what_is_no_raw_file_is_refused(content):
    with pytest.raises(NetlistError):
        parse_raw(content)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(NetlistError, match="no results were written"):
        read_raw(tmp_path / "none.raw")
