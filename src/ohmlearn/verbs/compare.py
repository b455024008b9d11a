"""The verb ``compare``: runs side by side. Everything heavy is imported on use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..exits import explained_errors

__all__ = ["compare"]


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN ...", help="Folders of finished runs.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Of table and figure; else runs/compare."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the table as JSON, and nothing else.")
    ] = False,
) -> None:
    """Show runs side by side: the settings that differ, accuracy, pulses, time."""
    with explained_errors():
        from ..comparison import compare_runs, draw_comparison, write_table

        found = compare_runs(runs)
        folder = out or Path("runs") / "compare"
        files = [write_table(folder, found), *draw_comparison(folder, found)]
    if as_json:
        content = found.as_dict() | {"files": [str(path) for path in files]}
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
        return
    from ..comparison import comparison_table
    from ..terminal import console

    screen = console()
    screen.print(comparison_table(found))
    for path in files:
        screen.print(f"written: {path}", soft_wrap=True)
