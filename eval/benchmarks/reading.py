"""What the benchmarks share: question files read line by line, answers read from the end.

No benchmark itself. Errors name the file, the line and the format that was expected, never
the line's content.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.sources.shared import shared_data
from router.errors import InputError
from router.verify.concluding import last_match
from router.verify.text import boxes, strip_thinking

__all__ = ["fail", "marked", "question_file", "rows", "tidy", "visible"]

_MARK = re.compile(
    r"\b(?:final |correct )?answer(?:[*_`]{0,3}[ \t]{0,3}:|[ \t]{1,3}is\b[ \t]{0,3}:?)"
    r"[*_`]{0,3}[ \t]{0,3}(\S[^\n]{0,2000})",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}")


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


def marked(text: str) -> str | None:
    """The last box of a visible text, else what follows the last "answer:" or "answer is"."""
    if filled := [box for box in boxes(text) if box]:
        return filled[-1]
    last = last_match(_MARK, text)
    return last.group(1).strip() if last else None


def tidy(answer: str) -> str:
    """One line without markdown, math signs and a closing full stop."""
    answer = _WRAPPED.sub(r"\1", answer).replace("\\$", "$").replace("\\%", "%")
    answer = re.sub(r"\\[ ,;!]", "", answer).replace("{,}", ",")
    return " ".join(answer.split()).strip("*_`$ ").removesuffix(".").strip("*_`$ ")
