"""The section of an experiment file that describes the network as a circuit in time.

As in :mod:`.settings`, a field's description is the end of the sentence "it must be ...".
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .sections import Section

__all__ = ["CircuitSection"]

Duration = Annotated[
    float | None, Field(gt=0, description="a finite duration above 0, in seconds")
]


class CircuitSection(Section):
    """``[circuit]``: the network in continuous time, for `ohmlearn cosim` and `ohmlearn netlist`.

    It changes nothing in training. Every node has the ``capacitance`` [F]. Its tau is that over
    its leak, which is the conductance of weight 1; in a resistive network over the conductances
    at the node. Left out, ``free_duration`` is 20 times the longest tau of the network, and
    ``slot_duration``, the time of one of the ``nudged_steps``, 5 times.

    ``transistor_library`` names a file of models of your own; a relative path counts from the
    experiment file. Where cells are written with their access transistors, that is by
    `ohmlearn netlist --phase learn` and `ohmlearn cosim --learn`, these are then its
    ``transistor_model``: a model, or with ``transistor_subckt`` a subcircuit with pins d g s b,
    of width and length as in ``[access]``. ``transistor_section`` is a section of the library,
    such as "tt"; without one the file is included whole. The kernels do not read the file: they
    keep to ``[access]``.
    """

    capacitance: Annotated[float, Field(gt=0, description="a capacitance above 0, in farads")] = (
        1e-12
    )
    free_duration: Duration = None
    slot_duration: Duration = None
    transistor_library: Annotated[
        str | None, Field(min_length=1, description="the path of a file of SPICE models")
    ] = None
    transistor_model: Annotated[
        str | None, Field(description="the name of a model or subcircuit in the library")
    ] = None
    transistor_section: Annotated[
        str | None, Field(description="the name of a section of the library")
    ] = None
    transistor_subckt: Annotated[bool, Field(description="true or false")] = False
