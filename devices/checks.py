"""What every device model must obey, as checks that say what they found.

``ohmlearn devices --check`` runs them over all registered models, the user's own included. A
check looks at the model's defaults and at each of its presets.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..errors import DeviceError
from ..jit import kernel
from . import contract, functions
from .contract import Device, Preset
from .dispatch import cell, current, depression, potentiation, rate
from .parameters import check_params

__all__ = ["CHECKS", "Check", "check_device"]

STATES = np.linspace(0.0, 1.0, 21)
VOLTAGES = np.linspace(-5.0, 5.0, 21)
READ = 0.1
TOLERANCE = 1e-12
STANDSTILL = 1e-6  # of the window, in the time of a pulse: thermally driven models never stop
_LONGEST = 90


class Check(NamedTuple):
    """The outcome of one check of one model.

    Attributes
    ----------
    name
        What must hold.
    passed
        Whether it holds for the defaults and every preset.
    detail
        Where and how it fails, or "".
    """

    name: str
    passed: bool
    detail: str


def check_device(device: Device, presets: Mapping[str, Preset] | None = None) -> tuple[Check, ...]:
    """Check *device* with its defaults and its presets (or these *presets*).

    Nothing is raised for a model that fails, whatever its functions raise.
    """
    presets = device.presets if presets is None else presets
    sets = [("defaults", device.params()), *((n, p.params) for n, p in presets.items())]
    return tuple(_run(name, check, device, sets) for name, check in CHECKS.items())


def _run(
    name: str, check: Callable[[Device, Any], str], device: Device, sets: list[tuple[str, Any]]
) -> Check:
    for label, p in sets:
        try:
            problem = check(device, p)
        except Exception as error:  # the functions are anybody's
            problem = f"{type(error).__name__}: {error}"
        if problem:
            first = " ".join(problem.split())
            first = first if len(first) <= _LONGEST else first[: _LONGEST - 3] + "..."
            return Check(name, False, f"{label}: {first}")
    return Check(name, True, "")


def _documented(device: Device, p: Any) -> str:
    for field in device.fields().values():
        if not field.unit or len(field.meaning) < 5:
            return f"{field.name} has no unit or no meaning"
        if not isinstance(field.default, float):
            return f"the default of {field.name} is {field.default!r}, not a float"
    if device.params._fields[-4:] != ("v_set", "t_set", "v_reset", "t_reset"):
        return "the last four parameters are not v_set, t_set, v_reset, t_reset"
    missing = {*(device.window or ()), *(device.steps or ())} - set(device.params._fields)
    if missing:
        return f"window or steps name {', '.join(sorted(missing))}, no parameter"
    return "" if device.reference else "reference is empty; name a source, or say 'our own'"


def _restricted(device: Device, p: Any) -> str:
    for function in (device.current, device.rate, device.potentiation, device.depression):
        if function is not None and (problem := _unknown_syntax(function)):
            return f"{function.__name__}: {problem}"
    return ""


_SYNTAX = (
    *(ast.FunctionDef, ast.arguments, ast.arg, ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign),
    *(ast.Return, ast.Name, ast.Constant, ast.Load, ast.Store, ast.Attribute, ast.Call),
    *(ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.BoolOp, ast.operator, ast.unaryop),
    *(ast.cmpop, ast.boolop),
)


def _unknown_syntax(function: Callable[..., Any]) -> str:
    """Return what in *function* cannot be compiled, or rendered as a circuit."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return "its text cannot be read"
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        return "it must be a plain function"
    skipped = {id(n) for a in _annotations(definition) for n in ast.walk(a)}
    for node in ast.walk(definition):
        if id(node) in skipped:
            continue
        if not isinstance(node, _SYNTAX):
            line = getattr(node, "lineno", 1)
            return f"line {line}: {type(node).__name__} is outside restricted Python"
        if isinstance(node, ast.Call) and (problem := _unknown_call(node, function)):
            return problem
        if isinstance(node, ast.Attribute) and not isinstance(node.value, ast.Name):
            return f"line {node.lineno}: an attribute of an expression"
    return ""


def _annotations(definition: ast.FunctionDef) -> Iterator[ast.AST]:
    yield from (a.annotation for a in definition.args.args if a.annotation is not None)
    if definition.returns is not None:
        yield definition.returns
    yield from (n.annotation for n in ast.walk(definition) if isinstance(n, ast.AnnAssign))


def _unknown_call(node: ast.Call, function: Callable[..., Any]) -> str:
    known = [f for f in vars(math).values() if callable(f)] + [min, max, abs]
    known += [getattr(functions, name) for name in functions.__all__]
    called = ast.unparse(node.func)
    names = {**vars(builtins), **inspect.getmodule(function).__dict__}
    root, *rest = called.split(".")
    value = names.get(root)
    for part in rest:
        value = getattr(value, part, None)
    fits = any(value is f for f in known)
    allowed = "allowed are math, min, max, abs and ohmlearn.devices.functions"
    return "" if fits else f"line {node.lineno}: it calls {called}; {allowed}"


def _possible(device: Device, p: Any) -> str:
    try:
        check_params(device, p)
    except DeviceError as error:
        return str(error)
    return ""


def _no_current_at_rest(device: Device, p: Any) -> str:
    for x in STATES.tolist():
        if contract.current(p, 0.0, x) != 0.0:
            return f"current({x:g}) at 0 V is {contract.current(p, 0.0, x):g} A"
    return ""


def _passive(device: Device, p: Any) -> str:
    for x in STATES.tolist():
        for v in VOLTAGES[VOLTAGES != 0].tolist():
            if not v * contract.current(p, v, x) > 0:
                return f"v i is not > 0 at {v:g} V, state {x:g}"
    return ""


def _monotone(device: Device, p: Any) -> str:
    g = np.array([contract.conductance(p, READ, x) for x in STATES.tolist()])
    if not np.all(np.diff(g) > 0):
        return f"the conductance at {READ:g} V does not rise with the state throughout"
    return ""


def _bounded(device: Device, p: Any) -> str:
    for x in STATES.tolist():
        for name, step in (("SET", contract.potentiation), ("RESET", contract.depression)):
            size = step(p, x)
            if not 0 <= size <= 1:
                return f"the {name} step from state {x:g} is {size:g}; allowed is 0 to 1"
    return ""


def _moves(device: Device, p: Any) -> str:
    up, down = contract.potentiation(p, 0.5), contract.depression(p, 0.5)
    if not (up > 0 and down > 0):
        return f"from mid-window SET moves by {up:g} and RESET by {down:g}; allowed is > 0"
    if not contract.rate(p, p.v_set, 0.5) > 0 > contract.rate(p, p.v_reset, 0.5):
        return "the rate has not the sign of the pulse"
    if abs(contract.rate(p, 0.0, 0.5)) * p.t_set > STANDSTILL:
        return "the state moves at 0 V"
    return ""


def _finite(device: Device, p: Any) -> str:
    for x in STATES.tolist():
        for v in VOLTAGES.tolist():
            i, r = contract.current(p, v, x), contract.rate(p, v, x)
            if not (math.isfinite(i) and math.isfinite(r)):
                return f"current {i:g} A, rate {r:g} 1/s at {v:g} V, state {x:g}"
    return ""


@kernel
def _evaluate(like: Any, table: Any, v: Any, x: Any, out: Any) -> None:
    for c in range(x.size):
        p = cell(like, table, c)
        out[c, 0] = current(p, v, x[c])
        out[c, 1] = rate(p, v, x[c])
        out[c, 2] = potentiation(p, x[c])
        out[c, 3] = depression(p, x[c])


def _compiles(device: Device, p: Any) -> str:
    table, out = np.tile(np.array(p, np.float64), (STATES.size, 1)), np.empty((STATES.size, 4))
    names = ("current", "rate", "potentiation", "depression")
    for v in (p.v_set, p.v_reset, READ, -5.0, 5.0):
        _evaluate(p, table, v, STATES, out)
        for x, row in zip(STATES.tolist(), out.tolist(), strict=True):
            pure = (
                contract.current(p, v, x),
                contract.rate(p, v, x),
                contract.potentiation(p, x),
                contract.depression(p, x),
            )
            for name, a, b in zip(names, row, pure, strict=True):
                if not abs(a - b) <= TOLERANCE * abs(b) + 1e-16:
                    return f"{name} at {v:g} V, state {x:g} is {b!r}, compiled {a!r}"
    return ""


CHECKS: Mapping[str, Callable[[Device, Any], str]] = {
    "units, meanings, source": _documented,
    "restricted Python": _restricted,
    "possible parameters": _possible,
    "no current at 0 V": _no_current_at_rest,
    "passive": _passive,
    "conductance rises with state": _monotone,
    "steps within the window": _bounded,
    "pulses move the state": _moves,
    "finite at +-5 V": _finite,
    "kernel = Python to 1e-12": _compiles,
}
"""The checks by name: a function of model and parameters that returns what is wrong, or ""."""
