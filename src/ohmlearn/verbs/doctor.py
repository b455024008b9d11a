"""The verb ``doctor``: which circuit simulator was found, and what to install where one is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..exits import FAILURE, explained_errors

if TYPE_CHECKING:
    from ..spice_netlists.ngspice import Found

__all__ = ["doctor"]

_TRIAL = "* trial\nv1 a 0 dc 1\nr1 a b 1000.0\nr2 b 0 1000.0\n.op\n.save v(b)\n.end\n"


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was found as JSON, and nothing else.")
    ] = False,
) -> None:
    """Say which circuit simulator was found, try it, and name what is missing."""
    with explained_errors():
        from ..spice_netlists.ngspice import find_ngspice

        found = find_ngspice(required=False)
        trials = {"batch": _tried(_batch, found.batch), "shared": _tried(_shared, found.shared)}
    works = "works" in trials.values()
    if as_json:
        typer.echo(json.dumps(_content(found, trials), indent=2))
    else:
        _show(found, trials)
    if not works:
        raise typer.Exit(FAILURE)


def _tried(trial: Any, there: bool) -> str:
    """Return ``works``, or why not."""
    from ..errors import NetlistError

    if not there:
        return "not available"
    try:
        half = trial()
    except NetlistError as error:
        return f"fails: {error}"
    return "works" if abs(half - 0.5) < 1e-9 else f"fails: it finds {half} V in place of 0.5 V"


def _batch() -> float:
    from ..spice_netlists.ngspice import run_batch

    return float(run_batch(_TRIAL, vectors=["v(b)"], points=1, timeout=60.0)[0]["v(b)"][0])


def _shared() -> float:
    from ..spice_netlists.ngspice.shared import shared_engine

    engine = shared_engine()
    engine.load(_TRIAL)
    return float(engine.operating_point(["v(b)"])[0])


def _content(found: Found, trials: dict[str, str]) -> dict[str, Any]:
    return {
        "ngspice": found.path or None,
        "version": found.version or None,
        "library": found.library or None,
        "code_models": found.code_models or None,
        "pyspice": found.pyspice or None,
        **trials,
        "remarks": list(found.remarks()),
    }


def _show(found: Found, trials: dict[str, str]) -> None:
    from rich.table import Table
    from rich.text import Text

    from ..terminal import console

    screen = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _rows(found, trials):
        table.add_row(label, Text(text))
    screen.print(table)
    for remark in found.remarks():
        screen.print(Text(f"\n{remark}"))


def _rows(found: Found, trials: dict[str, str]) -> Iterator[tuple[str, str]]:
    missing = "not found"
    yield "ngspice", found.path or missing
    yield "version", str(found.version or "unknown")
    yield "library", found.library or missing
    yield "code models", found.code_models or missing
    yield "PySpice", found.pyspice or missing
    yield "a process for each run", trials["batch"]
    yield "in this process", trials["shared"]
