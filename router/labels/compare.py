"""Does a kept answer hold beside another arm's answer to the same question?

    1. exact checks that say passed of one and failed of the other decide
    2. else the answers are compared (`router.verify.clusters`): the same is `agree`, two that
       can both be read and differ is `disagree`
    3. else, where neither can be read, two passed checks agree
    4. else it is `undecided`: prose is not compared, and nothing is made up

What it does not say: who is right. `agree` means that the dearer arm would have told the caller
the same; both may be wrong.
"""

from typing import Any, Literal, NamedTuple, Protocol

from router.state import Answer, Query, Signals
from router.verify.clusters import AnswerClusters

__all__ = ["Compared", "Outcome", "compare"]

Outcome = Literal["agree", "disagree", "undecided"]


class Reader(Protocol):
    """What of the verifiers is asked."""

    def kind_for(self, query: Query, signals: Signals, context: Literal["none", "index"]) -> str:
        """Which check an answer would meet."""
        ...

    def clusters(self, query: Query, kind: Any) -> AnswerClusters:
        """Which of several answers are the same."""
        ...


class Compared(NamedTuple):
    """`score` is 1 (agree), 0 (disagree) or None."""

    outcome: Outcome
    how: Literal["checks", "answers", "unread"]

    @property
    def score(self) -> float | None:
        """As a label has it."""
        return None if self.outcome == "undecided" else float(self.outcome == "agree")


async def compare(checker: Reader, query: Query, kept: Answer, other: Answer) -> Compared:
    """Compare `kept` with `other`."""
    ours, theirs = kept.verdict.passed, other.verdict.passed
    if ours is not None and theirs is not None and ours != theirs:
        return Compared("agree" if ours else "disagree", "checks")
    clusters = checker.clusters(query, checker.kind_for(query, kept.signals, "none"))
    read = [clusters.read(answer.answer) for answer in (kept, other)]
    numbers = [None if text is None else await clusters.number(text) for text in read]
    if None not in numbers:
        return Compared("agree" if numbers[0] == numbers[1] else "disagree", "answers")
    if ours and theirs:
        return Compared("agree", "checks")
    return Compared("undecided", "unread")
