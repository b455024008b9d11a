"""Compilation of small functions into the loop that calls them.

LLVM leaves a function of some length as a call, and a loop with a call does not vectorise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..jit import _compile

__all__ = ["inlined"]

F = TypeVar("F", bound=Callable[..., Any])


def inlined(function: F) -> F:
    """Compile *function* like :func:`ohmlearn.jit.kernel`, always inlined into its caller."""
    return _compile(forceinline=True)(function)
