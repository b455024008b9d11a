"""What a report reads in the record of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, RecordError
from ..experiment import Experiment
from ..record import Record
from ..settings.hardware import HardwareSection
from .reads import Array, with_references
from .subject import Subject, Writes, channel_conductance, nominal_pulse, structure

__all__ = ["recorded"]


def recorded(record: Record, experiment: Experiment) -> Subject:
    """Return what the *record* of a run holds.

    Parameters
    ----------
    record
    experiment
        The record's, perhaps with another ``[hardware]``.

    Raises
    ------
    ConfigError
        If the run has no cells.
    RecordError
        If the record lacks the conductances of an array.
    """
    if experiment.run.level != "device":
        raise ConfigError(
            f"{record.folder} was run at level '{experiment.run.level}', which has weights but no "
            "cells, so there is no energy to report; run it with a [device] section."
        )
    summary, found = record.summary, record.arrays
    arrays = _arrays(experiment, found)
    missing = []
    if experiment.crossbar.encoding == "offset" and not all(array.references for array in arrays):
        missing.append("the record holds no reference cells, so they are left out")
    activity = _activity(experiment, found)
    power = _settled_power(summary, arrays, found)
    if activity is None and power is None:
        missing.append(
            "the record holds no signals of the lines, so reading the arrays is left out"
        )
    writes = _writes(summary.get("writes"), len(arrays))
    if writes is None:
        missing.append("the record holds no programming energy, so writing is left out")
    pulses = [found[name] for name in sorted(found) if name.startswith("writes_")]
    if not pulses:
        missing.append("the record holds no pulses per cell, so wear-out of the worst is left out")
    samples = int(summary.get("train_rows") or 0) * int(summary["epochs"])
    per_cell = float(summary["pulses_total"]) / max(int(summary["cells"]), 1)
    return Subject(
        name=experiment.name,
        experiment=experiment,
        hardware=experiment.hardware or HardwareSection(),
        arrays=arrays,
        activity=activity,
        settled_power=power,
        writes=writes,
        samples=samples,
        pulse=nominal_pulse(experiment),
        worst_pulses=float(max(int(p.max(initial=0)) for p in pulses)) if pulses else None,
        mean_pulses=per_cell,
        ohms=_ledger(summary, "wires"),
        channel=channel_conductance(experiment),
        wear=_ledger(summary, "endurance").get("pulses"),
        missing=tuple(missing),
        record=record,
    )


def _arrays(experiment: Experiment, found: Mapping[str, NDArray]) -> tuple[Array, ...]:
    arrays, offset = [], experiment.crossbar.encoding == "offset"
    for number, (layer, _, ways, bias) in enumerate(structure(experiment), start=1):
        arms = [
            found[f"g_{arm}_{number}"] for arm in ("plus", "minus") if f"g_{arm}_{number}" in found
        ]
        if not arms:
            raise RecordError(f"the record holds no conductances of array {number}.")
        array = Array(layer, np.stack(arms, axis=2), ways, bias)
        if offset:
            column = found.get(f"g_reference_{number}")
            if column is not None:
                array = with_references(array, column, experiment.crossbar.tile)
        arrays.append(array)
    return tuple(arrays)


def _settled_power(
    summary: Mapping[str, Any], arrays: Sequence[Array], found: Mapping[str, NDArray]
) -> dict[str, float] | None:
    """Return the power of the settled free state by class of element [W]; None if not recorded.

    ``drops_l`` are the mean squared voltages across the cells of array l, over test samples; the
    summary's ``settled_power`` has the classes that are not cells, or all of them.
    """
    names = [f"drops_{number}" for number in range(1, len(arrays) + 1)]
    power = {k: float(v) for k, v in (summary.get("settled_power") or {}).items()}
    if all(name in found for name in names):
        power["cells"] = sum(
            float(np.sum(array.g * found[name].reshape(*array.g.shape[:2], -1), dtype=np.float64))
            for array, name in zip(arrays, names, strict=True)
        )
    return power or None


def _activity(experiment: Experiment, found: Mapping[str, NDArray]) -> tuple[NDArray, ...] | None:
    names = [f"activity_{layer}" for layer in range(len(experiment.network.layers))]
    return tuple(found[name] for name in names) if all(n in found for n in names) else None


def _writes(rows: Sequence[Mapping[str, Any]] | None, arrays: int) -> tuple[Writes, ...] | None:
    if not rows or len(rows) != arrays:
        return None
    return tuple(Writes(*(float(row.get(name) or 0.0) for name in Writes._fields)) for row in rows)


def _ledger(summary: Mapping[str, Any], name: str) -> dict[str, float]:
    """Return the numbers of an effect that was on."""
    rows = (r for r in summary["effects"] if isinstance(r, Mapping) and r.get("name") == name)
    row: Mapping[str, Any] = next(rows, {})
    return dict(row.get("numbers") or {}) if row.get("on") else {}
