"""Tiles with wires in ngspice against the solvers of ``crossbar.wires``, node by node."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ohmlearn.crossbar.wires import Wires, solve_array, solve_cells
from ohmlearn.devices.cell.access import ACCESS, Nmos, drain_current
from ohmlearn.devices.cell.dispatch import cell_current
from ohmlearn.devices.dispatch import cell
from ohmlearn.devices.registry import get_device
from ohmlearn.jit import kernel
from ohmlearn.spice_netlists.names import number
from ohmlearn.spice_netlists.ngspice import Plot, run_batch
from ohmlearn.spice_netlists.parts.tiles import FrozenCells, MemristorCells, Tile, tile

WITHIN = 1e-9  # V
OPTIONS = ".options temp=27 tnom=27 gmin=1e-16 reltol=1e-9 vntol=1e-12 abstol=1e-18"
SOFT = get_device("SoftBounds").params()
GATE = 2.5


def conductances(shape: tuple[int, int]) -> NDArray:
    return np.random.default_rng(0).uniform(5e-6, 100e-6, shape)


def drives(count: int) -> NDArray:
    return np.random.default_rng(1).uniform(-0.2, 0.2, count)


def read(t: Tile, v: NDArray, u: NDArray | None = None) -> Plot:
    """Return the operating point of a tile, its rows at *v* and its columns at *u* [V]."""
    deck = ["* a tile", t.netlist]
    for node, level in zip(t.nodes.row, v, strict=True):
        deck.append(f"v{node} {node} 0 {number(level)}")
    columns = () if u is None else t.nodes.column
    for node, level in zip(columns, drives(0) if u is None else u, strict=True):
        deck.append(f"v{node} {node} 0 {number(level)}")
    deck += [f"v{node} {node} 0 {GATE}" for node in t.nodes.gate]
    seen = {n for rows in (t.nodes.row_at, t.nodes.column_at) for r in rows for n in r} - {"0"}
    saved = [f"v({n})" for n in sorted(seen)] + [f"i(v{n})" for n in columns]
    deck += [OPTIONS, ".save " + " ".join(saved), ".op", ".end", ""]
    return run_batch("\n".join(deck), timeout=200)[0]


def at(plot: Plot, names: tuple[tuple[str, ...], ...]) -> NDArray:
    """Return the voltages of nodes by matrix index."""
    return np.array([[0.0 if n == "0" else plot[f"v({n})"][0] for n in row] for row in names])


def grounded(columns: int) -> list[str]:
    return ["0"] * columns


@pytest.mark.spice
@pytest.mark.parametrize(
    "wires",
    [Wires(2.0, 1.5, 30.0, 20.0), Wires(0.0, 1.5, 30.0, 0.0), Wires(2.0, 0.0, 0.0, 20.0),
     Wires(0.0, 0.0, 30.0, 20.0), Wires(2.0, 0.0), Wires(0.0, 2.0), Wires()],
)  # fmt: skip
@pytest.mark.parametrize("flat", [False, True])
def test_every_kind_of_wire(wires: Wires, flat: bool, ngspice: str):
    g, v, u = conductances((6, 5)), drives(6), drives(5)[::-1] / 3
    t = tile(FrozenCells(g), wires, flat=flat)
    plot, ours = read(t, v, u), solve_array(g, wires, v, u)
    assert np.abs(at(plot, t.nodes.row_at) - ours.word_voltage).max() < 1e-13
    assert np.abs(at(plot, t.nodes.column_at) - ours.bit_voltage).max() < 1e-13
    out = [plot[f"i(v{node})"][0] for node in t.nodes.column]
    np.testing.assert_allclose(out, ours.output, rtol=1e-9, atol=1e-18)


@pytest.mark.spice
@pytest.mark.parametrize("shape", [(64, 64), (24, 40)])
def test_frozen_cells(shape: tuple[int, int], ngspice: str):
    wires, g, v = Wires(2.0, 1.5, 30.0, 20.0), conductances(shape), drives(shape[0])
    g[3, 4] = 0.0
    t = tile(FrozenCells(g), wires, columns=grounded(shape[1]))
    plot, ours = read(t, v), solve_array(g, wires, v)
    assert np.abs(at(plot, t.nodes.row_at) - ours.word_voltage).max() < WITHIN
    assert np.abs(at(plot, t.nodes.column_at) - ours.bit_voltage).max() < WITHIN


@pytest.mark.spice
def test_memristors_each_with_parameters_of_its_own(ngspice: str):
    shape = (16, 12)
    rng = np.random.default_rng(2)
    table = np.tile(np.array(SOFT), (*shape, 1))
    table[..., 1] *= rng.uniform(0.8, 1.2, shape)  # g_max
    x0, v, wires = rng.random(shape), drives(16), Wires(2.0, 1.5, 30.0, 20.0)
    cells = MemristorCells(SOFT, x0, table=table)
    t = tile(cells, wires, columns=grounded(12))
    plot = read(t, v)
    g = table[..., 0] + (table[..., 1] - table[..., 0]) * x0
    ours = solve_array(g, wires, v)
    assert np.abs(at(plot, t.nodes.row_at) - ours.word_voltage).max() < WITHIN
    assert np.abs(at(plot, t.nodes.column_at) - ours.bit_voltage).max() < WITHIN


@kernel
def transistor_cells(like, table, access, x, drop, out, slope):
    """Write currents and slopes of 1T1R cells whose columns are at 0 V."""
    columns = drop.shape[1]
    for i in range(drop.shape[0]):
        for j in range(columns):
            p, v, h = cell(like, table, i * columns + j), drop[i, j], 1e-6
            out[i, j] = signed(p, access, v, x[i, j])
            up, down = signed(p, access, v + h, x[i, j]), signed(p, access, v - h, x[i, j])
            slope[i, j] = (up - down) / (2.0 * h)


@kernel
def signed(p, access, v, x):
    return cell_current(p, access, 2.5, v, 0.0, x)


@pytest.mark.spice
def test_64_by_64_cells_with_transistors_on_resistive_rows(ngspice: str):
    shape = (64, 64)
    x0, v = np.random.default_rng(3).random(shape), drives(64)
    wires = Wires(r_word=2.0, r_driver=30.0)
    t = tile(MemristorCells(SOFT, x0, ACCESS), wires, columns=grounded(64))
    plot = read(t, v)
    table = np.tile(np.array(SOFT), (x0.size, 1))

    def respond(drop: NDArray, out: NDArray, slope: NDArray) -> None:
        transistor_cells(SOFT, table, ACCESS, x0, drop, out, slope)

    ours = solve_cells(respond, shape, wires, v, tolerance=1e-13)
    assert ours.converged, ours.message
    assert np.abs(at(plot, t.nodes.row_at) - ours.word_voltage).max() < WITHIN


def kirchhoff(x0: NDArray, wires: Wires, v: NDArray, access: Nmos) -> NDArray:
    """Return the voltages of row lines, column lines and inner nodes [V], by Newton's method.

    Written out in full: nodes in one vector, a dense matrix, the transistor's own currents.
    """
    n, m = x0.shape
    size, g = n * m, SOFT.g_min + (SOFT.g_max - SOFT.g_min) * x0
    number_of = np.arange(3 * size).reshape(3, n, m)
    linear, source = np.zeros((3 * size, 3 * size)), np.zeros(3 * size)

    def conduct(a: int, b: int | None, siemens: float, level: float = 0.0) -> None:
        linear[a, a] += siemens
        if b is None:
            source[a] += siemens * level
            return
        linear[b, b] += siemens
        linear[a, b] -= siemens
        linear[b, a] -= siemens

    for i in range(n):
        for j in range(m):
            row, column, inner = (int(k) for k in number_of[:, i, j])
            conduct(row, inner, float(g[i, j]))
            if j:
                conduct(row, int(number_of[0, i, j - 1]), 1 / wires.r_word)
            if i:
                conduct(column, int(number_of[1, i - 1, j]), 1 / wires.r_bit)
        conduct(int(number_of[0, i, 0]), None, 1 / (wires.r_word + wires.r_driver), float(v[i]))
    for j in range(m):
        conduct(int(number_of[1, -1, j]), None, 1 / (wires.r_bit + wires.r_sense))
    pairs = list(zip(number_of[2].ravel().tolist(), number_of[1].ravel().tolist(), strict=True))
    e = np.zeros(3 * size)
    for _ in range(50):
        left, slope = linear @ e - source, linear.copy()
        for inner, column in pairs:
            i = drain_current(access, GATE, e[inner], e[column])
            left[inner] += i
            left[column] -= i
            for k in (inner, column):
                h = 1e-6
                up, down = e.copy(), e.copy()
                up[k] += h
                down[k] -= h
                d = drain_current(access, GATE, up[inner], up[column])
                d = (d - drain_current(access, GATE, down[inner], down[column])) / (2 * h)
                slope[inner, k] += d
                slope[column, k] -= d
        step = np.linalg.solve(slope, left)
        e -= step
        if np.abs(step).max() < 1e-14:
            break
    return e[number_of]


@pytest.mark.spice
def test_cells_with_transistors_between_resistive_rows_and_columns(ngspice: str):
    shape = (9, 7)
    x0, v = np.random.default_rng(4).random(shape), drives(9)
    wires = Wires(200.0, 150.0, 300.0, 200.0)
    t = tile(MemristorCells(SOFT, x0, ACCESS), wires, columns=grounded(7))
    plot, (row, column, _) = read(t, v), kirchhoff(x0, wires, v, ACCESS)
    assert np.abs(column).max() > 1e-3
    assert np.abs(at(plot, t.nodes.row_at) - row).max() < WITHIN
    assert np.abs(at(plot, t.nodes.column_at) - column).max() < WITHIN


@pytest.mark.spice
def test_states_are_found_under_their_names(ngspice: str):
    x0 = np.random.default_rng(5).random((3, 4))
    for flat in (False, True):
        cells = MemristorCells(SOFT, x0, ACCESS)
        t = tile(cells, Wires(1.0, 1.0), label="l1", columns=grounded(4), flat=flat)
        deck = ["* states", t.netlist, *(f"v{n} {n} 0 0.1" for n in (*t.nodes.row, *t.nodes.gate))]
        plot = run_batch("\n".join([*deck, ".op", ".end", ""]))[0]
        assert np.abs(at(plot, t.nodes.state) - x0).max() < 1e-9


@pytest.mark.spice
def test_a_layer_with_more_lines_than_a_subcircuit_takes_is_flat(ngspice: str):
    g, v = conductances((1568, 3)), drives(1568)
    t = tile(FrozenCells(g), columns=["a", "b", "c"], label="wide")
    assert t.flat
    deck = ["* wide", t.netlist, "va a 0 0.0", "vb b 0 0.0", "vc c 0 0.0"]
    deck += [f"v{n} {n} 0 {number(x)}" for n, x in zip(t.nodes.row, v, strict=True)]
    deck += [".save i(va) i(vb) i(vc)", ".op", ".end", ""]
    plot = run_batch("\n".join(deck))[0]
    found = [plot[f"i(v{k})"][0] for k in "abc"]
    np.testing.assert_allclose(found, v @ g, rtol=1e-9)
