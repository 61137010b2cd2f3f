"""Long work that may be interrupted: a journal of what is finished, and a word now and then."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from eval.fit.table import Table
from router.errors import SetupError
from router.record import Record

__all__ = ["Journal", "Progress", "checksum"]

SAY_EVERY = 5.0
"""Seconds between two messages of a `Progress`."""


class Journal:
    """Finished work as JSON lines; entries of another stamp are kept, and not read.

    A line that was cut off (a killed run) counts as not done. Without a path nothing is kept.
    """

    def __init__(self, path: Path | None, stamp: str) -> None:
        self.path, self.stamp = path, stamp
        self._done: dict[str, dict[str, Any]] = {}
        if path is not None and path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._read(line)

    def get(self, *key: str) -> dict[str, Any] | None:
        """What was put under this key by a run with the same stamp."""
        return self._done.get("|".join(key))

    def put(self, body: Record, *key: str) -> None:
        """Keep it, in the file before this returns; SetupError where that cannot be."""
        made = body.model_dump(mode="json")
        self._done["|".join(key)] = made
        if self.path is None:
            return
        line = json.dumps({"stamp": self.stamp, "key": "|".join(key), "body": made})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                # The line break stands first: what a killed run left half-written ends there.
                file.write("\n" + line)
        except OSError as error:
            raise SetupError(f"{self.path}: cannot be written: {error.strerror}") from None

    def _read(self, line: str) -> None:
        try:
            found = json.loads(line)
            if found["stamp"] == self.stamp:
                self._done[str(found["key"])] = found["body"]
        except (ValueError, KeyError, TypeError):
            return


class Progress:
    """Says where a loop is, at most every few seconds, and about how long it will still take."""

    def __init__(self, what: str, total: int, say: Callable[[str], None]) -> None:
        self.what, self.total, self.say = what, total, say
        self.done = self.fresh = 0
        self.started = self.said = time.monotonic()

    def step(self, detail: str, fresh: bool = True) -> None:
        """One more is done; `fresh` where it took time."""
        self.done += 1
        self.fresh += fresh
        now = time.monotonic()
        if now - self.said < SAY_EVERY and self.done < self.total:
            return
        self.said = now
        left = (now - self.started) / max(self.fresh, 1) * (self.total - self.done)
        self.say(f"{self.what} {self.done} of {self.total} ({detail}); about {left:.0f} s left")


def checksum(table: Table) -> str:
    """16 hex digits over texts, labels, groups, weights and rows."""
    digest = hashlib.sha256()
    for e in table.examples:
        said = "\0".join(f"{m.role}:{m.content}" for m in e.query.messages)
        facts = (e.group, e.verifiability, e.knowledge_demand, e.domain, e.form, e.needs, e.written)
        digest.update(f"{said}\0{facts}\n".encode())
    for array in (table.x, table.weights, table.embedding):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
