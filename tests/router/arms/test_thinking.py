"""Thinking is never shown, however the stream is cut into pieces."""

import pytest

from router.arms.thinking import ThinkFilter, visible_text

CASES = [
    ("plain text", "plain text"),
    ("<think>secret \\boxed{1}</think>the answer", "the answer"),
    ("a <b> c </d> e", "a <b> c </d> e"),
    ("<think>never closed \\boxed{7}", ""),
    ("<think>one</think>two<think>three</think>four", "twofour"),
    ("x < y and y <thin", "x < y and y <thin"),
]


@pytest.mark.parametrize(("response", "shown"), CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_any_cutting_shows_the_same(response, shown, size):
    heard = []
    feed = ThinkFilter(heard.append)
    for i in range(0, len(response), size):
        feed(response[i : i + size])
    # What could still become a tag is held back at the very end.
    assert "".join(heard) == shown.removesuffix("<thin")


def test_visible_text():
    assert visible_text("<think>a</think>\n b \n") == "b"
    assert visible_text("<think>a") == ""
