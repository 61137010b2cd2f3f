"""BM25 over the passages' terms, for one query at a time.

The weights are bm25s's (Lu 2024, "BM25S: orders of magnitude faster lexical search via eager
sparse scoring"; Lucene's variant, k1 1.5, b 0.75): each term's part of a passage's score is
computed at build time. Its own retrieval scores every passage of the corpus for every query;
here only the query's postings are read, the rarest term first, and once no other passage can
reach the k best the common terms are looked up for those that still can (MaxScore; Turtle and
Flood 1995, "Query evaluation: strategies and optimizations"). The result is exact.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from router.knowledge.mapped import damaged, open_array, save_array
from router.knowledge.storage import StoredFile
from router.knowledge.table import TextTable, save_table
from router.knowledge.words import terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MOST_TERMS", "Lexical", "best_rows", "save_lexical"]

MOST_TERMS = 64
"""Of a query; the rarest ones. More belong to a pasted page, whose common words say little."""
_LONG = 20_000
"""Rows of a term; before one as long as this it is worth seeing whether it is needed at all."""
_LOOKUPS = 5_000
"""Rows that are looked up in postings; for more of them, all postings are added up."""


class _Term(NamedTuple):
    """One term of the query: the passages that hold it, and what it adds to their scores."""

    rows: "NDArray[np.int32]"
    weights: "NDArray[np.float32]"
    times: int
    most: float


def save_lexical(folder: Path, texts: Iterable[str]) -> dict[str, StoredFile]:
    """Write the BM25 arrays of `texts`, row by row."""
    import numpy as np

    met: dict[str, int] = {}
    documents = [[met.setdefault(term, len(met)) for term in terms(text)] for text in texts]
    vocabulary = sorted(met, key=str.encode)
    scores = _weights(documents, len(met))
    # From the order of meeting to the order of the table.
    order = np.array([met[term] for term in vocabulary], dtype=np.int64)
    starts, sizes = scores["indptr"][:-1][order], np.diff(scores["indptr"])[order]
    ends = np.append([0], np.cumsum(sizes)).astype("<i8")
    pick = np.repeat(starts - ends[:-1], sizes) + np.arange(ends[-1])
    weights = scores["data"][pick].astype("<f4")
    most = np.maximum.reduceat(weights, ends[:-1]) if len(order) else weights
    arrays = {
        "lexical.rows.npy": scores["indices"][pick].astype("<i4"),
        "lexical.weights.npy": weights,
        "lexical.starts.npy": ends,
        "lexical.most.npy": most.astype("<f4"),
    }
    stored = {name: save_array(folder, name, array) for name, array in arrays.items()}
    return stored | save_table(folder, "lexical.terms", [term.encode() for term in vocabulary])


def _weights(documents: list[list[int]], terms_met: int) -> dict[str, Any]:
    import numpy as np

    if not terms_met:  # bm25s divides by the mean length
        none = np.zeros(0)
        return {"data": none, "indices": none, "indptr": np.zeros(1, dtype=np.int64)}
    from bm25s import BM25

    scores: dict[str, Any] = BM25().build_index_from_ids(
        list(range(terms_met)), documents, show_progress=False
    )
    return scores


class Lexical:
    """Open BM25 arrays; safe for many readers at once."""

    def __init__(self, folder: Path, size: int) -> None:
        self._file, self._size = folder / "lexical.rows.npy", size
        terms("warm")  # the stemmer is loaded now, not by the first question
        self._terms = TextTable(folder, "lexical.terms")
        count = len(self._terms)
        self._starts = open_array(folder, "lexical.starts.npy", "<i8", count + 1)
        self._most = open_array(folder, "lexical.most.npy", "<f4", count)
        held = int(self._starts[-1])
        self._rows = open_array(folder, self._file.name, "<i4", held)
        self._weights = open_array(folder, "lexical.weights.npy", "<f4", held)

    def search(
        self, query: str, k: int, allowed: "NDArray[np.int32] | None" = None
    ) -> "tuple[NDArray[np.int32], NDArray[np.float32]]":
        """Rows and scores of the `k` best of the passages (of those allowed) that hold a term."""
        import numpy as np

        found = self._of(query)
        try:
            if allowed is None:
                rows, scores = self._everywhere(found, k)
            else:
                rows, scores = allowed, self._scores(found, allowed)
        except IndexError as error:
            raise damaged(self._file) from error
        held = np.flatnonzero(scores > 0)
        best = held[best_rows(rows[held], scores[held], k)]
        return rows[best], scores[best]

    def scores(self, query: str, rows: "NDArray[np.int32]") -> "NDArray[np.float32]":
        """The score of each of `rows`."""
        try:
            return self._scores(self._of(query), rows)
        except IndexError as error:
            raise damaged(self._file) from error

    def coverage(self, query: str, rows: "NDArray[np.int32]") -> "NDArray[np.float64]":
        """The share of the query's distinct terms that each of `rows` holds."""
        import numpy as np

        asked = len(set(terms(query)))
        held: NDArray[np.float64] = np.zeros(len(rows))
        for term in self._of(query):
            held += term.rows[_places(term, rows)] == rows
        return held / max(1, min(asked, MOST_TERMS))

    def shares(self, names: Collection[str], rows: "NDArray[np.int32]") -> "NDArray[np.float32]":
        """Which share of `names` (terms) each of `rows` holds; 0 where there are none."""
        import numpy as np

        held: NDArray[np.float32] = np.zeros(len(rows), dtype=np.float32)
        for name in names:
            term = self._term(name, 1)
            if term is not None:
                held += term.rows[_places(term, rows)] == rows
        return held / np.float32(max(len(names), 1))

    def _term(self, term: str, count: int) -> _Term | None:
        entry = self._terms.find(term.encode())
        if entry is None:
            return None
        part = slice(int(self._starts[entry]), int(self._starts[entry + 1]))
        most = count * float(self._most[entry])
        return _Term(self._rows[part], self._weights[part], count, most)

    def _of(self, query: str) -> list[_Term]:
        """The query's terms that any passage holds, the rarest first."""
        asked = Counter(terms(query)).items()
        found = [t for t in (self._term(term, count) for term, count in asked) if t is not None]
        found.sort(key=lambda t: len(t.rows))
        return found[:MOST_TERMS]

    def _scores(self, found: Sequence[_Term], rows: "NDArray[np.int32]") -> "NDArray[np.float32]":
        import numpy as np

        if len(rows) > _LOOKUPS:
            whole: NDArray[np.float32] = np.zeros(self._size, dtype=np.float32)
            for term in found:
                whole[term.rows] += term.times * term.weights
            return whole[rows]
        scores: NDArray[np.float32] = np.zeros(len(rows), dtype=np.float32)
        for term in found:
            _look_up(term, rows, scores)
        return scores

    def _everywhere(
        self, found: Sequence[_Term], k: int
    ) -> "tuple[NDArray[np.int32], NDArray[np.float32]]":
        import numpy as np

        scores: NDArray[np.float32] = np.zeros(self._size, dtype=np.float32)
        rest = sum(term.most for term in found)
        for i, term in enumerate(found):
            if len(term.rows) > _LONG and i:
                rows = _contenders(scores, k, rest)
                if rows is not None:
                    held = scores[rows]
                    for later in found[i:]:
                        _look_up(later, rows, held)
                    return rows, held
            scores[term.rows] += term.times * term.weights
            rest -= term.most
        rows = np.flatnonzero(scores).astype(np.int32)
        return rows, scores[rows]


def _contenders(scores: "NDArray[np.float32]", k: int, rest: float) -> "NDArray[np.int32] | None":
    """The rows that may still be among the k best if each may gain `rest`; None where a row
    without any score may."""
    import numpy as np

    rows = np.flatnonzero(scores)
    if len(rows) < k:
        return None
    held = scores[rows]
    least = float(np.partition(held, len(held) - k)[len(held) - k])
    if least <= rest * (1 + 1e-5):  # float32 sums differ in their last digits
        return None
    return rows[held + rest * (1 + 1e-5) >= least].astype(np.int32)


def _look_up(term: _Term, rows: "NDArray[np.int32]", scores: "NDArray[np.float32]") -> None:
    """Add what `term` gives to `rows`."""
    at = _places(term, rows)
    hit = term.rows[at] == rows
    scores[hit] += term.times * term.weights[at[hit]]


def _places(term: _Term, rows: "NDArray[np.int32]") -> "NDArray[np.int64]":
    """Where each of `rows` stands among the term's, if it does."""
    import numpy as np

    return np.minimum(np.searchsorted(term.rows, rows), len(term.rows) - 1)


def best_rows(
    rows: "NDArray[np.int32]", scores: "NDArray[np.float32]", k: int
) -> "NDArray[np.int64]":
    """Places of the `k` highest scores, best first; equal scores in the order of rows."""
    import numpy as np

    places = np.arange(len(scores))
    if 0 < k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        places = np.flatnonzero(scores >= least)
    return places[np.lexsort((rows[places], -scores[places]))][:k]
