"""Drawing the cells of an array, and laying the cells of several arrays one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..devices.cell.access import Nmos
from ..devices.cell.read import make_channel, read_conductance, read_step
from ..devices.contract import Device
from ..devices.effects.wear import FAILURES, Endurance
from ..devices.variability import Effects, draw_endurance, draw_table, draw_traps, pulse_noise
from .bank import CellBank
from .history import Past, Trap, Wear, WearLaw
from .metering import Meter, make_meter
from .one_sided import FULL

__all__ = ["draw_bank", "join"]


class Holder(Protocol):
    """What owns a bank of cells, such as a crossbar."""

    bank: CellBank

    @property
    def cells(self) -> int:
        """Number of cells."""
        ...


def draw_bank(
    device: Device,
    params: Any,
    effects: Effects,
    cells: int,
    v_read: float,
    seed: int,
    array_id: int,
    dtype: DTypeLike,
    access: Nmos | None = None,
    v_gate: float = 3.3,
) -> CellBank:
    """Return *cells* cells of *device*, drawn with *effects*, at the low end of their windows.

    With *access* each has that transistor in series, its gate at *v_gate* [V] in a read. Their
    spread and which of them are stuck follow from *seed* and *array_id* alone.
    """
    table, stuck = draw_table(device, params, effects, cells, seed, array_id, dtype)
    kind: Any = np.dtype(dtype).type
    c2c_step, c2c_add = pulse_noise(params, effects)
    channel = make_channel(access, v_gate)
    high = float(read_conductance(params, channel, v_read, 1.0))
    write_sigma = effects.write_noise * read_step(params, channel, v_read)
    return CellBank(
        like=type(params)(*(float(value) for value in params)),
        table=table,
        x=np.where(stuck == 2, 1.0, 0.0).astype(dtype),
        g=np.zeros(cells, dtype),
        stuck=stuck,
        v_read=kind(v_read),
        c2c_step=kind(c2c_step),
        c2c_add=kind(c2c_add),
        write_sigma=kind(write_sigma),
        levels=int(effects.levels or 0),
        window=bool(effects.window),
        wear=_draw_wear(effects, cells, seed, array_id, kind),
        past=_draw_past(effects, stuck, seed, array_id, kind, high),
        meter=make_meter(0),
        channel=channel,
        full=kind(FULL) if device.one_sided else None,
    )


def _draw_wear(effects: Effects, cells: int, seed: int, array_id: int, kind: Any) -> Wear:
    """Return fresh cells; their endurance is drawn where it is on."""
    law, limit = Endurance(pulses=1.0), np.empty(0)
    if effects.endurance is not None:
        law = effects.endurance
        limit = draw_endurance(law, cells, seed, array_id)
    numbers = WearLaw(
        fade=kind(law.fade),
        close_low=kind(law.close_low),
        close_high=kind(law.close_high),
        exponent=float(law.exponent),
        fails=FAILURES.index(law.fails),
    )
    return Wear(np.zeros(limit.size, np.int64), limit, numbers)


def _draw_past(
    effects: Effects, stuck: NDArray[np.int8], seed: int, array_id: int, kind: Any, g_top: float
) -> Past:
    """Return cells without a past; those with a trap have it in its steady state."""
    cells = stuck.size if effects.with_time else 0
    occupied, telegraph = np.zeros(cells, np.int8), effects.random_telegraph
    if telegraph is not None:
        occupied[:] = draw_traps(telegraph, cells, seed, array_id).occupied & (stuck == 0)
    return Past(
        programmed=np.zeros(cells, kind),
        age=np.zeros(cells),
        writes=np.zeros(cells, np.int64),
        occupied=occupied,
        trap=Trap(
            amplitude=kind(telegraph.amplitude if telegraph else 0.0),
            exponent=kind(telegraph.exponent if telegraph else 0.0),
            g_top=kind(g_top),
        ),
    )


def join(crossbars: Sequence[Holder]) -> CellBank:
    """Lay the cells of *crossbars* one after the other; each keeps a view of its part.

    All must be built from one device, with the same effects, read voltage and precision.
    """
    whole = _joined([xbar.bank for xbar in crossbars])
    first = 0
    for xbar in crossbars:
        xbar.bank = _part(whole, slice(first, first + xbar.cells))
        first += xbar.cells
    return whole


def _joined(tuples: Sequence[Any]) -> Any:
    """Return a bank, or a part of one, with the arrays of all *tuples* one after the other."""
    return tuples[0]._replace(
        **{
            name: np.concatenate([getattr(each, name) for each in tuples])
            for name in _arrays(tuples[0])
        },
        **{name: _joined([getattr(each, name) for each in tuples]) for name in _nested(tuples[0])},
    )


def _part(whole: Any, part: slice) -> Any:
    """Return a view of the cells *part* of a bank; arrays that are empty stay so."""
    return whole._replace(
        **{name: getattr(whole, name)[part] for name in _arrays(whole)},
        **{name: _part(getattr(whole, name), part) for name in _nested(whole)},
    )


def _arrays(bank: Any) -> list[str]:
    return [name for name in bank._fields if isinstance(getattr(bank, name), np.ndarray)]


def _nested(bank: Any) -> list[str]:
    return [name for name in bank._fields if isinstance(getattr(bank, name), Wear | Past | Meter)]
