"""The closed forms of a read are what they stand for: sums of v i, an exact nodal solution."""

import numpy as np
import pytest

from ohmlearn.crossbar.tiles.lines import drive_columns, line_conductances
from ohmlearn.crossbar.tiles.tiled import TiledCrossbar
from ohmlearn.crossbar.wires.resistances import Wires
from ohmlearn.crossbar.wires.solver import solve_array
from ohmlearn.devices import get_preset
from ohmlearn.reporting.reads import Array, array_load, with_references

V = 0.2


@pytest.fixture
def setting():
    """Return cells of a pair array with a bias line, and signals of samples on both its sides."""
    generator = np.random.default_rng(3)
    g = generator.uniform(5e-6, 1e-4, (9, 5, 2))
    return g, generator.uniform(-1, 1, (200, 8)), generator.uniform(0, 1, (200, 5))


def mean_squares(*signals):
    return [np.mean(s**2, axis=0) for s in signals]


def test_forward_read_is_the_mean_of_v_times_i(setting):
    g, before, after = setting
    lines = V * np.hstack([before, np.ones((200, 1))])
    currents = lines[:, :, np.newaxis] * g.reshape(9, 10)
    direct = np.mean(np.sum(lines[:, :, np.newaxis] * currents, axis=(1, 2)))
    load = array_load(Array(1, g, ("forward",), True), "forward", mean_squares(before, after), V)
    assert load.cells == pytest.approx(direct, rel=1e-12)
    assert load.current >= np.mean(np.sum(np.abs(currents), axis=(1, 2)))
    assert (load.sensed, load.driven) == (5, 9)


def test_backward_read_is_the_mean_of_v_times_i(setting):
    g, before, after = setting
    lines = V * np.repeat(after, 2, axis=1)
    currents = lines[:, np.newaxis, :] * g.reshape(9, 10)[:8]
    direct = np.mean(np.sum(lines[:, np.newaxis, :] * currents, axis=(1, 2)))
    array = Array(1, g, ("backward",), True)
    load = array_load(array, "backward", mean_squares(before, after), V)
    assert load.cells == pytest.approx(direct, rel=1e-12)
    assert (load.sensed, load.driven) == (8, 10)


def offset_array(tile):
    """Return a tiled array of 9 x 5 weights with reference cells, and what a report makes of it.

    The report knows what a record holds: conductances of weights, those of a reference column.
    """
    device, preset = get_preset("HfO2-1T1R-demo")
    xbar = TiledCrossbar.build(
        9, 5, device, preset.params, preset.effects, tile=tile, encoding="offset", v_read=V, seed=4
    )
    xbar.set_weights(np.random.default_rng(5).uniform(-1, 1, (9, 5)))
    bare = Array(1, xbar.crossbar.conductance, ("forward", "backward"), bias=False)
    return xbar, with_references(bare, xbar.crossbar.reference, tile)


TILES = [(4, 2), (4, 5), (9, 3), (20, 16)]  # 9, 3, 2 and 1 of them


@pytest.mark.parametrize("tile", TILES)
def test_cells_are_those_of_the_tiles(tile):
    xbar, array = offset_array(tile)
    tiles = [line_conductances(xbar.crossbar, *place) for place in xbar.places()]
    assert array.g.size == xbar.crossbar.cells
    assert array.references == 9 * xbar.tiles[1]
    assert array.g.size + array.references == sum(g.size for g in tiles)


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("way", ["forward", "backward"])
def test_reads_with_references_are_those_of_the_tiles(tile, way):
    xbar, array = offset_array(tile)
    ahead, forward = np.random.default_rng(6).uniform(0, 1, 9), way == "forward"
    back = ahead[:5]
    power = current = 0.0
    for rows, columns in xbar.places():
        g = line_conductances(xbar.crossbar, rows, columns)
        lines = ahead[rows] if forward else drive_columns(xbar.crossbar, back[np.newaxis, columns])
        per_line = g.sum(axis=1 if forward else 0)
        power += float(np.sum(V**2 * lines**2 * per_line))
        current += float(np.sum(V * np.abs(lines) * per_line))
    load = array_load(array, way, mean_squares(ahead[np.newaxis], back[np.newaxis]), V, tile=tile)
    assert load.cells == pytest.approx(power, rel=1e-12)
    assert load.current + load.summed == pytest.approx(current, rel=1e-12)
    seen = xbar.sense(V * ahead) if forward else xbar.sense_back(V * back)
    assert load.conversions == seen.conversions
    columns, across = 5, xbar.tiles[1]
    assert (load.driven, load.sensed) == (
        (9, columns + across) if forward else (columns + across, 9)
    )


def test_mean_square_of_a_reference_line_is_an_upper_bound(setting):
    _, before, after = setting
    xbar, array = offset_array((4, 2))
    exact = 0.0
    for rows, columns in xbar.places():
        lines = drive_columns(xbar.crossbar, V * after[:, columns])
        g = line_conductances(xbar.crossbar, rows, columns)
        exact += float(np.mean(lines**2, axis=0) @ g.sum(axis=0))
    load = array_load(array, "backward", mean_squares(before, after), V, tile=(4, 2))
    assert exact < load.cells < 2 * exact
    alone = array_load(array, "backward", [np.zeros(9), np.eye(5)[1]], V, tile=(4, 2))
    assert alone.cells == pytest.approx(  # one signal is its own sum
        V**2 * (xbar.crossbar.conductance[:, 1].sum() + xbar.crossbar.reference.sum()), rel=1e-12
    )


def test_wire_loss_with_references_is_the_first_order_of_the_exact_solution():
    xbar, array = offset_array((4, 2))
    errors = []
    for r in (1.0, 0.1):
        wires = Wires(r_word=r, r_bit=3 * r, r_driver=10 * r, r_sense=5 * r)
        exact = 0.0
        for place in xbar.places():
            g = line_conductances(xbar.crossbar, *place)
            found = solve_array(g, wires, np.full(len(g), V))
            drop = found.word_voltage - found.bit_voltage
            exact += V * float(found.supply.sum()) - float(np.sum(drop * found.device_current))
        load = array_load(
            array, "forward", [np.ones(9), np.ones(5)], V, ohms=vars(wires), tile=(4, 2)
        )
        errors.append(abs(load.wires / exact - 1.0))
    assert errors[0] < 0.05
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.2)


@pytest.mark.parametrize("way", ["forward", "backward"])
def test_wire_loss_is_the_first_order_of_the_exact_solution(setting, way):
    g = setting[0][..., :1]
    everywhere = [np.ones(9), np.ones(5)]  # one voltage on all lines, where the bound is met
    errors = []
    for r in (1.0, 0.1):
        wires = Wires(r_word=r, r_bit=3 * r, r_driver=10 * r, r_sense=5 * r)
        ohms = {name: getattr(wires, name) for name in ("r_word", "r_bit", "r_driver", "r_sense")}
        load = array_load(Array(1, g, (way,), False), way, everywhere, V, ohms=ohms)
        words, bits = (V, 0.0) if way == "forward" else (0.0, V)
        # Backward the drivers stand at the bit lines.
        seen = wires if way == "forward" else wires.exchanged
        found = solve_array(g[..., 0], seen, np.full(9, words), np.full(5, bits))
        drop = found.word_voltage - found.bit_voltage
        spent = float(np.sum(found.v_word * found.supply) - np.sum(found.v_bit * found.output))
        exact = spent - float(np.sum(drop * found.device_current))
        errors.append(abs(load.wires / exact - 1.0))
    assert errors[0] < 0.15
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.2)


def test_tiles_convert_their_own_part_of_a_sum(setting):
    g, before, after = setting
    squares = mean_squares(before, after)
    array = Array(1, g, ("forward",), True)
    assert array_load(array, "forward", squares, V, tile=(4, 10)).conversions == 3 * 5
    assert array_load(array, "backward", squares, V, tile=(4, 4)).conversions == 3 * 8
