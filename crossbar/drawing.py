"""Drawing the cells of an array, and laying the cells of several arrays one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from ..devices.contract import Device, nominal_step
from ..devices.contract import conductance as device_conductance
from ..devices.variability import Effects, draw_table, pulse_noise
from .bank import CellBank

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
) -> CellBank:
    """Return *cells* cells of *device*, drawn with *effects*, at the low end of their windows.

    Their spread and which of them are stuck follow from *seed* and *array_id* alone.
    """
    table, stuck = draw_table(device, params, effects, cells, seed, array_id, dtype)
    kind: Any = np.dtype(dtype).type
    c2c_step, c2c_add = pulse_noise(params, effects)
    low, high = (float(device_conductance(params, v_read, x)) for x in (0.0, 1.0))
    write_sigma = effects.write_noise * nominal_step(params) * (high - low)
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
    )


def join(crossbars: Sequence[Holder]) -> CellBank:
    """Lay the cells of *crossbars* one after the other; each keeps a view of its part.

    All must be built from one device, with the same effects, read voltage and precision.
    """
    banks = [xbar.bank for xbar in crossbars]
    whole = banks[0]._replace(
        table=np.concatenate([bank.table for bank in banks]),
        x=np.concatenate([bank.x for bank in banks]),
        g=np.concatenate([bank.g for bank in banks]),
        stuck=np.concatenate([bank.stuck for bank in banks]),
    )
    first = 0
    for xbar in crossbars:
        part = slice(first, first + xbar.cells)
        xbar.bank = whole._replace(
            table=whole.table[part], x=whole.x[part], g=whole.g[part], stuck=whole.stuck[part]
        )
        first += xbar.cells
    return whole
