"""A worked answer, read once: its text without the thinking, its steps, what it closes with.

What: everything that the math check and its evidence look at. What not: it judges nothing. A
text beyond `MAX_CHARS` is kept, and not read.
"""

from typing import NamedTuple

from router.verify.concluding import closed_answer
from router.verify.steps import Step, read_steps
from router.verify.text import ClosedAnswer, strip_thinking
from router.verify.values import Value, parse_value

__all__ = ["MAX_CHARS", "Solution", "read_solution"]

MAX_CHARS = 100_000
"""Of the text after the thinking."""


class Solution(NamedTuple):
    """What a response says."""

    text: str
    steps: tuple[Step, ...] = ()
    closed: ClosedAnswer | None = None
    value: Value | None = None
    """The number that the closed answer states."""


def read_solution(response: str) -> Solution:
    """Never raises for what the response holds."""
    text = strip_thinking(response)
    if len(text) > MAX_CHARS:
        return Solution(text)
    closed = closed_answer(text)
    value = parse_value(closed.text) if closed else None
    return Solution(text, tuple(read_steps(text)), closed, value)
