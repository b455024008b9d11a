"""The crossbar array: signed weights held by conductances, read in both directions, programmed.

Rows are word lines, columns bit lines. A forward read drives the word lines and senses the bit
lines at virtual ground; a backward read the other way round, through the same cells.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..devices.cell.access import Nmos
from ..devices.cell.read import open_resistance
from ..devices.contract import Device
from ..devices.counter_rng import seed_key
from ..devices.variability import Effects
from ..errors import ConfigError, nearest
from .ageing import drift
from .bank import Tick, fire, place
from .burst import fire_all, suits, survey
from .cell_array import ENCODINGS, CellArray, window_ends
from .drawing import draw_bank
from .metering import make_meter, written
from .reading import line_currents, squared_conductance
from .requests import pulse_counts
from .view import CrossbarView

__all__ = ["ENCODINGS", "Crossbar", "CrossbarView"]


class Crossbar(CellArray):
    """A :class:`CellArray` that is read and programmed; build one with :meth:`build`."""

    __array_ufunc__ = None  # so that ``v @ xbar`` reaches __rmatmul__

    @staticmethod
    def build(
        rows: int,
        columns: int,
        device: Device,
        params: Any,
        effects: Effects | None = None,
        *,
        encoding: str = "pair",
        weight_range: float = 1.0,
        v_read: float = 0.2,
        seed: int = 0,
        array_id: int = 0,
        dtype: DTypeLike = np.float64,
        access: Nmos | None = None,
        v_gate: float = 3.3,
    ) -> Crossbar:
        """Return an array whose cells are drawn from *device* with *effects*, at weight 0.

        Parameters
        ----------
        rows, columns
            Number of word lines and of weights per word line.
        device, params, effects
            See :mod:`ohmlearn.devices`; without *effects* the cells are alike and noiseless.
        encoding
            A name of :data:`ENCODINGS`.
        weight_range
            The absolute weight that one arm's full conductance window represents.
        v_read
            Read voltage [V] at which conductances are meant.
        seed, array_id
            Seed of the run in [0, 2**64); number of the array, 0 to 127.
        dtype
            float32 or float64.
        access
            Transistor in series with every memristor; ``None`` for an ideal selector. All
            conductances are then those of the cell as a read sees it. A programming pulse keeps
            its nominal step: that was measured on the whole cell.
        v_gate
            Gate voltage of the transistors in a read [V].

        Raises
        ------
        ConfigError
            If a size, the encoding or the weight range is not allowed, or a one-sided device is
            not in pairs.
        DeviceError
            If the effects do not fit the device, or the gate does not turn the transistor on.
        """
        if encoding not in ENCODINGS:
            raise ConfigError(nearest(encoding, ENCODINGS, "crossbar.encoding"))
        if rows < 1 or columns < 1 or not 0 <= array_id < 128:
            raise ConfigError(
                f"crossbar number {array_id} of {rows} x {columns} weights; allowed: numbers 0 to "
                "127, at least 1 x 1."
            )
        if not 0.0 < weight_range < np.inf or not 0.0 < v_read < np.inf:
            raise ConfigError(
                f"crossbar.weight_range is {weight_range} and crossbar.v_read {v_read} V; "
                "allowed: finite numbers above 0."
            )
        if device.one_sided and encoding != "pair":
            raise ConfigError(
                f"crossbar.encoding is '{encoding}', but a RESET pulse erases a cell of device "
                f"'{device.name}'; allowed is 'pair', where each direction is SET on its own arm."
            )
        effects = effects or Effects()
        cells = rows * columns * ENCODINGS[encoding]
        draw = partial(draw_bank, device, params, effects, access=access, v_gate=v_gate)
        bank = draw(cells, v_read, seed, array_id, dtype)
        low, high = window_ends(params, bank.channel, v_read)
        reference = np.zeros(rows, dtype)
        middle = 0.5 * (low + high)
        if encoding == "single":
            reference[:] = middle
        if encoding == "offset":
            # The reference column is a column of real cells, with their own spread.
            column = draw(rows, v_read, seed, array_id + 128, dtype)
            place(column, np.arange(rows), np.full(rows, middle, dtype))
            reference[:] = column.g
        else:
            column = None
        xbar = Crossbar(
            device, params, effects, encoding, rows, columns, (high - low) / weight_range,
            seed, array_id, bank, reference, column,
        )  # fmt: skip
        xbar.set_weights(np.zeros((rows, columns), dtype))
        return xbar

    @cached_property
    def _columns(self) -> NDArray:
        """The table of the cells with each parameter's numbers side by side, made when needed."""
        return np.ascontiguousarray(self.bank.table.T)

    @property
    def T(self) -> CrossbarView:
        """The array seen from its bit lines."""
        return CrossbarView(self)

    def meter(self) -> None:
        """From now on account for the energy of every programming pulse, in ``bank.meter``."""
        self.bank = self.bank._replace(meter=make_meter(self.cells, self.bank.channel is not None))

    def written(self, slots: NDArray) -> dict[str, float]:
        """Return what programming took since :meth:`meter`, see :func:`~.metering.written`.

        The transistors dissipate I^2 R of their open channel.
        """
        channel = self.bank.channel
        resistance = 0.0 if channel is None else open_resistance(channel)
        return written(self.bank.meter, resistance, slots)

    def set_weights(self, weights: NDArray) -> None:
        """Program *weights* (rows, columns) as an ideal write-verify would; count no pulses.

        They get the conductances of :meth:`cell_targets`, which raises if they cannot. What a
        cell's own window does not hold is cut off, and stuck cells stay where they are.
        """
        place(self.bank, np.arange(self.cells), self.cell_targets(weights).ravel())

    def tick(self) -> Tick:
        """Return the moment of a new programming operation, and count it."""
        self.operations += 1
        return Tick(*seed_key(self.seed), self.operations - 1, 0, self.array_id)

    def program(self, counts: NDArray) -> int:
        """Apply programming pulses; return how many single-cell pulses that took.

        Parameters
        ----------
        counts : (rows, columns) of int
            Signed number of pulses per weight; positive raises it.

        Raises
        ------
        ConfigError
            If the shape is wrong or *counts* holds no integers.
        """
        counts = pulse_counts(counts, self.shape).ravel()
        demand = survey(counts)
        if suits(self.bank, counts, demand):
            used = fire_all(self.bank, self._columns, self.arms, counts, demand, self.tick())
        else:
            weights = np.flatnonzero(counts)
            used = fire(self.bank, 0, self.arms, weights, counts[weights], self.tick())
        self.pulses += used
        return used

    def drift(self, seconds: float) -> None:
        """Leave the array alone for *seconds*: retention and fluctuations change what it shows.

        Raises
        ------
        ConfigError
            If *seconds* is negative or not finite.
        """
        rest = partial(drift, effects=self.effects, seconds=seconds, seed=self.seed)
        rest(self.bank, array_id=self.array_id, moment=self.drifts)
        if self.reference_cells is not None:
            rest(self.reference_cells, array_id=self.array_id + 128, moment=self.drifts)
            self.reference[:] = self.reference_cells.g
        self.drifts += 1

    def read(self, v: NDArray) -> NDArray:
        """Return the signed bit-line currents [A] for word lines at *v* [V].

        Parameters
        ----------
        v : (rows,) or (batch, rows)

        Returns
        -------
        ndarray, (columns,) or (batch, columns)
        """
        return line_currents(
            self, np.asarray(v), self.signed_conductance, squared_conductance(self)
        )

    def read_back(self, u: NDArray) -> NDArray:
        """Return the signed word-line currents [A] for bit lines at *u* [V]; see :meth:`read`."""
        squares = squared_conductance(self).T
        return line_currents(self, np.asarray(u), self.signed_conductance.T, squares)

    def __matmul__(self, u: NDArray) -> NDArray:
        """Return word-line currents [A], (rows,) or (rows, p), for bit lines *u* [V]."""
        return self.read_back(np.asarray(u).T).T

    def __rmatmul__(self, v: NDArray) -> NDArray:
        """Return bit-line currents [A] for word lines *v* [V], shape (batch, rows)."""
        return self.read(v)
