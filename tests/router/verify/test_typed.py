"""Values across the wall, and what counts as the same."""

import math
from typing import Any

import pytest

from router.verify.inside import encode
from router.verify.typed import NotPlain, decode, same

VALUES: list[Any] = [
    None, True, False, 0, -7, 10**400, 1.5, math.inf, 2 + 3j, "", "ä\ud800\n", b"\x00\xff",
    [], (), set(), frozenset(), {}, [1, (2, {3})], {"a": [1.0], 2: None, (1, 2): b"x"},
    {1, "a", (2,)}, frozenset({1}),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    back = decode(encode(value))
    assert type(back) is type(value)
    assert back == value
    assert same(value, back)


@pytest.mark.parametrize("left", VALUES, ids=repr)
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
        (10**400, 1.0, False), (10**30, 10**30 + 1, False), ("1", 1, False), (None, False, False),
    ],
)  # fmt: skip
def test_comparison(expected: Any, got: Any, verdict: bool) -> None:
    assert same(expected, got) is verdict


class Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


@pytest.mark.parametrize("value", [object(), Liar(4), range(3), [object()], {"a": Liar(4)}, len])
def test_other_types_do_not_cross(value: Any) -> None:
    with pytest.raises(NotPlain):
        decode(encode(value))


def test_what_is_too_deep_or_too_large_does_not_cross() -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    round_ = [1]
    round_.append(round_)  # type: ignore[arg-type]
    for value in (deep, round_, list(range(200_000))):
        with pytest.raises(NotPlain):
            decode(encode(value))


@pytest.mark.parametrize(
    "record",
    [None, 4, "x", [], ["int"], ["int", "zz"], ["int", 4], ["plain", 4], ["plain", []], ["nope", 1],
     ["dict", [[["list", []], ["plain", None]]]], ["set", [["list", []]]], ["complex", ["0x1"]],
     ["float", None], ["bytes", "z"], {"a": 1}],
)  # fmt: skip
def test_forged_records_are_not_values(record: Any) -> None:
    with pytest.raises(NotPlain):
        decode(record)
