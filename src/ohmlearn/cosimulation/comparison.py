"""The same circuit by the kernels and by ngspice: how far apart, and at what cost.

Steady states of the free and the nudged phase are compared for every sample, the waveforms of
both phases one after the other for the first sample, together with the energies that the netlist
measures itself. The nudged steady state of both is sought by each simulator on its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from ..circuits.numba_simulator import NumbaSimulator
from ..circuits.simulator import Phase, Trajectory
from ..errors import SimulationError
from ..spice_netlists.ngspice import run_batch
from ..spice_netlists.simulator import family_of
from .circuit import Circuit
from .deck import deck_of
from .result import Comparison, CosimResult, EnergyComparison, Waves

__all__ = ["STEADY_TOLERANCE", "WAVEFORM_TOLERANCES", "run_cosim"]

STEADY_TOLERANCE = 1e-9  # V
WAVEFORM_TOLERANCES = {False: 1e-3, True: 1e-4}  # V, or of the largest input; tight steps or not

_POINTS = 400  # of the kernels' waveform per phase, between which a spline is drawn


def run_cosim(
    circuit: Circuit,
    samples: Sequence[int],
    *,
    tight: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> CosimResult:
    """Run *circuit* by the kernels and by ngspice.

    Parameters
    ----------
    samples
        Rows of the test set; waveforms are those of the first one.
    tight
        Whether ngspice takes small steps, for waveforms within 1e-4 V instead of 1e-3 V.
    tell
        Is told what is about to run.

    Raises
    ------
    UserError
        If there is no such sample.
    SimulationError
        If a kernel finds no steady state.
    NetlistError
        If ngspice is missing or fails.
    """
    circuit.phases(samples)
    found = []
    for sample in samples:
        tell(f"sample {sample}: steady states")
        found += _steady(circuit, sample)
    tell(f"sample {samples[0]}: waveforms")
    waves, rows, energies = _waveforms(circuit, samples[0], tight)
    return CosimResult(circuit.title, (*found, *rows), tuple(energies), waves, circuit.notes)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what *work* returns and the seconds it takes once it is compiled."""
    work()
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _flat(voltages: Sequence[NDArray]) -> NDArray:
    return np.concatenate(voltages, axis=-1)


def _steady(circuit: Circuit, sample: int) -> list[Comparison]:
    network, simulator, found = circuit.network, NumbaSimulator(), []
    vectors = family_of(network).vectors(network)
    deck = deck_of(circuit, sample, ("free", "nudged"))
    start = None
    for bench, phase in zip(("free", "nudged"), circuit.phases([sample]), strict=True):
        begin = start

        def work(phase: Phase = phase, begin: Any = begin):
            return simulator.settle(network, phase, begin)

        state, seconds = _timed(work)
        if not state.converged.all():
            raise SimulationError(f"sample {sample}, {bench} phase: {state.message}")
        start = state.voltages
        plots = run_batch(deck.flat(bench), vectors=vectors, points=1)
        apart = np.abs(plots[0].columns(vectors)[0] - _flat(state.voltages)[0])
        found.append(
            Comparison(
                "steady state",
                bench,
                sample,
                *_size(apart[np.newaxis], _names(vectors)),
                seconds,
                plots.seconds,
                STEADY_TOLERANCE,
            )
        )
    return found


def _names(vectors: Sequence[str]) -> list[str]:
    return [vector[2:-1] for vector in vectors]


def _size(apart: NDArray, names: Sequence[str]) -> tuple[float, float, str]:
    """Return the largest difference, the root mean square, and the worst node."""
    worst = int(apart.max(axis=0).argmax())
    return float(apart.max()), float(np.sqrt(np.mean(apart**2))), names[worst]


def _waveforms(
    circuit: Circuit, sample: int, tight: bool
) -> tuple[Waves, list[Comparison], list[EnergyComparison]]:
    network, phases = circuit.network, circuit.phases([sample])
    simulator = NumbaSimulator()
    path, seconds = _timed(lambda: simulator.transient(network, phases, points=_POINTS))
    if not path.converged:
        raise SimulationError(f"sample {sample}: {path.message}")
    plots = run_batch(deck_of(circuit, sample, ("step",), tight=tight).flat("step"))
    family = family_of(network)
    vectors = family.vectors(network)
    # ngspice controls its steps relative to the voltages: 100 V at an input are not 1 V.
    largest = max(1.0, float(np.abs(phases[0].inputs).max()))
    t, spice = plots[0]["time"], plots[0].columns(vectors)
    kernel = _flat(path.voltages)[:, 0]
    ends = (0.0, *np.cumsum([phase.duration for phase in phases]).tolist())
    apart = np.zeros(spice.shape)
    rows = []
    for number, (name, (a, b)) in enumerate(zip(("free", "nudged"), pairwise(ends), strict=True)):
        inside = (t > a) & (t <= b * (1 + 1e-12))
        part = slice(number * _POINTS, (number + 1) * _POINTS + 1)
        curve = CubicSpline(path.t[part], kernel[part])(np.minimum(t[inside], b))
        apart[inside] = np.abs(spice[inside] - curve)
        rows.append(
            Comparison(
                "waveform",
                name,
                sample,
                *_size(apart[inside], _names(vectors)),
                seconds,
                plots.seconds,
                WAVEFORM_TOLERANCES[tight] * largest,
            )
        )
    waves = Waves(sample, ends[1:], path.t, kernel, t, spice, apart.max(axis=1), network.sizes[1:])
    return waves, rows, _energies(path, family.energy(network, plots.measures))


def _energies(path: Trajectory, measured: Sequence[Mapping[str, float]]) -> list[EnergyComparison]:
    found = []
    for number, (phase, energies) in enumerate(zip(("free", "nudged"), measured, strict=True)):
        for name, spice in energies.items():
            kernel = float(path.energy[name][number, 0]) if name in path.energy else 0.0
            if kernel != 0.0:
                found.append(EnergyComparison(phase, name, kernel, spice))
    return found
