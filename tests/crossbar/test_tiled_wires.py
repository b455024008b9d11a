"""Tiles with wires, cells that are not ohmic, and inputs as pulse widths."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar import Converters, TiledCrossbar, Wires
from ohmlearn.crossbar.tiles import currents as tile_currents
from ohmlearn.crossbar.wires import ArraySolver, solve_devices
from ohmlearn.devices import Effects, current, get_device, merge
from ohmlearn.errors import OhmlearnError

SOFT, SINH = get_device("SoftBounds"), get_device("StanfordPKU")
SHAPE = ROWS, COLUMNS = 7, 5
WIRES = Wires(40.0, 30.0, 20.0, 10.0)
WIDTH = Converters(encoding="pulse-width")
V_SINH = 0.5  # twice the scale of its sinh
every_direction = pytest.mark.parametrize("forward", [True, False])


def build(device: Any = SOFT, effects: dict[str, Any] | None = None, **options: Any):
    """Return an array at random weights."""
    options = {"tile": (4, 6), "seed": 3} | options
    if device is SINH:
        options = {"v_read": V_SINH} | options
    merged = merge(Effects(), effects or {})
    xbar = TiledCrossbar.build(*SHAPE, device, device.params(), merged, **options)
    xbar.set_weights(np.random.default_rng(7).uniform(-0.9, 0.9, SHAPE))
    return xbar


def drives(xbar: TiledCrossbar, forward: bool = True, batch: int = 3) -> np.ndarray:
    lines = SHAPE[0 if forward else 1]
    return xbar.v_full * np.random.default_rng(1).uniform(-1, 1, (batch, lines))


def reads(xbar: TiledCrossbar, v: np.ndarray, forward: bool):
    return xbar.sense(v) if forward else xbar.sense_back(v)


def close(found, expected, rtol=1e-9):
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * np.abs(expected).max())


def tiles(xbar: TiledCrossbar):
    """Yield word lines, columns and cells' numbers of every tile of a pair array."""
    cells = np.arange(2 * ROWS * COLUMNS).reshape(ROWS, COLUMNS, 2)
    for top in range(0, ROWS, xbar.tile[0]):
        for left in range(0, COLUMNS, xbar.tile[1]):
            at = slice(top, top + xbar.tile[0]), slice(left, left + xbar.tile[1])
            yield *at, cells[at].reshape(cells[at].shape[0], -1)


def physical(xbar: TiledCrossbar, solve, v: np.ndarray, forward: bool) -> np.ndarray:
    """Return the currents of an array of pairs whose tiles are solved by *solve*(cells, v, u)."""
    total = np.zeros(COLUMNS if forward else ROWS)
    for rows, columns, cells in tiles(xbar):
        if forward:
            out = solve(cells, v[rows], None).output
            total[columns] += out[::2] - out[1::2]
        else:
            u = np.repeat(v[columns], 2)
            u[1::2] *= -1
            total[rows] -= solve(cells, None, u).supply
    return total


@every_direction
def test_every_tile_is_an_array_with_its_own_wires(forward):
    xbar = build(wires=WIRES)
    v = drives(xbar, forward)

    def solve(cells, word, bit):
        return ArraySolver(xbar.crossbar.bank.g[cells], WIRES).solve(word, bit)

    found = reads(xbar, v, forward)
    close(found.current, [physical(xbar, solve, one, forward) for one in v])
    assert found.converged
    assert 0 < found.residual < 1e-11
    xbar.program(np.random.default_rng(0).integers(-9, 10, SHAPE))
    after = reads(xbar, v, forward)
    close(after.current, [physical(xbar, solve, one, forward) for one in v])
    assert np.abs(after.current - found.current).max() > 1e-3 * np.abs(found.current).max()


@pytest.mark.parametrize("encoding", ["pair", "offset", "single"])
def test_effective_weights_are_what_a_read_sees(encoding):
    xbar = build(wires=WIRES, encoding=encoding)
    v, u = drives(xbar), drives(xbar, False)
    seen = xbar.effective_weights * xbar.crossbar.unit
    close(xbar.read(v), v @ seen, 1e-8)
    close(xbar.read_back(u), u @ seen.T, 1e-8)
    lost = np.abs(seen / xbar.crossbar.unit - xbar.weights).max()
    assert 1e-3 < lost < 0.1


def test_smaller_tiles_lose_less_to_their_wires():
    exact = build().weights
    errors = [
        np.abs(build(wires=WIRES, tile=tile).effective_weights - exact).max()
        for tile in ((7, 10), (4, 6), (2, 4), (1, 2))
    ]
    assert errors == sorted(errors, reverse=True)


def test_wires_and_converters_act_one_after_the_other():
    v, converters = drives(build()), Converters(adc_bits=6)
    xbar = build(wires=WIRES, converters=converters, adc_range=1.5)
    partial = build(wires=WIRES).sense(v).partial
    step = 1.5 / 31 * xbar.current_unit
    expected = np.clip(np.rint(partial / step), -31, 31).sum(axis=0) * step
    close(xbar.read(v), expected)


def test_a_tile_that_was_not_solved_says_so(monkeypatch):
    impatient = partial(tile_currents.solve_cells, max_iterations=1)
    monkeypatch.setattr(tile_currents, "solve_cells", impatient)
    for converters in (Converters(), WIDTH):
        xbar = build(SINH, nonlinear=True, wires=WIRES, converters=converters)
        v = drives(xbar)
        read = xbar.sense(v)
        assert not read.converged
        assert read.residual > 1e-10
        assert "allow more max_iterations" in read.message
        with pytest.raises(OhmlearnError, match="a tile with wires is not converged"):
            xbar.read(v)


def by_hand(xbar: TiledCrossbar, v: np.ndarray, forward: bool) -> np.ndarray:
    """Return the currents of nonlinear cells on ideal lines, one by one, in plain Python."""
    total = np.zeros(COLUMNS if forward else ROWS)
    bank = xbar.crossbar.bank
    for i in range(ROWS):
        for j in range(COLUMNS):
            for arm, sign in ((0, 1.0), (1, -1.0)):
                c = 2 * (i * COLUMNS + j) + arm
                p = type(bank.like)(*bank.table[c])
                shown = bank.g[c] * xbar.v_full / current(p, xbar.v_full, bank.x[c])
                if forward:
                    total[j] += sign * shown * current(p, v[i], bank.x[c])
                else:
                    total[i] -= shown * current(p, -sign * v[j], bank.x[c])
    return total


@every_direction
def test_nonlinear_cells_follow_their_model(forward):
    """Also with write noise, which changes the size of the current and not its shape."""
    effects = {"write_noise": 0.5, "device_to_device": {"g0": 0.01}}
    xbar = build(SINH, effects, nonlinear=True)
    xbar.program(np.ones(SHAPE, int))
    v = drives(xbar, forward)
    found = reads(xbar, v, forward)
    close(found.current, [by_hand(xbar, one, forward) for one in v], 1e-12)
    full = np.sign(v) * xbar.v_full  # where current and conductance mean the same
    linear = replace(xbar, nonlinear=False)
    close(reads(xbar, full, forward).current, reads(linear, full, forward).current, 1e-12)
    assert (
        np.abs(reads(linear, v, forward).current - found.current).max()
        > 1e-2 * np.abs(found.current).max()
    )


@every_direction
def test_nonlinear_cells_on_wires_solve_the_circuit(forward):
    xbar = build(SINH, nonlinear=True, wires=WIRES)
    v, bank = drives(xbar, forward), xbar.crossbar.bank

    def solve(cells, word, bit):
        table, x = bank.table[cells.ravel()], bank.x[cells]
        return solve_devices(bank.like, table, x, WIRES, word, bit)

    found = reads(xbar, v, forward)
    assert found.converged
    assert found.residual < 1e-9
    close(found.current, [physical(xbar, solve, one, forward) for one in v], 1e-7)


@every_direction
@pytest.mark.parametrize("bits", [None, 4])
@pytest.mark.parametrize("wires", [None, WIRES])
def test_pulse_widths_are_amplitudes_to_linear_cells(forward, bits, wires):
    """Solved slice by slice as nonlinear cells, they add up to the amplitude read."""
    options: dict[str, Any] = {"wires": wires, "effects": {"read_noise": 0.02}}
    amplitude = build(converters=Converters(bits), **options)
    v = drives(amplitude, forward)
    for nonlinear in (False, True):
        width = build(converters=replace(WIDTH, dac_bits=bits), nonlinear=nonlinear, **options)
        amplitude.crossbar.reads = 0
        found, expected = reads(width, v, forward), reads(amplitude, v, forward)
        close(found.partial, expected.partial, 1e-7)
        close(found.current, expected.current, 1e-6)


@every_direction
def test_pulse_widths_multiply_exactly_with_cells_that_are_not_ohmic(forward):
    amplitude, width = (
        build(SINH, nonlinear=True, converters=Converters(encoding=name))
        for name in ("amplitude", "pulse-width")
    )
    v = drives(width, forward)
    ideal = v @ (width.weights if forward else width.weights.T) * width.crossbar.unit
    close(reads(width, v, forward).current, ideal, 1e-12)
    assert np.abs(reads(amplitude, v, forward).current - ideal).max() > 0.03 * np.abs(ideal).max()


def test_with_wires_pulse_widths_lose_what_a_loaded_line_loses():
    """The slices of a drive are the reads of lines that are on together."""
    xbar = build(SINH, nonlinear=True, wires=WIRES, converters=WIDTH, tile=(7, 10))
    steps = build(SINH, nonlinear=True, wires=WIRES, tile=(7, 10))
    signal = np.array([1.0, -0.5, 0.0, 0.5, 0.25, -1.0, 0.25])
    expected = np.zeros(COLUMNS)
    for width, before in ((0.25, 0.0), (0.5, 0.25), (1.0, 0.5)):
        on = np.where(np.abs(signal) >= width, np.sign(signal), 0.0)
        expected += (width - before) * steps.read(V_SINH * on)
    close(xbar.read(V_SINH * signal), expected, 1e-8)


def test_a_dark_input_gives_no_current():
    for options in ({}, {"nonlinear": True}, {"nonlinear": True, "wires": WIRES}):
        for converters in (Converters(), WIDTH):
            xbar = build(SINH, converters=converters, **options)
            np.testing.assert_array_equal(xbar.read(np.zeros((2, ROWS))), 0.0)
