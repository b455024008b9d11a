"""What a folder holds of a netlist that was written there before."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Set
from pathlib import Path
from typing import NamedTuple

from ..errors import NetlistError

__all__ = ["FILE", "MAP", "MARK", "Earlier", "checksum", "earlier", "refuse_foreign", "set_aside"]

MAP = "map.json"
MARK = "ohmlearn netlist"
FILE = re.compile(r"[a-z][a-z0-9_]*\.(inc|lib|sp)\Z")


class Earlier(NamedTuple):
    """Names of the files that an earlier netlist left, and those that were edited since."""

    names: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()


def checksum(content: bytes) -> str:
    """Return what ``map.json`` keeps of a file, to know it again."""
    return hashlib.sha256(content).hexdigest()


def earlier(folder: Path) -> Earlier:
    """Return what *folder* holds of an earlier netlist; nothing where its map cannot be read."""
    try:
        told = json.loads((folder / MAP).read_text("utf-8"))
        if not str(told["generator"]).startswith(MARK):
            return Earlier()
        names = [name for name in map(str, told["files"]) if FILE.match(name)]
        sums = dict(told.get("sha256", {}))
    except FileNotFoundError:
        return Earlier()
    except (ValueError, KeyError, TypeError):
        return Earlier()
    edited = [name for name in names if name in sums and _differs(folder / name, sums[name])]
    return Earlier((MAP, *names), tuple(edited))


def _differs(path: Path, expected: str) -> bool:
    try:
        return checksum(path.read_bytes()) != expected
    except FileNotFoundError:
        return False


def refuse_foreign(folder: Path, names: Set[str]) -> None:
    """Raise if a file of *names* is in *folder*.

    Raises
    ------
    NetlistError
        Naming the first of them.
    """
    there = sorted(name for name in names if os.path.lexists(folder / name))
    if there:
        raise NetlistError(
            f"{folder / there[0]} is there already and is no file of an earlier netlist; choose "
            "another folder."
        )


def set_aside(folder: Path, edited: tuple[str, ...], files: Mapping[str, str]) -> list[str]:
    """Rename the *edited* files that are not what *files* has; return a sentence for each."""
    told = []
    for name in edited:
        path = folder / name
        if name in files and path.read_bytes() == files[name].encode("ascii"):
            continue
        number, kept = 1, folder / f"{name}.edited"
        while os.path.lexists(kept):
            number += 1
            kept = folder / f"{name}.edited{number}"
        path.rename(kept)
        told.append(f"{path} had been edited since it was written; it is kept as {kept.name}.")
    return told
