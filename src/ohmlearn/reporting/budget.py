"""Where every joule of an inference and of a training sample goes: phase by element class.

==========  ==================================================================================
phase       what happens, and for how long
==========  ==================================================================================
settle      ``free_steps`` time steps; the input is loaded
read-out    the states that are needed as numbers are converted
nudge       the slots of the nudged phases, one time step each
decide      the change of every local product becomes a number of pulses, a row per clock cycle
switch      from computing to programming and back, once per programming operation
SET, RESET  programming slots, row by row, arrays side by side
verify      reads after pulses, if any
idle        the pause after a sample
==========  ==================================================================================

Per training sample everything is a mean over the run: programming is shared by the samples of a
mini-batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .constants import wire_width
from .reads import Load, tile_shape, total_load
from .subject import Subject

__all__ = ["ELEMENTS", "Phase", "Prices", "by_element", "by_phase", "duration", "energy"]
__all__ += ["inference", "load_of", "power", "training_sample"]

ELEMENTS = (
    "cells",
    "access transistors",
    "wires",
    "drivers",
    "neurons",
    "amplifiers",
    "diodes",
    "DAC",
    "ADC",
    "digital",
)

Prices = Mapping[str, float]
"""One number for every constant of :mod:`.constants`, SI units."""


class Phase(NamedTuple):
    """What a phase costs, in one inference or training sample.

    Attributes
    ----------
    name
    times
        How often it comes.
    duration
        All of it [s].
    energy : dict
        Joules by class of element.
    """

    name: str
    times: float
    duration: float
    energy: dict[str, float]


def load_of(subject: Subject) -> Load:
    """Return what one time step asks of the arrays; nothing where signals are not known."""
    if subject.activity is None:
        return Load()
    return total_load(
        subject.arrays,
        subject.activity,
        subject.experiment.crossbar.v_read,
        channel=subject.channel,
        ohms=subject.ohms,
        tile=subject.experiment.crossbar.tile,
    )


def inference(subject: Subject, load: Load, prices: Prices) -> tuple[Phase, ...]:
    """Return the phases of one inference."""
    settle = _steps("settle", subject, load, prices, subject.free_steps)
    _add(settle.energy, "DAC", subject.layers[0] * prices["dac_energy"])
    read_out = _read_out(subject, prices, 1, subject.layers[-1])
    return settle, read_out, *_idle(subject, load, prices)


def training_sample(subject: Subject, load: Load, prices: Prices) -> tuple[Phase, ...]:
    """Return the phases of one training sample."""
    hardware = subject.hardware
    settle = _steps("settle", subject, load, prices, subject.free_steps)
    _add(settle.energy, "DAC", subject.layers[0] * prices["dac_energy"])
    states = {"neurons": subject.neurons, "outputs": subject.layers[-1], "none": 0}
    read = _read_out(subject, prices, subject.readouts, states[hardware.readout])
    nudge = _steps("nudge", subject, load, prices, subject.nudged_steps)
    phases = [settle, read, nudge, _decide(subject, load, prices), _switch(subject, load, prices)]
    if subject.writes is not None:
        phases += [_pulses(subject, load, prices, way) for way in ("SET", "RESET")]
        if hardware.verify_reads:
            phases.append(_verify(subject, prices))
    return (*phases, *_idle(subject, load, prices))


def energy(phases: Sequence[Phase]) -> float:
    """Return the energy of all *phases* [J]."""
    return sum(sum(phase.energy.values()) for phase in phases)


def duration(phases: Sequence[Phase]) -> float:
    """Return how long all *phases* take [s]."""
    return sum(phase.duration for phase in phases)


def by_phase(phases: Sequence[Phase]) -> dict[str, float]:
    """Return the energy of each phase [J]."""
    return {phase.name: sum(phase.energy.values()) for phase in phases}


def by_element(phases: Sequence[Phase]) -> dict[str, float]:
    """Return the energy of each class of element [J]."""
    return {name: sum(phase.energy.get(name, 0.0) for phase in phases) for name in ELEMENTS}


def power(phases: Sequence[Phase]) -> tuple[float, float, str]:
    """Return the mean power [W], that of the phase with the largest, and this phase's name."""
    time = duration(phases)
    rates = {p.name: sum(p.energy.values()) / p.duration for p in phases if p.duration > 0}
    if not rates or not time:
        return 0.0, 0.0, ""
    name = max(rates, key=lambda n: rates[n])
    return energy(phases) / time, rates[name], name


def line_capacitance(prices: Prices, width: float) -> float:
    """Return what a line has per cell [F], wires being *width* metres wide."""
    pitch = prices["cell_area"] ** 0.5 * width
    return pitch * prices["wire_capacitance"] + prices["cell_capacitance"]


def _add(entries: dict[str, float], name: str, value: float) -> None:
    entries[name] = entries.get(name, 0.0) + value


def _steps(name: str, subject: Subject, load: Load, prices: Prices, steps: int) -> Phase:
    """Return *steps* time steps of computing."""
    time = steps * prices["t_step"]
    if subject.settled_power is not None:
        spent = {k: v * time for k, v in subject.settled_power.items()}
        return Phase(name, steps, time, spent)
    v, converters = subject.experiment.crossbar.v_read, subject.experiment.converters
    delivered = load.cells + load.access + load.wires
    supply = max(prices["read_supply"], v) if prices["read_supply"] else 0.0
    rail = max(supply, v * subject.span) if supply else 0.0  # a sum may need more
    drawn = supply * load.current + rail * load.summed
    line = line_capacitance(prices, wire_width(subject.node))
    spent = {
        "cells": load.cells * time,
        "access transistors": load.access * time,
        # Every step may bring every line from zero to its value: an upper bound.
        "wires": load.wires * time + steps * load.charged * line * v**2,
        "drivers": max(drawn - delivered, 0.0) * time,
        "neurons": steps * subject.neurons * prices["neuron_energy"],
        "amplifiers": load.sensed * prices["amplifier_power"] * time,
    }
    if converters.dac_bits is not None:
        inner = max(load.driven - subject.layers[0], 0)
        spent["DAC"] = steps * inner * prices["dac_energy"]
    if converters.adc_bits is not None:
        spent["ADC"] = steps * load.conversions * prices["tile_adc_energy"]
    return Phase(name, steps, time, spent)


def _read_out(subject: Subject, prices: Prices, times: int, states: int) -> Phase:
    """Return *times* conversions of *states* neurons, by ADCs that several lines share."""
    turns = min(subject.hardware.lines_per_adc, states)
    times = times if states else 0
    spent = {"ADC": times * states * prices["adc_energy"]}
    return Phase("read-out", times, times * turns * prices["t_convert"], spent)


def _held(load: Load, prices: Prices, time: float) -> dict[str, float]:
    """Return what the analogue periphery takes while it waits."""
    return {"amplifiers": load.sensed * prices["amplifier_power"] * prices["idle_fraction"] * time}


def _switch(subject: Subject, load: Load, prices: Prices) -> Phase:
    """Return the ways there and back, per training sample."""
    times = subject.contrasts / subject.experiment.training.batch_size
    time = 2.0 * times * prices["t_switch"]
    return Phase("switch", times, time, _held(load, prices, time))


def _decide(subject: Subject, load: Load, prices: Prices) -> Phase:
    """Return the decisions on pulses: a product per weight and sample, which a mini-batch adds."""
    times = subject.contrasts
    rows = max(array.g.shape[0] for array in subject.arrays)
    time = times * rows * prices["t_clock"]
    spent = _held(load, prices, time)
    spent["digital"] = times * subject.weights * prices["update_energy"]
    return Phase("decide", times, time, spent)


def _pulses(subject: Subject, load: Load, prices: Prices, way: str) -> Phase:
    """Return the programming slots of one direction, per training sample."""
    writes, pulse, samples = subject.writes or (), subject.pulse, max(subject.samples, 1)
    upward = way == "SET"
    voltage, width = pulse[:2] if upward else pulse[2:]
    slots = [w.set_slots if upward else w.reset_slots for w in writes]
    pulses = [w.set_pulses if upward else w.reset_pulses for w in writes]
    cells = sum(w.set_energy if upward else w.reset_energy for w in writes)
    share = sum(pulses) / max(sum(w.set_pulses + w.reset_pulses for w in writes), 1)
    access = share * sum(w.transistor_energy for w in writes)
    line = line_capacitance(prices, wire_width(subject.node))
    wires = 0.0
    for array, n_slots, n_pulses in zip(subject.arrays, slots, pulses, strict=True):
        word, columns = tile_shape(array, subject.experiment.crossbar.tile)
        bits = columns * array.g.shape[2] + (array.reference is not None)
        wires += n_pulses * word * line * voltage**2
        wires += n_slots * bits * line * prices["gate_voltage"] ** 2
    lost = (cells + access + wires) * (1.0 / prices["write_efficiency"] - 1.0)
    time = max(slots, default=0.0) * (width + prices["t_select"]) / samples
    spent = {
        "cells": cells / samples,
        "access transistors": access / samples,
        "wires": wires / samples,
        "drivers": lost / samples,
        **_held(load, prices, time),
        "digital": sum(slots) * prices["select_energy"] / samples,
    }
    return Phase(way, sum(pulses) / samples, time, spent)


def _verify(subject: Subject, prices: Prices) -> Phase:
    """Return the reads that follow pulses, per training sample."""
    writes, samples = subject.writes or (), max(subject.samples, 1)
    reads = subject.hardware.verify_reads
    pulses = reads * sum(w.set_pulses + w.reset_pulses for w in writes) / samples
    slots = reads * max((w.set_slots + w.reset_slots for w in writes), default=0.0) / samples
    each = prices["t_convert"] * subject.hardware.lines_per_adc
    total = sum(float(array.g.sum()) for array in subject.arrays)
    mean = total / max(sum(array.g.size for array in subject.arrays), 1)
    spent = {
        "cells": pulses * subject.experiment.crossbar.v_read**2 * mean * each,
        "ADC": pulses * prices["adc_energy"],
    }
    return Phase("verify", pulses, slots * each, spent)


def _idle(subject: Subject, load: Load, prices: Prices) -> tuple[Phase, ...]:
    time = subject.hardware.t_idle
    return (Phase("idle", 1, time, _held(load, prices, time)),) if time else ()
