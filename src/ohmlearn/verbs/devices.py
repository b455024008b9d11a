"""The verb ``devices``: list, show, draw, write and check. Everything heavy is imported on use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeGuard

import typer

from ..errors import ConfigError, DeviceError, nearest
from ..exits import FAILURE, explained_errors
from ..terminal import print_parts
from .options import path_argument, path_option

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..devices import Device, Preset
    from ..devices.checks import Check
    from ..figures.device import Cell

__all__ = ["devices"]


def devices(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A device model, a preset, or the path of a preset file."
        ),
    ] = None,
    file: Annotated[
        Path | None, path_argument("FILE", "With --plot: the figure; else NAME.png.")
    ] = None,
    plot: Annotated[
        bool,
        typer.Option("--plot", help="Draw pulse response, steps and hysteresis loop of NAME."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Check that NAME, or every model, obeys the contract."),
    ] = False,
    verilog_a: Annotated[
        Path | None,
        path_option("--verilog-a", metavar="FILE", what="Write NAME as a Verilog-A module."),
    ] = None,
    spice: Annotated[
        Path | None,
        path_option("--spice", metavar="FILE", what="Write NAME as a subcircuit of SPICE."),
    ] = None,
    dialect: Annotated[
        str | None,
        typer.Option(help="With --spice: ngspice (else), hspice, ltspice, spectre or xyce."),
    ] = None,
) -> None:
    """List device models and presets; with NAME, its parameters, effects and source."""
    with explained_errors():
        if file is not None and not plot:
            raise ConfigError(f"{file}: a file is for --plot: devices NAME --plot FILE.")
        exported = verilog_a is not None or spice is not None
        if plot + check + exported > 1:
            raise ConfigError(
                "--plot draws, --check checks, --verilog-a and --spice write: choose one of them."
            )
        if dialect is not None and spice is None:
            raise ConfigError(f"--dialect {dialect} is for --spice FILE.")
        if exported:
            _export(name, verilog_a, spice, dialect or "ngspice")
        elif plot:
            _plot(name, file)
        elif check:
            failures = _check(name)
            if failures:
                raise typer.Exit(FAILURE)
        else:
            _list(name)


def _list(name: str | None) -> None:
    from .. import tables

    if name is None:
        print_parts(tables.all_devices())
        _tell_problems()
    else:
        print_parts(_own_file(name) if _is_path(name) else tables.device(name))


def _is_path(name: str | None) -> TypeGuard[str]:
    return name is not None and name.lower().endswith(".toml")


def _own_file(name: str) -> Iterator[RenderableType]:
    from .. import tables
    from ..devices import get_device
    from ..devices.preset_files import read_preset

    found = read_preset(name, get_device)
    yield from tables.preset(found.device, found.name, found.preset)


def _tell_problems() -> None:
    from ..devices.registry import problems

    for sentence in problems():
        typer.echo(f"left out: {sentence}", err=True)


def _plot(name: str | None, file: Path | None) -> None:
    if name is None:
        raise ConfigError("--plot needs the NAME of a device model or a preset.")
    from ..figures.device import draw_device

    cell = _cell(name)
    stem = "".join(c if c.isalnum() or c in "-._" else "-" for c in Path(name).name)
    path = draw_device(file or Path(f"{stem.removesuffix('.toml')}.png"), cell)
    typer.echo(f"figure: {path}")


def _export(name: str | None, verilog: Path | None, spice: Path | None, dialect: str) -> None:
    """Write the nominal cell as text that other programs read."""
    if name is None:
        raise ConfigError(
            "--verilog-a and --spice need the NAME of a device model, a preset or a preset file."
        )
    from ..devices import Effects
    from ..spice_netlists.parts import DIALECTS, subcircuit
    from ..spice_netlists.parts import verilog_a as module

    if dialect not in DIALECTS:
        raise ConfigError(nearest(dialect, DIALECTS, "dialect"))
    cell = _cell(name)
    label = Path(name).stem if _is_path(name) else name
    texts = []
    if verilog is not None:
        texts.append((verilog, module(cell.params, label=label), "Verilog-A"))
    if spice is not None:
        title = DIALECTS[dialect].title
        texts.append((spice, subcircuit(cell.params, dialect, label=label), title))
    for path, text, language in texts:
        _refuse_to_lose(path, _opening(text).split()[0], language)
    for path, text, language in texts:
        _write(path, text)
        typer.echo(f"{language}: {path}, {_opening(text)}")
    if spice is not None and not DIALECTS[dialect].run_here:
        typer.echo(f"note: written by the manual of {DIALECTS[dialect].title}, and not run there.")
    if cell.effects != Effects():
        typer.echo("note: this is the nominal cell; spread, noise and faults are not in it.")


def _refuse_to_lose(path: Path, word: str, language: str) -> None:
    """Refuse to write over a file in which no *word*, ``module`` or ``subckt``, opens a line."""
    if not path.is_file():
        return
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return  # writing will say it
    if any(line.strip() for line in lines) and not any(
        line.strip().removeprefix(".").casefold().startswith(word) for line in lines
    ):
        raise ConfigError(f"{path}: the file that is there is no {language}; choose another name.")


def _write(path: Path, text: str) -> None:
    from ..storage import write_file

    write_file(path, lambda file: file.write(text.encode("ascii")))


def _opening(text: str) -> str:
    """Return name and pins of the module or subcircuit in *text*."""
    lines = (line.strip().removeprefix(".") for line in text.splitlines())
    line = next(line for line in lines if line.startswith(("module", "subckt")))
    return " ".join(word for word in line.rstrip(";").split() if "=" not in word)


def _cell(name: str) -> Cell:
    from ..devices import Effects, devices, get_device, get_preset, presets
    from ..devices.preset_files import read_preset
    from ..figures.device import Cell

    wanted = name.strip().casefold()
    if _is_path(name):
        label, device, preset = read_preset(name, get_device)
        return Cell(device, preset.params, preset.effects, f"{label} ({device.name})")
    if wanted in (known.casefold() for known in presets()) and wanted not in (
        known.casefold() for known in devices()
    ):
        device, preset = get_preset(name)
        return Cell(device, preset.params, preset.effects, f"{name} ({device.name})")
    device = _model(name)
    return Cell(device, device.params(), Effects(), f"{device.name}, default parameters")


def _model(name: str) -> Device:
    """Return a model, or say which models and presets there are."""
    from ..devices import devices, get_device, presets

    known = [*devices(), *presets()]
    if name.strip().casefold() not in (n.casefold() for n in devices()):
        raise DeviceError(nearest(name, known, "device model or preset"))
    return get_device(name)


def _check(name: str | None) -> int:
    """Check models, print the table, and return how many checks failed."""
    from rich.table import Table

    from ..devices.checks import check_device
    from ..devices.registry import problems

    chosen = _to_check(name)
    table = Table(box=None, pad_edge=False, show_header=False)
    failed = done = 0
    for device, presets in chosen:
        outcome = [*check_device(device, presets), _exported(device)]
        bad = [check for check in outcome if not check.passed]
        done, failed = done + len(outcome), failed + len(bad)
        sets = len(presets) + 1
        words = f"{len(outcome) - len(bad)} of {len(outcome)}, {sets} parameter set"
        table.add_row(
            device.name,
            "FAIL" if bad else "pass",
            words + ("s" if sets > 1 else ""),
            style="bold red" if bad else "",
        )
        for check in bad:
            table.add_row("", "", f"{check.name}: {check.detail}", style="red")
    broken = problems() if name is None else ()
    for sentence in broken:
        table.add_row("left out", "FAIL", sentence, style="bold red")
    models = f"{len(chosen)} model{'s' if len(chosen) != 1 else ''}"
    print_parts([table, f"\n{models}, {done} checks, {failed + len(broken)} failed"])
    return failed + len(broken)


def _exported(device: Device) -> Check:
    """Check that a model can be written as a netlist in every dialect, and in Verilog-A."""
    from ..devices.checks import Check
    from ..errors import OhmlearnError
    from ..spice_netlists.parts import DIALECTS, subcircuit, verilog_a

    name = "it has a form as a netlist"
    try:
        for dialect in DIALECTS:
            subcircuit(device.params(), dialect)
        verilog_a(device.params())
    except OhmlearnError as error:
        return Check(name, False, str(error))
    return Check(name, True, "")


def _to_check(name: str | None) -> list[tuple[Device, dict[str, Preset]]]:
    """Return the models to check, each with all presets it is used with."""
    from ..devices import devices, get_device, get_preset, presets
    from ..devices.preset_files import read_preset

    if _is_path(name):
        label, device, preset = read_preset(name, get_device)
        return [(device, {label: preset})]
    if name is not None and name.casefold() in (n.casefold() for n in presets()):
        device, preset = get_preset(name)
        return [(device, {name: preset})]
    chosen = devices().values() if name is None else [_model(name)]
    return [
        (device, {n: preset for n, (d, preset) in presets().items() if d is device})
        for device in chosen
    ]
