"""A solution after a small change of the cells, in one kernel.

The steps are those of a correction in float32, see :mod:`.linear`. Arrays of a hundred lines take
less time for any of them than a call from Python does.
"""

from __future__ import annotations

import numpy as np

from ...jit import kernel, loop
from .balance import balance, change, integrate
from .kernels import word_lines
from .ladders import factor, factor_upward
from .lanes import TwoWay
from .relax import relax_one

__all__ = ["follow"]


@loop
def _narrow(g, single):
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            single[i, j] = g[i, j]


@kernel
def _correct(lines, single, room, stale, scale, absolute, omega, limit, w, b):
    """Correct the voltages *w* and *b* for the right sides in *single*, unless that fails."""
    up, up_last, q, flow = room
    if stale:
        factor(single.g, lines, single.ladders)
        factor_upward(single.g, lines, up, up_last)
    single.b[...] = 0
    bits = TwoWay(single.ladders, up, up_last)
    count = relax_one(
        single.g, single.fw, single.fb, lines, bits, omega, absolute, limit, single.b, q
    )
    if count >= 0:
        r_word = np.float32(lines.r_word)
        word_lines(single.g, single.fw, single.b, single.ladders, r_word, single.w)
        integrate(
            single.g, single.fw, single.fb, single.w, single.b, 1.0 / scale, lines, flow, w, b
        )
    return count


@kernel
def follow(g, lines, state, before, scale, allowed, least, single, room, stale, omega, limit):
    """Correct *state* for cells that have changed; return iterations and what is left over [A].

    Parameters
    ----------
    g : (rows, columns)
        Conductances now [S].
    lines
        The wires.
    state : State
        One drive: the voltages from before, corrected in place; its currents are written.
    before : (rows, columns)
        The cells' currents then [A]; they balanced.
    scale, allowed : float
        Inverse of the largest terminal current [1/A]; current that may be left at a node [A].
    least : float
        The smallest reduction that float32 is trusted with; nothing is corrected beyond.
    single, room, stale
        The float32 copy, room to work in, and whether its conductances and factors are old.
    omega, limit
        Inverse roots of the fixed polynomial, and the most iterations.

    Returns
    -------
    int
        Iterations; -1 where float32 does not get there.
    float
        Largest current that stays at a node [A].
    bool
        Whether the float32 copy was renewed.
    """
    rest = change(g, state, before, scale, single.fw, single.fb)
    count, renewed = 0, False
    if rest > allowed and allowed > least * rest:
        if stale:
            _narrow(g, single.g)
        count = _correct(
            lines, single, room, stale, scale, allowed * scale, omega, limit, state.w, state.b
        )
        renewed = True
    unused = state.w
    return count, balance(g, lines, state, count > 0, False, unused, unused), renewed
