"""Reading published files line by line; an error names the file and the line.

JSONL is read by iterating the file's bytes: U+2028 and its like are characters inside a JSON
string, and `str.splitlines` would cut the record there.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from router.errors import InputError

__all__ = ["present", "read_csv", "read_json_list", "read_jsonl", "take"]


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, record) of every line that is not blank."""
    with _open(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}:{number}: no JSON ({error})") from None
            if not isinstance(record, dict):
                raise InputError(f"{path}:{number}: a JSON object is expected on each line")
            yield number, record


def read_json_list(path: Path, data: bytes | None = None) -> list[dict[str, Any]]:
    """The records of a file that is one JSON list; `data` where the bytes are at hand."""
    try:
        rows = json.loads(path.read_bytes() if data is None else data)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no JSON list can be read ({error})") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: a JSON list of objects is expected")
    return rows


def read_csv(path: Path, columns: Iterable[str] = ()) -> Iterator[tuple[int, dict[str, str]]]:
    """(line where the record ends, record); every name in `columns` must be in the header."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            absent = [c for c in columns if c not in (reader.fieldnames or ())]
            if absent:
                raise InputError(f"{path}: the header lacks column {absent[0]!r}")
            for row in reader:
                if None in row or None in row.values():
                    raise InputError(
                        f"{path}:{reader.line_num}: the record has not the header's "
                        f"{len(reader.fieldnames or ())} fields"
                    )
                yield reader.line_num, row
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: no CSV can be read ({error})") from None


def take(record: dict[str, Any], name: str, where: str) -> Any:
    """A field that has to be there; `InputError` names the place and the field."""
    if name not in record:
        raise InputError(f"{where}: field {name!r} is missing")
    return record[name]


def present(folder: Path, pattern: str) -> list[Path]:
    """The files of that pattern, sorted by name; `InputError` where there is none."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise InputError(f"{folder}: no file {pattern} here; give the folder that holds them")
    return found


def _open(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
