"""What SPICE dialects write differently.

Only behavioural sources, functions and parameters differ; resistors, transistors, sources and
calls of subcircuits are written in the part of the language that all of these simulators read.
The forms other than ngspice's follow the simulators' manuals and have not been run in them. The
tests have ngspice read those of HSPICE, LTspice and Xyce, as far as it can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import NetlistError, nearest

__all__ = ["DIALECTS", "Dialect", "dialect_of"]


@dataclass(frozen=True)
class Dialect:
    """One simulator's way of writing.

    Attributes
    ----------
    title
        Name for readers.
    run_here
        Whether netlists of this dialect are run in the tests.
    function
        A function definition, with ``{name}``, ``{arguments}``, ``{text}``; empty where formulas
        are written out in full.
    source
        A current source, with ``{name}``, ``{a}``, ``{b}``, ``{text}``.
    choice
        A conditional, with ``{test}``, ``{then}``, ``{other}``.
    both, either
        Logical operators.
    value
        A parameter used as a value, with ``{text}``.
    time
        The time [s], 0 in an operating point.
    renamed
        Functions of another name than in Python.
    spectre
        Whether behavioural parts are in Spectre's own language.
    """

    title: str
    run_here: bool = False
    function: str = ".func {name}({arguments}) {{{text}}}"
    source: str = "{name} {a} {b} i={{{text}}}"
    choice: str = "({test} ? ({then}) : ({other}))"
    both: str = "&&"
    either: str = "||"
    value: str = "{{{text}}}"
    time: str = "time"
    renamed: Mapping[str, str] = field(default_factory=lambda: {"log": "ln"})
    spectre: bool = False


_IF = "if({test}, {then}, {other})"

DIALECTS: Mapping[str, Dialect] = {
    "ngspice": Dialect("ngspice", run_here=True, source="{name} {a} {b} i={text}"),
    "hspice": Dialect(
        "HSPICE",
        function=".param {name}({arguments})='{text}'",
        source="g{name} {a} {b} cur='{text}'",
        value="'{text}'",
        # Its pow() takes the whole part of an exponent; what is raised is never negative here.
        renamed={"pow": "pwr"},
    ),
    "ltspice": Dialect(
        "LTspice", source="{name} {a} {b} i={text}", choice=_IF, both="&", either="|"
    ),
    "spectre": Dialect(
        "Spectre",
        function="",
        source="{name} ({a} {b}) bsource i={text}",
        value="{text}",
        time="$time",
        spectre=True,
        renamed={},
    ),
    "xyce": Dialect("Xyce", choice=_IF),
}
"""Dialects by name."""


def dialect_of(name: str) -> Dialect:
    """Return the dialect called *name*.

    Raises
    ------
    NetlistError
        If there is none; the message names the nearest.
    """
    if name not in DIALECTS:
        raise NetlistError(nearest(str(name)[:40], DIALECTS, "netlist dialect"))
    return DIALECTS[name]
