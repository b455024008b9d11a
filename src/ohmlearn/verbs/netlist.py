"""The verb ``netlist``: write a network as SPICE. Everything heavy is imported on use."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ..errors import ConfigError, nearest
from ..exits import explained_errors
from .options import CircuitSource, DataDir, Overrides, out_option

if TYPE_CHECKING:
    from ..experiment import Experiment
    from ..record import Record
    from ..spice_netlists.deck import Deck

__all__ = ["netlist"]

_BENCHES = {
    "free": "operating point of the free phase",
    "nudged": "operating point of the nudged phase",
    "step": "transient of both, with energies",
}
_LEARN = "learn"
_PHASES = {**_BENCHES, _LEARN: "one sample learned, with the programming pulses of every slot"}


class _Written(NamedTuple):
    """A netlist, what it is of, and what is to be known about it."""

    deck: Deck
    title: str
    notes: tuple[str, ...] = ()


def netlist(
    source: CircuitSource = None,
    phase: Annotated[
        list[str] | None,
        typer.Option(
            help="Test bench: free, nudged or step (repeatable, else all three), or learn alone."
        ),
    ] = None,
    sample: Annotated[int, typer.Option(min=0, help="Row of the test set at the inputs.")] = 0,
    dialect: Annotated[
        str, typer.Option(help="ngspice, hspice, ltspice, spectre or xyce.")
    ] = "ngspice",
    out: Annotated[
        Path | None, out_option("Folder; else netlists/NAME or netlists/NAME-learn.")
    ] = None,
    overrides: Overrides = None,
    data_dir: DataDir = None,
) -> None:
    """Write the network as a SPICE netlist with test benches."""
    with explained_errors():
        benches = _checked(phase, dialect)
        from ..cosimulation.circuit import open_source

        experiment, record = open_source(source, overrides or ())
        if benches == [_LEARN]:
            written = _sample(experiment, record, sample, data_dir)
            name = f"{experiment.name}-{_LEARN}"
        else:
            written = _network(experiment, record, sample, data_dir, benches, dialect)
            name = experiment.name
        folder = out or Path("netlists") / name
        edited: list[str] = []
        paths = written.deck.write(folder, warn=edited.append)
    typer.echo(f"{written.title}, test sample {sample}")
    for note in (*written.notes, *edited):
        typer.echo(f"note: {note}")
    for path in paths:
        typer.echo(f"{path}  {_about(path.name)}".rstrip())
    _say_how_to_run(folder, benches[-1], dialect)


def _checked(phase: list[str] | None, dialect: str) -> list[str]:
    """Return the benches asked for, or say what does not fit."""
    from ..spice_netlists.parts import DIALECTS

    benches = list(dict.fromkeys(phase or _BENCHES))
    for name in benches:
        if name not in _PHASES:
            raise ConfigError(nearest(name, _PHASES, "phase"))
    if dialect not in DIALECTS:
        raise ConfigError(nearest(dialect, DIALECTS, "dialect"))
    if _LEARN in benches and len(benches) > 1:
        raise ConfigError(
            "--phase learn is a netlist of its own, of cells that move; ask for it alone."
        )
    if _LEARN in benches and dialect != "ngspice":
        raise ConfigError(f"--phase learn is written for ngspice only; --dialect is {dialect}.")
    return benches


def _network(
    experiment: Experiment,
    record: Record | None,
    sample: int,
    data_dir: Path | None,
    benches: list[str],
    dialect: str,
) -> _Written:
    """Return the network with its cells as resistors."""
    from ..cosimulation.circuit import circuit_of
    from ..cosimulation.deck import deck_of
    from ..cosimulation.transistor import transistor_notes

    circuit = circuit_of(experiment, record, data_dir)
    deck = deck_of(circuit, sample, benches, dialect=dialect)
    notes = (*circuit.notes, *transistor_notes(experiment, cells=False))
    return _Written(deck, circuit.title, notes)


def _sample(
    experiment: Experiment, record: Record | None, sample: int, data_dir: Path | None
) -> _Written:
    """Return one sample of learning, as ``cosim --learn`` runs it."""
    from ..cosimulation.sample import learn_test_sample, netlist_of
    from ..cosimulation.transistor import transistor_notes

    found = learn_test_sample(experiment, record, sample, data_dir)
    title = f"{experiment.name}: one sample learned, {len(found.counts)} slots"
    pulses = f"The {found.pulses} pulses on cells are those that the toolkit applies."
    notes = (pulses, *transistor_notes(experiment, cells=True))
    return _Written(netlist_of(experiment, found).deck, title, notes)


def _say_how_to_run(folder: Path, bench: str, dialect: str) -> None:
    from ..spice_netlists.parts import DIALECTS

    if DIALECTS[dialect].run_here:
        typer.echo(f"run it: cd {shlex.quote(str(folder))} && ngspice -b tb_{bench}.sp")
    else:
        title = DIALECTS[dialect].title
        typer.echo(f"note: what {title} reads is written by its manual, and was not run.")


def _about(name: str) -> str:
    bench = name.removeprefix("tb_").removesuffix(".sp")
    return {
        "params.inc": "what may be changed by hand",
        "weights.inc": "the cells",
        "devices.lib": "device models",
        "dut.sp": "the network as a subcircuit",
        "map.json": "names of nodes, by layer",
    }.get(name, _PHASES.get(bench, ""))
