"""The matrix of an array with wires: exact when made, within its bound after pulses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmlearn.crossbar.wires import linear
from ohmlearn.crossbar.wires.bound import error_bound, error_estimate, margins
from ohmlearn.crossbar.wires.effective import EffectiveMap, correct, effective_map, exact_change
from ohmlearn.crossbar.wires.resistances import Wires
from ohmlearn.crossbar.wires.solution import lines_of
from ohmlearn.crossbar.wires.solver import solve_array
from ohmlearn.errors import ConfigError, SimulationError
from ohmlearn.jit import kernel

WIRES = Wires(2.0, 3.0, 40.0, 10.0)
every_wire = pytest.mark.parametrize(
    "wires",
    [
        Wires(2.0, 2.0),
        WIRES,
        Wires(),
        Wires(r_word=5.0),
        Wires(r_bit=5.0),
        Wires(0, 0, 30.0, 20.0),
    ],
)


def cells(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(5e-6, 100e-6, (rows, columns))


@kernel
def pulse(m, f, spent_row, spent_column, rows, columns, dg):
    for k in range(rows.size):
        correct(m, f, spent_row, spent_column, rows[k], columns[k], dg[k])


def follow(emap: EffectiveMap, rows, columns, dg) -> None:
    pulse(emap.m, emap.f, emap.spent_row, emap.spent_column, rows, columns, dg)


@every_wire
@pytest.mark.parametrize("shape", [(20, 30), (17, 9), (1, 12), (12, 1), (1, 1)])
def test_the_map_is_the_array(wires, shape):
    g, rng = cells(*shape), np.random.default_rng(1)
    emap = effective_map(g, wires)
    assert emap.matrix.shape == shape
    v, u = rng.normal(size=shape[0]), rng.normal(size=shape[1])
    read, back = solve_array(g, wires, v), solve_array(g, wires, None, u)
    scale = np.abs(emap.matrix).max()
    np.testing.assert_allclose(v @ emap.matrix, read.output, rtol=1e-8, atol=1e-9 * scale)
    np.testing.assert_allclose(u @ emap.matrix.T, -back.supply, rtol=1e-8, atol=1e-9 * scale)
    single = effective_map(g, wires, dtype=np.float32)
    assert single.m.dtype == single.f.dtype == np.float32
    np.testing.assert_allclose(single.matrix, emap.matrix, atol=3e-6 * scale)
    np.testing.assert_allclose(single.f, emap.f, atol=1e-4)


@every_wire
def test_sensitivities_are_derivatives(wires):
    g = cells(8, 6)
    emap = effective_map(g, wires)
    step = 1e-4
    for i in range(8):
        for j in range(6):
            change = np.zeros_like(g)
            change[i, j] = step * g[i, j]
            up, down = (
                solve_array(g + s * change, wires, np.eye(8)[i]).output[j] for s in (1, -1)
            )
            slope = (up - down) / (2 * change[i, j])
            assert emap.sensitivity[i, j] == pytest.approx(slope, rel=3e-6)
    assert np.all((emap.f > 0) & (emap.f <= 1 + 1e-12))


def test_an_array_too_stiff_to_relax_still_has_a_map(monkeypatch):
    g = cells(10, 7)
    expected = effective_map(g, WIRES)
    monkeypatch.setattr("ohmlearn.crossbar.wires.effective._relaxed", lambda *_: None)
    slow = effective_map(g, WIRES)
    np.testing.assert_allclose(slow.m, expected.m, rtol=1e-8)
    np.testing.assert_allclose(slow.f, expected.f, rtol=1e-5)
    short = np.where(cells(12, 12) > 5e-5, 1.0, 0.0)
    emap = effective_map(short, Wires(100.0, 100.0))
    read = solve_array(short, Wires(100.0, 100.0), np.ones(12)).output
    np.testing.assert_allclose(emap.matrix.sum(axis=0), read, rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.01, 0.1, 1.0])
def test_after_pulses_the_error_is_below_its_bound(share, dtype):
    g, rng = cells(48, 40), np.random.default_rng(2)
    wires = Wires(2.0, 2.0)
    emap = effective_map(g, wires, dtype=dtype)
    assert error_bound(emap) == 0.0
    pulse_size = 0.2375e-6
    for _ in range(3):
        at = rng.choice(g.size, int(share * g.size), replace=False)
        dg = rng.choice([-1.0, 1.0], at.size) * pulse_size
        g.ravel()[at] += dg
        follow(emap, at // 40, at % 40, dg)
    exact = effective_map(g, wires).matrix
    rounding = 1e-6 * exact.max() if dtype == np.float32 else 1e-14
    error = np.abs(emap.matrix - exact).max() - rounding
    assert error < error_bound(emap, single=3 * pulse_size) <= error_bound(emap)
    assert error < error_estimate(emap, pulse_size) < error_bound(emap)


def test_conspiring_pulses_come_close_to_the_bound():
    """All pulses raise the cells of one row: the bound must hold, and is not idle talk."""
    g, wires = np.full((40, 40), 50e-6), Wires(2.0, 2.0)
    emap = effective_map(g, wires)
    before = emap.matrix.copy()
    rows, columns, dg = np.full(40, 20), np.arange(40), np.full(40, 2e-6)
    g[20] += 2e-6
    follow(emap, rows, columns, dg)
    error = np.abs(emap.matrix - effective_map(g, wires).matrix).max()
    bound = error_bound(emap, single=2e-6)
    assert error < bound < 20 * error
    assert error < 0.2 * np.abs(before - effective_map(g, wires).matrix).max()


@settings(max_examples=40, deadline=None)
@given(
    r=st.tuples(*[st.sampled_from([0.0, 0.5, 20.0]) for _ in range(4)]),
    size=st.sampled_from([1e-8, 1e-6, 3e-5]),
    seed=st.integers(0, 2**31),
)
def test_no_change_breaks_the_bound(r, size, seed):
    rng, wires = np.random.default_rng(seed), Wires(*r)
    g = rng.uniform(0, 1e-4, (9, 7))
    emap = effective_map(g, wires)
    n = rng.integers(1, 60)
    rows, columns = rng.integers(0, 9, n), rng.integers(0, 7, n)
    dg = rng.uniform(-size, size, n)
    after = g.copy()
    np.add.at(after, (rows, columns), dg)
    dg, after = (dg, after) if np.all(after >= 0) else (np.abs(dg), g.copy())
    if np.array_equal(after, g):
        np.add.at(after, (rows, columns), dg)
    follow(emap, rows, columns, dg)
    exact = effective_map(after, wires).matrix
    assert np.abs(emap.matrix - exact).max() <= error_bound(emap) + 1e-9 * exact.max()


def test_margins_are_those_of_the_lines():
    g, lines = cells(6, 5), lines_of(WIRES)
    found = margins(g, lines)
    word, bit = np.empty(6), np.empty(5)
    sees_word, sees_bit = np.empty((2, 6, 5))
    for i in range(6):
        matrix = np.diag(g[i]) + _ladder(5, 2.0, 42.0, end=0)
        word[i] = np.linalg.solve(matrix, g[i]).max()
        sees_word[i] = np.diag(np.linalg.inv(matrix))
    for j in range(5):
        matrix = np.diag(g[:, j]) + _ladder(6, 3.0, 13.0, end=5)
        bit[j] = np.linalg.solve(matrix, g[:, j]).max()
        sees_bit[:, j] = np.diag(np.linalg.inv(matrix))
    assert found.kappa_word == pytest.approx(word.max())
    assert found.kappa_bit == pytest.approx(bit.max())
    assert found.rho_word == pytest.approx((g * sees_word).max())
    assert found.rho_bit == pytest.approx((g * sees_bit).max())
    assert (found.r_word, found.r_bit) == (42.0 + 4 * 2.0, 13.0 + 5 * 3.0)


def _ladder(n: int, r: float, t: float, end: int) -> np.ndarray:
    matrix = np.zeros((n, n))
    for k in range(n - 1):
        matrix[k : k + 2, k : k + 2] += np.array([[1, -1], [-1, 1]]) / r
    matrix[end, end] += 1 / t
    return matrix


@every_wire
@pytest.mark.parametrize("count", [0, 1, 7])
def test_a_few_changes_are_followed_exactly(wires, count):
    g, rng = cells(14, 12), np.random.default_rng(4)
    at = rng.choice(g.size, count, replace=False)
    dg = rng.uniform(-1, 3, count) * g.ravel()[at]
    after = g.copy()
    after.ravel()[at] += dg
    change = exact_change(g, wires, at // 12, at % 12, dg)
    eye = np.eye(14)
    exact = solve_array(after, wires, eye).output - solve_array(g, wires, eye).output
    np.testing.assert_allclose(change, exact, atol=1e-9 * g.max())


def test_an_array_that_is_not_solved_gives_no_map(monkeypatch):
    monkeypatch.setattr(linear, "_DIRECT_CELLS", 0)  # as if it were too large for elimination
    g = 1e8 * cells(160, 160)
    with pytest.raises(
        SimulationError, match=r"160 x 160 cells .* is not converged .*crossbar\.tile"
    ):
        effective_map(g, Wires(1.0, 1.0))


def test_bad_input_is_refused_with_a_sentence():
    g = cells(4, 3)
    with pytest.raises(ConfigError, match="float32 and float64"):
        effective_map(g, WIRES, dtype=np.int32)
    with pytest.raises(ConfigError, match="tolerance"):
        effective_map(g, WIRES, tolerance=0.0)
    with pytest.raises(ConfigError, match="nan S"):
        effective_map(np.full((2, 2), np.nan), WIRES)
    with pytest.raises(ConfigError, match="no cell twice"):
        exact_change(g, WIRES, [1, 1], [2, 2], [1e-6, 1e-6])
    with pytest.raises(ConfigError, match="one length"):
        exact_change(g, WIRES, [1], [2, 1], [1e-6, 1e-6])
    with pytest.raises(ConfigError, match="outside the array"):
        exact_change(g, WIRES, [4], [0], [1e-6])
    with pytest.raises(ConfigError, match="negative"):
        exact_change(g, WIRES, [0], [0], [-1.0])
