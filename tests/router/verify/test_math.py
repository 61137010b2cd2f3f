"""The run-time check of mathematical answers."""

import time

import pytest

from router.verify.math import PLUGGED_BACK, ROUNDED, check_math

EGGS = "A box holds 12 eggs. How many eggs are in 7 boxes?"


def outcome(question: str, response: str) -> tuple[bool | None, str]:
    verdict = check_math(question, response)
    assert verdict.kind == "math"
    assert verdict.evidence
    return verdict.passed, verdict.status


@pytest.mark.parametrize(
    ("question", "response"),
    [
        ("What is 12 * 7?", "\\boxed{84}"),
        ("What is 12 * 7?", "<think>12*7 is 85, no, 84</think>The answer is 84."),
        ("What is 17% of 250?", "17% of 250 = 42.5\n#### 42.5"),
        ("Solve 2x + 3 = 11.", "2x = 8, so x = 4"),
        ("x + y = 10 and x - y = 2. Find x and y.", "So x = 6 and y = 4."),
        ("What is 5 - 8?", "The answer is minus 3."),
        (EGGS, "There are 12 * 7 = 84 eggs.\n#### 84"),
        (EGGS, "12 eggs/box x 7 boxes = 84 eggs. Therefore there are 84 eggs."),
    ],
)
def test_right_answers_pass(question: str, response: str) -> None:
    assert outcome(question, response) == (True, "passed")


@pytest.mark.parametrize(
    ("question", "response", "status"),
    [
        ("What is 12 * 7?", "\\boxed{85}", "failed"),
        ("What is 12 * 7?", "<think>\\boxed{84}", "no_answer"),
        ("What is 12 * 7?", "", "no_answer"),
        ("What is 12 * 7?", "I would rather talk about fish.", "no_answer"),
        ("How many eggs are there?", "The answer is plenty.", "unparsed"),
        ("Solve 2x + 3 = 11.", "x = 5", "failed"),
        ("What is 8 - 5?", "The answer is minus 3", "failed"),
        (EGGS, "12 * 7 = 85\n#### 85", "failed"),
        (EGGS, "12 * 7 = 84 and 84 - 4 = 82\n#### 82", "failed"),
        (EGGS, "There are 12 * 7 = <<12*7=8", "no_answer"),
    ],
)
def test_wrong_answers_fail(question: str, response: str, status: str) -> None:
    assert outcome(question, response) == (False, status)


@pytest.mark.parametrize(
    ("question", "response"),
    [
        (EGGS, "5 = 5\n#### 5"),
        (EGGS, "84 = 84\n#### 84"),
        (EGGS, "84 * 1 = 84\n#### 84"),
        (EGGS, "#### 84"),
        (EGGS, "12 * 7 = 84\n#### 83"),
        (EGGS, "12 * 7 = 84\nThe answer is 19."),
        (EGGS, "40 + 2 = 42\n#### 42"),
        (EGGS, "12 + 7 = 19\n12 * 7 = 84\n#### 84"),
        (EGGS, "\\boxed{84} or \\boxed{85}, 12 * 7 = 84"),
        ("What is 12 * 7?", "\\boxed{12 * 7}"),
        ("Solve x^2 = 9", "x = 3"),
        ("What is the integral of x?", "\\boxed{\\frac{x^2}{2}}"),
        ("Which animal is it?", "The answer is a duck."),
        ("What is 2 + 2?", "The answer is not 4."),
        ("What is 2 + 2?", "not \\boxed{4}"),
        ("What is 2 + 2?", "4? No."),
        ("What is 2 + 2?", "\\boxed{4} (not really)"),
        ("Solve 2x = 4", "x^2 = 2"),
        ("Solve 2x = 4", "-x = 2"),
        ("Solve 2x = 4", "1/x = 2"),
        ("What is the sum of the roots of x^2 - 5x + 6 = 0?", "5"),
        ("What is 2 + 2?", "2 + 2 is not 4."),
        ("What is 2 + 2?", "It isn't 4."),
        ("What is 2 + 2?", "I doubt that it is 4."),
        ("What is 2 + 2?", "The answer is 4, not."),
        ("What is 2 + 2?", "\\boxed{x < 4}"),
        ("What is 2 + 2?", "\\boxed{4!}"),
        ("What is 2 + 2?", "\\boxed{half of 4}"),
        ("What is 2 + 2?", "\\boxed{4 dozen}"),
        ("What is 2 + 2?", "\\boxed{4}. Wait, actually the answer is 5."),
        ("What is 2 + 2?", "The answer is 4. Correction: it is 5."),
        ("What is 2 + 2?", "\\boxed{4}. The answer is 5."),
        ("Solve x + y = 10, x - y = 2 for x and y", "\\boxed{12}\nx = 6, y = 4"),
        ("Solve x^4 = 16", "\\boxed{2, -2}"),
        ("Solve x^3 - x = 0", "\\boxed{0, 1}"),
        (EGGS, "12 * 7 = 84. The answer is not 84."),
        (EGGS, "12 * 7 = 84. The answer is minus 84."),
        (EGGS, "12 * 7 = 84. The answer is half of 84."),
        (EGGS, "It is not 12 * 7 = 84. The answer is 84."),
    ],
)
def test_what_could_not_have_failed_does_not_pass(question: str, response: str) -> None:
    assert outcome(question, response)[0] is None


def test_evidence_names_the_wrong_step() -> None:
    verdict = check_math(EGGS, "12 * 7 = 85\n#### 85")
    assert "12 * 7 = 85 is wrong" in verdict.evidence[0]
    assert "84" in verdict.evidence[0]


def test_plug_back_is_trusted_more_than_steps() -> None:
    assert check_math("What is 12 * 7?", "\\boxed{84}").confidence == PLUGGED_BACK
    assert check_math("What is 12 * 7?", "\\boxed{85}").confidence == pytest.approx(
        1 - PLUGGED_BACK
    )
    steps = check_math(EGGS, "12 * 7 = 84\n#### 84").confidence
    assert steps is not None
    assert 0.5 < steps < PLUGGED_BACK


def test_a_wrong_step_lowers_the_confidence() -> None:
    right, wrong = (check_math(EGGS, f"12 * 7 = {n}\n#### {n}").confidence for n in (84, 85))
    assert right is not None
    assert wrong is not None
    assert wrong < right - 0.2


def test_what_was_not_weighed_has_no_confidence() -> None:
    assert check_math(EGGS, "No idea.").confidence is None
    assert check_math(EGGS, "\\boxed{x + 1}").confidence is None


@pytest.mark.parametrize("question", ["", "What is 2½ * 2?", "What is 2+2? Then double it."])
def test_a_bare_number_without_a_word_problem_has_no_fitted_confidence(question: str) -> None:
    assert check_math(question, "\\boxed{4}").confidence is None


def test_a_rounded_answer_is_trusted_less() -> None:
    assert check_math("What is 2/3?", "0.667").confidence == ROUNDED


def test_the_last_result_may_stand_among_other_numbers() -> None:
    response = "12 * 7 = 84.\nSo in the 7 boxes there are 84 eggs."
    assert outcome(EGGS, response) == (True, "passed")


@pytest.mark.parametrize("bomb", ["9**9**9", "9^{9^{9^9}}", "(200!)^200", "((9^9)^9)^9"])
def test_bombs_cost_less_than_50_ms(bomb: str) -> None:
    started = time.perf_counter()
    check_math(f"What is {bomb}?", f"{bomb} = 3\n\\boxed{{{bomb}}}")
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes


@pytest.mark.parametrize(
    "piece",
    [
        "\\boxed{",
        "1+1=2 ",
        "1=",
        "(1+",
        "<<1=1>>",
        "x ",
        "9^9^9=",
        "\\frac{",
        "answer is ",
        "a" * 99,
    ],
)
def test_a_megabyte_is_answered_in_bounded_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    verdict = check_math(text, text)
    assert verdict.passed is not True
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes


@pytest.mark.parametrize(
    "junk", ["\x00\x01", "\ud800", "٣ + ٤ = ٧", "１２*７=８４", "=" * 999, "½²³"]
)
def test_odd_characters_never_raise(junk: str) -> None:
    verdict = check_math(junk, junk)
    assert verdict.passed is not True
    assert verdict.model_dump_json()


def test_evidence_can_be_written_down() -> None:
    assert check_math("What is 12 * 7?", "\\boxed{84\ud800}").model_dump_json()
