"""Read a small CSV of numbers, and say in one sentence with its line what is wrong with it.

The format is strict, so that a wrong file is refused and never half understood: UTF-8 (with or
without a byte order mark), one header, commas between values, points in numbers, no quotes.
Empty lines and lines that start with ``#`` are skipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ...errors import DataError

__all__ = ["MOST_ROWS", "Row", "Table", "read_table"]

MOST_ROWS = 100_000
_MOST_BYTES = 20_000_000
_LONGEST = 40  # characters of a wrong value that are shown


class Row(NamedTuple):
    """The values of one line of the file, and its number."""

    line: int
    values: tuple[float, ...]


class Table(NamedTuple):
    """A whole file: where it is, its columns, and its rows (at least one)."""

    path: Path
    columns: tuple[str, ...]
    header_line: int
    rows: tuple[Row, ...]

    def error(self, line: int, problem: str) -> DataError:
        """Return the error that *problem* in *line* is."""
        return DataError(f"{self.path}: line {line}: {problem}")


def read_table(
    path: str | Path, objection: Callable[[tuple[str, ...]], str], text_columns: Sequence[str] = ()
) -> Table:
    """Read a CSV of numbers.

    Parameters
    ----------
    path
        The file.
    objection
        Returns what is wrong with the columns of the header, or "".
    text_columns
        Columns that may hold text; each new text counts as the next whole number, from 0.

    Raises
    ------
    DataError
        The file cannot be read or is no such table; the message names the line.
    """
    path = Path(path)
    lines = list(_lines(path, _text(path)))
    if not lines:
        raise DataError(f"{path}: line 1: the file is empty; it must start with a header.")
    header_line, header = lines[0]
    columns = _columns(path, header_line, header)
    if problem := objection(columns):
        raise DataError(f"{path}: line {header_line}: {problem}")
    if len(lines) == 1:
        raise DataError(f"{path}: line {header_line}: there are no readings below the header.")
    if len(lines) - 1 > MOST_ROWS:
        raise DataError(
            f"{path}: line {lines[MOST_ROWS + 1][0]}: too long, {len(lines) - 1:,} readings; "
            f"allowed are {MOST_ROWS:,}. Keep every tenth, or a few cycles."
        )
    names: dict[str, float] = {}
    text = [c in text_columns for c in columns]
    rows = tuple(_row(path, n, line, columns, text, names) for n, line in lines[1:])
    return Table(path, columns, header_line, rows)


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            raise DataError(f"{path}: line 1: it is a folder, not a CSV file.")
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path}: line 1: larger than {_MOST_BYTES / 1e6:g} MB.")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise DataError(f"{path}: cannot read it: {error.strerror}.") from error
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path}: line 1: the text is UTF-16; save it as UTF-8.")
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise DataError(f"{path}: line {line}: not text (a zero byte); it must be a CSV file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{path}: line {line}: not UTF-8 text (byte {error.start}).") from error


def _lines(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line that holds something."""
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if '"' in stripped or "'" in stripped:
            raise DataError(f"{path}: line {number}: there are quotes; write values without them.")
        yield number, stripped


def _columns(path: Path, number: int, header: str) -> tuple[str, ...]:
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in header:
            raise DataError(
                f"{path}: line {number}: the columns are separated by {name}; they must be "
                "separated by commas (and numbers written with a point)."
            )
    columns = tuple(part.strip().lower() for part in header.split(","))
    for column in columns:
        if columns.count(column) > 1:
            raise DataError(f"{path}: line {number}: the column '{_short(column)}' comes twice.")
    return columns


def _row(
    path: Path,
    number: int,
    line: str,
    columns: Sequence[str],
    text: Sequence[bool],
    names: dict[str, float],
) -> Row:
    for separator in (";", "\t"):
        if separator in line:
            raise DataError(
                f"{path}: line {number}: '{_short(line)}' mixes separators; values must be "
                "separated by commas."
            )
    parts = [part.strip() for part in line.split(",")]
    if len(parts) != len(columns):
        hint = " (a decimal comma? write 2.5, not 2,5)" if len(parts) > len(columns) else ""
        values = "value" if len(parts) == 1 else "values"
        raise DataError(
            f"{path}: line {number}: {len(parts)} {values} for the {len(columns)} columns "
            f"{', '.join(columns)}{hint}."
        )
    values = []
    for part, column, is_text in zip(parts, columns, text, strict=True):
        if is_text and part:
            values.append(names.setdefault(part, float(len(names))))
        else:
            values.append(_number(path, number, part, column))
    return Row(number, tuple(values))


def _number(path: Path, line: int, part: str, column: str) -> float:
    try:
        # float() also reads 1_000, which no instrument writes
        value = math.nan if "_" in part else float(part)
        known = "_" not in part
    except ValueError:
        value, known = math.nan, False
    if not known:
        shown = f"'{_short(part)}'" if part else "empty"
        raise DataError(f"{path}: line {line}: {column} is {shown}; it must be a number.")
    if not math.isfinite(value):
        raise DataError(
            f"{path}: line {line}: {column} is {part}; it must be finite (leave the row out)."
        )
    return value


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."
