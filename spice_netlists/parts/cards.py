"""Lines of a netlist."""

from __future__ import annotations

from collections.abc import Iterable

from ..names import name

__all__ = ["node", "wrapped"]

_WIDTH = 95


def node(text: str) -> str:
    """Return *text* as the name of a node; ``0`` stays the ground."""
    return "0" if text == "0" else name(text)


def wrapped(words: Iterable[str], head: str = "+ ") -> str:
    """Return *words* as one card, broken into continuation lines where it gets long."""
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) >= _WIDTH:
            lines.append(line)
            line = head + word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])
