"""What an array of memristor cells does: signed weights, reads in both directions, programming.

:class:`Crossbar` turns weights into conductances (differential pairs, an offset column, or single
cells), reads currents along its word lines or its bit lines, and applies programming pulses.
:class:`TiledCrossbar` reads the same cells through resistive wires, DACs and ADCs, tile by tile.

This room knows devices. It never hears of layers, neurons or learning: what a voltage means and
why a weight should change is decided above. Kernels that work on many arrays at once find the
cells in :mod:`.bank`. Importing this room imports Numba.
"""

from .array import ENCODINGS, Crossbar, CrossbarView
from .tiles.converters import Converters
from .tiles.tiled import TiledCrossbar, TiledRead
from .wires import Wires

__all__ = [
    "ENCODINGS",
    "Converters",
    "Crossbar",
    "CrossbarView",
    "TiledCrossbar",
    "TiledRead",
    "Wires",
]
