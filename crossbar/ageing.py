"""Time and use: what the cells of an array show after they have been left alone or read often.

Programming sets the age of the cells it touches to 0; :func:`drift` lets time pass for all cells
of a bank, so that drifting twice is drifting for the sum of both times. Only the conductance
shown changes: the hidden state stays where programming left it, and the next pulse starts there.
Whoever keeps copies of the conductances, as networks do, renews them afterwards.

=================  ================================================================================
effect             random numbers
=================  ================================================================================
retention          power law: one per cell, for good; others: one per cell and programming
random_telegraph   which cells have a trap and how slow it is: for good; its jumps: at each drift.
                   The steps are exact for any time, but two drifts are another path than one
flicker_noise      one per cell at each drift
=================  ================================================================================

Stuck cells, and cells that have failed, show what they show and do not age.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..devices.counter_rng import Stream, normal_pair, normals, seed_key, uniforms
from ..devices.effects import Effects
from ..devices.effects.fluctuations import flicker_sigma, occupied_after
from ..devices.effects.retention import PowerLaw, retained
from ..devices.effects.wear import disturbed
from ..devices.variability import draw_traps, telegraphed
from ..errors import ConfigError
from ..jit import kernel
from .bank import CellBank, Tick, shown, words

__all__ = ["disturb", "drift", "failed"]

_RETENTION = np.int64(Stream.RETENTION)
_FIRST = np.int64(0)


def drift(
    bank: CellBank, effects: Effects, seconds: float, seed: int, array_id: int, moment: int
) -> None:
    """Let *seconds* pass: change the conductances that the cells of one array show, in place.

    Parameters
    ----------
    bank : CellBank
        The cells of one array, as drawn with *effects*, *seed* and *array_id*; also a view of
        its part of a joined bank.
    effects : Effects
        Retention, random telegraph noise and 1/f noise apply, in this order.
    seconds : float
        Time that passes [s]; it adds to the age of each cell.
    seed, array_id : int
        Key of the array's random numbers.
    moment : int
        Number of this drift of the array, below 2**40; telegraph and 1/f noise draw by it.

    Raises
    ------
    ConfigError
        If *seconds* is negative or not finite, or *bank* was drawn without an effect that
        depends on time.
    """
    if not 0.0 <= seconds < np.inf:
        raise ConfigError(f"drift of {seconds} s; allowed is a finite time of at least 0 s.")
    if not effects.with_time:
        return
    past = bank.past
    if past.age.size != bank.g.size:
        raise ConfigError(
            "drift of cells that were drawn without retention, random_telegraph and "
            "flicker_noise; draw them with these effects."
        )
    alive = (bank.stuck == 0) & ~failed(bank)
    past.age[...] += seconds
    g = past.programmed.astype(np.float64)
    if effects.retention is not None:
        z = _retention_draws(effects.retention, past.writes, seed, array_id)
        g = retained(effects.retention, g, past.age, z, float(past.trap.g_top))
    if effects.random_telegraph is not None:
        _jump(bank, effects, seconds, alive, seed, array_id, moment)
    left = np.empty_like(g)
    _telegraph(g, past, left)
    if effects.flicker_noise is not None:
        sigma = flicker_sigma(
            effects.flicker_noise, past.programmed, left, past.age, float(past.trap.g_top)
        )
        step = (array_id << 40) + moment
        left += sigma * normals(seed, Stream.FLICKER, step, left.size)
    np.maximum(left, 0.0, out=left)
    bank.g[...] = np.where(alive, left, bank.g)


def _retention_draws(law: Any, writes: NDArray, seed: int, array_id: int) -> NDArray:
    if isinstance(law, PowerLaw):
        return normals(seed, Stream.RETENTION, array_id, writes.size)
    z = np.empty(writes.size)
    _draw_per_write(*seed_key(seed), array_id, writes, z)
    return z


@kernel
def _draw_per_write(k0, k1, array, writes, out):
    """Fill *out* with a standard normal number for each cell and its last programming."""
    for c in range(out.size):
        tick = Tick(k0, k1, writes[c], 0, array)
        u0, u1, _, _ = words(tick, _FIRST, _RETENTION, c)
        z, _ = normal_pair(u0, u1)
        out[c] = z


def _jump(
    bank: CellBank,
    effects: Effects,
    seconds: float,
    alive: NDArray[np.bool_],
    seed: int,
    array_id: int,
    moment: int,
) -> None:
    """Let the traps of one array be captured and emitted for *seconds*, in place."""
    telegraph, occupied = effects.random_telegraph, bank.past.occupied
    if telegraph is None or seconds == 0:
        return
    traps = draw_traps(telegraph, occupied.size, seed, array_id)
    chance = occupied_after(telegraph, occupied, seconds, traps.slower)
    u = uniforms(seed, Stream.TELEGRAPH, ((array_id + 1) << 40) + moment, occupied.size)
    occupied[...] = np.where(traps.there & alive, u < chance, occupied)


@kernel
def _telegraph(g, past, out):
    """Write to *out* what occupied traps leave of the conductances *g*, both float64."""
    for c in range(g.size):
        out[c] = telegraphed(
            g[c],
            past.occupied[c],
            np.float64(past.trap.amplitude),
            np.float64(past.trap.exponent),
            np.float64(past.trap.g_top),
        )


def disturb(bank: CellBank, effects: Effects, reads: ArrayLike) -> None:
    """Let the cells be read: move their states and what they show, in place.

    The conductance shown changes by as much as that of the state, so write errors stay. Cells
    age on: a read is no programming.

    Parameters
    ----------
    bank : CellBank
        Cells of one array or of several.
    effects : Effects
        Only ``read_disturb`` matters here.
    reads : int or (cells,) of int
        Reads at the read voltage since the last call, for all cells or for each. In single
        precision a state cannot follow changes below 1e-7, so many reads belong in one call.

    Raises
    ------
    ConfigError
        If a number of reads is negative or no whole number, or there are not as many as cells.
    """
    counts = np.asarray(reads)
    if (
        counts.dtype.kind not in "iu"
        or np.any(counts < 0)
        or counts.shape not in ((), bank.x.shape)
    ):
        raise ConfigError(
            f"reads of shape {counts.shape} and type {counts.dtype}; allowed are whole numbers of "
            f"at least 0, one or {bank.x.size}."
        )
    if effects.read_disturb is None:
        return
    alive = (bank.stuck == 0) & ~failed(bank)
    x = disturbed(effects.read_disturb, bank.x, np.broadcast_to(counts, bank.x.shape))
    before, after = np.empty_like(bank.g), np.empty_like(bank.g)
    _conductances(bank, before)
    bank.x[...] = np.where(alive, x, bank.x)
    _conductances(bank, after)
    change = after - before
    for g in (bank.g, bank.past.programmed):
        if g.size:
            g[...] = np.maximum(g + change, 0)


@kernel
def _conductances(bank, out):
    """Write to *out* the conductance of each state, rounded to the levels of its cell."""
    none = bank.table.dtype.type(0.0)
    for c in range(out.size):
        out[c] = shown(
            bank.like, bank.table, bank.x, c, bank.channel, bank.v_read, bank.levels, none, none
        )


def failed(bank: CellBank) -> NDArray[np.bool_]:
    """Return which cells have come to the end of their endurance, shape (cells,)."""
    if bank.wear.cycles.size == 0:
        return np.zeros(bank.x.size, np.bool_)
    return bank.wear.cycles > bank.wear.limit
