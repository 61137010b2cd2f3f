"""Are two answers the same? For scoring against gold and for clustering samples.

What: plain numbers are compared exactly, here; everything else goes to math-verify in a
process that can be killed, since its own time-out works by signals, raises a
BaseException, and `9^{9^{9^9}}` costs it seconds. What not: a check at run time. Two
samples that agree may both be wrong, so this never makes a verdict pass.

Rules of ours on top of math-verify
- The gold comes first; two different boxes in one answer are ambiguous and equal nothing.
- Units and money fall away: `$20.00`, `20 dollars` and 20 are the same.
- A percentage equals its fraction (10 % is 0.1). Against gold it also equals the bare
  figure (10 % for 10: the question asked for per cent); between samples it does not, since
  "the same" has to carry over from one sample to the next there.
"""

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from router.verify.text import boxes, strip_thinking
from router.verify.values import parse_value

if TYPE_CHECKING:
    from pebble import ProcessPool

__all__ = ["Equivalence", "EquivalenceChecker"]

MAX_CHARS = 500
SECONDS = 1.0
START_SECONDS = 60.0
"""For a worker's first task: it imports sympy. Later tasks get `seconds`."""

EquivalenceStatus = Literal["equal", "different", "unparsed", "ambiguous", "too_long", "timeout"]


class Equivalence(NamedTuple):
    """`equal` is None only where the time ran out."""

    equal: bool | None
    status: EquivalenceStatus
    seconds: float


class EquivalenceChecker:
    """Owns the worker process. Starts it when first needed; `close()` ends it.

    with EquivalenceChecker() as checker:
        checker.equivalent("1/2", r"\\frac{1}{2}").equal   # True
    """

    def __init__(self, *, seconds: float = SECONDS, max_chars: int = MAX_CHARS) -> None:
        self.seconds, self.max_chars = seconds, max_chars
        self._pool: ProcessPool | None = None
        self._warm = False

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
        """End the worker; a later call starts a new one."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
            self._pool, self._warm = None, False

    def equivalent(self, gold: str, answer: str) -> Equivalence:
        """Does `answer` (a value, or a response with a box) equal `gold`?"""
        return self._timed(gold, answer, bare_percent=True)

    def cluster(self, answers: Sequence[str]) -> list[int]:
        """A cluster number for each answer; equal ones share it. Unread answers stand alone."""
        labels: list[int] = []
        first: list[str] = []
        seen: dict[str, int] = {}
        for answer in answers:
            key = "".join(answer.split())
            if key not in seen:
                same = (
                    label
                    for label, other in enumerate(first)
                    if self._timed(other, answer, bare_percent=False).equal
                )
                seen[key] = next(same, len(first))
                if seen[key] == len(first):
                    first.append(answer)
            labels.append(seen[key])
        return labels

    def _timed(self, gold: str, answer: str, *, bare_percent: bool) -> Equivalence:
        started = time.perf_counter()
        status = self._compare(gold, answer, bare_percent=bare_percent)
        equal = None if status == "timeout" else status == "equal"
        return Equivalence(equal, status, time.perf_counter() - started)

    def _compare(self, gold: str, answer: str, *, bare_percent: bool) -> EquivalenceStatus:
        texts = [_closed(gold), _closed(answer)]
        if None in texts:
            return "ambiguous"
        left, right = (text or "" for text in texts)
        if not left or not right:
            return "unparsed"
        if max(len(left), len(right)) > self.max_chars:
            return "too_long"
        if left == right:
            return "equal"
        a, b = parse_value(left), parse_value(right)
        if a is not None and b is not None:
            same = a.number == b.number
            if bare_percent and ("%" in left) != ("%" in right):
                same = same or _bare(left) == _bare(right)
            return "equal" if same else "different"
        return self._ask(left, right)

    def _ask(self, gold: str, answer: str) -> EquivalenceStatus:
        """Put the question to a worker; a worker that overruns is killed and replaced."""
        pool = self._started()
        limit = self.seconds if self._warm else self.seconds + START_SECONDS
        future = pool.schedule(_judge, args=(gold, answer), timeout=limit)
        try:
            status: EquivalenceStatus = future.result()
        except FutureTimeout:
            self._warm = False
            return "timeout"
        self._warm = True
        return status

    def _started(self) -> "ProcessPool":
        if self._pool is None:
            from pebble import ProcessPool

            # Spawned, not forked: the parent may hold threads and an event loop.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPool(max_workers=1, context=context)
        if not self._warm:
            self._pool.schedule(_judge, args=("1", "x")).result(timeout=START_SECONDS)
            self._warm = True
        return self._pool


def _closed(text: str) -> str | None:
    """The value to compare; None where several different ones are boxed."""
    visible = strip_thinking(text) if "think>" in text else text
    boxed = boxes(visible)
    if len({"".join(box.split()) for box in boxed}) > 1:
        return None
    return (boxed[-1] if boxed else visible).strip().strip("$").strip()


def _bare(text: str) -> Fraction | None:
    value = parse_value(text.replace("\\%", "").replace("%", ""))
    return value.number if value else None


def _judge(gold: str, answer: str) -> EquivalenceStatus:
    """In the worker: math-verify, without its own clock, which would need signals."""
    from math_verify import parse, verify

    read = [parse(f"\\boxed{{{text}}}", parsing_timeout=None) for text in (gold, answer)]
    if not all(read):
        return "unparsed"
    return "equal" if verify(read[0], read[1], timeout_seconds=None) else "different"
