"""The functions of a device model, read from their own Python text.

What :mod:`ohmlearn.devices` compiles for the kernels is read here as formulas: assignments in
order and a result, over the voltage ``v``, the state ``x`` and the parameters. Helpers of
:mod:`ohmlearn.devices.functions` are read the same way, and the rate of a pulse-response model is
that of :mod:`ohmlearn.devices.contract`. Nothing is evaluated, so the formulas can be written in
any language.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ...devices import contract, functions
from ...devices.contract import Device
from ...errors import NetlistError

__all__ = ["INTRINSICS", "Body", "Helper", "Let", "Physics", "names_in", "physics_of"]

_OF_PYTHON = """
abs acos acosh asin asinh atan atanh ceil cos cosh exp expm1 floor log log10 log1p max min
pow sin sinh sqrt tan tanh
"""

INTRINSICS = frozenset(_OF_PYTHON.split())
"""Functions of Python that every dialect can express; all others have no circuit form."""

_PULSES = {contract.potentiation: contract.potentiation_of,
           contract.depression: contract.depression_of}  # fmt: skip


class Let(NamedTuple):
    """An intermediate quantity: its name, and its value in terms of what came before."""

    name: str
    value: ast.expr


class Body(NamedTuple):
    """A function: its arguments, intermediate quantities in order, result."""

    arguments: tuple[str, ...]
    lets: tuple[Let, ...]
    result: ast.expr


class Helper(NamedTuple):
    """A function that formulas call."""

    name: str
    body: Body


class Physics(NamedTuple):
    """A device model: helpers in order of use, terminal current [A] and dx/dt [1/s].

    In its expressions a name is an argument or an intermediate quantity, an attribute ``p.name``
    is a parameter, and a call is that of a helper or of one of :data:`INTRINSICS`.
    """

    helpers: tuple[Helper, ...]
    current: Body
    rate: Body


def physics_of(device: Device) -> Physics:
    """Return the formulas of *device*.

    Raises
    ------
    NetlistError
        If a function uses what has no form in a circuit: the message names function and line.
    """
    reading = _Reading(device)
    current = reading.model("current", device.current, ("v", "x"))
    rate = reading.model("rate", contract.rate_of(device), ("v", "x"))
    return Physics(tuple(Helper(n, b) for n, b in reading.helpers.items()), current, rate)


def names_in(node: ast.expr) -> set[str]:
    """Return the names of arguments and intermediate quantities that *node* uses."""
    parameters = {id(n.value) for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    called = {id(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
    return {
        n.id
        for n in ast.walk(node)
        if isinstance(n, ast.Name) and id(n) not in parameters | called
    }


class _Reading:
    """What has been read of one device: its helpers, and the names in use."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.helpers: dict[str, Body] = {}

    def model(self, name: str, function: Callable[..., Any], arguments: tuple[str, ...]) -> Body:
        """Read a function of the model, whose first argument is the parameter tuple."""
        reader = _Reader(self, function, name)
        result = reader.read([ast.Name(a) for a in arguments], tuple_first=True)
        return _needed(arguments, reader.lets, result)

    def helper(self, function: Callable[..., Any]) -> str:
        """Read a helper once, and return its name."""
        name = function.__name__
        if name not in self.helpers:
            reader = _Reader(self, function, name)
            arguments = tuple(inspect.signature(function).parameters)
            result = reader.read([ast.Name(a) for a in arguments], tuple_first=False)
            self.helpers[name] = _needed(arguments, reader.lets, result)
        return name


def _needed(arguments: tuple[str, ...], lets: list[Let], result: ast.expr) -> Body:
    """Return the function without quantities that nothing uses."""
    used = names_in(result)
    kept: list[Let] = []
    for let in reversed(lets):
        if let.name in used:
            used |= names_in(let.value)
            kept.append(let)
    return Body(arguments, tuple(reversed(kept)), result)


class _Reader(ast.NodeTransformer):
    """Reads one function: its statements become :class:`Let` s, its names what they stand for."""

    def __init__(
        self, reading: _Reading, function: Callable[..., Any], prefix: str,
        lets: list[Let] | None = None,
    ) -> None:  # fmt: skip
        self.reading = reading
        self.function = function
        self.prefix = prefix
        self.lets: list[Let] = [] if lets is None else lets
        self.known: dict[str, ast.expr] = {}
        self.tuple_name = ""
        self.globals = {**vars(builtins), **getattr(function, "__globals__", {})}

    def read(self, arguments: list[ast.expr], tuple_first: bool) -> ast.expr:
        """Return the result of the function for *arguments*, expressions already read."""
        definition = self._definition()
        names = [a.arg for a in definition.args.args]
        if tuple_first:
            self.tuple_name, *names = names
        self.known = dict(zip(names, arguments, strict=True))
        for statement in definition.body:
            if isinstance(statement, ast.Return) and statement.value is not None:
                return self.visit(statement.value)
            self._statement(statement)
        raise self._refusal(definition, "it does not return a value at its end")

    def _definition(self) -> ast.FunctionDef:
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(self.function)))
        except (OSError, TypeError, SyntaxError) as error:
            raise NetlistError(
                f"{self.reading.device.name}: the text of {self.prefix} cannot be read; a device "
                "model is a plain function in a file."
            ) from error
        definition = tree.body[0]
        if not isinstance(definition, ast.FunctionDef):
            raise self._refusal(definition, "it must be a plain function")
        return definition

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        for target, value in self._assigned(node):
            read = self.visit(value)
            if not isinstance(read, ast.Name | ast.Constant | ast.Attribute):
                taken = {let.name for let in self.lets}
                name = self._free(f"{self.prefix}_{target}", taken)
                self.lets.append(Let(name, read))
                read = ast.Name(name)
            self.known[target] = read

    @staticmethod
    def _free(name: str, taken: set[str]) -> str:
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        return free

    def _assigned(self, node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
        """Yield name and value of an assignment to one name; refuse any other statement."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                yield name, ast.copy_location(ast.BinOp(ast.Name(name), op, value), node)
            case _:
                raise self._refusal(node, f"{type(node).__name__} has no form in a circuit")

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.known:
            return self.known[node.id]
        return self._constant(node, self.globals.get(node.id), node.id)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id == self.tuple_name:
            if node.attr not in self.reading.device.params._fields:
                raise self._refusal(node, f"there is no parameter '{node.attr}'")
            return ast.Attribute(ast.Name("p"), node.attr)
        return self._constant(node, self._object(node), ast.unparse(node))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return self._constant(node, node.value, repr(node.value))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        called = self._object(node.func)
        if node.keywords or not callable(called):
            raise self._refusal(node, f"{ast.unparse(node)} has no form in a circuit")
        if called in _PULSES:
            return self._inlined(node, called)
        name = getattr(called, "__name__", "")
        if any(called is getattr(functions, known) for known in functions.__all__):
            name = self.reading.helper(called)
        elif not (called in (abs, min, max) or called is getattr(math, name, None)):
            raise self._refusal(node, f"{ast.unparse(node.func)}() has no form in a circuit")
        elif name not in INTRINSICS:
            raise self._refusal(node, f"{name}() has no form in a circuit")
        return ast.Call(ast.Name(name), [self.visit(a) for a in node.args], [])

    def _inlined(self, node: ast.Call, called: Callable[..., Any]) -> ast.expr:
        """Read the step of a pulse in place of its call."""
        step = _PULSES[called](self.reading.device)
        reader = _Reader(self.reading, step, called.__name__, self.lets)
        return reader.read([self.visit(a) for a in node.args[1:]], tuple_first=True)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if not all(isinstance(o, ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.Eq | ast.NotEq)
                   for o in node.ops):  # fmt: skip
            raise self._refusal(node, f"{ast.unparse(node)} has no form in a circuit")
        terms = [self.visit(t) for t in (node.left, *node.comparators)]
        pairs: list[ast.expr] = [
            ast.Compare(a, [op], [b]) for a, op, b in zip(terms, node.ops, terms[1:], strict=False)
        ]
        return pairs[0] if len(pairs) == 1 else ast.BoolOp(ast.And(), pairs)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, ast.BinOp | ast.UnaryOp | ast.IfExp | ast.BoolOp | ast.operator
                          | ast.unaryop | ast.boolop):  # fmt: skip
            raise self._refusal(node, f"{type(node).__name__} has no form in a circuit")
        return super().generic_visit(node)

    def _object(self, node: ast.expr) -> Any:
        """Return what a name or a dotted name stands for in the module, or None."""
        match node:
            case ast.Name(id=name):
                return self.globals.get(name)
            case ast.Attribute(value=value, attr=attr):
                return getattr(self._object(value), attr, None)
        return None

    def _constant(self, node: ast.AST, value: Any, text: str) -> ast.expr:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._refusal(node, f"{text} is neither argument, parameter nor number")
        return ast.Constant(float(value))

    def _refusal(self, node: ast.AST, why: str) -> NetlistError:
        line = getattr(node, "lineno", 1)
        return NetlistError(
            f"{self.reading.device.name}: {self.prefix}, line {line}: {why}; allowed are "
            "assignments, arithmetic, comparisons, conditional expressions, math and the "
            "functions of ohmlearn.devices.functions."
        )
