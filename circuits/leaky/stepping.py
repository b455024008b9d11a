"""Numba kernels that carry one sample of the leaky network through one phase.

The Runge-Kutta pair of Dormand and Prince of orders 5 and 4, with steps chosen by the estimated
error. Powers are integrated by the same formula, stage by stage. Between steps the waveform is the
pair's own interpolant of order 4; the last step ends where the phase ends.

References
----------
J. R. Dormand, P. J. Prince, "A family of embedded Runge-Kutta formulae", Journal of Computational
and Applied Mathematics 6(1), 1980, doi:10.1016/0771-050X(80)90013-3. L. F. Shampine, "Some
practical Runge-Kutta formulas", Mathematics of Computation 46(173), 1986,
doi:10.1090/S0025-5718-1986-0815836-3 (the interpolant).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...jit import inner, kernel, loop
from ..activation import activate
from ..dynamics import drives
from ..hopfield import Layout

__all__ = ["INTEGRATED", "MOST_STEPS", "Plant", "run_phase"]

MOST_STEPS = 200_000  # per phase and sample

_STAGES = np.array([
    [0, 0, 0, 0, 0, 0],
    [1 / 5, 0, 0, 0, 0, 0],
    [3 / 40, 9 / 40, 0, 0, 0, 0],
    [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
])  # fmt: skip
_ERROR = np.array([71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
_BETWEEN = np.array([
    [1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
    [0, 0, 0, 0],
    [0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
    [0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
    [0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
    [0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
    [0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
])  # fmt: skip

INTEGRATED = (
    "supplied neurons",
    "supplied bias",
    "dissipated forward",
    "dissipated backward",
    "dissipated wires",
    "supplied sense",
    "dissipated leaks",
    "dissipated nudge",
    "supplied targets",
    "supplied currents",
)
"""Classes of :data:`~.energy.CLASSES` whose powers change along a waveform. The first five are
without the first array, which draws the same all the time."""


class Plant(NamedTuple):
    """A network in one phase, for one sample, as the kernels take it; signals have no unit.

    Attributes
    ----------
    layout, theta, code, tau, damping, pull
        See :class:`~.signals.Signals` and :class:`~.signals.Conditions`.
    drive : (1, n_1)
        x W_1 + b_1.
    bias, forward, backward, forms
        See :class:`~.loads.Loads`; conductances over that of the output's leak.
    leak : (units,)
        Leak of each node over that of the output's.
    beta, target, injected
        Nudge, target signal and injected signal of the output nodes.
    """

    layout: Layout
    theta: NDArray
    code: int
    tau: NDArray
    damping: NDArray
    pull: NDArray
    drive: NDArray
    bias: float
    forward: NDArray
    backward: NDArray
    forms: NDArray
    leak: NDArray
    beta: float
    target: NDArray
    injected: NDArray


@loop
def _charge(tau, damping, pull, a, s, out):
    for i in range(s.size):
        out[i] = (a[i] + pull[i] - damping[i] * s[i]) / tau[i]


@kernel
def _ideal_lines(bias, forward, backward, sent, power):
    """Add the powers of lines without resistance: each cell takes its own."""
    ahead, behind = 0.0, 0.0
    for i in range(sent.size):
        square = sent[i] * sent[i]
        ahead += forward[i] * square
        behind += backward[i] * square
    power[0] += ahead + behind
    power[1] += bias
    power[2] += ahead + bias
    power[3] += behind


@inner
def _row(form, sent):
    """Return one row of a form times the voltages of all lines, the bias lines' being 1."""
    total = form[sent.size]
    for j in range(sent.size):
        total += form[j] * sent[j]
    return total


@kernel
def _wired_lines(forms, sent, power):
    """Add the powers of lines with resistance: supply, then forward, backward and wires."""
    units = sent.size
    for i in range(units):
        power[0] += sent[i] * _row(forms[0, i], sent)
        for k in range(1, 4):
            power[1 + k] += sent[i] * _row(forms[k, i], sent)
    power[1] += _row(forms[0, units], sent)
    for k in range(1, 4):
        power[1 + k] += _row(forms[k, units], sent)


@kernel
def _rates(plant, s, sent, a, out, power):
    """Write ds/dt to *out* and the powers of :data:`INTEGRATED` to *power*, without unit."""
    activate(plant.code, s, sent)
    drives(plant.theta, plant.layout, plant.drive, sent, a)
    _charge(plant.tau, plant.damping, plant.pull, a, s, out)
    power[:] = 0.0
    if plant.forms.size > 0:
        _wired_lines(plant.forms, sent, power)
    else:
        _ideal_lines(plant.bias, plant.forward, plant.backward, sent, power)
    for i in range(s.size):
        power[5] += plant.leak[i] * a[i] * s[i]
        power[6] += plant.leak[i] * s[i] * s[i]
    first = s.size - plant.target.size
    for k in range(plant.target.size):
        v, y = s[first + k], plant.target[k]
        power[7] += plant.beta * (v - y) * (v - y)
        power[8] += plant.beta * (y - v) * y
        power[9] += plant.injected[k] * v


@loop
def _combine(s, h, weights, k, count, out):
    """Write s + h (weights . k) to *out*, over the first *count* stages."""
    for i in range(s.size):
        out[i] = s[i]
    for stage in range(count):
        w = h * weights[stage]
        if w != 0.0:
            row = k[stage]
            for i in range(s.size):
                out[i] += w * row[i]


@kernel
def _between(s, h, k, theta, weights, out):
    """Write the state at the fraction *theta* of a step to *out*."""
    for stage in range(7):
        w = 0.0
        for j in range(3, -1, -1):
            w = (w + _BETWEEN[stage, j]) * theta
        weights[stage] = w
    _combine(s, h, weights, k, 7, out)


@loop
def _farthest(a, b):
    worst = 0.0
    for i in range(a.size):
        worst = max(worst, abs(a[i] - b[i]))
    return worst


@kernel
def _error(h, k):
    worst = 0.0
    for i in range(k.shape[1]):
        e = 0.0
        for stage in range(7):
            e += _ERROR[stage] * k[stage, i]
        worst = max(worst, abs(h * e))
    return worst


@kernel
def run_phase(plant, limits, state, rows, integrals):
    """Integrate one phase, in place.

    Parameters
    ----------
    limits
        Error per step, settling tolerance (signals), duration [s].
    state : (units,)
        Start; receives the end.
    rows : (points, units)
        Receives the waveform at even points.
    integrals : (10,)
        Receives the integrals of the powers.

    Returns
    -------
    steps : int
        Steps taken; negative if there were too many.
    settled : float
        Settling time [s].
    """
    tolerance, settling, duration = limits
    units, points = state.size, rows.shape[0]
    k, power = np.empty((7, units)), np.empty((7, integrals.size))
    sent, a = np.empty(units), np.empty(units)
    trial, weights = np.empty(units), np.empty(7)
    kept_t, kept = np.zeros(64), np.empty((64, units))
    kept[0] = state
    t, done, count = 0.0, 0, 0
    h = min(duration, 0.05 * plant.tau.min())
    _rates(plant, state, sent, a, k[0], power[0])
    while t < duration:
        h = min(h, duration - t)
        if duration - t - h < 1e-9 * duration:
            h = duration - t
        for stage in range(1, 7):
            _combine(state, h, _STAGES[stage], k, stage, trial)
            _rates(plant, trial, sent, a, k[stage], power[stage])
        error = _error(h, k) / tolerance
        if error <= 1.0:
            end = duration if h == duration - t else t + h
            while done < points and (done + 1) * duration / points <= end:
                at = min(((done + 1) * duration / points - t) / h, 1.0)
                _between(state, h, k, at, weights, rows[done])
                done += 1
            for stage in range(6):
                for c in range(integrals.size):
                    integrals[c] += h * _STAGES[6, stage] * power[stage, c]
            t, count = end, count + 1
            state[:], k[0], power[0] = trial, k[6], power[6]
            if count == kept_t.size:
                kept_t, kept = _longer(kept_t), _taller(kept)
            kept_t[count], kept[count] = t, state
        if count >= MOST_STEPS:
            while done < points:
                rows[done] = state
                done += 1
            return -count, duration
        h *= min(5.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.2))
    while done < points:
        rows[done] = state
        done += 1
    rows[points - 1] = state
    return count, _quiet(kept_t, kept, count, settling)


@kernel
def _longer(values):
    longer = np.zeros(2 * values.size)
    longer[: values.size] = values
    return longer


@kernel
def _taller(values):
    taller = np.empty((2 * values.shape[0], values.shape[1]))
    taller[: values.shape[0]] = values
    return taller


@kernel
def _quiet(t, kept, count, settling):
    """Return the time after which no node is farther than *settling* from its last value.

    Between the two steps around it, linear in the logarithm of the distance, which is how a
    settling node falls.
    """
    last = kept[count]
    k = count
    while k >= 0 and _farthest(kept[k], last) <= settling:
        k -= 1
    if k < 0:
        return 0.0
    before, after = _farthest(kept[k], last), _farthest(kept[k + 1], last)
    after = max(after, 1e-3 * settling)
    part = np.log(before / settling) / np.log(before / after)
    return t[k] + part * (t[k + 1] - t[k])
