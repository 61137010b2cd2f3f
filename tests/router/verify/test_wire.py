"""What crosses the wall, and what does not."""

import collections
import enum
from typing import Any

import pytest

from router.verify.wire import Foreign, NotPlain, decode, encode, told


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


class Colour(enum.IntEnum):
    RED = 3


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "base"),
    [
        (Liar(4), 4), (Colour.RED, 3), (Point(1, 2), (1, 2)), (collections.Counter("aa"), {"a": 2}),
        (collections.OrderedDict(a=1), {"a": 1}), (type("F", (float,), {})(1.5), 1.5),
        (type("S", (str,), {})("x"), "x"), (type("C", (complex,), {})(2j), 2j),
    ],
)  # fmt: skip
def test_a_subclass_crosses_as_its_base_where_that_is_noted(value: Any, base: Any) -> None:
    lost: list[str] = []
    back = decode(encode([value]), lost)[0]
    assert (type(back), back) == (type(base), base)
    assert lost == [type(value).__name__]


def test_a_type_that_cannot_cross_is_named() -> None:
    with pytest.raises(Foreign, match="range"):
        decode(encode([range(3)]))


def test_an_error_is_told_whatever_its_str_does() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise SystemExit

    assert told(Mute()) == "Mute, which cannot be shown"
    assert len(told(ValueError("x" * 10_000))) == 300
