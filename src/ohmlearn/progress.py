"""What a run tells while it goes on, and two listeners: one silent, one for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

__all__ = ["Progress", "RichProgress", "SilentProgress"]


class Progress(Protocol):
    """Told of a run's progress; no method may change the run or raise."""

    def epoch_started(self, epoch: int, epochs: int, samples: int) -> None:
        """Hear that *epoch* of *epochs* (the first is 1) starts, with *samples* left in it."""
        ...

    def advanced(self, samples: int) -> None:
        """Hear that *samples* more have been learned."""
        ...

    def epoch_done(self, event: Mapping[str, Any]) -> None:
        """Hear that the epoch has ended; *event* is its row of ``events.csv``."""
        ...

    def message(self, text: str) -> None:
        """Hear something the user should know, in one sentence."""
        ...


class SilentProgress:
    """Says nothing."""

    def epoch_started(self, epoch: int, epochs: int, samples: int) -> None:
        """Ignore it."""

    def advanced(self, samples: int) -> None:
        """Ignore it."""

    def epoch_done(self, event: Mapping[str, Any]) -> None:
        """Ignore it."""

    def message(self, text: str) -> None:
        """Ignore it."""


class RichProgress:
    """A progress bar and one line per epoch on standard error; used as a context manager."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self._task = self._bars.add_task("starting", total=None, visible=False)

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

    def epoch_started(self, epoch: int, epochs: int, samples: int) -> None:
        """Start the bar of a new epoch."""
        self._bars.reset(
            self._task, total=samples, description=f"epoch {epoch}/{epochs}", visible=True
        )

    def advanced(self, samples: int) -> None:
        """Move the bar."""
        self._bars.advance(self._task, samples)

    def epoch_done(self, event: Mapping[str, Any]) -> None:
        """Print the line of the epoch."""
        self._print(epoch_line(event))

    def message(self, text: str) -> None:
        """Print *text*."""
        self._print(text)

    def _print(self, text: str) -> None:
        self._bars.console.print(text, markup=False, soft_wrap=True)


def epoch_line(event: Mapping[str, Any]) -> str:
    """Return one line that sums up an epoch from whatever its event holds."""
    parts = [f"epoch {event.get('epoch', '?'):>3}"]
    for key, label in (("train_accuracy", "train"), ("test_accuracy", "test")):
        if event.get(key) is not None:
            parts.append(f"{label} {100 * event[key]:6.2f} %")
    if event.get("pulses") is not None:
        parts.append(f"{event['pulses']:,.0f} pulses")
    if event.get("cpu_seconds") is not None:
        parts.append(f"{event['cpu_seconds']:.1f} s CPU")
    return "  ".join(parts)
