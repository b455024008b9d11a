"""Behavioural sources, their currents and measurements, as each dialect writes them.

Only the forms of ngspice have been run; the others follow the simulators' manuals.
"""

from __future__ import annotations

__all__ = ["current_source", "current_through", "integral", "parameter", "voltage_source"]

_QUOTED = ("hspice", "spectre")
"""Dialects that write ``E .. vol='..'`` and ``G .. cur='..'``."""


def voltage_source(dialect: str, name: str, a: str, b: str, formula: str) -> str:
    """Return a source that holds *a* over *b* at *formula* [V]."""
    if dialect in _QUOTED:
        return f"e{name} {a} {b} vol='{formula}'"
    return f"b{name} {a} {b} v={_braced(dialect, formula)}"


def current_source(dialect: str, name: str, a: str, b: str, formula: str) -> str:
    """Return a source of the current *formula* [A] from *a* through itself to *b*."""
    if dialect in _QUOTED:
        return f"g{name} {a} {b} cur='{formula}'"
    return f"b{name} {a} {b} i={_braced(dialect, formula)}"


def current_through(dialect: str, instance: str, source: str) -> str:
    """Return the current from plus to minus through a voltage source inside a subcircuit."""
    letter = f"{source[0]}." if dialect == "ngspice" else ""
    return f"i({letter}{instance}.{source})"


def integral(dialect: str, name: str, node: str, start: str, end: str) -> str:
    """Return a measurement of the integral over time of the voltage of *node*."""
    if dialect == "ltspice":
        return f".meas tran {name} integ v({node}) from {start} to {end}"
    measure = ".measure" if dialect == "xyce" else ".meas"
    return f"{measure} tran {name} integ v({node}) from={start} to={end}"


def _braced(dialect: str, formula: str) -> str:
    return f"{{{formula}}}" if dialect == "xyce" else formula


def parameter(dialect: str, name: str) -> str:
    """Return a parameter as it is written where a number stands."""
    marks = {"hspice": "''", "spectre": ""}.get(dialect, "{}")
    return f"{marks[:1]}{name}{marks[1:]}"
