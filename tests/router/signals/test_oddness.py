"""Odd text is named, ordinary text is not."""

import base64
import random

import pytest

from eval.fit.prompts import PROMPTS, read_prompts
from router.signals.oddness import oddness

RANDOM = random.Random(0).randbytes(3_000)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("🙂🎲🙂", "empty"),
        ("?!...", "empty"),
        ("\u202e\u200b\u200d", "empty"),
        ("\x00\x01\x02abc\x03\x04", "control characters"),
        ("a\ud800\ud801\udfff b", "control characters"),
        (base64.b64encode(RANDOM).decode(), "encoded data"),
        (RANDOM.hex(), "encoded data"),
        (RANDOM.hex(" "), "encoded data"),
        ("x" * 1_000_000, "encoded data"),
        ("word " * 500, "repeated text"),
        ("abc def" + "кто это" + "王小明是谁" + "من هو هذا", "mixed scripts"),
    ],
)
def test_odd_text_is_named(text: str, why: str) -> None:
    assert oddness(text) == why


@pytest.mark.parametrize(
    "text",
    ["What is 12*7?", "hi", "7", "Wer ist 王小明?", "これは何ですか", "Как дела?", "line\nline\ttab",  # noqa: E501
     "Decode dGhpcyBpcyBh please", "What is pi to 10 digits? 3.1415926535", "café 🙂",
     "Is 2^127-1 prime?\r\nShow why."],
)  # fmt: skip
def test_ordinary_text_is_not(text: str) -> None:
    assert oddness(text) is None


def test_no_written_prompt_is_odd() -> None:
    asked = [p.query.text for p in read_prompts(PROMPTS)]
    assert [t[:80] for t in asked if oddness(t)] == []
