"""The section of an experiment file that ``ohmlearn report`` reads: durations and prices.

As in :mod:`.settings`, a field's description is the end of the sentence "it must be ...".
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .sections import Section

__all__ = ["CONSTANTS", "HardwareSection"]

Time = Annotated[float | None, Field(ge=0, description="a time of at least 0, in seconds")]
Energy = Annotated[float | None, Field(ge=0, description="an energy of at least 0, in joules")]
Power = Annotated[float | None, Field(ge=0, description="a power of at least 0, in watts")]
Volts = Annotated[float | None, Field(ge=0, description="a voltage of at least 0, in volts")]
Area = Annotated[float | None, Field(ge=0, description="an area of at least 0, in square metres")]
Siemens = Annotated[float | None, Field(gt=0, description="a conductance above 0, in siemens")]

#: The keys that replace a number of the table in :mod:`.reporting.constants`.
CONSTANTS = (
    "t_step",
    "t_switch",
    "t_clock",
    "t_select",
    "t_convert",
    "adc_energy",
    "dac_energy",
    "neuron_energy",
    "amplifier_power",
    "read_supply",
    "write_efficiency",
    "gate_voltage",
    "wire_capacitance",
    "cell_capacitance",
    "update_energy",
    "select_energy",
    "idle_fraction",
    "cell_area",
    "adc_area",
    "neuron_area",
    "endurance",
)


class HardwareSection(Section):
    """``[hardware]``: durations and what the periphery costs, for `ohmlearn report RUN` alone.

    Nothing here changes a result. A key that is left out has the number that the report lists with
    its source and range, for the technology ``node`` (that of ``[wires]``, else 65 nm).

    ``t_step`` is one time step of a phase, ``t_switch`` the way from computing to programming or
    back, ``t_clock`` one cycle of the logic, which decides on the pulses of one row per cycle and
    sample, ``t_select`` selecting a row before a programming slot, ``t_convert`` one conversion of
    an ADC that ``lines_per_adc`` lines share, ``t_idle`` the pause after a sample. ``readout``
    says which neurons are converted at the end of every phase and slot of training; inference
    converts the outputs. ``adc_bits`` is the resolution of that; ``[converters]`` describes
    conversions within the time steps. ``verify_reads`` reads follow each pulse. Rows are
    programmed one after the other, arrays side by side (``scheme``).

    The keys that begin with ``assume`` stand for what a run would have measured, where a report is
    made of an experiment file instead of a run: conductance of a cell in a read and under a pulse,
    root mean square of the signals, pulses per cell and training sample.
    """

    node: Annotated[
        str | None,
        BeforeValidator(lambda node: str(node) if type(node) is int else node),
        Field(description="the name of a technology node, such as '65'"),
    ] = None
    scheme: Annotated[Literal["row_serial"], Field(description="'row_serial'")] = "row_serial"
    readout: Annotated[
        Literal["neurons", "outputs", "none"],
        Field(description="'neurons', 'outputs' or 'none'"),
    ] = "neurons"
    adc_bits: Annotated[int, Field(ge=1, le=16, description="a whole number from 1 to 16")] = 8
    lines_per_adc: Annotated[int, Field(ge=1, description="a whole number of at least 1")] = 8
    verify_reads: Annotated[int, Field(ge=0, description="a whole number of at least 0")] = 0
    t_idle: Annotated[float, Field(ge=0, description="a time of at least 0, in seconds")] = 0.0
    t_step: Annotated[float | None, Field(gt=0, description="a time above 0, in seconds")] = None
    t_switch: Time = None
    t_clock: Time = None
    t_select: Time = None
    t_convert: Time = None
    adc_energy: Energy = None
    dac_energy: Energy = None
    neuron_energy: Energy = None
    amplifier_power: Power = None
    read_supply: Annotated[
        float | None,
        Field(ge=0, description="a voltage of at least 0, in volts (0: drivers without loss)"),
    ] = None
    write_efficiency: Annotated[
        float | None, Field(gt=0, le=1, description="a number above 0 and at most 1")
    ] = None
    gate_voltage: Volts = None
    wire_capacitance: Annotated[
        float | None, Field(ge=0, description="a capacitance of at least 0, in farads per metre")
    ] = None
    cell_capacitance: Annotated[
        float | None, Field(ge=0, description="a capacitance of at least 0, in farads")
    ] = None
    update_energy: Energy = None
    select_energy: Energy = None
    idle_fraction: Annotated[
        float | None, Field(ge=0, le=1, description="a number from 0 to 1")
    ] = None
    cell_area: Annotated[
        float | None, Field(gt=0, description="a number above 0, in squared wire widths")
    ] = None
    adc_area: Area = None
    neuron_area: Area = None
    endurance: Annotated[float | None, Field(gt=0, description="a number of pulses above 0")] = (
        None
    )
    assume_conductance: Siemens = None
    assume_pulse_conductance: Siemens = None
    assume_signal: Annotated[
        float | None, Field(ge=0, description="a number of at least 0, in units of v_read")
    ] = None
    assume_pulses: Annotated[
        float | None, Field(ge=0, description="pulses per cell and training sample, at least 0")
    ] = None

    def constants(self) -> dict[str, float]:
        """Return the numbers of the report's table that the experiment replaces, by name."""
        given = {name: getattr(self, name) for name in CONSTANTS}
        return {name: value for name, value in given.items() if value is not None}
