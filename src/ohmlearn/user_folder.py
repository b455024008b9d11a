"""Where the user's own devices are. The lowest layer: the kernel cache asks as well."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import platformdirs

__all__ = ["ENTRY_POINTS", "user_folder", "user_sources"]

ENTRY_POINTS = "ohmlearn.devices"
"""Group of the entry points through which a package offers device models."""


def user_folder() -> Path:
    """Return the folder of the user's models and presets, there or not."""
    given = os.environ.get("OHMLEARN_DEVICES")
    if given:
        return Path(given).expanduser()
    return Path(platformdirs.user_config_dir("ohmlearn")) / "devices"


def user_sources() -> Iterator[Path]:
    """Yield every Python file that may define a device of the user's, in a fixed order.

    Those of the folder, and the whole top-level package of each entry point. Nothing of them is
    imported for that.
    """
    yield from sorted(_files(user_folder(), "*.py"))
    packages = {point.module.partition(".")[0] for point in entry_points(group=ENTRY_POINTS)}
    for package in sorted(packages):
        try:
            spec = find_spec(package)
        except (ImportError, ValueError):
            continue
        if spec is None:
            continue
        if spec.submodule_search_locations is None and spec.origin:
            yield Path(spec.origin)
        for folder in spec.submodule_search_locations or ():
            yield from sorted(_files(Path(folder), "**/*.py"))


def _files(folder: Path, pattern: str) -> list[Path]:
    try:
        return [path for path in folder.glob(pattern) if path.is_file()]
    except OSError:
        return []
