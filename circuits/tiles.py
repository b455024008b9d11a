"""Products of a time step whose sums stay in registers, as Numba kernels.

Five samples by two registers' worth of columns are summed at once: each load of a weight serves
five samples, each of a coefficient two registers, and ten sums under way hide the time one takes.
A sum is still taken in the order of its index, so that results do not depend on the tile.

Matrices of n columns are cut into panels of :func:`width` columns, the last one padded with zeros,
and stored panel by panel, (panels, rows, width), in one flat array: the rows that a tile needs lie
side by side, where (rows, n) would put them a power of two apart, in the same places of the cache.
"""

from __future__ import annotations

from ..jit import inlined, kernel, loop
from .activation import HARD, SIGMOID, TANH
from .vector_math import exponential
from .vectors import REGISTER, REGISTERS, TOTALS, load, put, spread, totals

__all__ = [
    "FIVE",
    "PANEL",
    "add_five",
    "collect",
    "five",
    "five_sums",
    "from_panels",
    "put_five",
    "rho",
    "sums_room",
    "to_panels",
    "width",
]

FIVE = 5
PANEL = 4 if REGISTERS == 32 else 2
"""Registers' worth of columns in a panel; five rows of them must find room at once."""


@inlined
def width(like):
    """Return the number of columns of a panel, two registers' worth of *like*'s numbers."""
    return PANEL * REGISTER // like.itemsize


@inlined
def five(first, count):
    """Return *first* and the four numbers after it; past *count* - 1, that one again."""
    last = count - 1
    return (
        first, min(first + 1, last), min(first + 2, last),
        min(first + 3, last), min(first + 4, last),
    )  # fmt: skip


@kernel
def to_panels(source, step, out):
    """Write *source* (count, n) to the first rows of panels that lie *step* numbers apart."""
    count, n = source.shape
    flat, w = source.ravel(), width(source)
    whole = n // w
    for b in range(count):
        for q in range(whole):
            put(load(flat, b * n + q * w, PANEL), out, q * step + b * w)
        if n % w > 0:
            at = whole * step + b * w
            for j in range(w):
                out[at + j] = source[b, whole * w + j] if j < n % w else 0


@kernel
def from_panels(source, step, out):
    """Write the first rows of panels that lie *step* numbers apart to *out* (count, n)."""
    count, n = out.shape
    flat, w = out.ravel(), width(out)
    whole = n // w
    for b in range(count):
        for q in range(whole):
            put(load(source, q * step + b * w, PANEL), flat, b * n + q * w)
        at = whole * step + b * w
        for j in range(n % w):
            out[b, whole * w + j] = source[at + j]


@inlined
def rho(code, a, one):
    """Return the activation of the vector *a*, as :func:`~.activation.activate` computes it."""
    two = one + one
    if code == SIGMOID:
        four = two + two
        return one / (one + exponential(two - four * a))
    if code == TANH:
        return one - two / (one + exponential(two * a))
    gain = one if code == HARD else one / two
    return min(max(gain * a, one - one), one)


@inlined
def add_five(base, at, s, s_at, rows, first, step, count):
    """Return five vectors: *base* at each of *at* plus sum_k s_k rows_k, k below *count*.

    Coefficients follow each other from each of *s_at*, rows from *first* in steps of *step*.
    """
    a0, a1, a2 = load(base, at[0], PANEL), load(base, at[1], PANEL), load(base, at[2], PANEL)
    a3, a4 = load(base, at[3], PANEL), load(base, at[4], PANEL)
    for k in range(count):
        r = load(rows, first + k * step, PANEL)
        a0 = a0 + spread(s, s_at[0] + k, PANEL) * r
        a1 = a1 + spread(s, s_at[1] + k, PANEL) * r
        a2 = a2 + spread(s, s_at[2] + k, PANEL) * r
        a3 = a3 + spread(s, s_at[3] + k, PANEL) * r
        a4 = a4 + spread(s, s_at[4] + k, PANEL) * r
    return a0, a1, a2, a3, a4


@inlined
def put_five(values, out, at):
    """Write five vectors to *out* at each of *at*."""
    put(values[0], out, at[0])
    put(values[1], out, at[1])
    put(values[2], out, at[2])
    put(values[3], out, at[3])
    put(values[4], out, at[4])


@inlined
def five_sums(s, at, s_step, rows, first, second, step, panels):
    """Return the inner products of five rows of *s* with two of *rows*, in one vector.

    Rows are given by where their first panel starts; their next ones are *s_step* and *step* on.
    """
    part = width(s) // PANEL
    zero = s.dtype.type(0.0) * load(s, at[0], 1)
    f0 = f1 = f2 = f3 = f4 = g0 = g1 = g2 = g3 = g4 = zero
    for q in range(panels):
        i, j = q * s_step, q * step
        for _ in range(PANEL):
            u, v = load(rows, first + j, 1), load(rows, second + j, 1)
            s0, s1, s2 = load(s, at[0] + i, 1), load(s, at[1] + i, 1), load(s, at[2] + i, 1)
            s3, s4 = load(s, at[3] + i, 1), load(s, at[4] + i, 1)
            f0, g0 = f0 + s0 * u, g0 + s0 * v
            f1, g1 = f1 + s1 * u, g1 + s1 * v
            f2, g2 = f2 + s2 * u, g2 + s2 * v
            f3, g3 = f3 + s3 * u, g3 + s3 * v
            f4, g4 = f4 + s4 * u, g4 + s4 * v
            i, j = i + part, j + part
    return totals((f0, g0, f1, g1, f2, g2, f3, g3, f4, g4))


@inlined
def sums_room(rows, p):
    """Return how many numbers the sums of *rows* rows with *p* take, as :func:`collect` reads."""
    return (rows + 4) // FIVE * ((p + 1) // 2) * TOTALS


@loop
def collect(sums, p, bias, out):
    """Write *bias* plus the *p* sums of every row to *out*; columns beyond *p* get the bias.

    *sums* holds what :func:`five_sums` returned for each five rows and each two sums in turn.
    """
    pairs = (p + 1) // 2
    for b in range(out.shape[0]):
        at = b // FIVE * pairs * TOTALS + 2 * (b % FIVE)
        for k in range(p):
            out[b, k] = bias[k] + sums[at + k // 2 * TOTALS + k % 2]
        for k in range(p, out.shape[1]):
            out[b, k] = bias[k]
