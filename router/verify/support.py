"""Does a passage support a statement? Words and meaning together, as one probability.

    words     numbers and names that the passage lacks, shares of content words and of the
              question's that it has, a negation on one side only
    meaning   the cosine of statement and passage, and of statement and its nearest clause, by
              the signals' encoder
    P(supported) = sigmoid(bias + weights . features), fitted by `eval.fit.claims` on statements
    made from the World Factbook, right and wrong

What it does not do: entail. A figure that stands in the passage in another relation (the land
area said as the total) looks supported; `eval.fit.claims` says how often. No small entailment
model ships in a package, so none is asked.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from router.verify.grounding import content_words, names_of, numbers_of, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LEXICAL", "MEANING", "SUPPORT", "Encode", "Statement", "Support", "load_support",
           "meaning", "word_features"]  # fmt: skip

Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Texts -> L2-normalised rows."""
SUPPORT = Path(__file__).with_name("claim_support.json")
LEXICAL = (
    "numbers_missing", "names_missing", "names_near", "subject_missing", "subject_near",
    "content_share", "question_share", "negation", "nothing_new",
)  # fmt: skip
MEANING = ("cosine", "cosine_clause")
MOST = 3
"""More missing numbers or names than this say no more."""
CLAUSES = 4
"""Clauses that are embedded beside the whole passage: those with most of the statement's words."""
NEAR = 0.6
"""Share of the longer name that two names have to begin with in common: Bhutanese, Bhutan."""

_CLAUSE = re.compile(r"(?<=[.;!?])\s+")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|isn't|aren't|wasn't|weren't|doesn't|"
    r"don't|didn't|hasn't|haven't|won't|can't)\b",
    re.IGNORECASE,
)


class Statement(NamedTuple):
    """A statement, the question that it answers, and the passage that is cited for it."""

    claim: str
    question: str
    title: str
    text: str


class Support(NamedTuple):
    """The fitted map, and the two thresholds that make three verdicts of it."""

    features: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float
    passes: float
    """At least this: supported."""
    fails: float
    """Below this: not supported."""

    def probability(self, values: dict[str, float]) -> float:
        """P(supported) of one statement's features."""
        raw = self.bias + sum(
            w * values[n] for n, w in zip(self.features, self.weights, strict=True)
        )
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, raw))))


@lru_cache(maxsize=4)
def load_support(path: Path = SUPPORT) -> Support:
    """The packaged map. `ValueError` where it was fitted for other features."""
    data = json.loads(path.read_text(encoding="utf-8"))
    names = tuple(data["features"])
    if set(names) - {*LEXICAL, *MEANING}:
        raise ValueError(f"{path.name} was fitted on other features: fit it again")
    return Support(names, tuple(data["weights"]), data["bias"], data["passes"], data["fails"])


def word_features(one: Statement) -> dict[str, float]:
    """What the words alone show: the names of `LEXICAL`."""
    passage = f"{one.title}\n{one.text}"
    held, numbers = words_of(passage), numbers_of(passage)
    asked = words_of(one.question)
    own_names = names_of(one.claim) - asked
    subject = names_of(one.question)
    content = content_words(one.claim) - asked
    wanted = content_words(one.question)
    new = numbers_of(one.claim) - numbers_of(one.question)
    names, near = _missing(own_names, held)
    subjects, subjects_near = _missing(subject, held)
    return {
        "numbers_missing": float(min(len(new - numbers), MOST)),
        "names_missing": float(min(names, MOST)),
        "names_near": float(min(near, MOST)),
        "subject_missing": float(min(subjects, MOST)),
        "subject_near": float(min(subjects_near, MOST)),
        "content_share": len(content & held) / len(content) if content else 1.0,
        "question_share": len(wanted & held) / len(wanted) if wanted else 1.0,
        "negation": float(_negates(one.claim) and not _negates(_nearest(one)[0])),
        "nothing_new": float(not new and not content),
    }


def meaning(statements: Sequence[Statement], encode: Encode) -> list[dict[str, float]]:
    """What the encoder shows: the names of `MEANING`, of all statements in one call."""
    texts: list[str] = []
    spans: list[tuple[int, int]] = []
    for one in statements:
        parts = [
            _said(one),
            f"{one.title}. {one.text}",
            *(f"{one.title}: {c}" for c in _nearest(one)),
        ]
        spans.append((len(texts), len(texts) + len(parts)))
        texts += parts
    if not texts:
        return []
    rows = encode(texts)
    made = []
    for start, stop in spans:
        cosines = rows[start + 1 : stop] @ rows[start]
        made.append({"cosine": float(cosines[0]), "cosine_clause": float(cosines[1:].max())})
    return made


def _said(one: Statement) -> str:
    """A bare answer means nothing without its question."""
    return f"{one.question} {one.claim}" if one.question else one.claim


def _nearest(one: Statement) -> list[str]:
    """The clauses with most of the statement's words, best first."""
    wanted = words_of(one.claim) | numbers_of(one.claim)
    clauses = [c for c in _CLAUSE.split(one.text) if c.strip()] or [one.text]
    ranked = sorted(clauses, key=lambda c: -len(wanted & (words_of(c) | numbers_of(c))))
    return ranked[:CLAUSES]


def _missing(names: set[str], held: set[str]) -> tuple[int, int]:
    """Names that are not there at all, and names of which only something like them is."""
    absent = names - held
    near = {name for name in absent if any(_alike(name, word) for word in held)}
    return len(absent - near), len(near)


def _alike(one: str, other: str) -> bool:
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= 4 and shared >= NEAR * max(len(one), len(other))


def _negates(text: str) -> bool:
    return _NEGATION.search(text) is not None
