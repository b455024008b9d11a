"""Formulas as text of a simulator's language.

Python and the simulators agree on arithmetic, not on everything: the power of a negative number
is |x|^y in ngspice, 0 or an error elsewhere, so a power is only ever taken of what cannot be
negative; roots and logarithms likewise. Where their slope has no bound at 0, ngspice would stop
there, so they are taken of 1e-300 at least. ``expm1`` is written as tanh(u/2) (exp(u) + 1), which
loses no digits near zero. ngspice 39 keeps eleven digits of a number in an expression, and all of
one in a parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple

from ...errors import NetlistError
from ..names import number
from .dialects import Dialect

__all__ = ["Language", "write"]

_SUM, _PRODUCT, _ATOM = 1, 2, 3
_SIGNS = {ast.Add: ("+", _SUM), ast.Sub: ("-", _SUM), ast.Mult: ("*", _PRODUCT),
          ast.Div: ("/", _PRODUCT)}  # fmt: skip
_ORDER = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_TINY = "1e-300"


class Language(NamedTuple):
    """How an expression is written.

    Attributes
    ----------
    dialect
        Operators and function names.
    names
        Text of every argument and intermediate quantity.
    parameters
        Text of every parameter.
    helpers
        Text of every helper's name; a call of another function is that of the language.
    """

    dialect: Dialect
    names: Mapping[str, str]
    parameters: Mapping[str, str]
    helpers: Mapping[str, str]


def write(node: ast.expr, language: Language) -> str:
    """Return the text of the expression *node*."""
    return _Writer(language).text(node)


class _Writer:
    def __init__(self, language: Language) -> None:
        self.language = language
        self.dialect = language.dialect

    def text(self, node: ast.expr) -> str:
        return self._written(node)[0]

    def _written(self, node: ast.expr) -> tuple[str, int]:
        """Return the text of *node* and how tightly it binds."""
        match node:
            case ast.Constant(value=float(value)):
                return (number(value) if value >= 0.0 else f"({number(value)})"), _ATOM
            case ast.Name(id=name):
                return self.language.names[name], _ATOM
            case ast.Attribute(attr=attr):
                return self.language.parameters[attr], _ATOM
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"(-{self._inside(operand, _ATOM)})", _ATOM
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._written(operand)
            case ast.UnaryOp(op=ast.Not()) | ast.Compare() | ast.BoolOp():
                return self._chosen(node, "1.0", "0.0"), _ATOM
            case ast.IfExp(test=test, body=body, orelse=other):
                return self._chosen(test, self.text(body), self.text(other)), _ATOM
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(left, op, right)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments), _ATOM
        raise NetlistError(f"{ast.unparse(node)}: {type(node).__name__} has no form in a circuit.")

    def _inside(self, node: ast.expr, least: int) -> str:
        text, binds = self._written(node)
        return text if binds >= least else f"({text})"

    def _binary(self, left: ast.expr, op: ast.operator, right: ast.expr) -> tuple[str, int]:
        if isinstance(op, ast.Pow):
            return self._power(left, right), _ATOM
        if isinstance(op, ast.FloorDiv):
            return f"floor({self._inside(left, _PRODUCT)}/{self._inside(right, _ATOM)})", _ATOM
        if isinstance(op, ast.Mod):
            a, b = self._inside(left, _ATOM), self._inside(right, _ATOM)
            return f"({a}-{b}*floor({a}/{b}))", _ATOM
        if type(op) not in _SIGNS:
            raise NetlistError(f"the operator {type(op).__name__} has no form in a circuit.")
        sign, binds = _SIGNS[type(op)]
        return f"{self._inside(left, binds)}{sign}{self._inside(right, binds + 1)}", binds

    def _power(self, base: ast.expr, exponent: ast.expr) -> str:
        a, b = self.text(base), self.text(exponent)
        match exponent:
            case ast.Constant(value=float(power)):
                whole, even, steep = power % 1.0 == 0.0, power % 2.0 == 0.0, power < 1.0
            case _:
                whole, even, steep = True, False, True
        signed = not _never_negative(base)
        size = f"abs({a})" if signed and whole else self._positive(base)
        if steep:  # its slope at 0 has no bound, and ngspice would stop there
            size = f"max({size}, {_TINY})" if signed and whole else self._positive(base, _TINY)
        size = f"{self.dialect.renamed.get('pow', 'pow')}({size}, {b})"
        if not signed or even or not whole:
            return size
        # An odd exponent keeps the sign; one that is no whole number has no negative bases.
        odd = f"(1.0-2.0*abs({b}-2.0*floor(0.5*({b})+0.5)))"
        return f"({size}*{self._choice(f'({a} < 0.0)', odd, '1.0')})"

    def _positive(self, node: ast.expr, floor: str = "0.0") -> str:
        """Return the text of *node*, not below *floor*."""
        match node:
            case ast.Call(func=ast.Name(id="max"), args=[inner, ast.Constant(value=0.0)]):
                return f"max({self.text(inner)}, {floor})"
            case ast.Constant(value=float(value)) if value > 0.0:
                return self.text(node)
        if floor == "0.0" and _never_negative(node):
            return self.text(node)
        return f"max({self.text(node)}, {floor})"

    def _test(self, node: ast.expr) -> str:
        """Return *node* as a condition."""
        match node:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                a, b = self.text(left), self.text(right)
                return f"(({a} >= {b}) {self.dialect.both} ({a} <= {b}))"
            case ast.Compare(left=left, ops=[ast.NotEq()], comparators=[right]):
                a, b = self.text(left), self.text(right)
                return f"(({a} > {b}) {self.dialect.either} ({a} < {b}))"
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return f"({self.text(left)} {_ORDER[type(op)]} {self.text(right)})"
            case ast.BoolOp(op=op, values=values):
                sign = self.dialect.both if isinstance(op, ast.And) else self.dialect.either
                return "(" + f" {sign} ".join(self._test(v) for v in values) + ")"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return f"({self._chosen(operand, '0.0', '1.0')} > 0.5)"
        return self._test(ast.Compare(node, [ast.NotEq()], [ast.Constant(0.0)]))

    def _chosen(self, test: ast.expr, then: str, other: str) -> str:
        return self._choice(self._test(test), then, other)

    def _choice(self, test: str, then: str, other: str) -> str:
        return self.dialect.choice.format(test=test, then=then, other=other)

    def _call(self, name: str, arguments: list[ast.expr]) -> str:
        if name in self.language.helpers:
            given = ", ".join(map(self.text, arguments))
            return f"{self.language.helpers[name]}({given})"
        if name in ("min", "max") and len(arguments) > 2:
            head = ast.Call(ast.Name(name), arguments[:-1], [])
            return self._call(name, [head, arguments[-1]])
        if name == "pow" and len(arguments) == 2:
            return self._power(arguments[0], arguments[1])
        if name == "expm1":
            u = self._inside(arguments[0], _ATOM)
            return f"(tanh(0.5*{u})*(exp({self.text(arguments[0])})+1.0))"
        given = [self.text(a) for a in arguments]
        if name == "sqrt":
            given = [self._positive(arguments[0], _TINY)]
        if name == "log1p":
            name, given = "log", [f"1.0+{self._inside(arguments[0], _PRODUCT)}"]
        if name in ("log", "log10"):
            given = [f"max({given[0]}, {_TINY})"]
        if (name in ("min", "max")) != (len(given) == 2):
            raise NetlistError(f"{name}() of {len(given)} arguments has no form in a circuit.")
        return f"{self.dialect.renamed.get(name, name)}({', '.join(given)})"


def _never_negative(node: ast.expr) -> bool:
    """Return whether *node* is seen at once not to be negative."""
    match node:
        case ast.Constant(value=float(value)):
            return value >= 0.0
        case ast.Call(func=ast.Name(id="max"), args=arguments):
            return any(_never_negative(a) for a in arguments)
        case ast.Call(func=ast.Name(id="min"), args=arguments):
            return all(_never_negative(a) for a in arguments)
        case ast.Call(func=ast.Name(id=name)):
            return name in ("abs", "exp", "sqrt", "cosh", "limexp", "softplus", "smooth_step")
        case ast.BinOp(left=left, op=ast.Add() | ast.Mult() | ast.Div(), right=right):
            same = ast.dump(left) == ast.dump(right) and isinstance(node.op, ast.Mult)
            return same or (_never_negative(left) and _never_negative(right))
    return False
