"""The verb ``compare``: runs side by side. Everything heavy is imported on use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ..exits import explained_errors
from ..terminal import print_json, print_parts
from .options import json_option, out_option, path_argument

__all__ = ["compare"]


def compare(
    runs: Annotated[
        list[Path], path_argument("RUN RUN ...", "Folders of finished runs, two or more.")
    ],
    out: Annotated[Path | None, out_option("Of table and figure; else runs/compare.")] = None,
    as_json: Annotated[bool, json_option("the table")] = False,
) -> None:
    """Show runs side by side: the settings that differ, accuracy, pulses, time."""
    with explained_errors():
        from ..reporting.comparison import compare_runs, draw_comparison, write_table

        found = compare_runs(runs)
        folder = out or Path("runs") / "compare"
        files = [write_table(folder, found), *draw_comparison(folder, found)]
    if as_json:
        content = found.as_dict() | {"files": [str(path) for path in files]}
        print_json(content)
        return
    from ..reporting.comparison import comparison_table

    print_parts([comparison_table(found), *(f"written: {path}" for path in files)])
