"""The simulator of this room: the two verbs, answered by ngspice.

Each kind of network brings a :class:`Family`: how it is written, what it is called in the netlist,
and its own equations, by which every answer of ngspice is checked.

In batch mode all samples of a steady state are one process, as a sweep of an index that drives
tables of source values; in shared mode they are one circuit in this process whose sources are
altered. Transients are always one process per sample.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..circuits.simulator import Equilibrium, Phase, Trajectory
from ..errors import ConfigError, nearest
from .deck import Deck
from .following import followed
from .names import number
from .ngspice.batch import run_batch
from .ngspice.raw import Plot

__all__ = ["MODES", "Family", "NgspiceSimulator", "family_of"]

MODES = ("batch", "shared")
_FAMILIES = {
    "ResistiveNetwork": ".networks.resistive_family",
    "LeakyNetwork": ".networks.leaky_family",
}
"""Module of each kind of network, which holds its ``FAMILY``; loaded when first used."""

_SWEPT = 64  # samples in one process: ngspice differentiates tables entry by entry


class Family(NamedTuple):
    """What the simulator needs to know of a kind of network.

    Attributes
    ----------
    deck
        ``deck(network, benches, *, sample, start, tight) -> Deck``; a phase is an operating
        point, a sequence of phases a transient.
    vectors
        ``vectors(network) -> names`` of the voltages of layers 1 to N, in order.
    sources
        ``sources(network, phase) -> {name: (batch,)}``, the independent sources of an operating
        point that differ between samples. Each is one line ``name a b [dc] value``.
    widths
        ``widths(network) -> sizes`` of layers 1 to N.
    imbalance
        ``imbalance(network, phase, v) -> (i, dv)``, both (batch, nodes): the violation of the
        network's own equations at *v* [A], and the change of voltage that would mend it [V].
    energy
        ``energy(network, measures) -> [{class: J}]``, one mapping per phase, of what the netlist
        measured.
    stored
        ``stored(network, before, after) -> (batch,)``, energy gained by the capacitors [J].
    follow
        ``follow(network, phase) -> s``, how long the circuit is followed from its start before
        its steady state is solved for; 0 where there is only one.
    """

    deck: Callable[..., Deck]
    vectors: Callable[[Any], list[str]]
    sources: Callable[[Any, Phase], dict[str, NDArray]]
    widths: Callable[[Any], tuple[int, ...]]
    imbalance: Callable[[Any, Phase, NDArray], tuple[NDArray, NDArray]]
    energy: Callable[[Any, Mapping[str, float]], list[dict[str, float]]]
    stored: Callable[[Any, NDArray, NDArray], NDArray]
    follow: Callable[[Any, Phase], float]


def family_of(network: Any) -> Family:
    """Return the family of *network*.

    Raises
    ------
    ConfigError
        If no netlist can be written of such a network.
    """
    kind = type(network).__name__
    if kind not in _FAMILIES:
        known = ", ".join(sorted(_FAMILIES))
        raise ConfigError(f"simulator: no netlist of a {kind}; there are some of {known}.")
    return import_module(_FAMILIES[kind], __package__).FAMILY


@dataclass(frozen=True)
class NgspiceSimulator:
    """Runs networks in ngspice; see :class:`~ohmlearn.circuits.simulator.Simulator`.

    Attributes
    ----------
    mode : str
        ``batch`` for a process of its own, ``shared`` for steady states in this process.
    tight : bool
        Whether transients take small steps, for waveforms within 1e-4 V instead of 1e-3 V.
    tolerance : float
        A sample has converged when no node is further than this from the solution of the
        network's own equations, to first order [V].
    settled_within : float
        A node has settled when it stays this close to its voltage at the end of the phase [V].
    timeout : float
        Time [s] after which a process is killed.
    """

    mode: str = "batch"
    tight: bool = False
    tolerance: float = 1e-9
    settled_within: float = 1e-4
    timeout: float = 600.0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigError(nearest(str(self.mode)[:40], MODES, "mode of ngspice"))

    def settle(
        self, network: Any, phase: Phase, start: Sequence[NDArray] | None = None
    ) -> Equilibrium:
        """Return the steady state of *network* under *phase*, sought from *start* on.

        Where there may be several, ngspice first follows the circuit in time from *start* (zero
        volts if left out), in a process for each sample. Iterations are not counted.

        Raises
        ------
        NetlistError
            If ngspice is missing or finds no solution.
        ConfigError
            If the phase or the start does not fit the network.
        """
        family = family_of(network)
        if (duration := family.follow(network, phase)) > 0.0:
            lasting = replace(phase, duration=duration)
            found, resting = followed(family, network, lasting, start, self.timeout)
        else:
            found, resting = self._solved(family, network, phase), np.True_
        current, distance = family.imbalance(network, phase, found)
        converged = resting & (distance.max(axis=1, initial=0.0) <= self.tolerance)
        return Equilibrium(
            _by_layer(family, network, found),
            converged,
            float(current.max(initial=0.0)),
            0,
            "" if converged.all() else _advice(converged, float(distance.max())),
        )

    def _solved(self, family: Family, network: Any, phase: Phase) -> NDArray:
        """Return operating points (batch, nodes) [V], from wherever ngspice starts."""
        text = family.deck(network, {"settle": phase}).flat("settle")
        sources, vectors = family.sources(network, phase), family.vectors(network)
        if self.mode == "shared":
            return _altered(text, sources, vectors, phase.batch)
        return _swept(text, sources, vectors, phase.batch, self.timeout)

    def transient(
        self,
        network: Any,
        phases: Sequence[Phase],
        start: Sequence[NDArray] | None = None,
        points: int = 200,
    ) -> Trajectory:
        """Return the waveforms through *phases*, from *start* (zero volts if left out).

        Energies are those that the netlist measures itself, and what the capacitors gained.

        Raises
        ------
        NetlistError
            If ngspice is missing or fails, or a phase has no duration.
        ConfigError
            If a phase does not fit the network.
        """
        family = family_of(network)
        if not phases or points < 1:
            raise ConfigError("a transient needs at least one phase and one point.")
        ends = np.concatenate([[0.0], np.cumsum([phase.duration for phase in phases])])
        batch = phases[0].batch
        t = _times(ends, points)
        vectors = family.vectors(network)
        waves = np.empty((len(t), batch, len(vectors)))
        settled = np.empty((len(phases), batch))
        energies, steps = [], 0
        for sample in range(batch):
            deck = family.deck(
                network, {"step": list(phases)}, sample=sample, start=start, tight=self.tight
            )
            run = run_batch(deck.flat("step"), vectors=vectors, timeout=self.timeout)
            waves[:, sample] = _read_off(run["tran"], vectors, t)
            if start is None:
                waves[0, sample] = 0.0
            else:
                waves[0, sample] = np.concatenate([np.asarray(each)[sample] for each in start])
            settled[:, sample] = _settling(run["tran"], vectors, ends, self.settled_within)
            energies.append(family.energy(network, run.measures))
            steps = max(steps, run["tran"].points - 1)
        energy = {
            name: np.array([[each[k][name] for each in energies] for k in range(len(phases))])
            for name in energies[0][0]
        }
        at_ends = waves[::points]
        energy["stored capacitors"] = np.array(
            [family.stored(network, at_ends[k], at_ends[k + 1]) for k in range(len(phases))]
        )
        return Trajectory(t, _by_layer(family, network, waves), energy, settled, True, steps)


def _by_layer(family: Family, network: Any, values: NDArray) -> tuple[NDArray, ...]:
    cuts = np.cumsum(family.widths(network))[:-1]
    return tuple(np.split(values, cuts, axis=-1))


def _altered(text: str, sources: Mapping[str, NDArray], vectors: list[str], batch: int) -> NDArray:
    from .ngspice.shared import shared_engine

    engine = shared_engine()
    engine.load(text)
    found = np.empty((batch, len(vectors)))
    found[0] = engine.operating_point(vectors)
    varied = {name: each for name, each in sources.items() if not np.all(each == each[0])}
    for k in range(1, batch):
        engine.alter({name: float(each[k]) for name, each in varied.items()})
        found[k] = engine.operating_point(vectors)
    return found


def _swept(
    text: str, sources: Mapping[str, NDArray], vectors: list[str], batch: int, timeout: float
) -> NDArray:
    if batch == 1:
        return run_batch(text, vectors=vectors, points=1, timeout=timeout)[0].columns(vectors)
    found = np.empty((batch, len(vectors)))
    for k in range(0, batch, _SWEPT):
        part = {name: each[k : k + _SWEPT] for name, each in sources.items()}
        count = min(_SWEPT, batch - k)
        swept = "\n".join(_with_tables(text, part, count))
        run = run_batch(swept, vectors=vectors, points=count, timeout=timeout)
        found[k : k + count] = run[0].columns(vectors)
    return found


_SOURCE = re.compile(r"([vi]\w+) (\w+) (\w+) (?:dc )?\S+\Z")


def _with_tables(text: str, sources: Mapping[str, NDArray], count: int) -> Iterator[str]:
    """Yield *text* with tables over an index for its sources, and a sweep of that index."""
    for line in text.splitlines():
        match = _SOURCE.match(line)
        if match and match.group(1) in sources:
            name, a, b = match.groups()
            values = sources[name].tolist()
            if all(value == values[0] for value in values):
                yield f"{name} {a} {b} dc {number(values[0])}"
            else:
                table = ",".join(f"{k},{number(value)}" for k, value in enumerate(values))
                yield f"b{name} {a} {b} {name[0]}=pwl(v(sample_index),{table})"
        elif line == ".op":
            yield "vsample sample_index 0 dc 0"
            yield f".dc vsample 0 {count - 1} 1"
        else:
            yield line


def _times(ends: NDArray, points: int) -> NDArray:
    inner = np.arange(1, points + 1) / points
    parts = [a + (b - a) * inner for a, b in pairwise(ends)]
    return np.concatenate([[0.0], *parts])


def _read_off(plot: Plot, vectors: list[str], t: NDArray) -> NDArray:
    """Return waveforms at the times *t*, by monotone cubics through the simulator's own points."""
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(plot["time"], plot.columns(vectors), extrapolate=True)(t)


def _settling(plot: Plot, vectors: list[str], ends: NDArray, within: float) -> NDArray:
    """Return for each phase the last time [s] at which a node is off its final voltage."""
    times, waves = plot["time"], plot.columns(vectors)
    found = np.zeros(len(ends) - 1)
    for k, (a, b) in enumerate(pairwise(ends)):
        inside = np.flatnonzero((times >= a) & (times <= b * (1.0 + 1e-12)))
        off = np.abs(waves[inside] - waves[inside[-1]]).max(axis=1)
        late = np.flatnonzero(off > within)
        if late.size:
            last = late[-1]
            part = (off[last] - within) / (off[last] - off[last + 1])
            first, second = times[inside[last]], times[inside[last + 1]]
            found[k] = first + part * (second - first) - a
    return found


def _advice(converged: NDArray, distance: float) -> str:
    return (
        f"ngspice: {int((~converged).sum())} of {converged.size} samples are up to {distance:.1g} "
        "V from the solution of the network's equations; where diodes are ideal the netlist's are "
        "an approximation, else a floating node is likely."
    )
