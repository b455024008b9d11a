"""Synapses that are memristor cells: requests become programming pulses.

A conductance of the network is one cell, programmed up and down within its window. Current
sources stay numbers: they are no cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ...circuits.hopfield import Layout
from ...circuits.products import block
from ...circuits.resistive.descent import Rails
from ...crossbar.array import Crossbar
from ...crossbar.bank import Tick, fire, shift
from ...crossbar.drawing import join
from ...crossbar.history import changing
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
def _program(policy, bank, first, step, scale, gain, u_old, u_new, old, new, tick):
    """Serve one layer's requests; return the pulses on single cells.

    Parameters
    ----------
    first : int
        First cell of the layer's array, one cell per conductance.
    step : float
        Conductance change of a nominal pulse [S].
    scale : float
        Learning rate over *step*: a request is in pulses.
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
    weights = np.empty(rows * columns, np.int64)
    counts = np.empty(rows * columns, np.int64)
    change = np.empty(rows * columns if kind == IDEAL else 0, bank.g.dtype)
    events = 0
    for i in range(rows):
        _row_request(old.dtype.type(scale), gain, u_old, u_new, dv, sv, i, request)
        for j in range(columns):
            weight, r = i * columns + j, request[j]
            if kind == IDEAL:
                if r == r and r != 0:
                    weights[events], change[events] = weight, r * step
                    events += 1
                continue
            count = pulse_count(kind, threshold, residue, r, first + weight, tick, weight)
            if count != 0:
                weights[events], counts[events] = weight, count
                events += 1
    if kind == IDEAL:
        shift(bank, first, 1, weights[:events], change[:events])
        return 0
    return fire(bank, first, 1, weights[:events], counts[:events], tick)


@kernel
def _serve(policy, bank, cell_at, steps, scales, layout, rails, u, old, new, k0, k1, step, slot):
    """Serve the requests of all layers; return the pulses on single cells."""
    n, at, batch, pulses = layout.sizes, layout.unit_at, u.shape[0], 0
    for layer in range(1, n.size):
        v = block(old, batch * at[layer], batch, n[layer])
        w = block(new, batch * at[layer], batch, n[layer])
        if layer == 1:
            before, after = u, u
        else:
            before = block(old, batch * at[layer - 1], batch, n[layer - 1])
            after = block(new, batch * at[layer - 1], batch, n[layer - 1])
        tick = Tick(k0, k1, step, slot, layer - 1)
        a = layer - 1
        pulses += _program(
            policy, bank, cell_at[a], steps[a], scales[a], rails.gain[layer], before, after, v, w,
            tick,
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
    ) -> None:
        self.layout = layout
        self.rails = rails
        self.theta = theta
        self.crossbars = crossbars
        self.eta = np.asarray(eta, np.float64)
        self.eta_bias = np.asarray(eta_bias, np.float64)
        self.policy = policy
        self.unit = unit
        self.bank = join(crossbars)
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
        pulses = _serve(
            self.policy, self.bank, self._cell_at, self._steps, scales, self.layout, self.rails,
            u, old, new, *self._key, step, slot,
        )  # fmt: skip
        self._show()
        if self.eta_bias.any():
            change_biases(scale * self.eta_bias, self.layout, len(u), old, new, self.theta)
        return int(pulses)

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
        return changing(self.bank) | {"residue": self.policy.residue, "theta": self.theta}

    def restore(self, arrays: dict[str, NDArray]) -> None:
        """Take the cells and current sources back, in place."""
        for name, value in changing(self.bank).items():
            value[...] = arrays[name]
        self.policy.residue[...] = arrays["residue"]
        self.theta[...] = arrays["theta"]
        self._show()

    def figures(self) -> dict[str, NDArray]:
        """Return ``g_plus_l`` [S] and ``bias_l`` [A] of every layer."""
        return named_arrays(self.layout, self.theta, self.unit)
