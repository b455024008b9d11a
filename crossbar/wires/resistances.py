"""Resistances of an array's wires, given directly or for a technology node.

Word line i is driven from the left: its terminal, the driver's resistance and one segment lead to
the cell in column 0, one more segment to each further cell. Bit line j ends below the last row:
one segment and the sensor's resistance lead to its terminal. These are the connections of
badcrossbar (D. Joksas, A. Mehonic, SoftwareX 12, 2020, doi:10.1016/j.softx.2020.100617).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import NamedTuple

from ...errors import ConfigError, nearest

__all__ = ["CELLS", "NODES", "NODE_SOURCE", "WireNode", "Wires"]


class WireNode(NamedTuple):
    """Metal of one technology node at 300 K: wire width [m] and resistance per length [ohm/m]."""

    width: float
    ohm_per_metre: float


NODE_SOURCE = (
    "Wire width, aspect ratio and resistivity by node, and the temperature law, of NeuroSim "
    "(MLP+NeuroSim V3.0 and DNN+NeuroSim; P.-Y. Chen, X. Peng, S. Yu, IEEE TCAD 37(12), 2018, "
    "doi:10.1109/TCAD.2018.2789723); resistance per length computed from them"
)
"""Where :data:`NODES` and the temperature law come from."""

_NODE_130 = WireNode(200e-9, 0.288e6)
_NODE_14 = WireNode(22e-9, 55.9e6)

NODES = {
    "130": _NODE_130,
    "90": _NODE_130,
    "65": WireNode(100e-9, 1.19e6),
    "45": WireNode(50e-9, 6.68e6),
    "32": WireNode(40e-9, 13.3e6),
    "22": WireNode(32e-9, 23.2e6),
    "14": _NODE_14,
    "10": _NODE_14,
    "7": WireNode(14e-9, 181e6),
}
"""Metal by technology node in nanometres; see :data:`NODE_SOURCE`."""

CELLS = {"1T1R": 4.0, "crosspoint": 2.0}
"""Pitch of a cell in wire widths: with an access transistor, and without."""

_CAPACITANCE = 0.2e-15 / 1e-6  # farad per metre of wire, of the same source
_HEATING = 0.00451  # relative rise of the resistivity per kelvin above 300 K, of the same source


@dataclass(frozen=True)
class Wires:
    """Wire resistances of an array [ohm]; zero stands for an ideal conductor.

    Attributes
    ----------
    r_word, r_bit
        One segment of a word line and of a bit line, from cell to cell.
    r_driver
        In series with every word line, at its left end.
    r_sense
        In series with every bit line, at its lower end.

    Raises
    ------
    ConfigError
        If a resistance is negative or not finite.
    """

    r_word: float = 0.0
    r_bit: float = 0.0
    r_driver: float = 0.0
    r_sense: float = 0.0

    def __post_init__(self) -> None:
        for name in ("r_word", "r_bit", "r_driver", "r_sense"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ConfigError(f"wires.{name} is {value!r}; allowed is a number of ohms.")
            if not isfinite(value) or value < 0:
                raise ConfigError(
                    f"wires.{name} is {value} ohm; allowed is 0 (ideal) or more, and finite."
                )

    @staticmethod
    def of_node(
        node: str,
        *,
        cell: str = "1T1R",
        temperature: float = 300.0,
        r_driver: float = 0.0,
        r_sense: float = 0.0,
    ) -> Wires:
        """Return the wires of a technology *node*, a name of :data:`NODES`.

        Parameters
        ----------
        node
            Technology node in nanometres, for example ``"22"``.
        cell
            A name of :data:`CELLS`; decides the length of a segment.
        temperature
            Of the wires [K], 300 to 500: above 300 K the resistance rises by 0.451 % per kelvin.
        r_driver, r_sense
            Driver and sensor [ohm]; they do not follow from the node.

        Raises
        ------
        ConfigError
            If a name is unknown or the temperature out of range.
        """
        if node not in NODES:
            raise ConfigError(nearest(node, NODES, "technology node"))
        if cell not in CELLS:
            raise ConfigError(nearest(cell, CELLS, "cell of an array"))
        if not 300.0 <= temperature <= 500.0:
            raise ConfigError(
                f"wires.temperature is {temperature} K; allowed is 300 to 500 K, where the "
                "resistivity of the table is meant."
            )
        metal = NODES[node]
        heat = 1.0 + _HEATING * (temperature - 300.0)
        r = metal.ohm_per_metre * metal.width * CELLS[cell] * heat
        return Wires(r, r, r_driver, r_sense)

    @property
    def ideal(self) -> bool:
        """Whether no resistance is left anywhere."""
        return self.word_ideal and self.bit_ideal

    @property
    def word_ideal(self) -> bool:
        """Whether word lines are at the voltage of their terminals."""
        return self.r_word + self.r_driver == 0.0

    @property
    def bit_ideal(self) -> bool:
        """Whether bit lines are at the voltage of their terminals."""
        return self.r_bit + self.r_sense == 0.0

    @property
    def exchanged(self) -> Wires:
        """The same wires with the drivers on the bit lines and the sensors on the word lines.

        Without exchange a backward read goes through the same resistances as the forward one,
        and is its exact transpose.
        """
        return replace(self, r_driver=self.r_sense, r_sense=self.r_driver)


def segment_capacitance(node: str, cell: str = "1T1R") -> float:
    """Return the capacitance of one segment [F] at 0.2 fF per micrometre of wire."""
    Wires.of_node(node, cell=cell)
    return _CAPACITANCE * NODES[node].width * CELLS[cell]
