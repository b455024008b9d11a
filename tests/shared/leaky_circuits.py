"""Leaky networks at random, and how far ngspice is from the kernels on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from ohmlearn.circuits.leaky.network import LeakyNetwork
from ohmlearn.circuits.leaky.tiles import Tiling
from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.simulator import Phase, Trajectory
from ohmlearn.spice_netlists.networks.leaky_deck import leaky_deck, saved
from ohmlearn.spice_netlists.ngspice import run_batch

V_REF, TAU = 0.2, 1e-8
POINTS = 400  # of a phase


def unequal_leaks(sizes: Sequence[int]) -> tuple[float, ...]:
    """Return leaks [S] of layers 1 to N, none like another."""
    return tuple(np.linspace(0.8e-4, 1.2e-4, len(sizes) - 1))


def make_network(
    draw: Callable[[tuple[int, int], float], tuple[NDArray, NDArray]],
    sizes: Sequence[int],
    leaks: Sequence[float],
    activation: str = "sigmoid",
    *,
    symmetric: bool = True,
    capacitance: Sequence[float] | None = None,
    tiling: Tiling | None = None,
) -> LeakyNetwork:
    """Return a network of conductances *draw(shape, leak)* [S], a pair of arms at a time.

    Without *capacitance* [F] every node has the time constant ``TAU``.
    """
    ahead = [draw((m + 1, n), g) for m, n, g in zip(sizes[:-1], sizes[1:], leaks, strict=True)]
    behind = [draw((m, n), g) for m, n, g in zip(sizes[1:-1], sizes[2:], leaks[1:], strict=True)]
    plus, minus = zip(*ahead, strict=True)
    back = ((), ()) if symmetric or not behind else zip(*behind, strict=True)
    c = tuple(TAU * g for g in leaks) if capacitance is None else tuple(capacitance)
    return LeakyNetwork(plus, minus, tuple(leaks), c, V_REF, activation, *back, tiling)


def flat(voltages: Sequence[NDArray]) -> NDArray:
    return np.concatenate(voltages, axis=-1)


def apart_at_rest(net: LeakyNetwork, phase: Phase, sample: int = 0) -> float:
    """Return the largest difference of the node voltages of a steady state [V]."""
    deck = leaky_deck(net, {"rest": phase}, sample=sample)
    plots = run_batch(deck.flat("rest"), vectors=saved(net), points=1)
    state = NumbaSimulator().settle(net, phase)
    assert state.converged.all()
    return np.abs(plots[0].columns(saved(net))[0] - flat(state.voltages)[sample]).max()


class InTime(NamedTuple):
    """Both simulators on one waveform.

    apart
        The largest difference of the node voltages [V].
    energies
        By the netlist's name for it, what the kernels say and what the netlist measures [J].
    path
        All that the kernels say.
    """

    apart: float
    energies: dict[str, tuple[float, float]]
    path: Trajectory


def in_time(
    net: LeakyNetwork,
    both: Sequence[Phase],
    measured: Mapping[str, str],
    *,
    sample: int = 0,
    start: Sequence[NDArray] | None = None,
    tight: bool = False,
) -> InTime:
    """Return what a free and a nudged phase are, one after the other, to both simulators.

    *measured* leads from an energy's name in the netlist to that of the kernels. ngspice's times
    lie between those of the kernels, whose waveform is smooth in each phase.
    """
    deck = leaky_deck(net, {"step": both}, sample=sample, start=start, tight=tight)
    result = run_batch(deck.flat("step"))
    t, spice = result[0]["time"], result[0].columns(saved(net))
    path = NumbaSimulator().transient(net, both, start, points=POINTS)
    kernel, edge = flat(path.voltages)[:, sample], both[0].duration
    curves = np.full_like(spice, np.nan)
    for part, inside in (
        (slice(0, POINTS + 1), t <= edge),
        (slice(POINTS, 2 * POINTS + 1), t > edge),
    ):
        smooth = CubicSpline(path.t[part], kernel[part])
        curves[inside] = smooth(np.minimum(t[inside], path.t[part][-1]))
    apart = float(np.abs(spice - curves).max())
    energies = {
        f"e_{name}_{number + 1}": float(path.energy[kind][number, sample])
        for number in (0, 1)
        for name, kind in measured.items()
    }
    return InTime(apart, {n: (ours, result.measures[n]) for n, ours in energies.items()}, path)
