"""What netlists are made of: device models, cells, tiles with wires, programming pulses.

=============================================  ==================================================
:mod:`.physics`, :mod:`.unfolding`             a model's functions, read from their Python text
:mod:`.expressions`, :mod:`.dialects`          formulas as text, and what each simulator wants
:mod:`.words`, :mod:`.cards`                   names that are taken; lines
:mod:`.devices`, :mod:`.verilog_a`             a device as a subcircuit, as a Verilog-A module
:mod:`.cells`, :mod:`.crossings`, :mod:`.tiles`  1T1R and 1R cells, and arrays of them with wires
:mod:`.pulses`                                 programming pulses on their lines
=============================================  ==================================================
"""

from .cards import label_of
from .cells import UserNmos, cell_1r, cell_1t1r, library, nmos_model, pair
from .devices import instance, subcircuit
from .dialects import DIALECTS
from .pulses import CellPulse, Lines, programming_sources, programming_waveforms
from .tiles import FrozenCells, MemristorCells, Tile, TileNodes, tile
from .verilog_a import verilog_a

__all__ = [
    "DIALECTS",
    "CellPulse",
    "FrozenCells",
    "Lines",
    "MemristorCells",
    "Tile",
    "TileNodes",
    "UserNmos",
    "cell_1r",
    "cell_1t1r",
    "instance",
    "label_of",
    "library",
    "nmos_model",
    "pair",
    "programming_sources",
    "programming_waveforms",
    "subcircuit",
    "tile",
    "verilog_a",
]
