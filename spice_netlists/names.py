"""Names and numbers as every SPICE dialect reads them.

A netlist is text, and text from an experiment file may hold anything; so nothing reaches a
netlist but names of the form ``[a-z][a-z0-9_]*`` and numbers that are finite.
"""

from __future__ import annotations

import hashlib
import math
import re

from ..errors import NetlistError

__all__ = ["comment", "name", "number"]

_LONGEST = 60
_SAFE = re.compile(r"[a-z][a-z0-9_]*\Z")


def name(text: str, prefix: str = "n") -> str:
    """Return *text* as a name that every dialect takes: lower case, ``[a-z][a-z0-9_]*``.

    Other characters become underscores; *prefix* goes before what does not begin with a letter.
    Of more than 60 letters the last become a hash of the whole, so that long names which differ
    at their ends stay different. Other texts may still give the same name, such as ``a+`` and
    ``a-``: give each its own number where that matters.
    """
    safe = re.sub(r"[^a-z0-9_]", "_", str(text).lower())
    if not _SAFE.match(safe):
        safe = f"{prefix}_{safe}"
    if len(safe) > _LONGEST:
        digest = hashlib.sha256(str(text).encode("utf-8", "surrogatepass")).hexdigest()
        safe = f"{safe[: _LONGEST - 9]}_{digest[:8]}"
    return safe


def number(value: float, what: str = "value") -> str:
    """Return *value* as plain decimal text that reads back to the same bits.

    No unit suffix is ever used: dialects disagree on them (``1x``, ``1a``, ``M``).

    Raises
    ------
    NetlistError
        If *value* is not a finite number.
    """
    plain = float(value)
    if not math.isfinite(plain):
        raise NetlistError(f"netlist: {what} is {plain}; allowed is a finite number.")
    return repr(plain)


def comment(text: str) -> str:
    """Return *text* as one comment line: printable ASCII, no line break, at most 200 letters."""
    flat = "".join(c if " " <= c <= "~" else " " for c in str(text))
    return f"* {flat[:200]}".rstrip()
