"""What is to be known about the access transistor in netlists of cells, the user's own or not."""

from __future__ import annotations

from pathlib import Path

from ..devices.cell.reach import STATES, pulse_reach
from ..errors import ConfigError
from ..experiment import Experiment
from ..settings.cell import choose_access, choose_cell
from ..spice_netlists.parts.cells import UserNmos

__all__ = ["own_transistor", "transistor_notes"]

_NEARLY_ALL = 0.99


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
    """Return what is to be known about the access transistor in a netlist.

    Parameters
    ----------
    cells
        Whether the netlist has cells with transistors, or resistors in their place.
    """
    own = own_transistor(experiment)
    if own is None:
        return _shortened(experiment) if cells else ()
    if not cells:
        return (
            "Cells are resistors here, of the conductance that the kernels find with [access]; "
            f"'{own.model}' of {own.file.name} is not in this netlist.",
        )
    return (
        f"The netlist's transistors are '{own.model}' of {own.file}. The kernels cannot read it "
        "and keep to the level-1 transistor of [access]: differences between the two are also "
        "those of the transistors.",
        *_shortened(experiment),
    )


def _shortened(experiment: Experiment) -> tuple[str, ...]:
    """Return what the transistor of ``[access]`` leaves of pulses, if it is not nearly all."""
    section, access = experiment.access, choose_access(experiment.access)
    if section is None or access is None or experiment.device is None:
        return ()
    params = choose_cell(experiment.device, experiment.crossbar).params
    reach = pulse_reach(params, access, section.v_gate)
    if reach.least >= _NEARLY_ALL:
        return ()
    set_, reset = (", ".join(f"{100 * part:.0f}" for part in parts) for parts in reach)
    states = ", ".join(f"{x:g}" for x in STATES)
    return (
        f"Behind the transistor of [access] a nominal SET pulse takes {set_} % of its step at the "
        f"states {states}, a RESET pulse {reset} %. The kernels count 100 %, ngspice solves the "
        "cell: so far will they be apart. A wider transistor, a higher v_gate or cells of lower "
        "conductance bring them together.",
    )
