"""Student's t as the law of residuals: an outlier among them counts for little.

A residual r has the density t_nu(r / sigma) / sigma with nu = 4 degrees of freedom. With normal
noise this estimates as well as 96 % of the readings would by least squares; far outliers have
next to no weight. References: K. L. Lange, R. J. A. Little, J. M. G. Taylor, "Robust statistical
modeling using the t distribution", JASA 84, 1989, doi:10.1080/01621459.1989.10478852; P. J. Huber,
"Robust Statistics", 1981, doi:10.1002/0471725250 (covariance of an M-estimator, section 7.6).
"""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "NU",
    "deviation",
    "log_likelihood",
    "loss",
    "scale",
    "variance_factor",
    "weights",
]

NU = 4.0


def loss(z: np.ndarray) -> np.ndarray:
    """Return rho, rho' and rho'' of squared scaled residuals *z*, for scipy's least_squares."""
    return np.array([(NU + 1) * np.log1p(z / NU), (NU + 1) / (NU + z), -(NU + 1) / (NU + z) ** 2])


def weights(z: np.ndarray) -> np.ndarray:
    """Return the weight, at most 1 + 1 / nu, of squared scaled residuals *z*."""
    return (NU + 1) / (NU + z)


def deviation(r: np.ndarray) -> float:
    """Return the standard deviation of the bulk of *r* about 0, from the median of its size."""
    return float(1.482602 * np.median(np.abs(r)))


def scale(r: np.ndarray, floor: float) -> float:
    """Return the sigma of greatest likelihood for residuals *r*, at least *floor*."""
    sigma = max(deviation(r), floor)
    for _ in range(100):
        new = max(math.sqrt(float(np.mean(weights((r / sigma) ** 2) * r**2))), floor)
        if abs(new - sigma) < 1e-10 * sigma:
            return new
        sigma = new
    return sigma


def log_likelihood(r: np.ndarray, sigma: float | np.ndarray) -> float:
    """Return the log-likelihood of residuals *r* with scale *sigma* (one, or one each)."""
    constant = math.lgamma((NU + 1) / 2) - math.lgamma(NU / 2) - 0.5 * math.log(NU * math.pi)
    terms = constant - np.log(sigma) - (NU + 1) / 2 * np.log1p((r / sigma) ** 2 / NU)
    return float(np.sum(np.broadcast_to(terms, np.shape(r))))


def variance_factor(r: np.ndarray, sigma: float, parameters: int) -> float:
    """Return c such that the covariance of the estimates is c (J^T J)^-1, after Huber.

    It holds whatever the law of the residuals is, as long as they are independent of each other
    and of the parameters.
    """
    n = len(r)
    z = (r / sigma) ** 2
    score = weights(z) * r
    slope = (NU + 1) * (NU - z) / (NU + z) ** 2
    mean = max(float(np.mean(slope)), 1e-3)
    correction = 1.0 + parameters / n * float(np.var(slope)) / mean**2
    freedom = max(n - parameters, 1)
    return correction**2 * float(np.sum(score**2)) / freedom / mean**2
