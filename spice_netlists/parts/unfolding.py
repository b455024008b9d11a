"""Formulas written out in full, for languages without functions in expressions."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from copy import copy
from typing import Any

from .physics import Body, Physics

__all__ = ["in_full"]


def in_full(body: Body, physics: Physics) -> ast.expr:
    """Return the result of a function as one expression, of its arguments alone."""
    helpers = {h.name: h.body for h in physics.helpers}
    known: dict[str, ast.expr] = {a: ast.Name(a) for a in body.arguments}
    for let in body.lets:
        known[let.name] = _Filled(known, helpers).visit(let.value)
    return _Filled(known, helpers).visit(body.result)


class _Filled(ast.NodeTransformer):
    """Puts expressions in the place of names, and the text of helpers in that of their calls."""

    def __init__(self, known: Mapping[str, ast.expr], helpers: Mapping[str, Body]) -> None:
        self.known = known
        self.helpers = helpers

    def visit(self, node: ast.AST) -> Any:
        match node:
            case ast.Name(id=name):
                return self.known[name]
            case ast.Attribute():
                return node
            case ast.Call(func=ast.Name(id=name), args=arguments):
                given = [self.visit(a) for a in arguments]
                if name not in self.helpers:
                    return ast.Call(node.func, given, [])
                body = self.helpers[name]
                known = dict(zip(body.arguments, given, strict=True))
                for let in body.lets:
                    known[let.name] = _Filled(known, self.helpers).visit(let.value)
                return _Filled(known, self.helpers).visit(body.result)
        # The formulas are shared: change a copy.
        return super().generic_visit(copy(node))
