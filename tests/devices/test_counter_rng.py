"""Counter-based random numbers: the published answers, the statistics, independence of chunks."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from ohmlearn.devices.counter_rng import (
    Stream,
    normal_pair,
    normals,
    philox,
    seed_key,
    uniform,
    uniforms,
)
from ohmlearn.errors import DeviceError
from ohmlearn.jit import kernel

ONES = 0xFFFFFFFF
# Known-answer vectors of Random123 (D. E. Shaw Research): key, counter, result.
KNOWN = [
    ((0, 0), (0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES), (ONES,) * 4, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0xA4093822, 0x299F31D0),
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("key", "counter", "words"), KNOWN)
def test_philox_gives_the_published_answers(key, counter, words):
    assert philox(*key, *counter) == words


def test_the_key_is_the_seed():
    assert seed_key(0x0123456789ABCDEF) == (0x89ABCDEF, 0x01234567)
    assert seed_key(2**64 - 1) == (ONES, ONES)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, None])
def test_a_seed_that_is_no_key_is_refused(seed):
    with pytest.raises(DeviceError, match=r"seed is .*; allowed is a whole number"):
        seed_key(seed)


@pytest.mark.parametrize("arguments", [{"offset": -1}, {"offset": 2**34}, {"step": -1}])
def test_a_draw_beyond_the_counter_is_refused(arguments):
    step = arguments.pop("step", 0)
    with pytest.raises(DeviceError, match="allowed is 0 to"):
        normals(0, Stream.INIT, step, 4, **arguments)


@pytest.mark.parametrize("draw", [normals, uniforms])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_draw_does_not_depend_on_its_chunks(draw, dtype):
    whole = draw(3, Stream.C2C, 5, 1001, dtype)
    for cuts in ([0, 1001], [0, 1, 2, 3, 4, 5, 1001], [0, 13, 512, 999, 1001]):
        parts = [draw(3, Stream.C2C, 5, b - a, dtype, offset=a) for a, b in pairwise(cuts)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(draw(3, Stream.C2C, 5, (7, 143), dtype).ravel(), whole)


def test_array_and_scalar_functions_give_the_same_numbers():
    block = philox(*seed_key(9), 2, 7, 0, Stream.READ)
    drawn = normals(9, Stream.READ, 7, 4, np.float32, offset=8)
    np.testing.assert_array_equal(drawn, [*normal_pair(*block[:2]), *normal_pair(*block[2:])])
    drawn = uniforms(9, Stream.READ, 7, 4, np.float32, offset=8)
    np.testing.assert_array_equal(drawn, [uniform(u) for u in block])


def test_both_precisions_hold_the_same_numbers():
    for draw in (normals, uniforms):
        double = draw(1, Stream.D2D, 0, 1000)
        assert double.dtype == np.float64
        np.testing.assert_array_equal(double, draw(1, Stream.D2D, 0, 1000, np.float32))


def test_seed_stream_step_and_index_each_change_the_numbers():
    base = normals(1, Stream.D2D, 0, 5000)
    for other in (
        normals(2, Stream.D2D, 0, 5000),
        normals(1 + 2**32, Stream.D2D, 0, 5000),
        normals(1, Stream.STUCK, 0, 5000),
        normals(1, Stream.D2D, 1, 5000),
        normals(1, Stream.D2D, 2**32, 5000),
        normals(1, Stream.D2D, 0, 5000, offset=5000),
    ):
        assert abs(np.corrcoef(base, other)[0, 1]) < 4 / np.sqrt(5000)


def test_uniform_is_inside_the_open_interval_in_single_precision():
    @kernel
    def single(u):
        return np.float32(uniform(u))

    for word in (0, 1, ONES - 1, ONES):
        assert 0 < single(np.uint32(word)) < 1
    assert single(np.uint32(0)) == 2.0**-33
    assert single(np.uint32(2**31)) == 0.5


def test_uniforms_are_uniform():
    u = uniforms(5, Stream.PULSE, 0, 1_000_000)
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    # Rare events must have the right rate: they decide which cells get a pulse.
    for rate in (1e-3, 1e-4):
        assert np.count_nonzero(u < rate) == pytest.approx(
            u.size * rate, abs=4 * np.sqrt(1e6 * rate)
        )
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 4e-3


def test_normals_are_normal():
    z = normals(6, Stream.C2C, 0, 4_000_000)
    assert stats.kstest(z[:1_000_000], "norm").pvalue > 1e-3
    n = z.size
    assert abs(z.mean()) < 4 / np.sqrt(n)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs(np.mean(z**3)) < 4 * np.sqrt(15 / n)
    assert abs(np.mean(z**4) - 3) < 4 * np.sqrt(96 / n)
    for k in (2, 3, 4):
        tail = 2 * stats.norm.sf(k)
        assert np.mean(np.abs(z) > k) == pytest.approx(tail, abs=4 * float(np.sqrt(tail / n)))


def test_the_two_normals_of_a_pair_are_independent():
    z = normals(7, Stream.C2C, 0, 400_000).reshape(-1, 2)
    assert abs(np.corrcoef(z.T)[0, 1]) < 4 / np.sqrt(len(z))
    assert abs(np.corrcoef((z**2).T)[0, 1]) < 4 / np.sqrt(len(z))
    angle = np.arctan2(z[:, 1], z[:, 0])
    assert stats.kstest(angle / (2 * np.pi) + 0.5, "uniform").pvalue > 1e-3


def test_normal_pair_is_box_muller():
    rng = np.random.default_rng(0)
    for ua, ub in rng.integers(0, 2**32, (300, 2)).tolist():
        radius = np.sqrt(-2 * np.log(float(uniform(ua))))
        angle = 2 * np.pi * ub / 2**32
        exact = radius * np.cos(angle), radius * np.sin(angle)
        np.testing.assert_allclose(normal_pair(ua, ub), exact, atol=3e-6)
