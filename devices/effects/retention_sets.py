"""Published retention laws by name, and how an experiment names or spells out one.

References
----------
V. Joshi et al., "Accurate deep neural network inference using computational phase-change
memory", Nature Communications 11, 2473, 2020, doi:10.1038/s41467-020-16108-9.
S. R. Nandakumar et al., "Phase-change memory models for deep learning training and inference",
ICECS 2019, doi:10.1109/ICECS46596.2019.8964852.
W. Wan et al., "A compute-in-memory chip based on resistive random-access memory", Nature 608,
504-512, 2022, doi:10.1038/s41586-022-04992-8.
All numbers are those of the noise models of AIHWKit (M. J. Rasch et al., AICAS 2021,
doi:10.1109/AICAS51828.2021.9458494), which names these works as its sources. For Wan 2022 it
fitted polynomials to figures; its fits for CMO/HfOx cells are to measurements of D. F. Falcone et
al. (IBM), in review when they were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import DeviceError, nearest
from .entries import from_table
from .retention import KINDS, Line, Logarithmic, PowerLaw, Relaxation, Retention

__all__ = ["RETENTION_SETS", "parse_retention"]

_WAN_G_MAX = 40.0  # uS
_WAN = {
    1.0: (0.348, 16.03, -43.853, 45.393, -16.815),
    86400.0: (0.701, 22.086, -50.773, 47.095, -16.458),
    172800.0: (0.782, 20.274, -43.507, 37.062, -11.934),
}  # uS

RETENTION_SETS: Mapping[str, Retention] = {
    # Nandakumar 2019, Joshi 2020, as in AIHWKit. Its time of inference counts from t0.
    "PCMLike": PowerLaw(
        nu=Line(0.0244, -0.0155, 0.049, 0.1),
        spread=Line(-0.0059, -0.0125, 0.008, 0.045),
        t0=20.0,
        g_max=25e-6,
    ),
    # Polynomials that AIHWKit fitted to figures of Wan 2022.
    "ReRamWan2022": Relaxation(
        times=tuple(_WAN),
        sigma=tuple(tuple(c / _WAN_G_MAX for c in row) for row in _WAN.values()),
        g_max=_WAN_G_MAX * 1e-6,
    ),
    # CMO/HfOx of IBM (Falcone et al.), as in AIHWKit; measured from 9 to 88 uS.
    "ReRamCMO": Logarithmic(
        mean_slope=-0.08900206e-6, spread=0.41183342e-6, spread_slope=0.04201137e-6
    ),
}
"""Published retention: name to law."""


def parse_retention(value: Any, base: Retention | None) -> Retention:
    """Return the law that an experiment names or spells out.

    A string names one of :data:`RETENTION_SETS`. A table holds ``set`` (whose numbers the other
    entries replace), or ``kind`` and its entries, or entries that replace those of *base*.

    Raises
    ------
    DeviceError
        If a name or a number is not allowed.
    """
    table = {"set": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise DeviceError(
            f"retention is {value!r}; allowed is the name of a published set or a table."
        )
    table = dict(table)
    if "set" in table:
        name = str(table.pop("set"))
        if name not in RETENTION_SETS:
            raise DeviceError(nearest(name, RETENTION_SETS, "retention set"))
        base = RETENTION_SETS[name]
    elif "kind" in table:
        name = str(table.pop("kind"))
        if name not in KINDS:
            raise DeviceError("retention.kind: " + nearest(name, KINDS, "kind"))
        base = base if isinstance(base, KINDS[name]) else None
        return from_table(KINDS[name], _with_lines(table), base, "retention")
    if base is None:
        raise DeviceError("retention needs kind or set; give one of them in its table.")
    return from_table(type(base), _with_lines(table), base, "retention")


def _with_lines(table: dict[str, Any]) -> dict[str, Any]:
    return {
        key: from_table(Line, value, None, f"retention.{key}")
        if isinstance(value, Mapping)
        else value
        for key, value in table.items()
    }
