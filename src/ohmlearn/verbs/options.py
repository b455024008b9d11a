"""Arguments and options that several verbs have, with one wording each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "CircuitSource",
    "DataDir",
    "Overrides",
    "Retry",
    "Scheduler",
    "SweepBase",
    "Workers",
    "json_option",
    "out_option",
]

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key, as learning.beta=0.3."),
]

DataDir = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where the image data sets are.")
]

CircuitSource = Annotated[
    Path | None,
    typer.Argument(
        metavar="EXPERIMENT|RUN",
        help="A TOML file (initial weights), or the folder of a finished run (trained); "
        "without one, the default experiment.",
    ),
]

SweepBase = Annotated[
    Path | None,
    typer.Argument(
        metavar="EXPERIMENT|RUN",
        help="A TOML file to train, or the folder of a finished run to test again; else the "
        "default experiment.",
    ),
]

Workers = Annotated[
    int, typer.Option(min=0, help="Processes on this machine; 0: one per processor.")
]

Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A Dask scheduler that computes the points instead."),
]

Retry = Annotated[
    bool, typer.Option("--retry", help="Compute the points again that failed before.")
]


def json_option(what: str) -> Any:
    """Return the option ``--json`` of a verb that then prints *what*."""
    return typer.Option("--json", help=f"Print {what} as JSON, and nothing else.")


def out_option(where: str) -> Any:
    """Return the option ``--out`` for a folder, which without it is *where*."""
    return typer.Option("--out", "-o", metavar="DIR", help=where)
