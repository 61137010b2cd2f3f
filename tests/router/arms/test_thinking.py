"""Thinking is never shown, however the stream is cut into pieces."""

import pytest

from router.arms.thinking import ThinkFilter, visible_text

CASES = [
    ("plain text", "plain text"),
    ("<think>secret \\boxed{1}</think>the answer", "the answer"),
    ("\n <think>secret</think>the answer", "the answer"),
    ("a <b> c </d> e <", "a <b> c </d> e <"),
    ("<think>never closed \\boxed{7}", ""),
    ("x < y and y <thin", "x < y and y <thin"),
    ("<thin air>", "<thin air>"),
    ("Write <think> before it.", "Write <think> before it."),
    ("before <think>", "before <think>"),
]


@pytest.mark.parametrize(("response", "shown"), CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_any_cutting_shows_the_same_as_the_whole(response, shown, size):
    heard = []
    feed = ThinkFilter(heard.append)
    for i in range(0, len(response), size):
        feed(response[i : i + size])
    assert "".join(heard).strip() == shown
    assert visible_text(response) == shown


@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_block_that_the_template_opened(size):
    response = "secret \\boxed{1}</think>\nthe answer"
    heard = []
    feed = ThinkFilter(heard.append, opened=True)
    for i in range(0, len(response), size):
        feed(response[i : i + size])
    assert "".join(heard).strip() == visible_text(response, opened=True) == "the answer"
    assert visible_text(response) == "the answer"
    assert visible_text("never closed", opened=True) == ""
