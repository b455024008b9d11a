"""The report for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..terminal import empty_table
from .content import (
    Grid,
    area_grid,
    cited,
    constants_grid,
    count_of_cells,
    critical,
    elements_grid,
    left_out,
    phases_grid,
    scopes_grid,
    wear_grid,
)
from .report import Report

__all__ = ["as_text"]

_LAST = "meaning; source"
_WORD = 12  # letters; what is longer may be broken on a narrow terminal


def as_text(report: Report) -> Iterator[RenderableType]:
    """Yield the parts of the report, in the order in which they are printed."""
    subject = report.subject
    yield Text(
        f"{subject.name}: {'-'.join(map(str, subject.layers))}, {count_of_cells(report)}, "
        f"{subject.node} nm",
        style="bold",
    )
    if sentence := left_out(report):
        yield Text(f"Note: {sentence}", style="yellow")
    yield _table(scopes_grid(report))
    yield Text(report.verdict, style="bold")
    yield from (Text(f"- {sentence}") for sentence in report.advice)
    yield Text()
    yield _table(phases_grid("One training sample", report.sample))
    yield _table(phases_grid("One inference", report.inference))
    yield _table(elements_grid(report))
    yield Text(critical(report))
    yield Text()
    yield _table(area_grid(report))
    if grid := wear_grid(report):
        yield _table(grid)
    yield _table(_narrow(constants_grid(report)))
    yield Text("Sources", style="bold")
    yield from (Text(f"- {name}: {source}") for name, source in cited(report))
    yield Text("\nAssumptions", style="bold")
    yield from (Text(f"- {sentence}") for sentence in report.assumptions)


def _narrow(constants: Grid) -> Grid:
    """Return the table of constants for 80 letters: meaning and source in one column."""
    rows = tuple(
        (name, value, *(ends.replace(" to ", " to\n") for ends in both), f"{meaning}; {source}")
        for name, meaning, value, *both, source in constants.rows
    )
    name, _, value, between, _, _ = constants.heads
    heads = (name, value, between, "per sample", _LAST)
    return Grid(constants.title, heads, rows)


def _table(grid: Grid) -> Table:
    table = empty_table(grid.title, show_header=any(grid.heads))
    table.padding = (0, 1, 0, 0)
    for position, head in enumerate(grid.heads):
        words = position < grid.text or head in ("mostly", _LAST)
        table.add_column(
            Text(head),
            justify="left" if words else "right",
            overflow="fold",
            no_wrap=position == 0,
            min_width=_longest_word([head, *(row[position] for row in grid.rows)]),
        )
    for row in grid.rows:
        table.add_row(*row)
    return table


def _longest_word(cells: list[str]) -> int:
    """Return the width below which words of a column would be broken, up to a limit."""
    return min(max((len(word) for cell in cells for word in cell.split()), default=1), _WORD)
