"""The progress of a sweep in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from ..exits import INTERRUPTED
from ..terminal import TerminalBar

__all__ = ["Bar", "Silent", "interruptible"]


@contextmanager
def interruptible(folder: Path) -> Iterator[None]:
    """Turn Ctrl-C into a sentence on how to go on, and the exit code that shells expect."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"interrupted: the same command goes on with the points in {folder}.", err=True)
        raise typer.Exit(INTERRUPTED) from None


class Silent:
    """Says nothing."""

    def started(self, done: int, total: int) -> None:
        """Ignore it."""

    def finished(self, failed: bool) -> None:
        """Ignore it."""

    def message(self, text: str) -> None:
        """Ignore it."""


class Bar(TerminalBar):
    """A bar with the time left, on standard error; used as a context manager."""

    def __init__(self) -> None:
        super().__init__("points", elapsed_when_finished=True, speed_estimate_period=600.0)
        self._failed = 0
        self._told = False

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
