"""What reads do to cells whose own rate is not zero at the voltage of a read.

In training a cell rests while it is read, unless ``device.read_disturb`` says otherwise. In a
netlist, where cells move by their rate at all times, it acts; here it does likewise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..devices.cell.access import Nmos
from ..devices.cell.dispatch import read_conductance, state_after
from ..devices.contract import rate
from ..devices.dispatch import cell
from ..errors import SimulationError
from ..jit import kernel
from .array import Crossbar

__all__ = ["disturb", "moves"]

_STATES = (0.05, 0.5, 0.95)
_RESTS = 1e-6
"""Motion, as a part of the window, below which a cell rests."""


def moves(crossbars: Sequence[Crossbar], voltage: float, seconds: float) -> bool:
    """Return whether reads of up to *voltage* [V] for *seconds* move a cell."""
    return any(
        abs(rate(p, v, x)) * seconds > _RESTS
        for xbar in crossbars
        for p in map(type(xbar.params)._make, np.unique(xbar.bank.table, axis=0).tolist())
        for v in (voltage, -voltage)
        for x in _STATES
    )


def disturb(
    crossbars: Sequence[Crossbar],
    rows: Sequence[NDArray],
    access: Nmos,
    v_gate: float,
    seconds: float,
) -> None:
    """Let the cells move while their rows are at the voltages *rows* [V] for *seconds*.

    Raises
    ------
    SimulationError
        If the motion of a cell cannot be integrated.
    """
    for xbar, volts in zip(crossbars, rows, strict=True):
        of_cells = np.repeat(volts, xbar.cells // volts.size)
        _read(xbar.bank, access, v_gate, of_cells, seconds)
        if not np.isfinite(xbar.bank.x).all():
            raise SimulationError("the motion of a cell in a read could not be integrated.")


@kernel
def _read(bank, access, v_gate, volts, seconds):
    like, table, x, g = bank.like, bank.table, bank.x, bank.g
    for c in range(x.size):
        p = cell(like, table, c)
        x[c] = state_after(p, access, v_gate, volts[c], 0.0, seconds, x[c])
        g[c] = read_conductance(p, bank.channel, bank.v_read, x[c])
