"""What is left of a nominal pulse behind the access transistor.

Training counts a pulse as its nominal step, whatever the transistor: the step of a model is that
of the pulse at its own terminals. In a circuit the transistor takes its share of the voltage, the
more the better the cell conducts, and at RESET its source rises with the cell besides.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .access import Nmos
from .programming import program_cell

__all__ = ["STATES", "Reach", "pulse_reach"]

STATES = (0.1, 0.5, 0.9)
"""States at which the steps of a pulse are compared."""


class Reach(NamedTuple):
    """Parts of the step of a nominal pulse that are left, at the states :data:`STATES`."""

    set: tuple[float, ...]
    reset: tuple[float, ...]

    @property
    def least(self) -> float:
        """The smallest of all."""
        return min(*self.set, *self.reset)


def pulse_reach(p: Any, m: Nmos, v_gate: float) -> Reach:
    """Return which part of the nominal SET and RESET step a 1T1R cell takes.

    Parameters
    ----------
    p : parameter tuple
        The memristor, with its nominal pulses, which are applied to the lines of the cell.
    m : Nmos
        The access transistor.
    v_gate : float
        Gate voltage under the pulses [V].

    Returns
    -------
    Reach
        Relative to the same pulse on the memristor alone; 1 where that moves nothing either.
    """
    pulses = ((abs(p.v_set), p.t_set), (-abs(p.v_reset), p.t_reset))
    return Reach(*(tuple(_part(p, m, v_gate, *each, x) for x in STATES) for each in pulses))


def _part(p: Any, m: Nmos, v_gate: float, amplitude: float, width: float, x: float) -> float:
    alone = program_cell(p, None, v_gate, amplitude, width, x) - x
    if alone == 0.0:
        return 1.0
    part = (program_cell(p, m, v_gate, amplitude, width, x) - x) / alone
    return 0.0 if part <= 0.0 else part  # and no minus zero
