"""Drawn cells and noisy pulses: statistics, independence of the effects, guards."""

from typing import Any

import numpy as np
import pytest

from ohmlearn.devices import CycleToCycle, Effects, Stuck, contract, devices, get_preset, presets
from ohmlearn.devices.dispatch import cell
from ohmlearn.devices.variability import FLOOR, draw_table, pulse, pulse_noise, spread_names
from ohmlearn.errors import DeviceError
from ohmlearn.jit import kernel

N = 40_000
every_model = pytest.mark.parametrize("device", devices().values(), ids=devices())


def drawn(device, effects, p=None, n=N, seed=1, array_id=0, **options):
    return draw_table(device, p or device.params(), effects, n, seed, array_id, **options)


def signatures_of(function: Any):
    return function.nopython_signatures


def columns(device, cells):
    return dict(zip(device.params._fields, cells.table.T, strict=True))


@every_model
def test_without_effects_every_cell_is_the_nominal_one(device):
    cells = drawn(device, Effects())
    np.testing.assert_array_equal(cells.table, np.tile(device.params(), (N, 1)))
    assert not cells.stuck.any()
    assert cells.table.flags.c_contiguous


@every_model
def test_each_spread_has_its_size_and_leaves_the_rest_alone(device):
    nominal = device.params()._asdict()
    aliases: dict[str, str] = dict(zip(("g_min", "g_max"), device.window or (), strict=False))
    for name in spread_names(device):
        if name in ("step", "step_log", "asymmetry", "w_max", "w_min"):
            continue
        c = columns(device, drawn(device, Effects(device_to_device={name: 0.05})))
        for field, values in c.items():
            if field == aliases.get(name, name):
                if nominal[field] == 0:
                    assert not values.any()
                    continue
                relative = values / nominal[field] - 1
                assert relative.std() == pytest.approx(0.05, rel=0.03)
                assert abs(relative.mean()) < 4 * 0.05 / np.sqrt(N)
            else:
                np.testing.assert_array_equal(values, nominal[field])


@every_model
def test_step_spread_is_common_and_asymmetry_opposite(device):
    p = device.params()
    for name, sign in (("step", 1), ("step_log", 1), ("asymmetry", -1)):
        if name not in spread_names(device):
            assert len(device.steps) == 1
            continue
        cells = drawn(device, Effects(device_to_device={name: 0.05}), n=4000)
        some = [device.params(*row) for row in cells.table.tolist()]
        up = np.array([contract.potentiation(q, 0.5) for q in some])
        down = np.array([contract.depression(q, 0.5) for q in some])
        up = up / contract.potentiation(p, 0.5) - 1
        down = down / contract.depression(p, 0.5) - 1
        # A step that changes the rate as it goes is not quite proportional to it.
        curved = {"FilamentGap": 0.04, "StanfordPKU": 0.03}
        atol = curved.get(device.name, 0.012 if device.dynamical else 3e-3)
        assert up.std() == pytest.approx(0.05, rel=0.06, abs=0.1 * atol)
        if not device.one_sided:
            np.testing.assert_allclose(down, sign * up, atol=atol)


def test_a_log_normal_spread_is_that_of_the_logarithm():
    device, preset = get_preset("ReRamArrayOM")
    p, sigma = preset.params, preset.effects.device_to_device["step_log"]
    c = columns(device, drawn(device, Effects(device_to_device={"step_log": sigma}), p))
    logarithm = np.log(c["dg_up"] / p.dg_up)
    assert logarithm.std() == pytest.approx(sigma, rel=0.02)
    assert abs(logarithm.mean()) < 4 * sigma / np.sqrt(N)
    np.testing.assert_array_equal(c["dg_up"], c["dg_down"])
    np.testing.assert_array_equal(c["g_max"], p.g_max)


def test_weight_bounds_spread_relative_to_their_distance_from_the_reference():
    device, preset = get_preset("ReRamSB")
    p = preset.params
    effects = Effects(device_to_device={"w_max": 0.24, "w_min": 0.1})
    c = columns(device, drawn(device, effects, p))
    assert c["g_max"].std() == pytest.approx(0.24 * (p.g_max - p.g_ref), rel=0.03)
    assert c["g_min"].std() == pytest.approx(0.1 * (p.g_ref - p.g_min), rel=0.03)
    assert abs(np.corrcoef(c["g_max"], c["g_min"])[0, 1]) < 4 / np.sqrt(N)


@pytest.mark.parametrize("name", presets())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_drawn_cells_are_possible_cells(name, dtype):
    device, preset = get_preset(name)
    # The same spreads three times as large, and one that takes the lower bound past the upper.
    wild = {n: 3 * s for n, s in preset.effects.device_to_device.items()}
    wild |= {(device.bounds or device.window or ("x_off",))[0]: 5.0}
    for spreads in (preset.effects.device_to_device, wild):
        cells = drawn(device, Effects(device_to_device=spreads), preset.params, dtype=dtype)
        assert cells.table.dtype == dtype
        assert np.isfinite(cells.table).all()
        c = columns(device, cells)
        nominal = preset.params._asdict()
        for field in c:
            assert (np.sign(c[field]) == np.sign(nominal[field])).all()
        bounds = device.bounds or device.window
        if bounds is None:
            continue
        low, high = bounds
        assert (c[low] >= 0.999 * FLOOR * nominal[low]).all()
        assert (c[high] - c[low] >= 0.999 * FLOOR * (nominal[high] - nominal[low])).all()
        if "g_ref" in c:
            assert (c[low] < c["g_ref"]).all()
            assert (c[high] > c["g_ref"]).all()


@every_model
def test_the_largest_spreads_that_are_allowed_do_not_overflow(device):
    for name in spread_names(device):
        effects = Effects(device_to_device={name: 10.0 if name == "step_log" else 1e6})
        assert np.isfinite(drawn(device, effects, n=500, dtype=np.float32).table).all(), name


def test_spreads_draw_independently_of_each_other():
    device = devices()["SoftBounds"]
    alone = columns(device, drawn(device, Effects(device_to_device={"g_max": 0.1})))
    both = columns(device, drawn(device, Effects(device_to_device={"g_max": 0.1, "step": 0.2})))
    np.testing.assert_array_equal(alone["g_max"], both["g_max"])
    assert abs(np.corrcoef(both["g_max"], both["dg_up"])[0, 1]) < 4 / np.sqrt(N)


def test_seed_and_array_decide_the_cells():
    device = devices()["SoftBounds"]
    effects = Effects(device_to_device={"step": 0.2}, stuck=Stuck(0.1, 0.1))
    base = drawn(device, effects)
    again = drawn(device, effects)
    np.testing.assert_array_equal(base.table, again.table)
    np.testing.assert_array_equal(base.stuck, again.stuck)
    for other in (drawn(device, effects, seed=2), drawn(device, effects, array_id=1)):
        assert not np.array_equal(base.table, other.table)
        assert not np.array_equal(base.stuck, other.stuck)
    single = drawn(device, effects, dtype=np.float32)
    np.testing.assert_array_equal(single.table, base.table.astype(np.float32))


def test_stuck_cells_have_their_fractions():
    device = devices()["SoftBounds"]
    stuck = drawn(device, Effects(stuck=Stuck(0.05, 0.02))).stuck
    assert stuck.dtype == np.int8
    for kind, fraction in ((1, 0.05), (2, 0.02)):
        sigma = np.sqrt(fraction * (1 - fraction) / N)
        assert np.mean(stuck == kind) == pytest.approx(fraction, abs=4 * sigma)
    assert (drawn(device, Effects(stuck=Stuck(1.0, 0.0))).stuck == 1).all()
    assert (drawn(device, Effects(stuck=Stuck(0.0, 1.0))).stuck == 2).all()


def test_an_unknown_spread_names_the_nearest():
    with pytest.raises(DeviceError, match="unknown spread 'stap'; did you mean 'step'"):
        drawn(devices()["SoftBounds"], Effects(device_to_device={"stap": 0.1}))
    with pytest.raises(DeviceError, match="unknown spread 'w_max'"):
        drawn(devices()["VTEAM"], Effects(device_to_device={"w_max": 0.1}))


@kernel
def pulses(like, table, x, up, noise, c2c_step, c2c_add, clip):
    for c in range(x.size):
        x[c] = pulse(cell(like, table, c), x[c], up, noise[c], c2c_step, c2c_add, clip)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(3).standard_normal(N)


def fired(noise, up=True, x=0.5, step=0.0, add=0.0, clip=True, dtype="f8"):
    p = devices()["SoftBounds"].params()
    table = np.tile(np.array(p, dtype), (N, 1))
    state = np.full(N, x, dtype)
    f = np.dtype(dtype).type
    pulses(p, table, state, up, noise.astype(dtype), f(step), f(add), clip)
    return state


@pytest.mark.parametrize("up", [True, False])
def test_a_pulse_without_noise_is_the_step_of_the_model(noise, up):
    p = devices()["SoftBounds"].params()
    step = contract.potentiation(p, 0.5) if up else -contract.depression(p, 0.5)
    np.testing.assert_array_equal(fired(noise, up), 0.5 + step)


@pytest.mark.parametrize("up", [True, False])
def test_cycle_to_cycle_noise_has_its_size(noise, up):
    exact = fired(noise, up)[0] - 0.5
    np.testing.assert_allclose(fired(noise, up, step=0.3) - 0.5, exact * (1 + 0.3 * noise))
    np.testing.assert_allclose(fired(noise, up, add=0.02) - 0.5, exact + 0.02 * noise)


def test_the_window_holds_the_state_and_can_be_opened(noise):
    held, free = fired(noise, x=1.0, add=0.1), fired(noise, x=1.0, add=0.1, clip=False)
    assert held.max() == 1.0
    assert free.max() > 1.2
    np.testing.assert_array_equal(held, np.clip(free, 0, 1))
    assert fired(noise, x=0.0, add=0.1).min() == 0.0


def test_a_pulse_in_single_precision_stays_there(noise):
    single = fired(noise, step=0.3, add=0.01, dtype="f4")
    np.testing.assert_allclose(single, fired(noise, step=0.3, add=0.01), atol=1e-6)
    assert single.dtype == np.float32
    # Kernels compiled earlier in this process may have compiled it for other models as well.
    returned = {str(s.return_type) for s in signatures_of(pulse) if s.args[1].bitwidth == 32}
    assert returned == {"float32"}


def test_pulse_noise_is_counted_in_the_right_unit():
    p = devices()["SoftBounds"].params()
    for of, expected in (
        ("step", (0.3, 0.0)),
        ("window", (0.0, 0.3)),
        ("nominal", (0.0, 0.3 * contract.nominal_step(p))),
    ):
        assert pulse_noise(p, Effects(cycle_to_cycle=CycleToCycle(0.3, of))) == expected
    assert contract.nominal_step(p) == pytest.approx(1 / 400)
    assert pulse_noise(p, Effects()) == (0.0, 0.0)
