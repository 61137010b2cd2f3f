"""The one featuriser: queries in, named blocks and `Signals` out, live and in replay.

    block       shape      what
    embedding   (n, dim)   the encoder's row of what was read, L2-normalised
    cues        (n, c)     surface cues of the ask, columns as in `router.signals.cues.CUES`
    lengths     (n, 5)     log1p of: characters, words and lines of the ask, turns of
                           the conversation, characters of the conversation (see `LENGTHS`)
    axes        (n, 2)     verifiability, knowledge demand
    domains     (n, 5)     probabilities in `DOMAINS` order
    needs       (n, 5)     probabilities in `NEEDS` order
    confidence  (n, 1)     P(both axes are on the right side of 1/2)
    terms       (n, t)     hashed words and pairs of words, -1 for padding (`router.signals.terms`)

`fingerprint` names encoders, head, exemplars, the model of steering and the version of this
code: whoever learns on these blocks stores it, and refuses another.

Any text gives valid signals in bounded time: all readers cut what they read. Odd text (empty,
encoded, noise) has a confidence of at most `ODD_CONFIDENCE`. What this does not do: refuse bad
input (the edge does). `blocks` is blocking work: call it off the event loop.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from router.signals.aimed import load_aimed
from router.signals.cues import CUES
from router.signals.encoder import Encoder
from router.signals.exemplars import Exemplars, load_exemplars
from router.signals.head import (
    LEARNED_NEEDS,
    Head,
    HeadOutput,
    confidence_facts,
    load_head,
)
from router.signals.inputs import Inputs, Rows
from router.signals.oddness import oddness
from router.signals.terms import terms
from router.state import DOMAINS, FORMS, NEEDS, Cue, Query, Signals

__all__ = [
    "CODE_VERSION",
    "LENGTHS",
    "LONG_CONTEXT_CHARS",
    "ODD_CONFIDENCE",
    "Featuriser",
    "Judged",
]

CODE_VERSION = 4
"""Raise it whenever the same query would give other blocks."""

LENGTHS = ("chars", "words", "lines", "turns", "conversation_chars")
ODD_CONFIDENCE = 0.25
LONG_CONTEXT_CHARS = 24_000
"""A conversation from about 6,000 tokens on needs a long context."""

_WORDS_READ = 200_000
_CUES_SHOWN = 5
_LEAST_PULL = 0.1


class Judged(NamedTuple):
    """What one pass over queries gave: blocks for policies, records for people."""

    blocks: Mapping[str, NDArray[Any]]
    signals: tuple[Signals, ...]


class Featuriser:
    """Encoders, head and exemplars; without arguments the packaged ones, loaded when first used."""

    def __init__(
        self,
        encoder: Encoder | None = None,
        head: Head | None = None,
        exemplars: Exemplars | None = None,
    ) -> None:
        self.inputs = Inputs(encoder or Encoder())
        self._head = head
        self._exemplars = exemplars
        self._fingerprint: str | None = None
        self._checked = False

    @property
    def encoder(self) -> Encoder:
        """The first encoder, which the knowledge index shares."""
        return self.inputs.encoder

    @property
    def head(self) -> Head:
        """The head, checked against the encoders (SetupError where they do not match)."""
        if self._head is None:
            self._head = load_head()
        if not self._checked:
            self._head.check_inputs(self.inputs.fingerprint)
            self._checked = True
        return self._head

    @property
    def exemplars(self) -> Exemplars:
        """The exemplars; of another encoder they are none, and nothing is near."""
        if self._exemplars is None:
            found = load_exemplars()
            if found.encoder != self.encoder.fingerprint:
                found = Exemplars.of(
                    self.encoder.fingerprint, (), np.zeros((0, 2), np.float32),
                    np.zeros((0, self.encoder.dim), np.float32),
                )  # fmt: skip
            self._exemplars = found
        return self._exemplars

    @property
    def fingerprint(self) -> str:
        """Equal prints, equal blocks."""
        if self._fingerprint is None:  # hashing weights takes longer than scoring a query
            head, near = self.head, self.exemplars
            parts = (head.inputs, head.fingerprint, near.fingerprint, load_aimed().fingerprint)
            self._fingerprint = f"v{CODE_VERSION}-" + "-".join(parts)
        return self._fingerprint

    def load(self) -> None:
        """Load weights now, so that the first query is as quick as the second."""
        _ = self.head, self.exemplars, load_aimed()
        self.encoder.encode(["warm up"])

    def judge(self, queries: Sequence[Query]) -> Judged:
        """Blocks and signals of queries, one row and one record a query."""
        head = self.head
        rows = self.inputs.rows(queries)
        scores = head(rows.matrix)
        near = self.exemplars.similarity(rows.embedding)
        odd = [oddness(r.ask) for r in rows.readings]
        sure = self._confidence(rows, scores, near, odd)
        needs = _needs(queries, scores)
        asks = [r.ask for r in rows.readings]
        blocks = {
            "embedding": rows.embedding,
            "cues": rows.cues,
            "lengths": _lengths(queries, asks),
            "axes": scores.axes,
            "domains": scores.domains,
            "needs": needs,
            "confidence": sure[:, None],
            "terms": terms(asks),
        }
        made_by, pulls = self.fingerprint, head.pulls(rows.cues)
        signals = tuple(
            Signals(
                verifiability=float(scores.axes[i, 0]),
                knowledge_demand=float(scores.axes[i, 1]),
                confidence=float(sure[i]),
                domains=_named(DOMAINS, scores.domains[i]),
                forms=_named(FORMS, scores.forms[i]),
                needs=_named(NEEDS, needs[i]),
                language=rows.languages[i],
                chars=len(query.text),
                words=len(asks[i][:_WORDS_READ].split()),
                turns=len(query.messages),
                follow_up=reading.follow_up,
                wrapped=reading.wrapped,
                steered=reading.steered,
                odd=odd[i],
                cues=_cues(pulls[i]),
                nearest=self.exemplars.nearest(near[i]),
                featuriser=made_by,
            )
            for i, (query, reading) in enumerate(zip(queries, rows.readings, strict=True))
        )
        return Judged(blocks, signals)

    def blocks(self, queries: Sequence[Query]) -> Mapping[str, NDArray[Any]]:
        """The named blocks alone."""
        return self.judge(queries).blocks

    def _confidence(
        self, rows: Rows, scores: HeadOutput, near: NDArray[np.float32], odd: Sequence[str | None]
    ) -> NDArray[np.float32]:
        p = np.clip(scores.axes, 1e-6, 1 - 1e-6)
        facts = confidence_facts(
            np.log(p / (1 - p)),
            near,
            rows.languages,
            [r.follow_up or r.wrapped for r in rows.readings],
            [r.steered for r in rows.readings],
        )
        sure = self.head.sure(facts)
        strange = np.array([o is not None for o in odd], dtype=bool)
        return np.where(strange, np.minimum(sure, ODD_CONFIDENCE), sure).astype(np.float32)


def _needs(queries: Sequence[Query], scores: HeadOutput) -> NDArray[np.float32]:
    out = np.zeros((len(queries), len(NEEDS)), dtype=np.float32)
    for column, name in enumerate(LEARNED_NEEDS):
        out[:, NEEDS.index(name)] = scores.needs[:, column]
    for i, query in enumerate(queries):
        size = sum(len(m.content) for m in query.messages)
        out[i, NEEDS.index("long_context")] = float(size >= LONG_CONTEXT_CHARS)
    return out


def _named(names: Sequence[Any], values: NDArray[np.float32]) -> dict[Any, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True)}


def _cues(pulls: NDArray[np.float32]) -> tuple[Cue, ...]:
    """The cues that pull an axis most, from (2, cues) log odds."""
    strength = np.abs(pulls).max(axis=0)
    order = np.argsort(-strength, kind="stable")[:_CUES_SHOWN]
    return tuple(
        Cue(name=CUES[i], verifiability=float(pulls[0, i]), knowledge_demand=float(pulls[1, i]))
        for i in order
        if strength[i] >= _LEAST_PULL
    )


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
