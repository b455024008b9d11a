"""The verb ``cosim``: kernels against ngspice. Everything heavy is imported on use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exits import FAILURE, explained_errors
from ..terminal import empty_table, print_json, print_parts
from .options import CircuitSource, DataDir, Overrides, json_option, out_option

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..cosimulation.result import CosimResult
    from ..experiment import Experiment
    from ..record import Record

__all__ = ["cosim"]

_SAMPLES = 3


def cosim(
    source: CircuitSource = None,
    sample: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Row of the test set; repeatable. Else rows 0, 1 and 2."),
    ] = None,
    tight: Annotated[
        bool, typer.Option("--tight", help="Small time steps: waveforms within 1e-4 V.")
    ] = False,
    learn: Annotated[
        bool,
        typer.Option(
            "--learn",
            help="Learn one sample instead, in one transient of cells that are programmed.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        out_option("Folder of the figure; else that of the run's figures, or runs/cosim-NAME."),
    ] = None,
    overrides: Overrides = None,
    data_dir: DataDir = None,
    as_json: Annotated[bool, json_option("the numbers")] = False,
) -> None:
    """Run the network by kernels and by ngspice, and compare node by node."""
    with explained_errors():
        from ..cosimulation.circuit import circuit_of, open_source
        from ..cosimulation.comparison import run_cosim
        from ..cosimulation.figures import draw_cosim
        from ..cosimulation.transistor import transistor_notes
        from ..spice_netlists.ngspice import find_ngspice

        find_ngspice()  # before work is done that could not be finished
        experiment, record = open_source(source, overrides or ())
        for note in transistor_notes(experiment, cells=learn):
            typer.echo(f"note: {note}", err=True)
        if learn:
            _learn(experiment, record, data_dir, (sample or [0])[0], out, as_json)
            return
        circuit = circuit_of(experiment, record, data_dir)
        samples = list(dict.fromkeys(sample or range(_SAMPLES)))
        tell = (lambda _: None) if as_json else (lambda text: typer.echo(text, err=True))
        result = run_cosim(circuit, samples, tight=tight, tell=tell)
        folder = record.folder / "figures" if record else Path("runs") / f"cosim-{experiment.name}"
        figures = draw_cosim(out or folder, result)
    if as_json:
        content = {**result.as_dict(), "figures": [str(path) for path in figures]}
        print_json(content)
    else:
        _show(result, figures)
    if not result.passed:
        raise typer.Exit(FAILURE)


def _learn(
    experiment: Experiment,
    record: Record | None,
    data_dir: Path | None,
    row: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Learn test sample *row* by kernels and by ngspice, and say how far they are apart."""
    from ..cosimulation.sample import learn_test_sample, netlist_of
    from ..cosimulation.sample_comparison import compare
    from ..cosimulation.sample_figure import draw_sample
    from ..spice_netlists.networks.sample_deck import run_sample

    sample = learn_test_sample(experiment, record, row, data_dir)
    netlist = netlist_of(experiment, sample)
    ends = run_sample(netlist)
    found = compare(sample, ends)
    folder = record.folder / "figures" if record else Path("runs") / f"cosim-{experiment.name}"
    folder = out or folder
    figures = draw_sample(folder, sample, netlist, ends)
    if as_json:
        content = {**found.as_dict(), "figures": [str(path) for path in figures]}
        print_json(content)
    else:
        typer.echo(f"{experiment.name}: test sample {row} learned, {found.pulses} pulses on cells")
        for sentence in found.sentences():
            typer.echo(sentence)
        for path in figures:
            typer.echo(f"figure: {path}")
    if not found.passed:
        raise typer.Exit(FAILURE)


def _show(result: CosimResult, figures: list[Path]) -> None:
    print_parts(_report(result))
    for sentence in _failures(result):
        typer.echo(sentence)
    for path in figures:
        typer.echo(f"figure: {path}")


def _failures(result: CosimResult) -> Iterator[str]:
    for row in result.comparisons:
        if not row.passed:
            yield (
                f"FAIL: {row.level}, {row.phase} phase, sample {row.sample}: {row.largest:.2g} V "
                f"at {row.node}; allowed are {row.tolerance:g} V."
            )
    for each in result.energies:
        if not each.passed:
            yield (
                f"FAIL: energy of {each.name}, {each.phase} phase: {each.spice:.4g} J instead of "
                f"{each.kernel:.4g} J; allowed are {100 * each.tolerance:g} %."
            )


def _report(result: CosimResult) -> Iterator[RenderableType]:
    from rich.text import Text

    table = empty_table(result.title)
    table.padding = (0, 1, 0, 0)  # the verdict is the last of nine columns: all fit into 80
    for heading in ("", "phase", "row"):
        table.add_column(heading, no_wrap=True)
    for heading in ("max [V]", "RMS [V]", "worst", "kernels", "ngspice", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in result.comparisons:
        table.add_row(
            row.level.removesuffix(" state"),
            row.phase,
            str(row.sample),
            f"{row.largest:.1e}",
            f"{row.rms:.1e}",
            row.node.rpartition(".")[2],
            _seconds(row.kernel_seconds),
            _seconds(row.spice_seconds),
            "pass" if row.passed else "FAIL",
            style="" if row.passed else "bold red",
        )
    yield table
    energies = empty_table("Energy of the first sample")
    energies.add_column("phase")
    energies.add_column("element")
    for heading in ("kernels", "ngspice", "difference", ""):
        energies.add_column(heading, justify="right", no_wrap=True)
    from ..tables import engineering

    for each in result.energies:
        apart = 100 * (each.spice / each.kernel - 1)
        energies.add_row(
            each.phase,
            each.name,
            engineering(float(f"{each.kernel:.4g}"), "J"),
            engineering(float(f"{each.spice:.4g}"), "J"),
            f"{apart:+.3f} %",
            "pass" if each.passed else "FAIL",
            style="" if each.passed else "bold red",
        )
    yield energies
    for note in result.notes:
        yield Text(f"note: {note}")


def _seconds(value: float) -> str:
    from ..tables import engineering

    return engineering(float(f"{value:.2g}"), "s")
