"""Turns what validation found into sentences: where, what was given, what is allowed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import nearest

__all__ = ["explain"]

_LONGEST_VALUE = 60


def explain(
    error: ValidationError,
    document: Mapping[str, Any],
    model: type[BaseModel],
    source: str,
    origin: Mapping[str, str],
) -> str:
    """Return one sentence per error, one a line.

    Parameters
    ----------
    error
        What pydantic found in *document*.
    document
        The experiment as the user wrote it, before defaults were filled in.
    model
        The model of the whole experiment; its field descriptions say what is allowed.
    source
        The file's name; *origin* names another source for single dotted keys.
    """
    sections = _sections(model)
    lines: dict[str, None] = {}
    entries = error.errors()
    for entry in entries:
        where = entry["loc"]
        if any(
            len(e["loc"]) > len(where) > 0 and e["loc"][: len(where)] == where for e in entries
        ):
            continue  # a list is wrong because an entry is wrong: the entry's sentence is enough
        for sentence in _sentences(entry, where, document, model, sections):
            key = ".".join(str(part) for part in where[:2])
            lines[f"{origin.get(key, source)}: {sentence}"] = None
    return "\n".join(lines)


def _sections(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Return the model of each section of *model*, also where the section is optional."""
    found = {}
    for name, field in model.model_fields.items():
        candidates = (field.annotation, *getattr(field.annotation, "__args__", ()))
        for candidate in candidates:
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                found[name] = candidate
    return found


def _sentences(
    entry: Mapping[str, Any],
    where: tuple[int | str, ...],
    document: Mapping[str, Any],
    model: type[BaseModel],
    sections: Mapping[str, type[BaseModel]],
) -> Iterator[str]:
    if not where:
        yield from str(entry["ctx"]["error"]).splitlines()
        return
    section = str(where[0])
    if entry["type"] == "extra_forbidden":
        yield _unknown(where, model, sections)
    elif len(where) == 1 and section in sections:
        yield _not_a_section(section, entry)
    else:
        yield _wrong_value(entry, where, document, model, sections)


def _unknown(
    where: tuple[int | str, ...],
    model: type[BaseModel],
    sections: Mapping[str, type[BaseModel]],
) -> str:
    name = str(where[-1])
    if len(where) == 1:
        home = _home(name, sections)
        return home or nearest(name, model.model_fields, "section")
    home = _home(name, sections)
    hint = home or nearest(name, sections[str(where[0])].model_fields, "key")
    return f"in section [{where[0]}]: {hint}"


def _home(name: str, sections: Mapping[str, type[BaseModel]]) -> str:
    """Say where a key that stands in the wrong section belongs, or return ''."""
    homes = [s for s, model in sections.items() if name in model.model_fields]
    return f"unknown key '{name}'; it belongs in section [{homes[0]}]." if homes else ""


def _not_a_section(section: str, entry: Mapping[str, Any]) -> str:
    if entry["type"] == "missing":
        return f"section [{section}] is missing."
    return f"{section} is {_shown(entry['input'])}; it must be a section [{section}] with keys."


def _wrong_value(
    entry: Mapping[str, Any],
    where: tuple[int | str, ...],
    document: Mapping[str, Any],
    model: type[BaseModel],
    sections: Mapping[str, type[BaseModel]],
) -> str:
    section, *rest = where
    owner = sections.get(str(section), model)
    field = str(rest[0]) if rest else str(section)
    allowed = owner.model_fields[field].description
    path, value = _written(where, document)
    if entry["type"] == "missing":
        return f"{path} is missing; it must be {allowed}."
    whole = ".".join(str(part) for part in where[:2])
    subject = "it" if path == whole else whole
    return f"{path} is {_shown(value)}; {subject} must be {allowed}."


def _written(where: tuple[int | str, ...], document: Any) -> tuple[str, Any]:
    """Return the path and the value at *where* as far as the user wrote them."""
    path, value = "", document
    for part in where:
        if isinstance(part, int) and not isinstance(value, (list, tuple)):
            break  # one number that stands for every layer
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
        value = _entry(value, part)
    return path, value


def _entry(value: Any, part: int | str) -> Any:
    try:
        return value[part]
    except (KeyError, IndexError, TypeError):
        return None


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    text = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}.get(text, text)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."
