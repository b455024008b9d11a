"""The netlist of a circuit with a test sample applied.

A circuit with strong couplings may have several steady states. It comes to rest in the one that it
reaches from 0 V, and nudged in the one that it reaches from there; ngspice's Newton iteration may
end in any. Where that can be, test benches of operating points name the neighbourhood
(``.nodeset``), to three digits: the solution remains the simulator's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..circuits.numba_simulator import NumbaSimulator
from ..circuits.simulator import Phase
from ..spice_netlists.deck import Deck
from ..spice_netlists.simulator import family_of
from .circuit import Circuit

__all__ = ["deck_of"]


def deck_of(
    circuit: Circuit,
    sample: int,
    benches: Sequence[str] = ("free", "nudged", "step"),
    *,
    tight: bool = False,
    dialect: str = "ngspice",
) -> Deck:
    """Return the netlist of *circuit* with test *sample* applied.

    Parameters
    ----------
    benches
        Of ``"free"`` and ``"nudged"``, operating points, and ``"step"``, a transient of the free
        phase and the nudged one after it.
    tight
        Whether the transient takes small steps.

    Raises
    ------
    UserError, NetlistError
        If there is no such sample or dialect, or the network does not fit into a netlist.
    """
    free, nudged = circuit.phases([sample])
    every: dict[str, Phase | list[Phase]] = {
        "free": free,
        "nudged": nudged,
        "step": [free, nudged],
    }
    return family_of(circuit.network).deck(
        circuit.network,
        {name: every[name] for name in benches},
        near=_neighbourhoods(circuit, {"free": free, "nudged": nudged}, benches),
        tight=tight,
        dialect=dialect,
        title=f"{circuit.title}, test sample {sample}",
        seed=circuit.experiment.run.seed,
        experiment=circuit.experiment.digest(),
    )


def _neighbourhoods(
    circuit: Circuit, phases: Mapping[str, Phase], benches: Sequence[str]
) -> dict[str, tuple[NDArray, ...]]:
    """Return where the circuit comes to rest, phase after phase; nothing if it has no choice."""
    follow, network = family_of(circuit.network).follow, circuit.network
    if not any(name in benches and follow(network, phase) for name, phase in phases.items()):
        return {}
    found, state = {}, None
    for name, phase in phases.items():
        rest = NumbaSimulator().settle(network, phase, state)
        if not rest.converged.all():
            break
        state = rest.voltages
        found[name] = tuple(np.vectorize(_roughly)(layer) for layer in state)
    return found


def _roughly(voltage: float) -> float:
    """Return *voltage* to three digits, below a microvolt 0."""
    return float(f"{voltage:.3g}") if abs(voltage) >= 1e-6 else 0.0
