"""What is left over: noise that stays in the cell, noise of the reading, spread between cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ...errors import DeviceError
from ..contract import nominal_step
from ..effects import CycleToCycle, Effects
from .coordinates import window_fields
from .estimate import Fit, fit_model
from .noise_filter import fit_noise
from .traces import Traces

__all__ = ["Noise", "Term", "noise_of"]

FEWEST_CELLS = 3


class Term(NamedTuple):
    """One term of noise: the effect it becomes, its size with a 95 % interval, and its meaning."""

    effect: str
    value: float
    low: float
    high: float
    meaning: str


class Noise(NamedTuple):
    """The ledger of noise terms, and the same as effects of a cell."""

    terms: tuple[Term, ...]
    effects: Effects
    outlier_fraction: float


def noise_of(fit: Fit, traces: Traces, seed: int = 0) -> Noise:
    """Return the noise of *traces* about *fit*, and the spread between cells if there are >= 3.

    Noise of a pulse becomes ``cycle_to_cycle``, relative to the step or to the window. Noise of a
    reading becomes ``read_noise`` where it goes with the conductance, else ``write_noise``, in
    nominal steps: with one reading per pulse the noise of the instrument, of the reading, and of
    what a pulse leaves for the moment are one.
    """
    found = list(_of_table(fit, traces) if traces.spread is not None else _of_trace(fit, traces))
    spreads = _between_cells(fit, traces, seed)
    effects: dict[str, Any] = {}
    for term in found:
        name, _, of = term.effect.partition(", of ")
        effects[name] = CycleToCycle(term.value, of) if of else term.value
    if any(term.value > 0 for term in spreads.values()):
        effects["device_to_device"] = {n: t.value for n, t in spreads.items() if t.value > 0}
    terms = (*found, *spreads.values())
    return Noise(terms, Effects(**effects), float(np.mean(fit.outliers)))


def _of_trace(fit: Fit, traces: Traces) -> Iterator[Term]:
    noise = fit_noise(fit, traces)
    if noise.cycle > 0:
        of = "step" if noise.of_step else "window"
        meaning = f"noise of each pulse, which stays in the cell, relative to the {of}"
        yield _term(f"cycle_to_cycle, of {of}", noise.cycle, noise.cycle_error, meaning)
    if noise.of_conductance:
        meaning = "noise of each reading, relative to the conductance"
        yield _term("read_noise", noise.reading, noise.reading_error, meaning)
    else:
        size = noise.reading / nominal_step(fit.completed[0])
        yield _term("write_noise", size, noise.reading_error, _WRITE_NOISE)


_WRITE_NOISE = "noise of each reading, in nominal steps, the same at any conductance"


def _of_table(fit: Fit, traces: Traces) -> Iterator[Term]:
    """Yield the noise that a table of states gives with its means."""
    assert traces.spread is not None
    size = float(np.median(traces.spread)) / fit.width / nominal_step(fit.completed[0])
    yield _term("write_noise", size, 0.5 / np.sqrt(traces.g.size), _WRITE_NOISE)


def _term(effect: str, size: float, error: float, meaning: str) -> Term:
    factor = float(np.exp(min(1.96 * error, 5.0)))
    return Term(effect, float(size), float(size / factor), float(size * factor), meaning)


def _between_cells(fit: Fit, traces: Traces, seed: int) -> Mapping[str, Term]:
    """Return the relative spread of the window's ends and of the step."""
    if traces.devices < FEWEST_CELLS:
        return {}
    values: dict[str, list[float]] = {"g_min": [], "g_max": [], "step": []}
    low, high = window_fields(fit.device)
    for device in np.unique(traces.device).tolist():
        try:
            own = fit_model(fit.device, traces.of_device(device), seed).completed[0]
        except DeviceError:
            continue
        ends = getattr(own, low), getattr(own, high)
        values["g_min"].append(ends[0])
        values["g_max"].append(ends[1])
        values["step"].append(nominal_step(own) * (ends[1] - ends[0]))
    n = len(values["step"])
    if n < FEWEST_CELLS:
        return {}
    spreads = {name: float(np.std(v, ddof=1) / np.mean(v)) for name, v in values.items()}
    error = 1 / np.sqrt(2 * (n - 1))
    return {
        name: _term(
            f"device_to_device, {name}", s, error, f"relative spread of {name} between {n} cells"
        )
        for name, s in spreads.items()
    }
