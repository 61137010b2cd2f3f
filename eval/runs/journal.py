"""The journal of a live run: what was asked, what came back, what it cost. Survives kill -9.

One SQLite file (WAL, synchronous=FULL) with one row a *try* of a sample:

    started       the intent, written before the call: its worst case is reserved
    done, failed  the result, in one transaction; a finished sample is never asked again
    interrupted   the process, or the worker, died in the middle. It may have been charged, so
                  it counts at its reserved worst case, and the sample is asked once more
    superseded    a failed one that somebody asked to have repeated (`--retry-failed`)

A lock keeps a second process out. Not here: what a result means (`eval/runs/rows.py`), and
what the run is (`eval/runs/manifest.py`).
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from eval.runs.tries import JOURNAL_FILE, State, Try, all_tries, damaged
from router.errors import InputError, SetupError

__all__ = ["LOCK_FILE", "Journal", "now"]

LOCK_FILE = "journal.lock"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tries (
    id INTEGER PRIMARY KEY,
    question TEXT NOT NULL,
    sample INTEGER NOT NULL,
    try INTEGER NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('started', 'done', 'failed', 'interrupted', 'superseded')),
    reserved_usd REAL NOT NULL,
    cost_usd REAL,
    started TEXT NOT NULL,
    ended TEXT,
    reason TEXT,
    result TEXT,
    UNIQUE (question, sample, try)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS one_live ON tries (question, sample)
    WHERE state IN ('started', 'done', 'failed');
"""


class Journal:
    """The one writer of a run folder. `open` it, use it from one thread, `close` it."""

    def __init__(self, folder: Path, lock: FileLock, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self._lock = lock
        self._db = connection

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Take the folder's lock and its journal; what was in flight becomes `interrupted`.

        Raises:
            InputError: another process runs in this folder, or its journal is damaged.
            SetupError: the folder cannot be written.
        """
        lock = _locked(folder)
        try:
            journal = cls(folder, lock, _connect(folder / JOURNAL_FILE))
        except BaseException:
            lock.release()
            raise
        try:
            journal.interrupt_all("the process ended in the middle")
        except BaseException:
            journal.close()
            raise
        return journal

    def close(self) -> None:
        """Let go of file and lock."""
        self._db.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing --------------------------------------------------------------------

    def start(self, question: str, sample: int, reserved_usd: float) -> int:
        """Write the intent to ask, before anything is sent; returns the id of the try."""
        with self._transaction():
            row = self._db.execute(
                "INSERT INTO tries (question, sample, try, state, reserved_usd, started) "
                "SELECT ?1, ?2, COUNT(*), 'started', ?3, ?4 FROM tries "
                "WHERE question = ?1 AND sample = ?2 RETURNING id",
                (question, sample, reserved_usd, now()),
            ).fetchone()
        return int(row[0])

    def finish(self, id_: int, result: dict[str, Any], cost_usd: float, *, failed: bool) -> None:
        """Write what came back: state, cost and result in one transaction."""
        self._end(id_, "failed" if failed else "done", cost_usd, None, json.dumps(result))

    def interrupt(self, id_: int, reason: str) -> None:
        """Nobody knows how this try ended: it counts at its worst case."""
        self._end(id_, "interrupted", None, reason, None)

    def interrupt_all(self, reason: str) -> None:
        """The same for every try that is in flight."""
        with self._transaction():
            self._db.execute(
                "UPDATE tries SET state = 'interrupted', ended = ?, reason = ? "
                "WHERE state = 'started'",
                (now(), reason),
            )

    def supersede_failed(self) -> int:
        """Make the failed samples open again; their cost stays. Returns how many."""
        with self._transaction():
            done = self._db.execute("UPDATE tries SET state = 'superseded' WHERE state = 'failed'")
        return done.rowcount

    def _end(
        self, id_: int, state: State, cost: float | None, reason: str | None, result: str | None
    ) -> None:
        with self._transaction():
            self._db.execute(
                "UPDATE tries SET state = ?, cost_usd = ?, ended = ?, reason = ?, result = ? "
                "WHERE id = ? AND state = 'started'",
                (state, cost, now(), reason, result, id_),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._db:
                yield
        except sqlite3.DatabaseError as error:
            raise SetupError(
                f"the journal in {self.folder} cannot be written ({error}): what is in it is "
                "safe; free the disk and run the same command again"
            ) from None

    # -- reading --------------------------------------------------------------------

    def tries(self) -> list[Try]:
        """All of them, in the order in which they were started."""
        return all_tries(self._db, self.folder / JOURNAL_FILE)


def now() -> str:
    """UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _locked(folder: Path) -> FileLock:
    lock = FileLock(folder / LOCK_FILE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"another process runs in {folder}: wait for it, or give --out another folder"
        ) from None
    except OSError as error:
        raise SetupError(f"--out: cannot write {folder}: {error.strerror}") from None
    return lock


def _connect(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        said = db.execute("PRAGMA quick_check").fetchone()[0]
        if said != "ok":
            raise sqlite3.DatabaseError(str(said).splitlines()[0])
        db.executescript(_SCHEMA)
        all_tries(db, file)
    except sqlite3.OperationalError as error:
        db.close()
        raise SetupError(f"cannot open {file}: {error}") from None
    except sqlite3.DatabaseError as error:
        db.close()
        raise damaged(file, error) from None
    return db
