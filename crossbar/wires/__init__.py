"""Resistive word and bit lines: exact reads of an array, and the linear map that it is.

=================================  ============================================================
:mod:`.resistances`                wires given in ohms or by technology node
:mod:`.solver`, :mod:`.solution`   exact reads of linear cells, one drive or many
:mod:`.cells`                      nonlinear cells, by Newton's method
:mod:`.power`                      where the power of a read goes
:mod:`.effective`, :mod:`.bound`   the effective map of an array, its corrections, their error
the rest                           kernels: ladders, sweeps, conjugate gradients, checks
=================================  ============================================================
"""

from .cells import solve_cells, solve_devices
from .effective import EffectiveMap, effective_map, exact_change
from .resistances import NODES, Wires
from .solution import ArraySolution
from .solver import ArraySolver, solve_array

__all__ = [
    "NODES",
    "ArraySolution",
    "ArraySolver",
    "EffectiveMap",
    "Wires",
    "effective_map",
    "exact_change",
    "solve_array",
    "solve_cells",
    "solve_devices",
]
