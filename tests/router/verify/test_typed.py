"""What counts as the same, also after a way across the wall."""

import math
from typing import Any

import pytest

from router.verify.typed import same
from router.verify.wire import decode, encode

VALUES: list[Any] = [
    None, True, False, 0, -7, 10**400, 1.5, math.inf, 2 + 3j, "", "ä\ud800\n", b"\x00\xff",
    [], (), set(), frozenset(), {}, [1, (2, {3})], {"a": [1.0], 2: None, (1, 2): b"x"},
    {1, "a", (2,)}, frozenset({1}),
]  # fmt: skip


def _named(value: Any) -> str:
    """The same in every process, which the order of a set is not."""
    return "{1, 'a', (2,)}" if value == {1, "a", (2,)} else repr(value)


@pytest.mark.parametrize("value", VALUES, ids=_named)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    back = decode(encode(value))
    assert type(back) is type(value)
    assert back == value
    assert same(value, back)


@pytest.mark.parametrize("left", VALUES, ids=_named)
def test_only_equal_values_are_the_same(left: Any) -> None:
    for right in VALUES:
        if left is not right:
            assert not same(left, right), (left, right)


def test_nan_is_nan() -> None:
    assert same(math.nan, decode(encode(math.nan)))
    assert not same(math.nan, 1.0)


@pytest.mark.parametrize(
    ("expected", "got", "verdict"),
    [
        (6.0, 6, True), (6, 6.0, True), (0.3, 0.1 + 0.2, True), (0.3, 0.31, False),
        (1, True, False), (True, 1, False), ([1], (1,), False), ([1], [True], False),
        ({1: 2}, {True: 2}, False), ({1}, {True}, False), ({"a": [1]}, {"a": [1.0]}, True),
        (123456789864197523, float(123456789) * 1000000007, False), (9, 9.000000000000002, False),
        (10**400, 1.0, False), (10**30, 10**30 + 1, False), ("1", 1, False), (None, False, False),
    ],
)  # fmt: skip
def test_comparison(expected: Any, got: Any, verdict: bool) -> None:
    assert same(expected, got) is verdict
