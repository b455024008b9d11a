"""Fit several models and choose one by Akaike's criterion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ...errors import DeviceError
from ..contract import Device
from .estimate import EVEN, Fit, fit_model
from .traces import Traces

__all__ = ["Comparison", "Row", "compare_models"]

_SAME_CURVE = 0.1  # of sigma: rms distance of two curves that are one
_FORMULA = 16  # free numbers; a model of more is a table
_DECISIVE = 10.0  # difference of AICc that speaks for a table (our choice)


class Row(NamedTuple):
    """One model of a comparison.

    Attributes
    ----------
    fit
        The fit.
    difference
        AICc less the smallest one.
    weight
        Akaike weight: share of the evidence, 1 in all.
    same_as
        Name of a better model whose curve is the same on these traces, or "".
    """

    fit: Fit
    difference: float
    weight: float
    same_as: str


class Comparison(NamedTuple):
    """Models from best to worst, the one chosen, and the models that could not be fitted."""

    rows: tuple[Row, ...]
    chosen: Fit
    failed: Mapping[str, str]

    def same_curve(self, name: str) -> bool:
        """Return whether the model *name* is the chosen one, or draws the same curve."""
        fits = {row.fit.device.name: row.fit for row in self.rows}
        return name in fits and _same(fits[name], self.chosen)


def compare_models(models: Iterable[Device], traces: Traces, seed: int = 0) -> Comparison:
    """Fit *models* to *traces* and choose one.

    Chosen is the model with the fewest parameters among those whose AICc is at most 2 above the
    smallest: where a general model is no better than its special case, the special case is meant.
    A table is chosen only where its AICc is more than 10 below that of every formula: noise that
    stays in the cell bends a curve in ways that a table follows and AICc, which takes errors for
    independent, does not charge for in full.

    Raises
    ------
    DeviceError
        No model could be fitted.
    """
    fits, failed = [], {}
    for model in models:
        try:
            fits.append(fit_model(model, traces, seed))
        except DeviceError as error:
            failed[model.name] = str(error)
    if not fits:
        raise DeviceError("\n".join(failed.values()) or "there is no model to fit.")
    fits.sort(key=lambda fit: (fit.aicc, fit.device.name))
    difference = np.array([fit.aicc - fits[0].aicc for fit in fits])
    weight = np.exp(-0.5 * difference)
    weight /= weight.sum()
    rows = []
    for at, fit in enumerate(fits):
        same = next((f.device.name for f in fits[:at] if _same(f, fit)), "")
        rows.append(Row(fit, float(difference[at]), float(weight[at]), same))
    return Comparison(tuple(rows), _chosen(fits), failed)


def _chosen(fits: list[Fit]) -> Fit:
    """Return the fit to choose of *fits*, best first."""
    formulas = [fit for fit in fits if fit.k <= _FORMULA]
    if formulas and formulas[0].aicc - fits[0].aicc <= _DECISIVE:
        fits = formulas
    even = [fit for fit in fits if fit.aicc - fits[0].aicc <= EVEN]
    return min(even, key=_size)


def _size(fit: Fit) -> tuple[int, int]:
    """Return by what models are called simple: what the readings see, then what there is."""
    return fit.k, int((~fit.problem.held).sum())


def _same(one: Fit, other: Fit) -> bool:
    apart = float(np.sqrt(np.mean((one.predicted - other.predicted) ** 2)))
    return apart < _SAME_CURVE * min(one.sigma, other.sigma) and one.k == other.k
