"""The one featuriser: queries in, named blocks and `Signals` out, live and in replay.

    block       shape      what
    embedding   (n, dim)   the encoder's row of the judged text, L2-normalised
    cues        (n, c)     surface cues, columns as in `router.signals.cues.CUES`
    lengths     (n, 5)     log1p of: characters, words and lines of the judged text, turns of
                           the conversation, characters of the conversation (see `LENGTHS`)
    axes        (n, 2)     verifiability, knowledge demand
    domains     (n, 5)     probabilities in `DOMAINS` order
    terms       (n, t)     hashed words and pairs of words, -1 for padding (`router.signals.terms`)

`fingerprint` names encoder, head and the version of this code: whoever learns on these
blocks stores it, and refuses another.

Any text gives valid signals in bounded time: all readers cut what they read. What this does
not do: refuse bad input (the edge does), tell how sure the axes are on text that is like
nothing the head was fitted on. `blocks` is blocking work: call it off the event loop.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.signals.conversation import judged_text
from router.signals.cues import cues
from router.signals.encoder import Encoder
from router.signals.head import Head, load_head
from router.signals.language import guess_language
from router.signals.terms import terms
from router.state import DOMAINS, Query, Signals

__all__ = ["CODE_VERSION", "LENGTHS", "Featuriser"]

CODE_VERSION = 2
"""Raise it whenever the same query would give other blocks."""

LENGTHS = ("chars", "words", "lines", "turns", "conversation_chars")

_WORDS_READ = 200_000


class Featuriser:
    """Encoder and head together; without arguments the packaged ones, loaded when first used."""

    def __init__(self, encoder: Encoder | None = None, head: Head | None = None) -> None:
        self.encoder = encoder or Encoder()
        self._head = head
        self._checked = False

    @property
    def head(self) -> Head:
        """The head, checked against the encoder (SetupError where they do not match)."""
        if self._head is None:
            self._head = load_head()
        if not self._checked:
            self._head.check_encoder(self.encoder.fingerprint)
            self._checked = True
        return self._head

    @property
    def fingerprint(self) -> str:
        """Equal prints, equal blocks."""
        return f"v{CODE_VERSION}-{self.head.encoder}-{self.head.fingerprint}"

    def load(self) -> None:
        """Load weights now, so that the first query is as quick as the second."""
        _ = self.head
        self.encoder.encode(["warm up"])

    def blocks(self, queries: Sequence[Query]) -> Mapping[str, NDArray[Any]]:
        """The named blocks, one row a query."""
        head = self.head
        texts = [judged_text(q).strip() for q in queries]
        embedding, surface = self.encoder.encode(texts), cues(texts)
        scores = head(embedding, surface)
        return {
            "embedding": embedding,
            "cues": surface,
            "lengths": _lengths(queries, texts),
            "axes": scores.axes,
            "domains": scores.domains,
            "terms": terms(texts),
        }

    def signals(
        self, blocks: Mapping[str, NDArray[Any]], queries: Sequence[Query]
    ) -> list[Signals]:
        """The records of the same queries' blocks, for the trace and for people."""
        made_by = self.fingerprint
        return [
            Signals(
                verifiability=float(axes[0]),
                knowledge_demand=float(axes[1]),
                domains={d: float(p) for d, p in zip(DOMAINS, domains, strict=True)},
                language=guess_language(judged_text(query)),
                chars=len(query.text),
                featuriser=made_by,
            )
            for query, axes, domains in zip(queries, blocks["axes"], blocks["domains"], strict=True)
        ]


def _lengths(queries: Sequence[Query], texts: Sequence[str]) -> NDArray[np.float32]:
    rows = [
        (
            len(text),
            len(text[:_WORDS_READ].split()),
            text.count("\n") + 1,
            len(query.messages),
            sum(len(m.content) for m in query.messages),
        )
        for query, text in zip(queries, texts, strict=True)
    ]
    return np.log1p(np.asarray(rows, dtype=np.float32).reshape(len(texts), len(LENGTHS)))
