"""An array whose programming pulses are applied by ngspice.

:class:`SpiceCrossbar` is a crossbar like any other, but :meth:`~SpiceCrossbar.program` writes the
array as a tile of behavioural cells with its lines, drives the lines with the pulses, row by row,
and takes the states of the cells from the simulator. Nothing of the kernels' own step is used.

What moves is the rate of the model, integrated by ngspice under the voltages that each cell really
sees, edges, half selection and the drop across its transistor included.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crossbar.array import Crossbar
from ..crossbar.writing.schemes import cell_counts
from ..devices.cell.access import Nmos
from ..devices.cell.dispatch import read_conductance
from ..devices.dispatch import cell
from ..errors import ConfigError
from ..jit import kernel
from .ngspice.batch import run_batch
from .parts.pulses import CellPulse, Lines, programming_sources
from .parts.tiles import MemristorCells, tile

__all__ = ["SpiceCrossbar", "array_pulses", "programming_deck", "with_spice"]

_OPTIONS = ".options temp=27 tnom=27 reltol=1e-6 vntol=1e-9 abstol=1e-15 chgtol=1e-18"
_EDGE = 0.02  # of the shorter nominal pulse


@kernel
def _show(bank):
    """Let every cell show the conductance of its state."""
    like, table, x, g = bank.like, bank.table, bank.x, bank.g
    for c in range(x.size):
        g[c] = read_conductance(cell(like, table, c), bank.channel, bank.v_read, x[c])


@dataclass
class SpiceCrossbar(Crossbar):
    """A crossbar that ngspice programs; make one with :func:`with_spice`.

    Attributes
    ----------
    transistor : Nmos or None
        The access transistor of every cell; without one the array is half selected (V/2).
    v_gate : float
        Gate voltage of the selected row [V].
    """

    transistor: Nmos | None = None
    v_gate: float = 0.0

    def program(self, counts: NDArray) -> int:
        """Apply programming pulses by a transient of ngspice, the rows one after the other.

        Arguments and result are those of :meth:`Crossbar.program`.

        Raises
        ------
        ConfigError
            If the shape is wrong or *counts* holds no integers.
        NetlistError
            If ngspice is missing or fails.
        """
        signed = cell_counts(self, counts)
        used = int(np.abs(signed).sum())
        if used == 0:
            return 0
        deck, states = programming_deck(self, signed)
        plot = run_batch(deck, vectors=states)["tran"]
        before = self.bank.x.copy()
        found = np.clip([plot[name][-1] for name in states], 0.0, 1.0)
        self.bank.x[...] = np.where(self.bank.stuck == 0, found, before)
        _show(self.bank)
        self._account(signed.reshape(-1), before)
        self.operations += 1
        self.pulses += used
        return used

    def _account(self, counts: NDArray, before: NDArray) -> None:
        """Add the pulses to the meter, at the mean of the currents of first and last state."""
        meter = self.bank.meter
        if meter.pulses.size == 0:
            return
        for c in np.flatnonzero(counts):
            n, side = abs(int(counts[c])), 0 if counts[c] > 0 else 1
            p = type(self.params)(*(float(v) for v in self.bank.table[c]))
            v, t = (p.v_set, p.t_set) if side == 0 else (p.v_reset, p.t_reset)
            ends = [self.device.current(p, v, float(x[c])) for x in (before, self.bank.x)]
            meter.pulses[c, side] += n
            meter.energy[c, side] += n * v * 0.5 * sum(ends) * t
            if meter.squares.size:
                meter.squares[c, side] += n * 0.5 * sum(i * i for i in ends) * t


def with_spice(xbar: Crossbar, transistor: Nmos | None = None, v_gate: float = 3.3) -> Any:
    """Return *xbar* as an array that ngspice programs; both share the cells.

    Raises
    ------
    ConfigError
        If an effect is on that ngspice does not simulate.
    """
    for effect, on in _simulated_elsewhere(xbar).items():
        if on:
            raise ConfigError(
                f"device.{effect} is on, but ngspice programs cells without it; set "
                f"device.{effect} = false."
            )
    kept = {f.name: getattr(xbar, f.name) for f in fields(Crossbar)}
    return SpiceCrossbar(**kept, transistor=transistor, v_gate=v_gate)


def _simulated_elsewhere(xbar: Crossbar) -> dict[str, bool]:
    """Return the effects that only the kernels know, and whether they are on."""
    bank = xbar.bank
    return {
        "cycle_to_cycle": bool(bank.c2c_step > 0 or bank.c2c_add > 0),
        "write_noise": bool(bank.write_sigma > 0),
        "levels": bank.levels > 0,
        "endurance": bank.wear.cycles.size > 0,
        "retention, random_telegraph or flicker_noise": bank.past.age.size > 0,
    }


def array_pulses(
    xbar: Crossbar | MemristorCells, counts: NDArray, v_gate: float, edge: float
) -> tuple[list[CellPulse], float]:
    """Return the pulses of a row-serial update and when the last one is over [s].

    Parameters
    ----------
    xbar : Crossbar or MemristorCells
        The cells, of which the nominal pulses are taken.
    counts : (rows, columns, arms) of int
        Signed pulses of every cell.
    v_gate : float
        Gate voltage of the selected row [V].
    edge : float
        Rise and fall time [s].
    """
    p, pulses, now = xbar.params, [], 2.0 * edge
    kinds = ((1, abs(p.v_set), p.t_set), (-1, abs(p.v_reset), p.t_reset))
    lines = counts.reshape(counts.shape[0], -1)
    for row, asked in enumerate(lines):
        for sign, amplitude, width in kinds:
            for turn in range(int(np.max(sign * asked, initial=0))):
                chosen = np.flatnonzero(sign * asked > turn)
                pulses += [
                    CellPulse(now, row, int(j), sign, amplitude, width, v_gate) for j in chosen
                ]
                now += width + 6.0 * edge
    return pulses, now


def programming_deck(xbar: SpiceCrossbar, counts: NDArray) -> tuple[str, list[str]]:
    """Return the netlist that programs *xbar*, and the names of the states of its cells."""
    p = xbar.params
    edge = _EDGE * min(p.t_set, p.t_reset)
    shape = xbar.rows, xbar.columns * xbar.arms
    table = np.asarray(xbar.bank.table, np.float64).reshape(*shape, -1)
    cells = MemristorCells(
        p, np.asarray(xbar.bank.x, np.float64).reshape(shape), xbar.transistor, table
    )
    made = tile(cells)
    pulses, end = array_pulses(xbar, counts, xbar.v_gate, edge)
    lines = Lines(made.nodes.row, made.nodes.column, made.nodes.gate)
    scheme = "V/2" if xbar.transistor is None else "1T1R"
    sources = programming_sources(pulses, lines, scheme, edge=edge)
    states = [f"v({node})" for row in made.nodes.state for node in row]
    step = 0.05 * min(p.t_set, p.t_reset)
    text = [
        f"* array {xbar.array_id} under programming pulses", made.netlist, sources, _OPTIONS,
        ".save " + " ".join(states), f".tran {step!r} {end!r} 0 {step!r}", ".end", "",
    ]  # fmt: skip
    return "\n".join(text), states
