"""Measured noise of programmed RRAM conductances, as polynomials and logarithms.

Two sets of fits: the 130 nm RRAM of NeuRRAM (Wan 2022), and a CMO/HfOx cell (IBM). Conductances
and their standard deviations are in siemens; every function takes scalars or arrays.

References
----------
W. Wan et al., "A compute-in-memory chip based on resistive random-access memory", Nature 608,
2022, doi:10.1038/s41586-022-04992-8. The CMO/HfOx fits (D. F. Falcone et al.; read noise T.
Lombardo et al.) and all numbers as in IBM/aihwkit at commit 4545f11 (MIT licence; M. J. Rasch et
al., AICAS 2021, doi:10.1109/AICAS51828.2021.9458494).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ...errors import DeviceError

__all__ = [
    "CMO_T_READ",
    "CMO_WINDOW",
    "WAN2022_G_MAX",
    "cmo_drift_mean",
    "cmo_drift_std",
    "cmo_read_sigma",
    "cmo_sigma_prog",
    "wan2022_sigma",
]

WAN2022_G_MAX = 40e-6
"""Full scale of the Wan 2022 fits [S]."""

_WAN2022 = {
    1.0: (0.348, 16.03, -43.853, 45.393, -16.815),
    86400.0: (0.701, 22.086, -50.773, 47.095, -16.458),
    172800.0: (0.782, 20.274, -43.507, 37.062, -11.934),
}

CMO_WINDOW = (8e-6, 90e-6)
"""Conductances the CMO/HfOx fits are meant for [S]."""

CMO_T_READ = 1e-6
"""Duration of a read, which bounds the 1/f noise [s]."""

_CMO_PROG = {0.002: (0.00081107, 0.00106879), 0.02: (0.0112185391, 0.01129027418)}


def wan2022_sigma(g: ArrayLike, t: float) -> np.ndarray:
    """Return the standard deviation [S] of conductances programmed to *g* [S], after *t* [s].

    Fits exist after 1 s, 1 day (86400 s) and 2 days (172800 s). They are of the state itself; the
    source adds about 1 % for the short-term noise of a read.

    Raises
    ------
    DeviceError
        If there is no fit for *t*.
    """
    if t not in _WAN2022:
        times = ", ".join(f"{known:g}" for known in _WAN2022)
        raise DeviceError(f"Wan 2022: no fit after {t:g} s; allowed is one of {times} s.")
    x = np.asarray(g, dtype=float) / WAN2022_G_MAX
    return 1e-6 * np.polynomial.polynomial.polyval(x, _WAN2022[t])


def cmo_sigma_prog(g: ArrayLike, tolerance: float) -> np.ndarray:
    """Return the standard deviation [S] of conductances programmed to *g* [S].

    *tolerance* is that of the write-verify loop, as a fraction of the target: 0.002 or 0.02.

    Raises
    ------
    DeviceError
        If there is no fit for *tolerance*.
    """
    if tolerance not in _CMO_PROG:
        known = " or ".join(f"{t:g}" for t in _CMO_PROG)
        raise DeviceError(
            f"CMO/HfOx: no fit for a tolerance of {tolerance:g}; allowed is {known}."
        )
    offset, slope = _CMO_PROG[tolerance]
    return 1e-6 * (offset + slope * np.asarray(g, dtype=float) * 1e6)


def cmo_drift_mean(t: ArrayLike) -> np.ndarray:
    """Return the mean change of conductance [S] in the *t* [s] (above 0) since programming."""
    return -0.08900206e-6 * np.log(np.asarray(t, dtype=float))


def cmo_drift_std(t: ArrayLike) -> np.ndarray:
    """Return the standard deviation [S] of the change in the *t* [s] since programming."""
    return 1e-6 * np.maximum(0.04201137 * np.log(np.asarray(t, dtype=float)) + 0.41183342, 0.0)


def cmo_read_sigma(g: ArrayLike, t: ArrayLike) -> np.ndarray:
    """Return the standard deviation [S] of a read of conductance *g* [S], *t* [s] after writing.

    *g* above 1 uS, *t* at least ``CMO_T_READ``.
    """
    bandwidth = np.log((np.asarray(t, dtype=float) + CMO_T_READ) / (2.0 * CMO_T_READ))
    return 1e-6 * 0.0277316483 * np.log10(np.asarray(g, dtype=float) * 1e6) * np.sqrt(bandwidth)
