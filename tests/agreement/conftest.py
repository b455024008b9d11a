"""Cells under pulses, for every simulator that is held against the kernels' current and rate."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from ohmlearn.devices import contract
from ohmlearn.devices.contract import WRITE_THRESHOLD, device_of


class Train(NamedTuple):
    """A train of pulses: corners [s, V] and the length of a pulse."""

    t: NDArray
    v: NDArray
    width: float


def train(p: Any, pulses: int = 3, stretch: float = 1.0) -> Train:
    """Return *pulses* SET and as many RESET pulses, nominal but for their length."""
    now = 0.2 * p.t_set
    t, v = [0.0, now], [0.0, 0.0]
    for amplitude, width in [(p.v_set, p.t_set)] * pulses + [(p.v_reset, p.t_reset)] * pulses:
        width *= stretch
        edge = 0.02 * width
        t += [now + edge, now + width, now + width + edge, now + 1.2 * width]
        v += [amplitude, amplitude, 0.0, 0.0]
        now += 1.2 * width
    return Train(np.array(t), np.array(v), stretch * min(p.t_set, p.t_reset))


def motion(p: Any, pulses: Train, x0: float, at: NDArray) -> NDArray:
    """Return the states at the times *at* [s]: the kernels' rate, integrated."""

    def dxdt(t: float, state: NDArray) -> list[float]:
        x = float(state[0])
        r = contract.rate(p, float(np.interp(t, pulses.t, pulses.v)), min(max(x, 0.0), 1.0))
        return [0.0 if (x >= 1.0 and r > 0.0) or (x <= 0.0 and r < 0.0) else r]

    times, states, x = [0.0], [x0], x0
    cuts = breaks(p, pulses)
    for a, b in pairwise(cuts):
        inside = at[(at > a) & (at < b)]
        part = solve_ivp(
            dxdt, (a, b), [x], method="LSODA", rtol=1e-9, atol=1e-12,
            t_eval=np.append(inside, b), max_step=(b - a) / 4,
        )  # fmt: skip
        assert part.success, part.message
        found = np.clip(part.y[0], 0.0, 1.0)
        times += part.t.tolist()
        states += found.tolist()
        x = float(found[-1])
    return np.interp(at, times, states)


def breaks(p: Any, pulses: Train) -> list[float]:
    """Return the times at which the equation changes: corners and crossings of thresholds."""
    cuts = set(pulses.t.tolist())
    for level in (WRITE_THRESHOLD * p.v_set, WRITE_THRESHOLD * p.v_reset):
        for k in range(len(pulses.t) - 1):
            a, b = pulses.v[k] - level, pulses.v[k + 1] - level
            if a * b < 0:
                cuts.add(float(pulses.t[k] + a / (a - b) * (pulses.t[k + 1] - pulses.t[k])))
    return sorted(cuts)


def differences(
    p: Any, pulses: Train, x0: float, simulated: tuple[NDArray, ...]
) -> tuple[float, float, float]:
    """Return the largest differences of state and current, as parts of full scale, and the way.

    *simulated* is time, state and current.
    """
    t, x, i = simulated
    assert t[-1] == pytest.approx(pulses.t[-1])
    ours = motion(p, pulses, x0, t)
    v = np.interp(t, pulses.t, pulses.v)
    current = device_of(type(p)).current
    flow = np.array([current(p, *pair) for pair in zip(v.tolist(), ours.tolist(), strict=True)])
    full = float(np.abs(flow).max())
    return float(np.abs(x - ours).max()), float(np.abs(i - flow).max()) / full, float(np.ptp(ours))


@pytest.fixture(scope="session")
def pulse_train() -> Callable[..., Train]:
    """Return the maker of trains of pulses."""
    return train


@pytest.fixture(scope="session")
def from_kernels() -> Callable[..., tuple[float, float, float]]:
    """Return what compares a simulated cell with the kernels."""
    return differences
