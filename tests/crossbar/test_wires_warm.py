"""Solutions that follow an array from change to change."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.crossbar.wires.resistances import Wires
from ohmlearn.crossbar.wires.solution import ArraySolution, lines_of
from ohmlearn.crossbar.wires.solver import ArraySolver, solve_array
from ohmlearn.crossbar.wires.store import arranged, empty_store
from ohmlearn.crossbar.wires.sweeps import find_mode, rebase

HEAVY = Wires(1.0, 1.0)
UNEQUAL = Wires(r_word=3.0, r_bit=0.5, r_driver=50.0, r_sense=7.0)


def cells(rows: int, columns: int, seed: int = 7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 1.0 / np.exp(rng.uniform(np.log(1e4), np.log(1e5), (rows, columns)))


def chain(g: np.ndarray, wires: Wires, links: int, tolerance: float) -> list[ArraySolution]:
    """Return solutions after 1 % of the cells changed again and again, and the last cold one."""
    rng, solver = np.random.default_rng(3), ArraySolver(g, wires)
    v = rng.uniform(0, 0.2, len(g))
    found = [solver.solve(v, tolerance=tolerance)]
    for _ in range(links):
        g = g.copy()
        at = rng.choice(g.size, g.size // 100, replace=False)
        g.ravel()[at] *= 1.0 + rng.normal(0, 0.02, at.size)
        solver.update(g)
        found.append(solver.solve(v, tolerance=tolerance, start=found[-1]))
    return [*found, solve_array(g, wires, v, tolerance=1e-13)]


@pytest.mark.parametrize("wires", [HEAVY, UNEQUAL, Wires(2.0, 0.0, 0.0, 3.0), Wires(0.0, 2.0)])
@pytest.mark.parametrize("shape", [(64, 64), (51, 70), (130, 33)])
def test_a_chain_of_changes_ends_where_a_cold_solution_does(wires, shape):
    *found, exact = chain(cells(*shape), wires, 20, 1e-10)
    assert all(s.converged and s.residual <= 1e-10 for s in found)
    assert max(s.iterations for s in found[5:]) <= 3
    error = np.abs(found[-1].output - exact.output).max()
    assert error < 2e-9 * exact.output.max()
    np.testing.assert_allclose(found[-1].word_voltage, exact.word_voltage, atol=1e-9)
    np.testing.assert_allclose(found[-1].bit_voltage, exact.bit_voltage, atol=1e-9)


@pytest.mark.parametrize(("size", "links"), [(64, 40), (128, 24)])
def test_what_is_left_does_not_add_up(size, links):
    tolerance = 1e-8
    *found, exact = chain(cells(size, size), Wires(4.0, 4.0), links, tolerance)
    error = np.abs(found[-1].output - exact.output).max()
    assert error < tolerance * exact.output.max()


@pytest.mark.parametrize("batch", [None, 1, 2])
def test_wires_carry_the_cells_current_without_the_excess(batch):
    g, rng = cells(40, 50), np.random.default_rng(6)
    v, solver = rng.uniform(0, 0.2, (batch or 1, 40)), ArraySolver(g, Wires(20.0, 20.0))
    last = solver.solve(v[0] if batch is None else v, tolerance=1e-14)
    assert last.excess is None
    for _ in range(8):
        g = g * rng.normal(1.0, 0.02, g.shape)
        solver.update(g)
        last = solver.solve(v[0] if batch is None else v, tolerance=1e-5, start=last)
    assert last.excess is not None
    assert last.excess.shape == last.device_current.shape
    for k in range(batch or 1):
        drop, rise, current, excess, output = (
            np.reshape(a, (batch or 1, *a.shape[-n:]))[k]
            for a, n in (
                (last.word_drop, 2), (last.bit_rise, 2), (last.device_current, 2),
                (last.excess, 2), (last.output, 1),
            )
        )  # fmt: skip
        word = np.diff(drop, axis=1) / 20.0
        word = -np.diff(word, axis=1, append=0.0)  # into all nodes but the first
        bit = -np.diff(rise, axis=0) / 20.0
        bit = np.diff(bit, axis=0, prepend=0.0)  # out of all nodes but the last
        # Sources were rounded to float32 when the cells changed.
        np.testing.assert_allclose(current[:, 1:] - word, excess[:, 1:], rtol=0, atol=2e-13)
        np.testing.assert_allclose(current[:-1] - bit, excess[:-1], rtol=0, atol=2e-13)
        assert 1e-11 < np.abs(excess).max() < 1e-5 * output.max()


@pytest.mark.parametrize(
    "wires", [Wires(20.0, 5.0, 90.0, 40.0), Wires(20.0, 30.0), Wires(10.0, 10.0, 0.0, 300.0)]
)
@pytest.mark.parametrize("shape", [(40, 50), (13, 9), (9, 2)])
def test_the_residual_is_what_stays_at_the_nodes(wires, shape):
    g, rng = cells(*shape), np.random.default_rng(8)
    v, solver, lines = rng.uniform(0, 0.2, shape[0]), ArraySolver(g, wires), lines_of(wires)
    last = solver.solve(v, tolerance=1e-12)
    for _ in range(3):
        g = g * rng.normal(1.0, 0.05, shape)
        solver.update(g)
        last = solver.solve(v, tolerance=1e-2, start=last)
    flow = np.diff(last.word_drop, axis=1, append=last.word_drop[:, -1:]) / lines.r_word
    first = last.word_drop[:, :1] / lines.t_word
    word = np.hstack([first, flow[:, :-1]]) - flow - last.device_current
    flow = -np.diff(last.bit_rise, axis=0, prepend=last.bit_rise[:1]) / lines.r_bit
    out = last.bit_rise[-1:] / lines.t_bit
    bit = np.vstack([flow[1:], out]) - flow - last.device_current
    largest = max(np.abs(last.supply).max(), np.abs(last.output).max())
    left = max(np.abs(word).max(), np.abs(bit).max()) / largest
    assert 1e-9 < left < 1e-2
    assert last.residual == pytest.approx(left, rel=1e-4)


def test_following_takes_fewer_iterations_than_starting_anew_and_repeats():
    found = chain(cells(128, 128), HEAVY, 12, 1e-9)
    again = chain(cells(128, 128), HEAVY, 12, 1e-9)
    assert [s.iterations for s in found[-4:-1]] == [1, 1, 1]
    assert found[0].iterations >= 4
    for a, b in zip(found, again, strict=True):
        np.testing.assert_array_equal(a.device_current, b.device_current)


def test_another_array_or_drive_may_follow():
    g, rng = cells(40, 30), np.random.default_rng(4)
    solver = ArraySolver(g, UNEQUAL)
    v = rng.uniform(0, 0.2, 40)
    last = solver.solve(np.zeros(40))
    for k in range(6):
        g, v = cells(40, 30, seed=k) * 10.0 ** (k % 2), rng.normal(0, 0.2, 40)
        solver.update(g)
        last = solver.solve(v, start=last)
        exact = solve_array(g, UNEQUAL, v)
        assert last.converged
        np.testing.assert_allclose(
            last.output, exact.output, atol=1e-10 * np.abs(exact.output).max()
        )
    reverse = solver.solve(None, rng.normal(0, 0.2, 30), start=last)
    exact = solve_array(g, UNEQUAL, None, reverse.v_bit)
    np.testing.assert_allclose(reverse.supply, exact.supply, rtol=1e-9, atol=1e-15)


def test_a_start_may_be_any_view_of_its_arrays():
    g, v = cells(20, 16), np.random.default_rng(5).uniform(0, 0.2, (2, 20))
    solver = ArraySolver(g, HEAVY)
    both = solver.solve(v)
    turned = both._replace(
        word_drop=np.asfortranarray(both.word_drop), bit_rise=both.bit_rise[:, ::-1][:, ::-1]
    )
    turned.device_current.setflags(write=False)
    g = 1.01 * g
    solver.update(g)
    np.testing.assert_allclose(
        solver.solve(v, start=turned).output, solve_array(g, HEAVY, v).output, rtol=1e-10
    )


def test_the_slowest_mode_is_an_eigenvector():
    g, lines = cells(24, 20), lines_of(Wires(40.0, 20.0, 30.0, 70.0))
    store = empty_store(24, 20, 8)
    base, _, _ = arranged(*store)
    rebase(g, lines, base)
    base.mode[...] = 1.0
    lam = find_mode(lines, 6, *store)

    def wires_of(n: int, r: float, t: float, at: int) -> np.ndarray:
        laplace = (np.diag(np.full(n, 2.0)) - np.eye(n, k=1) - np.eye(n, k=-1)) / r
        laplace[-1 - at, -1 - at] = 1 / r  # the open end is opposite the terminal
        laplace[at, at] = 1 / r + 1 / t
        return laplace

    word = wires_of(20, lines.r_word, lines.t_word, 0)
    bit = wires_of(24, lines.r_bit, lines.t_bit, -1)
    mode = base.mode.astype(float)
    w = np.stack([np.linalg.solve(word + np.diag(a), a * x) for a, x in zip(g, mode, strict=True)])
    driven, held = g * w, bit @ mode + g * mode
    assert np.sum(mode * held) == pytest.approx(1.0, rel=1e-4)
    assert np.sum(mode * driven) == pytest.approx(lam, rel=1e-4)
    np.testing.assert_allclose(driven, lam * held, atol=1e-3 * np.abs(driven).max())
