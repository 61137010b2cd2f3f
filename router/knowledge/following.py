"""One follow-up query: what the first passages name, and the question does not.

"What is the currency of the country whose capital is Thimphu?" needs Bhutan, which it describes
and does not name. So the description is searched for first; a passage that ties its name (Thimphu)
to a subject that the question does not name (Bhutan) gives the second query, the question with the
description replaced by the subject. Where no passage does, the second query is the question itself.

    first query     the description ("the country whose capital is Thimphu"), else the question
    named by        one of the first `LOOKED_AT` passages that holds the description's first name
    keeps           what the second search found, and last the first of the first search

Deterministic, two searches at most. What it does not do: parse other forms of indirection, follow
twice, or take words from a passage beyond its subject, the start of its title, `MAX_SUBJECT` at
most.
"""

import re
from collections.abc import Sequence

from router.state import Passage

__all__ = ["first_query", "follow_up", "merged"]

LOOKED_AT = 3
"""Passages that may name the subject: later ones match the description's words by chance."""
MAX_SUBJECT = 60
"""Characters: a subject is a name, not a text that somebody wrote into a title."""

_DESCRIPTION = re.compile(
    r"\b(?:the|a|that) (?:\w+ ){0,2}?"
    r"(?:country|nation|state|island|territory|place|land|republic|kingdom|company|person|project|"
    r"package|tool|library|city) "
    r"(?P<clause>(?:whose|that|which|who|where|in which|with|of which|having|governed from|"
    r"home to|reached by)\b(?:[^?.;]|\.(?=\w))*)",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![\w.])(?:[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*|\.[a-z]{2,3}\b)")
_WORD = re.compile(r"\w+")
_SUBJECT_END = re.compile(r"\s+[—–|:]\s+|\s+-\s+|:\s")


def first_query(question: str) -> str:
    """What is searched for first: the description, where the question has one; else itself."""
    described, name = _described(question)
    if described is None or name is None:
        return question
    # The words behind the name belong to the question, not to the description.
    return question[described.start() : described.start("clause") + name.end()]


def follow_up(question: str, passages: Sequence[Passage]) -> str | None:
    """The second query; None where the question describes nothing that could be named."""
    described, name = _described(question)
    if described is None or name is None:
        return None
    for passage in passages[:LOOKED_AT]:
        subject = _subject(passage)
        if subject is None or not _holds(passage.text, name.group()):
            continue
        if not _words(subject) & _words(question):
            return _replaced(question, described, subject)
    return question


def _described(question: str) -> tuple[re.Match[str] | None, re.Match[str] | None]:
    """The description, and the first name in its clause."""
    described = _DESCRIPTION.search(question)
    return described, None if described is None else _NAME.search(described["clause"])


def merged(first: Sequence[Passage], second: Sequence[Passage], k: int) -> tuple[Passage, ...]:
    """`k` passages: the second search's, its last place left to the first passage of the first."""
    kept = list(second[:k])
    if first and first[0].source not in {p.source for p in kept}:
        kept = [*kept[: k - 1], first[0]] if k > 1 else kept
    return tuple(kept or first[:k])


def _subject(passage: Passage) -> str | None:
    """The start of a title, up to its first dash or colon; None where that is no name."""
    subject = _SUBJECT_END.split(passage.title.strip(), maxsplit=1)[0].strip()
    return subject if 0 < len(subject) <= MAX_SUBJECT else None


def _holds(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text) if word[0].isupper()}


def _replaced(question: str, described: re.Match[str], subject: str) -> str:
    """The question about the subject; what follows the description's clause is kept."""
    start, end = described.span()
    return f"{question[:start]}{subject}{question[end:]}"
