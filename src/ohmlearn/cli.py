"""The command line. Only typer is imported here; every verb imports what it needs."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from . import __version__
from .errors import ConfigError
from .exits import FAILURE, INTERRUPTED, explained_errors
from .terminal import print_parts
from .verbs.compare import compare
from .verbs.cosim import cosim
from .verbs.devices import devices
from .verbs.doctor import doctor
from .verbs.fit import fit
from .verbs.gdu import gdu
from .verbs.netlist import netlist
from .verbs.options import DataDir, Overrides, json_option, out_option, path_argument
from .verbs.report import report
from .verbs.sweep import sweep
from .verbs.tolerance import tolerance

if TYPE_CHECKING:
    from .experiment import Experiment
    from .record import Record

__all__ = ["app", "main"]

app = typer.Typer(
    name="ohmlearn",
    help="Memristor crossbars that learn by continual equilibrium propagation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without µ shows ?, and no traceback
    try:
        os.getcwd()
    except OSError:
        typer.echo(
            "error: the current folder does not exist any more; change to another.", err=True
        )
        sys.exit(FAILURE)
    app()


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ohmlearn {__version__}")
        raise typer.Exit


@app.callback()
def _ohmlearn(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    pass


@app.command()
def run(
    experiment: Annotated[
        Path | None,
        path_argument("EXPERIMENT", "A TOML file; without one, the default experiment."),
    ] = None,
    overrides: Overrides = None,
    seed: Annotated[int | None, typer.Option(help="Change run.seed.")] = None,
    out: Annotated[
        Path | None, out_option("Folder of the record; else runs/NAME-seedSEED.")
    ] = None,
    data_dir: DataDir = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint, if there is one.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a run that is already there.")
    ] = False,
    as_json: Annotated[bool, json_option("the result")] = False,
) -> None:
    """Train, and write the record: accuracy, pulses, device effects, figures."""
    folder = out
    try:
        with explained_errors():
            chosen = _chosen_experiment(experiment, overrides or [], seed, out, resume)
            folder = out or Path("runs") / f"{chosen.name}-seed{chosen.run.seed}"
            _refuse_to_lose(folder, resume, overwrite)
            record = _train(chosen, folder, data_dir, resume)
    except KeyboardInterrupt:
        _interrupted(folder)
    _show(record, as_json)


@app.command()
def data(
    download: Annotated[
        str | None, typer.Option(metavar="NAME", help="Download this data set first.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """List the data sets, and where their files are or how to get them."""
    with explained_errors():
        from . import tables
        from .training.datasets import describe

        if download:
            from .training.download import fetch

            typer.echo(f"{download} is in {fetch(download, data_dir)}", err=True)
        print_parts(tables.data_sets(describe(data_dir)))


app.command()(devices)
app.command()(doctor)
app.command()(fit)
app.command()(gdu)
app.command()(netlist)
app.command()(cosim)
app.command()(report)
app.command()(sweep)
app.command()(tolerance)
app.command()(compare)


def _chosen_experiment(
    path: Path | None, overrides: list[str], seed: int | None, out: Path | None, resume: bool
) -> Experiment:
    """Return the experiment to run; ``--resume --out DIR`` alone finds it in the folder."""
    from .experiment import load_experiment, parse_experiment

    if path is None and out is not None and resume:
        stored = _stored_experiment(out)
        if stored:
            return parse_experiment(stored, f"the experiment stored in {out}", overrides, seed)
    return load_experiment(path, overrides, seed)


def _stored_experiment(folder: Path) -> str | None:
    from . import checkpoint
    from .record import is_record, read_record

    if checkpoint.exists(folder):
        found = checkpoint.load(folder, warn=lambda _: None)  # the run itself will say it
        return found[1].get("experiment") if found else None
    return read_record(folder).experiment if is_record(folder) else None


def _refuse_to_lose(folder: Path, resume: bool, overwrite: bool) -> None:
    from . import checkpoint
    from .record import is_record

    if resume and overwrite:
        raise ConfigError("--resume goes on and --overwrite starts again: choose one of them.")
    if resume or overwrite:
        return
    if is_record(folder):
        raise ConfigError(
            f"{folder} holds the record of a finished run; choose another folder with --out, or "
            "replace it with --overwrite (--resume shows it, or trains it for more epochs)."
        )
    if checkpoint.exists(folder):
        raise ConfigError(
            f"{folder} holds the checkpoint of an unfinished run; go on with --resume, start "
            "again with --overwrite, or choose another folder with --out."
        )


def _train(experiment: Experiment, folder: Path, data_dir: Path | None, resume: bool) -> Record:
    from .progress import RichProgress
    from .run import run as train

    with RichProgress() as progress:
        return train(experiment, folder, data_dir, resume, progress)


def _show(record: Record, as_json: bool) -> None:
    if as_json:
        from .record import summary_text

        typer.echo(summary_text(record.summary), nl=False)
        return
    from . import tables

    print_parts(tables.result(record))


def _interrupted(folder: Path | None) -> NoReturn:
    from . import checkpoint

    if folder is not None and checkpoint.exists(folder):
        then = f"the same command with --resume goes on from the last checkpoint in {folder}."
    else:
        then = "no checkpoint was written yet, so there is nothing for --resume to go on from."
    typer.echo(f"interrupted: {then}", err=True)
    raise typer.Exit(INTERRUPTED) from None
