"""Kernels of the time integration of one phase: steps, continuous output, energies, settling."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...jit import kernel
from .elimination import eliminate, solve
from .kirchhoff import RUNAWAY, currents, largest, reach
from .network import _IDEAL, _PIECEWISE, _SHOCKLEY
from .power import powers
from .rosenbrock import ORDER, STAGES, between, step

__all__ = ["MOST_STEPS", "Control", "run_phase"]

MOST_STEPS = 100_000
_FIRST, _SHRINK, _GROW, _SAFETY = 1e-3, 0.1, 6.0, 0.9
_SNAP = 0.5  # of the error of a step: a diode's kink may be passed that far off

# Gauss-Legendre quadrature with four points on (0, 1), exact to degree 7
_ROOTS, _WEIGHTS = np.polynomial.legendre.leggauss(4)
_POINTS, _SHARES = 0.5 + 0.5 * _ROOTS, 0.5 * _WEIGHTS


class Control(NamedTuple):
    """Duration [s], error of one step, settling tolerance and distance at which to stop [V]."""

    duration: float
    error: float
    settled_within: float
    stop_within: float


@kernel
def _grown(values, used):
    """Return *values*, with twice the room if entry *used* does not fit."""
    if used < values.shape[0]:
        return values
    larger = np.empty((2 * values.shape[0], *values.shape[1:]))
    larger[: values.shape[0]] = values
    return larger


@kernel
def _largest_change(a, b):
    worst = 0.0
    for j in range(a.size):
        worst = max(worst, abs(a[j] - b[j]))
    return worst


@kernel
def _first_step(flat, f, control):
    """Return a step in which no node moves far; the error control corrects it."""
    rate = 0.0
    for j in range(f.size):
        rate = max(rate, abs(f[j]) / flat.capacitance[j])
    return min(control.duration, _FIRST / rate) if rate > 0.0 else control.duration


@kernel
def _crossing(flat, v, slope, end, f, f_end, h, allowed):
    """Return the part of a step after which the first diode starts or ceases to conduct.

    It is 1 where none does so by more than *allowed* volts off its time. The error estimate sees
    a diode start, but not one cease: the step takes it to hold the node to the end. A Shockley
    diode needs no such care, as its node moves with its current.
    """
    part = 1.0
    for j in range(v.size):
        missed = 0.5 * abs(f_end[j]) * h / flat.capacitance[j]
        if slope[j] == np.inf:
            if f_end[j] * f[j] < 0.0 and missed > allowed:
                part = min(part, f[j] / (f[j] - f_end[j]))
        elif flat.diode.kind == _PIECEWISE:
            up, down = flat.high[j] + flat.diode.v_on, flat.low[j] - flat.diode.v_on
            if v[j] > up > end[j] and missed > allowed:
                part = min(part, (v[j] - up) / (v[j] - end[j]))
            elif v[j] < down < end[j] and missed > allowed:
                part = min(part, (v[j] - down) / (v[j] - end[j]))
        elif end[j] > flat.high[j] + allowed:
            part = min(part, (flat.high[j] - v[j]) / (end[j] - v[j]))
        elif end[j] < flat.low[j] - allowed:
            part = min(part, (flat.low[j] - v[j]) / (end[j] - v[j]))
    return part


@kernel
def _snap(flat, v, allowed):
    """Put nodes that reached an ideal diode's rail onto it."""
    for j in range(v.size):
        if v[j] > flat.high[j] - allowed:
            v[j] = flat.high[j]
        elif v[j] < flat.low[j] + allowed:
            v[j] = flat.low[j]


@kernel
def _distance(flat, f, slope, factors, work):
    """Return the length of the Newton step to the steady state [V]."""
    work[0] = slope
    if eliminate(flat, work[0], factors) != 0:
        return np.inf
    work[1] = f
    solve(flat, factors, work[1])
    return largest(work[1])


@kernel
def _account(flat, conductance, drive, sources, b, start, end, bend, h, work, power, energy):
    """Add the energies of a step of *h* [s] to *energy*."""
    for q in range(_POINTS.size):
        between(start, end, bend, _POINTS[q], work[0])
        if flat.diode.kind == _IDEAL:
            currents(flat, conductance, drive, work[0], work[1], work[2])
        powers(flat, sources, b, work[0], work[1], power)
        for c in range(power.size):
            energy[c] += h * _SHARES[q] * power[c]


@kernel
def _integrate(flat, conductance, drive, sources, b, control, v, factors, energy):
    """Run one sample through a phase.

    Returns
    -------
    tuple
        Times, states and bends of the steps, their number, and whether the phase was completed.
    """
    nodes = v.size
    times, states = np.zeros(65), np.empty((65, nodes))
    bends = np.empty((64, 3, nodes))
    work, stages = np.empty((3, nodes)), np.empty((STAGES, nodes))
    f, slope, f_end = np.empty(nodes), np.empty(nodes), np.empty(nodes)
    end, power = np.empty(nodes), np.empty(energy.size)
    kinked, allowed = flat.diode.kind != _SHOCKLEY, _SNAP * control.error
    states[0] = v
    bound = RUNAWAY * max(reach(flat, drive), largest(v))
    t, k, limit, still = 0.0, 0, _GROW, False
    currents(flat, conductance, drive, v, f, slope)
    h = _first_step(flat, f, control)
    for _ in range(MOST_STEPS):
        last = still or t + 1.001 * h >= control.duration
        if last:
            h = control.duration - t
        if not t + h > t:
            break
        times, states, bends = _grown(times, k + 1), _grown(states, k + 1), _grown(bends, k)
        start, bend, error = states[k], bends[k], 0.0
        if still:
            end[:] = start
            bend[:] = 0.0
        else:
            error = step(
                flat, conductance, drive, start, f, slope, h, factors, stages, work, end, bend
            )
        ratio = error / control.error
        if not ratio <= 1.0:
            h *= max(_SHRINK, _SAFETY * ratio ** (-1.0 / ORDER)) if ratio < np.inf else _SHRINK
            limit = 1.0
            continue
        if kinked:
            currents(flat, conductance, drive, end, f_end, work[0])
            part = _crossing(flat, start, slope, end, f, f_end, h, allowed)
            if part < 1.0:
                h *= max(part, 1e-3)
                limit = 1.0
                continue
        if flat.diode.kind == _IDEAL:
            _snap(flat, end, allowed)
        states[k + 1] = end
        _account(flat, conductance, drive, sources, b, start, end, bend, h, work, power, energy)
        t = control.duration if last else t + h
        k += 1
        times[k] = t
        if last or not largest(end) < bound:
            break
        currents(flat, conductance, drive, end, f, slope)
        if control.stop_within > 0.0:
            still = _distance(flat, f, slope, factors, work) < control.stop_within
        h *= min(limit, max(_SHRINK, _SAFETY * (ratio + 1e-12) ** (-1.0 / ORDER)))
        limit = _GROW
    v[:] = states[k]
    return times, states, bends, k, t >= control.duration


@kernel
def _write_points(times, states, bends, steps, duration, rows):
    points, k = rows.shape[0], 0
    for p in range(points):
        t = duration * (p + 1) / points
        while k < steps - 1 and times[k + 1] < t:
            k += 1
        if p == points - 1 or steps == 0:
            rows[p] = states[steps]
        else:
            part = min((t - times[k]) / (times[k + 1] - times[k]), 1.0)
            between(states[k], states[k + 1], bends[k], part, rows[p])


@kernel
def _settling_time(times, states, bends, steps, within):
    """Return the last time at which a node is further than *within* from its final voltage."""
    final, point = states[steps], np.empty(states.shape[1])
    for k in range(steps - 1, -1, -1):
        outside, inside = -1.0, 1.0
        for part in (0.75, 0.5, 0.25, 0.0):
            between(states[k], states[k + 1], bends[k], part, point)
            if _largest_change(point, final) > within:
                outside = part
                break
            inside = part
        if outside < 0.0:
            continue
        for _ in range(40):
            middle = 0.5 * (outside + inside)
            between(states[k], states[k + 1], bends[k], middle, point)
            if _largest_change(point, final) > within:
                outside = middle
            else:
                inside = middle
        return times[k] + inside * (times[k + 1] - times[k])
    return 0.0


@kernel
def run_phase(
    flat,
    conductance,
    drive,
    sources,
    control,
    v,
    factors,
    rows,
    energies,
    settled,
    steps,
    complete,
):
    """Run all samples through a phase, from *v* (batch, nodes), which receives the end.

    Parameters
    ----------
    rows : (points, batch, nodes)
        Receives the voltages at evenly spaced times.
    energies : (batch, classes)
        Receives the energies, in the order of :func:`~.power.powers`; zero before.
    settled : (batch,)
        Receives the settling times.
    steps, complete : (batch,)
        Steps are added; cleared where a sample did not reach the end.
    """
    for b in range(v.shape[0]):
        times, states, bends, taken, reached = _integrate(
            flat, conductance, drive[b], sources, b, control, v[b], factors, energies[b]
        )
        steps[b] += taken
        complete[b] &= reached
        _write_points(times, states, bends, taken, control.duration, rows[:, b])
        settled[b] = _settling_time(times, states, bends, taken, control.settled_within)
