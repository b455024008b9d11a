"""The steady state of the leaky network, to rounding.

From its start each sample first follows its own differential equation for a while, so that of
several steady states the circuit's own is found, and then Newton's method takes over. Odd and
even layers hear only of each other: the larger half is eliminated exactly, and the linear system
that is left is as small as the other half. Steps are those of an implicit Euler method whose
time step grows as the residual falls (pseudo-transient continuation), so that it becomes Newton's
method at the end; where the residual grows instead, the sample follows its equation again.

References
----------
C. T. Kelley, D. E. Keyes, "Convergence analysis of pseudo-transient continuation", SIAM Journal
on Numerical Analysis 35(2), 1998, doi:10.1137/S0036142996304796.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...jit import kernel, loop
from ..activation import activate, slope
from ..simulator import Equilibrium, Phase
from .network import LeakyNetwork
from .signals import (
    Conditions,
    Signals,
    conditions,
    node_currents,
    signals_of,
    split_nodes,
    start_signals,
)

__all__ = ["settle"]

_CLOSE = 0.05  # residual, in signals, from which on Newton's method is tried
_FOLLOW = 30.0  # time constants for which the circuit's own equation is followed at a time
_ROUNDS = 40
_ROUNDING = 4e-15  # of a node's sum of magnitudes


class _Halves(NamedTuple):
    """The nodes in two halves that hear only of each other.

    ``large`` and ``small`` are indices of nodes; ``to_large`` (n_L, n_S) and ``to_small``
    (n_S, n_L) the weights between them.
    """

    large: NDArray[np.int64]
    small: NDArray[np.int64]
    to_large: NDArray
    to_small: NDArray


def settle(
    network: LeakyNetwork,
    phase: Phase,
    start: Sequence[NDArray] | None = None,
    *,
    iterations: int = 200,
) -> Equilibrium:
    """Return the steady state of *network* under *phase*, sought from *start* on.

    Parameters
    ----------
    network, phase
        The circuit and what is applied to it.
    start : sequence of (batch, n_l), optional
        Node voltages [V] of layers 1 to N to begin from; 0 V where left out.
    iterations
        Newton steps after which a sample follows its own equation again.

    Raises
    ------
    ConfigError
        If the phase or the start does not fit the network, or the nudge makes it run away.
    """
    signals = signals_of(network)
    given = conditions(signals, phase)
    state = start_signals(signals, phase.batch, start)
    halves = _halve(signals)
    constant = _constant(signals, given)
    scale = _scale(signals, given, constant)
    converged = np.zeros(phase.batch, np.bool_)
    steps = np.zeros(phase.batch, np.int64)
    problem = given.damping, constant, scale, iterations
    _settle_all(signals.code, halves, problem, state, converged, steps)
    residual = float(np.abs(node_currents(signals, given, state)).max(initial=0.0))
    voltages = split_nodes(signals.layout, state * signals.v_ref)
    return Equilibrium(
        voltages, converged, residual, int(steps.max(initial=0)), _advice(converged)
    )


def _advice(converged: NDArray[np.bool_]) -> str:
    missing = int(np.count_nonzero(~converged))
    if missing == 0:
        return ""
    return (
        f"{missing} of {converged.size} samples found no steady state: the circuit may oscillate "
        "or creep between states. Lower the weights or the nudge, start from a nearby state, or "
        "look at the waveforms of transient()."
    )


def _halve(signals: Signals) -> _Halves:
    """Return odd and even layers as halves, with the weights between them as two matrices."""
    layout, theta = signals.layout, signals.theta
    full = np.zeros((layout.units, layout.units))  # row: hears, column: is heard
    units = [slice(0, 0)] + [
        slice(int(at), int(at + n))
        for at, n in zip(layout.unit_at[1:], layout.sizes[1:], strict=True)
    ]
    for layer in range(2, layout.depth + 1):
        full[units[layer], units[layer - 1]] = layout.weight(theta, layer).T
        full[units[layer - 1], units[layer]] = layout.backward(theta, layer)
    of_layer = np.repeat(np.arange(1, layout.depth + 1), layout.sizes[1:])
    large, small = (np.flatnonzero(of_layer % 2 == parity) for parity in (1, 0))
    if small.size > large.size:
        large, small = small, large
    return _Halves(
        large,
        small,
        np.ascontiguousarray(full[np.ix_(large, small)]),
        np.ascontiguousarray(full[np.ix_(small, large)]),
    )


def _constant(signals: Signals, given: Conditions) -> NDArray:
    """Return what does not depend on the state, (batch, units): drive, biases and nudge."""
    layout = signals.layout
    constant = given.pull.copy()
    for layer, part in enumerate(split_nodes(layout, constant), start=1):
        part += given.drive if layer == 1 else layout.bias(signals.theta, layer)
    return constant


def _scale(signals: Signals, given: Conditions, constant: NDArray) -> NDArray:
    """Return the residual that rounding may leave at each node, (batch, units)."""
    layout, theta = signals.layout, signals.theta
    heard = np.zeros(layout.units)
    parts = split_nodes(layout, heard)
    for layer in range(2, layout.depth + 1):
        parts[layer - 1][...] += np.abs(layout.weight(theta, layer)).sum(axis=0)
        parts[layer - 2][...] += np.abs(layout.backward(theta, layer)).sum(axis=1)
    return _ROUNDING * (given.damping + np.abs(constant) + heard)


@kernel
def _settle_all(code, halves, batch, state, converged, steps):
    """Settle every sample in place."""
    damping, constant, scale, iterations = batch
    large, small = halves.large, halves.small
    work_large, work_small = np.empty((5, large.size)), np.empty((5, small.size))
    inverse = 1.0 / (damping.max() + _gain(halves.to_large, halves.to_small))
    for b in range(state.shape[0]):
        s_large, s_small = state[b][large], state[b][small]
        problem = (
            damping[large], damping[small], constant[b][large], constant[b][small],
            scale[b][large], scale[b][small], iterations,
        )  # fmt: skip
        close = _CLOSE
        for _ in range(_ROUNDS):
            steps[b] += _follow(
                code, halves, problem, inverse, close, s_large, s_small, work_large, work_small
            )
            count, worst = _newton(code, halves, problem, s_large, s_small, work_large, work_small)
            steps[b] += count
            if worst <= 1.0:
                converged[b] = True
                break
            close *= 0.3
        for k in range(large.size):
            state[b, large[k]] = s_large[k]
        for k in range(small.size):
            state[b, small[k]] = s_small[k]


@kernel
def _gain(to_large, to_small):
    """Return a bound of how strongly the halves pull at each other (no rho is steeper than 1)."""
    rows = 0.0
    for i in range(to_large.shape[0]):
        rows = max(rows, np.abs(to_large[i]).sum())
    columns = 0.0
    for i in range(to_small.shape[0]):
        columns = max(columns, np.abs(to_small[i]).sum())
    return np.sqrt(rows * columns)


@loop
def _difference(constant, damping, s, out):
    """Write out + constant - damping s to *out*; return its largest magnitude."""
    worst = 0.0
    for i in range(s.size):
        out[i] += constant[i] - damping[i] * s[i]
        worst = max(worst, abs(out[i]))
    return worst


@kernel
def _forces(code, halves, problem, s_large, s_small, work_large, work_small):
    """Write rho to row 0 and the node currents to row 1 of the work space; return the largest."""
    damping_large, damping_small, constant_large, constant_small, _, _, _ = problem
    activate(code, s_large, work_large[0])
    activate(code, s_small, work_small[0])
    if s_small.size > 0:
        np.dot(halves.to_large, work_small[0], work_large[1])
        np.dot(halves.to_small, work_large[0], work_small[1])
    else:
        work_large[1][:] = 0.0
    worst = _difference(constant_large, damping_large, s_large, work_large[1])
    return max(worst, _difference(constant_small, damping_small, s_small, work_small[1]))


@kernel
def _follow(code, halves, problem, inverse, close, s_large, s_small, work_large, work_small):
    """Follow the circuit's own equation until its residual is *close*; return the steps taken."""
    steps = int(_FOLLOW / inverse)
    for t in range(steps):
        worst = _forces(code, halves, problem, s_large, s_small, work_large, work_small)
        if not worst > close:
            return t
        s_large += inverse * work_large[1]
        s_small += inverse * work_small[1]
    return steps


@kernel
def _excess(force, scale):
    worst = 0.0
    for i in range(force.size):
        worst = max(worst, abs(force[i]) / scale[i])
    return worst


@kernel
def _newton(code, halves, problem, s_large, s_small, work_large, work_small):
    """Take Newton steps; return how many, and the largest residual in units of rounding.

    Ends once rounding is reached and one more step does not help, or where the residual grows.
    The state is then what it was: a place that only looks like a steady state would hold it.
    """
    scale_large, scale_small, most = problem[4], problem[5], problem[6]
    worst = _forces(code, halves, problem, s_large, s_small, work_large, work_small)
    first, best = worst, np.inf
    kept_large, kept_small = s_large.copy(), s_small.copy()
    count = 0
    while count < most:
        count += 1
        excess = max(_excess(work_large[1], scale_large), _excess(work_small[1], scale_small))
        if excess < best:
            best = excess
            if best <= 1.0:
                kept_large[:], kept_small[:] = s_large, s_small
        elif best <= 1.0:
            break
        if excess == 0.0 or not worst <= 4.0 * first:
            break
        _newton_step(code, halves, problem, worst, s_large, s_small, work_large, work_small)
        worst = _forces(code, halves, problem, s_large, s_small, work_large, work_small)
    s_large[:], s_small[:] = kept_large, kept_small
    return count, best


@kernel
def _newton_step(code, halves, problem, extra, s_large, s_small, work_large, work_small):
    """Move the state by one implicit Euler step of length 1 / *extra* (in time constants)."""
    force_large, force_small = work_large[1], work_small[1]
    rate_large, rate_small = work_large[2], work_small[2]
    inverse_large = 1.0 / (problem[0] + extra)
    if s_small.size == 0:
        s_large += force_large * inverse_large
        return
    slope(code, s_large, work_large[0], rate_large)
    slope(code, s_small, work_small[0], rate_small)
    to_large = halves.to_large * rate_small
    to_small = halves.to_small * (rate_large * inverse_large)
    system = -np.dot(to_small, to_large)
    for i in range(system.shape[0]):
        system[i, i] += problem[1][i] + extra
    move_small = np.linalg.solve(system, force_small + np.dot(to_small, force_large))
    s_large += inverse_large * (force_large + np.dot(to_large, move_small))
    s_small += move_small
