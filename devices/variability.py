"""The effects at work: the table of drawn cells, and one programming pulse with its noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ..errors import DeviceError, nearest
from ..jit import inlined
from .contract import Device, nominal_step
from .counter_rng import Stream, normals, uniforms
from .dispatch import depression, potentiation
from .effects import CycleToCycle, Effects, Stuck, merge
from .effects.fluctuations import RandomTelegraph, occupied_fraction
from .effects.ledger import ledger
from .effects.wear import Endurance

__all__ = [
    "Cells",
    "CycleToCycle",
    "Effects",
    "PulseNoise",
    "Stuck",
    "Traps",
    "draw_endurance",
    "draw_table",
    "draw_traps",
    "ledger",
    "merge",
    "pulse",
    "pulse_noise",
    "spread_names",
    "telegraphed",
]

FLOOR = 0.01
"""Smallest fraction of its nominal value that a drawn number may take (our choice)."""


class Cells(NamedTuple):
    """The drawn cells of an array.

    Attributes
    ----------
    table : ndarray, shape (n_cells, n_fields), C-contiguous
        Parameters of each cell, SI units, in the order of the model's fields.
    stuck : ndarray of int8, shape (n_cells,)
        0 free, 1 stuck at the low end of the window, 2 stuck at the high end.
    """

    table: np.ndarray
    stuck: np.ndarray


class PulseNoise(NamedTuple):
    """Standard deviations of one pulse: of the actual *step* (relative), and of the *window*."""

    c2c_step: float
    c2c_add: float


def spread_names(device: Device) -> tuple[str, ...]:
    """Return the names that ``device_to_device`` may hold for *device*."""
    steps = ("step", "asymmetry") if len(device.steps) == 2 else ("step",)
    weights = ("w_max", "w_min") if "g_ref" in device.params._fields else ()
    ends = () if device.window in (None, ("g_min", "g_max")) else ("g_min", "g_max")
    # The position of a name selects its random numbers: what is new goes to the end.
    return (*steps, *weights, *ends, *device.params._fields, "step_log")


def pulse_noise(p: Any, effects: Effects) -> PulseNoise:
    """Return the cycle-to-cycle noise of *effects* as :func:`pulse` wants it.

    Noise of the nominal step is taken from the nominal cell *p*, so that it is the same fraction
    of the window for every cell.
    """
    sigma, of = effects.cycle_to_cycle.sigma, effects.cycle_to_cycle.of
    if of == "step":
        return PulseNoise(sigma, 0.0)
    return PulseNoise(0.0, sigma if of == "window" else sigma * nominal_step(p))


def draw_table(
    device: Device,
    p: Any,
    effects: Effects,
    n_cells: int,
    seed: int,
    array_id: int,
    dtype: DTypeLike = np.float64,
) -> Cells:
    """Draw the cells of one array.

    Parameters
    ----------
    device : Device
        The model.
    p : parameter tuple
        The nominal cell.
    effects : Effects
        Only ``device_to_device`` and ``stuck`` matter here.
    n_cells : int
        Number of cells.
    seed : int
        Seed of the run, in [0, 2**64).
    array_id : int
        Number of the array in the network; arrays draw independently.
    dtype : dtype
        float32 or float64; float32 values are the rounded float64 ones.

    Returns
    -------
    Cells
        Each spread draws from numbers of its own, so switching one on or off leaves the others
        as they were. No drawn number falls below 1 % of its nominal value or changes sign, and
        the window keeps at least 1 % of its nominal width (on each side of ``g_ref``, if any).

    Raises
    ------
    DeviceError
        If *device* has no parameter with the name of a spread.
    """
    nominal = np.array(p, dtype=np.float64)
    columns = np.repeat(nominal[:, np.newaxis], n_cells, axis=1)
    _spread(device, columns, _deviations(device, effects, n_cells, seed, array_id))
    _guard(device, columns, nominal)
    table = np.ascontiguousarray(columns.T, dtype=dtype)
    return Cells(table, _stuck(effects.stuck, n_cells, seed, array_id))


def _deviations(
    device: Device, effects: Effects, n_cells: int, seed: int, array_id: int
) -> dict[str, np.ndarray]:
    """Draw the relative deviation of every cell, for each spread that is on."""
    names = spread_names(device)
    for name in effects.device_to_device:
        if name not in names:
            raise DeviceError(f"{device.name}: " + nearest(name, names, "spread"))
    return {
        name: effects.device_to_device[name]
        * normals(seed, Stream.D2D, array_id, n_cells, offset=slot * n_cells)
        for slot, name in enumerate(names)
        if effects.device_to_device.get(name, 0.0) > 0
    }


def _spread(device: Device, columns: np.ndarray, deviations: Mapping[str, np.ndarray]) -> None:
    """Apply the deviations to the columns of the table, shape (n_fields, n_cells)."""
    column = dict(zip(device.params._fields, columns, strict=True))
    ends: dict[str, str] = dict(zip(("g_min", "g_max"), device.window or (), strict=False))
    for name, deviation in deviations.items():
        field = ends.get(name, name)
        if field in column:
            column[field] *= np.maximum(1.0 + deviation, FLOOR)
    for name, end in (("w_min", "g_min"), ("w_max", "g_max")):
        if name in deviations:
            column[end] += (column[end] - column["g_ref"]) * deviations[name]
    common = deviations.get("step", 0.0) + np.expm1(deviations.get("step_log", 0.0))
    opposite = deviations.get("asymmetry", 0.0)
    for field, deviation in zip(
        device.steps, (common + opposite, common - opposite), strict=False
    ):
        column[field] *= np.maximum(1.0 + deviation, FLOOR) ** device.step_power


def _guard(device: Device, columns: np.ndarray, nominal: np.ndarray) -> None:
    """Keep both bounds positive and in order, around ``g_ref`` if there is one."""
    bounds = device.bounds or device.window
    if bounds is None:
        return
    fields = device.params._fields
    column = dict(zip(fields, columns, strict=True))
    value = dict(zip(fields, nominal, strict=True))
    low, high = bounds
    if "g_ref" in column:
        below = column["g_ref"] - FLOOR * (value["g_ref"] - value[low])
        above = column["g_ref"] + FLOOR * (value[high] - value["g_ref"])
        np.minimum(column[low], below, out=column[low])
        np.maximum(column[high], above, out=column[high])
    np.maximum(column[low], FLOOR * value[low], out=column[low])
    least = column[low] + FLOOR * (value[high] - value[low])
    np.maximum(column[high], least, out=column[high])


def _stuck(stuck: Stuck, n_cells: int, seed: int, array_id: int) -> np.ndarray:
    """Draw which cells are stuck: 0 free, 1 low, 2 high."""
    u = uniforms(seed, Stream.STUCK, array_id, n_cells)
    return np.where(u < stuck.low, 1, np.where(u > 1.0 - stuck.high, 2, 0)).astype(np.int8)


def draw_endurance(endurance: Endurance, n_cells: int, seed: int, array_id: int) -> np.ndarray:
    """Draw how many pulses each cell endures, float64, shape (n_cells,)."""
    z = normals(seed, Stream.ENDURANCE, array_id, n_cells)
    return endurance.pulses * np.exp(endurance.spread * z)


class Traps(NamedTuple):
    """The traps of an array, each of shape (n_cells,).

    Attributes
    ----------
    there : ndarray of bool
        Whether the cell has a trap.
    slower : ndarray of float64
        Factor on both of its mean times.
    occupied : ndarray of bool
        Whether the trap is occupied at the start; it is in its steady state.
    """

    there: np.ndarray
    slower: np.ndarray
    occupied: np.ndarray


def draw_traps(telegraph: RandomTelegraph, n_cells: int, seed: int, array_id: int) -> Traps:
    """Draw which cells have a trap, how slow it is, and whether it is occupied at the start."""
    which, speed, state = (
        uniforms(seed, Stream.TELEGRAPH, array_id, n_cells, offset=slot * n_cells)
        for slot in range(3)
    )
    there = which < telegraph.fraction
    slower = 10.0 ** (telegraph.decades * (speed - 0.5))
    return Traps(there, slower, there & (state < occupied_fraction(telegraph)))


@inlined
def telegraphed(g: Any, occupied: Any, amplitude: Any, exponent: Any, g_top: Any) -> Any:
    """Return the conductance [S] that is left of *g* while the trap is *occupied* (0 or 1)."""
    if occupied == 0 or g <= 0:
        return g
    lost = amplitude if exponent == 0 else amplitude * (g_top / g) ** exponent
    one = type(g)(1)
    return g * (one - min(lost, one))


@inlined
def pulse(p: Any, x: Any, up: Any, noise: Any, c2c_step: Any, c2c_add: Any, clip: Any) -> Any:
    """Return the state after one nominal pulse from state *x*.

    Parameters
    ----------
    p : parameter tuple
        The cell.
    x : float
        State before the pulse.
    up : bool
        True for SET (potentiation), False for RESET (depression).
    noise : float
        One standard normal number.
    c2c_step, c2c_add : float
        The two numbers of :class:`PulseNoise`; 0 is off. In a float32 kernel they and *noise*
        must be float32, or the state is promoted.
    clip : bool
        True keeps the state in [0, 1].

    Returns
    -------
    float
        State after the pulse.
    """
    one = type(x)(1)
    change = potentiation(p, x) if up else -depression(p, x)
    x = x + change * (one + c2c_step * noise) + c2c_add * noise
    return min(max(x, type(x)(0)), one) if clip else x
