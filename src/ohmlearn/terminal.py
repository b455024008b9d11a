"""What all verbs do alike in the terminal. Rich is imported on use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["console", "empty_table"]


def console() -> Console:
    """Return the console of standard output: no colours of its own, ``[ohm]`` as it stands."""
    from rich.console import Console

    return Console(highlight=False, markup=False)


def empty_table(title: str | None = None, *, show_header: bool = True) -> Table:
    """Return a table without columns, in the style of all tables."""
    from .titled_table import TitledTable

    return TitledTable(title, show_header=show_header)
