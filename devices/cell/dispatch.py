"""The functions of a 1T1R cell for Numba; see :mod:`..dispatch` for the pattern.

Unlike there, float literals stay double, so that a cell of single precision is solved and
integrated in double precision as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.extending import overload

from ...jit import STRICT
from .. import dispatch as dispatch  # the functions below call those of the models
from . import access, programming
from . import read as cell_read
from . import series as cell_1t1r
from .access import channel_current, drain_current
from .programming import program_cell, state_after
from .read import memristor_share, read_conductance
from .series import cell_conductance, cell_current, memristor_voltage

__all__ = [
    "cell_conductance",
    "cell_current",
    "channel_current",
    "drain_current",
    "memristor_share",
    "memristor_voltage",
    "program_cell",
    "read_conductance",
    "state_after",
]


def _compile(function: Callable[..., Any]) -> None:
    """Let compiled code call *function*, which calls others of these and of :mod:`..dispatch`."""
    overload(function, strict=False, jit_options=STRICT)(lambda *arguments: function)


for _function in (
    access.channel_current,
    access.drain_current,
    cell_1t1r.excess,
    cell_1t1r.next_step,
    cell_1t1r.memristor_drop,
    cell_1t1r.memristor_voltage,
    cell_1t1r.cell_current,
    cell_1t1r.cell_conductance,
    cell_read.channel_now,
    cell_read.channel_slope,
    cell_read.series_current,
    cell_read.read_conductance,
    cell_read.memristor_share,
    programming.phi_1,
    programming.phi_4,
    programming.velocity,
    programming.bend,
    programming.exponential_step,
    programming.state_after,
    programming.program_cell,
):
    _compile(_function)
