"""Learning on memristor cells: every change of a local product becomes pulses at once.

The phases are those of :mod:`.ideal`, with read noise on every line; the weights are what the
cells show, and after each contrast the requests of every array go through the update policy to
the cells. The next slot already hears the changed weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ..circuits.dynamics import send
from ..circuits.fabric import Fabric, refer, renew_all
from ..circuits.hopfield import HopfieldNetwork
from ..circuits.read_noise import Moment
from ..circuits.sensing import Sensing, drive_lines
from ..circuits.wiring import CHECK_EVERY, Wiring
from ..crossbar.ageing import disturb
from ..crossbar.array import Crossbar
from ..crossbar.bank import Tick
from ..crossbar.history import changing
from ..devices.counter_rng import seed_key
from .contrast import difference
from .ideal import Schedule
from .policies import Policy
from .pulsed_kernels import Plant, active_rows, drives_for, program, settle, train
from .rules import Rule

__all__ = ["PulsedLearner"]

_EVALUATION = 1 << 40  # steps of evaluation draw other numbers than those of training


class PulsedLearner:
    """A network of memristor arrays that learns by programming pulses.

    Parameters
    ----------
    network
        Structure and dynamics.
    crossbars
        The arrays, of the shapes of :func:`~ohmlearn.circuits.fabric.array_shapes`.
    fabric
        The same arrays as the kernels take them.
    rule, schedule, policy
        What is learned, how long the phases last, how requests become pulses.
    seed
        Seed of the run.
    sensing
        Tiles and converters of every read; ``None`` reads all lines exactly.
    wiring
        Wires of all tiles; ``None`` stands for ideal conductors.
    """

    def __init__(
        self,
        network: HopfieldNetwork,
        crossbars: list[Crossbar],
        fabric: Fabric,
        rule: Rule,
        schedule: Schedule,
        policy: Policy,
        seed: int,
        sensing: Sensing | None = None,
        wiring: Wiring | None = None,
    ) -> None:
        self.network = network
        self.crossbars = crossbars
        self.rule = rule
        self.schedule = schedule
        self.policy = policy
        self.sensing = sensing
        self.wiring = wiring
        self.pulses = 0
        self.cells = int(fabric.bank.x.size)
        self._key = seed_key(seed)
        dtype = fabric.bank.g.dtype
        theta, q = (np.zeros(network.layout.length, dtype) for _ in range(2))
        self._plant = Plant(fabric, theta, q, float(crossbars[0].effects.read_noise))
        if wiring is not None:
            wiring.solve_all()
        renew_all(fabric, theta, q)

    @property
    def theta(self) -> NDArray:
        """Weights and biases that the cells show, laid out as the network's parameters."""
        return self._plant.theta

    @property
    def fabric(self) -> Fabric:
        """The arrays as the kernels take them."""
        return self._plant.fabric

    def _heard(self, x: NDArray) -> NDArray:
        """Return the inputs as the word lines carry them."""
        if self.sensing is None or self.sensing.dac_step == 0:
            return x
        lines = np.empty_like(x)
        step, limit = (x.dtype.type(v) for v in (self.sensing.dac_step, self.sensing.dac_limit))
        drive_lines(step, limit, x.ravel(), lines.ravel())
        return lines

    def _work(self, batch: int) -> NDArray:
        return np.empty((11, batch * self.network.layout.units), self.theta.dtype)

    def train_batch(
        self, x: NDArray, target: NDArray, sign: float, step: int, rate: float = 1.0
    ) -> NDArray:
        """Learn from one batch; return the free phase's outputs, shape (batch, classes).

        *step* is the number of the batch's first sample in the run; all random numbers follow
        from it and the seed.
        """
        network, batch = self.network, len(x)
        self._keep_up((step + batch) // CHECK_EVERY - step // CHECK_EVERY)
        work = self._work(batch)
        free = work[10]
        tick = Tick(*self._key, step, 0, 0)
        self.pulses += train(
            self.rule, self.schedule.scaled(rate), sign * self.schedule.beta, self.policy,
            self._plant, self.sensing, network.layout, network.dynamics, tick, self._heard(x),
            target.ravel(), free, work,
        )  # fmt: skip
        return network.layout.split(free, batch)[-1]

    def contrast(self, x: NDArray, old: NDArray, new: NDArray, step: int, slot: int) -> int:
        """Program what one contrast of two given signals asks for; return the pulses fired.

        For signals that something else has settled, such as a circuit in time.

        Parameters
        ----------
        x : (1, n_0)
            The sample.
        old, new : (units,)
            What the neurons send before and after, layer by layer.
        step, slot : int
            Number of the sample and of the contrast within it; random numbers follow from them.
        """
        layout, key = self.network.layout, self._key
        change, drive, q_drive = np.empty_like(old), *(drives_for(None, layout, x) for _ in "dq")
        difference(new, old, change)
        lit = active_rows(x, self.schedule.input_bias)
        fired = program(
            self.rule, 1.0 / self.schedule.beta, self.schedule.eta, self.policy, self._plant,
            layout, Tick(*key, step, slot, 0), x, lit, old, new, change, drive, q_drive,
        )  # fmt: skip
        self.pulses += fired
        return fired

    def outputs(self, x: NDArray, first: int = 0, step: int = 0) -> NDArray:
        """Return the free phase's outputs (rows, classes) for rows *first*, ... of a data set."""
        state = self._settled(x, first, step)
        return self.network.layout.split(state, len(x))[-1]

    def activity(self, x: NDArray, step: int = 0) -> list[NDArray]:
        """Return the mean square of the signal on every line, settled on rows *x* of a data set.

        One array (n_l,) per layer, the input first; a line carries V_ref times its signal.
        """
        state = self._settled(x, 0, step)
        sent = np.empty_like(state)
        send(self.network.dynamics, state, sent)
        layers = [self._heard(x), *self.network.layout.split(sent, len(x))]
        return [np.mean(np.square(signal, dtype=np.float64), axis=0) for signal in layers]

    def _settled(self, x: NDArray, first: int, step: int) -> NDArray:
        network, rows = self.network, len(x)
        work = self._work(rows)
        state = work[10]
        drive, q_drive = (drives_for(self.sensing, network.layout, x) for _ in range(2))
        moment = Moment(*self._key, _EVALUATION + step, 0, first)
        settle(
            self.schedule.free_steps, self._plant, self.sensing, network.layout, network.dynamics,
            moment, self._heard(x), drive, q_drive, state, work,
        )  # fmt: skip
        return state

    def _keep_up(self, times: int) -> None:
        """Do what is due once in a while: disturb by reads, solve tiles whose cells have moved.

        *times* is how often it has become due. Every time step counts as one read of each cell;
        reads of tests do not count.
        """
        effects, changed = self.crossbars[0].effects, False
        if times and effects.read_disturb is not None:
            steps = self.schedule.free_steps + self.schedule.nudged_steps
            steps += self.schedule.nudged_steps if self.rule.centred else 0
            disturb(self._plant.fabric.bank, effects, times * CHECK_EVERY * steps)
            changed = True
        if times and self.wiring is not None:
            changed = bool(self.wiring.follow()) or changed
        if changed:
            renew_all(self._plant.fabric, self._plant.theta, self._plant.q)

    @contextmanager
    def rested(self, seconds: float) -> Iterator[None]:
        """Show the network as it is *seconds* later, and then as it was.

        Retention and fluctuations act on every cell, reference cells included; with wires every
        tile is solved anew.
        """
        fabric, plant = self._plant.fabric, self._plant
        references = [xbar.reference.copy() for xbar in self.crossbars]
        arrays = {name: value.copy() for name, value in self._changing().items()}
        maps = fabric.slope.copy(), fabric.base.copy()
        for xbar in self.crossbars:
            xbar.drift(seconds)
        if self.wiring is not None:
            self.wiring.show()
        refer(fabric, self.crossbars)
        renew_all(fabric, plant.theta, plant.q)
        try:
            yield
        finally:
            for name, value in self._changing().items():
                value[...] = arrays[name]
            for xbar, reference in zip(self.crossbars, references, strict=True):
                xbar.reference[:] = reference
                xbar.drifts -= 1
            fabric.slope[...], fabric.base[...] = maps
            refer(fabric, self.crossbars)
            renew_all(fabric, plant.theta, plant.q)

    def wiring_report(self) -> dict[str, float] | None:
        """Return how often tiles were solved and the largest error found; None without wires."""
        if self.wiring is None:
            return None
        count, worst = self.wiring.solved, self.wiring.worst
        return {"tiles_solved": count, "largest_error": worst}

    def _changing(self) -> dict[str, NDArray]:
        """Return all arrays that pulses and time change, by name."""
        kept = changing(self._plant.fabric.bank)
        for number, xbar in enumerate(self.crossbars):
            if xbar.reference_cells is not None:
                kept |= {
                    f"{name}_reference_{number}": array
                    for name, array in changing(xbar.reference_cells).items()
                }
        return kept

    def state(self) -> dict[str, NDArray]:
        """Return what learning changes: the cells, what they have been through, and counts."""
        kept = self._changing()
        kept |= {"residue": self.policy.residue, "pulses": np.array(self.pulses, np.int64)}
        kept["slots"] = self._plant.fabric.slots
        if self.wiring is not None:
            kept |= self.wiring.state()
        return kept

    def restore(self, arrays: dict[str, NDArray]) -> None:
        """Take the cells back, in place, and rebuild the weights from them."""
        for name, value in self._changing().items():
            value[...] = arrays[name]
        self.policy.residue[...] = arrays["residue"]
        self._plant.fabric.slots[...] = arrays["slots"]
        self.pulses = int(arrays["pulses"])
        if self.wiring is not None:
            self.wiring.restore(arrays)
        renew_all(self._plant.fabric, self._plant.theta, self._plant.q)

    @property
    def write_energy(self) -> float:
        """Energy that pulses have dissipated in the memristors so far [J]."""
        return float(self._plant.fabric.bank.meter.energy.sum())

    def writes(self) -> list[dict[str, float]]:
        """Return what programming took, one mapping per array, see :meth:`Crossbar.written`."""
        return [
            xbar.written(slots)
            for xbar, slots in zip(self.crossbars, self._plant.fabric.slots, strict=True)
        ]

    def figures(self) -> dict[str, NDArray]:
        """Return what a run record keeps: ``g_plus_l`` and, for pairs, ``g_minus_l`` [S].

        Arrays are numbered as built: forward layers 1..N (bias line last), then backward.
        """
        kept = {}
        for number, xbar in enumerate(self.crossbars, start=1):
            kept[f"g_plus_{number}"] = xbar.conductance[..., 0].copy()
            if xbar.arms == 2:
                kept[f"g_minus_{number}"] = xbar.conductance[..., 1].copy()
            else:
                kept[f"g_reference_{number}"] = xbar.reference.copy()
            pulses = xbar.bank.meter.pulses.sum(axis=1, dtype=np.uint32)
            if pulses.size:
                kept[f"writes_{number}"] = pulses.reshape(xbar.conductance.shape)
        return kept
