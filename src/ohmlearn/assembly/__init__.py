"""From an experiment to what runs.

:mod:`.learner` puts together what a run trains, for Hopfield-type networks by itself and for
resistive ones with :mod:`.resistive`; :mod:`.arrays` draws the memristors of either, and
:mod:`.periphery` what surrounds them.
"""

from .learner import AnyLearner, Built, build, build_network, build_schedule, load_data
from .periphery import choose_wires, tile_shape
from .resistive import resistive_network, resistive_notes

__all__ = [
    "AnyLearner",
    "Built",
    "build",
    "build_network",
    "build_schedule",
    "choose_wires",
    "load_data",
    "resistive_network",
    "resistive_notes",
    "tile_shape",
]
