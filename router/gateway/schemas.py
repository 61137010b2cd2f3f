"""JSON schemas that clients send: bounded by counting, followed only where that can be stopped.

What: a schema is counted while its body is parsed, before anything follows it. Whether it is a
schema at all is then asked in a process that can be killed; of a small one, where it stands.
What not: it looks at no answer (`router.verify`), nor at what a tool's schema means, which goes
to the model as it is.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Annotated, Any

from pydantic import AfterValidator

from router.errors import InputError
from router.verify.format import prepare, schema_fault
from router.verify.workers import Workers

__all__ = ["MAX_CHARS", "MAX_VALUES", "BoundedSchema", "SchemaChecker", "check_size", "size_of"]

MAX_VALUES = 50_000
"""JSON values of a request's schemas: ten for each of 5,000 properties, which is OpenAI's limit."""
MAX_CHARS = 1_000_000
"""Of their names and texts. OpenAI takes 120,000, not counting descriptions."""
SMALL = 64
"""Values that are checked within milliseconds."""
SECONDS = 5.0
PROCESSES = 2


def check_size(schemas: Iterable[object]) -> None:
    """Raise `ValueError` where the schemas are too large together. It stops at the limit."""
    values, chars = size_of(schemas, MAX_VALUES)
    if values > MAX_VALUES:
        raise ValueError(f"at most {MAX_VALUES} JSON values in schemas are taken: send fewer")
    if chars > MAX_CHARS:
        raise ValueError(
            f"names and texts in schemas may have {MAX_CHARS} characters: send shorter ones"
        )


def size_of(parts: Iterable[object], most: int) -> tuple[int, int]:
    """JSON values and characters; of what has more than `most` values, more than that."""
    values = chars = 0
    rest = list(parts)
    while rest and values + len(rest) <= most:
        value = rest.pop()
        values += 1
        if isinstance(value, str):
            chars += len(value)
        elif isinstance(value, Mapping):
            chars += sum(map(len, islice(value, most)))
            rest.extend(islice(value.values(), most + 1))
        elif isinstance(value, list):
            rest.extend(islice(value, most + 1))
    return values + len(rest), chars


def _bounded(schema: dict[str, Any]) -> dict[str, Any]:
    check_size([schema])
    return schema


BoundedSchema = Annotated[dict[str, Any], AfterValidator(_bounded)]
"""A field that holds one schema."""


class SchemaChecker:
    """Owns the processes; they start with the first schema that is not small."""

    def __init__(self) -> None:
        self._workers = Workers(PROCESSES, prepare)

    @property
    def started(self) -> bool:
        """Whether a schema has needed a process."""
        return self._workers.started

    def close(self) -> None:
        """End the processes."""
        self._workers.close()

    async def check(self, schema: Mapping[str, Any], param: str) -> float:
        """Seconds that a process was waited for, if one was.

        Raises `InputError` where it is no schema, or one that takes too long to tell.
        """
        given = dict(schema)
        if size_of([given], SMALL)[0] <= SMALL:
            _raise(schema_fault(given), param)
            return 0.0
        started = time.perf_counter()
        asked = self._workers.submit(schema_fault, given, seconds=SECONDS)
        done = await asyncio.wrap_future(asked)
        if done.lost is not None:
            _raise(f"The schema cannot be checked within {SECONDS:g} s: send a smaller one.", param)
        _raise(done.value, param)
        return time.perf_counter() - started


def _raise(fault: str | None, param: str) -> None:
    if fault is not None:
        raise InputError(f"{param}: {fault}")
