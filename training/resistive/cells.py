"""Synapses that are memristor cells: requests become programming pulses.

A conductance of the network is one cell, programmed up and down within its window. Current
sources stay numbers: they are no cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...circuits.hopfield import Layout
from ...circuits.products import block
from ...circuits.resistive.packed import Rails
from ...crossbar.array import Crossbar
from ...crossbar.bank import Tick, fire, shift
from ...crossbar.drawing import join
from ...crossbar.history import changing
from ...crossbar.metering import count_slots
from ...devices.counter_rng import seed_key
from ...jit import kernel, loop
from ..policies import IDEAL, Policy, pulse_count
from .conductances import Contrast, named_arrays
from .contrast import change_biases

__all__ = ["Cells"]


@loop
def _add_request(scale, du, su, dv, sv, out):
    for j in range(out.size):
        out[j] -= scale * (du - dv[j]) * (su - sv[j])


@kernel
def _row_request(scale, gain, u_old, u_new, dv, sv, i, out):
    """Write what row *i* asks for, in pulses, to *out* (n_l,)."""
    out[:] = 0
    for b in range(dv.shape[0]):
        du = gain * (u_new[b, i] - u_old[b, i])
        su = gain * (u_new[b, i] + u_old[b, i])
        _add_request(out.dtype.type(0.5) * scale, du, su, dv[b], sv[b], out)


@kernel
def _requested(policy, first, scale, gain, u_old, u_new, old, new, tick, weights, counts):
    """Write one layer's pulses to *weights* and *counts*; return how many weights have any.

    Parameters
    ----------
    first : int
        First cell of the layer's array, one cell per conductance.
    scale : float
        Learning rate over the conductance change of a nominal pulse: a request is in pulses.
    gain : float
        Of the amplifier in front of the conductances.
    u_old, u_new : (batch, n_{l-1})
    old, new : (batch, n_l)
        Voltages in front and behind [V].
    """
    rows, columns = u_old.shape[1], old.shape[1]
    kind, threshold, residue = policy.kind, policy.threshold, policy.residue
    dv, sv = new - old, new + old
    request = np.empty(columns, old.dtype)
    events = 0
    for i in range(rows):
        _row_request(old.dtype.type(scale), gain, u_old, u_new, dv, sv, i, request)
        for j in range(columns):
            weight = i * columns + j
            count = pulse_count(kind, threshold, residue, request[j], first + weight, tick, weight)
            if count != 0:
                weights[events], counts[events] = weight, count
                events += 1
    return events


@kernel
def _changed(scale, gain, step, u_old, u_new, old, new, weights, change):
    """Write one layer's requests [S] to *weights* and *change*; return how many there are."""
    rows, columns = u_old.shape[1], old.shape[1]
    dv, sv = new - old, new + old
    request = np.empty(columns, old.dtype)
    events = 0
    for i in range(rows):
        _row_request(old.dtype.type(scale), gain, u_old, u_new, dv, sv, i, request)
        for j in range(columns):
            r = request[j]
            if r == r and r != 0:
                weights[events], change[events] = i * columns + j, r * step
                events += 1
    return events


@kernel
def _program(policy, bank, first, step, scale, gain, u_old, u_new, old, new, tick, slots):
    """Serve one layer's requests; return the pulses on single cells.

    *step* is the conductance change of a nominal pulse [S], *slots* (2,) receives the pulse slots
    on top; the rest as for :func:`_requested`.
    """
    rows, columns = u_old.shape[1], old.shape[1]
    weights = np.empty(rows * columns, np.int64)
    if policy.kind == IDEAL:
        change = np.empty(rows * columns, bank.g.dtype)
        events = _changed(scale, gain, step, u_old, u_new, old, new, weights, change)
        shift(bank, first, 1, weights[:events], change[:events])
        return 0
    counts = np.empty(rows * columns, np.int64)
    events = _requested(policy, first, scale, gain, u_old, u_new, old, new, tick, weights, counts)
    count_slots(bank, 1, rows, columns, weights[:events], counts[:events], slots)
    return fire(bank, first, 1, weights[:events], counts[:events], tick)


@kernel
def _voltages(layout, layer, batch, u, state):
    """Return the voltages in front of and behind the conductances of a layer."""
    n, at = layout.sizes, layout.unit_at
    behind = block(state, batch * at[layer], batch, n[layer])
    if layer == 1:
        return u, behind
    return block(state, batch * at[layer - 1], batch, n[layer - 1]), behind


@kernel
def _serve(
    policy, bank, cell_at, steps, scales, layout, rails, u, old, new, k0, k1, step, slot, slots
):
    """Serve the requests of all layers; return the pulses on single cells."""
    batch, pulses = u.shape[0], 0
    for layer in range(1, layout.sizes.size):
        before, v = _voltages(layout, layer, batch, u, old)
        after, w = _voltages(layout, layer, batch, u, new)
        a = layer - 1
        tick = Tick(k0, k1, step, slot, a)
        pulses += _program(
            policy, bank, cell_at[a], steps[a], scales[a], rails.gain[layer], before, after, v, w,
            tick, slots[a],
        )  # fmt: skip
    return pulses


class Cells:
    """Conductances held by cells.

    Parameters
    ----------
    layout, rails
        The network.
    theta : (length,)
        Conductances as the cells show them, in units of *unit*, and current sources; kept in step.
    crossbars
        One array of single cells per layer, of shape (n_{l-1}, n_l).
    eta, eta_bias : (N,)
        Learning rates by layer, as for plain numbers.
    policy
        How requests become pulses.
    unit
        Conductance of 1 in theta [S].
    seed
        Seed of the run.
    whole
        Whether pulses go through :meth:`Crossbar.program` of each array, for arrays that have
        one of their own, and not through the kernels.
    """

    def __init__(
        self,
        layout: Layout,
        rails: Rails,
        theta: NDArray,
        crossbars: list[Crossbar],
        eta: NDArray,
        eta_bias: NDArray,
        policy: Policy,
        unit: float,
        seed: int,
        whole: bool = False,
    ) -> None:
        self.layout = layout
        self.rails = rails
        self.theta = theta
        self.crossbars = crossbars
        self.eta = np.asarray(eta, np.float64)
        self.eta_bias = np.asarray(eta_bias, np.float64)
        self.policy = policy
        self.unit = unit
        self.whole = whole
        self.bank = join(crossbars)
        self.slots = np.zeros((len(crossbars), 2), np.int64)
        self.cells = int(self.bank.x.size)
        self._key = seed_key(seed)
        sizes = [xbar.cells for xbar in crossbars]
        self._cell_at = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        self._steps = np.array([xbar.cell_step for xbar in crossbars])
        self._show()

    def _show(self) -> None:
        """Take the conductances over from the cells."""
        for layer, xbar in enumerate(self.crossbars, 1):
            np.divide(
                xbar.conductance[..., 0],
                self.theta.dtype.type(self.unit),
                out=self.layout.weight(self.theta, layer),
            )

    def serve(self, contrast: Contrast) -> int:
        """Turn what the contrast asks for into pulses; return how many that took."""
        u, old, new, scale, step, slot = contrast
        scales = scale * self.eta * self.unit / self._steps
        serve: Any = self._serve_whole if self.whole else _serve
        pulses = serve(
            self.policy, self.bank, self._cell_at, self._steps, scales, self.layout, self.rails,
            u, old, new, *self._key, step, slot, self.slots,
        )  # fmt: skip
        self._show()
        if self.eta_bias.any():
            change_biases(scale * self.eta_bias, self.layout, len(u), old, new, self.theta)
        return int(pulses)

    def _serve_whole(
        self, policy, bank, cell_at, steps, scales, layout, rails, u, old, new, k0, k1, step,
        slot, slots,
    ) -> int:  # fmt: skip
        """Serve the requests of all layers through their arrays; arguments as for the kernel."""
        pulses = 0
        for a, xbar in enumerate(self.crossbars):
            before, v = _voltages(layout, a + 1, len(u), u, old)
            after, w = _voltages(layout, a + 1, len(u), u, new)
            weights, counts = np.empty((2, xbar.cells), np.int64)
            tick = Tick(k0, k1, step, slot, a)
            events = _requested(
                policy, cell_at[a], scales[a], rails.gain[a + 1], before, after, v, w, tick,
                weights, counts,
            )  # fmt: skip
            asked = np.zeros(xbar.shape, np.int64)
            asked.ravel()[weights[:events]] = counts[:events]
            count_slots(bank, 1, *xbar.shape, weights[:events], counts[:events], slots[a])
            if events:
                pulses += xbar.program(asked)
        return pulses

    @contextmanager
    def rested(self, seconds: float) -> Iterator[None]:
        """Show the cells as they are *seconds* later, and then as they were."""
        kept = {name: value.copy() for name, value in changing(self.bank).items()}
        for xbar in self.crossbars:
            xbar.drift(seconds)
        self._show()
        try:
            yield
        finally:
            for name, value in changing(self.bank).items():
                value[...] = kept[name]
            for xbar in self.crossbars:
                xbar.drifts -= 1
            self._show()

    def state(self) -> dict[str, NDArray]:
        """Return the cells, what they have been through, residues and current sources."""
        kept = changing(self.bank) | {"residue": self.policy.residue, "theta": self.theta}
        return kept | {"slots": self.slots}

    def restore(self, arrays: dict[str, NDArray]) -> None:
        """Take the cells and current sources back, in place."""
        for name, value in changing(self.bank).items():
            value[...] = arrays[name]
        self.policy.residue[...] = arrays["residue"]
        self.slots[...] = arrays["slots"]
        self.theta[...] = arrays["theta"]
        self._show()

    def figures(self) -> dict[str, NDArray]:
        """Return ``g_plus_l`` [S] and ``bias_l`` [A] of every layer, and pulses ``writes_l``."""
        kept = named_arrays(self.layout, self.theta, self.unit)
        for number, xbar in enumerate(self.crossbars, 1):
            pulses = xbar.bank.meter.pulses.sum(axis=1, dtype=np.uint32)
            if pulses.size:
                kept[f"writes_{number}"] = pulses.reshape(xbar.conductance.shape)
        return kept
