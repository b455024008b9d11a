"""Converters: their levels, their limits, the spread between them, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmlearn.crossbar.tiles.converters import (
    Converters,
    draw_mismatch,
    levels_step,
    quantise,
    round_to_levels,
)
from ohmlearn.errors import ConfigError
from ohmlearn.jit import kernel


@kernel
def quantise_all(values, step, limit, out):
    for i in range(values.size):
        out[i] = quantise(values[i], step, limit)


@pytest.mark.parametrize("bits", [2, 3, 6, 12])
def test_levels_are_even_symmetric_and_hold_zero(bits):
    step = levels_step(bits, 3.0)
    levels = np.unique(round_to_levels(np.linspace(-4, 4, 100_001), step, 3.0)[0])
    assert levels.size == 2**bits - 1
    np.testing.assert_allclose(np.diff(levels), step, rtol=1e-9)
    np.testing.assert_allclose(levels, -levels[::-1])
    assert 0.0 in levels
    assert levels[-1] == pytest.approx(3.0)


def test_one_bit_has_three_levels():
    assert levels_step(1, 2.0) == 2.0
    levels, _ = round_to_levels([-9.0, -1.1, -0.9, 0.3, 1.1], 2.0, 2.0)
    np.testing.assert_array_equal(levels, [-2, -2, 0, 0, 2])


def test_the_error_inside_the_range_is_half_a_step():
    value = np.random.default_rng(0).uniform(-1, 1, 10_000)
    step = levels_step(5, 1.0)
    levels, saturated = round_to_levels(value, step, 1.0)
    assert np.abs(levels - value).max() <= 0.5 * step * (1 + 1e-12)
    assert not saturated.any()


@pytest.mark.parametrize("bits", [1, 4, 9])
def test_saturated_are_those_off_by_more_than_half_a_step(bits):
    value = np.random.default_rng(1).uniform(-2, 2, 10_000)
    step = levels_step(bits, 1.0)
    levels, saturated = round_to_levels(value, step, 1.0)
    np.testing.assert_array_equal(saturated, np.abs(levels - value) > 0.5 * step * (1 + 1e-12))
    assert np.abs(levels).max() == 1.0
    assert saturated.any()


@pytest.mark.parametrize("bits", [None, 1, 6, 24])
def test_arrays_and_kernels_round_alike(bits):
    value = np.random.default_rng(2).normal(size=1000)
    step, out = levels_step(bits, 1.3), np.empty(1000)
    quantise_all(value, step, 1.3, out)
    np.testing.assert_array_equal(round_to_levels(value, step, 1.3)[0], out)


def test_exact_conversion_has_no_limit():
    levels, saturated = round_to_levels([1e9, -1e-9], levels_step(None, 1.0), 1.0)
    np.testing.assert_array_equal(levels, [1e9, -1e-9])
    assert not saturated.any()


def test_mismatch_has_the_spread_asked_for_and_repeats():
    converters = Converters(adc_bits=6, adc_gain=0.02, adc_offset=0.7)
    one = draw_mismatch(converters, 40_000, 5, 3)
    assert one.gain.mean() == pytest.approx(1.0, abs=5e-4)
    assert one.gain.std() == pytest.approx(0.02, rel=0.02)
    assert one.offset.std() == pytest.approx(0.7, rel=0.02)
    assert abs(np.corrcoef(one.gain, one.offset)[0, 1]) < 0.02
    again, other = (draw_mismatch(converters, 40_000, 5, n) for n in (3, 4))
    np.testing.assert_array_equal(one.gain, again.gain)
    assert not np.array_equal(one.gain, other.gain)
    assert draw_mismatch(converters, 3, 5, 3, np.float32).gain.dtype == np.float32


def test_active_says_whether_a_read_changes():
    assert not Converters().active
    assert not Converters(encoding="pulse-width").active
    assert all(c.active for c in (Converters(2), Converters(None, 2), Converters(adc_gain=0.1)))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"dac_bits": 0}, "dac_bits is 0; allowed is 1 to 24"),
        ({"adc_bits": 25}, "adc_bits is 25"),
        ({"adc_bits": 3.0}, "adc_bits is 3.0"),
        ({"adc_gain": -0.1}, "adc_gain is -0.1"),
        ({"adc_bits": 4, "adc_noise": np.inf}, "adc_noise is inf"),
        ({"dac_range": 0.0}, "dac_range is 0.0"),
        ({"adc_noise": 1.0}, "set converters.adc_bits too"),
        ({"encoding": "pulse-with"}, "did you mean 'pulse-width'"),
    ],
)
def test_numbers_out_of_range_are_refused(options: dict[str, Any], sentence):
    with pytest.raises(ConfigError, match=sentence):
        Converters(**options)
