"""The verb ``sweep``: one experiment at many points. Everything heavy is imported on use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..exits import FAILURE, explained_errors
from ..terminal import print_json, print_parts
from .options import (
    DataDir,
    Retry,
    Scheduler,
    SweepBase,
    Workers,
    json_option,
    out_option,
    overrides_option,
)

__all__ = ["sweep"]


def sweep(
    experiment: SweepBase = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=V1,V2,...",
            help="A key and its values, repeatable; LOW:HIGH or LOW:HIGH:log to draw from.",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        overrides_option("Change a key at every point; repeatable."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of each point.")] = 1,
    design: Annotated[
        str, typer.Option(help="grid (all combinations), list (in pairs), random or sobol.")
    ] = "grid",
    points: Annotated[
        int | None, typer.Option(min=1, help="Points to draw, for random and sobol.")
    ] = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    out: Annotated[Path | None, out_option("Else runs/sweep-NAME.")] = None,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="Of the intervals over seeds.")
    ] = 0.95,
    retry: Retry = False,
    data_dir: DataDir = None,
    as_json: Annotated[bool, json_option("the results")] = False,
) -> None:
    """Run an experiment at many points and seeds; when killed, the same command goes on."""
    with explained_errors():
        from ..sweeps.bar import Bar, interruptible
        from ..sweeps.design import make_points, parse_axes
        from ..sweeps.figures import draw_sweep
        from ..sweeps.plan import find_base
        from ..sweeps.sweep import choose_engine, run_sweep

        axes = parse_axes(over or [], design)
        base = find_base(experiment, overrides or [], data_dir)
        chosen = make_points(axes, design, points, base.first_seed)
        folder = out or Path("runs") / f"sweep-{base.name}"
        with interruptible(folder), Bar() as bar:
            found = run_sweep(
                base,
                [axis.key for axis in axes],
                chosen,
                seeds,
                folder,
                choose_engine(workers, scheduler),
                bar,
                drawn=design in ("random", "sobol"),
                retry=retry,
                confidence=confidence,
            )
        figures = draw_sweep(folder, found, curves=design in ("grid", "list"))
    if as_json:
        content = found.as_dict() | {"figures": [str(path) for path in figures]}
        print_json(content)
    else:
        from ..sweeps.tables import sweep_tables

        print_parts(sweep_tables(found, figures))
    if len(found.failed) == len(found.rows):
        typer.echo(f"error: every point failed: {found.failed[0].result['reason']}", err=True)
        raise typer.Exit(FAILURE)
