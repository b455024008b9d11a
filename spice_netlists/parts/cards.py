"""Lines of a netlist."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from ..names import name

__all__ = ["label_of", "node", "wrapped"]

_WIDTH = 95


_LONGEST = 40


def label_of(text: str, prefix: str = "n") -> str:
    """Return *text* as the name of a part: short enough for what its own parts add to it.

    A longer one is cut and ends with its checksum, so that it stays apart from its like; the name
    of a name is the name itself.
    """
    safe = name(text, prefix)
    if len(safe) <= _LONGEST:
        return safe
    return f"{safe[: _LONGEST - 9]}_{crc32(str(text).encode('utf-8', 'replace')):08x}"


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
