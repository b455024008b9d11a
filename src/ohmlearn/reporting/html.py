"""The report as one page: tables, figures and styles in a single file, without any link out."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..storage import write_file
from .area import Part
from .budget import energy
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
from .report_figures import Picture, pictures
from .words import area, count, percent, quantity, span

__all__ = ["page", "write_page"]


def write_page(path: Path, report: Report) -> None:
    """Write the page of *report* to *path*, whole or not at all.

    Raises
    ------
    RecordError
        The file cannot be written.
    """
    text = page(report).encode()
    write_file(path, lambda file: file.write(text))


def page(report: Report) -> str:
    """Return the page; the same report gives the same bytes."""
    style = (files("ohmlearn.reporting") / "report.css").read_text(encoding="utf-8")
    drawn = {picture.name: picture for picture in pictures(report)}
    parts = "\n".join((*_head(report), "<main>", *_body(report, drawn), "</main>", *_foot(report)))
    title = escape(f"{report.subject.name}: energy, latency and area")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<style>\n{style}</style>\n</head>\n<body>\n{parts}\n'
        "</body>\n</html>\n"
    )


def _head(report: Report) -> Iterator[str]:
    subject = report.subject
    learning = subject.experiment.learning
    cell = subject.experiment.device
    device = cell.preset or cell.model if cell else ""
    yield f"<header>\n<h1>{escape(subject.name)}</h1>"
    yield (
        f'<p class="what">{escape("-".join(map(str, subject.layers)))} network, rule '
        f"{escape(learning.rule)}, {count_of_cells(report, escape(str(device)))}, "
        f"{escape(subject.node)} nm periphery</p>"
    )
    if sentence := left_out(report):
        yield f'<p class="note" role="note">{escape(sentence)}</p>'
    yield "</header>"


def _body(report: Report, drawn: dict[str, Picture]) -> Iterator[str]:
    yield _cards(_headlines(report))
    yield f'<p class="verdict">{escape(report.verdict)}</p>'
    yield _list(report.advice)
    yield _section("Energy")
    yield _table(scopes_grid(report))
    yield from _figures(drawn, "energy")
    yield _table(phases_grid("One training sample, phase by phase", report.sample))
    yield _table(phases_grid("One inference, phase by phase", report.inference))
    yield _table(elements_grid(report))
    yield from _figures(drawn, "sensitivity")
    yield _section("Latency")
    yield f"<p>{escape(critical(report))}</p>"
    yield from _figures(drawn, "timeline")
    yield _section("Area and wear")
    yield '<div class="pair">'
    yield _table(area_grid(report), "slim")
    if grid := wear_grid(report):
        yield _table(grid, "slim")
    yield "</div>"
    yield from _figures(drawn, "wear")
    if any(name in drawn for name in ("accuracy", "conductances")):
        yield _section("The run")
        yield from _figures(
            drawn, "accuracy", "accuracy_energy", "pulses", "conductances", "conductance_map"
        )
    yield _section("Numbers and assumptions")
    yield _table(constants_grid(report), "constants")
    yield "<h3>Sources</h3>"
    yield _list(f"{name}: {source}" for name, source in cited(report))
    yield "<h3>Assumptions</h3>"
    yield _list(report.assumptions)


def _foot(report: Report) -> Iterator[str]:
    record = report.subject.record
    versions: Any = record.summary["versions"] if record else None
    by = versions.get("ohmlearn", "") if isinstance(versions, Mapping) else ""
    words = f"{report.subject.name}{f', run by ohmlearn {by}' if by else ''}"
    yield f"<footer><code>ohmlearn report</code> of {escape(words)}</footer>"


def _headlines(report: Report) -> Iterator[tuple[str, str, str]]:
    """Yield title, number and remark of what a reader looks for first."""
    record = report.subject.record
    accuracy = record.summary.get("test_accuracy") if record else None
    if accuracy is not None:
        epochs = report.subject.experiment.training.epochs
        yield "Test accuracy", f"{100 * accuracy:.2f} %", f"after {epochs} epochs"
    ends = (quantity(v, "J") for v in report.inference_range)
    yield "Energy per inference", quantity(energy(report.inference), "J"), " to ".join(ends)
    ends = (quantity(v, "J") for v in report.sample_range)
    yield "Energy per training sample", quantity(energy(report.sample), "J"), " to ".join(ends)
    once, sample = report.inference_latency, report.sample_latency
    yield "Time per inference", span(once.total), f"{count(once.rate)} per second"
    yield "Time per training sample", span(sample.total), f"{sample.longest} takes the most"
    whole: list[Part] = list(report.area)
    cells = f"cells {percent(whole[0].area / sum(p.area for p in whole))}"
    yield "Area", area(sum(p.area for p in whole)), cells
    if report.wear:
        known = report.subject.worst_pulses is not None
        which = "until the worst cell is worn out" if known else "until an average cell is"
        yield "Such runs in a lifetime", count(report.wear.runs), which


def _cards(entries: Iterable[tuple[str, str, str]]) -> str:
    cards = (
        f"<div><dt>{escape(title)}</dt><dd>{escape(value)}</dd><dd>{escape(remark)}</dd></div>"
        for title, value, remark in entries
    )
    return f'<dl class="cards">{"".join(cards)}</dl>'


def _section(title: str) -> str:
    return f"<h2>{escape(title)}</h2>"


def _list(sentences: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(s)}</li>' for s in sentences)}</ul>"


def _table(grid: Grid, kind: str = "") -> str:
    words = [k < grid.text or head in ("mostly", "source") for k, head in enumerate(grid.heads)]
    mark = [' class="w"' if w else "" for w in words]
    head = ""
    if any(grid.heads):
        cells = "".join(
            f'<th scope="col"{m}>{escape(h)}</th>' if h else f"<td{m}></td>"
            for h, m in zip(grid.heads, mark, strict=True)
        )
        head = f"<thead><tr>{cells}</tr></thead>"
    rows = []
    for first, *rest in grid.rows:
        cells = "".join(
            f"<td{m}>{escape(c if m else _unbroken(c))}</td>"
            for c, m in zip(rest, mark[1:], strict=True)
        )
        total = ' class="sum"' if first == "total" else ""
        rows.append(f'<tr{total}><th scope="row" class="w">{escape(first)}</th>{cells}</tr>')
    name = f' class="{kind}"' if kind else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(grid.title)}">'
        f"<table{name}><caption>{escape(grid.title)}</caption>{head}<tbody>{''.join(rows)}</tbody>"
        "</table></div>"
    )


def _unbroken(numbers: str) -> str:
    """Keep numbers and their units on one line; ranges may break at "to"."""
    return numbers.replace(" ", "\u00a0").replace("\u00a0to\u00a0", " to\u00a0")


def _figures(drawn: dict[str, Picture], *names: str) -> Iterator[str]:
    for picture in (drawn[name] for name in names if name in drawn):
        data = base64.b64encode(picture.svg).decode()
        yield (
            f"<figure><h3>{escape(picture.title)}</h3>"
            f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(picture.words)}">'
            f"<figcaption>{escape(picture.words)}</figcaption></figure>"
        )
