"""The sections of an experiment file that describe what surrounds the cells of an array.

As in :mod:`.settings`, a field's description is the end of the sentence "it must be ...".
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ..devices.cell.access import ACCESS
from .sections import Positive, Section

__all__ = ["AccessSection", "ConvertersSection", "WiresSection"]

Resistance = Annotated[float, Field(ge=0, description="a resistance of at least 0, in ohms")]
OwnResistance = Annotated[
    float | None, Field(ge=0, description="a resistance of at least 0, in ohms per cell")
]
Bits = Annotated[int | None, Field(ge=1, le=24, description="a whole number from 1 to 24")]
Spread = Annotated[float, Field(ge=0, description="a finite number of at least 0")]


class AccessSection(Section):
    """``[access]``: every cell is 1T1R, a memristor in series with an NMOS (level 'device').

    The transistor is that of SPICE level 1; all keys but ``v_gate`` are its parameters, and the
    defaults are our choice. All conductances are then those of the whole cell in a read:
    ``v_read`` on the bit line, the source line at 0 V, the gate at ``v_gate``. The window of
    ``[crossbar]`` stays that of the memristor, and ``weight_range`` is what the cell is left
    with. A programming pulse keeps its nominal step, as if it had been measured on the whole
    cell; also with dynamical models.
    """

    v_gate: Annotated[
        float, Field(description="a voltage above the transistor's threshold, in volts")
    ] = 3.3
    kp: Annotated[float, Field(description="a transconductance parameter above 0, in A/V^2")] = (
        ACCESS.kp
    )
    vto: Annotated[float, Field(description="a threshold voltage, in volts")] = ACCESS.vto
    gamma: Annotated[
        float, Field(description="a body-effect coefficient of at least 0, in V^0.5")
    ] = ACCESS.gamma
    phi: Annotated[float, Field(description="a surface potential above 0, in volts")] = ACCESS.phi
    lam: Annotated[
        float, Field(description="a channel-length modulation of at least 0, in 1/V")
    ] = ACCESS.lam
    w: Annotated[float, Field(description="a channel width above 0, in metres")] = ACCESS.w
    l: Annotated[  # noqa: E741, the field's own letter
        float, Field(description="a channel length above 0, in metres")
    ] = ACCESS.l

    def parameters(self) -> dict[str, float]:
        """Return the parameters of the transistor, SI units."""
        return self.model_dump(exclude={"v_gate"})


class ConvertersSection(Section):
    """``[converters]``: DAC and ADC at the edges of every tile (level 'device').

    Signals count as in the network: 1 is a line at full drive, and the current that weight 1
    passes then. ``adc_range`` is the largest current an ADC returns; left out, it is
    ``adc_headroom`` times the largest one that up to 256 training samples cause at the initial
    weights. ``adc_noise`` (of each conversion) and ``adc_offset`` (of each converter) are standard
    deviations in units of the last bit, ``adc_gain`` is that of each converter's relative gain.
    """

    dac_bits: Bits = None
    adc_bits: Bits = None
    dac_range: Positive = 1.0
    adc_range: Annotated[
        float | None, Field(gt=0, description="a finite number above 0, in units of the drives")
    ] = None
    adc_headroom: Positive = 8.0
    adc_noise: Spread = 0.0
    adc_gain: Spread = 0.0
    adc_offset: Spread = 0.0


class WiresSection(Section):
    """``[wires]``: resistance of the lines inside a tile (level 'device').

    Either ``node``, the technology node whose wires these are, or ohms per cell: ``r_word`` along
    a word line, ``r_bit`` along a bit line. ``r_driver`` and ``r_sense`` stand at their ends.
    The network sees the linear map of each tile with its wires. Between two solves it is carried
    along with every pulse to first order, and solved anew before the neglected part can exceed
    ``error``, relative to the tile's largest effective conductance.
    """

    node: Annotated[
        str | None,
        BeforeValidator(lambda node: str(node) if type(node) is int else node),
        Field(description="the name of a technology node, such as '22'"),
    ] = None
    cell: Annotated[Literal["1T1R", "crosspoint"], Field(description="'1T1R' or 'crosspoint'")] = (
        "1T1R"
    )
    temperature: Annotated[
        float, Field(gt=0, le=1000, description="a temperature above 0 and at most 1000 K")
    ] = 300.0
    r_word: OwnResistance = None
    r_bit: OwnResistance = None
    r_driver: Resistance = 0.0
    r_sense: Resistance = 0.0
    error: Annotated[
        float, Field(gt=0, lt=1, description="a relative error above 0 and below 1")
    ] = 0.005
