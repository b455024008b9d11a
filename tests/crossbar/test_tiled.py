"""Tiles and converters of an array that is only read: they do what they say, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.circuits.hopfield import HopfieldNetwork
from ohmlearn.circuits.read_noise import Moment
from ohmlearn.circuits.sensing import drive_lines, input_parts, make_sensing, parts, sensed_relax
from ohmlearn.crossbar import ENCODINGS, Converters, Crossbar, TiledCrossbar, Wires
from ohmlearn.crossbar.tiles.converters import levels_step
from ohmlearn.devices import Effects, get_device, merge
from ohmlearn.errors import ConfigError

SOFT = get_device("SoftBounds")
SHAPE = ROWS, COLUMNS = 11, 7
SPREAD = {"device_to_device": {"step": 0.2, "g_max": 0.1, "g_min": 0.1}, "stuck": 0.05}
V = 0.2
every_encoding = pytest.mark.parametrize("encoding", list(ENCODINGS))
every_tile = pytest.mark.parametrize("tile", [(128, 128), (4, 6), (1, 2), (11, 3)])


def build(effects: dict[str, Any] | None = None, **options: Any) -> TiledCrossbar:
    """Return an array at random weights."""
    options = {"tile": (4, 6), "seed": 3} | options
    merged = merge(Effects(), effects or {})
    xbar = TiledCrossbar.build(*SHAPE, SOFT, SOFT.params(), merged, **options)
    xbar.set_weights(np.random.default_rng(7).uniform(-0.4, 0.4, SHAPE))
    return xbar


def drives(batch: int = 5, columns: bool = False) -> np.ndarray:
    return np.random.default_rng(1).uniform(-V, V, (batch, SHAPE[columns]))


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13 * np.abs(expected).max())


@every_encoding
@every_tile
def test_without_wires_and_converters_it_is_a_crossbar(encoding, tile):
    xbar = build(SPREAD, encoding=encoding, tile=tile)
    plain = Crossbar.build(
        *SHAPE, SOFT, SOFT.params(), xbar.crossbar.effects, encoding=encoding, seed=3
    )
    plain.set_weights(np.random.default_rng(7).uniform(-0.4, 0.4, SHAPE))
    counts = np.random.default_rng(0).integers(-5, 6, SHAPE)
    assert xbar.program(counts) == plain.program(counts)
    xbar.drift(1.0)
    plain.drift(1.0)
    np.testing.assert_array_equal(xbar.weights, plain.weights)
    close(xbar.effective_weights, plain.weights)
    v, u = drives(), drives(columns=True)
    close(xbar.read(v), plain.read(v))
    close(xbar.read_back(u), plain.read_back(u))
    assert xbar.tiles == (-(-ROWS // xbar.tile[0]), -(-COLUMNS // xbar.tile[1]))


@pytest.mark.parametrize("nonlinear", [False, True])
def test_single_precision_cells_read_alike(nonlinear):
    """SoftBounds is ohmic, so that nonlinear cells are linear ones."""
    single, double = build(dtype=np.float32, nonlinear=nonlinear), build()
    assert single.weights.dtype == np.float32
    v, u = drives(), drives(columns=True)
    np.testing.assert_allclose(single.read(v), double.read(v), rtol=0, atol=1e-10)
    np.testing.assert_allclose(single.read_back(u), double.read_back(u), rtol=0, atol=1e-10)
    assert np.abs(double.read(v)).max() > 1e-6


def test_all_spellings_agree():
    xbar, v, u = build(), drives(), drives(columns=True)
    assert xbar.shape == SHAPE == xbar.T.shape[::-1]
    assert xbar.T.T is xbar
    for found in (v @ xbar, (xbar.T @ v.T).T, np.array([xbar.read(one) for one in v])):
        close(found, xbar.read(v))
    for found in (u @ xbar.T, (xbar @ u.T).T, np.array([xbar.read_back(one) for one in u])):
        close(found, xbar.read_back(u))
    assert (xbar @ u[0]).shape == (ROWS,)
    assert (v[0] @ xbar).shape == (COLUMNS,)


@every_encoding
@pytest.mark.parametrize("forward", [True, False])
def test_conversions_equal_a_plain_reference(encoding, forward):
    """DAC, gain, offset, levels and range of every tile, written out in NumPy."""
    converters = Converters(5, 6, dac_range=0.8, adc_gain=0.03, adc_offset=0.6)
    xbar = build(SPREAD, encoding=encoding, converters=converters, adc_range=(0.5, 0.4))
    v = drives(columns=not forward)
    axis, limit = (0, 0.5) if forward else (1, 0.4)
    signal = np.clip(np.rint(v / V / (0.8 / 15)), -15, 15) * (0.8 / 15)
    weights = xbar.weights if forward else xbar.weights.T
    step, size, total, beyond = limit / 31, xbar.tile[axis], 0.0, 0
    for number, at in enumerate(range(0, SHAPE[axis], size)):
        a = signal[:, at : at + size] @ weights[at : at + size]
        here = slice(number * a.shape[1], (number + 1) * a.shape[1])
        mismatch = xbar.mismatch[axis]
        code = np.rint((mismatch.gain[here] * a + mismatch.offset[here] * step) / step)
        beyond += np.count_nonzero(np.abs(code) > 31)
        total = total + np.clip(code, -31, 31) * step
    found = xbar.sense(v) if forward else xbar.sense_back(v)
    close(found.current, total * xbar.crossbar.unit * V)
    assert found.saturated == beyond > 0
    assert found.clipped == np.count_nonzero(np.abs(v) > V * 0.8 * (1 + 0.5 / 15)) > 0
    assert found.conversions == number * a.size + a.size


def test_mismatch_off_leaves_no_trace():
    v, plain = drives(), build(converters=Converters(adc_bits=6))
    for name in ("adc_gain", "adc_offset", "adc_noise"):
        off, on = (build(converters=Converters(adc_bits=6, **{name: x})) for x in (0.0, 2.0))
        np.testing.assert_array_equal(off.read(v), plain.read(v))
        assert not np.array_equal(on.read(v), plain.read(v))


@pytest.mark.parametrize("mismatch", [False, True])
@pytest.mark.parametrize("rows", [4, 100])
def test_it_reads_what_the_learning_loop_reads(rows, mismatch):
    """A network of one layer, its bias on the last word line; array 0 has the same converters."""
    m, n, batch = 10, 6, 3
    error = {"adc_gain": 0.05, "adc_offset": 0.5} if mismatch else {}
    converters = Converters(4, 5, **error)
    network = HopfieldNetwork.build((m, n), "prototypical", "tanh", symmetric=True)
    theta = network.initial_parameters(np.random.default_rng(0))
    layout = network.layout
    sensing = make_sensing(
        layout, converters, rows, 3, np.full((2, 2), 1.5), 9, np.dtype(np.float64)
    )
    x, heard = np.random.default_rng(1).random((batch, m)), np.empty((batch, m))
    step = levels_step(converters.dac_bits, converters.dac_range)
    drive_lines(step, 1.0, x.ravel(), heard.ravel())
    drive, unused = np.zeros((2, parts(m + 1, rows), batch, n))
    input_parts(heard, theta, layout, sensing, drive)
    work = np.zeros((5, batch * n))
    sensed_relax(
        1, theta, theta, layout, network.dynamics, sensing, drive, unused, 0.0,
        Moment(np.uint32(0), np.uint32(0), 0, 0, 0), 0.0, np.zeros(batch * n),
        np.zeros(batch * n), work,
    )  # fmt: skip
    xbar = TiledCrossbar.build(
        m + 1, n, SOFT, SOFT.params(), tile=(rows, 6), converters=converters, adc_range=1.5,
        seed=9, weight_range=4.0,
    )  # fmt: skip
    xbar.set_weights(np.vstack([layout.weight(theta, 1), layout.bias(theta, 1)]))
    found = xbar.read(V * np.hstack([x, np.ones((batch, 1))])) / xbar.current_unit
    np.testing.assert_allclose(found, work[1].reshape(batch, n), rtol=1e-6, atol=1e-9)


@every_encoding
@pytest.mark.parametrize("wires", [None, Wires(50.0, 30.0, 20.0, 10.0)])
def test_reciprocity(encoding, wires):
    xbar, v, u = build(SPREAD, encoding=encoding, wires=wires), drives(1)[0], drives(1, True)[0]
    assert u @ xbar.read(v) == pytest.approx(v @ xbar.read_back(u), rel=1e-9)


def test_more_bits_converge():
    v, exact = drives(50), build().read(drives(50))
    errors = []
    for bits in (4, 6, 8, 10, 12):
        xbar = build(converters=Converters(bits, bits), adc_range=2.0)
        errors.append(np.sqrt(np.mean((xbar.read(v) - exact) ** 2)))
    ratios = np.array(errors[:-1]) / errors[1:]
    assert np.all((ratios > 3.0) & (ratios < 5.5)), ratios  # a factor of 4 for 2 bits


@every_encoding
def test_read_noise_of_one_tile_is_that_of_a_crossbar(encoding):
    effects = {"read_noise": 0.05}
    xbar = build(effects, encoding=encoding, tile=(50, 50))
    plain = Crossbar.build(
        *SHAPE, SOFT, SOFT.params(), xbar.crossbar.effects, encoding=encoding, seed=3
    )
    plain.set_weights(np.random.default_rng(7).uniform(-0.4, 0.4, SHAPE))
    v, u = drives(), drives(columns=True)
    for _ in range(2):
        close(xbar.read(v), plain.read(v))
        close(xbar.read_back(u), plain.read_back(u))
    assert not np.array_equal(xbar.read(v), xbar.read(v))
    assert xbar.crossbar.reads == 6


@pytest.mark.parametrize("wires", [None, Wires(1e-6, 1e-6)])
@pytest.mark.parametrize("nonlinear", [False, True])
def test_noise_of_cells_and_converters_adds_up(wires, nonlinear):
    """Per line: sigma^2 of every cell's current, and the ADC's, over all tiles."""
    converters = Converters(adc_bits=20, adc_noise=3e4)
    options = {"converters": converters, "adc_range": 3.0, "wires": wires, "nonlinear": nonlinear}
    xbar, v = build({"read_noise": 0.1}, **options), drives(1)
    repeats = np.repeat(v, 4000, axis=0) if wires is None else np.repeat(v, 400, axis=0)
    spread = (xbar.read(repeats) - build(wires=wires).read(v[0])).std(axis=0)
    own = 3e4 * levels_step(20, 3.0) * xbar.current_unit
    cells = 0.01 * (v[0] ** 2 @ np.sum(xbar.crossbar.conductance**2, axis=2))
    expected = np.sqrt(cells + xbar.tiles[0] * own**2)
    assert 0.2 < own / expected.max() < 0.9
    allowed = 6.0 / np.sqrt(2 * len(repeats))
    np.testing.assert_allclose(spread, expected, rtol=allowed)


def test_reads_repeat_by_seed_array_and_number():
    def three(**key: int) -> np.ndarray:
        xbar = build({"read_noise": 0.05}, converters=Converters(adc_bits=8, adc_gain=0.1), **key)
        return np.array([xbar.read(drives()) for _ in range(3)])

    one = three()
    np.testing.assert_array_equal(one, three())
    for other in (one[[1, 2, 0]], three(seed=4), three(array_id=1)):
        assert not np.array_equal(one, other)


def test_calibration_reaches_the_samples_and_no_further():
    xbar = build(converters=Converters(adc_bits=6), adc_range=0.01)
    v, u = drives(30), drives(30, columns=True)
    before = xbar.sense(v)
    assert before.saturated > 0.5 * before.conversions
    forward, backward = xbar.calibrate(v, headroom=1.0)
    assert forward == pytest.approx(np.abs(before.partial).max() / xbar.current_unit)
    assert backward == 0.01
    assert xbar.sense(v).saturated == 0
    assert xbar.sense(3 * v).saturated > 0
    assert xbar.calibrate(u=u)[1] > 0.01
    assert xbar.sense_back(u).saturated == 0


def test_the_default_range_is_three_standard_deviations():
    rng = np.random.default_rng(0)
    xbar = TiledCrossbar.build(
        64, 50, SOFT, SOFT.params(), tile=(32, 100), converters=Converters(adc_bits=8),
        weight_range=2.0,
    )  # fmt: skip
    xbar.set_weights(rng.uniform(-2, 2, xbar.shape))
    read = xbar.sense(rng.uniform(-V, V, (400, 64)))
    assert xbar.adc_range[0] == pytest.approx(2.0 * np.sqrt(32))
    sigmas = xbar.adc_range[0] * xbar.current_unit / read.partial.std()
    assert sigmas == pytest.approx(3.0, rel=0.05)
    assert read.saturated < 0.01 * read.conversions


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tile": (0, 4)}, r"crossbar.tile is \(0, 4\)"),
        ({"tile": (4, 1)}, "at least 1 word line and 2 bit lines"),
        ({"tile": (4.0, 4)}, "two whole numbers"),
        ({"adc_range": 1.0}, "needs converters.adc_bits"),
        ({"adc_range": 0.0, "converters": Converters(adc_bits=4)}, "finite number above 0"),
        ({"adc_range": (1, 2, 3), "converters": Converters(adc_bits=4)}, "one for each direction"),
        ({"nonlinear": True, "encoding": "offset"}, "allowed are 'pair' and 'single'"),
        ({"encoding": "pairs"}, "did you mean 'pair'"),
    ],
)
def test_what_cannot_be_built_is_refused(options: dict[str, Any], sentence):
    with pytest.raises(ConfigError, match=sentence):
        build(**options)


def test_drives_and_samples_that_do_not_fit_are_refused():
    xbar = build(converters=Converters(adc_bits=4))
    for bad in (np.zeros(COLUMNS), np.zeros((1, 2, ROWS)), np.zeros((0, ROWS)), 1.0):
        with pytest.raises(ConfigError, match="for 11 lines"):
            xbar.read(bad)
    with pytest.raises(ConfigError, match="for 7 lines"):
        xbar.read_back(np.zeros(ROWS))
    with pytest.raises(ConfigError, match="finite"):
        xbar.read(np.full(ROWS, np.nan))
    with pytest.raises(ConfigError, match="cause at most"):
        xbar.calibrate(np.zeros(ROWS))
    with pytest.raises(ConfigError, match="headroom"):
        xbar.calibrate(drives(), headroom=0.0)
    with pytest.raises(ConfigError, match="adc_bits None"):
        build().calibrate(drives())
