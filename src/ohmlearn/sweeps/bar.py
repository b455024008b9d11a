"""The progress of a sweep in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import typer

__all__ = ["Bar", "Silent", "interruptible"]

_INTERRUPTED = 130


@contextmanager
def interruptible(folder: Path) -> Iterator[None]:
    """Turn Ctrl-C into a sentence on how to go on, and the exit code that shells expect."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"interrupted: the same command goes on with the points in {folder}.", err=True)
        raise typer.Exit(_INTERRUPTED) from None


class Silent:
    """Says nothing."""

    def started(self, done: int, total: int) -> None:
        """Ignore it."""

    def finished(self, failed: bool) -> None:
        """Ignore it."""

    def message(self, text: str) -> None:
        """Ignore it."""


class Bar:
    """A bar with the time left, on standard error; used as a context manager."""

    def __init__(self) -> None:
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
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(stderr=True, highlight=False),
            transient=True,
            speed_estimate_period=600.0,
        )
        self._task = self._bars.add_task("points", total=None, visible=False)
        self._failed = 0
        self._told = False

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

    def started(self, done: int, total: int) -> None:
        """Start the bar; points that are there already do not count as speed."""
        if done and not self._told:
            self._told = True
            self.message(f"{done} of {total} points are there already.")
        self._bars.reset(self._task, total=total, completed=done, visible=True)

    def finished(self, failed: bool) -> None:
        """Move the bar."""
        self._failed += failed
        if self._failed:
            self._bars.update(self._task, description=f"points ({self._failed} failed)")
        self._bars.advance(self._task)

    def message(self, text: str) -> None:
        """Print *text*."""
        self._bars.console.print(text, markup=False, soft_wrap=True)
