"""How a command ends when something is wrong: one sentence a line, and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from .errors import OhmlearnError, UserError

__all__ = ["FAILURE", "INTERRUPTED", "WRONG_INPUT", "explained_errors"]

FAILURE, WRONG_INPUT = 1, 2
INTERRUPTED = 130  # as of a shell, after Ctrl-C


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turn an error raised on purpose into its sentence and an exit code."""
    try:
        yield
    except UserError as error:
        _fail(error, WRONG_INPUT)
    except OhmlearnError as error:
        _fail(error, FAILURE)
    except MemoryError as error:
        reason = f" ({error})" if str(error) else ""
        _fail(f"out of memory{reason}: what was asked for is too large for this machine.", FAILURE)


def _fail(error: OhmlearnError | str, code: int) -> NoReturn:
    for line in str(error).splitlines():
        typer.echo(f"error: {line}", err=True)
    raise typer.Exit(code) from None
