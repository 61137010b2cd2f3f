"""Questions of other people, NQ-open and TriviaQA, asked of the Factbook: mostly not there.

Nobody has labelled which of them the Factbook answers. The proxy: a passage holds the answer if
it says one of the gold aliases and two of the question's content words. It errs both ways: an
alias in another sense counts ("France"), an answer in other words does not.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from eval.benchmarks.closed_book import FORMAT
from eval.benchmarks.reading import rows
from eval.knowledge.questions import says
from router.knowledge.answerability import FOUND, READ, Fit, signs
from router.knowledge.index import KnowledgeIndex
from router.knowledge.words import terms
from router.state import Passage

__all__ = ["FILES", "Asked", "Outside", "ask_outside", "read_outside"]

FILES = {"NQ-open": "nq_open_dev.jsonl", "TriviaQA": "triviaqa_550.jsonl"}
SHARED_TERMS = 2
MIN_ALIAS = 3
"""Characters; a shorter alias ("2") stands in most passages."""


class Outside(NamedTuple):
    """One question, and what its data counts as right."""

    question: str
    aliases: tuple[str, ...]


class Asked(NamedTuple):
    """What the index and the judge made of it."""

    question: str
    p: float
    held: bool
    first: str
    """Title of the first passage."""


def read_outside(folder: Path, name: str, n: int, seed: int = 0) -> list[Outside]:
    """`n` questions of `FILES[name]` under the data's `questions/`, drawn by the seed."""
    found = [row for _, row in rows(folder / "questions" / FILES[name], FORMAT)]
    found.sort(key=lambda row: hashlib.sha256(f"{seed}\0{row['id']}".encode()).digest())
    return [Outside(row["question"], tuple(row["answer"])) for row in found[:n]]


def ask_outside(index: KnowledgeIndex, questions: Sequence[Outside], fit: Fit) -> list[Asked]:
    """Search for each, and judge what was found."""
    found = []
    for one in questions:
        passages = index.search(one.question, FOUND)
        held = any(_holds(one, passage) for passage in passages[: max(READ)])
        title = passages[0].title if passages else ""
        found.append(Asked(one.question, _p(one.question, passages, fit), held, title))
    return found


def _p(question: str, passages: Sequence[Passage], fit: Fit) -> float:
    return fit.probability(signs(question, passages, max(READ))) if passages else 0.0


def _holds(one: Outside, passage: Passage) -> bool:
    text = f"{passage.title}\n{passage.text}"
    if not any(len(alias) >= MIN_ALIAS and says(text, alias) for alias in one.aliases):
        return False
    answer = {term for alias in one.aliases for term in terms(alias)}
    return len((set(terms(one.question)) - answer) & set(terms(text))) >= SHARED_TERMS
