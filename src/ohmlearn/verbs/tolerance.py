"""The verb ``tolerance``: how much spread an accuracy allows. Heavy things are imported on use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..exits import explained_errors
from ..terminal import print_json, print_parts
from .options import (
    DataDir,
    Overrides,
    Retry,
    Scheduler,
    SweepBase,
    Workers,
    json_option,
    out_option,
)

__all__ = ["tolerance"]


def tolerance(
    *,
    experiment: SweepBase = None,
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
    overrides: Overrides = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    out: Annotated[Path | None, out_option("Else runs/tolerance-NAME.")] = None,
    retry: Retry = False,
    data_dir: DataDir = None,
    as_json: Annotated[bool, json_option("the result")] = False,
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
        print_json(content)
        return
    from ..sweeps.tables import tolerance_tables

    print_parts(tolerance_tables(found, figures))
