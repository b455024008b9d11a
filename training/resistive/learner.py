"""The learner of resistive networks: phases, contrasts, requests.

Free phase, then the nudged phase of the rule: to the end and one contrast (``ep``), twice with
both signs (``centred-ep``), or a contrast and a request after every slot (``cep``), so that the
next slot already hears the changed conductances.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...circuits.hopfield import Layout
from ...crossbar.array import Crossbar
from ..rules import Rule
from .cells import Cells
from .conductances import Contrast, Synapses
from .encoding import Encoding
from .physics import Nudge, Physics
from .readout import Readout

__all__ = ["Phases", "ResistiveLearner"]


class Phases(NamedTuple):
    """Lengths of the phases and strength of the nudge.

    Attributes
    ----------
    free_steps, nudged_steps : int
        Steps of the free phase; steps of a nudged phase, or its slots where the rule is continual.
    beta : float
        Nudge, in the units of the conductances.
    carried : bool
        Whether, in training, the free phase starts from the last batch's free state.
    """

    free_steps: int
    nudged_steps: int
    beta: float
    carried: bool = True


class ResistiveLearner:
    """A resistive network that learns.

    Parameters
    ----------
    layout
        Sizes of the layers, in nodes.
    encoding, readout
        How data become voltages and voltages signals.
    physics, synapses
        What settles the nodes, and what holds the conductances; both share one theta.
    rule, phases
        What is contrasted, and how long phases last.
    """

    def __init__(
        self,
        layout: Layout,
        encoding: Encoding,
        readout: Readout,
        physics: Physics,
        synapses: Synapses,
        rule: Rule,
        phases: Phases,
    ) -> None:
        self.layout = layout
        self.encoding = encoding
        self.readout = readout
        self.physics = physics
        self.synapses = synapses
        self.rule = rule
        self.phases = phases
        self.pulses = 0
        self._carried = np.zeros(0, self._dtype)

    @property
    def theta(self) -> NDArray:
        """Conductances and biases, laid out as the layout says."""
        return self.synapses.theta

    @property
    def cells(self) -> int:
        """Number of memristor cells."""
        return self.synapses.cells

    @property
    def _dtype(self) -> np.dtype:
        return self.physics.dtype

    def _output(self, state: NDArray, batch: int) -> NDArray:
        return self.layout.split(state, batch)[-1]

    def _no_nudge(self) -> Nudge:
        nothing = np.empty((0, int(self.layout.sizes[-1])), self._dtype)
        return Nudge(0.0, nothing, nothing)

    def _nudge(self, volts: NDArray, target: NDArray) -> Nudge:
        """Return the nudge of beta = 1 for free output voltages *volts*."""
        target = target.astype(self._dtype)
        nothing = np.empty((0, volts.shape[1]), self._dtype)
        if self.readout.by_current:
            return Nudge(0.0, nothing, -self.readout.slope(volts, target))
        return Nudge(self.readout.gain**2, self.readout.nudge_target(target), nothing)

    def train_batch(
        self, x: NDArray, target: NDArray, sign: float, step: int, rate: float = 1.0
    ) -> NDArray:
        """Learn from one batch; return the signals of the free phase, shape (batch, classes).

        *x* is (batch, features), *target* (batch, classes), *sign* the sign of beta, *rate*
        multiplies all learning rates; *step* is the number of the batch's first sample in the run.
        """
        batch, phases = len(x), self.phases
        u = self.encoding.volts(x, self._dtype)
        free = self._start(batch)
        self.physics.inputs(u)
        self.physics.settle(phases.free_steps, self._no_nudge(), free)
        volts = self._output(free, batch)
        beta = sign * phases.beta
        nudge = self._nudge(volts, target).times(beta)
        scale = rate / (beta * batch)
        if self.rule.continual:
            self._continual(u, free, nudge, scale, step)
        else:
            self._contrast(u, free, nudge, scale, step)
        if phases.carried:
            self._carried = free
        return self.readout.signals(volts)

    def _start(self, batch: int) -> NDArray:
        size = batch * self.layout.units
        if self.phases.carried and self._carried.size == size:
            return self._carried.copy()
        return np.zeros(size, self._dtype)

    def _continual(self, u: NDArray, free: NDArray, nudge: Nudge, scale: float, step: int) -> None:
        old = free.copy()
        for slot in range(self.phases.nudged_steps):
            new = old.copy()
            self.physics.settle(1, nudge, new)
            self.pulses += self.synapses.serve(Contrast(u, old, new, scale, step, slot))
            self.physics.renew()
            old = new

    def _contrast(self, u: NDArray, free: NDArray, nudge: Nudge, scale: float, step: int) -> None:
        new, old = free.copy(), free
        self.physics.settle(self.phases.nudged_steps, nudge, new)
        if self.rule.centred:
            old = free.copy()
            self.physics.settle(self.phases.nudged_steps, nudge.times(-1.0), old)
            scale *= 0.5
        self.pulses += self.synapses.serve(Contrast(u, old, new, scale, step, 0))

    def free_voltages(self, x: NDArray) -> list[NDArray]:
        """Return the voltages [V] of all layers, inputs first, in the free phase from 0 V on."""
        physics, u = self.physics.twin(), self.encoding.volts(x, self._dtype)
        state = np.zeros(len(x) * self.layout.units, self._dtype)
        physics.inputs(u)
        physics.settle(self.phases.free_steps, self._no_nudge(), state)
        return [u, *self.layout.split(state, len(x))]

    def outputs(self, x: NDArray, first: int = 0, step: int = 0) -> NDArray:
        """Return the free phase's signals, shape (rows, classes), for data *x*, from 0 V on."""
        return self.readout.signals(self.free_voltages(x)[-1])

    def loss(self, signals: NDArray, target: NDArray) -> float:
        """Return the sum over rows of the loss that the nudge descends."""
        return self.readout.total_loss(signals, target)

    @property
    def crossbars(self) -> list[Crossbar]:
        """The arrays that hold the conductances; none where these are numbers."""
        return self.synapses.crossbars if isinstance(self.synapses, Cells) else []

    @contextmanager
    def rested(self, seconds: float) -> Iterator[None]:
        """Show the network as it is *seconds* later, and then as it was; cells only."""
        if not isinstance(self.synapses, Cells):
            yield
            return
        with self.synapses.rested(seconds):
            yield

    @property
    def write_energy(self) -> float:
        """Energy that pulses have dissipated in the memristors so far [J]."""
        return sum((float(xbar.bank.meter.energy.sum()) for xbar in self.crossbars), 0.0)

    def writes(self) -> list[dict[str, float]]:
        """Return what programming took, one mapping per array, see :meth:`Crossbar.written`."""
        if not isinstance(self.synapses, Cells):
            return []
        slots = self.synapses.slots
        return [xbar.written(n) for xbar, n in zip(self.crossbars, slots, strict=True)]

    def settled_power(self, x: NDArray) -> dict[str, float]:
        """Return the power [W] by class of element, settled without nudge: the mean over data *x*.

        Ideal diodes have no voltage across them where they conduct, so they take none but what
        flows into rails that are not at 0 V, which is not counted.
        """
        layers, rails = self.free_voltages(x), self.physics.rails
        cells = 0.0
        for layer in range(1, self.layout.depth + 1):
            g = self.synapses.unit * self.layout.weight(self.theta, layer).astype(np.float64)
            u = rails.gain[layer] * layers[layer - 1].astype(np.float64)
            v = layers[layer].astype(np.float64)
            # sum_ij g_ij (u_i - v_j)^2, without the matrix of differences of every sample
            total = (u * u) @ g.sum(axis=1) + (v * v) @ g.sum(axis=0)
            cells += float(np.mean(total - 2.0 * np.sum((u @ g) * v, axis=1)))
        return {"cells": cells} | self.physics.others(layers)

    def state(self) -> dict[str, NDArray]:
        """Return what learning changes: synapses, the carried state, and the count of pulses."""
        kept = self.synapses.state()
        return kept | {"carried": self._carried, "pulses": np.array(self.pulses, np.int64)}

    def restore(self, arrays: dict[str, NDArray]) -> None:
        """Take back what :meth:`state` returned."""
        self.synapses.restore(arrays)
        self._carried = np.array(arrays["carried"], self._dtype)
        self.pulses = int(arrays["pulses"])

    def figures(self) -> dict[str, NDArray]:
        """Return what a run record keeps, see the synapses."""
        return self.synapses.figures()
