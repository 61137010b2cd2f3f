"""Are two answers the same? For scoring against gold and for clustering samples.

What: one spelling (`spelling`), plain numbers compared exactly and here; everything else
goes by its structure and math-verify (`comparing`), in processes that can be killed (`workers`):
math-verify's own time-out works by signals, raises a BaseException, and `9^{9^{9^9}}` costs
it seconds. What is plainly too large is refused first (`bombs`). What not: a check at run
time. Two samples that agree may both be wrong, so this never makes a verdict pass.

Rules of ours on top of math-verify
- The gold comes first; two different boxes in one answer are ambiguous and equal nothing.
- Units and money fall away where one side has none: `$20.00`, `20 dollars` and 20 are the same;
  5 km and 5 m are not.
- A percentage equals its fraction (10 % is 0.1). Against gold it also equals the bare
  figure (10 % for 10: the question asked for per cent), and a base may be left out; between
  samples not, since "the same" has to carry over from one sample to the next there.
- A list has no order; a tuple and an interval have theirs, and their brackets.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Literal, NamedTuple, Self

from router.verify.bombs import too_costly
from router.verify.comparing import Judgement, judge, prepare
from router.verify.spelling import DATE, closed_value, is_words, spelled, unit_of, words
from router.verify.values import number_of
from router.verify.workers import Done, Workers, cores

__all__ = ["Equivalence", "EquivalenceChecker"]

MAX_CHARS = 500
SECONDS = 0.7
"""For one pair; a pair whose process has to be killed costs up to a fifth of a second more."""

EquivalenceStatus = Judgement | Literal["ambiguous", "too_long", "refused", "timeout"]


class Equivalence(NamedTuple):
    """`equal` is None where nothing was computed: too costly, or the time ran out."""

    equal: bool | None
    status: EquivalenceStatus
    seconds: float


class _Pair(NamedTuple):
    """What the workers have to answer."""

    gold: str
    answer: str
    against_gold: bool


class EquivalenceChecker:
    """Owns the worker processes. Starts them when first needed; `close()` ends them.

    with EquivalenceChecker() as checker:
        checker.equivalent("1/2", r"\\frac{1}{2}").equal   # True

    Any thread may ask; from asyncio, use `asyncio.to_thread`.
    """

    def __init__(
        self, *, seconds: float = SECONDS, max_chars: int = MAX_CHARS, workers: int | None = None
    ) -> None:
        self.seconds, self.max_chars = seconds, max_chars
        self._workers = Workers(workers or cores(), prepare)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers; a later call starts new ones."""
        self._workers.close()

    def warm(self) -> None:
        """Start the workers and wait for them: no later call pays for the imports."""
        pair = _Pair("x", "x", True)
        ready = [
            self._workers.submit(judge, *pair, seconds=self.seconds)
            for _ in range(self._workers.count)
        ]
        for one in ready:
            one.result()

    def equivalent(self, gold: str, answer: str) -> Equivalence:
        """Does `answer` (a value, or a response with a box) equal `gold`?"""
        return self.equivalent_many([(gold, answer)])[0]

    def equivalent_many(self, pairs: Sequence[tuple[str, str]]) -> list[Equivalence]:
        """The same for many (gold, answer) at once, in their order; twins are asked once."""
        return self._many(pairs, against_gold=True)

    def same(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """Is each pair of samples' answers the same? What could not be computed is not."""
        return [found.equal is True for found in self._many(pairs, against_gold=False)]

    def cluster(self, answers: Sequence[str]) -> list[int]:
        """A cluster number for each answer; equal ones share it. Unread answers stand alone."""
        labels: list[int] = []
        first: list[str] = []
        seen: dict[str, int] = {}
        for answer in answers:
            key = "".join(answer.split())
            if key not in seen:
                found = self.same([(other, answer) for other in first])
                same = (label for label, one in enumerate(found) if one)
                seen[key] = next(same, len(first))
                if seen[key] == len(first):
                    first.append(answer)
            labels.append(seen[key])
        return labels

    def _many(self, pairs: Sequence[tuple[str, str]], *, against_gold: bool) -> list[Equivalence]:
        asked: dict[_Pair, Future[Done[Judgement]]] = {}
        found: list[Equivalence | _Pair] = []
        for gold, answer in pairs:
            started = time.perf_counter()
            pair = self._here(gold, answer, against_gold)
            if isinstance(pair, _Pair):
                if pair not in asked:
                    asked[pair] = self._workers.submit(judge, *pair, seconds=self.seconds)
                found.append(pair)
            else:
                found.append(_result(pair, time.perf_counter() - started))
        told = {pair: _told(future) for pair, future in asked.items()}
        return [told[one] if isinstance(one, _Pair) else one for one in found]

    def _here(self, gold: str, answer: str, against_gold: bool) -> EquivalenceStatus | _Pair:
        """What can be said without algebra; else the pair to ask a worker."""
        closed = [closed_value(gold), closed_value(answer)]
        if None in closed:
            return "ambiguous"
        if max(len(text or "") for text in closed) > self.max_chars:
            return "too_long"
        left, right = (spelled(text or "") for text in closed)
        if not left or not right:
            return "unparsed"
        units = {unit_of(text or "") for text in closed} - {""}
        if len(units) > 1:  # 5 km is not 5 m; one that is not stated falls away
            return "different"
        if left == right:
            return "equal"
        if (same := _plain(left, right, against_gold)) is not None:
            return "equal" if same else "different"
        if too_costly(left) or too_costly(right):
            return "refused"
        return _Pair(left, right, against_gold)


def _plain(gold: str, answer: str, against_gold: bool) -> bool | None:
    """Two plain numbers, or words; None where it takes more than reading."""
    if is_words(gold) or is_words(answer):
        return words(gold) == words(answer)
    if DATE.fullmatch(gold) or DATE.fullmatch(answer):
        return gold == answer
    if any("=" in text or text.startswith(("(", "[", "\\{")) for text in (gold, answer)):
        return None  # names, tuples and sets are for `structure`: (1,234) is not 1234
    a, b = number_of(gold), number_of(answer)
    if a is None or b is None:
        return None
    bare = against_gold and ("%" in gold) != ("%" in answer)
    return a == b or (bare and number_of(gold.strip("%")) == number_of(answer.strip("%")))


def _result(status: EquivalenceStatus, seconds: float) -> Equivalence:
    equal = None if status in ("timeout", "refused") else status == "equal"
    return Equivalence(equal, status, seconds)


def _told(asked: "Future[Done[Judgement]]") -> Equivalence:
    done = asked.result()
    if done.value is not None:
        return _result(done.value, done.seconds)
    return _result("timeout" if done.lost == "timeout" else "refused", done.seconds)
