"""The access transistor of the user's own library, in netlists of cells."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError
from ..experiment import Experiment
from ..spice_netlists.parts.cells import UserNmos

__all__ = ["own_transistor", "transistor_notes"]


def own_transistor(experiment: Experiment) -> UserNmos | None:
    """Return the transistor that ``circuit.transistor_library`` asks for, if it does.

    Raises
    ------
    ConfigError
        If keys that belong together are not all there.
    """
    section = experiment.circuit
    file, model = section.transistor_library, section.transistor_model
    if file is None:
        if model or section.transistor_section or section.transistor_subckt:
            raise ConfigError(
                "circuit.transistor_library is missing; transistor_model, transistor_section and "
                "transistor_subckt say what is read from it."
            )
        return None
    if model is None:
        raise ConfigError(
            "circuit.transistor_model is missing; it must be the name of a model or subcircuit in "
            f"{file}."
        )
    if experiment.access is None:
        raise ConfigError(
            "circuit.transistor_library is for cells with a transistor; add [access], of which "
            "width and length are taken."
        )
    access = experiment.access
    return UserNmos(
        model, Path(file), access.w, access.l, section.transistor_section or "",
        section.transistor_subckt,
    )  # fmt: skip


def transistor_notes(experiment: Experiment, cells: bool) -> tuple[str, ...]:
    """Return what is to be known about the user's transistor in a netlist.

    Parameters
    ----------
    cells
        Whether the netlist has cells with transistors, or resistors in their place.
    """
    own = own_transistor(experiment)
    if own is None:
        return ()
    if not cells:
        return (
            "Cells are resistors here, of the conductance that the kernels find with [access]; "
            f"'{own.model}' of {own.file.name} is not in this netlist.",
        )
    return (
        f"The netlist's transistors are '{own.model}' of {own.file}. The kernels cannot read it "
        "and keep to the level-1 transistor of [access]: differences between the two are also "
        "those of the transistors.",
    )
