"""One-shot writing of 1T1R cells: one RESET, then one SET whose gate voltage is the target.

The gate voltage of the SET caps the current and so sets the conductance (see
:mod:`ohmlearn.devices.cell.series`). A calibration curve, conductance after the two pulses against
gate voltage, is computed once for the nominal cell; a target is then a gate voltage, and no read
is needed. Real cells differ from the nominal one, so that their errors are what the spread and
the noise of a pulse leave.

The curve must speak of the conductance that the array shows: that of the memristor, or that of
the cell read with its gate on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...devices.cell.access import Nmos
from ...devices.cell.dispatch import cell_conductance, program_cell
from ...devices.contract import nominal_step
from ...devices.counter_rng import Stream, normal_pair
from ...devices.dispatch import cell
from ...errors import ConfigError, DeviceError
from ...jit import inlined, kernel
from ..bank import Tick, fire, words
from ..requests import checked_targets

if TYPE_CHECKING:
    from ..array import Crossbar

__all__ = ["GateCurve", "GateWriting", "TwoPulses", "gate_curve", "write_by_gate"]

_C2C = np.int64(Stream.C2C)
_FIRST = np.int64(0)


class TwoPulses(NamedTuple):
    """The RESET and the SET pulse of one-shot writing; voltages [V] are magnitudes, widths [s].

    *v_set* is on the bit line, *v_reset* on the source line; *v_g_reset* is the gate voltage of
    the RESET.
    """

    v_set: float
    t_set: float
    v_reset: float
    t_reset: float
    v_g_reset: float


class GateCurve(NamedTuple):
    """Conductance *g* [S], rising, that a SET at gate voltage *v_g* [V] leaves after a RESET."""

    v_g: NDArray
    g: NDArray

    def gate(self, g: NDArray) -> NDArray:
        """Return the gate voltage [V] for conductance *g* [S]; the nearest end outside."""
        return np.interp(g, self.g, self.v_g)


class GateWriting(NamedTuple):
    """What one-shot writing left and took.

    Attributes
    ----------
    error : (rows, columns, arms)
        Conductance shown less target [S]; 0 for cells without target.
    pulses : int
        Pulses on single cells.
    operations : int
        Pulse slots: two for each row with targets, whose cells have gates of their own.
    time : float
        Sum of their widths [s].
    """

    error: NDArray
    pulses: int
    operations: int
    time: float


def gate_curve(
    p: Any,
    access: Nmos,
    two: TwoPulses,
    v_g: NDArray,
    v_read: float,
    *,
    v_g_read: float | None = None,
) -> GateCurve:
    """Return the calibration curve of the nominal cell *p*.

    Parameters
    ----------
    p : parameter tuple
        The memristor.
    access : Nmos
        The access transistor.
    two : TwoPulses
    v_g : (n,)
        Gate voltages of the SET to try [V], rising, at least two.
    v_read : float
        Voltage at which conductances are meant [V].
    v_g_read : float, optional
        Gate voltage of a read [V]: conductances are then those of the whole cell. Without it they
        are those of the memristor.

    Returns
    -------
    GateCurve
        Without the gate voltages that change nothing, at either end of the window.

    Raises
    ------
    ConfigError
        If a voltage or a width is not allowed.
    DeviceError
        If no gate voltage moves the cell, or its equation cannot be integrated.
    """
    _check(two)
    v_g = np.asarray(v_g, np.float64)
    if v_g.ndim != 1 or v_g.size < 2 or not np.isfinite(v_g).all() or np.any(np.diff(v_g) <= 0):
        raise ConfigError(
            f"gate voltages {np.array2string(v_g, threshold=8)}; allowed: at least two finite "
            "numbers, rising."
        )
    table = np.repeat(np.array(p, np.float64)[np.newaxis], v_g.size, axis=0)
    x, cells = np.ones(v_g.size), np.arange(v_g.size)
    never = Tick(np.uint32(0), np.uint32(0), 0, 0, 0)
    noise = SwitchingNoise(0.0, 0.0, 1.0, True)
    switch(type(p)(*map(float, p)), table, access, two, x, cells, v_g, never, noise)
    _check_states(x)
    seen, v_on = (None, 0.0) if v_g_read is None else (access, float(v_g_read))
    g = np.maximum.accumulate([cell_conductance(p, seen, v_on, v_read, float(s)) for s in x])
    rising = np.flatnonzero(g[1:] > g[:-1] * (1.0 + 1e-6)) + 1
    if not rising.size:
        raise DeviceError(
            f"gate voltages from {v_g[0]:g} to {v_g[-1]:g} V all leave the cell at {g[0]:.4g} S "
            f"after a SET of {two.v_set:g} V for {two.t_set:g} s; change them or the pulse."
        )
    kept = np.concatenate([[rising[0] - 1], rising])
    return GateCurve(v_g[kept], g[kept])


def write_by_gate(
    xbar: Crossbar, targets: NDArray, access: Nmos, two: TwoPulses, curve: GateCurve
) -> GateWriting:
    """Write cells by one RESET and one SET at the gate voltage of *curve*; no reads.

    Each of the two pulses has the cycle-to-cycle noise of the array, of its change of state. A
    target beyond the curve takes the nearest end of it; stuck cells do not move.

    Parameters
    ----------
    xbar : Crossbar
    targets : (rows, columns, arms)
        Conductances [S], such as ``xbar.cell_targets(weights)``; NaN leaves a cell alone.
    access, two, curve
        As for :func:`gate_curve`, and what it gave.

    Raises
    ------
    ConfigError
        If an argument does not fit.
    DeviceError
        If a cell's equation cannot be integrated.
    """
    _check(two)
    targets = checked_targets(targets, xbar.conductance.shape, "one-shot writing")
    bank, asked = xbar.bank, np.isfinite(targets)
    cells = np.flatnonzero(asked)
    free = cells[bank.stuck[cells] == 0]
    v_g = curve.gate(targets.ravel()[free])
    tick, step = xbar.tick(), nominal_step(xbar.params)
    noise = SwitchingNoise(float(bank.c2c_step), float(bank.c2c_add), step, bank.window)
    x = bank.x.copy()
    switch(bank.like, bank.table, access, two, x, free, v_g, tick, noise)
    _check_states(x)
    bank.x[:] = x
    # A programming of no pulses: the cells show their state.
    fire(bank, 0, 1, cells, np.zeros(cells.size, np.int64), tick)
    rows = int(asked.any(axis=(1, 2)).sum())
    xbar.pulses += 2 * cells.size
    error = np.where(asked, xbar.conductance - targets, 0.0)
    return GateWriting(error, 2 * cells.size, 2 * rows, rows * (two.t_set + two.t_reset))


class SwitchingNoise(NamedTuple):
    """Cycle-to-cycle noise of a change of state of many nominal steps.

    A change of n nominal steps has the noise of n pulses, which is sqrt(n) times that of one (our
    choice): *c2c_step* of a *step*, and *c2c_add*. *window* keeps the state in [0, 1].
    """

    c2c_step: float
    c2c_add: float
    step: float
    window: bool


@kernel
def switch(like, table, access, two, x, cells, v_g, tick, noise):
    """Give each of *cells* (n,) a RESET and a SET at gate voltage *v_g* (n,) [V]; change *x*."""
    for k in range(cells.size):
        c = cells[k]
        p = cell(like, table, c)
        u0, u1, _, _ = words(tick, _FIRST, _C2C, c)
        z_reset, z_set = normal_pair(u0, u1)
        state = x[c] * 1.0
        after = program_cell(p, access, two.v_g_reset, -two.v_reset, two.t_reset, state)
        state = _blurred(state, after, z_reset, noise)
        after = program_cell(p, access, v_g[k], two.v_set, two.t_set, state)
        x[c] = _blurred(state, after, z_set, noise)


@inlined
def _blurred(before, after, z, noise):
    """Return the state *after* with the noise of the change from *before*."""
    steps = abs(after - before) / noise.step
    after = after + z * np.sqrt(steps) * (noise.c2c_step * noise.step + noise.c2c_add)
    return min(max(after, 0.0), 1.0) if noise.window else after


def _check(two: TwoPulses) -> None:
    for name, value in two._asdict().items():
        if not 0.0 < value < np.inf:
            raise ConfigError(
                f"two pulses: {name} is {value!r}; allowed is finite, > 0 (magnitudes)."
            )


def _check_states(x: NDArray) -> None:
    if bad := int(np.isnan(x).sum()):
        raise DeviceError(
            f"the pulse could not be integrated for {bad} of {x.size} cells; use a shorter or "
            "weaker pulse, or check the rates of the model."
        )
