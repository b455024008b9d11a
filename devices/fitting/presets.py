"""From a fit to a preset that experiments can name."""

from __future__ import annotations

from typing import Any

from ..contract import Preset
from ..parameters import check_params
from .compare import Comparison
from .estimate import Fit
from .noise import Noise
from .traces import Traces, describe

__all__ = ["preset_of", "quality_of"]


def preset_of(fit: Fit, noise: Noise, traces: Traces) -> Preset:
    """Return the preset that *fit* and *noise* describe.

    A direction of pulses that was not measured takes the numbers of the other one; the note says
    so, and which parameters the traces do not determine.

    Raises
    ------
    DeviceError
        The fitted numbers are not those of a possible cell.
    """
    params, mirrored = fit.completed
    check_params(fit.device, params)
    notes = ["Voltages and widths of the pulses are the model's defaults: a trace has none."]
    if mirrored:
        notes.append(
            f"{', '.join(mirrored)} taken from the other direction of pulses, since this one was "
            "not measured."
        )
    if fit.undetermined:
        notes.append(f"Not determined by the traces: {', '.join(fit.undetermined)}.")
    if traces.kind.startswith("up_data"):
        notes.append("Weights, where the file had them, were read as 50 uS + 25 uS w.")
    source = f"fitted to {traces.source} ({describe(traces)})"
    return Preset(params, noise.effects, source, " ".join(notes))


def quality_of(comparison: Comparison, noise: Noise, traces: Traces) -> dict[str, Any]:
    """Return how well the chosen model fits, in plain numbers."""
    fit = comparison.chosen
    return {
        "readings": int(traces.g.size),
        "cells": traces.devices,
        "residual_sd_siemens": fit.sigma,
        "residual_sd_of_window": fit.sigma / fit.width,
        "gain": fit.gain,
        "outliers": noise.outlier_fraction,
        "aicc": {row.fit.device.name: row.difference for row in comparison.rows},
        "interval_95": {
            p.name: [p.low, p.high]
            for p in fit.parameters
            if p.low is not None and p.high is not None and p.status == "fitted"
        },
    }
