"""The section of an experiment file that describes a resistive energy network.

As in :mod:`.settings`, a field's description is the end of the sentence "it must be ...".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from .periphery import ConvertersSection, WiresSection
from .sections import (
    CrossbarSection,
    LearningSection,
    NetworkSection,
    Positive,
    RunSection,
    Section,
)

__all__ = ["HOPFIELD_ONLY", "ResistiveSection", "fill_in", "resistive_conflicts"]

Voltage = Annotated[float, Field(description="a finite voltage, in volts")]
Flag = Annotated[bool, Field(description="true or false")]
Rate = Annotated[float, Field(ge=0)]


class ResistiveSection(Section):
    """``[resistive]``: what a network of ``network.kind = "resistive"`` is made of.

    ``network.layers`` counts nodes, sources included. Conductances, also ``learning.beta``, are in
    multiples of ``unit``, between ``g_floor`` and ``g_max``; at level 'device' these three give
    way to the cells: the unit is then the window divided by ``crossbar.weight_range``. Without
    ``g_initial`` they are drawn between plus and minus 1 / sqrt(nodes in front), and those below
    the floor set to it. Inputs stand at ``input_gain`` (x - ``input_offset``) volts, ``rails`` are
    further input nodes at fixed voltages. Hidden nodes are clamped by diodes: ``clamp`` "halves"
    lets the first half of each layer be positive and the second half negative, "rails" holds all
    between ``low`` and ``high``, where diodes that are not ideal add their forward voltage.
    Between two layers stand amplifiers of voltage gain ``gain`` forward and current gain
    ``back_gain`` backward (1 / gain where left out); with ``correct_gain`` the learning rates
    absorb what these do to the layers' gradients. ``currents`` are trainable current sources into
    every free node, with learning rates ``eta_currents`` (those of the conductances where left
    out). A step of ``learning.free_steps`` and ``nudged_steps`` is an exact sweep over the layers
    with ideal diodes, and a full settling otherwise. ``carry`` starts each batch of training from
    the last one's free state.
    """

    input_gain: Annotated[
        float, Field(gt=0, description="a voltage above 0, in volts per signal of 1")
    ] = 1.0
    input_offset: Annotated[float, Field(description="a finite number")] = 0.0
    doubled_inputs: Flag = True
    rails: Annotated[
        tuple[Voltage, ...], Field(strict=False, description="a list of voltages, in volts")
    ] = ()
    doubled_outputs: Flag = False
    output_gain: Annotated[float, Field(gt=0, description="a number above 0, signal per volt")] = (
        1.0
    )
    loss: Annotated[
        Literal["squared-error", "cross-entropy"],
        Field(description="'squared-error' or 'cross-entropy'"),
    ] = "squared-error"
    nudge: Annotated[
        Literal["conductance", "current"], Field(description="'conductance' or 'current'")
    ] = "conductance"
    currents: Flag = True
    eta_currents: Annotated[
        tuple[Rate, ...] | None,
        Field(
            strict=False,
            description="a learning rate of at least 0, or a list with one per weight layer",
        ),
    ] = None
    clamp: Annotated[
        Literal["halves", "rails", "none"], Field(description="'halves', 'rails' or 'none'")
    ] = "halves"
    low: Voltage = 0.0
    high: Voltage = 0.0
    diode: Annotated[
        Literal["ideal", "shockley", "piecewise"],
        Field(description="'ideal', 'shockley' or 'piecewise'"),
    ] = "ideal"
    diode_parameters: Annotated[
        dict[str, float], Field(description="a table of finite numbers in SI units")
    ] = Field(default_factory=dict)
    gain: Positive = 1.0
    back_gain: Annotated[float | None, Field(gt=0, description="a finite number above 0")] = None
    correct_gain: Flag = True
    unit: Annotated[float, Field(gt=0, description="a conductance above 0, in siemens")] = 1.0
    g_initial: Annotated[
        tuple[Rate, Rate] | None,
        Field(
            strict=False,
            description="a list of two numbers, lowest and highest initial conductance in units",
        ),
    ] = None
    g_floor: Annotated[float, Field(ge=0, description="a number of at least 0, in units")] = 0.0
    g_max: Annotated[float | None, Field(gt=0, description="a number above 0, in units")] = None
    carry: Flag = True


DIODE_PARAMETERS: dict[str, tuple[str, ...]] = {
    "ideal": (),
    "shockley": ("i_s", "n", "v_t", "gmin"),
    "piecewise": ("v_on", "r_on", "r_off"),
}

HOPFIELD_ONLY = frozenset(NetworkSection.model_fields) - {"kind", "layers"}
"""Keys of ``[network]`` that a resistive network has not."""


class Whole(Protocol):
    """What is asked of an experiment."""

    @property
    def network(self) -> NetworkSection: ...
    @property
    def resistive(self) -> ResistiveSection | None: ...
    @property
    def learning(self) -> LearningSection: ...
    @property
    def crossbar(self) -> CrossbarSection: ...
    @property
    def converters(self) -> ConvertersSection: ...
    @property
    def wires(self) -> WiresSection | None: ...
    @property
    def run(self) -> RunSection: ...


def fill_in(document: dict[str, Any]) -> None:
    """Fill in what depends on the kind of network; leave everything wrong as it is."""
    network, section = document.get("network"), document.get("resistive")
    if not isinstance(network, dict) or network.get("kind") != "resistive":
        return
    if section is None:
        section = document["resistive"] = {}
    layers = network.get("layers")
    count = len(layers) - 1 if isinstance(layers, list | tuple) else 1
    if isinstance(section, dict):
        rate = section.get("eta_currents")
        if isinstance(rate, int | float) and rate is not True:
            section["eta_currents"] = [rate] * max(count, 1)
    crossbar = document.get("crossbar")
    if isinstance(crossbar, dict):
        crossbar.setdefault("encoding", "single")


def resistive_conflicts(e: Whole) -> Iterator[str]:
    """Yield a sentence for everything that does not fit a resistive network."""
    yield from _simulator_conflicts(e)
    if e.network.kind != "resistive":
        if e.resistive is not None:
            yield (
                "section [resistive] describes a network of network.kind = 'resistive'; it is "
                f"'{e.network.kind}'."
            )
        return
    if e.resistive is None:
        return
    yield from _hopfield_leftovers(e)
    yield from _phase_conflicts(e, e.resistive)
    yield from _network_conflicts(e, e.resistive)
    if e.run.level == "device":
        yield from _array_conflicts(e)


def _simulator_conflicts(e: Whole) -> Iterator[str]:
    if e.run.simulator == "numba":
        return
    real = e.resistive is not None and e.resistive.diode != "ideal"
    if e.network.kind != "resistive" or not real:
        yield (
            f"run.simulator is '{e.run.simulator}'; what learns there is a resistive network "
            "whose diodes are not ideal: use 'numba', or set resistive.diode."
        )
    elif e.run.level == "device" and e.learning.policy == "ideal":
        yield (
            f"run.simulator is '{e.run.simulator}', which programs cells by pulses; "
            "learning.policy 'ideal' has none."
        )


def _hopfield_leftovers(e: Whole) -> Iterator[str]:
    for name in sorted(HOPFIELD_ONLY):
        value = getattr(e.network, name)
        if value != NetworkSection.model_fields[name].default:
            yield (f"network.{name} is {value!r}; a resistive network has none: leave it out.")
    if e.learning.rule in ("vf", "cvf"):
        yield (
            f"learning.rule is '{e.learning.rule}', which learns separate forward and backward "
            "weights; a resistive network conducts both ways: use 'ep', 'cep' or 'centred-ep'."
        )
    for name, default in (("slope", False), ("input_bias", True)):
        if getattr(e.learning, name) != default:
            yield f"learning.{name} does nothing in a resistive network: leave it out."


def _phase_conflicts(e: Whole, section: ResistiveSection) -> Iterator[str]:
    learning = e.learning
    if section.diode != "ideal" and learning.free_steps != 1:
        yield (
            f"learning.free_steps is {learning.free_steps}; with diode '{section.diode}' a step "
            "is a full settling, so it must be 1."
        )
    if section.diode != "ideal" and learning.rule != "cep" and learning.nudged_steps != 1:
        yield (
            f"learning.nudged_steps is {learning.nudged_steps}; with diode '{section.diode}' a "
            f"step is a full settling, so with rule '{learning.rule}' it must be 1."
        )
    if section.nudge == "conductance" and section.loss != "squared-error":
        yield (
            f"resistive.nudge is 'conductance' and resistive.loss '{section.loss}'; a conductance "
            "nudges down the squared error only: use nudge 'current'."
        )
    if section.nudge == "conductance" and section.doubled_outputs:
        yield (
            "resistive.nudge is 'conductance' and resistive.doubled_outputs true; the difference "
            "of two nodes is nudged by 'current'."
        )
    if learning.beta < 0 and learning.rule == "centred-ep":
        yield (
            "learning.beta is negative; rule 'centred-ep' nudges with both signs: give it above 0."
        )


def _network_conflicts(e: Whole, section: ResistiveSection) -> Iterator[str]:
    if section.clamp == "rails" and section.low > section.high:
        yield f"resistive.low is {section.low:g} V; it must not exceed high, {section.high:g} V."
    if section.clamp != "rails" and (section.low != 0 or section.high != 0):
        yield "resistive.low and high are the voltages of clamp 'rails'; leave them out."
    if section.clamp == "rails" and section.diode == "ideal" and section.low == section.high:
        yield (
            "resistive.low and high are equal, which holds every hidden node at one voltage with "
            "diode 'ideal'; give low below high."
        )
    allowed = DIODE_PARAMETERS[section.diode]
    for name in section.diode_parameters:
        if name not in allowed:
            have = f"has {', '.join(allowed)}" if allowed else "has no parameters"
            yield f"resistive.diode_parameters.{name}: diode '{section.diode}' {have}."
    if len(e.network.layers) == 2 and (section.gain != 1 or section.back_gain is not None):
        yield (
            "resistive.gain and back_gain are those of amplifiers behind hidden layers; there are "
            "none."
        )
    if section.eta_currents is not None and len(section.eta_currents) != len(e.learning.eta):
        yield (
            f"resistive.eta_currents has {len(section.eta_currents)} entries; it must be one "
            f"number, or a list of {len(e.learning.eta)}."
        )
    if section.eta_currents is not None and not section.currents:
        yield "resistive.eta_currents is given, but resistive.currents is false."
    top = section.g_max
    if top is not None and top <= section.g_floor:
        yield f"resistive.g_max is {top:g}; it must be above g_floor, {section.g_floor:g}."
    if section.g_initial is not None and section.g_initial[0] > section.g_initial[1]:
        yield f"resistive.g_initial is {list(section.g_initial)}; the lower end comes first."


def _array_conflicts(e: Whole) -> Iterator[str]:
    if e.crossbar.encoding != "single":
        yield (
            f"crossbar.encoding is '{e.crossbar.encoding}'; conductances of a resistive network "
            "are held by single cells: 'single'."
        )
    if len(set(e.crossbar.weight_range)) > 1:
        yield (
            f"crossbar.weight_range is {list(e.crossbar.weight_range)}; the layers of a resistive "
            "network share nodes, so it must be one number."
        )
    for name, given in (
        ("crossbar.tile", e.crossbar.tile is not None),
        ("section [wires]", e.wires is not None),
        ("section [converters]", e.converters != type(e.converters)()),
    ):
        if given:
            yield f"{name} is not simulated in a resistive network: leave it out."
