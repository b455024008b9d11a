"""The verb ``tolerance``: how much spread an accuracy allows. Heavy things are imported on use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..exits import explained_errors

__all__ = ["tolerance"]


def tolerance(
    *,
    experiment: Annotated[
        Path | None,
        typer.Argument(
            metavar="EXPERIMENT|RUN",
            help="A TOML file to train, or the folder of a finished run to test again; else the "
            "default experiment.",
        ),
    ] = None,
    accuracy: Annotated[
        float, typer.Option(help="The test accuracy that must be met, as a fraction of 1.")
    ],
    over: Annotated[
        str, typer.Option(metavar="KEY", help="What spreads, such as device.cycle_to_cycle.")
    ],
    low: Annotated[float, typer.Option(help="Smallest value to try.")] = 0.0,
    high: Annotated[float, typer.Option(help="Largest value to try.")] = 1.0,
    resolution: Annotated[
        float | None, typer.Option(help="Width at which to stop; else 1/32 of the range.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Seeds of each value, at least 2.")] = 5,
    confidence: Annotated[
        float, typer.Option(help="Of the one-sided bound of the mean over seeds.")
    ] = 0.95,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes on this machine; 0: one per processor.")
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler that computes the points instead."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Else runs/tolerance-NAME."),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Compute the points again that failed before.")
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the image data sets are.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")
    ] = False,
) -> None:
    """Find the largest spread of a key that still meets an accuracy, by bisection."""
    with explained_errors():
        from ..sweeps.bar import Bar, interruptible
        from ..sweeps.figures import draw_tolerance
        from ..sweeps.plan import find_base
        from ..sweeps.sweep import choose_engine
        from ..sweeps.tolerance import Goal, find_tolerance

        width = (high - low) / 32 if resolution is None else resolution
        goal = Goal(over.strip(), accuracy, low, high, width, seeds, confidence)
        base = find_base(experiment, overrides or [], data_dir)
        folder = out or Path("runs") / f"tolerance-{base.name}"
        with interruptible(folder), Bar() as bar:
            engine = choose_engine(workers, scheduler)
            found = find_tolerance(base, goal, folder, engine, bar, retry)
        figures = draw_tolerance(folder, found)
    if as_json:
        content = found.as_dict() | {"figures": [str(path) for path in figures]}
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
        return
    from ..sweeps.tables import tolerance_tables
    from ..terminal import console

    for part in tolerance_tables(found, figures):
        console().print(part, soft_wrap=isinstance(part, str))
