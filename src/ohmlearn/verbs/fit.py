"""The verb ``fit``: pulse traces to a device preset. Everything heavy is imported on use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from ..exits import explained_errors
from ..terminal import print_json, print_parts
from .options import json_option, path_argument, path_option

if TYPE_CHECKING:
    from ..devices import Device
    from ..fits.report import FitReport

__all__ = ["fit"]


def fit(
    file: Annotated[
        Path,
        path_argument(
            "FILE", "A CSV: up_data,down_data | states,mean,std | pulse,conductance[,device]."
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A pulse-response model, repeatable; else, or 'all': every one."
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="UNIT",
            help="Of the file: S, mS, uS, nS or weight; else S, and weight for up_data,down_data.",
        ),
    ] = None,
    preset_out: Annotated[
        Path | None,
        path_option(
            "--preset-out", metavar="FILE.toml", what="Write the chosen model as a preset."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the preset; else that of its file.")
    ] = None,
    figure: Annotated[
        Path | None,
        path_option("--figure", metavar="FILE", what="Draw the fit: .png, .pdf or .svg."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the starting points.")] = 0,
    as_json: Annotated[bool, json_option("the numbers")] = False,
) -> None:
    """Fit device models to measured pulse traces; choose one by AICc; write a preset."""
    with explained_errors():
        from ..fits import report as printed

        if preset_out is not None:
            _refuse_to_lose(preset_out)
        report = _fitted(file, model or ["all"], unit, seed, name, preset_out)
        written = []
        if preset_out is not None:
            printed.write_preset(report, preset_out)
            written.append(f"preset: {preset_out}")
        if figure is not None:
            from ..fits.figures import draw_fit

            written.append(f"figure: {draw_fit(figure, report)}")
    if as_json:
        print_json(printed.as_json(report))
        return
    print_parts([*printed.tables(report), *written])


def _refuse_to_lose(path: Path) -> None:
    """Refuse to write a preset over a file that is none, before anything is fitted.

    Raises
    ------
    ConfigError
        The name is not that of a preset file, or the file there holds something else.
    """
    import tomllib

    if path.suffix.lower() != ".toml":
        raise ConfigError(f"--preset-out {path}: the name of a preset file must end in .toml.")
    if not path.is_file():
        return
    try:
        there = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        there = {}
    if "model" not in there:
        raise ConfigError(
            f"--preset-out {path}: the file that is there is no preset; choose another name."
        )


def _fitted(
    file: Path,
    names: Sequence[str],
    unit: str | None,
    seed: int,
    name: str | None,
    preset_out: Path | None,
) -> FitReport:
    from ..devices.fitting.traces import read_traces

    traces = read_traces(file, unit)  # first, so that a wrong file costs no compilation
    models = _models(names)
    from ..devices.fitting.compare import compare_models
    from ..devices.fitting.noise import noise_of
    from ..devices.fitting.presets import preset_of
    from ..fits.report import FitReport

    comparison = compare_models(models, traces, seed)
    noise = noise_of(comparison.chosen, traces, seed)
    preset = preset_of(comparison.chosen, noise, traces)
    return FitReport(traces, comparison, noise, preset, name or (preset_out or file).stem)


def _models(names: Sequence[str]) -> list[Device]:
    from ..devices import devices, get_device

    if any(name.lower() == "all" for name in names):
        return [device for device in devices().values() if not device.dynamical]
    return list({get_device(name).name: get_device(name) for name in names}.values())
