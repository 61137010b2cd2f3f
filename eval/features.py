"""Feature blocks of recorded queries, made once by the one featuriser and kept.

The store is an SQLite file a featuriser (its fingerprint is in the name) in the data
directory: text hash -> the row's blocks. An interrupted pass goes on where it stopped, and
a text that stands in two tables is embedded once. A query whose text is not published has
no features: its row is NaN, and `known` says so; nothing is imputed.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.outcome import query_hash
from router.cases import row_key
from router.errors import SetupError
from router.paths import data_dir
from router.signals import Featuriser
from router.signals.terms import PADDING
from router.state import Message, Query

__all__ = ["Features", "features_of", "row_keys"]

BATCH = 64
_DENSE = ("embedding", "cues", "lengths", "axes", "domains", "needs", "confidence")


class Features:
    """Blocks of n queries: `blocks[name]` is (n, d) float32, `terms` is (n, t) int32.

    `known` is (n,): False where there was no text.
    """

    def __init__(
        self, blocks: Mapping[str, NDArray[Any]], known: NDArray[np.bool_], fingerprint: str
    ) -> None:
        self.blocks, self.known, self.fingerprint = blocks, known, fingerprint

    def take(self, rows: NDArray[Any] | slice) -> "Features":
        """The same for some rows, given by index, flag or slice."""
        blocks = {name: block[rows] for name, block in self.blocks.items()}
        return Features(blocks, self.known[rows], self.fingerprint)


def features_of(
    texts: Sequence[str | None],
    featuriser: Featuriser | None = None,
    say: Callable[[int, int], None] | None = None,
    folder: Path | None = None,
) -> Features:
    """Blocks of all texts, from the store where they are in it.

    Args:
        texts: one a query; None where it is not published.
        say: called with (done, to do) after each batch that had to be computed.
        folder: of the store; default: `features/` in the data directory.

    Raises:
        SetupError: the store cannot be opened, read or written.
    """
    maker = featuriser or Featuriser()
    keys = [None if text is None else query_hash(text) for text in texts]
    place = folder or data_dir() / "features"
    wanted = {k: t for k, t in zip(keys, texts, strict=True) if k is not None and t is not None}
    with closing(_open(place, maker.fingerprint)) as store:
        try:
            _fill(store, wanted, maker, say)
            rows = _read(store, set(wanted))
            layout = _layout(store)
        except sqlite3.Error as error:
            raise _unusable(place, error) from None
    return _assemble(keys, rows, layout, maker.fingerprint)


def row_keys(texts: Sequence[str | None], ids: Sequence[str]) -> NDArray[np.uint64]:
    """(n,) the live router's row keys: a hash of the text, of the id where there is none."""
    named = [text if text is not None else f"id:{i}" for text, i in zip(texts, ids, strict=True)]
    return np.concatenate([row_key(name) for name in named]) if named else np.empty(0, np.uint64)


def _open(folder: Path, fingerprint: str) -> sqlite3.Connection:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        store = sqlite3.connect(folder / f"{fingerprint}.sqlite", timeout=60)
        # No WAL: two processes that switch a new file to it at once are told "locked", whatever
        # the timeout; the rollback journal waits.
        store.execute(
            "CREATE TABLE IF NOT EXISTS row (key TEXT PRIMARY KEY, dense BLOB, terms BLOB)"
        )
        store.execute("CREATE TABLE IF NOT EXISTS layout (name TEXT PRIMARY KEY, width INTEGER)")
    except (OSError, sqlite3.Error) as error:
        raise _unusable(folder, error) from None
    return store


def _unusable(folder: Path, error: Exception) -> SetupError:
    return SetupError(f"the feature store in {folder} cannot be used: {error}")


def _fill(
    store: sqlite3.Connection,
    wanted: Mapping[str, str],
    maker: Featuriser,
    say: Callable[[int, int], None] | None,
) -> None:
    have = {key for (key,) in store.execute("SELECT key FROM row")}
    # Texts of like length in a batch: padding is most of the work otherwise.
    todo = sorted(set(wanted) - have, key=lambda k: (len(wanted[k]), k))
    for start in range(0, len(todo), BATCH):
        keys = todo[start : start + BATCH]
        queries = [_query(key, wanted[key]) for key in keys]
        blocks = maker.blocks(queries)
        dense = np.concatenate([blocks[name] for name in _DENSE], axis=1).astype(np.float32)
        terms = [row[row != PADDING] for row in blocks["terms"]]
        with store:
            store.executemany(
                "INSERT OR REPLACE INTO layout VALUES (?, ?)",
                [(name, blocks[name].shape[1]) for name in _DENSE],
            )
            store.executemany(
                "INSERT OR REPLACE INTO row VALUES (?, ?, ?)",
                [(k, d.tobytes(), t.tobytes()) for k, d, t in zip(keys, dense, terms, strict=True)],
            )
        if say is not None:
            say(start + len(keys), len(todo))


def _query(key: str, text: str) -> Query:
    return Query(id=key, messages=(Message(role="user", content=text),))


def _read(store: sqlite3.Connection, keys: set[str]) -> dict[str, tuple[bytes, bytes]]:
    """By key, not by a walk over a store that may hold every table ever featurised."""
    one = "SELECT dense, terms FROM row WHERE key = ?"
    return {key: store.execute(one, (key,)).fetchone() for key in keys}


def _layout(store: sqlite3.Connection) -> dict[str, int]:
    widths = dict(store.execute("SELECT name, width FROM layout"))
    return {name: widths.get(name, 1) for name in _DENSE}


def _assemble(
    keys: Sequence[str | None],
    rows: Mapping[str, tuple[bytes, bytes]],
    layout: Mapping[str, int],
    fingerprint: str,
) -> Features:
    n = len(keys)
    dense = np.full((n, sum(layout.values())), np.nan, dtype=np.float32)
    found = [rows.get(key) if key is not None else None for key in keys]
    words = [
        np.frombuffer(row[1], dtype=np.int32) if row else np.empty(0, np.int32) for row in found
    ]
    terms = np.full((n, max((len(w) for w in words), default=0) or 1), PADDING, dtype=np.int32)
    for i, row in enumerate(found):
        if row is not None:
            dense[i] = np.frombuffer(row[0], dtype=np.float32)
            terms[i, : len(words[i])] = words[i]
    edges = np.cumsum(list(layout.values()))[:-1]
    blocks: dict[str, NDArray[Any]] = dict(
        zip(layout, (np.ascontiguousarray(b) for b in np.split(dense, edges, axis=1)), strict=True)
    )
    blocks["terms"] = terms
    return Features(blocks, np.array([row is not None for row in found], dtype=bool), fingerprint)
