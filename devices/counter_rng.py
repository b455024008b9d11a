"""Random numbers that are a function of (seed, stream, step, index) and of nothing else.

Philox4x32-10 turns a 64-bit key (the seed) and a 128-bit counter into four 32-bit words. The
counter is ``(index // 4, step low word, step high word, stream)``; element ``index`` of a draw
takes word ``index % 4`` of its block. So a draw is the same bit for bit in any order, in any
chunks and on any number of threads, and an interrupted run goes on without a stored state.

Numbers are made in single precision, the float64 ones being those same numbers, so that a
float32 and a float64 run see the same cells and the same noise.

References
----------
J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2,
3", SC'11, 2011, doi:10.1145/2063384.2063405.
G. E. P. Box, M. E. Muller, "A note on the generation of random normal deviates", Annals of
Mathematical Statistics 29(2), 1958, doi:10.1214/aoms/1177706645.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import DTypeLike

from ..errors import DeviceError
from ..jit import inlined, kernel

__all__ = ["Stream", "normal_pair", "normals", "philox", "seed_key", "uniform", "uniforms"]


class Stream(IntEnum):
    """Purpose of a draw; two purposes never share numbers."""

    D2D = 1
    STUCK = 2
    C2C = 3
    WRITE = 4
    READ = 5
    INIT = 6
    ORDER = 7
    SIGN = 8
    PULSE = 9
    RETENTION = 10
    TELEGRAPH = 11
    FLICKER = 12
    ENDURANCE = 13
    CONVERTER = 15


_U32 = np.uint32
_U64 = np.uint64
_F32 = np.float32
_MUL_0, _MUL_1 = _U64(0xD2511F53), _U64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = _U32(0x9E3779B9), _U32(0xBB67AE85)
_SHIFT = _U64(32)


def seed_key(seed: int) -> tuple[np.uint32, np.uint32]:
    """Return the Philox key (low word, high word) of a seed in [0, 2**64).

    Raises
    ------
    DeviceError
        If *seed* is not a whole number in that range.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise DeviceError(f"seed is {seed!r}; allowed is a whole number from 0 to 2**64 - 1.")
    return _U32(int(seed) & 0xFFFFFFFF), _U32(int(seed) >> 32)


@inlined
def philox(k0: Any, k1: Any, c0: Any, c1: Any, c2: Any, c3: Any) -> Any:
    """Return the four uint32 words of Philox4x32-10 for key (k0, k1) and counter (c0 .. c3)."""
    k0, k1 = _U32(k0), _U32(k1)
    c0, c1, c2, c3 = _U32(c0), _U32(c1), _U32(c2), _U32(c3)
    for _ in range(10):
        p0 = _MUL_0 * _U64(c0)
        p1 = _MUL_1 * _U64(c2)
        c0 = _U32(_U32(p1 >> _SHIFT) ^ c1 ^ k0)
        c2 = _U32(_U32(p0 >> _SHIFT) ^ c3 ^ k1)
        c1, c3 = _U32(p1), _U32(p0)
        k0 = _U32(k0 + _WEYL_0)
        k1 = _U32(k1 + _WEYL_1)
    return c0, c1, c2, c3


_SCALE = _F32(2.0**-32)
_HALF_STEP = _F32(2.0**-33)
_BELOW_ONE = _F32(1.0 - 2.0**-24)


@inlined
def uniform(u: Any) -> Any:
    """Return a float32 in (0, 1), never 0 or 1, from a uint32 word: (u + 1/2) / 2**32, rounded.

    Small values keep the full resolution of 2**-32, so that rare events have the right rate.
    """
    return min(_F32(_U32(u)) * _SCALE + _HALF_STEP, _BELOW_ONE)


def _reinterpreting(source: Any, target: Any) -> Any:
    """Return a function for compiled code that reads the bits of *source* as *target*."""

    def reinterpret(typingctx: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(target))

        return (target(source), generate) if value == source else None

    return intrinsic(reinterpret)


_bits_of = _reinterpreting(types.float32, types.int32)
_float_of = _reinterpreting(types.int32, types.float32)

_I32 = np.int32
_SQRT_HALF_BITS = _I32(0x3F3504F3)
_LN_2 = _F32(np.log(2.0))
_ANGLE = _F32(2.0 * np.pi / 2.0**32)
_ONE, _TWO = _F32(1.0), _F32(2.0)
_S3, _S5, _S7, _S9 = (_F32(c) for c in (-1 / 6, 1 / 120, -1 / 5040, 1 / 362880))
_C2, _C4, _C6, _C8 = (_F32(c) for c in (-1 / 2, 1 / 24, -1 / 720, 1 / 40320))
_T3, _T5, _T7, _T9 = (_F32(c) for c in (1 / 3, 1 / 5, 1 / 7, 1 / 9))


@inlined
def _log(u: Any) -> Any:
    """Return ln(u) of a positive normal float32, to 3 ulp, without branches.

    u = m 2**e with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh((m - 1) / (m + 1)).
    """
    bits = _bits_of(u)
    e = _I32(_I32(bits - _SQRT_HALF_BITS) >> _I32(23))
    m = _float_of(_I32(bits - _I32(e << _I32(23))))
    s = (m - _ONE) / (m + _ONE)
    q = s * s
    series = s * (_ONE + q * (_T3 + q * (_T5 + q * (_T7 + q * _T9))))
    return _F32(e) * _LN_2 + _TWO * series


@inlined
def normal_pair(ua: Any, ub: Any) -> Any:
    """Return two independent standard normal float32 from two uint32 words (Box-Muller).

    Plain arithmetic only (no library call), so that loops over it vectorise and the result is
    the same on every IEEE machine. Values end at 6.8 standard deviations.
    """
    radius = np.sqrt(-_TWO * _log(uniform(ua)))
    quarter = _U32(_U32(_U32(ub) + _U32(1 << 29)) >> _U32(30))
    a = _F32(_I32(_U32(ub) - _U32(quarter << _U32(30)))) * _ANGLE
    q = a * a
    s = a * (_ONE + q * (_S3 + q * (_S5 + q * (_S7 + q * _S9))))
    c = _ONE + q * (_C2 + q * (_C4 + q * (_C6 + q * _C8)))
    odd = (quarter & _U32(1)) == _U32(1)
    x, y = (s, c) if odd else (c, s)
    x = -x if quarter == _U32(1) or quarter == _U32(2) else x
    y = -y if quarter >= _U32(2) else y
    return radius * x, radius * y


@kernel
def _fill_normals(k0: Any, k1: Any, c0: Any, c1: Any, c2: Any, c3: Any, out: Any) -> None:
    for b in range(out.size // 4):
        u0, u1, u2, u3 = philox(k0, k1, _U32(c0 + b), c1, c2, c3)
        out[4 * b], out[4 * b + 1] = normal_pair(u0, u1)
        out[4 * b + 2], out[4 * b + 3] = normal_pair(u2, u3)


@kernel
def _fill_uniforms(k0: Any, k1: Any, c0: Any, c1: Any, c2: Any, c3: Any, out: Any) -> None:
    for b in range(out.size // 4):
        u0, u1, u2, u3 = philox(k0, k1, _U32(c0 + b), c1, c2, c3)
        out[4 * b], out[4 * b + 1] = uniform(u0), uniform(u1)
        out[4 * b + 2], out[4 * b + 3] = uniform(u2), uniform(u3)


def normals(
    seed: int,
    stream: int,
    step: int,
    shape: int | tuple[int, ...],
    dtype: DTypeLike = np.float64,
    *,
    offset: int = 0,
) -> np.ndarray:
    """Return standard normal numbers, keyed by (seed, stream, step, index).

    Parameters
    ----------
    seed : int
        Seed in [0, 2**64).
    stream : int
        Purpose of the draw, a :class:`Stream`.
    step : int
        Time, sample or array number of the draw, in [0, 2**64).
    shape : int or tuple of int
        Shape of the result.
    dtype : dtype
        float32 or float64; the numbers are the same.
    offset : int
        Index of the first element: ``normals(..., n)[a:b]`` equals
        ``normals(..., b - a, offset=a)``.

    Returns
    -------
    ndarray of *dtype*, of *shape*

    Raises
    ------
    DeviceError
        If *seed*, *step* or the range of indices does not fit the counter.
    """
    return _drawn(_fill_normals, seed, stream, step, shape, dtype, offset)


def uniforms(
    seed: int,
    stream: int,
    step: int,
    shape: int | tuple[int, ...],
    dtype: DTypeLike = np.float64,
    *,
    offset: int = 0,
) -> np.ndarray:
    """Return numbers uniform in (0, 1), keyed and shaped as by :func:`normals`."""
    return _drawn(_fill_uniforms, seed, stream, step, shape, dtype, offset)


def _drawn(
    fill: Callable[..., None],
    seed: int,
    stream: int,
    step: int,
    shape: int | tuple[int, ...],
    dtype: DTypeLike,
    offset: int,
) -> np.ndarray:
    size = int(np.prod(shape))
    if offset < 0 or offset + size > 2**34:
        raise DeviceError(f"draw of elements {offset} to {offset + size}; allowed is 0 to 2**34.")
    if not 0 <= step < 2**64:
        raise DeviceError(f"step of a draw is {step}; allowed is 0 to 2**64 - 1.")
    first, skip = divmod(offset, 4)
    blocks = -(-(skip + size) // 4)
    out = np.empty(4 * blocks, dtype)
    words = (first, step & 0xFFFFFFFF, step >> 32, int(stream))
    fill(*seed_key(seed), *(_U32(w) for w in words), out)
    return out[skip : skip + size].reshape(shape)
