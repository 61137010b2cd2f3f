"""Many programs with their tests, out of a JSONL file.

What: lines of `{"id", "program", "tests"}` (and `entry`, see `judge`), judged side by side,
given back in the order of the file while later ones still run. A line that is none of these
gives a row too, with the status `bad_input`. What not: it writes nothing.
"""

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

from router.errors import InputError
from router.state import Verdict
from router.verify.judge import judge
from router.verify.runner import Runner

__all__ = ["judge_file"]

FORMAT = '{"id": ..., "program": "...", "tests": "..."}'


async def judge_file(path: Path, sandbox: Runner) -> AsyncIterator[tuple[str, Verdict]]:
    """The id and the verdict of each line, in order. Empty lines are no lines.

    Raises:
        InputError: the file cannot be read.
    """
    width = os.cpu_count() or 1
    running: deque[asyncio.Task[tuple[str, Verdict]]] = deque()
    try:
        for number, line in _lines(path):
            running.append(asyncio.create_task(_judged(number, line, sandbox)))
            if len(running) >= width:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise InputError(f"--file: {path} cannot be read: {error}") from error


async def _judged(number: int, line: bytes, sandbox: Runner) -> tuple[str, Verdict]:
    row = _row(line)
    name = str(row.get("id", number))
    wrong = next((f for f in ("program", "tests") if not isinstance(row.get(f), str)), None)
    entry = row.get("entry")
    if wrong or not isinstance(entry, str | None):
        told = f"Line {number}: {wrong or 'entry'} is missing or no text; expected {FORMAT}"
        return name, Verdict(kind="code", passed=None, status="bad_input", evidence=(told,))
    return name, await judge(row["program"], row["tests"], sandbox, entry=entry)


def _row(line: bytes) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}
