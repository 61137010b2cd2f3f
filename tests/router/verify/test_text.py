"""Thinking, boxes and final-answer lines."""

import time

import pytest

from router.verify.text import boxes, final_answer, strip_thinking


@pytest.mark.parametrize(
    ("response", "visible"),
    [
        ("plain", "plain"),
        ("<think>draft</think>answer", "answer"),
        ("draft</think>answer", "answer"),
        ("<think>a</think>b<think>c</think>d", "d"),
        ("<think>never closed, \\boxed{5}", ""),
        ("<think>a</think>b<think>again", ""),
        ("", ""),
    ],
)
def test_thinking_is_stripped_and_an_open_think_leaves_nothing(response: str, visible: str) -> None:
    assert strip_thinking(response) == visible


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"\boxed{5}", ("5",)),
        (r"\boxed{\frac{1}{2}} and \fbox{3}", (r"\frac{1}{2}", "3")),
        (r"\boxed{\boxed{7}}", (r"\boxed{7}",)),
        (r"\boxed{\{1, 2\}}", (r"\{1, 2\}",)),
        (r"\boxed{unclosed", ()),
        (r"\boxed{unclosed \boxed{4}", ("4",)),
        ("} } no box {", ()),
    ],
)
def test_boxes(text: str, found: tuple[str, ...]) -> None:
    assert boxes(text) == found


@pytest.mark.parametrize(
    ("response", "text", "how"),
    [
        (r"so \boxed{4}, then \boxed{5}", "5", "boxed"),
        ("3 * 6 = 18\n#### 18", "18", "marked"),
        ("The answer is **42**.", "42", "marked"),
        ("Answer: 3.5", "3.5", "marked"),
        ("The answer is 42. Ask me more!", "42", "marked"),
        ("work\n\n$18", "$18", "line"),
        ("work\n1,200 dollars", "1,200 dollars", "line"),
        ("so x = 4", "4", "line"),
        ("9 * $2 = $<<9*2=18>>18.", "$18", "line"),
        ("work.\nTherefore, the coach brought 7 balls to practice.", "7", "sentence"),
    ],
)
def test_final_answers(response: str, text: str, how: str) -> None:
    closed = final_answer(response)
    assert closed is not None
    assert (closed.text, closed.how) == (text, how)


@pytest.mark.parametrize(
    "response",
    [
        "",
        "<think>\\boxed{5}",
        "I do not know.",
        "She gives 15 + 25 = <<15+2",
        "He has 4 blue and 6 red boxes left.",
        "Therefore the total is 12 and",
        "\\boxed{}",
    ],
)
def test_no_closed_answer(response: str) -> None:
    assert final_answer(response) is None


@pytest.mark.parametrize(
    "piece",
    ["\\boxed{", "{", "}", "<think>", "</think>", "#### ", "answer is ", "1,000", "= 1 ", " "],
)
def test_a_megabyte_is_read_in_bounded_time(piece: str) -> None:
    started = time.perf_counter()
    final_answer(piece * (1_000_000 // len(piece)))
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes
