"""Kirchhoff's current law at every node of an array, and corrections that make it hold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...jit import inlined, inner, inner_part, kernel

__all__ = [
    "SIZE",
    "SIZE_SINGLE",
    "State",
    "add",
    "as_number",
    "as_single",
    "balance",
    "bit_balance",
    "bit_block",
    "change",
    "integrate_eight",
    "integrate_rows",
    "largest",
    "linear_row",
    "proper",
    "sum_row",
    "word_block",
]

SIZE, SIZE_SINGLE = np.int64(0x7FFFFFFFFFFFFFFF), np.int32(0x7FFFFFFF)
"""Masks of all bits but the sign, see :func:`largest`."""


class State(NamedTuple):
    """Solutions in the making, with a leading batch axis, or one of them without.

    Attributes
    ----------
    v, u : (rows,), (columns,)
        Voltages at the terminals of word and bit lines [V].
    w, b : (rows, columns)
        Shifts of the nodes of word and bit lines from these [V].
    current : (rows, columns)
        Through the cells [A].
    supply, output : (rows,), (columns,)
        Into the word lines and out of the bit lines [A].
    """

    v: NDArray
    u: NDArray
    w: NDArray
    b: NDArray
    current: NDArray
    supply: NDArray
    output: NDArray

    def part(self, which: int | slice) -> State:
        """Return one drive without the batch axis, or some drives with it."""
        return State._make([a[which] for a in self])


@inlined
def linear_row(g, i, v, u, w, b, current):
    """Write the currents of the cells of row *i* for their voltages."""
    vi = v[i]
    for j in range(g.shape[1]):
        current[i, j] = g[i, j] * ((vi - u[j]) + (w[i, j] - b[i, j]))


@inner_part
def sum_row(current, i, output):
    """Add row *i* to the currents of the bit lines; return that of the word line."""
    total = current.dtype.type(0.0)
    for j in range(output.size):
        output[j] += current[i, j]
        total += current[i, j]
    return total


@inlined
def word_balance(current, w, i, r, t, total, out, k):
    """Write the currents that stay at the nodes of word line *i* to row *k* of *out*."""
    if r > 0:
        flow = current.dtype.type(1.0) / r
        for j in range(1, out.shape[1] - 1):
            out[k, j] = flow * ((w[i, j - 1] - w[i, j]) - (w[i, j] - w[i, j + 1])) - current[i, j]
    word_ends(current, w, i, r, t, total, out, k)


@inlined
def word_ends(current, w, i, r, t, total, out, k):
    """Do so for the first and last node, and the one node of a line without resistance."""
    last = out.shape[1] - 1
    if r > 0:
        flow = current.dtype.type(1.0) / r
        out[k, last] = flow * (w[i, max(last - 1, 0)] - w[i, last]) - current[i, last]
        if last > 0:
            out[k, 0] = flow * (w[i, 1] - w[i, 0]) - current[i, 0]
    else:
        for j in range(out.shape[1]):
            out[k, j] = 0
        out[k, 0] = -total
    out[k, 0] = out[k, 0] - w[i, 0] / t if t > 0 else 0


@inlined
def bit_balance(current, b, i, r, t, output, out, k):
    """Write those of the bit lines in row *i*; *output* (columns,) sums the rows so far."""
    last = b.shape[0] - 1
    if r > 0:
        flow = current.dtype.type(1.0) / r
        up, down = max(i - 1, 0), min(i + 1, last)  # no flow beyond either end
        for j in range(out.shape[1]):
            out[k, j] = current[i, j] + flow * ((b[up, j] - b[i, j]) - (b[i, j] - b[down, j]))
    else:
        for j in range(out.shape[1]):
            out[k, j] = output[j] if i == last else 0.0
    if i == last:
        for j in range(out.shape[1]):
            out[k, j] = out[k, j] - b[i, j] / t if t > 0 else 0.0


@inlined
def word_block(current, w, at, side, r, t, supply, out):
    """Do as :func:`word_balance` does for *side* word lines from *at* on; rows are one loop.

    Indices are unsigned, since one that might count from an array's end is not vectorised.
    """
    columns = w.shape[1]
    if r > 0:
        flow, first, one = 1.0 / r, np.uint64(at * columns), np.uint64(1)
        c, x, rest = current.reshape(-1), w.reshape(-1), out.reshape(-1)
        for m in range(one, np.uint64(max(side * columns - 1, 1))):
            n = first + m
            rest[m] = flow * ((x[n - one] - x[n]) - (x[n] - x[n + one])) - c[n]
    if r > 0 and t > 0 and columns > 1:
        flow, end, last = 1.0 / r, 1.0 / t, columns - 1
        for k in range(side):
            i = at + k
            out[k, last] = flow * (w[i, last - 1] - w[i, last]) - current[i, last]
            out[k, 0] = (flow * (w[i, 1] - w[i, 0]) - end * w[i, 0]) - current[i, 0]
    else:
        for k in range(side):
            word_ends(current, w, at + k, r, t, supply[at + k], out, k)


@inlined
def bit_block(current, b, at, side, r, out):
    """Do as :func:`bit_balance` does in *side* rows, which may be none; neither end is among them.

    Without resistance of the lines nothing is written.
    """
    columns = b.shape[1]
    if r > 0 and side > 0:
        flow, first, step = 1.0 / r, np.uint64(at * columns), np.uint64(columns)
        c, x, rest = current.reshape(-1), b.reshape(-1), out.reshape(-1)
        for m in range(np.uint64(side * columns)):
            n = first + m
            rest[m] = c[n] + flow * ((x[n - step] - x[n]) - (x[n] - x[n + step]))


@inlined
def largest(bits, start, stop, size, top):
    """Return the larger of *top* and the sizes of numbers *start* to *stop* of *bits*, as bits.

    *bits* is an array seen as integers and *size* :data:`SIZE` or :data:`SIZE_SINGLE`. Without
    their sign, numbers are in the order of their bits, NaN beyond infinity; integers are compared
    many at a time.
    """
    for j in range(np.uint64(start), np.uint64(stop)):
        top = max(top, bits[j] & size)
    return top


@inlined
def as_number(top):
    """Return the float64 whose bits *top* holds; infinity for NaN."""
    number = np.array([top], np.int64).view(np.float64)[0]
    return number if number < np.inf else np.inf


@inlined
def as_single(top):
    """Return the same for a float32."""
    number = np.array([top], np.int32).view(np.float32)[0]
    return number if number < np.inf else np.float32(np.inf)


@kernel
def proper(g):
    """Return whether all of *g* (rows, columns) are finite, and positive or +0."""
    every, top, bits = np.int64(0), np.int64(0), g.reshape(-1).view(np.int64)
    for n in range(np.uint64(bits.size)):
        every |= bits[n]
        top = max(top, bits[n])
    return every >= 0 and as_number(top) < np.inf


@kernel
def balance(g, lines, state, linear, keep, fw, fb):
    """Return the largest current that stays at a node [A]: Kirchhoff's law holds where it is 0.

    It is infinite where a current is not finite.

    Wire currents follow from the voltages by Ohm's law. The nodes of a line without resistance
    are one node, booked at its terminal; a line without even a driver's or sensor's resistance
    takes what it is given.

    Parameters
    ----------
    g : (rows, columns)
        Conductances [S].
    lines
        The wires.
    state : State
        One solution. Its ``supply`` and ``output`` are written, and with *linear* also
        ``current``.
    linear : bool
        Whether the cells' currents are to be computed from *g*.
    keep : bool
        Whether *fw* and *fb* (rows, columns) receive what stays at the nodes.
    """
    v, u, w, b, current, supply, output = state
    rows, columns = current.shape
    rest = np.empty((1, columns))
    row, bits, top = rest[0], rest.reshape(-1).view(np.int64), np.int64(0)
    output[:] = 0
    for i in range(rows):
        if linear:
            linear_row(g, i, v, u, w, b, current)
        total = sum_row(current, i, output)
        supply[i] = total
        word_balance(current, w, i, lines.r_word, lines.t_word, total, rest, 0)
        top = largest(bits, 0, columns, SIZE, top)
        if keep:
            fw[i] = row
        bit_balance(current, b, i, lines.r_bit, lines.t_bit, output, rest, 0)
        top = largest(bits, 0, columns, SIZE, top)
        if keep:
            fb[i] = row
    return as_number(top)


@inner
def change(g, state, before, scale, fw, fb):
    """Write by how much the cells' currents differ from *before* [A]; return the largest.

    If *before* balances, that difference is what the nodes are left with: *fb* receives it times
    *scale*, *fw* its opposite.
    """
    v, u, w, b, current = state.v, state.u, state.w, state.b, state.current
    rows, columns = g.shape
    bits, top = fb.reshape(-1).view(np.int64), np.int64(0)
    for i in range(rows):
        linear_row(g, i, v, u, w, b, current)
        for j in range(columns):
            c = scale * (current[i, j] - before[i, j])
            fb[i, j] = c
            fw[i, j] = -c
        top = largest(bits, i * columns, (i + 1) * columns, SIZE, top)
    return as_number(top) / scale


@inner
def add(scale, x, y):
    """Add *scale* x to y, both (rows, columns)."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i, j] += scale * x[i, j]


@inner
def integrate_rows(r, t, seen, side):
    """Replace currents *seen* into the nodes of *side* word lines by the voltages they cause."""
    for k in range(side):
        flow = seen.dtype.type(0.0)
        for j in range(seen.shape[1] - 1, -1, -1):
            flow += seen[k, j]
            seen[k, j] = flow
        level = t * flow
        seen[k, 0] = level
        for j in range(1, seen.shape[1]):
            level += r * seen[k, j]
            seen[k, j] = level


@inner
def integrate_eight(r, t, seen):
    """Do so for eight word lines side by side, as each sum waits for the one before."""
    n = seen.shape[1]
    e = n - 1
    a, b, c, d = seen[0, e], seen[1, e], seen[2, e], seen[3, e]
    p, q, x, y = seen[4, e], seen[5, e], seen[6, e], seen[7, e]
    for j in range(n - 2, -1, -1):
        a, b, c, d = a + seen[0, j], b + seen[1, j], c + seen[2, j], d + seen[3, j]
        p, q, x, y = p + seen[4, j], q + seen[5, j], x + seen[6, j], y + seen[7, j]
        seen[0, j], seen[1, j], seen[2, j], seen[3, j] = a, b, c, d
        seen[4, j], seen[5, j], seen[6, j], seen[7, j] = p, q, x, y
    a, b, c, d = t * a, t * b, t * c, t * d
    p, q, x, y = t * p, t * q, t * x, t * y
    seen[0, 0], seen[1, 0], seen[2, 0], seen[3, 0] = a, b, c, d
    seen[4, 0], seen[5, 0], seen[6, 0], seen[7, 0] = p, q, x, y
    for j in range(1, n):
        a, b, c, d = a + r * seen[0, j], b + r * seen[1, j], c + r * seen[2, j], d + r * seen[3, j]
        p, q, x, y = p + r * seen[4, j], q + r * seen[5, j], x + r * seen[6, j], y + r * seen[7, j]
        seen[0, j], seen[1, j], seen[2, j], seen[3, j] = a, b, c, d
        seen[4, j], seen[5, j], seen[6, j], seen[7, j] = p, q, x, y
