"""Many checks from one file: a JSON object a line in, a result a line out, in the same order.

What: reads a JSONL file or standard input (`-`) in pieces, so that memory stays flat; a line
that cannot be used becomes a result of its own (`bad_input`, with the line and the field),
and the others go on. What not: it knows no check; `check` gets the rows of one piece.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from router.errors import InputError

__all__ = ["Row", "results", "run"]

CHUNK = 256
MAX_LINE = 4 * 1024 * 1024
PROGRESS = 1000

Result = Mapping[str, Any]


class Row(NamedTuple):
    """One usable line."""

    id: str | int
    texts: dict[str, str]


Check = Callable[[Sequence[Row]], Sequence[Result]]


class _Bad(Exception):
    """Why a line cannot be used, and its id where that could be read."""

    def __init__(self, told: str, id: str | int = "") -> None:
        super().__init__(told)
        self.id = id


def run(
    file: str,
    fields: Sequence[str],
    check: Check,
    *,
    optional: Sequence[str] = (),
    chunk: int = CHUNK,
) -> None:
    """Check a whole file; results go to standard output, progress to standard error.

    `check` gets `chunk` rows at a time: few where one takes long, so that results come soon.
    """
    counts: Counter[bool | None] = Counter()
    with _opened(file) as lines:
        for result in results(lines, fields, check, optional=optional, chunk=chunk):
            sys.stdout.write(json.dumps(result) + "\n")
            counts[result["passed"]] += 1
            if counts.total() % (PROGRESS if chunk == CHUNK else 4 * chunk) == 0:
                sys.stdout.flush()
                sys.stderr.write(f"{_counted(counts)} so far\n")
    sys.stdout.flush()
    sys.stderr.write(f"{_counted(counts)}\n")


def _counted(counts: Counter[bool | None]) -> str:
    return f"{counts[True]:,} passed, {counts[False]:,} failed, {counts[None]:,} not decided"


def results(
    lines: BinaryIO,
    fields: Sequence[str],
    check: Check,
    *,
    optional: Sequence[str] = (),
    chunk: int = CHUNK,
) -> Iterator[Result]:
    """The results of all lines that are not blank; `check` answers row by row, in order."""
    rows = _rows(lines, fields, optional)
    while piece := list(islice(rows, chunk)):
        told = iter(check([row for row in piece if isinstance(row, Row)]))
        for row in piece:
            yield next(told) if isinstance(row, Row) else _refused(row)


def _refused(bad: _Bad) -> Result:
    return {
        "id": bad.id,
        "passed": None,
        "status": "bad_input",
        "confidence": None,
        "evidence": [str(bad)],
        "seconds": 0.0,
    }


def _rows(lines: BinaryIO, fields: Sequence[str], optional: Sequence[str]) -> Iterator[Row | _Bad]:
    number = 0
    while line := lines.readline(MAX_LINE + 1):
        number += 1
        try:
            if len(line) > MAX_LINE:
                while line and not line.endswith(b"\n"):
                    line = lines.readline(MAX_LINE)
                raise _Bad(f"line {number}: longer than {MAX_LINE} bytes")
            if line.strip():
                yield _row(line, number, fields, optional)
        except _Bad as bad:
            yield bad


def _row(line: bytes, number: int, fields: Sequence[str], optional: Sequence[str]) -> Row:
    try:
        given = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise _Bad(f"line {number}: no JSON in UTF-8") from None
    if not isinstance(given, dict):
        raise _Bad(f"line {number}: no JSON object")
    name = given.get("id")
    if not isinstance(name, str | int) or isinstance(name, bool):
        raise _Bad(f"line {number}: field 'id' must be a text or a whole number")
    wanted = [*fields, *(field for field in optional if field in given)]
    for field in wanted:
        if not isinstance(given.get(field), str):
            raise _Bad(f"line {number}: field {field!r} must be a text", name)
    # The first field is what is asked or what is right: there is nothing to check without it.
    if not given[fields[0]].strip():
        raise _Bad(f"line {number}: field {fields[0]!r} is empty", name)
    return Row(name, {field: given[field] for field in wanted})


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as lines:
            yield lines
    except OSError as error:
        raise InputError(f"--file: {file} cannot be read ({error.strerror})") from None
