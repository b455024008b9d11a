"""What all verbs do alike in the terminal: JSON, tables, and a bar. Rich is imported on use."""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

__all__ = ["TerminalBar", "console", "empty_table", "print_json", "print_parts"]


def print_json(content: Any) -> None:
    """Print *content* as JSON.

    Raises
    ------
    ValueError
        If it holds a number that JSON does not know, such as NaN.
    """
    typer.echo(json.dumps(content, indent=2, allow_nan=False))


def console() -> Console:
    """Return the console of standard output: no colours of its own, ``[ohm]`` as it stands."""
    from rich.console import Console

    return Console(highlight=False, markup=False)


def print_parts(parts: Iterable[RenderableType]) -> None:
    """Print tables and texts; a plain string, such as one with a path, is never broken."""
    terminal = console()
    for part in parts:
        terminal.print(part, soft_wrap=isinstance(part, str))


def empty_table(title: str | None = None, *, show_header: bool = True) -> Table:
    """Return a table without columns, in the style of all tables."""
    from .titled_table import TitledTable

    return TitledTable(title, show_header=show_header)


class TerminalBar:
    """A bar with the time left and lines above it, on standard error; a context manager.

    Parameters
    ----------
    description
        What stands in front of the bar.
    options
        Of Rich's ``Progress``.
    elapsed_when_finished
        Whether a full bar says how long it took in place of what is left.
    """

    def __init__(
        self, description: str, *, elapsed_when_finished: bool = False, **options: Any
    ) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=elapsed_when_finished),
            console=Console(stderr=True, highlight=False),
            transient=True,
            **options,
        )
        self._task = self._bars.add_task(description, total=None, visible=False)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def message(self, text: str) -> None:
        """Print *text*."""
        self._bars.console.print(text, markup=False, soft_wrap=True)
