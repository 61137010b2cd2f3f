"""CSV and JSON Lines as sections: one record each, with its field names, so that a row is found.

Read line by line with the standard library: a table of Markdown (what the converter makes of a
CSV file) would be cut anywhere, and the names of its columns lost.

What this does not do: nested values. They are kept as JSON text in a record without a text field.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from router.knowledge.documents.document import Block, Document, Empty, Section, Unreadable

__all__ = ["csv_document", "jsonl_document"]

_TEXT_FIELDS = ("text", "content", "body", "passage", "document", "abstract", "description",
                "summary", "markdown")  # fmt: skip
_TITLE_FIELDS = ("title", "name", "heading", "subject", "label")
_TAKEN = {"kind", "section", "lines", "collection", "document"}
"""Names in `meta` that are ours: a record's own field of that name gets a prefix."""
_MAX_META = 16
_MAX_META_CHARS = 200
_MAX_FIELD_CHARS = 10_000_000


def csv_document(text: str, name: str) -> Document:
    """Each row as `column: value; ...`; the first row names the columns."""
    limit = csv.field_size_limit(_MAX_FIELD_CHARS)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        header = next((row for row in rows if any(cell.strip() for cell in row)), None)
        if header is None:
            raise Empty("it holds no rows")
        sections = tuple(_csv_sections(header, rows, name))
    except csv.Error as error:
        raise Unreadable(f"it is not a CSV file that can be read: {error}") from error
    finally:
        csv.field_size_limit(limit)
    return Document("csv", name, sections)


def _delimiter(text: str) -> str:
    """The one its first line has most of (`csv.Sniffer` also guesses at quotes, often wrong)."""
    first = text.lstrip().split("\n", maxsplit=1)[0]
    return max(",;\t|", key=first.count)


def _csv_sections(header: Sequence[str], rows: Iterator[Any], name: str) -> Iterator[Section]:
    names: list[str] = []
    for number, cell in enumerate(header, start=1):
        told = cell.strip() or f"column {number}"
        names.append(f"{told} ({number})" if told in names else told)
    for number, row in enumerate(rows, start=2):
        names += [f"column {i}" for i in range(len(names) + 1, len(row) + 1)]
        record = {n: cell.strip() for n, cell in zip(names, row, strict=False) if cell.strip()}
        if record:
            yield _record(record, name, f"row{number}")


def jsonl_document(text: str, name: str) -> Document:
    """One JSON object a line; lines that are none are told of in the note."""
    sections: list[Section] = []
    bad: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict) and value:
            sections.append(_record(value, name, f"L{number}", number))
        else:
            bad.append(number)
    if not sections:
        raise Unreadable("no line of it is a JSON object" if bad else "it holds no records")
    note = f"{len(bad)} lines are no JSON objects (the first: line {bad[0]})" if bad else ""
    return Document("jsonl", name, tuple(sections), note)


def _record(record: Mapping[str, Any], name: str, place: str, line: int = 0) -> Section:
    lower = {key.lower(): key for key in record}
    text = next((lower[f] for f in _TEXT_FIELDS if _is_text(record, lower.get(f))), None)
    title = next((lower[f] for f in _TITLE_FIELDS if _is_text(record, lower.get(f))), None)
    trail = (name, str(record[title])) if title else (name,)
    if text is not None and line:  # a text of its own: the other fields are facts about it
        blocks = [Block(part, line, line) for part in str(record[text]).split("\n\n")]
        meta = _meta({k: v for k, v in record.items() if k not in (text, title)})
        return Section(trail, tuple(blocks), place, meta=meta)
    fields = (
        Block(f"{key}: {_value(v)}", line, line) for key, v in record.items() if v not in ("", None)
    )
    return Section(trail, tuple(fields), place, joint="; ")


def _is_text(record: Mapping[str, Any], key: str | None) -> bool:
    value = record.get(key) if key is not None else None
    return isinstance(value, str) and bool(value.strip())


def _meta(record: Mapping[str, Any]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, str | int | float) and len(kept) < _MAX_META:
            kept[f"field.{key}" if key in _TAKEN else key] = _value(value)[:_MAX_META_CHARS]
    return kept


def _value(value: Any) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
