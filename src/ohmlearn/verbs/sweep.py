"""The verb ``sweep``: one experiment at many points. Everything heavy is imported on use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..exits import FAILURE, explained_errors

__all__ = ["sweep"]


def sweep(
    experiment: Annotated[
        Path | None,
        typer.Argument(
            metavar="EXPERIMENT|RUN",
            help="A TOML file to train, or the folder of a finished run to test again; else the "
            "default experiment.",
        ),
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=V1,V2,...",
            help="A key and its values, repeatable; LOW:HIGH or LOW:HIGH:log to draw from.",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key at every point."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of each point.")] = 1,
    design: Annotated[
        str, typer.Option(help="grid (all combinations), list (in pairs), random or sobol.")
    ] = "grid",
    points: Annotated[
        int | None, typer.Option(min=1, help="Points to draw, for random and sobol.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes on this machine; 0: one per processor.")
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler that computes the points instead."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Else runs/sweep-NAME.")
    ] = None,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="Of the intervals over seeds.")
    ] = 0.95,
    retry: Annotated[
        bool, typer.Option("--retry", help="Compute the points again that failed before.")
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the image data sets are.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON, and nothing else.")
    ] = False,
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
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
    else:
        from ..sweeps.tables import sweep_tables
        from ..terminal import console

        for part in sweep_tables(found, figures):
            console().print(part, soft_wrap=isinstance(part, str))
    if len(found.failed) == len(found.rows):
        typer.echo(f"error: every point failed: {found.failed[0].result['reason']}", err=True)
        raise typer.Exit(FAILURE)
