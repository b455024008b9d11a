"""How arrays and neurons are wired into a network, and how its state settles.

:class:`HopfieldNetwork` is a layered network of leaky integrators whose couplings are crossbars;
docs/circuit.md says which circuit it stands for and in which units. The kernels that advance it
are in :mod:`.dynamics`, with read noise in :mod:`.read_noise`; :mod:`.fabric` lays out the arrays
that hold its weights.

This room knows crossbars and devices. It never hears of labels, losses, epochs or data sets: a
nudge is a strength and a target voltage. Importing this room imports Numba.
"""

from .activation import ACTIVATIONS
from .hopfield import DYNAMICS, Dynamics, HopfieldNetwork, Layout, make_layout

__all__ = ["ACTIVATIONS", "DYNAMICS", "Dynamics", "HopfieldNetwork", "Layout", "make_layout"]
