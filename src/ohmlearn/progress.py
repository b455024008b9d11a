"""What a run tells while it goes on, and two listeners: one silent, one for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .terminal import TerminalBar

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


class RichProgress(TerminalBar):
    """A progress bar and one line per epoch on standard error; used as a context manager."""

    def __init__(self) -> None:
        super().__init__("starting")

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
        self.message(epoch_line(event))


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
