"""Tables for the terminal: the result of a run, device models and presets, data sets."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .errors import DeviceError, nearest
from .terminal import empty_table

if TYPE_CHECKING:
    from .devices import Device, Preset
    from .record import Record
    from .training.datasets import Listing

__all__ = ["all_devices", "data_sets", "device", "effects", "engineering", "result"]

_MORE_PULSES = "raise learning.eta, take smaller steps, or learning.policy 'stochastic'"
_PREFIXES = {-5: "f", -4: "p", -3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T"}


def engineering(value: float, unit: str) -> str:
    """Return *value* with an SI prefix, as in ``5 µS``; plain where there is no unit for one."""
    if not unit[:1].isalpha():
        return f"{value:.6g}{f' {unit}' if unit not in ('', '1') else ''}"
    power = math.floor(math.log10(abs(value)) / 3 + 1e-9) if value else 0
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    return f"{value / 1000.0**power:.6g} {_PREFIXES[power]}{unit}"


def result(record: Record) -> Iterator[RenderableType]:
    """Yield the outcome of a run and the effects that were on."""
    summary = record.summary
    table = _table(None, "", "")
    for label, text in _outcome(summary):
        table.add_row(label, text)
    table.add_row("record", str(record.folder))
    yield table
    if summary["effects"]:
        yield effects(summary["effects"])


def _outcome(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if summary["test_accuracy"] is not None:
        error = f"error {summary['test_error_percent']:.2f} %"
        yield "test accuracy", f"{100 * summary['test_accuracy']:.2f} % ({error})"
    for rest in summary.get("after_rest", ()):
        after = f"test accuracy after {_span(rest['after_seconds'])}"
        yield after, f"{100 * rest['test_accuracy']:.2f} %"
    if summary["train_accuracy"] is not None:
        yield "training accuracy", f"{100 * summary['train_accuracy']:.2f} %"
    if summary.get("wires"):
        wires = summary["wires"]
        found = f"{wires['tiles_solved']} tiles, largest error {wires['largest_error']:.1e}"
        yield "wires solved", found
    yield "epochs", f"{summary['epochs']}"
    if summary["cpu_seconds_per_epoch"] is not None:
        yield "CPU time per epoch, median", f"{summary['cpu_seconds_per_epoch']:.2f} s"
    if summary["cells"]:
        yield "memristor cells", f"{summary['cells']:,}"
    if summary["pulses_total"]:
        yield "programming pulses", f"{summary['pulses_total']:,}"
        yield "pulses per sample per cell", f"{summary['pulses_per_sample_per_cell']:.3g}"
    elif summary["cells"]:
        yield "programming pulses", f"0: no request asked for a pulse ({_MORE_PULSES})"


def _span(seconds: float) -> str:
    """Return a time; from hours on in the units of people."""
    for length, name in ((86400.0, "days"), (3600.0, "h")):
        if seconds >= length:
            number = f"{seconds / length:.3g}"
            return f"{number} {name.removesuffix('s') if number == '1' else name}"
    return engineering(seconds, "s")


def effects(ledger: Iterable[Mapping[str, Any]]) -> Group:
    """Return the effects that are on, in the order in which they apply, and the others' names."""
    rows = list(ledger)
    table = _table("Effects, in the order in which they apply", "effect", "numbers", "meaning")
    for row in rows:
        if row["on"]:
            numbers = ", ".join(f"{k} {_number(v)}" for k, v in row["numbers"].items())
            table.add_row(str(row["name"]), numbers, str(row["meaning"]))
    off = ", ".join(str(row["name"]) for row in rows if not row["on"])
    return Group(*([table] if table.row_count else []), *([Text(f"Off: {off}.")] if off else []))


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def all_devices() -> Iterator[RenderableType]:
    """Yield the table of device models and that of presets."""
    from .devices import devices, presets

    models = _table("Device models", "model", "kind", "source")
    named = _table("Presets", "preset", "model", "window", "source in short")
    for name, model in sorted(devices().items()):
        kind = "dynamical" if model.dynamical else "pulse response"
        models.add_row(name, kind, model.reference)
    for label, (model, found) in sorted(presets().items(), key=lambda item: item[1][0].name):
        short = re.split("[(,;]", found.source)[0].strip()
        named.add_row(label, model.name, _window(model, found), short)
    yield Group(models, Text(), named)
    yield Text("\nohmlearn devices NAME shows parameters, effects and the source of one.")


def _window(model: Device, preset: Preset) -> str:
    from .devices import window_of

    low, high = (engineering(g, "S") for g in window_of(model, preset.params))
    return f"{low} to {high}"


def device(name: str) -> Iterator[RenderableType]:
    """Yield what is known of the device model or preset called *name*.

    Raises
    ------
    DeviceError
        Nothing has that name; the sentence names the nearest one.
    """
    from .devices import devices, presets

    for label, model in devices().items():
        if label.lower() == name.lower():
            yield from _model(label, model)
            return
    for printed, (model, found) in presets().items():
        if printed.lower() == name.lower():
            yield from preset(model, printed, found)
            return
    raise DeviceError(nearest(name, [*devices(), *presets()], "device model or preset"))


def preset(model: Device, name: str, found: Preset) -> Iterator[RenderableType]:
    """Yield the numbers of a preset, its effects and where it comes from."""
    from .devices import ledger

    yield _parameters(model, f"Preset {name} of model {model.name}", found.params)
    yield effects(ledger(found.effects))
    yield _notes({"source": found.source, "note": found.note})


def _model(label: str, model: Device) -> Iterator[RenderableType]:
    yield _parameters(model, f"Device model {label} (defaults)", model.params())
    derived = ", ".join(f"{name} (sets {field})" for name, (field, _) in model.derive.items())
    presets = ", ".join(model.presets)
    yield _notes({"also accepted": derived, "presets": presets, "source": model.reference})


def _parameters(model: Device, title: str, params: Any) -> Table:
    table = _table(title, "parameter", "value", "meaning")
    for name, field in model.fields().items():
        table.add_row(name, engineering(getattr(params, name), field.unit), field.meaning)
    return table


def _notes(notes: Mapping[str, str]) -> Group:
    return Group(*(Text(f"{label}: {text}") for label, text in notes.items() if text))


def data_sets(listings: Sequence[Listing]) -> Iterator[RenderableType]:
    """Yield the table of data sets and, below it, what is missing or special."""
    table = _table("Data sets", "name", "training", "test", "size", "classes", "licence", "where")
    for row in listings:
        table.add_row(
            row.name,
            f"{row.train:,}",
            f"{row.test:,}",
            " x ".join(map(str, row.shape)),
            str(row.classes),
            row.licence,
            row.where,
            style="" if row.found else "dim",
        )
    yield table
    # A note that comes from an error starts with the name already.
    notes = (
        f"{row.name}: {row.note.removeprefix(f'{row.name}: ')}" for row in listings if row.note
    )
    yield Group(*map(Text, notes))


def _table(title: str | None, *columns: str) -> Table:
    """Return an empty table; long cells are folded, so that nothing is ever cut off."""
    table = empty_table(title, show_header=any(columns))
    for position, column in enumerate(columns):
        table.add_column(Text(column), overflow="fold", no_wrap=position == 0)
    return table
