"""The look of all tables in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

__all__ = ["TitledTable"]


class TitledTable(Table):
    """A table under a title that is as wide as the terminal, however narrow the table is.

    Parameters
    ----------
    title
        Printed in bold above the table; None or "" for none.
    show_header
        Print the names of the columns.
    """

    def __init__(self, title: str | None, *, show_header: bool = True) -> None:
        super().__init__(box=box.SIMPLE_HEAD, show_header=show_header, pad_edge=False)
        self._heading = title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Print the title, then the table."""
        if self._heading:
            yield Text(self._heading, style="bold")
        yield from super().__rich_console__(console, options)
