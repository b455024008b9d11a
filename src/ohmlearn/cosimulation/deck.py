"""The netlist of a circuit with a test sample applied."""

from __future__ import annotations

from collections.abc import Sequence

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
        tight=tight,
        dialect=dialect,
        title=f"{circuit.title}, test sample {sample}",
        seed=circuit.experiment.run.seed,
        experiment=circuit.experiment.digest(),
    )
