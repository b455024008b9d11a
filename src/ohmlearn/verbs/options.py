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
    "overrides_option",
    "path_argument",
    "path_option",
]


def _path(text: str) -> Path:
    """Return a path of the command line; an empty one would be the current folder."""
    if not text.strip():
        raise typer.BadParameter("the path is empty; give one (. is the current folder).")
    return Path(text)


def path_argument(metavar: str, what: str) -> Any:
    """Return an argument that names a file or folder; *what* explains it."""
    return typer.Argument(metavar=metavar, help=what, parser=_path)


def path_option(*names: str, metavar: str, what: str) -> Any:
    """Return an option that names a file or folder; *what* explains it."""
    return typer.Option(*names, metavar=metavar, help=what, parser=_path)


def out_option(where: str) -> Any:
    """Return the option ``--out`` for a folder, which without it is *where*."""
    return path_option("--out", "-o", metavar="DIR", what=where)


def json_option(what: str) -> Any:
    """Return the option ``--json`` of a verb that then prints *what*."""
    return typer.Option("--json", help=f"Print {what} as JSON, and nothing else.")


def overrides_option(what: str) -> Any:
    """Return the option ``--set``, explained by *what*."""
    return typer.Option("--set", metavar="KEY=VALUE", help=what)


Overrides = Annotated[
    list[str] | None, overrides_option("Change a key, as learning.beta=0.3; repeatable.")
]

DataDir = Annotated[
    Path | None,
    path_option(
        "--data-dir",
        metavar="DIR",
        what="Where the image data sets are; else OHMLEARN_DATA, else the user's data folder.",
    ),
]

CircuitSource = Annotated[
    Path | None,
    path_argument(
        "EXPERIMENT|RUN",
        "A TOML file (initial weights), or the folder of a finished run (trained); "
        "without one, the default experiment.",
    ),
]

SweepBase = Annotated[
    Path | None,
    path_argument(
        "EXPERIMENT|RUN",
        "A TOML file to train, or the folder of a finished run to test again; else the "
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
