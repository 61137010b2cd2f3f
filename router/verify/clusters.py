"""Which samples give the same answer: what votes are counted by.

    kind     the answer                                the same
    code     the program                               behaves alike on inputs (`votes`)
    format   the JSON, or the whole text               is the same value
    math     the closed answer                         mathematically equivalent
    others   an answer that is marked, or a short line mathematically equivalent

Answers are numbered as they come, and a number is never taken back: whether an answer equals
another one is asked of the first of its kind only, so a vote that was decided stays decided,
also where equality does not carry over (5 equals 5 km and 5 m). What not: right or wrong.

A response without a closed answer (cut off, only thinking, prose, different boxes, a refusal) has
none here and so no vote. A list has no order to a mathematician ("x = 1, 2"); where the question
asks for an order it is one, and lists are compared as they are written.
"""

import asyncio
import json
import re

from router.verify.asked import asked_names, preamble
from router.verify.code import extract_code
from router.verify.concluding import closed_answer
from router.verify.equivalence import EquivalenceChecker
from router.verify.examples import read_examples
from router.verify.runner import Runner
from router.verify.spelling import closed_value
from router.verify.text import strip_thinking
from router.verify.votes import ProgramVotes

__all__ = ["AnswerClusters"]

SHORT = 80
"""Characters of a one-line response that is taken for its own answer."""
_ORDERED = re.compile(
    r"\b(?:sort(?:ed|ing)?|order(?:ed|ing)?|arrange|ascending|descending|alphabetical(?:ly)?"
    r"|sequence|revers\w+|path|rank(?:ed|ing)?|steps)\b",
    re.IGNORECASE,
)
_LIST = re.compile(r"[,;\n]|->|→")
_REFUSES = re.compile(
    r"\b(?:sorry|cannot|can't|can not|unable|don't know|do not know|not sure|no idea|as an ai)\b",
    re.IGNORECASE,
)
_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL)


class AnswerClusters:
    """Numbers the answers to one question as they come. `kind` is the verifier's."""

    def __init__(
        self, question: str, kind: str, sandbox: Runner, equivalence: EquivalenceChecker
    ) -> None:
        self._kind, self._equivalence = kind, equivalence
        self._ordered = bool(_ORDERED.search(question))
        examples = read_examples(question) if kind == "code" else []
        self._names = asked_names(question) or tuple(e.function for e in examples[:1])
        self._programs = ProgramVotes(
            next(iter(self._names), ""),
            sandbox,
            prompt=question,
            given=preamble(question) if kind == "code" else "",
            examples=[e.call for e in examples],
        )
        self._first: list[str] = []
        self._known: dict[str, int] = {}

    def read(self, text: str) -> str | None:
        """The answer that a response votes for; None where it has none."""
        if self._kind == "code":
            return extract_code(text, self._names)
        if self._kind == "format":
            return _json(text)
        if closed_value(text) is None:  # different boxes, or a box that is denied
            return None
        closed = closed_answer(text)
        if closed is not None and (self._kind == "math" or closed.how != "sentence"):
            return closed.text.strip() or None
        return _short_line(text)

    async def number(self, answer: str) -> int | None:
        """The cluster of an answer as `read` gives it; None for a program that shows nothing."""
        if self._kind == "code":
            return await self._programs.number(answer)
        key = "".join(answer.split())
        key = key if self._kind == "math" else key.casefold()
        if key not in self._known:
            self._known[key] = await self._cluster(answer)
        return self._known[key]

    async def _cluster(self, answer: str) -> int:
        """The first cluster whose first answer is the same; else a new one."""
        if not self._as_written(answer):
            others = [(i, one) for i, one in enumerate(self._first) if not self._as_written(one)]
            pairs = [(one, answer) for _, one in others]
            found = await asyncio.to_thread(self._equivalence.same, pairs)
            for (number, _), same in zip(others, found, strict=True):
                if same:
                    return number
        self._first.append(answer)
        return len(self._first) - 1

    def _as_written(self, answer: str) -> bool:
        return self._kind == "format" or (self._ordered and bool(_LIST.search(answer)))


def _short_line(text: str) -> str | None:
    line = strip_thinking(text)
    fits = 0 < len(line) <= SHORT and "\n" not in line and "\\boxed" not in line
    return line.rstrip(".") or None if fits and not _REFUSES.search(line) else None


def _json(text: str) -> str | None:
    """One spelling of a JSON value, out of its fence; other text as it is."""
    seen = strip_thinking(text)
    fenced = _FENCE.match(seen)
    try:
        value = json.loads(fenced.group(1) if fenced else seen)
    except (ValueError, RecursionError):
        return seen or None
    return json.dumps(_spelled(value), sort_keys=True)


def _spelled(value: object) -> object:
    """1 and 1.0 are one number to JSON."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_spelled(one) for one in value]
    if isinstance(value, dict):
        return {key: _spelled(one) for key, one in value.items()}
    return value
