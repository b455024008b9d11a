"""Activation circuits: the map rho from a node's drive (or voltage) to the voltage it sends.

=================  ==================================  ==========================================
name               rho(x)                              source
=================  ==================================  ==========================================
sigmoid            1 / (1 + exp(-4 (x - 1/2)))         Ernoult et al. 2020 (arXiv 2005.04168)
tanh               tanh(x)                             the same, gradient comparison
hard-sigmoid       min(max(x, 0), 1)                   Scellier and Bengio 2017
half-hard-sigmoid  min(max(x / 2, 0), 1)               Laborieux et al. 2021
=================  ==================================  ==========================================

The two hard forms share one name in the literature and differ in slope; here each has its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, nearest
from ..jit import kernel, loop
from .vector_math import exponential

__all__ = ["ACTIVATIONS", "activate", "activation_code", "curvature", "slope", "slope_at"]

SIGMOID, TANH, HARD, HALF_HARD = range(4)
ACTIVATIONS = {
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "hard-sigmoid": HARD,
    "half-hard-sigmoid": HALF_HARD,
}


def activation_code(name: str) -> int:
    """Return the kernels' number of the activation *name*; ConfigError if there is none."""
    if name not in ACTIVATIONS:
        raise ConfigError(nearest(name, ACTIVATIONS, "activation"))
    return ACTIVATIONS[name]


@loop
def _sigmoid(a, out):
    one, two, four = a.dtype.type(1.0), a.dtype.type(2.0), a.dtype.type(4.0)
    for i in range(a.size):
        out[i] = one / (one + exponential(two - four * a[i]))


@loop
def _tanh(a, out):
    one, two = a.dtype.type(1.0), a.dtype.type(2.0)
    for i in range(a.size):
        out[i] = one - two / (one + exponential(two * a[i]))


@loop
def _ramp(a, gain, out):
    zero, one, g = a.dtype.type(0.0), a.dtype.type(1.0), a.dtype.type(gain)
    for i in range(a.size):
        out[i] = min(max(g * a[i], zero), one)


@kernel
def activate(code, a, out):
    """Write rho(a) to *out*; both 1-D of one length, *code* from :func:`activation_code`."""
    if code == SIGMOID:
        _sigmoid(a, out)
    elif code == TANH:
        _tanh(a, out)
    elif code == HARD:
        _ramp(a, 1.0, out)
    else:
        _ramp(a, 0.5, out)


@loop
def slope(code, x, rho, out):
    """Write rho'(x) to *out*, given *rho* = rho(x).

    The hard forms keep their slope at both ends of the ramp: a state that rests on a rail must
    be able to leave it, as the integrator between clamping diodes does.
    """
    zero, one, four = x.dtype.type(0.0), x.dtype.type(1.0), x.dtype.type(4.0)
    if code == SIGMOID:
        for i in range(x.size):
            out[i] = four * rho[i] * (one - rho[i])
    elif code == TANH:
        for i in range(x.size):
            out[i] = one - rho[i] * rho[i]
    else:
        gain = one if code == HARD else x.dtype.type(0.5)
        for i in range(x.size):
            out[i] = gain if zero <= gain * x[i] <= one else zero


def curvature(code: int, rho: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return rho'' where the activation's value is *rho* (zero for the hard forms)."""
    if code == SIGMOID:
        return 16.0 * rho * (1.0 - rho) * (1.0 - 2.0 * rho)
    if code == TANH:
        return -2.0 * rho * (1.0 - rho * rho)
    return np.zeros_like(rho)


def slope_at(code: int, rho: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return rho' where the activation's value is *rho* (0 on the rails of the hard forms)."""
    if code == SIGMOID:
        return 4.0 * rho * (1.0 - rho)
    if code == TANH:
        return 1.0 - rho * rho
    gain = 1.0 if code == HARD else 0.5
    return np.where((rho > 0.0) & (rho < 1.0), gain, 0.0)
