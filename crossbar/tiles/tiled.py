"""A layer of weights on tiles of limited size, read through wires, DACs and ADCs.

    xbar = TiledCrossbar.build(256, 128, device, params, effects, tile=(128, 128),
                               wires=Wires(1.0, 1.0), converters=Converters(adc_bits=6))
    xbar.set_weights(w)
    xbar.calibrate(some_voltages)
    currents = xbar.read(v)

The cells are those of one :class:`~..array.Crossbar`, so programming, drift, noise and random
numbers are the same; :mod:`.tiles` cuts them into tiles and :mod:`.reading` says what a read goes
through.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ...devices.contract import Device
from ...devices.variability import Effects
from ...errors import ConfigError, OhmlearnError
from ..array import Crossbar
from ..view import CrossbarView
from ..wires import Wires, effective_map
from .converters import Converters, draw_mismatch
from .lines import line_conductances, tile_shape, weight_map
from .reading import TiledRead, carried, driven, sense
from .tiles import Tiles

__all__ = ["TiledCrossbar", "TiledRead"]


class TiledCrossbar(Tiles):
    """Cells on :class:`Tiles`, read and programmed as one array; build one with :meth:`build`."""

    __array_ufunc__ = None  # so that ``v @ xbar`` reaches __rmatmul__

    @staticmethod
    def build(
        rows: int,
        columns: int,
        device: Device,
        params: Any,
        effects: Effects | None = None,
        *,
        tile: tuple[int, int] = (128, 128),
        wires: Wires | None = None,
        converters: Converters | None = None,
        nonlinear: bool = False,
        adc_range: ArrayLike | None = None,
        encoding: str = "pair",
        weight_range: float = 1.0,
        v_read: float = 0.2,
        seed: int = 0,
        array_id: int = 0,
        dtype: DTypeLike = np.float64,
    ) -> TiledCrossbar:
        """Return an array at weight 0; arguments not listed are those of ``Crossbar.build``.

        Parameters
        ----------
        tile
            Word lines and bit lines of a tile at most; a pair takes two bit lines.
        wires
            Resistances inside each tile.
        converters
            Without them every conversion is exact.
        nonlinear
            Whether cells follow the current of their model, scaled to the conductance they show.
        adc_range
            Largest current an ADC returns, a number or one for each direction, in units of the
            current of weight 1 at ``v_read``. Left out, it is the weight range times the square
            root of a tile's driven lines: three standard deviations of a line whose weights and
            inputs spread evenly over their ranges. :meth:`calibrate` finds a better one.
        v_read
            Read voltage [V], and that of a line driven in full.

        Raises
        ------
        ConfigError
            If a size, a range or a combination is not allowed.
        DeviceError
            If the effects do not fit the device.
        """
        xbar = Crossbar.build(
            rows, columns, device, params, effects, encoding=encoding, weight_range=weight_range,
            v_read=v_read, seed=seed, array_id=array_id, dtype=dtype,
        )  # fmt: skip
        converters = converters or Converters()
        shape = tile_shape(tile, encoding)
        if nonlinear and encoding == "offset":
            raise ConfigError(
                "nonlinear cells with encoding 'offset': backward, their reference line would be "
                "driven far beyond the read voltage; allowed are 'pair' and 'single'."
            )
        driven = np.minimum(shape, xbar.shape)
        half = weight_range * (1.0 if encoding == "pair" else 0.5)
        limits = half * converters.dac_range * np.sqrt(driven)
        if adc_range is not None:
            limits = _checked_range(adc_range, converters)
        used = wires if wires is not None and not wires.ideal else None
        parts = -(-np.array(xbar.shape) // shape)
        mismatch = (
            draw_mismatch(converters, int(parts[0]) * columns, seed, 2 * array_id),
            draw_mismatch(converters, int(parts[1]) * rows, seed, 2 * array_id + 1),
        )
        return TiledCrossbar(xbar, shape, used, converters, nonlinear, limits, mismatch)

    @property
    def effective_weights(self) -> NDArray:
        """Weights that a read with wires and exact converters sees, shape (rows, columns).

        The exact linear map of every tile; of nonlinear cells, that of their conductances at
        ``v_read``.
        """
        found = np.empty(self.shape)
        for rows, columns in self.places():
            g = line_conductances(self.crossbar, rows, columns)
            m = g if self.wires is None else effective_map(g, self.wires).matrix
            found[rows, columns] = weight_map(self.crossbar, rows, m)
        return found / self.crossbar.unit

    @property
    def T(self) -> CrossbarView[TiledCrossbar]:
        """The array seen from its bit lines."""
        return CrossbarView(self)

    def set_weights(self, weights: NDArray) -> None:
        """Program *weights* (rows, columns) exactly; see ``Crossbar.set_weights``."""
        self.crossbar.set_weights(weights)

    def program(self, counts: NDArray) -> int:
        """Apply pulses (rows, columns); see ``Crossbar.program``."""
        return self.crossbar.program(counts)

    def drift(self, seconds: float) -> None:
        """Leave the array alone for *seconds*; see ``Crossbar.drift``."""
        self.crossbar.drift(seconds)

    def read(self, v: ArrayLike) -> NDArray:
        """Return the signed currents [A] of the columns for word lines at *v* [V].

        Parameters
        ----------
        v : (rows,) or (batch, rows)
            ``v_full`` is a line driven in full.

        Returns
        -------
        ndarray, (columns,) or (batch, columns)

        Raises
        ------
        ConfigError
            If *v* does not fit the lines.
        OhmlearnError
            If a tile with wires could not be solved; :meth:`sense` returns what there is.
        """
        return _solved(self.sense(v)).current

    def read_back(self, u: ArrayLike) -> NDArray:
        """Return the signed currents [A] of the word lines for columns at *u* [V].

        As :meth:`read`, with (columns,) or (batch, columns) in and (rows,) or (batch, rows) out.
        """
        return _solved(self.sense_back(u)).current

    def sense(self, v: ArrayLike) -> TiledRead:
        """Do what :meth:`read` does, and return how it came about."""
        return sense(self, v, True)

    def sense_back(self, u: ArrayLike) -> TiledRead:
        """Do what :meth:`read_back` does, and return how it came about."""
        return sense(self, u, False)

    def calibrate(
        self, v: ArrayLike | None = None, u: ArrayLike | None = None, *, headroom: float = 1.1
    ) -> NDArray:
        """Set the range of the ADCs by sample inputs; return both directions' ranges.

        Parameters
        ----------
        v, u : (rows,), (columns,) or with a leading batch axis
            Samples for forward and for backward reads [V]; a direction without any is kept.
        headroom
            Range over the largest current that the samples cause on a line of a tile.

        Raises
        ------
        ConfigError
            If the samples do not fit the lines or cause no current.
        """
        if self.converters.adc_bits is None or not 0.0 < headroom < np.inf:
            raise ConfigError(
                f"calibration with converters.adc_bits {self.converters.adc_bits} and headroom "
                f"{headroom}; allowed are converters with adc_bits and a finite number above 0."
            )
        for direction, samples in enumerate((v, u)):
            if samples is None:
                continue
            forward = direction == 0
            drive, _ = driven(self, samples, forward)
            peak = float(np.abs(carried(self, drive, forward).current).max())
            if not 0.0 < peak < np.inf:
                raise ConfigError(
                    f"the samples for calibration cause at most {peak} A on a line; give inputs "
                    "and weights that are not all zero."
                )
            self.adc_range[direction] = headroom * peak / self.current_unit
        return self.adc_range.copy()

    def __matmul__(self, u: NDArray) -> NDArray:
        """Return word-line currents [A], (rows,) or (rows, p), for columns at *u* [V]."""
        return self.read_back(np.asarray(u).T).T

    def __rmatmul__(self, v: NDArray) -> NDArray:
        """Return column currents [A] for word lines at *v* [V], shape (batch, rows)."""
        return self.read(v)


def _solved(read: TiledRead) -> TiledRead:
    if not read.converged:
        raise OhmlearnError(f"a tile with wires is {read.message}")
    return read


def _checked_range(adc_range: ArrayLike, converters: Converters) -> NDArray:
    """Return the ranges of both directions."""
    limits = np.asarray(adc_range, np.float64)
    if limits.shape not in ((), (2,)) or not np.all((limits > 0) & (limits < np.inf)):
        raise ConfigError(
            f"converters.adc_range is {adc_range!r}; allowed is a finite number above 0, or one "
            "for each direction."
        )
    if converters.adc_bits is None:
        raise ConfigError(
            "converters.adc_range needs converters.adc_bits: no other ADC saturates."
        )
    return np.broadcast_to(limits, 2).copy()
