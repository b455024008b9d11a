"""How far ngspice is from the toolkit after one sample of continual learning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ..crossbar.array import Crossbar
from ..devices.cell.read import read_conductance
from ..spice_netlists.networks.sample_deck import SampleEnds
from .sample import CepSample

__all__ = [
    "CONDUCTANCE_TOLERANCE",
    "VOLTAGE_TOLERANCE",
    "SampleComparison",
    "compare",
    "shown_by",
]

VOLTAGE_TOLERANCE = 1e-3  # V
CONDUCTANCE_TOLERANCE = 0.01  # of the window


@dataclass(frozen=True, eq=False)
class SampleComparison:
    """How far ngspice and the toolkit are apart.

    Attributes
    ----------
    voltage
        Largest difference of a node's voltage at the end of the free phase or of a slot [V].
    drop
        Largest change of a node's voltage while it was held [V].
    conductance
        Largest difference of a cell's conductance after the sample, as a part of the window.
    moved
        Largest change of a cell's conductance by the sample, as a part of the window.
    resting
        Largest difference of a cell that took no pulse, as a part of the window.
    read
        Largest change of a cell by the reads of the sample alone, as a part of the window.
    pulses
        Pulses on single cells.
    """

    voltage: float
    drop: float
    conductance: float
    moved: float
    resting: float
    read: float
    pulses: int

    @property
    def passed(self) -> bool:
        """Whether voltages and conductances are within their tolerances."""
        volts = max(self.voltage, self.drop) <= VOLTAGE_TOLERANCE
        return volts and max(self.conductance, self.resting) <= CONDUCTANCE_TOLERANCE

    def as_dict(self) -> dict[str, float | bool]:
        """Return the numbers as plain values."""
        return {**asdict(self), "passed": self.passed}

    def sentences(self) -> Iterator[str]:
        """Yield one line for each comparison."""
        volts = f"allowed {VOLTAGE_TOLERANCE:g} V"
        part = f"allowed {_percent(CONDUCTANCE_TOLERANCE, 0)}"
        yield f"voltages at the ends of the slots: apart by up to {self.voltage:.1e} V, {volts}"
        yield f"voltages held while cells are programmed: move by {self.drop:.1e} V, {volts}"
        yield (
            f"conductances afterwards: apart by up to {_percent(self.conductance, 2)} of "
            f"the window, {part}; they moved by up to {_percent(self.moved, 1)}"
        )
        resting = f"apart by up to {100 * self.resting:.1e} % of the window"
        yield f"cells without a pulse: {resting}, {part}"
        if self.read:
            yield (
                f"reads alone moved cells by up to {100 * self.read:.1e} % of the window; "
                "training leaves that out unless device.read_disturb is set"
            )
        yield "pass" if self.passed else "FAIL"


def _percent(part: float, decimals: int) -> str:
    return f"{100 * part:.{decimals}f} %"


def compare(sample: CepSample, ends: SampleEnds) -> SampleComparison:
    """Return how far ngspice is from the toolkit after *sample*."""
    shown = [
        shown_by(xbar, states) for xbar, states in zip(sample.crossbars, ends.states, strict=True)
    ]
    apart, moved, resting, read = 0.0, 0.0, 0.0, 0.0
    for number, xbar in enumerate(sample.crossbars):
        window = _window(xbar)
        pulsed = np.any([np.abs(each[number]) for each in sample.counts], axis=0)
        off = np.abs(shown[number] - sample.after[number]) / window
        apart = max(apart, off.max())
        moved = max(moved, np.abs(sample.after[number] - sample.before[number]).max() / window)
        resting = max(resting, off[~pulsed].max(initial=0.0))
        read = max(read, np.abs(sample.disturbed[number]).max() / window)
    return SampleComparison(
        float(np.abs(ends.voltages - sample.voltages).max()),
        float(np.abs(ends.held - ends.voltages[1:]).max()),
        float(apart), float(moved), float(resting), float(read), sample.pulses,
    )  # fmt: skip


def shown_by(xbar: Crossbar, states: NDArray) -> NDArray:
    """Return what a read shows of cells with *states*, (rows, columns, arms) [S]."""
    found = np.empty(xbar.cells)
    for c, x in enumerate(np.clip(states, 0.0, 1.0).ravel().tolist()):
        p = type(xbar.params)(*xbar.bank.table[c].tolist())
        found[c] = read_conductance(p, xbar.bank.channel, float(xbar.bank.v_read), x)
    return found.reshape(xbar.conductance.shape)


def _window(xbar: Crossbar) -> float:
    """Return the nominal cell's window [S]."""
    ends = (
        read_conductance(xbar.params, xbar.bank.channel, float(xbar.bank.v_read), x)
        for x in (0.0, 1.0)
    )
    low, high = ends
    return high - low
