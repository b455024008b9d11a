"""Which of several steady states a circuit comes to: ngspice follows it in time, then solves.

An operating point alone is a root that Newton's method happens upon: with strong couplings
another than the one in which the circuit comes to rest, or one that it would leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..circuits.simulator import Phase
from ..errors import ConfigError
from .ngspice.batch import run_batch

if TYPE_CHECKING:
    from .simulator import Family

__all__ = ["followed"]

_ROUNDS = 20
_CLOSE = 0.01  # of the largest voltage


def followed(
    family: Family, network: Any, phase: Phase, start: Sequence[NDArray] | None, timeout: float
) -> tuple[NDArray, NDArray[np.bool_]]:
    """Return the steady states (batch, nodes) [V] that the circuit comes to from *start*.

    And whether each sample came to rest: where it did not, it is the operating point nearest to
    where the circuit was in the end. The circuit is followed for the phase's duration at a time.

    Raises
    ------
    NetlistError
        If ngspice is missing or finds no solution.
    ConfigError
        If the phase or the start does not fit the network.
    """
    widths, vectors = family.widths(network), family.vectors(network)
    if start is not None and [np.shape(v) for v in start] != [(phase.batch, n) for n in widths]:
        raise ConfigError(
            f"start has shapes {[np.shape(v) for v in start]}; it needs one array per layer, "
            f"{[(phase.batch, n) for n in widths]}."
        )
    cuts = np.cumsum(widths)[:-1]
    found = np.empty((phase.batch, len(vectors)))
    resting = np.zeros(phase.batch, np.bool_)
    for k in range(phase.batch):
        only = _sample(phase, k)
        at = None if start is None else [np.asarray(layer)[k : k + 1] for layer in start]
        for _ in range(_ROUNDS):
            deck = family.deck(network, {"follow": [only]}, start=at, metered=False)
            end = run_batch(deck.flat(), vectors=vectors, timeout=timeout)["tran"]
            at = np.split(end.columns(vectors)[-1:], cuts, axis=1)
            deck = family.deck(network, {"settle": only}, near={"settle": at})
            rest = run_batch(deck.flat(), vectors=vectors, points=1, timeout=timeout)[0]
            found[k] = rest.columns(vectors)[0]
            apart = np.abs(found[k] - np.concatenate(at, axis=1)[0]).max()
            resting[k] = apart <= _CLOSE * np.abs(found[k]).max()
            if resting[k]:
                break
    return found, resting


def _sample(phase: Phase, k: int) -> Phase:
    """Return the phase of sample *k* alone."""
    rows = slice(k, k + 1)
    target = None if phase.target is None else phase.target[rows]
    current = None if phase.current is None else phase.current[rows]
    return Phase(phase.inputs[rows], phase.nudge, target, current, phase.duration)
