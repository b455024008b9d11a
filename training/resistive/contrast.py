"""The local rule: a conductance changes with the square of the voltage across it.

Between an old and a new state of the network conductance g_ij between nodes i and j is asked to
change by

    - rate_l sum_b 1/2 ((A u'_bi - v'_bj)^2 - (A u_bi - v_bj)^2)

with u and v the voltages in front of and behind it, primes for the new state and A the gain of the
amplifier between. A current source b_j is asked to change by rate sum_b (v'_bj - v_bj).
"""

from __future__ import annotations

import numpy as np

from ...circuits.products import block
from ...jit import kernel, loop

__all__ = ["change_biases", "change_conductances"]


@loop
def _add_scaled(scale, row, out):
    for j in range(out.size):
        out[j] += scale * row[j]


@loop
def _add_clipped(change, floor, ceiling, row):
    for j in range(row.size):
        row[j] = min(max(row[j] + change[j], floor), ceiling)


@kernel
def _change_first(rate, floor, ceiling, u, old, new, g):
    """Change the conductances behind the inputs, which do not move.

    The request is rate sum_b (u_bi dv_bj - 1/2 dv_bj (v'_bj + v_bj)): a row whose inputs are all
    at 0 V takes the second part, which is the same for all rows.
    """
    batch, n = old.shape
    kind = g.dtype.type
    moved = np.empty((batch, n), g.dtype)
    rest = np.zeros(n, g.dtype)
    for b in range(batch):
        for j in range(n):
            step = kind(rate * (new[b, j] - old[b, j]))
            moved[b, j] = step
            rest[j] -= step * kind(0.5 * (new[b, j] + old[b, j]))
    change = np.empty(n, g.dtype)
    for i in range(g.shape[0]):
        lit = False
        for b in range(batch):
            if u[b, i] != 0:
                if not lit:
                    change[:] = rest
                    lit = True
                _add_scaled(kind(u[b, i]), moved[b], change)
        _add_clipped(change if lit else rest, floor, ceiling, g[i])


@kernel
def _change_inner(rate, floor, ceiling, gain, u_old, u_new, old, new, g):
    """Change the conductances (n_l, n_{l-1}) between two layers that both move.

    1/2 (a'^2 - a^2) is written (a' - a) (a' + a) / 2: the squares are nearly alike.
    """
    batch, n = old.shape
    m = g.shape[1]
    kind = g.dtype.type
    change = np.empty(m, g.dtype)
    for j in range(n):
        change[:] = 0
        for b in range(batch):
            dv, sv = new[b, j] - old[b, j], new[b, j] + old[b, j]
            for i in range(m):
                du = gain * (u_new[b, i] - u_old[b, i]) - dv
                su = gain * (u_new[b, i] + u_old[b, i]) - sv
                change[i] -= kind(rate * 0.5 * du * su)
        _add_clipped(change, floor, ceiling, g[j])


@kernel
def change_conductances(rates, floor, ceiling, layout, rails, u, old, new, theta):
    """Change all conductances in theta by what the two states ask for, within their bounds.

    Parameters
    ----------
    rates : (N,)
        Rate of each layer of conductances.
    floor, ceiling : float
        Bounds of every conductance, in theta's units and type.
    u : (batch, n_0)
        Input voltages [V].
    old, new : (batch * units,)
        States [V].
    """
    n, at, batch = layout.sizes, layout.unit_at, u.shape[0]
    for layer in range(1, n.size):
        v = block(old, batch * at[layer], batch, n[layer])
        w = block(new, batch * at[layer], batch, n[layer])
        rate = rates[layer - 1]
        if layer == 1:
            g = block(theta, layout.weight_at[1], n[0], n[1])
            _change_first(rate, floor, ceiling, u, v, w, g)
        else:
            before = block(old, batch * at[layer - 1], batch, n[layer - 1])
            after = block(new, batch * at[layer - 1], batch, n[layer - 1])
            g = block(theta, layout.weight_at[layer], n[layer], n[layer - 1])
            gain = rails.gain[layer]
            _change_inner(rate, floor, ceiling, gain, before, after, v, w, g)


@kernel
def change_biases(rates, layout, batch, old, new, theta):
    """Change all current sources in theta by what the two states ask for; *rates* is (N,)."""
    n, at = layout.sizes, layout.unit_at
    for layer in range(1, n.size):
        v = block(old, batch * at[layer], batch, n[layer])
        w = block(new, batch * at[layer], batch, n[layer])
        bias = theta[layout.bias_at[layer] : layout.bias_at[layer] + n[layer]]
        for b in range(batch):
            for j in range(n[layer]):
                bias[j] += bias.dtype.type(rates[layer - 1] * (w[b, j] - v[b, j]))
