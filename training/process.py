"""The process of a nudged phase, slot by slot, and its distance from BPTT (Theorem 1).

    Delta_s(t) = (s_{t+1} - s_t) / beta',    Delta_theta(t) = (theta_{t+1} - theta_t) / eta

for t = 0 .. K-1. The nudge of the energy-based dynamics acts inside the time step, so there
beta' = dt beta; the update is the contrast over beta in both dynamics. The slots are made by the
kernels that train, and a learning rate of 0 gives the limit eta -> 0: the weights stand still and
Delta_theta is the contrast alone. EP is C-EP in that limit, as VF is of C-VF.

Theorem 1: lim_{beta -> 0} lim_{eta -> 0} Delta(t) = -nabla(t), with nabla of
:mod:`ohmlearn.training.bptt`. It is exact for the energy-based dynamics with ``output_slope``,
without clamp, and with shared weights; the prototypical dynamics drop the factors rho' from the
contrast, which leaves a distance that does not depend on beta.

References
----------
M. Ernoult, J. Grollier, D. Querlioz, Y. Bengio, B. Scellier, "Equilibrium propagation with
continual weight updates", arXiv 2005.04168 (2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuits.dynamics import block, copy, send, step
from ..circuits.hopfield import PROTOTYPICAL, HopfieldNetwork, Layout
from ..jit import kernel
from .bptt import Gradients, Trajectory
from .contrast import (
    add_to_bias,
    add_to_input_weights,
    change_layer,
    difference,
    feed_drive,
    response,
)

__all__ = [
    "Distance",
    "Process",
    "angle_degrees",
    "compare",
    "nudged_process",
    "relative_error",
    "unit_curves",
    "weight_slices",
]


class Process(NamedTuple):
    """Delta_s (K, batch * units) and Delta_theta (K, length), one row per slot.

    Delta_s is divided by the batch size, as the gradient of the averaged loss is.
    """

    state: NDArray
    theta: NDArray


@kernel
def _contrast(post_difference, scale, theta, layout, x, old, new, change, moved):
    """Add one slot's contrast, *scale* per layer, to all of *theta*, input weights included."""
    for layer in range(2, layout.sizes.size):
        change_layer(
            post_difference, scale[layer - 1], layer, layout, theta, old, new, change, moved
        )
    n = layout.sizes[1]
    first = block(moved if post_difference else change, 0, x.shape[0], n)
    weight = block(theta, layout.weight_at[1], x.shape[1], n)
    add_to_input_weights(scale[0], x, first, weight)
    add_to_bias(scale[0], first, theta[layout.bias_at[1] : layout.bias_at[1] + n])


@kernel
def _slots(
    post_difference,
    beta,
    unit,
    scale,
    theta,
    layout,
    dynamics,
    x,
    gram,
    drive,
    target,
    free,
    ds,
    dtheta,
):
    """Run the nudged phase; write s_{t+1} - s_t and the contrast of each slot."""
    batch, n1 = drive.shape
    work = np.empty((9, free.size), free.dtype)
    state, following, old, new, change = work[3], work[4], work[5], work[6], work[7]
    moved = work[8]
    copy(free, state)
    send(dynamics, state, old)
    for t in range(ds.shape[0]):
        step(theta, layout, dynamics, drive, beta, target, state, following, work)
        send(dynamics, following, new)
        difference(new, old, change)
        difference(following, state, ds[t])
        response(layout, dynamics, False, following, state, change, moved)
        _contrast(post_difference, unit, dtheta[t], layout, x, old, new, change, moved)
        for layer in range(2, layout.sizes.size):
            change_layer(
                post_difference, scale[layer - 1], layer, layout, theta, old, new, change, moved
            )
        feed_drive(
            scale[0], gram, block(moved if post_difference else change, 0, batch, n1), drive
        )
        copy(following, state)
        copy(new, old)


def nudged_process(
    network: HopfieldNetwork,
    theta: NDArray,
    x: NDArray,
    y: NDArray,
    trajectory: Trajectory,
    beta: float,
    eta: ArrayLike = 0.0,
    post_difference: bool | None = None,
) -> Process:
    """Run the nudged phase from the free state and return its process.

    Parameters
    ----------
    network, theta
        Structure and parameters; *theta* is not changed.
    x, y : (batch, n_0), (batch, n_N)
        Inputs and targets.
    trajectory
        The free phase; as many slots are run as it holds steps.
    beta
        Nudging strength, as in training.
    eta
        Learning rate, one number or one per weight layer, input side first; 0 for EP and VF.
    post_difference
        The rule's product, see :class:`~ohmlearn.training.rules.Rule`; left out, that of C-EP
        for shared weights and that of C-VF for separate ones.
    """
    kind, batch, layout = theta.dtype.type, len(x), network.layout
    if post_difference is None:
        post_difference = not layout.symmetric
    steps = len(trajectory.states) - 1
    free = trajectory.states[-1]
    ds = np.empty((steps, free.size), theta.dtype)
    dtheta = np.zeros((steps, theta.size), theta.dtype)
    unit = np.full(layout.depth, 1.0 / (beta * batch)).astype(theta.dtype)
    scale = (np.broadcast_to(np.asarray(eta, float), layout.depth) / (beta * batch)).astype(kind)
    gram = np.ascontiguousarray(x @ x.T + kind(1.0))
    _slots(
        post_difference,
        beta,
        unit,
        scale,
        theta.copy(),
        layout,
        network.dynamics,
        x,
        gram,
        trajectory.drive.copy(),
        np.ascontiguousarray(y, theta.dtype).ravel(),
        free,
        ds,
        dtheta,
    )
    prototypical = network.dynamics.kind == PROTOTYPICAL
    nudge = beta if prototypical else beta * network.dynamics.time_step
    return Process(ds / kind(nudge * batch), dtheta)


def relative_error(delta: NDArray, nabla: NDArray) -> NDArray:
    """Return RelMSE of each column: |nabla + Delta| / max(|nabla|, |Delta|) over time.

    Both are (K, n); the result (n,) lies in [0, 2] and is 0 where both vanish. A ratio of norms,
    called RMSE by its authors (Ernoult et al. 2019, code).
    """
    apart, own, reference = (np.zeros(delta.shape[1]) for _ in range(3))
    for d, n in zip(delta, nabla, strict=True):  # row by row: the whole difference may be huge
        apart += (n + d) ** 2
        own += d**2
        reference += n**2
    largest = np.maximum(reference, own)
    return np.sqrt(apart / np.where(largest > 0, largest, 1.0))


def angle_degrees(a: NDArray, b: NDArray) -> float:
    """Return the angle between two vectors in degrees, exact also where it is tiny.

    NaN where a vector is zero or not finite.
    """
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if not all(0 < length < np.inf for length in lengths):
        return float("nan")
    u, v = a / lengths[0], b / lengths[1]
    return float(np.rad2deg(2.0 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))))


class Distance(NamedTuple):
    """How far a process is from BPTT.

    Attributes
    ----------
    error : dict of (mean, standard deviation)
        RelMSE over the units of layers ``s_1`` ... ``s_N`` (from the input; N is the output) and
        over the synapses of ``w_1`` ... ``w_N`` and, where separate, ``back_2`` ... ``back_N``;
        those that neither side moves, as the synapses of a dark pixel, are left out.
    angle
        Angle in degrees between the total updates of all weights; biases are left out.
    sign_agreement
        Fraction of the weights whose total update has the sign of minus its total gradient;
        weights that neither side would move are left out.
    """

    error: dict[str, tuple[float, float]]
    angle: float
    sign_agreement: float


def weight_slices(layout: Layout) -> Iterator[tuple[str, slice]]:
    """Yield name and place in theta of each weight matrix."""

    def matrices(name: str, at: NDArray, layers: Sequence[int]) -> Iterator[tuple[str, slice]]:
        for k in layers:
            count = int(layout.sizes[k - 1] * layout.sizes[k])
            yield f"{name}_{k}", slice(int(at[k]), int(at[k]) + count)

    yield from matrices("w", layout.weight_at, range(1, layout.depth + 1))
    if not layout.symmetric:
        yield from matrices("back", layout.back_at, range(2, layout.depth + 1))


def unit_curves(layout: Layout, states: NDArray, batch: int) -> dict[str, NDArray]:
    """Return the sum over the batch of *states* (K, batch * units) as ``s_l``: (K, n_l)."""
    curves = {}
    for k in range(1, layout.depth + 1):
        at, n = batch * int(layout.unit_at[k]), int(layout.sizes[k])
        curves[f"s_{k}"] = states[:, at : at + batch * n].reshape(-1, batch, n).sum(axis=1)
    return curves


def compare(layout: Layout, process: Process, gradients: Gradients, batch: int) -> Distance:
    """Return the distance of *process* from minus *gradients*, both from *batch* samples."""
    with np.errstate(over="ignore", invalid="ignore"):  # a process may blow up; it then says nan
        return _compare(layout, process, gradients, batch)


def _compare(layout: Layout, process: Process, gradients: Gradients, batch: int) -> Distance:
    error = {}
    deltas, nablas = (unit_curves(layout, p.state, batch) for p in (process, gradients))
    for name in deltas:
        error[name] = _summary(deltas[name], nablas[name])
    updates, descents = [], []
    for name, where in weight_slices(layout):
        delta, nabla = process.theta[:, where], gradients.theta[:, where]
        error[name] = _summary(delta, nabla)
        updates.append(delta.sum(axis=0))
        descents.append(-nabla.sum(axis=0))
    update, descent = np.concatenate(updates), np.concatenate(descents)
    moving = (update != 0) | (descent != 0)
    agree = np.sign(update[moving]) == np.sign(descent[moving])
    fraction = float(agree.mean()) if agree.size else float("nan")
    return Distance(error, angle_degrees(update, descent), fraction)


def _summary(delta: NDArray, nabla: NDArray) -> tuple[float, float]:
    """Return mean and standard deviation of RelMSE where anything moves at all."""
    moving = delta.any(axis=0) | nabla.any(axis=0)
    if not moving.any():
        return 0.0, 0.0
    values = relative_error(delta, nabla)[moving]
    return float(values.mean()), float(values.std())
