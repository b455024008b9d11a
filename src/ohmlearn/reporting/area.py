"""Area of the cells, and of the periphery that numbers are published for."""

from __future__ import annotations

from typing import NamedTuple

from .budget import Prices
from .constants import wire_width
from .reads import Load
from .subject import Subject

__all__ = ["Part", "parts"]


class Part(NamedTuple):
    """One kind of circuit: how many there are, and the area of one [m^2]."""

    name: str
    number: int
    each: float

    @property
    def area(self) -> float:
        """Of all of them [m^2]."""
        return self.number * self.each


def parts(subject: Subject, load: Load, prices: Prices) -> tuple[Part, ...]:
    """Return what takes area: cells, ADCs and neurons.

    Sense amplifiers, drivers, decoders and routing are left out: no published numbers are known
    to us that would fit.
    """
    cell = prices["cell_area"] * wire_width(subject.node) ** 2
    converted = subject.layers[-1] if subject.hardware.readout == "outputs" else subject.neurons
    if subject.experiment.converters.adc_bits is not None:
        converted = max(converted, load.conversions)
    adcs = -(-converted // subject.hardware.lines_per_adc)
    references = [Part("reference cells", subject.references, cell)] if subject.references else []
    return (
        Part("memristor cells", subject.cells, cell),
        *references,
        Part("ADCs", adcs, prices["adc_area"]),
        Part("neurons", subject.neurons, prices["neuron_area"]),
    )
