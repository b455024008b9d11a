"""Learning with real-valued weights: the published algorithms, exactly, as Numba kernels.

Inside the nudged phase of a continual rule the input weights are never touched. Their change in a
slot is of rank batch, so the first layer's drive follows from the Gram matrix of the inputs, and
since the slots' changes telescope, one product at the end of the phase gives the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..circuits.dynamics import (
    advance,
    block,
    copy,
    drives,
    relax,
    send,
    step,
)
from ..circuits.hopfield import PROTOTYPICAL, Dynamics, HopfieldNetwork, Layout
from ..circuits.lit import add_lit_products, lit_drive
from ..circuits.one_hidden import settle_one_hidden
from ..circuits.products import aligned
from ..jit import kernel
from .contrast import (
    add_products,
    add_to_bias,
    change_layer,
    difference,
    feed_drive,
    feed_products,
    response,
)
from .one_hidden import input_gram, learn_one_hidden
from .rules import Rule

__all__ = ["IdealLearner", "Schedule"]


class Schedule(NamedTuple):
    """Durations and strengths of the two phases; plain numbers, as the kernels take them.

    Attributes
    ----------
    free_steps, nudged_steps
        Time steps T and K of the free and the nudged phase.
    beta
        Nudging strength.
    eta
        Learning rate per weight layer, input side first; shape (N,).
    input_bias
        Whether the biases of the first layer learn.
    """

    free_steps: int
    nudged_steps: int
    beta: float
    eta: NDArray
    input_bias: bool = True

    def scaled(self, rate: float) -> Schedule:
        """Return the schedule with all learning rates multiplied by *rate*."""
        return self._replace(eta=rate * self.eta)


@kernel
def _continual_phase(
    rule, schedule, beta, factor, theta, layout, dynamics, x, drive, target, state, work
):
    """Let neurons and synapses move together for K slots; return the input layer's total change.

    The slots' changes of s_{l-1} x s_l telescope: at any time a weight is what it was, less the
    product at the start, plus the product now. So no weight is written inside the phase; what the
    product now does to the drives follows from the inner products of the samples' states.
    """
    batch = x.shape[0]
    n1 = layout.sizes[1]
    size, rate = state.size, work[2]
    own = aligned(3, 16 * ((size + 15) // 16), work)
    a, sent, new = own[0, :size], own[1, :size], own[2, :size]
    copy(state, sent)
    state = sent
    if dynamics.kind != PROTOTYPICAL:
        sent = work[6]
        send(dynamics, state, sent)
    factor = state.dtype.type(factor)
    gram = input_gram(x, schedule.input_bias)
    first = aligned(batch, n1, sent)
    copy(sent[: batch * n1], first.ravel())
    feed_drive(-factor * state.dtype.type(schedule.eta[0]), gram, first, drive)
    add_products(-factor, schedule.eta, layout, theta, sent)
    for _ in range(schedule.nudged_steps):
        drives(theta, layout, drive, sent, a)
        feed_products(factor, schedule.eta, gram, layout, sent, a)
        advance(layout, dynamics, batch, a, beta, target, state, sent, new, rate)
        state, new = new, state
        if dynamics.kind == PROTOTYPICAL:
            sent = state
        else:
            send(dynamics, state, sent)
    add_products(factor, schedule.eta, layout, theta, sent)
    difference(sent[: batch * n1], first.ravel(), first.ravel())
    return first


@kernel
def _vector_field_phase(
    rule, schedule, beta, factor, theta, layout, dynamics, x, drive, target, state, work
):
    """Do the same for the vector-field rule, whose changes do not telescope."""
    batch = x.shape[0]
    n1 = layout.sizes[1]
    old, new, change, moved, following = work[5], work[6], work[7], work[8], work[9]
    factor = state.dtype.type(factor)
    gram = input_gram(x, schedule.input_bias)
    total = np.zeros((batch, n1), state.dtype)
    send(dynamics, state, old)
    for _ in range(schedule.nudged_steps):
        step(theta, layout, dynamics, drive, beta, target, state, following, work)
        send(dynamics, following, new)
        difference(new, old, change)
        response(layout, dynamics, rule.slope, following, state, change, moved)
        for layer in range(2, layout.sizes.size):
            scale = factor * state.dtype.type(schedule.eta[layer - 1])
            change_layer(
                rule.post_difference, scale, layer, layout, theta, old, new, change, moved
            )
        first = block(moved, 0, batch, n1)
        feed_drive(factor * state.dtype.type(schedule.eta[0]), gram, first, drive)
        total += first
        copy(following, state)
        copy(new, old)
    return total


@kernel
def _contrast_phase(
    rule, schedule, beta, factor, theta, layout, dynamics, x, drive, target, state, work
):
    """Settle under the nudge, then apply one contrast; return the input layer's change."""
    batch, n1 = drive.shape
    old, new, change, moved, other = work[5], work[6], work[7], work[8], work[9]
    copy(state, other)
    relax(schedule.nudged_steps, theta, layout, dynamics, drive, beta, target, state, work)
    factor = state.dtype.type(factor)
    if rule.centred:
        relax(schedule.nudged_steps, theta, layout, dynamics, drive, -beta, target, other, work)
    send(dynamics, other, old)
    send(dynamics, state, new)
    difference(new, old, change)
    response(layout, dynamics, rule.slope, state, other, change, moved)
    for layer in range(2, layout.sizes.size):
        scale = factor * state.dtype.type(schedule.eta[layer - 1])
        change_layer(rule.post_difference, scale, layer, layout, theta, old, new, change, moved)
    first = block(moved if rule.post_difference else change, 0, batch, n1)
    return first.copy()


@kernel
def _input(theta, layout, x):
    n1 = layout.sizes[1]
    drive = aligned(x.shape[0], n1, x)
    weight = block(theta, layout.weight_at[1], x.shape[1], n1)
    lit_drive(x, weight, theta[layout.bias_at[1] : layout.bias_at[1] + n1], drive)
    return drive


def _has_one_hidden(layout: Layout, dynamics: Dynamics) -> bool:
    return dynamics.kind == PROTOTYPICAL and len(layout.sizes) == 3


def free_state(
    steps: int, theta: NDArray, layout: Layout, dynamics: Dynamics,
    x: NDArray, state: NDArray, scratch: NDArray,
) -> NDArray:  # fmt: skip
    """Settle the free phase of inputs *x* from zero in *state*; return x W_1 + b_1.

    The commonest network has a kernel of its own, which compiles in a third of the time.
    """
    drive = _input(theta, layout, x)
    if _has_one_hidden(layout, dynamics):
        settle_one_hidden(steps, theta, layout, dynamics, drive, state)
    else:
        state[:] = 0
        relax(steps, theta, layout, dynamics, drive, 0.0, state, state, scratch)
    return drive


@kernel
def _change_input_layer(scale, bias, theta, layout, x, first):
    n1 = layout.sizes[1]
    add_lit_products(scale, x, first, block(theta, layout.weight_at[1], x.shape[1], n1))
    if bias:
        add_to_bias(scale, first, theta[layout.bias_at[1] : layout.bias_at[1] + n1])


def _phase(rule: Rule) -> Callable[..., NDArray]:
    """Return the rule's nudged phase; chosen out here, so that only that one is compiled."""
    if not rule.continual:
        return _contrast_phase
    return _vector_field_phase if rule.post_difference else _continual_phase


class IdealLearner:
    """A network with real-valued weights that learns batch by batch.

    Parameters
    ----------
    network
        Structure and dynamics.
    theta : (length,)
        Parameters, changed in place; its dtype is the precision of all kernels.
    rule, schedule
        What is learned from the two phases, and how long they last.
    """

    def __init__(
        self, network: HopfieldNetwork, theta: NDArray, rule: Rule, schedule: Schedule
    ) -> None:
        self.network = network
        self.theta = theta
        self.rule = rule
        self.schedule = schedule
        self.cells = 0
        self.pulses = 0
        self.write_energy = 0.0

    def _work(self, batch: int) -> NDArray:
        return np.empty((12, batch * self.network.layout.units), self.theta.dtype)

    def train_batch(
        self, x: NDArray, target: NDArray, sign: float, step: int, rate: float = 1.0
    ) -> NDArray:
        """Learn from one batch; return the free phase's outputs, shape (batch, classes).

        *x* is (batch, n_0), *target* (batch, n_N), *sign* the sign of beta, *rate* multiplies all
        learning rates; *step* is not used, since exact learning draws no random numbers.
        """
        layout, dynamics = self.network.layout, self.network.dynamics
        theta, rule = self.theta, self.rule
        schedule = self.schedule.scaled(rate)
        beta = sign * schedule.beta
        factor = 1.0 / (beta * len(x) * (2 if rule.centred else 1))
        if rule.continual and not rule.post_difference and _has_one_hidden(layout, dynamics):
            free = np.empty(len(x) * layout.units, theta.dtype)
            learn_one_hidden(
                schedule, beta, factor, theta, layout, dynamics, x, target.ravel(), free
            )
            return layout.split(free, len(x))[-1]
        work = self._work(len(x))
        state, free = work[10], work[11]
        drive = free_state(schedule.free_steps, theta, layout, dynamics, x, free, work)
        state[:] = free
        first = _phase(rule)(
            *(rule, schedule, beta, factor, theta, layout, dynamics),
            *(x, drive, target.ravel(), state, work),
        )
        scale = theta.dtype.type(factor * schedule.eta[0])
        _change_input_layer(scale, schedule.input_bias, theta, layout, x, first)
        return layout.split(free, len(x))[-1]

    def outputs(self, x: NDArray, first: int = 0, step: int = 0) -> NDArray:
        """Return the free phase's outputs, shape (rows, classes), for inputs *x* (rows, n_0)."""
        network, rows = self.network, len(x)
        work = self._work(rows)
        state = work[11]
        steps = self.schedule.free_steps
        free_state(steps, self.theta, network.layout, network.dynamics, x, state, work)
        return network.layout.split(state, rows)[-1]

    def state(self) -> dict[str, NDArray]:
        """Return the parameters, the only thing that learning changes."""
        return {"theta": self.theta}

    def restore(self, arrays: dict[str, NDArray]) -> None:
        """Take the parameters back, in place."""
        self.theta[...] = arrays["theta"]

    def figures(self) -> dict[str, NDArray]:
        """Return what a run record keeps: weights ``w_l`` (n_{l-1}, n_l) and biases ``b_l``."""
        layout = self.network.layout
        kept = {}
        for layer in range(1, layout.depth + 1):
            kept[f"w_{layer}"] = layout.weight(self.theta, layer).copy()
            kept[f"b_{layer}"] = layout.bias(self.theta, layer).copy()
        if not layout.symmetric:
            for layer in range(2, layout.depth + 1):
                kept[f"back_{layer}"] = layout.backward(self.theta, layer).copy()
        return kept
