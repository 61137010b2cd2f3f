"""The marks of a final answer, and its dress."""

import re

import pytest

from router.verify.reading import last_match, marked, tidy


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\\boxed{a} \\boxed{b}", "b"),
        ("\\boxed{} Answer: c", "c"),
        ("**Answer:** c\nmore", "c"),
        ("Answer: c\nFinal answer: d", "d"),
        ("The answer is: e", "e"),
        ("no mark", None),
        ("Answer:\nx", None),
    ],
)
def test_marks(text: str, found: str | None) -> None:
    assert marked(text) == found


def test_tidying() -> None:
    assert tidy(" **\\text{Ada  Lovelace}.** ") == "Ada Lovelace"
    assert tidy("$1{,}200\\%$") == "1,200%"


def test_the_last_match_is_the_last() -> None:
    found = last_match(re.compile(r"\d"), "1 2 3")
    assert found is not None and found.group() == "3"
    assert last_match(re.compile(r"\d"), "none") is None
