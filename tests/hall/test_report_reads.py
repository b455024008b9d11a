"""The closed forms of a read are what they stand for: sums of v i, an exact nodal solution."""

import numpy as np
import pytest

from ohmlearn.crossbar.wires.resistances import Wires
from ohmlearn.crossbar.wires.solver import solve_array
from ohmlearn.reporting.reads import Array, array_load

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


def test_a_reference_column_is_read_with_the_others(setting):
    g, before, after = setting
    column = np.full(9, 3e-5)
    with_column, without = (
        array_load(
            Array(1, g[..., :1], ("forward",), True, reference), "forward",
            mean_squares(before, after), V,
        )
        for reference in (column, None)
    )  # fmt: skip
    squares = np.append(mean_squares(before)[0], 1.0)
    assert with_column.cells - without.cells == pytest.approx(V**2 * squares @ column, rel=1e-12)


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
