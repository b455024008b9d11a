"""Write the pages of docs/ that are tables of the code from the code that they describe.

Usage: ``python docs/make_reference.py``. A test fails while a file differs from what this writes.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ohmlearn.devices import Device, Effects, Preset, ledger
from ohmlearn.devices.effects.fluctuations import FLICKER_SETS
from ohmlearn.devices.effects.retention_sets import RETENTION_SETS
from ohmlearn.devices.registry import builtin_devices
from ohmlearn.experiment import Experiment
from ohmlearn.reporting.constants import ADC_BITS, CONSTANTS, NODES, SOURCES, adc_energy
from ohmlearn.reporting.words import quantity
from ohmlearn.settings.device import DeviceSection
from ohmlearn.tables import engineering

EFFECT_VALUES = {
    "device_to_device": "a number (spread of the step and of both ends of the window), or a "
    "table of spreads: `step`; `step_log` (log-normal); `asymmetry`; `w_max` and `w_min` (shift "
    "of a bound relative to its distance from `g_ref`); any parameter of the model, relative to "
    "its value. A table replaces all spreads of the preset",
    "stuck": "a number (fraction of cells stuck at the low end), or `{ low = ..., high = ... }`",
    "cycle_to_cycle": "a number (sigma), or `{ sigma = ..., of = ... }` with `of` one of "
    """`"step"` (of the actual step), `"nominal"` (of the step at the reference conductance) """
    """and `"window"`""",
    "window": "true or false; false lets the state leave its window: an ablation, not physics",
    "levels": "a whole number of at least 2",
    "endurance": "a number (median of the pulses that a cell endures), or `{ pulses = ..., "
    "spread = ... }` (standard deviation of the logarithm of that number) with any of `fade` "
    "(fraction of the step lost at the end of life), `close_low` and `close_high` (fractions of "
    "the window lost at its ends), `exponent` (1: loss in proportion to the count) and `fails` "
    """(`"low"`, `"high"` or `"hold"`: where a failed cell stands)""",
    "write_noise": "a number, in nominal steps",
    "read_disturb": "`{ change = ..., towards = ..., of = ... }`: change of the state per read, "
    """`towards` `"set"` or `"reset"`, as a fraction `of` the `"distance"` left to that end """
    """(default) or of the `"window"`""",
    "retention": "the name of a published set, or a table: see below",
    "random_telegraph": "`{ fraction = ..., amplitude = ..., capture = ..., emission = ... }`: "
    "fraction of cells that have a trap, relative loss of conductance while it is occupied, mean "
    "times [s] until capture and emission; with `exponent` the amplitude is multiplied by "
    "(g_top / G)^exponent, with `decades` the times of cells spread over so many",
    "flicker_noise": "the name of a published set, a number (q), or a table of `q`, `exponent`, "
    "`max`, `t_read` and `g_max`: relative standard deviation min(q / (G / g_max)^exponent, max) "
    "sqrt(ln((t + t_read) / (2 t_read)))",
    "read_noise": "a number",
}

RETENTION_LAWS = (
    (
        '`kind = "power-law"`',
        "`nu`, `spread`, `t0`, `towards`, `g_max`",
        "`towards` + (G - `towards`) (t / `t0`)^-nu from `t0` on; nu has mean `nu` and standard "
        "deviation `spread` between cells, each a number or a table `{ offset, slope, min, max }` "
        "for offset + slope ln(G / g_max) held between min and max",
    ),
    (
        '`kind = "log"`',
        "`mean`, `mean_slope`, `spread`, `spread_slope`, `t0`",
        "G + `mean` + `mean_slope` ln(t / `t0`), with the standard deviation `spread` + "
        "`spread_slope` ln(t / `t0`), all in siemens",
    ),
    (
        '`kind = "relaxation"`',
        "`times`, `sigma`, `g_max`",
        "G with a standard deviation that depends on G and t: for each of `times` a list in "
        "`sigma` of the coefficients of sigma / g_max in powers of G / g_max, c0 first; "
        "interpolated in ln t",
    ),
)

HERE = Path(__file__).resolve().parent
MADE = "<!-- Written by docs/make_reference.py; do not edit. -->\n"


def reference() -> dict[str, str]:
    """Return the generated files: name in this folder, and text."""
    return {
        "experiments.md": experiments(),
        "devices.md": device_models(),
        "periphery.md": periphery(),
    }


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def experiments() -> str:
    """Return the reference of the experiment file."""
    parts = [
        "# The experiment file\n",
        MADE,
        "An experiment is one TOML file. `ohmlearn run FILE` trains it; `--set section.key=value` "
        "changes a key without editing the file. An unknown key or a value that is not allowed "
        "is an error that names the nearest valid key and what is allowed. Quantities are in SI "
        "units; numbers other than 0 lie between 1e-30 and 1e30, and no spread or noise of a cell "
        "is above 1e6 (10 where it is of a logarithm). The resolved file, with every default "
        "spelled out, is kept with each record.\n",
        "`name` and the sections `[data]`, `[network]`, `[learning]` and `[training]` are "
        "required; so are the keys marked so.\n",
    ]
    for name, info in Experiment.model_fields.items():
        section = section_of(info.annotation)
        if section is None:
            parts += ["## `name`\n", f"Required. {sentence(info)}\n"]
        else:
            rows = [key_row(key, field) for key, field in section.model_fields.items()]
            parts += [f"## `[{name}]`\n", *prose(section)]
            parts.append(table(("key", "type", "default", "allowed"), rows))
        if section is DeviceSection:
            parts += [effect_text()]
    return "\n".join(parts)


def effect_text() -> str:
    """Return the table of device effects, in the order in which they apply."""
    rows = [
        (f"`{row['name']}`", row["meaning"], EFFECT_VALUES[row["name"]])
        for row in ledger(Effects())
    ]
    lead = "The effects, in the order in which they apply; false switches any of them off:\n"
    return "\n".join([lead, table(("effect", "meaning", "value"), rows), retention_text()])


def retention_text() -> str:
    """Return the laws of retention and the names of the ready-made sets."""
    lead = (
        "`retention` gives the conductance a time t after the cell was programmed to G. Times are "
        "in seconds, conductances in siemens; `g_max` defaults to the upper end of the window. "
        "Time passes where a drift is asked for; programming takes none.\n"
    )
    laws = table(("law", "entries", "conductance at time t"), RETENTION_LAWS)
    names = [", ".join(f'`"{name}"`' for name in sets) for sets in (RETENTION_SETS, FLICKER_SETS)]
    sets = (
        f"Published sets: {names[0]} for `retention`, {names[1]} for `flicker_noise`. Their "
        "numbers are those of AIHWKit's noise models: `PCMLike` fits phase-change cells "
        "(Nandakumar 2019, Joshi 2020), `ReRamWan2022` figures of Wan 2022, `ReRamCMO` CMO/HfOx "
        "cells of IBM; sources in full stand in `devices/effects/retention_sets.py`. "
        '`retention = { set = "PCMLike", t0 = 1.0 }` replaces single numbers of a set.\n'
    )
    return "\n".join([lead, laws, sets])


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the section model in *annotation*, which may be optional; None for a plain key."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def prose(section: type[BaseModel]) -> list[str]:
    """Return the docstring of *section* as Markdown, without the name of the section."""
    lines = (line.strip() for line in (section.__doc__ or "").strip().splitlines())
    text = "\n".join(lines).replace("``", "`").split(": ", 1)[1]
    return [text[0].upper() + text[1:] + "\n"]


def key_row(key: str, info: FieldInfo) -> tuple[str, str, str, str]:
    """Return one row of a section's table."""
    kind = type_name(info.annotation)
    if description(info).startswith("a list"):
        kind = kind.removeprefix("float or ")  # where one number does not stand for a list of it
    return f"`{key}`", kind, default(info), sentence(info)


def sentence(info: FieldInfo) -> str:
    """Return the description, which ends the sentence "it must be ...", as a sentence."""
    text = description(info)
    return text[0].upper() + text[1:] + "."


def description(info: FieldInfo) -> str:
    """Return the description of a field, or that of the annotated type it uses."""
    nested = (getattr(extra, "description", None) for extra in info.metadata)
    return info.description or next(text for text in nested if text)


def default(info: FieldInfo) -> str:
    """Return the default of a key as TOML would write it."""
    value = info.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return "left out"
    if isinstance(value, tuple):
        return f"`{value[0] if len(value) == 1 else list(value)}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def type_name(annotation: Any) -> str:
    """Return what TOML calls the type *annotation*."""
    plain = {str: "string", int: "integer", float: "float", bool: "boolean"}
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in plain:
        return plain[annotation]
    if origin is Literal:
        return "string"
    if origin is tuple:
        item = type_name(get_args(arguments[0])[0])
        return f"{item} or array of {item}s" if item == "float" else f"array of {item}s"
    if origin is dict:
        return "table of floats"
    if origin in (Union, types.UnionType):
        return type_name(next(a for a in arguments if a is not types.NoneType))
    return "boolean, float or table"  # an effect


def periphery() -> str:
    """Return the table of constants of a report."""
    rows = [
        (
            f"`{name}`",
            c.meaning,
            " / ".join(quantity(v, c.unit, given=True) for v in (c.low, c.typical, c.high)),
            f"{c.node:g} nm, power {c.exponent:g}" if c.node else "-",
            c.source,
            c.bounds,
        )
        for name, c in CONSTANTS.items()
    ]
    heads = ("constant", "meaning", "low / typical / high", "node and scaling", "source", "range")
    converters = [
        (str(bits), quantity(adc_energy(bits, "32").low, "J"), quantity(energy, "J"),
         quantity(adc_energy(bits, "32").high, "J"))
        for bits, energy in ADC_BITS.items()
    ]  # fmt: skip
    widths = [(node, quantity(width, "m", given=True)) for node, width in NODES.items()]
    sources = [f"- **{name}**: {text}." for name, text in SOURCES.items()]
    return "\n".join(
        [
            "# What the periphery costs\n",
            MADE,
            "The numbers of `ohmlearn report RUN`. A number with a source was found there; where "
            "that is 'as tabled by' a library, the library was read and not the paper. The rest "
            "is our choice, to be replaced in `[hardware]`. Energies are scaled to another "
            "technology node by the power given, which is our choice, too: it passes through the "
            "1 : 3.8 : 14 of Accelergy's ADC model at 32, 65 and 130 nm.\n",
            table(heads, rows),
            "## ADC\n",
            "Energy of a conversion at 32 nm. Typical is ISAAC's 8-bit converter, which "
            "hwcomponents-library scales to other resolutions; low is the SAR "
            "converter of NeuroSim at 8 bits, in proportion to bits + 1, about ten times below "
            "what has been built; high is the median of the ADC survey, 44 fJ per step, at any "
            "node.\n",
            table(("bits", "low", "typical", "high"), converters),
            "## Wires\n",
            "Width of an array's wires, the F of cell areas, of NeuroSim.\n",
            table(("node (nm)", "wire width"), widths),
            "## Sources\n",
            "\n".join(sources) + "\n",
        ]
    )


def device_models() -> str:
    """Return the reference of device models and presets."""
    parts = [
        "# Device models and presets\n",
        MADE,
        "`ohmlearn devices` lists them in short, `ohmlearn devices NAME` prints one of these "
        "tables. A `pulse response` model gives the step of the nominal programming pulse; a "
        "`dynamical` model gives the rate of its state, and its response to the pulse is "
        "integrated. The state x runs from 0 (high resistance) to 1 (low resistance). Presets "
        "marked 'our choice' are for demonstrations; no device was measured for them. A "
        "preset's numbers were read in the program or manual that its source names first; what "
        "stands after 'after' is the work that this program names, and was not read for them.\n",
    ]
    for name, model in builtin_devices().items():
        parts += [f"## {name}\n", *model_text(model)]
    return "\n".join(parts)


def model_text(model: Device) -> Iterator[str]:
    """Yield the section of one model."""
    kind = "Dynamical" if model.dynamical else "Pulse response"
    yield f"{kind} model. Source: {model.reference}.\n"
    if model.one_sided:
        yield (
            'A RESET pulse erases the cell, so the model needs `encoding = "pair"`: either arm '
            "is only SET, and both are RESET and their difference written anew when one is full.\n"
        )
    columns = {"default": model.params(), **{n: p.params for n, p in model.presets.items()}}
    rows = [
        [f"`{name}`", field.meaning]
        + [engineering(getattr(params, name), field.unit) for params in columns.values()]
        for name, field in model.fields().items()
    ]
    yield table(["parameter", "meaning", *columns], rows)
    for alias, (field, _) in model.derive.items():
        yield f"`{alias}` may be given instead of `{field}`.\n"
    if model.presets:
        yield "\n".join(preset_text(name, preset) for name, preset in model.presets.items())


def preset_text(name: str, preset: Preset) -> str:
    """Return the list entry of one preset."""
    on = [
        f"`{row['name']}` {numbers(row['numbers'])}".rstrip()
        for row in ledger(preset.effects)
        if row["on"]
    ]
    note = f" {preset.note}" if preset.note else ""
    return f"- **{name}**: {preset.source}.{note} Effects: {'; '.join(on) or 'none'}.\n"


def numbers(entries: Mapping[str, Any]) -> str:
    """Return the numbers of an effect, such as "sigma 0.3, of step"."""
    return ", ".join(
        f"{k} {v:g}" if isinstance(v, int | float) else f"{k} {v}" for k, v in entries.items()
    )


if __name__ == "__main__":
    for file, text in reference().items():
        (HERE / file).write_text(text, encoding="utf-8")
