"""From text to the terms that BM25 counts; the same for passages and for queries.

Accents and case are folded (NFKD, casefold), words stemmed (Snowball's English stemmer), and
function words left out, those of questions among them: "what" and "which" are rare in
passages, so BM25 would rank by them, and they say nothing of what is asked for. A name written
as one word is kept whole and also split: `read_csv` gives read_csv, read, csv;
`KnowledgeIndex` knowledgeindex, knowledge, index. So both who remembers the name and who
remembers its words find it. Whoever changes the terms raises `FORMAT` in `search_files.py`.

What this does not do: languages without spaces between words; a run of letters is a word.
"""

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

__all__ = ["FUNCTION_WORDS", "MAX_CHARS", "terms"]

MAX_CHARS = 20_000
"""Texts are cut here, where the encoder cuts them too."""
_LUCENE = """a an and are as at be but by for if in into is it no not of on or such that the
their then there these they this to was will with"""
_ASKING = """what which who whom whose when where why how do does did has have had were been can
could i me my you your we our its"""
FUNCTION_WORDS = frozenset(f"{_LUCENE} {_ASKING}".split())
"""Lucene's, which are bm25s's too, and those that questions are made with."""
_LONGEST = 64
"""Characters of a term: longer runs are encoded data, and would only fill the vocabulary."""
_WORD = re.compile(r"\w+")
_INNER = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_local = threading.local()


def terms(text: str) -> list[str]:
    """The terms of `text`, in order, repeated as often as they stand there."""
    folded = unicodedata.normalize("NFKD", text[:MAX_CHARS])
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return [term for word in _WORD.findall(plain) for term in _of_word(word)]


@lru_cache(maxsize=1 << 16)
def _of_word(word: str) -> tuple[str, ...]:
    return tuple(_stemmed(word))


def _stemmed(word: str) -> Iterator[str]:
    whole = word.casefold()[:_LONGEST]
    parts = [p.casefold()[:_LONGEST] for w in _INNER.findall(word) for p in _HUMP.split(w)]
    for part in [whole, *parts] if len(parts) > 1 else [whole]:
        if part not in FUNCTION_WORDS:
            yield _stem(part)


def _stem(word: str) -> str:
    """One stemmer a thread: they hold state."""
    import Stemmer

    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:
        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    return str(stemmer.stemWord(word))
