"""Bad input stops at the edge, with a sentence that says what to do."""

import base64
import random

import pytest

from router.errors import InputError
from router.query import make_query
from router.state import Query


def make(what, max_chars=200_000):
    return make_query(what, max_chars=max_chars)


@pytest.mark.parametrize("text", ["", "   ", "\n\t\n"])
def test_empty(text):
    with pytest.raises(InputError, match="the query is empty"):
        make(text)


def test_one_megabyte_names_the_setting():
    with pytest.raises(
        InputError, match=r"1000000 characters, limits.max_query_chars allows 200000"
    ):
        make("x" * 1_000_000)


@pytest.mark.parametrize("raw", [b"\x00\x01\x02\x03", bytes(range(32)) * 4, b"abc\x00def"])
def test_binary(raw):
    with pytest.raises(InputError, match="looks like binary"):
        make(raw)


def test_not_utf8():
    with pytest.raises(InputError, match=r"not UTF-8 text \(byte 3\)"):
        make(b"caf" + b"\xe9")
    with pytest.raises(InputError, match="lone surrogates"):
        make("caf\udce9")


@pytest.mark.parametrize(
    "text",
    ["Was ist die Hauptstadt von Bhutan?", "不丹的首都是什么?", "ما هي عاصمة بوتان؟", "🦊?"],
)
def test_other_languages_are_fine(text):
    assert make(text).text == text
    assert make(text.encode()).text == text


def test_base64_and_mixed_text_are_text():
    blob = base64.b64encode(random.Random(0).randbytes(500)).decode()
    assert make(blob).text == blob


def test_messages():
    query = make([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
    assert query.text == "a"
    assert make(query) is query


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [{"role": "robot", "content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": "x", "extra": 1}],
        [{"role": "user", "content": None}],
    ],
)
def test_bad_messages_are_named(bad):
    with pytest.raises(InputError, match="^messages: "):
        make(bad)


@pytest.mark.parametrize("bad", ["\ud800", "a\x00b"])
def test_every_turn_is_looked_at(bad):
    with pytest.raises(InputError):
        make([{"role": "system", "content": bad}, {"role": "user", "content": "hi"}])


def test_ids_differ():
    assert make("a").id != make("a").id
    assert isinstance(make("a"), Query)
