"""Reading a journal: its tries, by its owner or by somebody who only looks.

Reading changes nothing, and may be done while another process writes.
"""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from router.errors import InputError

__all__ = ["JOURNAL_FILE", "State", "Try", "all_tries", "damaged", "read_tries"]

JOURNAL_FILE = "journal.sqlite"
State = Literal["started", "done", "failed", "interrupted", "superseded"]

_COLUMNS = (
    "id, question, sample, try, state, reserved_usd, cost_usd, started, ended, reason, result"
)


@dataclass(frozen=True, slots=True)
class Try:
    """One try of one sample, as it stands in the journal."""

    id: int
    question: str
    sample: int
    number: int
    state: State
    reserved_usd: float
    cost_usd: float | None
    started: str
    ended: str | None
    reason: str | None
    result: dict[str, Any] | None

    @property
    def charged_usd(self) -> float:
        """What it counts: its cost, or its worst case where nobody knows."""
        return self.reserved_usd if self.cost_usd is None else self.cost_usd

    @property
    def finished(self) -> bool:
        """Whether the sample is answered for good."""
        return self.state in ("done", "failed")


def read_tries(folder: Path) -> list[Try]:
    """The tries of a folder, also while another process runs in it. Changes nothing.

    Raises:
        InputError: there is no journal, or it is damaged.
    """
    file = folder / JOURNAL_FILE
    if not file.is_file():
        raise InputError(f"{folder} holds no {JOURNAL_FILE}: is it a run folder?")
    try:
        db = sqlite3.connect(f"{file.absolute().as_uri()}?{_how(file)}", uri=True)
    except sqlite3.DatabaseError as error:
        raise damaged(file, error) from None
    try:
        return all_tries(db, file)
    finally:
        db.close()


def _how(file: Path) -> str:
    """A journal at rest can be read in a folder that cannot be written; one in use, as it is."""
    in_use = file.with_name(f"{file.name}-wal").exists()
    return "mode=ro" if in_use else "mode=ro&immutable=1"


def all_tries(db: sqlite3.Connection, file: Path) -> list[Try]:
    """Every try of an open journal, in order. Raises `InputError` where it is damaged."""
    try:
        rows = db.execute(f"SELECT {_COLUMNS} FROM tries ORDER BY id").fetchall()  # noqa: S608
        return [_try(row) for row in rows]
    except (sqlite3.DatabaseError, ValueError) as error:
        raise damaged(file, error) from None


def _try(row: tuple[Any, ...]) -> Try:
    result = json.loads(row[-1]) if row[-1] else None
    return Try(*(*row[:-1], result))


def damaged(file: Path, error: Exception) -> InputError:
    """What to say, and what to do."""
    return InputError(
        f"{file} is damaged ({error}): restore it from a backup, or start again in another "
        "folder with --out; nothing was changed"
    )
