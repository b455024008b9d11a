"""Linear cells on resistive wires: Kirchhoff's laws, reciprocity, limits, stiff corners."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import spsolve

from ohmlearn.crossbar.wires.direct import DirectSolver
from ohmlearn.crossbar.wires.resistances import CELLS, NODES, Wires, segment_capacitance
from ohmlearn.crossbar.wires.solution import ArraySolution, lines_of
from ohmlearn.crossbar.wires.solver import ArraySolver, solve_array
from ohmlearn.errors import ConfigError

HEAVY = Wires(1.0, 1.0)
UNEQUAL = Wires(r_word=3.0, r_bit=0.5, r_driver=50.0, r_sense=7.0)
every_wire = pytest.mark.parametrize("wires", [HEAVY, UNEQUAL, Wires(100.0, 1e-3, 0.0, 1.0)])


def cells(rows: int, columns: int, low: float = 1e4, high: float = 1e5, seed: int = 7):
    rng = np.random.default_rng(seed)
    return 1.0 / np.exp(rng.uniform(np.log(low), np.log(high), (rows, columns)))


def reference(g: np.ndarray, wires: Wires, v: np.ndarray, u: np.ndarray):
    """Return node voltages from the nodal matrix, written down segment by segment."""
    rows, columns = g.shape
    n = rows * columns
    matrix, right = sparse.lil_array((2 * n, 2 * n)), np.zeros(2 * n)

    def connect(a, b, conductance):
        for i, j in ((a, b), (b, a)):
            matrix[i, i] += conductance
            matrix[i, j] -= conductance

    def feed(a, conductance, voltage):
        matrix[a, a] += conductance
        right[a] += conductance * voltage

    for i in range(rows):
        for j in range(columns):
            word, bit = i * columns + j, n + i * columns + j
            if g[i, j] > 0:
                connect(word, bit, g[i, j])
            if j == 0:
                feed(word, 1.0 / (wires.r_word + wires.r_driver), v[i])
            else:
                connect(word, word - 1, 1.0 / wires.r_word)
            if i == rows - 1:
                feed(bit, 1.0 / (wires.r_bit + wires.r_sense), u[j])
            else:
                connect(bit, bit + columns, 1.0 / wires.r_bit)
    x = np.asarray(spsolve(matrix.tocsc(), right))
    return x[:n].reshape(g.shape), x[n:].reshape(g.shape)


def check_laws(s: ArraySolution, g: np.ndarray, wires: Wires, tolerance: float = 1e-11) -> None:
    """Check Ohm's and Kirchhoff's laws at every element and node, and the balance of power."""
    current = g * (s.word_voltage - s.bit_voltage)
    scale = max(np.abs(s.supply).max(), np.abs(s.output).max())
    np.testing.assert_allclose(s.device_current, current, rtol=1e-9, atol=tolerance * scale)
    along = np.hstack([s.v_word[:, np.newaxis], s.word_voltage])
    down = np.vstack([s.bit_voltage, s.v_bit])
    r_word, r_bit = np.full(g.shape, wires.r_word), np.full(g.shape, wires.r_bit)
    r_word[:, 0] += wires.r_driver
    r_bit[-1] += wires.r_sense
    volt = 1e-11 * max(np.abs(s.v_word).max(), np.abs(s.v_bit).max())
    np.testing.assert_allclose(-np.diff(along), r_word * s.word_line_current, atol=volt)
    np.testing.assert_allclose(-np.diff(down, axis=0), r_bit * s.bit_line_current, atol=volt)
    np.testing.assert_allclose(s.word_line_current[:, 0], s.supply, rtol=1e-12, atol=1e-15 * scale)
    np.testing.assert_allclose(s.bit_line_current[-1], s.output, rtol=1e-12, atol=1e-15 * scale)
    lost = np.sum(current * (s.word_voltage - s.bit_voltage))
    lost += np.sum(r_word * s.word_line_current**2) + np.sum(r_bit * s.bit_line_current**2)
    given_in = s.v_word @ s.supply - s.v_bit @ s.output
    assert given_in == pytest.approx(lost, rel=1e-9)


@every_wire
@pytest.mark.parametrize("shape", [(30, 30), (7, 13), (13, 6), (1, 9), (9, 1), (1, 1), (2, 5)])
def test_voltages_and_currents_equal_the_nodal_matrix(wires, shape):
    g, rng = cells(*shape), np.random.default_rng(1)
    for v, u in (
        (rng.uniform(0, 0.2, shape[0]), None),
        (None, rng.normal(0, 0.2, shape[1])),
        (rng.normal(0, 0.2, shape[0]), rng.normal(0, 0.2, shape[1])),
    ):
        s = solve_array(g, wires, v, u)
        word, bit = reference(g, wires, s.v_word, s.v_bit)
        assert s.converged
        assert s.residual < 1e-11
        np.testing.assert_allclose(s.word_voltage, word, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(s.bit_voltage, bit, rtol=1e-9, atol=1e-12)
        output = (g * (word - bit)).sum(axis=0)
        np.testing.assert_allclose(s.output, output, atol=1e-9 * np.abs(output).max())
        check_laws(s, g, wires)


@every_wire
def test_reading_backwards_is_the_transpose(wires):
    g = cells(11, 8)
    forward = solve_array(g, wires, np.eye(11)).output
    backward = -solve_array(g, wires, None, np.eye(8)).supply
    np.testing.assert_allclose(backward, forward.T, rtol=1e-9, atol=1e-18)


def test_the_array_turned_over_is_the_same_array():
    g, v = cells(9, 14), np.random.default_rng(2).uniform(0, 0.2, 9)
    turned = Wires(UNEQUAL.r_bit, UNEQUAL.r_word, UNEQUAL.r_sense, UNEQUAL.r_driver)
    a = solve_array(g, UNEQUAL, v)
    b = solve_array(np.ascontiguousarray(g[::-1, ::-1].T), turned, None, v[::-1])
    # Terminals sit left and below: turning the array over keeps them at the same cells.
    c = solve_array(np.ascontiguousarray(g.T[::-1, ::-1]), turned, None, v[::-1])
    np.testing.assert_allclose(b.output, c.output, rtol=1e-12)
    np.testing.assert_allclose(-b.supply[::-1], a.output, rtol=1e-9)


def test_without_wires_a_read_is_the_matrix_product():
    g, v = cells(12, 10), np.random.default_rng(3).normal(0, 0.2, (4, 12))
    ideal = solve_array(g, Wires(), v)
    np.testing.assert_allclose(ideal.output, v @ g, rtol=1e-13)
    assert ideal.residual == 0.0
    for r in (1e-3, 1e-6, 1e-9, 1e-12):
        s = solve_array(g, Wires(r, r, r, r), v)
        assert s.converged
        assert np.abs(s.output / (v @ g) - 1.0).max() < 50 * r * g.sum() + 1e-12
        assert s.residual < 1e-10


@pytest.mark.parametrize(
    "wires",
    [
        Wires(r_word=5.0),
        Wires(r_bit=5.0),
        Wires(r_driver=30.0),
        Wires(r_sense=30.0),
        Wires(r_driver=30.0, r_sense=20.0),
        Wires(r_word=5.0, r_sense=20.0),
        Wires(r_bit=5.0, r_driver=20.0),
        Wires(r_word=5.0, r_bit=2.0, r_driver=20.0),
    ],
)
def test_ideal_parts_are_the_limit_of_small_resistances(wires):
    g, rng = cells(9, 7), np.random.default_rng(4)
    v, u = rng.uniform(0, 0.2, (5, 9)), rng.uniform(0, 0.1, (5, 7))
    tiny = Wires(*(r or 1e-9 for r in (wires.r_word, wires.r_bit, wires.r_driver, wires.r_sense)))
    s = solve_array(g, wires, v, u)
    assert s.converged
    near = solve_array(g, tiny, v, u)
    np.testing.assert_allclose(s.output, near.output, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(s.supply, near.supply, rtol=1e-6, atol=1e-12)
    for k in range(5):
        one = solve_array(g, wires, v[k], u[k])
        check_laws(one, g, wires)


@every_wire
@pytest.mark.parametrize("batch", [2, 3, 8, 11])
def test_a_batch_equals_its_drives_one_by_one(wires, batch):
    g, rng = cells(21, 18), np.random.default_rng(5)
    v = rng.normal(0, 0.2, (batch, 21)) * np.logspace(0, -6, batch)[:, np.newaxis]
    together = solve_array(g, wires, v)
    assert together.converged
    assert together.word_drop.shape == (batch, 21, 18)
    for k in range(batch):
        one = solve_array(g, wires, v[k])
        scale = np.abs(one.output).max()
        np.testing.assert_allclose(together.output[k], one.output, atol=1e-10 * scale)
        np.testing.assert_allclose(
            together.device_current[k], one.device_current, atol=1e-9 * scale
        )
    again = solve_array(g, wires, v)
    for a, b in zip(together, again, strict=True):
        assert np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


def test_a_batch_may_start_from_a_batch():
    g, v = cells(16, 16), np.random.default_rng(6).uniform(0, 0.2, (6, 16))
    before = solve_array(g, HEAVY, v)
    g[3, 4] *= 1.5
    after, cold = solve_array(g, HEAVY, v, start=before), solve_array(g, HEAVY, v)
    np.testing.assert_allclose(after.output, cold.output, rtol=1e-10)
    one_drive = before._make(a[0] if isinstance(a, np.ndarray) else a for a in before)
    np.testing.assert_allclose(
        solve_array(g, HEAVY, v[0], start=one_drive).output, cold.output[0], rtol=1e-10
    )


@pytest.mark.parametrize("tolerance", [1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("size", [1e-4, 0.02, 3.0])
def test_a_warm_start_reaches_the_same_solution(tolerance, size):
    g, rng = cells(64, 64), np.random.default_rng(8)
    v = rng.uniform(0, 0.2, 64)
    solver = ArraySolver(g, HEAVY)
    before = solver.solve(v, tolerance=tolerance)
    changed = g.copy()
    changed.ravel()[rng.choice(g.size, 41, replace=False)] *= 1.0 + size
    exact = solve_array(changed, HEAVY, v, tolerance=1e-14).output
    solver.update(changed)
    warm = solver.solve(v, tolerance=tolerance, start=before)
    assert warm.converged
    assert warm.residual <= max(tolerance, 1e-13)
    assert np.abs(warm.output - exact).max() < 64 * tolerance * exact.max() + 1e-13 * exact.max()
    unchanged = solver.solve(v, tolerance=tolerance, start=warm)
    assert unchanged.iterations == 0
    moved = solver.solve(1.01 * v, tolerance=tolerance, start=warm)
    np.testing.assert_allclose(moved.output, 1.01 * exact, rtol=100 * tolerance + 1e-12)


def test_a_warm_start_survives_a_start_from_other_wires():
    g, v = cells(20, 20), np.full(20, 0.1)
    elsewhere = solve_array(g, Wires(30.0, 3.0), v)
    s = solve_array(g, HEAVY, v, start=elsewhere)
    np.testing.assert_allclose(s.output, solve_array(g, HEAVY, v).output, rtol=1e-10)


STIFF = Wires(100.0, 100.0)


@pytest.mark.parametrize(
    ("g", "wires"),
    [
        (cells(40, 40, 100.0, 100.1), STIFF),
        (cells(40, 40, 1.0, 1e9), STIFF),
        (np.full((24, 24), 1.0), STIFF),
        (np.where(cells(30, 20) > 3e-5, 1.0, 0.0), STIFF),
        (np.where(cells(30, 20) > 3e-5, 1.0, 0.0), HEAVY),
        (cells(1, 200, 100.0, 1000.0), STIFF),
        (cells(200, 1, 100.0, 1000.0), STIFF),
        (cells(25, 25), Wires(1e6, 1e-6, 1e3, 0.0)),
        (cells(25, 25), Wires(1e-6, 1e6)),
    ],
)
def test_stiff_arrays_converge(g, wires):
    v = np.random.default_rng(9).uniform(0, 0.2, len(g))
    s = solve_array(g, wires, v)
    assert s.converged, s.message
    check_laws(s, g, wires, tolerance=1e-9)
    word, bit = reference(g, wires, s.v_word, s.v_bit)
    np.testing.assert_allclose(s.word_voltage, word, atol=1e-8 * v.max())
    np.testing.assert_allclose(s.bit_voltage, bit, atol=1e-8 * v.max())


def test_open_cells_and_no_drive_carry_nothing():
    s = solve_array(np.zeros((5, 4)), HEAVY, np.ones(5))
    assert s.converged
    assert not np.any(s.output)
    assert not np.any(s.word_drop)
    g = cells(5, 4)
    for v in (np.zeros(5), np.zeros((4, 5))):
        s = solve_array(g, HEAVY, v)
        assert (s.converged, s.iterations, s.residual) == (True, 0, 0.0)
        assert not np.any(s.device_current)
    level = solve_array(g, HEAVY, np.full(5, 0.3), np.full(4, 0.3))
    assert not np.any(level.output)
    lone = np.zeros((5, 4))
    lone[2, 1] = 1e-4
    s = solve_array(lone, HEAVY, np.ones(5))
    r = 2 * 1.0 + 1e4 + 3 * 1.0  # two segments to column 1, three from row 2 down
    np.testing.assert_allclose(s.output, [0, 1 / r, 0, 0], rtol=1e-12)


def test_too_few_iterations_fall_back_to_elimination_or_say_so(monkeypatch):
    g, v = cells(24, 24, 1.0, 1e6), np.full(24, 0.2)
    rescued = solve_array(g, STIFF, v, max_iterations=1)
    np.testing.assert_allclose(rescued.output, solve_array(g, STIFF, v).output, rtol=1e-9)
    monkeypatch.setattr("ohmlearn.crossbar.wires.linear._DIRECT_CELLS", 1)
    s = solve_array(g, STIFF, v, max_iterations=1)
    assert not s.converged
    assert s.residual > 1e-12
    assert "max_iterations" in s.message
    assert "shorted" in s.message


@every_wire
def test_elimination_solves_what_is_left_at_the_nodes(wires):
    g, rng = cells(6, 5), np.random.default_rng(10)
    fw, fb = rng.normal(size=(2, 6, 5))
    w, b = DirectSolver(g, lines_of(wires)).solve(fw, fb)
    word, bit = reference(g, wires, np.zeros(6), np.zeros(5))
    assert not np.any(word)
    assert not np.any(bit)
    across = g * (w - b)
    last = (np.cumsum(fb + across, axis=0) * wires.r_bit)[:-1]
    np.testing.assert_allclose(b[:-1] - b[1:], last, rtol=1e-8, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    r=st.tuples(*[st.sampled_from([0.0, 1e-3, 1.0, 100.0]) for _ in range(4)]),
    seed=st.integers(0, 2**31),
)
def test_any_small_array_obeys_the_laws(rows, columns, r, seed):
    rng = np.random.default_rng(seed)
    g = 10.0 ** rng.uniform(-7, -1, (rows, columns)) * (rng.uniform(size=(rows, columns)) > 0.2)
    wires = Wires(*r)
    s = solve_array(g, wires, rng.normal(size=rows), rng.normal(size=columns))
    assert s.converged, s.message
    if np.any(g):
        check_laws(s, g, wires, tolerance=1e-9)


def test_bad_input_is_refused_with_a_sentence():
    g, v = cells(4, 3), np.ones(4)
    for bad, word in (
        (np.ones(3), "shape"),
        (np.ones((0, 3)), "shape"),
        (-g, r"conductance of cell \(0, 0\)"),
        (np.where(g > 0, np.nan, g), "nan S"),
        (np.where(g > 0, np.inf, g), "inf S"),
    ):
        with pytest.raises(ConfigError, match=word):
            solve_array(bad, HEAVY, v)
    for v_word, v_bit, word in (
        (np.ones(3), None, r"v_word of shape \(3,\) for 4 lines"),
        (v, np.ones((2, 2)), "v_bit of shape"),
        (np.ones((2, 4)), np.ones((3, 3)), "2 drives and v_bit 3"),
        (np.full(4, np.nan), None, r"v_word\[0\] is nan V"),
        (None, np.full(3, np.inf), r"v_bit\[0\] is inf V"),
        (np.ones((2, 2, 4)), None, "shape"),
    ):
        with pytest.raises(ConfigError, match=word):
            solve_array(g, HEAVY, v_word, v_bit)
    for tolerance, iterations in ((0.0, 9), (np.nan, 9), (1e-9, 0)):
        with pytest.raises(ConfigError, match="allowed is a tolerance"):
            solve_array(g, HEAVY, v, tolerance=tolerance, max_iterations=iterations)
    with pytest.raises(ConfigError, match="start holds"):
        solve_array(g, HEAVY, v, start=solve_array(cells(3, 4), HEAVY, np.ones(3)))
    with pytest.raises(ConfigError, match="same shape"):
        ArraySolver(g, HEAVY).update(cells(3, 3))


def test_wires_say_what_is_wrong_with_them():
    bad: tuple[tuple[dict[str, Any], str], ...] = (
        ({"r_word": -1.0}, "r_word is -1.0 ohm"),
        ({"r_bit": np.nan}, "r_bit is nan"),
        ({"r_driver": np.inf}, "r_driver is inf"),
        ({"r_sense": "1"}, "a number of ohms"),
        ({"r_sense": True}, "a number of ohms"),
    )
    for keywords, word in bad:
        with pytest.raises(ConfigError, match=word):
            Wires(**keywords)
    with pytest.raises(FrozenInstanceError):
        HEAVY.r_word = 2.0  # pyright: ignore[reportAttributeAccessIssue]
    assert Wires().ideal
    assert not Wires(r_sense=1.0).bit_ideal
    assert UNEQUAL.exchanged == Wires(3.0, 0.5, 7.0, 50.0)


@pytest.mark.parametrize(
    ("node", "cell", "ohm"),
    [
        ("130", "1T1R", 0.230),
        ("90", "crosspoint", 0.115),
        ("65", "1T1R", 0.475),
        ("45", "crosspoint", 0.668),
        ("32", "1T1R", 2.12),
        ("22", "1T1R", 2.97),
        ("22", "crosspoint", 1.48),
        ("14", "1T1R", 4.92),
        ("7", "1T1R", 10.1),
    ],
)
def test_segments_of_a_technology_node(node, cell, ohm):
    wires = Wires.of_node(node, cell=cell)
    assert wires.r_word == wires.r_bit == pytest.approx(ohm, rel=5e-3)
    assert (wires.r_driver, wires.r_sense) == (0.0, 0.0)
    hot = Wires.of_node(node, cell=cell, temperature=400.0, r_driver=1e3, r_sense=2e3)
    assert hot.r_word == pytest.approx(1.451 * wires.r_word)
    assert (hot.r_driver, hot.r_sense) == (1e3, 2e3)


def test_nodes_shrink_and_their_names_are_checked():
    order = sorted(NODES, key=int)
    for cell in CELLS:
        r = [Wires.of_node(node, cell=cell).r_word for node in order]
        assert r == sorted(r, reverse=True)
    assert segment_capacitance("22") == pytest.approx(0.0256e-15)
    with pytest.raises(ConfigError, match="did you mean '22'"):
        Wires.of_node("22nm")
    with pytest.raises(ConfigError, match="unknown cell of an array"):
        Wires.of_node("22", cell="2T2R")
    for kelvin in (299.0, 501.0, np.nan):
        with pytest.raises(ConfigError, match="300 to 500 K"):
            Wires.of_node("22", temperature=kelvin)
