"""The verb ``report``: energy, latency, area and wear of a run. All else is imported on use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError, MissingRecordError
from ..exits import explained_errors
from ..terminal import print_parts
from .options import json_option, overrides_option, path_argument, path_option

if TYPE_CHECKING:
    from ..reporting.report import Report

__all__ = ["report"]


def report(
    run: Annotated[
        Path,
        path_argument(
            "RUN",
            "The folder of a run; or an experiment file that assumes what a run measures.",
        ),
    ],
    as_json: Annotated[bool, json_option("everything")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print phase, element and energy as CSV, no more.")
    ] = False,
    html: Annotated[
        Path | None,
        path_option("--html", metavar="FILE", what="Write one page with tables and figures, too."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        overrides_option("Change a key of section hardware, as hardware.node=22; repeatable."),
    ] = None,
) -> None:
    """Report energy, latency, area and wear of a run, and what would halve the energy."""
    with explained_errors():
        if as_json and as_csv:
            raise ConfigError("--json and --csv both print to stdout: choose one of them.")
        if html is not None and html.suffix.lower() not in (".html", ".htm"):
            raise ConfigError(f"--html {html}: the name of a page must end in .html.")
        made = _report(run, overrides or [])
        if html is not None:
            from ..reporting.html import write_page

            write_page(html, made)
    _print(made, as_json, as_csv)
    if html is not None:
        typer.echo(f"page: {html}", err=as_json or as_csv)


def _report(run: Path, overrides: list[str]) -> Report:
    """Return the report of a record, or of an experiment that nobody has run yet."""
    from ..reporting.report import make_report, report_on

    if run.suffix.lower() == ".toml" and run.is_file():
        from ..experiment import load_experiment
        from ..reporting.assumed import assumed

        return make_report(assumed(load_experiment(run, overrides), str(run)))
    from ..record import read_record

    if not run.exists():
        raise MissingRecordError(
            f"{run}: no such folder; give the folder of a run, as runs/NAME-seed0."
        )
    return report_on(read_record(run), overrides)


def _print(made: Report, as_json: bool, as_csv: bool) -> None:
    if as_json or as_csv:
        from ..reporting import plain

        typer.echo(plain.as_json(made) if as_json else plain.as_csv(made), nl=False)
        return
    from ..reporting.text import as_text

    print_parts(as_text(made))
