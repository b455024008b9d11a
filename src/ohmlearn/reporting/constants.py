"""What the periphery of an array costs: one table of numbers, each with source and range.

A number is *published* where somebody else states it, in a paper, a manual or a library;
everything else is *our choice*, and is called so in every report. Numbers belong to a technology
node and are scaled to that of the experiment by one law, :data:`SCALING`; a scaled number keeps
its source and says that it was scaled. An experiment replaces any of them in its section
``[hardware]``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import ConfigError, nearest

__all__ = [
    "ADC_BITS",
    "CONSTANTS",
    "NODES",
    "OUR_CHOICE",
    "SCALING",
    "SOURCES",
    "Constant",
    "Number",
    "adc_energy",
    "numbers",
    "wire_width",
]

OUR_CHOICE = "our choice"

NODES: dict[str, float] = {
    "130": 200e-9,
    "90": 200e-9,
    "65": 100e-9,
    "45": 50e-9,
    "32": 40e-9,
    "22": 32e-9,
    "14": 22e-9,
    "10": 22e-9,
    "7": 14e-9,
}
"""Wire width [m] by technology node in nanometres, of NeuroSim, see :data:`SOURCES`."""

SCALING = 1.9
"""Energy goes with the node to this power (our choice).

It passes through the 1 : 3.8 : 14 of the Accelergy ADC model at 32, 65 and 130 nm; areas go with
the square.
"""

SOURCES: dict[str, str] = {
    "NeuroSim": "MLP+NeuroSim V3.0 and DNN+NeuroSim V2.1; P.-Y. Chen, X. Peng, S. Yu, IEEE TCAD "
    "37(12), 2018, doi:10.1109/TCAD.2018.2789723",
    "ISAAC": "A. Shafiee et al., ISCA 2016, doi:10.1109/ISCA.2016.12, with the ADC of L. Kull et "
    "al., ISSCC 2013, doi:10.1109/ISSCC.2013.6487818; as tabled by hwcomponents-library",
    "NeuRRAM": "W. Wan et al., Nature 608, 2022, doi:10.1038/s41586-022-04992-8; as tabled by "
    "hwcomponents-library",
    "TIMELY": "W. Li et al., ISCA 2020, doi:10.1109/ISCA45697.2020.00073; as tabled by "
    "hwcomponents-library",
    "Aladdin": "Y. S. Shao et al., ISCA 2014, doi:10.1109/ISCA.2014.6853196; as tabled by "
    "hwcomponents-library",
    "ADC survey": "B. Murmann, ADC Performance Survey 1997-2025, revision 2025-06-09: median of "
    "the energy per conversion step, worked out for this table",
    "hwcomponents-library": "Accelergy project, https://github.com/Accelergy-Project/"
    "hwcomponents-library",
}
"""Who states a number, by the short name that a report uses."""

ADC_BITS: dict[int, float] = {
    4: 0.79e-12,
    5: 0.99e-12,
    6: 1.20e-12,
    7: 1.42e-12,
    8: 1.67e-12,
    9: 1.97e-12,
    10: 2.38e-12,
}
"""Energy of a conversion [J] by resolution, 32 nm, of ISAAC; beyond it goes with 2^bits.

ISAAC's converter has 8 bits; hwcomponents-library scales it to the other resolutions."""

_SAR = {130: 1.35e-12, 65: 0.61e-12, 32: 0.235e-12, 22: 0.143e-12}  # NeuroSim, 8 bits, 10 kohm
_SURVEY_MEDIAN = 44e-15  # J per conversion step, median of the whole survey


class Constant(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    unit, meaning
    low, typical, high
        In *unit*; *low* and *high* bound what is plausible.
    node
        Technology node of the numbers [nm]; 0 where they do not depend on it.
    exponent
        How they go with the node.
    source
        Where the typical number is from; :data:`OUR_CHOICE` if from nobody.
    bounds
        Where the range is from. Names are those of :data:`SOURCES`.
    """

    unit: str
    meaning: str
    low: float
    typical: float
    high: float
    node: float = 0.0
    exponent: float = 0.0
    source: str = OUR_CHOICE
    bounds: str = OUR_CHOICE


class Number(NamedTuple):
    """A constant as one report uses it.

    Attributes
    ----------
    value, low, high
        In *unit*.
    origin
        ``"published"``, ``"our choice"`` or ``"experiment"``.
    """

    unit: str
    meaning: str
    value: float
    low: float
    high: float
    origin: str
    source: str


# Aladdin's 32-bit multiplier and adder, in proportion to the widths, and its comparator.
_UPDATE = 12.68e-12 * 8 * 8 / (32 * 32) + 0.21e-12 * 16 / 32 + 0.02947e-12

CONSTANTS: dict[str, Constant] = {
    "t_step": Constant("s", "one time step of a phase", 10e-9, 100e-9, 1e-6),
    "t_switch": Constant(
        "s", "switching between computing and programming, each way", 2e-9, 20e-9, 200e-9
    ),
    "t_clock": Constant(
        "s", "one cycle of the logic, which decides on the pulses of one row", 0.5e-9, 2e-9, 10e-9
    ),
    "t_select": Constant("s", "selecting a row before a programming slot", 1e-9, 5e-9, 50e-9),
    "t_convert": Constant("s", "one conversion of an ADC", 0.83e-9, 10e-9, 100e-9),
    "dac_energy": Constant(
        "J", "driving one input line to its level (8 bits), without the line",
        0.0375e-12, 0.25e-12, 1e-12, 65, SCALING,
        bounds="low: time-domain converter of TIMELY; high: our choice",
    ),
    "neuron_energy": Constant(
        "J", "one neuron, one time step: sample and integrate", 0.25e-12, 1.45e-12, 4.5e-12,
        130, SCALING, "NeuRRAM", "low: its integrator alone; high: our choice",
    ),
    "amplifier_power": Constant(
        "W", "sense amplifier that holds one line at virtual ground", 0.5e-6, 5e-6, 50e-6
    ),
    "read_supply": Constant(
        "V", "supply of the linear stages that drive lines in a read", 0.2, 0.4, 1.0
    ),
    "write_efficiency": Constant(
        "1", "energy on the lines over that drawn by the programming drivers", 0.9, 0.7, 0.4
    ),
    "gate_voltage": Constant("V", "gate of a cell that is programmed", 1.2, 2.0, 3.3),
    "wire_capacitance": Constant(
        "F/m", "wire of an array", 0.15e-9, 0.2e-9, 0.3e-9, source="NeuroSim"
    ),
    "cell_capacitance": Constant(
        "F", "what one cell adds to its bit line and word line", 0.03e-15, 0.1e-15, 0.5e-15,
        65, 1.0,
    ),
    "update_energy": Constant(
        "J", "deciding on the pulses of one weight: 8 x 8 bit product, 16-bit sum, comparison",
        _UPDATE / 5, _UPDATE, _UPDATE * 3, 40, SCALING, "Aladdin",
    ),
    "select_energy": Constant(
        "J", "row decoder and level shifters, one programming slot", 0.1e-12, 1e-12, 10e-12,
        65, SCALING,
    ),
    "idle_fraction": Constant(
        "1", "power of a sense amplifier while it is not used, of its full power", 0.0, 0.1, 1.0
    ),
    "cell_area": Constant(
        "F^2", "area of a 1T1R cell in squared wire widths (4 F x 4 F)", 12, 16, 32,
        source="NeuroSim",
    ),
    "adc_area": Constant(
        "m^2", "one 8-bit ADC", 310e-12 * (32 / 65) ** 2, 1200e-12, 3000e-12, 32, 2.0, "ISAAC",
        "low: time-domain converter of TIMELY; high: our choice",
    ),
    "neuron_area": Constant(
        "m^2", "sampling and integrating stage of one neuron", 350e-12, 700e-12, 2000e-12,
        130, 2.0, "NeuRRAM",
    ),
    "endurance": Constant("pulses", "pulses that a cell endures", 1e6, 1e8, 1e10),
}  # fmt: skip
"""Every constant but the ADC's energy, which depends on bits, see :func:`adc_energy`."""


def wire_width(node: str) -> float:
    """Return the width of an array's wires [m] at the technology *node* [nm].

    Raises
    ------
    ConfigError
        If the node is unknown.
    """
    if node not in NODES:
        raise ConfigError(nearest(node, NODES, "technology node"))
    return NODES[node]


def adc_energy(bits: int, node: str) -> Number:
    """Return the energy of one conversion [J] at *bits* of resolution.

    Typical is ISAAC's ADC, low is NeuroSim's SAR converter (which the survey shows to be about ten
    times too hopeful), high is the median of the ADC survey, 44 fJ per step.
    """
    known = min(max(bits, min(ADC_BITS)), max(ADC_BITS))
    typical = ADC_BITS[known] * 2.0 ** (bits - known) * (float(node) / 32) ** SCALING
    low = _between(_SAR, float(node)) * (bits + 1) / 9
    high = _SURVEY_MEDIAN * 2.0**bits
    scaled = "" if node == "32" else f"; scaled from 32 nm to {node} nm (our choice)"
    source = f"ISAAC{scaled}; low: SAR converter of NeuroSim; high: ADC survey"
    meaning = f"one conversion of {bits} bits"
    return Number(
        "J", meaning, typical, min(low, typical), max(high, typical), "published", source
    )


def numbers(
    node: str, adc_bits: int, given: Mapping[str, float], tile_bits: int | None = None
) -> dict[str, Number]:
    """Return every constant at a technology *node*, replaced by what the experiment has *given*.

    ``adc_energy`` is that of the read-out, ``tile_adc_energy`` that of converters at the edges of
    the tiles, which are there if *tile_bits* is given.

    Raises
    ------
    ConfigError
        If the node is unknown.
    """
    wire_width(node)
    found = {"adc_energy": adc_energy(adc_bits, node)}
    if tile_bits is not None:
        found["tile_adc_energy"] = adc_energy(tile_bits, node)
    found |= {name: _number(constant, node) for name, constant in CONSTANTS.items()}
    for name, value in given.items():
        found[name] = found[name]._replace(
            value=value, low=value, high=value, origin="experiment", source="the experiment file"
        )
    return found


def _number(constant: Constant, node: str) -> Number:
    factor = (float(node) / constant.node) ** constant.exponent if constant.node else 1.0
    published = constant.source != OUR_CHOICE
    source = constant.source if published else OUR_CHOICE
    if factor != 1.0:
        source += f"; scaled from {constant.node:g} nm to {node} nm (our choice)"
    if constant.bounds != OUR_CHOICE:
        source += f"; range: {constant.bounds}"
    elif published:
        source += "; range: our choice"
    return Number(
        constant.unit,
        constant.meaning,
        constant.typical * factor,
        constant.low * factor,
        constant.high * factor,
        "published" if published else OUR_CHOICE,
        source,
    )


def _between(table: Mapping[int, float], at: float) -> float:
    """Return the value of *table* at a node, along straight lines in both logarithms."""
    known = sorted(table)
    left = max((n for n in known[:-1] if n <= at), default=known[0])
    right = known[known.index(left) + 1]
    slope = math.log(table[right] / table[left]) / math.log(right / left)
    return table[left] * (at / left) ** slope
