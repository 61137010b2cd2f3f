"""What the benchmarks share: question files read line by line, answers without thinking.

No benchmark itself. Errors name the file, the line and the format that was expected, never
the line's content.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.sources.shared import shared_data
from router.errors import InputError
from router.verify.text import strip_thinking

__all__ = ["fail", "question_file", "rows", "visible"]


def question_file(path: Path | None, name: str) -> Path:
    """The user's own copy, else `questions/<name>` of the shared data."""
    return path if path is not None else shared_data() / "questions" / name


def rows(path: Path, expected: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line of a JSONL file; blank lines are skipped.

    Raises:
        InputError: no such file, a line that is no JSON object, or no line at all.
    """
    count = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line.decode("utf-8-sig"))
                except (ValueError, RecursionError):
                    row = None
                if not isinstance(row, dict):
                    raise fail(path, number, "no JSON object in UTF-8", expected)
                count += 1
                yield number, row
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected {expected}") from None
    if not count:
        raise InputError(f"{path}: no questions in it; expected {expected}")


def fail(path: Path, line: int, what: str, expected: str) -> InputError:
    """The error for one bad line."""
    return InputError(f"{path}, line {line}: {what}; expected {expected}")


def visible(text: str) -> str:
    """The answer without its thinking, and without what no answer holds."""
    return strip_thinking(text).replace("\x00", "")
