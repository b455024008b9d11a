"""The steady state: Newton's method, corrected by each node's own diodes.

A Newton step with exponential diodes overshoots by orders of magnitude. So after each step every
node is moved to the voltage at which it draws exactly what its neighbours drive into it
(:func:`~ohmlearn.circuits.resistive.elements.resolve`): the step keeps the network's currents, and
the diodes' laws are obeyed. Near the solution this changes nothing. A node that an ideal diode
holds stands still in the linear system; the correction takes it up and releases it, and what
results is the primal-dual active set method, which ends after finitely many steps.

Where that does not converge soon, steps are taken only as far as the co-content falls, each
followed by a sweep over the layers, which lowers a convex co-content always.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...jit import inner, kernel
from ..simulator import Equilibrium, Phase
from .elements import resolve
from .elimination import add_coupling, eliminate, make_factors, solve
from .flat import applied, by_layer, flatten, state_of
from .kirchhoff import RUNAWAY, currents, largest, reach, unheld
from .network import _IDEAL, _SHOCKLEY, ResistiveNetwork

__all__ = ["settle"]

_CONVERGED, _EXHAUSTED, _UNBOUNDED, _NOT_FINITE = range(4)
_SHORTEST = 1e-12


@kernel
def _obey(flat, conductance, drive, v, first, end, pull):
    """Move nodes *first* to *end* to where each draws what its neighbours at *v* drive into it."""
    pull[:] = drive
    add_coupling(flat, v, pull)
    for j in range(first, end):
        v[j] = resolve(flat.diode, flat.low[j], flat.high[j], conductance[j], pull[j], v[j])


@kernel
def _sweep(flat, conductance, drive, v, pull):
    """Do so layer after layer: this lowers a convex co-content always."""
    for layer in range(1, flat.sizes.size):
        _obey(flat, conductance, drive, v, flat.at[layer], flat.at[layer + 1], pull)


@inner
def _slope_along(weight, f, before, after):
    """Return minus the derivative of the co-content along a step, from the currents at a point."""
    total = 0.0
    for j in range(f.size):
        total += weight[j] * f[j] * (after[j] - before[j])
    return total


@kernel
def _step(flat, slope, f, factors, diagonal, step):
    """Solve for the Newton step; return the conductance [S] the outputs needed for a minimum.

    Without a negative nudge that is 0: the co-content is convex. It is infinite where the outputs
    are not to blame.
    """
    first = flat.at[flat.sizes.size - 1]
    shift, scale = 0.0, 0.0
    for j in range(slope.size):
        if slope[j] < np.inf:
            scale = max(scale, slope[j])
    for _ in range(60):
        diagonal[:] = slope
        diagonal[first:] += shift
        failed = eliminate(flat, diagonal, factors)
        if failed == 0:
            step[:] = f
            solve(flat, factors, step)
            return shift
        if failed < flat.sizes.size - 1:
            break
        shift = 1e-6 * scale if shift == 0.0 else 4.0 * shift
    return np.inf


@kernel
def _clip(flat, v):
    for j in range(v.size):
        v[j] = min(max(v[j], flat.low[j]), flat.high[j])


@kernel
def _descend(flat, conductance, drive, v, step, f, slope, tried, spare):
    """Move *v* along the Newton step as far as the co-content falls."""
    tried[:] = v + step
    if flat.diode.kind == _IDEAL:
        _clip(flat, tried)
    before = _slope_along(flat.weight, f, v, tried)
    part = 1.0
    while before > 0.0 and part > _SHORTEST:
        currents(flat, conductance, drive, tried, spare, slope)
        after = _slope_along(flat.weight, spare, v, tried) / part
        if after > -0.5 * before:
            v[:] = tried
            return
        shorter = max(before / (before - after), 0.1) if after > -np.inf else 0.1
        part *= shorter
        tried[:] = v + shorter * (tried - v)


@kernel
def find(flat, conductance, drive, v, absolute, relative, bold, limit, factors, work):
    """Bring one sample's *v* to the steady state.

    Parameters
    ----------
    absolute, relative : float
        Size of the last full Newton step: in volts, and as a part of the largest voltage.
    bold, limit : int
        Iterations before the co-content is watched, and in all.
    work : (6, nodes)
        Work space; on return row 0 holds the currents into the nodes.

    Returns
    -------
    tuple
        Status, iterations, residual [A].
    """
    f, slope, diagonal, step = work[0], work[1], work[2], work[3]
    tried, spare = work[4], work[5]
    bound = RUNAWAY * reach(flat, drive)
    currents(flat, conductance, drive, v, f, slope)
    if not largest(f) < np.inf:
        _sweep(flat, conductance, drive, v, spare)
        currents(flat, conductance, drive, v, f, slope)
    shift = 0.0
    for iteration in range(1, limit + 1):
        shift = _step(flat, slope, f, factors, diagonal, step)
        if shift == np.inf:
            return _NOT_FINITE, iteration, unheld(f, slope)
        size = largest(step)
        if shift == 0.0 and size <= absolute + relative * largest(v):
            v += step
            if flat.diode.kind == _IDEAL:
                _clip(flat, v)
            currents(flat, conductance, drive, v, f, slope)
            return _CONVERGED, iteration, unheld(f, slope)
        if iteration <= bold:
            v += step
            _obey(flat, conductance, drive, v, 0, v.size, spare)
        else:
            _descend(flat, conductance, drive, v, step, f, slope, tried, spare)
            _sweep(flat, conductance, drive, v, spare)
        currents(flat, conductance, drive, v, f, slope)
        if not largest(v) < bound:
            return (_UNBOUNDED if shift > 0.0 else _NOT_FINITE), iteration, unheld(f, slope)
    return (_UNBOUNDED if shift > 0.0 else _EXHAUSTED), limit, unheld(f, slope)


@kernel
def find_all(
    flat, conductance, drive, v, absolute, relative, bold, limit, factors, status, residual
):
    """Bring every sample to its steady state; return the most iterations a sample took."""
    work = np.empty((6, v.shape[1]))
    most = 0
    for b in range(v.shape[0]):
        status[b], used, residual[b] = find(
            flat, conductance, drive[b], v[b], absolute, relative, bold, limit, factors, work
        )
        most = max(most, used)
    return most


def settle(
    network: ResistiveNetwork,
    phase: Phase,
    start: Sequence[NDArray] | None = None,
    *,
    iterations: int = 200,
    bold: int = 40,
) -> Equilibrium:
    """Return the steady state of *network* under *phase*.

    The last Newton step of a converged sample is so small that what is left is rounding. A sample
    does not depend on the others in its batch, to the bit.

    Parameters
    ----------
    network, phase
        What is solved.
    start : sequence of (batch, n_l), optional
        Voltages [V] to start from; zero, moved between the rails, if left out.
    iterations
        Newton steps after which a sample is given up.
    bold
        Newton steps after which only those are taken that lower the co-content.

    Raises
    ------
    ConfigError
        If shapes do not fit.
    """
    flat = flatten(network)
    conductance, drive = applied(network, flat, phase)
    if start is None:
        v = np.tile(np.clip(0.0, flat.low, flat.high), (phase.batch, 1))
    else:
        v = state_of(start, flat, phase.batch)
        if flat.diode.kind == _IDEAL:
            np.clip(v, flat.low, flat.high, out=v)
    absolute, relative = 0.0, 1e-11
    if flat.diode.kind == _SHOCKLEY:  # Newton squares the error in units of n V_t
        absolute, relative = 3e-7 * flat.diode.n * flat.diode.v_t, 1e-13
    status, residual = np.empty(phase.batch, np.int64), np.empty(phase.batch)
    most = find_all(
        flat,
        conductance,
        drive,
        v,
        absolute,
        relative,
        bold,
        iterations,
        make_factors(flat),
        status,
        residual,
    )
    return Equilibrium(
        by_layer(flat, v),
        status == _CONVERGED,
        float(residual.max(initial=0.0)),
        most,
        _message(status, phase, iterations),
    )


def _message(status: NDArray, phase: Phase, iterations: int) -> str:
    failed = np.flatnonzero(status != _CONVERGED)
    if failed.size == 0:
        return ""
    which = f"{failed.size} of {status.size} samples (first: {failed[0]})"
    if (status == _UNBOUNDED).any():
        return (
            f"{which} have no steady state: the nudge of {phase.nudge:g} S makes an output node "
            "run away. Nudge with a smaller negative conductance: it must stay below what the "
            "output nodes see of the network, and is safe below the smallest eigenvalue of their "
            "Schur complement."
        )
    if (status == _NOT_FINITE).any():
        return (
            f"{which} left the range of finite voltages. Check that every node has a conductance "
            "to something, and start from zero."
        )
    return (
        f"{which} did not settle in {iterations} Newton iterations. Allow more iterations, or "
        "start from the free state."
    )
