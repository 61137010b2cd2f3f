"""The asserts that a prompt gives for the function it asks for, beyond `f(2) == 4`.

What: lines that start with `assert`, also behind a bullet or in backticks, over several
lines where brackets are open; `assert set(f(x)) == {1}`, `assert abs(f(2) - 4) < 1e-9`,
`assert f(1) == f(2)`. They are code out of a prompt: `judge` runs them, in a sandbox. What
not: an assert that `read_examples` reads, one that names what nobody defines, and one in
prose that says it does not hold.
"""

import ast
import builtins
import re
from collections.abc import Iterator, Set

from router.verify.asked import MAX_PROMPT
from router.verify.examples import read_examples
from router.verify.rewriting import MODULES

__all__ = ["read_asserts"]

MAX_ASSERTS = 40
MAX_LINES = 12
_ASSERT = re.compile(r"^[ \t]*(?:[-*>]|\d+[.)])?[ \t]*`{0,3}(?=assert\b)", re.MULTILINE)


def read_asserts(question: str, defined: Set[str]) -> list[str]:
    """The asserts about one of the functions that are defined; none twice."""
    text = question[:MAX_PROMPT]
    found = (_assert_at_start(text[match.end() :], defined) for match in _ASSERT.finditer(text))
    return list(dict.fromkeys(filter(None, found)))[:MAX_ASSERTS]


def _assert_at_start(text: str, defined: Set[str]) -> str | None:
    """The assert that a text starts with: the fewest lines that are one."""
    for source in _growing(text):
        try:
            body = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if len(body) == 1 and isinstance(body[0], ast.Assert):
            is_new = _is_about(body[0], defined) and not read_examples(source)
            return source if is_new else None
    return None


def _growing(text: str) -> Iterator[str]:
    lines = text.split("\n", MAX_LINES)[:MAX_LINES]
    for count in range(1, len(lines) + 1):
        yield "\n".join(lines[:count]).rstrip().rstrip("`").rstrip()


def _is_about(node: ast.Assert, defined: Set[str]) -> bool:
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    bound = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    read = {n.id for n in names if isinstance(n.ctx, ast.Load)} - bound
    return bool(read & defined) and read <= defined | MODULES | set(dir(builtins))
