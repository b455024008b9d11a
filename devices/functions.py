"""Scalar functions a model may use beside ``math``: safe where the plain ones overflow.

They are pure restricted Python, so that Numba compiles them and SPICE can express them.
"""

from __future__ import annotations

from math import exp, log1p, sinh

__all__ = ["limexp", "limsinh", "smooth_step", "softplus"]


def limexp(u: float) -> float:
    """Return exp(u), continued as a straight line from u = 40 on, so that it cannot overflow."""
    return exp(min(u, 40.0)) * (1.0 + max(u - 40.0, 0.0))


def limsinh(u: float) -> float:
    """Return sinh(u), continued as a straight line beyond u = -40 and u = 40."""
    return sinh(min(max(u, -40.0), 40.0)) * (1.0 + max(abs(u) - 40.0, 0.0))


def softplus(u: float) -> float:
    """Return ln(1 + exp(u)), computed without overflow."""
    return max(u, 0.0) + log1p(exp(-abs(u)))


def smooth_step(u: float) -> float:
    """Return 1 / (1 + exp(-u)), computed without overflow."""
    return 1.0 / (1.0 + limexp(-u))
