"""What surrounds the memristors of an experiment: transistors, tiles, wires and converters."""

from __future__ import annotations

from dataclasses import fields, replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..circuits.fabric import Fabric
from ..circuits.hopfield import HopfieldNetwork, Layout
from ..circuits.sensing import Sensing, make_sensing
from ..circuits.wiring import Wiring
from ..crossbar.array import ENCODINGS
from ..crossbar.cell_array import window_ends
from ..crossbar.tiles.converters import Converters
from ..crossbar.wires.resistances import Wires
from ..devices.cell.reach import STATES, pulse_reach
from ..devices.cell.read import make_channel
from ..errors import ConfigError
from ..experiment import Experiment
from ..settings.cell import choose_access, choose_cell
from ..training.calibration import line_limits
from ..training.samples import Dataset

__all__ = [
    "LARGEST_PRODUCTS",
    "build_sensing",
    "build_wiring",
    "choose_wires",
    "periphery_ledger",
    "tile_shape",
]

LARGEST_PRODUCTS = {"r_word": 1.0, "r_bit": 1.0, "r_driver": 1e4, "r_sense": 1e4}
"""Largest product of a resistance and a cell's conductance (docs/arrays.md has the trials)."""


def tile_shape(experiment: Experiment, layout: Layout) -> tuple[int, int]:
    """Return the word lines of a tile, and the columns of weights that fit in it.

    Without ``crossbar.tile`` every layer is one tile.
    """
    if experiment.crossbar.tile is None:
        widest = int(layout.sizes.max())
        return widest + 1, widest
    rows, lines = experiment.crossbar.tile
    return rows, lines // ENCODINGS[experiment.crossbar.encoding]


def _converters(experiment: Experiment) -> Converters:
    section = experiment.converters
    return Converters(**section.model_dump(exclude={"adc_range", "adc_headroom"}))


def build_sensing(
    experiment: Experiment, network: HopfieldNetwork, theta: NDArray, data: Dataset
) -> Sensing | None:
    """Return the converters of all tiles, or ``None`` where every conversion is exact.

    Exact partial sums add up to those of a whole layer, so they need no reads of their own.
    The ADCs reach ``converters.adc_range``, or what the calibration of the initial network
    *theta* says.
    """
    section, converters = experiment.converters, _converters(experiment)
    if not converters.active:
        return None
    layout, seed = network.layout, experiment.run.seed
    tile = tile_shape(experiment, layout)
    limits = np.full((2, layout.depth + 1), section.adc_range or 1.0)
    sensing = make_sensing(layout, converters, *tile, limits, seed, theta.dtype)
    if converters.adc_bits is None or section.adc_range is not None:
        return sensing
    steps = experiment.learning.free_steps
    peaks = line_limits(network, theta, sensing, data.x_train, steps)
    limits = section.adc_headroom * peaks
    return make_sensing(layout, converters, *tile, limits, seed, theta.dtype)


def choose_wires(experiment: Experiment) -> Wires | None:
    """Return the lines' resistances that ``[wires]`` describes, or ``None`` for ideal ones.

    Raises
    ------
    ConfigError
        If the technology node is unknown, or a resistance is beyond what a tile is solved for.
    """
    section = experiment.wires
    if section is None:
        return None
    ends = {"r_driver": section.r_driver, "r_sense": section.r_sense}
    if section.node is None:
        wires = Wires(r_word=section.r_word or 0.0, r_bit=section.r_bit or 0.0)
    else:
        wires = Wires.of_node(section.node, cell=section.cell, temperature=section.temperature)
    wires = replace(wires, **ends)
    _check_products(experiment, wires)
    return wires


def _check_products(experiment: Experiment, wires: Wires) -> None:
    """Refuse wires that resist more than the cells on them, so much that tiles stay unsolved."""
    if experiment.device is None:
        return
    crossbar, access = experiment.crossbar, experiment.access
    channel = make_channel(choose_access(access), access.v_gate) if access else None
    cell = choose_cell(experiment.device, crossbar)
    _, g = window_ends(cell.params, channel, crossbar.v_read)
    for name, most in LARGEST_PRODUCTS.items():
        ohm = getattr(wires, name)
        if ohm * g > most:
            raise ConfigError(
                f"wires.{name} is {ohm:g} ohm and the largest conductance of a cell {g:g} S; "
                f"their product is {ohm * g:.3g} and must be at most {most:g}, up to which tiles "
                f"with wires are solved: lower wires.{name}, or the conductances of the cells "
                "(crossbar.g_max)."
            )


def build_wiring(experiment: Experiment, layout: Layout, fabric: Fabric) -> Wiring | None:
    """Return the wires under the arrays of *fabric*, or ``None`` for ideal conductors."""
    wires = choose_wires(experiment)
    if wires is None or experiment.wires is None:
        return None
    rows, columns = tile_shape(experiment, layout)
    return Wiring(fabric, wires, (rows, columns * fabric.arms), experiment.wires.error)


def periphery_ledger(experiment: Experiment, layout: Layout) -> list[dict[str, Any]]:
    """Return the periphery's entries of the effect ledger, in the order in which they act."""
    section, converters = experiment.converters, _converters(experiment)
    rows, columns = tile_shape(experiment, layout)
    tiles = {"word_lines": rows, "bit_lines": columns * ENCODINGS[experiment.crossbar.encoding]}
    adc = section.model_dump(include={"adc_bits", "adc_range", "adc_headroom", "adc_noise"})
    adc |= {"adc_gain": section.adc_gain, "adc_offset": section.adc_offset}
    wires = choose_wires(experiment)
    ohms = {f.name: getattr(wires, f.name) for f in fields(wires)} if wires else {}
    on = converters.adc_bits is not None or converters.adc_gain > 0
    return [
        _access_entry(experiment),
        _pulses_entry(experiment),
        {
            "name": "tiles",
            "on": experiment.crossbar.tile is not None,
            "numbers": tiles,
            "meaning": "a larger layer is split; wires and converters act on each tile",
        },
        {
            "name": "wires",
            "on": wires is not None,
            "numbers": ohms,
            "meaning": "resistance of the lines [ohm]: the exact linear map of every tile",
        },
        {
            "name": "dac",
            "on": converters.dac_bits is not None,
            "numbers": {"bits": converters.dac_bits, "range": converters.dac_range},
            "meaning": "levels of a driven line",
        },
        {
            "name": "adc",
            "on": on,
            "numbers": {name: value for name, value in adc.items() if value is not None},
            "meaning": "levels, noise and mismatch of a sensed line; 1 is the current of weight 1",
        },
    ]


def _pulses_entry(experiment: Experiment) -> dict[str, Any]:
    """Return the ledger's entry of what the access transistor takes of pulses: left out."""
    section, access = experiment.access, choose_access(experiment.access)
    numbers = {}
    if section is not None and access is not None and experiment.device is not None:
        cell = choose_cell(experiment.device, experiment.crossbar)
        reach = pulse_reach(cell.params, access, section.v_gate)
        for kind, parts in zip(("set", "reset"), reach, strict=True):
            numbers |= {
                f"{kind}_at_{x:g}": round(part, 3)
                for x, part in zip(STATES, parts, strict=True)
                if isfinite(part)
            }
    return {
        "name": "access_pulses",
        "on": False,
        "numbers": numbers,
        "meaning": "a pulse has its whole nominal step; what the transistor would leave of it, by "
        "state",
    }


def _access_entry(experiment: Experiment) -> dict[str, Any]:
    """Return the ledger's entry of the access transistor."""
    section, access = experiment.access, choose_access(experiment.access)
    numbers = {}
    if section is not None and access is not None:
        numbers = {"v_gate": section.v_gate, **access._asdict()}
    return {
        "name": "access",
        "on": access is not None,
        "numbers": numbers,
        "meaning": "transistor in series with every memristor: conductances of the whole cell",
    }
