"""Learning on memristor cells: every change of a local product becomes pulses at once.

The phases are those of :mod:`.ideal`, with read noise on every line; the weights are what the
cells show, and after each contrast the requests of every array go through the update policy to
the cells. The next slot already hears the changed weights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..circuits.dynamics import block, copy, input_drive, send
from ..circuits.fabric import Fabric, renew_all
from ..circuits.hopfield import HopfieldNetwork
from ..circuits.read_noise import Moment, noisy_relax, squares
from ..circuits.sensing import Sensing, drive_lines, input_parts, parts, sensed_relax
from ..crossbar.array import Crossbar
from ..crossbar.bank import Tick
from ..devices.counter_rng import seed_key
from ..jit import kernel
from .contrast import difference, response
from .ideal import Schedule
from .policies import Policy, Products, program_array
from .rules import Rule

__all__ = ["PulsedLearner"]

_EVALUATION = 1 << 40  # steps of evaluation draw other numbers than those of training


class Plant(NamedTuple):
    """All that a sample's kernel works on and does not choose."""

    fabric: Fabric
    theta: NDArray
    q: NDArray
    read_sigma: float


@kernel
def _active_rows(x, bias):
    """Return the driven word lines of the first array, with the *bias* line if it learns."""
    rows = np.empty(x.shape[1] + 1, np.int64)
    count = 0
    for i in range(x.shape[1]):
        lit = False
        for b in range(x.shape[0]):
            lit = lit or x[b, i] != 0
        if lit:
            rows[count] = i
            count += 1
    rows[count] = x.shape[1]
    return rows[: count + 1] if bias else rows[:count]


@kernel
def _lines(values, at, n, last, out):
    """Write the (batch, n) block of *values* at *at* to *out*, and *last* to its bias column."""
    for b in range(out.shape[0]):
        for i in range(n):
            out[b, i] = values[at + b * n + i]
        for i in range(n, out.shape[1]):
            out[b, i] = last


@kernel
def _program(
    rule, factor, eta, policy, plant, layout, tick, x, lit, old, new, change, drive, q_drive
):
    """Send the contrast (new, old) of all layers to their arrays; return the pulses fired.

    *old* and *new* are what the neurons send, *change* what the rule multiplies: the difference
    of the two, or :func:`~.contrast.response`. Array 0 has requests in its rows *lit* only.
    """
    fabric = plant.fabric
    batch, depth = x.shape[0], layout.sizes.size - 1
    zero, one = x.dtype.type(0.0), x.dtype.type(1.0)
    every = np.empty(layout.unit_at[-1] + layout.sizes[-1] + 1, np.int64)  # no layer has more rows
    for i in range(every.size):
        every[i] = i
    pulses = 0
    for a in range(fabric.rows.size):
        backward = a >= depth
        layer = a + 1 if not backward else a - depth + 2
        m, n, at = layout.sizes[layer - 1], layout.sizes[layer], batch * layout.unit_at[layer]
        pre = np.zeros((batch, fabric.rows[a]), x.dtype)
        dpre = np.zeros((batch, fabric.rows[a]), x.dtype)
        before = batch * layout.unit_at[layer - 1]
        if layer == 1:
            _lines(x.ravel(), before, m, one, pre)
        elif not backward:
            _lines(old if rule.post_difference else new, before, m, one, pre)
        if layer > 1 and backward == rule.post_difference:
            _lines(change, before, m, zero, dpre)
        scale = x.dtype.type(factor) * x.dtype.type(eta[layer - 1]) / fabric.step[a]
        dpost, post = block(change, at, batch, n), block(old, at, batch, n)
        products = Products(scale, pre, dpost, dpre, post)
        now = Tick(tick.k0, tick.k1, tick.step, tick.slot, a)
        rows = lit if a == 0 else every[: fabric.rows[a]]
        pulses += program_array(
            policy, fabric, a, rows, products, now, plant.theta, plant.q, x, drive, q_drive
        )
    return pulses


@kernel
def _drives(sensing, layout, x):
    """Return room for the input's constant drives, one part for each tile read on its own."""
    count = 1
    if sensing is not None:
        count = parts(x.shape[1] + 1, sensing.tile_rows)
    return np.empty((count, x.shape[0], layout.sizes[1]), x.dtype)


@kernel
def _relax(
    steps, plant, sensing, layout, dynamics, moment, beta, target, drive, q_drive, state, work
):
    """Advance *state* by *steps* time steps; without *sensing* every line is read exactly."""
    if sensing is None:
        noisy_relax(
            steps, plant.theta, plant.q, layout, dynamics, drive[0], q_drive[0],
            plant.read_sigma, moment, beta, target, state, work,
        )  # fmt: skip
    else:
        sensed_relax(
            steps, plant.theta, plant.q, layout, dynamics, sensing, drive, q_drive,
            plant.read_sigma, moment, beta, target, state, work,
        )  # fmt: skip


@kernel
def _input(sensing, x, theta, layout, drive):
    if sensing is None:
        input_drive(x, theta, layout, drive[0])
    else:
        input_parts(x, theta, layout, sensing, drive)


@kernel
def _settle(steps, plant, sensing, layout, dynamics, moment, x, drive, q_drive, state, work):
    """Settle the free phase of a batch from zero in *state*, with read noise.

    *drive* and *q_drive*, both (parts, batch, n_1), receive the input's constant drives.
    """
    _input(sensing, x, plant.theta, layout, drive)
    if plant.read_sigma > 0:
        x2 = np.empty_like(x)
        squares(x.ravel(), x2.ravel())
        _input(sensing, x2, plant.q, layout, q_drive)
    else:
        q_drive[:] = 0
    for i in range(state.size):
        state[i] = 0
    _relax(
        steps, plant, sensing, layout, dynamics, moment, 0.0, state, drive, q_drive, state, work
    )


@kernel
def _train(
    rule, schedule, beta, policy, plant, sensing, layout, dynamics, tick, x, target, free, work
):
    """Run both phases on one batch of samples; return the pulses fired.

    A continual rule contrasts every slot with the one before; the others contrast once, after
    all slots, and a centred rule with the phase of the opposite nudge.
    """
    batch = x.shape[0]
    drive, q_drive = _drives(sensing, layout, x), _drives(sensing, layout, x)
    now = Moment(tick.k0, tick.k1, tick.step, 0, 0)
    _settle(
        schedule.free_steps, plant, sensing, layout, dynamics, now, x, drive, q_drive, free, work
    )
    before, state, old, new, change = work[5], work[6], work[7], work[8], work[9]
    copy(free, before)
    copy(free, state)
    lit = _active_rows(x, schedule.input_bias)
    factor = (0.5 if rule.centred else 1.0) / (beta * batch)
    contrasts, steps = schedule.nudged_steps, 1
    if not rule.continual:
        contrasts, steps = 1, schedule.nudged_steps
    pulses = 0
    for slot in range(contrasts):
        for side in range(2 if rule.centred else 1):
            time = schedule.free_steps + slot + side * steps
            now = Moment(tick.k0, tick.k1, tick.step, time, 0)
            _relax(
                steps, plant, sensing, layout, dynamics, now, beta if side == 0 else -beta,
                target, drive, q_drive, state if side == 0 else before, work,
            )  # fmt: skip
        send(dynamics, before, old)
        send(dynamics, state, new)
        difference(new, old, change)
        if rule.post_difference:
            response(layout, dynamics, rule.slope, state, before, change, change)
        pulses += _program(
            rule, factor, schedule.eta, policy, plant, layout,
            Tick(tick.k0, tick.k1, tick.step, slot, 0), x, lit, old, new, change, drive, q_drive,
        )  # fmt: skip
        copy(state, before)
    return pulses


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
    ) -> None:
        self.network = network
        self.crossbars = crossbars
        self.rule = rule
        self.schedule = schedule
        self.policy = policy
        self.sensing = sensing
        self.pulses = 0
        self.cells = int(fabric.bank.x.size)
        self._key = seed_key(seed)
        dtype = fabric.bank.g.dtype
        theta, q = (np.zeros(network.layout.length, dtype) for _ in range(2))
        self._plant = Plant(fabric, theta, q, float(crossbars[0].effects.read_noise))
        renew_all(fabric, theta, q)

    @property
    def theta(self) -> NDArray:
        """Weights and biases that the cells show, laid out as the network's parameters."""
        return self._plant.theta

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
        work = self._work(batch)
        free = work[10]
        tick = Tick(*self._key, step, 0, 0)
        self.pulses += _train(
            self.rule, self.schedule.scaled(rate), sign * self.schedule.beta, self.policy,
            self._plant, self.sensing, network.layout, network.dynamics, tick, self._heard(x),
            target.ravel(), free, work,
        )  # fmt: skip
        return network.layout.split(free, batch)[-1]

    def outputs(self, x: NDArray, first: int = 0, step: int = 0) -> NDArray:
        """Return the free phase's outputs (rows, classes) for rows *first*, ... of a data set."""
        network, rows = self.network, len(x)
        work = self._work(rows)
        state = work[10]
        drive, q_drive = (_drives(self.sensing, network.layout, x) for _ in range(2))
        moment = Moment(*self._key, _EVALUATION + step, 0, first)
        _settle(
            self.schedule.free_steps, self._plant, self.sensing, network.layout, network.dynamics,
            moment, self._heard(x), drive, q_drive, state, work,
        )  # fmt: skip
        return network.layout.split(state, rows)[-1]

    def state(self) -> dict[str, NDArray]:
        """Return what learning changes: cell states, shown conductances, residue, pulses."""
        bank = self._plant.fabric.bank
        pulses = np.array(self.pulses, np.int64)
        return {"x": bank.x, "g": bank.g, "residue": self.policy.residue, "pulses": pulses}

    def restore(self, arrays: dict[str, NDArray]) -> None:
        """Take the cells back, in place, and rebuild the weights from them."""
        bank = self._plant.fabric.bank
        bank.x[...] = arrays["x"]
        bank.g[...] = arrays["g"]
        self.policy.residue[...] = arrays["residue"]
        self.pulses = int(arrays["pulses"])
        renew_all(self._plant.fabric, self._plant.theta, self._plant.q)

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
        return kept
