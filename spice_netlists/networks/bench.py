"""What test benches of all networks have in common: sources in steps, meters, what is kept.

A wattmeter is a node, ``w_<name>``, whose voltage in V is the power in W: sources drive it with
one ampere per watt, into 1 ohm. The netlist integrates it over each phase, as
``e_<name>_<phase>``, phases counted from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...circuits.simulator import Phase
from ...errors import NetlistError
from ..names import number
from ..parts.cards import wrapped
from .behavioural import current_source, integral

__all__ = ["Steps", "meters", "saving", "starting"]

_TERMS = 8  # of one formula: simulators differentiate it by each of its voltages
_ALONE = ("wires",)  # what has a source for each term: of thousands, that is solved faster


class Steps:
    """The times at which sources of a transient step from phase to phase.

    Parameters
    ----------
    phases
        One after the other.
    edge
        Length of an edge, relative to the shortest phase; the kernels switch at once.

    Attributes
    ----------
    ends
        Time 0 and the end of every phase [s].
    shortest
        Duration of the shortest phase [s].

    Raises
    ------
    NetlistError
        If there is no phase, or one has no duration.
    """

    def __init__(self, phases: Sequence[Phase], edge: float) -> None:
        durations = np.array([phase.duration for phase in phases])
        if not len(phases) or not np.all((durations > 0) & np.isfinite(durations)):
            raise NetlistError("netlist: a transient needs phases with durations above 0 s.")
        self.ends = [0.0, *np.cumsum(durations).tolist()]
        self.shortest = float(durations.min())
        self._edge = edge * self.shortest

    def source(self, name: str, nodes: str, values: Sequence[float]) -> str:
        """Return a source between *nodes* that has *values* in the phases; edges straddle ends."""
        if all(value == values[0] for value in values):
            return wrapped([name, *nodes.split(), "dc", number(values[0])])
        corners, half = [("0", number(values[0]))], self._edge / 2
        for end, (a, b) in zip(self.ends[1:-1], pairwise(values), strict=True):
            if a != b:
                corners += [(number(end - half), number(a)), (number(end + half), number(b))]
        wave = "pwl(" + " ".join(f"{t} {v}" for t, v in corners) + ")"
        return wrapped([name, *nodes.split(), wave])

    def sources(
        self, given: Sequence[Mapping[str, NDArray]], sample: int, nodes_of: Callable[[str], str]
    ) -> Iterator[str]:
        """Yield the sources *given* for each phase, values (batch,) by name; 0 where left out."""
        for name in dict.fromkeys(name for each in given for name in each):
            values = [float(each[name][sample]) if name in each else 0.0 for each in given]
            yield self.source(name, nodes_of(name), values)


def starting(
    vectors: Sequence[str], sample: int, start: Sequence[NDArray] | None, card: str = ".ic"
) -> str:
    """Return the voltages of *vectors* at time 0; 0 V without *start*, (batch, n_l) by layer.

    With the *card* ``.nodeset`` they are those near which an operating point is looked for.
    """
    values = np.zeros(len(vectors))
    if start is not None:
        values = np.concatenate([np.asarray(each)[sample] for each in start])
    pairs = zip(vectors, values.tolist(), strict=True)
    return wrapped([card, *(f"{v}={number(value)}" for v, value in pairs)])


def meters(
    dialect: str, powers: Mapping[str, Sequence[str]], ends: Sequence[float]
) -> Iterator[str]:
    """Yield wattmeters of the sums of terms [W], and their integrals between *ends* [s]."""
    yield "* wattmeters: 1 V stands for 1 W"
    for name, terms in powers.items():
        yield f"rw_{name} w_{name} 0 1"
        size = 1 if name in _ALONE else _TERMS
        for k in range(0, len(terms), size):
            total = "+".join(f"({term})" for term in terms[k : k + size])
            yield current_source(dialect, f"w_{name}_{k // size}", "0", f"w_{name}", total)
        for k, (a, b) in enumerate(pairwise(ends), start=1):
            yield integral(dialect, f"e_{name}_{k}", f"w_{name}", number(a), number(b))


def saving(vectors: Sequence[str], dialect: str) -> str:
    """Return the line that keeps *vectors*; in other dialects than ngspice's, a remark."""
    if dialect != "ngspice":
        return "* to be kept: the voltages of all nodes in map.json"
    return wrapped([".save", *vectors])
