"""Activation circuits: the map rho from a node's drive (or voltage) to the voltage it sends.

=================  ==================================  ==========================================
name               rho(x)                              source
=================  ==================================  ==========================================
sigmoid            1 / (1 + exp(-4 (x - 1/2)))         Ernoult et al. 2020, code of arXiv 2005.04168
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
def _sigmoid(a, out):  # type: ignore[no-untyped-def]
    one, two, four = a.dtype.type(1.0), a.dtype.type(2.0), a.dtype.type(4.0)
    for i in range(a.size):
        out[i] = one / (one + exponential(two - four * a[i]))


@loop
def _tanh(a, out):  # type: ignore[no-untyped-def]
    one, two = a.dtype.type(1.0), a.dtype.type(2.0)
    for i in range(a.size):
        out[i] = one - two / (one + exponential(two * a[i]))


@loop
def _ramp(a, gain, out):  # type: ignore[no-untyped-def]
    zero, one, g = a.dtype.type(0.0), a.dtype.type(1.0), a.dtype.type(gain)
    for i in range(a.size):
        out[i] = min(max(g * a[i], zero), one)


@kernel
def activate(code, a, out):  # type: ignore[no-untyped-def]
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
def slope(code, x, rho, out):  # type: ignore[no-untyped-def]
    """Write rho'(x) to *out*, given *rho* = rho(x); the hard forms have slope 0 at their ends."""
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
            out[i] = gain if zero < rho[i] < one else zero


def curvature(code: int, rho: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return rho'' where the activation's value is *rho* (zero for the hard forms)."""
    if code == SIGMOID:
        return 16.0 * rho * (1.0 - rho) * (1.0 - 2.0 * rho)
    if code == TANH:
        return -2.0 * rho * (1.0 - rho * rho)
    return np.zeros_like(rho)


def slope_at(code: int, rho: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return rho' where the activation's value is *rho*."""
    flat = np.ascontiguousarray(rho).ravel()
    out = np.empty_like(flat)
    slope(code, flat, flat, out)
    return out.reshape(rho.shape)
