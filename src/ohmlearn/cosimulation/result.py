"""What a co-simulation found: differences, energies, waveforms, and whether they are allowed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["ENERGY_TOLERANCE", "Comparison", "CosimResult", "EnergyComparison", "Waves"]

ENERGY_TOLERANCE = 0.01  # of the kernels' value


@dataclass(frozen=True)
class Comparison:
    """One quantity of one sample, by both simulators.

    Attributes
    ----------
    level
        ``"steady state"`` or ``"waveform"``.
    phase
        ``"free"``, ``"nudged"``.
    sample
        Row of the test set.
    largest, rms
        Difference of node voltages over all nodes (and times) [V].
    node
        The worst node's name in the netlist.
    kernel_seconds, spice_seconds
        Run times; ngspice's with reading the netlist. A transient's is that of both phases.
    tolerance
        Largest difference allowed [V].
    """

    level: str
    phase: str
    sample: int
    largest: float
    rms: float
    node: str
    kernel_seconds: float
    spice_seconds: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance."""
        return bool(self.largest <= self.tolerance)


@dataclass(frozen=True)
class EnergyComparison:
    """An energy of one phase [J], by both simulators."""

    phase: str
    name: str
    kernel: float
    spice: float
    tolerance: float = ENERGY_TOLERANCE

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance, relative to the kernels' value."""
        return bool(abs(self.spice - self.kernel) <= self.tolerance * abs(self.kernel) + 1e-24)


@dataclass(frozen=True, eq=False)
class Waves:
    """Waveforms of one sample.

    Attributes
    ----------
    sample
        Row of the test set.
    ends
        Ends of the phases [s].
    t, kernel
        Even times (points,) [s] and node voltages (points, units) [V].
    spice_t, spice
        The same at ngspice's own time points.
    apart
        Largest difference of any node at those times [V].
    sizes
        Nodes per layer.
    """

    sample: int
    ends: tuple[float, ...]
    t: NDArray
    kernel: NDArray
    spice_t: NDArray
    spice: NDArray
    apart: NDArray
    sizes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class CosimResult:
    """What a co-simulation found."""

    title: str
    comparisons: tuple[Comparison, ...]
    energies: tuple[EnergyComparison, ...]
    waves: Waves
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is within its tolerance."""
        return all(each.passed for each in (*self.comparisons, *self.energies))

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values."""
        return {
            "title": self.title,
            "passed": self.passed,
            "comparisons": [{**asdict(each), "passed": each.passed} for each in self.comparisons],
            "energies": [{**asdict(each), "passed": each.passed} for each in self.energies],
            "notes": list(self.notes),
        }
