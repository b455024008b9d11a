"""The report for programs: JSON and CSV, SI units throughout."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from .budget import Phase, by_element, by_phase
from .report import Report, headline
from .scopes import scopes

__all__ = ["as_csv", "as_json", "as_mapping"]


def as_mapping(report: Report) -> dict[str, Any]:
    """Return everything in *report* as plain values."""
    subject = report.subject
    return {
        "name": subject.name,
        "technology_node_nm": float(subject.node),
        "layers": list(subject.layers),
        "cells": subject.cells,
        "reference_cells": subject.references,
        "left_out": list(subject.missing),
        "headline": headline(report),
        "scopes": {
            scope.name: {k: v for k, v in scope._asdict().items() if k != "name"}
            for scope in scopes(report)
        },
        "inference": _budget(report.inference),
        "training_sample": _budget(report.sample),
        "latency": {
            "inference": report.inference_latency._asdict(),
            "training_sample": report.sample_latency._asdict(),
        },
        "area": [{**p._asdict(), "area": p.area} for p in report.area],
        "wear": report.wear._asdict() if report.wear else None,
        "verdict": report.verdict,
        "advice": list(report.advice),
        "constants": {name: number._asdict() for name, number in report.numbers.items()},
        "sensitivity": {s.name: {"low": s.low, "high": s.high} for s in report.sensitivities},
        "assumptions": list(report.assumptions),
    }


def as_json(report: Report) -> str:
    """Return *report* as JSON text."""
    return json.dumps(_finite(as_mapping(report)), indent=2, ensure_ascii=False) + "\n"


def as_csv(report: Report) -> str:
    """Return the budgets as one tidy table: a row for each phase and class of element.

    Columns: ``scope``, ``phase``, ``times``, ``duration_s`` (of the phase), ``element``,
    ``energy_J``, ``share`` (of the scope's energy).
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("scope", "phase", "times", "duration_s", "element", "energy_J", "share"))
    for scope, phases in (("inference", report.inference), ("training sample", report.sample)):
        total = sum(by_phase(phases).values())
        for phase in phases:
            for element, value in phase.energy.items():
                share = value / total if total else 0.0
                writer.writerow(
                    (scope, phase.name, phase.times, phase.duration, element, value, share)
                )
    return text.getvalue()


def _budget(phases: Sequence[Phase]) -> dict[str, Any]:
    return {
        "phases": [phase._asdict() for phase in phases],
        "by_phase": by_phase(phases),
        "by_element": by_element(phases),
    }


def _finite(value: Any) -> Any:
    """Replace numbers that JSON has no word for by null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
