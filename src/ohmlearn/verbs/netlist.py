"""The verb ``netlist``: write a network as SPICE. Everything heavy is imported on use."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigError, nearest
from ..exits import explained_errors

__all__ = ["netlist"]

_BENCHES = {
    "free": "operating point of the free phase",
    "nudged": "operating point of the nudged phase",
    "step": "transient of both, with energies",
}


def netlist(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="EXPERIMENT|RUN",
            help="A TOML file (initial weights), or the folder of a finished run (trained); "
            "without one, the default experiment.",
        ),
    ] = None,
    phase: Annotated[
        list[str] | None,
        typer.Option(help="Test bench: free, nudged or step; repeatable, else all three."),
    ] = None,
    sample: Annotated[int, typer.Option(min=0, help="Row of the test set at the inputs.")] = 0,
    dialect: Annotated[
        str, typer.Option(help="ngspice, hspice, ltspice, spectre or xyce.")
    ] = "ngspice",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="Folder; else netlists/NAME."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key, as learning.beta=0.3."),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the image data sets are.")
    ] = None,
) -> None:
    """Write the network as a SPICE netlist with test benches."""
    with explained_errors():
        benches = list(dict.fromkeys(phase or _BENCHES))
        for name in benches:
            if name not in _BENCHES:
                raise ConfigError(nearest(name, _BENCHES, "phase"))
        from ..cosimulation.circuit import circuit_of, open_source
        from ..cosimulation.comparison import deck_of
        from ..spice_netlists.parts import DIALECTS

        if dialect not in DIALECTS:
            raise ConfigError(nearest(dialect, DIALECTS, "dialect"))
        circuit = circuit_of(*open_source(source, overrides or ()), data_dir)
        folder = out or Path("netlists") / circuit.experiment.name
        paths = deck_of(circuit, sample, benches, dialect=dialect).write(folder)
    typer.echo(f"{circuit.title}, test sample {sample}")
    for note in circuit.notes:
        typer.echo(f"note: {note}")
    for path in paths:
        typer.echo(f"{path}  {_about(path.name)}".rstrip())
    if dialect == "ngspice":
        bench = f"ngspice -b tb_{benches[-1]}.sp"
        typer.echo(f"run it: cd {shlex.quote(str(folder))} && {bench}")
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
    }.get(name, _BENCHES.get(bench, ""))
