"""A read of all tiles of an array: drive, carry, convert, add.

Everything a read goes through, in this order: the DACs' levels, cells and wires of each tile,
subtraction of the arms, read noise of the cells together with that of the ADC, gain and offset of
the ADC, its levels and its range, and the exact sum of the tiles' numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ConfigError
from ..reading import read_numbers
from .converters import levels_step, round_to_levels
from .currents import LinearCells, LineCurrents, TileCells, curved_cells
from .lines import cell_numbers, drive_columns, line_conductances, weight_currents
from .tiles import Tiles

__all__ = ["TiledRead", "carried", "driven", "sense"]


class TiledRead(NamedTuple):
    """What a read of all tiles gives; a batch of drives adds an axis before ``lines``.

    Attributes
    ----------
    current : (lines,)
        Signed currents of the sensed lines, after conversion [A].
    partial : (tiles, lines)
        Those of each tile before noise and conversion [A]; tiles along the driven lines.
    residual : float
        Largest current left over at a node of a tile, relative to its largest terminal current.
    converged : bool
        Whether every tile was solved; always so without wires.
    message : str
        What to try if not.
    saturated, conversions : int
        Conversions by ADCs beyond their range, and all of them.
    clipped : int
        Drives of lines beyond the range of their DAC.
    """

    current: NDArray
    partial: NDArray
    residual: float
    converged: bool
    message: str
    saturated: int
    conversions: int
    clipped: int


def driven(tiled: Tiles, v: ArrayLike, forward: bool) -> tuple[NDArray, int]:
    """Return what the DACs make of *v*, (batch, driven) [V], and how many drives were clipped.

    Raises
    ------
    ConfigError
        If *v* does not fit the lines or is not finite.
    """
    v = np.asarray(v, np.float64)
    lines = tiled.shape[0 if forward else 1]
    if v.ndim not in (1, 2) or v.shape[-1] != lines or v.size == 0:
        raise ConfigError(
            f"voltages of shape {v.shape} for {lines} lines; give one for each line, or a batch "
            "of that."
        )
    if not np.all(np.isfinite(v)):
        raise ConfigError("voltages of driven lines must be finite numbers.")
    v = v.reshape(-1, lines)
    limit = tiled.converters.dac_range
    step = levels_step(tiled.converters.dac_bits, limit)
    if step == 0.0:
        return v, 0
    levels, clipped = round_to_levels(v / tiled.v_full, step, limit)
    return levels * tiled.v_full, int(np.count_nonzero(clipped))


def _cells(tiled: Tiles, rows: slice, columns: slice) -> TileCells:
    """Return the cells of a tile as they are now."""
    xbar = tiled.crossbar
    if tiled.nonlinear:
        v_full = tiled.v_full if tiled.converters.encoding == "pulse-width" else 0.0
        return curved_cells(xbar.bank, cell_numbers(xbar, rows, columns), tiled.wires, v_full)
    g, key = line_conductances(xbar, rows, columns), (rows.start, columns.start)
    if key in tiled.solvers:
        tiled.solvers[key].renew(g)
    else:
        tiled.solvers[key] = LinearCells(g, tiled.wires)
    return tiled.solvers[key]


def carried(tiled: Tiles, v: NDArray, forward: bool) -> LineCurrents:
    """Return every tile's currents (tiles, batch, sensed) for lines at *v* (batch, driven) [V]."""
    xbar, axis = tiled.crossbar, 0 if forward else 1
    current = np.empty((tiled.tiles[axis], len(v), tiled.shape[1 - axis]))
    squares = np.empty_like(current)
    residual, converged, message = 0.0, True, ""
    for place in tiled.places():
        rows, columns = place
        along, across = place[axis], place[1 - axis]
        part = v[:, along]
        lines = part if forward else drive_columns(xbar, part)
        found = _cells(tiled, rows, columns).carry(lines, forward)
        found = weight_currents(xbar, rows, columns, part, forward, found)
        number = along.start // tiled.tile[axis]
        current[number, :, across], squares[number, :, across] = found.current, found.squares
        residual = max(residual, found.residual)
        if not found.converged:
            converged, message = False, found.message
    return LineCurrents(current, squares, residual, converged, message)


def _converted(tiled: Tiles, parts: LineCurrents, forward: bool) -> tuple[NDArray, int]:
    """Return the numbers [A] that the ADCs make of *parts*, and how many saturated."""
    xbar, converters = tiled.crossbar, tiled.converters
    sigma = xbar.effects.read_noise
    value, unit = parts.current, tiled.current_unit
    limit = float(tiled.adc_range[0 if forward else 1])
    step = levels_step(converters.adc_bits, limit)
    if converters.adc_bits is not None or converters.adc_gain > 0:
        mismatch = tiled.mismatch[0 if forward else 1]
        shape = len(value), 1, value.shape[2]
        gain, offset = mismatch.gain.reshape(shape), mismatch.offset.reshape(shape)
        value = gain * value + offset * (step * unit)
    own = converters.adc_noise * step * unit
    if sigma > 0 or own > 0:
        deviation = np.sqrt(sigma * sigma * parts.squares + own * own)
        value = value + deviation * read_numbers(xbar, value.shape)
    value, saturated = round_to_levels(value, step * unit, limit * unit)
    return value, int(np.count_nonzero(saturated))


def sense(tiled: Tiles, v: ArrayLike, forward: bool) -> TiledRead:
    """Read all tiles, word lines (or backward columns) at *v*, (driven,) or (batch, driven) [V].

    Raises
    ------
    ConfigError
        If *v* does not fit the lines or is not finite.
    """
    batched = np.ndim(v) == 2
    drive, clipped = driven(tiled, v, forward)
    parts = carried(tiled, drive, forward)
    value, saturated = _converted(tiled, parts, forward)
    total = value.sum(axis=0)
    return TiledRead(
        total if batched else total[0],
        parts.current if batched else parts.current[:, 0],
        parts.residual,
        parts.converged,
        parts.message,
        saturated,
        value.size,
        clipped,
    )
