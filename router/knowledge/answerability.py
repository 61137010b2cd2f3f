"""P(the retrieved passages hold the answer), calibrated: one logistic regression on plain signs.

    P = sigma(b + sum over i of w_i (x_i - m_i) / s_i)

Signs, of a question and its passages as the search returned them:

    best, second, gap     cosines of the best passages, and how far the best stands out
    named                 best cosine among passages that say every name of the question
    names, words          share of the question's names and of its other content words that one
                          passage says, the best one; `top_*` the same of the first passage,
                          `both` the best product (a question without capitals has no names: its
                          words stand for them)
    bm25, bm25_gap        best BM25 a content word of the question, and its lead
    agree                 the first by meaning is the first by words
    same_field            share of passages whose title ends like the first one's
    subject               share of passages that say every name
    around, lead          mean cosine of all that was found, and the best one's lead on the least
    subjects              how many different subjects (starts of titles) were found, as a share
    unsaid                share of the question's content words that nothing found says

The last four look at the background too: passages that were found and are not read. Where the
fact is missing, what is found instead lies as near as what lies behind it.

What is read is words and scores: a passage that says "the answer is here" gains no more than
any passage with these words would, and words that the question does not ask for gain nothing.
Where passages bring no cosine (the asker's own), a second fit on the words alone is used.

What this does not do: read an answer, or look anything up; weights are fitted by `ockham index
calibrate` (eval/fit/answerability.py) and read from answerability.json.
"""

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from router.errors import KnowledgeError
from router.knowledge.naming import names_in
from router.knowledge.words import terms
from router.state import Passage

__all__ = [
    "FITTED",
    "FOUND",
    "MOST",
    "READ",
    "SIGNS",
    "WORD_SIGNS",
    "Fit",
    "answerability",
    "load_fits",
    "signs",
]

FITTED = Path(__file__).with_name("answerability.json")
WORD_SIGNS = ("names", "words", "top_names", "top_words", "both", "same_field", "subject")
BACKGROUND_SIGNS = ("around", "lead", "subjects", "unsaid")
SIGNS = (
    *("best", "second", "gap", "named", "bm25", "bm25_gap", "agree"),
    *WORD_SIGNS,
    *BACKGROUND_SIGNS,
)
MOST = 3.0
"""Standard deviations: beyond what the fit has seen, a sign says no more than at its edge."""
READ = (3, 5)
"""Passages that a reader is given: the fit is made on both, for both."""
FOUND = 10
"""Passages that are searched for, by the fit and before every decision: those that are not read
are the background."""

_ASKING = frozenset(terms("many much long far old big large high often would should may one"))
"""What makes a question of a sentence, beside FUNCTION_WORDS, which are no terms: no passage is
about these."""


class Fit(NamedTuple):
    """A fitted regression over named signs."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    bias: float

    def probability(self, found: Mapping[str, float]) -> float:
        """P from signs, none of them taken for further out than MOST."""
        parts = zip(self.names, self.mean, self.scale, self.weight, strict=True)
        total = self.bias + sum(w * _within((found[n] - m) / s) for n, m, s, w in parts)
        return 1 / (1 + math.exp(-total))


def answerability(question: str, passages: Sequence[Passage], read: int | None = None) -> float:
    """P that one of the first `read` passages (None: of all) holds the answer; 0 where there
    are none. Those behind them, up to FOUND in all, are the background."""
    if not passages or not question.strip():
        return 0.0
    scored = any(p.dense is not None for p in passages)
    return load_fits()["scored" if scored else "words"].probability(signs(question, passages, read))


@cache
def load_fits(file: Path = FITTED) -> dict[str, Fit]:
    """The fits by name: `scored` for passages of a search, `words` for brought ones."""
    try:
        fits = json.loads(file.read_text(encoding="utf-8"))["fits"]
        return {
            name: Fit(
                tuple(fit["names"]),
                tuple(fit["mean"]),
                tuple(fit["scale"]),
                tuple(fit["weight"]),
                float(fit["bias"]),
            )
            for name, fit in fits.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KnowledgeError(
            f"{file} cannot be read ({error}): run `ockham index calibrate --ship`"
        ) from error


def signs(question: str, passages: Sequence[Passage], first: int | None = None) -> dict[str, float]:
    """All of SIGNS; those that need scores are 0 where passages have none."""
    asked = _Asked.of(question)
    read = passages[: len(passages) if first is None else max(first, 1)]
    found = passages[: max(FOUND, len(read))]
    behind = [_Said.of(passage) for passage in found]
    texts = behind[: len(read)]
    named = [asked.names_in(said) for said in texts]
    worded = [asked.words_in(said) for said in texts]
    return {
        **_by_meaning(read, named),
        **_by_words(read, len(asked.words) + len(asked.names)),
        "names": max(named),
        "words": max(worded),
        "top_names": named[0],
        "top_words": worded[0],
        "both": max(n * w for n, w in zip(named, worded, strict=True)),
        "same_field": sum(s.tail == texts[0].tail for s in texts) / len(texts),
        "subject": sum(n == 1.0 for n in named) / len(texts),
        **_by_background(found, len(read)),
        "subjects": len({said.subject for said in behind}) / len(behind),
        "unsaid": asked.unsaid(behind),
    }


class _Asked(NamedTuple):
    """What a question names, and its other content words."""

    names: frozenset[str]
    words: frozenset[str]

    @classmethod
    def of(cls, question: str) -> "_Asked":
        names = names_in(question)
        return cls(names, frozenset(terms(question)) - names - _ASKING)

    def names_in(self, said: "_Said") -> float:
        return len(self.names & said.terms) / len(self.names) if self.names else self.words_in(said)

    def words_in(self, said: "_Said") -> float:
        return len(self.words & said.terms) / len(self.words) if self.words else 1.0

    def unsaid(self, all_said: Sequence["_Said"]) -> float:
        left = self.words.difference(*(said.terms for said in all_said))
        return len(left) / max(len(self.words), 1)


class _Said(NamedTuple):
    """What a passage says; its title is a subject, and a tail after it."""

    terms: frozenset[str]
    subject: str
    tail: str

    @classmethod
    def of(cls, passage: Passage) -> "_Said":
        found = frozenset(terms(f"{passage.title}\n{passage.text}"))
        subject, _, tail = passage.title.rpartition(" — ")
        return cls(found, subject, tail)


def _within(z: float) -> float:
    return min(max(z, -MOST), MOST)


def _by_meaning(passages: Sequence[Passage], named: Sequence[float]) -> dict[str, float]:
    cosines = [passage.dense or 0.0 for passage in passages]
    ranked = sorted(cosines, reverse=True)
    rest = ranked[1:] or ranked  # one passage stands out from nothing
    of_all = [c for c, share in zip(cosines, named, strict=True) if share == 1.0]
    return {
        "best": ranked[0],
        "second": rest[0],
        "gap": ranked[0] - sum(rest) / len(rest),
        "named": max(of_all, default=0.0),
    }


def _by_background(found: Sequence[Passage], read: int) -> dict[str, float]:
    cosines = [passage.dense or 0.0 for passage in found]
    return {"around": sum(cosines) / len(cosines), "lead": max(cosines[:read]) - min(cosines)}


def _by_words(passages: Sequence[Passage], asked: int) -> dict[str, float]:
    found = [passage.lexical or 0.0 for passage in passages]
    ranked = sorted(found, reverse=True)
    first = max(range(len(passages)), key=lambda i: passages[i].dense or 0.0)
    return {
        "bm25": ranked[0] / max(asked, 1),
        "bm25_gap": (ranked[0] - ranked[min(1, len(ranked) - 1)]) / max(asked, 1),
        "agree": float(found[first] == ranked[0]),
    }
