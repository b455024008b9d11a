"""Update policies: how a requested weight change, in units of one pulse, becomes pulses.

======================  ====================================================================
policy                  pulses for a request r
======================  ====================================================================
ideal                   none: the conductance changes by exactly r steps (an ablation)
stochastic              floor(|r|), and one more with probability |r| - floor(|r|)
deterministic           |r| rounded to the nearest whole number; the rest is forgotten
deterministic-residue   the same, but the rest is kept and added to the next request
sign-threshold          one pulse where |r| reaches the threshold
======================  ====================================================================

In the nudged phase of a continual rule nearly every request is far below one pulse. Stochastic
rounding therefore samples the pulses instead of visiting the cells: along a column of the array
the hits of independent cells with hit rate at most m form a Poisson process of rate m + m^2 per
cell, thinned to each cell's own probability. The distribution is exactly that of visiting every
cell; the cost grows with the pulses fired (tested against the visit of every cell).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..circuits.fabric import renew
from ..crossbar.bank import fire, shift, words
from ..crossbar.metering import count_slots
from ..devices.counter_rng import Stream, uniform
from ..errors import ConfigError, nearest
from ..jit import inlined, inner, kernel, spliced

__all__ = ["POLICIES", "Policy", "make_policy", "program_array", "pulse_count"]

IDEAL, STOCHASTIC, DETERMINISTIC, RESIDUE, SIGN = range(5)
POLICIES = {
    "ideal": IDEAL,
    "stochastic": STOCHASTIC,
    "deterministic": DETERMINISTIC,
    "deterministic-residue": RESIDUE,
    "sign-threshold": SIGN,
}
_PULSE = np.int64(Stream.PULSE)
_HITS, _ROUNDING = np.int64(0), np.int64(1)  # draws of the event sampler and of single cells
_MOST = np.float32(1e5)  # pulses per request: more than any cell's window holds
_DENSE = 0.5  # from this hit rate on, visiting the cells of a column is cheaper than sampling


class Policy(NamedTuple):
    """An update policy as the kernels take it.

    Attributes
    ----------
    kind
        Number of the policy.
    threshold
        Least request that fires under sign-threshold [pulses].
    residue : (weights of all arrays,)
        Requests not yet served; empty for policies that keep none.
    """

    kind: int
    threshold: float
    residue: NDArray


def make_policy(
    name: str, weights: int, dtype: np.dtype, threshold: float | None = None
) -> Policy:
    """Return the policy *name* for a network of *weights* weights.

    Raises
    ------
    ConfigError
        If the name is unknown, or sign-threshold has no threshold above 0.
    """
    if name not in POLICIES:
        raise ConfigError(nearest(name, POLICIES, "learning.policy"))
    kind = POLICIES[name]
    if kind == SIGN and not (threshold is not None and 0.0 < threshold < np.inf):
        raise ConfigError(
            f"learning.threshold is {threshold}; the sign-threshold policy needs a number of "
            "pulses above 0."
        )
    residue = np.zeros(weights if kind == RESIDUE else 0, dtype)
    return Policy(kind, threshold or 0.0, residue)


class Products(NamedTuple):
    """A request as outer products: r_ij = scale sum_b (a_bi d_bj + e_bi f_bj), in pulses.

    Shapes: a, e (batch, rows); d, f (batch, columns).
    """

    scale: float
    a: NDArray
    d: NDArray
    e: NDArray
    f: NDArray


@inner
def _request(products, i, j):
    total = products.a.dtype.type(0.0)
    for b in range(products.a.shape[0]):
        total += products.a[b, i] * products.d[b, j] + products.e[b, i] * products.f[b, j]
    return products.scale * total


@inlined
def pulse_count(kind, threshold, residue, r, at, tick, weight):
    """Return the signed pulses for request *r* of the weight whose residue is at *at*.

    NaN gives none, and no request gives more than ``_MOST``: a network that diverges must come
    to the end of its epoch, where the trainer says so.
    """
    if r != r:
        return 0
    r = min(max(r, -_MOST), _MOST)
    if kind == STOCHASTIC:
        u, _, _, _ = words(tick, _ROUNDING, _PULSE, weight)
        size = abs(r)
        whole = int(np.floor(size))
        count = whole + (1 if uniform(u) < size - whole else 0)
        return count if r > 0 else -count
    if kind == SIGN:
        return (1 if r > 0 else -1) if abs(r) >= threshold else 0
    if kind == RESIDUE:
        r = r + residue[at]
    # A half is rounded down: a residue of one half must not fire without a request.
    count = int(np.ceil(abs(r) - 0.5))
    count = count if r > 0 else -count
    if kind == RESIDUE:
        residue[at] = r - count
    return count


@kernel
def _visit(policy, columns, residue_at, active, products, tick, weights, counts):
    """Ask the policy at every weight of the *active* rows; return how many events that gave."""
    kind, threshold, residue = policy.kind, policy.threshold, policy.residue
    events = 0
    for k in range(active.size):
        for j in range(columns):
            weight = active[k] * columns + j
            r = _request(products, active[k], j)
            count = pulse_count(kind, threshold, residue, r, residue_at + weight, tick, weight)
            if count != 0:
                weights[events] = weight
                counts[events] = count
                events += 1
    return events


@kernel
def _largest(values, active):
    most = values.dtype.type(0.0)
    for k in range(active.size):
        most = max(most, abs(values[0, active[k]]))
    return most


@kernel
def _sample(policy, columns, residue_at, active, products, tick, weights, counts):
    """Sample the events of one sample's requests (batch 1), column by column.

    ``clock`` is an exponential variate: the hazard left until the next candidate. A column whose
    whole hazard is below it is passed with one subtraction.
    """
    scale, pre, dpost, dpre, post = products
    kind, threshold, residue = policy.kind, policy.threshold, policy.residue
    most_a = abs(scale) * _largest(pre, active)
    most_e = abs(scale) * _largest(dpre, active)
    events, draws, rows = 0, np.int64(0), active.size
    u0, u1, _, _ = words(tick, _HITS, _PULSE, draws)
    clock, accept = -np.log(uniform(u0)), uniform(u1)
    for j in range(columns):
        d, f = scale * dpost[0, j], scale * post[0, j]
        bound = most_a * abs(dpost[0, j]) + most_e * abs(post[0, j])
        if bound >= _DENSE:
            for k in range(rows):
                weight = active[k] * columns + j
                r = pre[0, active[k]] * d + dpre[0, active[k]] * f
                count = pulse_count(kind, threshold, residue, r, residue_at + weight, tick, weight)
                if count != 0:
                    weights[events], counts[events] = weight, count
                    events += 1
            continue
        # 1 - exp(-rate) >= bound for every bound below _DENSE, so thinning can only reject.
        rate = bound + bound * bound
        hit, k = -np.expm1(-rate) if clock < rate * rows else rate, 0
        while clock < rate * (rows - k):
            k += int(clock / rate)
            if k >= rows:  # the quotient was rounded up to the column's end
                break
            r = pre[0, active[k]] * d + dpre[0, active[k]] * f
            if accept * hit < abs(r):
                weights[events] = active[k] * columns + j
                counts[events] = 1 if r > 0 else -1
                events += 1
            k += 1
            draws += 1
            u0, u1, _, _ = words(tick, _HITS, _PULSE, draws)
            clock, accept = -np.log(uniform(u0)), uniform(u1)
        clock -= rate * max(rows - k, 0)
    return events


@kernel
def _carry(fabric, weights, x, change, change_q, drive, q_drive):
    """Let the first layer's constant drives follow the changed weights of array 0 at once."""
    columns, last = fabric.columns[0], fabric.rows[0] - 1
    for k in range(weights.size):
        i, j = weights[k] // columns, weights[k] % columns
        tile = 0 if drive.shape[0] == 1 else i // fabric.tile_rows
        for b in range(drive.shape[1]):
            xi = x.dtype.type(1.0) if i == last else x[b, i]
            drive[tile, b, j] += xi * change[k]
            q_drive[tile, b, j] += xi * xi * change_q[k]


@kernel
def _change_exactly(fabric, a, active, products, weights):
    """Change conductances by the request itself, half of it on each arm; the ideal policy."""
    columns = fabric.columns[a]
    share = fabric.step[a] * fabric.unit[a] / products.a.dtype.type(fabric.arms)
    change = np.empty(weights.size, products.a.dtype)
    events = 0
    for k in range(active.size):
        for j in range(columns):
            r = _request(products, active[k], j)
            if r != 0:
                weights[events], change[events] = active[k] * columns + j, r * share
                events += 1
    shift(fabric.bank, fabric.cell_at[a], fabric.arms, weights[:events], change[:events])
    return events


@spliced
def program_array(policy, fabric, a, active, products, tick, theta, q, x, drive, q_drive):
    """Serve the request *products* to array *a*; return the pulses fired on single cells.

    Parameters
    ----------
    active : (count,) of int
        Rows that can have a request.
    theta, q
        Weights and squared conductances that the dynamics use; kept in step with the cells.
    x, drive, q_drive
        Input (batch, n_0) and the first layer's constant drives, one part per tile that is read
        on its own, (parts, batch, n_1), which follow array 0.
    """
    columns, first = fabric.columns[a], fabric.cell_at[a]
    weights = np.empty(active.size * columns, np.int64)
    pulses = 0
    if policy.kind == IDEAL:
        events = _change_exactly(fabric, a, active, products, weights)
    else:
        counts, at = np.empty(weights.size, np.int64), first // fabric.arms
        if policy.kind == STOCHASTIC and products.a.shape[0] == 1:
            events = _sample(policy, columns, at, active, products, tick, weights, counts)
        else:
            events = _visit(policy, columns, at, active, products, tick, weights, counts)
        count_slots(
            fabric.bank, fabric.arms, fabric.rows[a], columns, weights[:events], counts[:events],
            fabric.slots[a],
        )  # fmt: skip
        pulses = fire(fabric.bank, first, fabric.arms, weights[:events], counts[:events], tick)
    change = np.empty(events, theta.dtype)
    change_q = np.empty(events, theta.dtype)
    renew(fabric, a, weights[:events], theta, q, change, change_q)
    if a == 0:
        _carry(fabric, weights[:events], x, change, change_q, drive, q_drive)
    return pulses
