"""What an answer shows about itself, without the right one."""

import numpy as np
import pytest

from router.verify.evidence import EVIDENCE, math_evidence, math_measures
from router.verify.math import check_math
from router.verify.solution import read_solution

QUESTION = "A crate holds 12 jars. Mia buys 4 crates and 3 loose jars. How many jars has she?"
RIGHT = "4 crates hold 4 * 12 = 48 jars.\nWith the loose ones 48 + 3 = 51 jars.\nThe answer is 51."


def facts(response: str, passed: bool | None = None, question: str = QUESTION) -> dict[str, float]:
    row = math_evidence(question, read_solution(response), passed)
    assert row.shape == (len(EVIDENCE),)
    assert np.isfinite(row).all()
    return dict(zip(EVIDENCE, row.tolist(), strict=True))


def test_a_whole_derivation() -> None:
    found = facts(RIGHT, True)
    assert (found["passed"], found["failed"], found["no_value"]) == (1, 0, 0)
    assert found["last_step_gives_answer"] == found["some_step_gives_answer"] == 1
    for name in ("wrong_steps", "unused_figures", "dangling_steps", "hedges", "answer_is_zero"):
        assert found[name] == 0, name
    assert found["figures_of_question"] == 3
    assert found["products"] == 1


def test_each_fault_is_seen() -> None:
    assert facts(RIGHT.replace("= 48 jars", "= 46 jars"))["wrong_steps"] == 1
    assert facts("4 * 12 = 48 jars.\nThe answer is 48.")["unused_figures"] == 1
    dangling = "4 * 12 = 48.\n12 - 3 = 9.\nThe answer is 9."
    assert facts(dangling)["dangling_steps"] == 1
    assert facts("However, I assume half a jar: 7 / 2 = 3.5\nThe answer is 3.5.")["hedges"] == 2
    half = facts("7 / 2 = 3.5\nThe answer is 3.5.")
    assert half["answer_is_whole"] == 0
    assert half["share_of_results_not_whole"] == 1
    assert facts("3 - 3 = 0\nThe answer is 0.")["answer_is_zero"] == 1
    assert facts("I cannot say.")["no_value"] == 1
    assert (
        facts("4 * 12 = 48.\n4 * 12 = 48.\nThe answer is 48.")["share_of_results_repeated"] == 0.5
    )


def test_style_of_one_model_is_no_evidence() -> None:
    plain = "4 * 12 = 48\n48 + 3 = 51\n#### 51"
    annotated = "4 * 12 = <<4*12=48>>48\n48 + 3 = <<48+3=51>>51\n#### 51"
    told, other = facts(plain), facts(annotated)
    differ = {name for name in EVIDENCE if told[name] != other[name]}
    assert differ <= {"steps", "share_of_results_repeated", "products", "steps_beyond_figures"}


def test_hostile_text_is_bounded() -> None:
    huge = "9" * 5000
    for text in ("", "= " * 50_000, huge, f"{huge} * {huge} = 1\n#### {huge}", "<think>" * 1000):
        assert np.abs(list(facts(text).values())).max() < 100


def test_measures_are_the_evidence_by_name_and_the_wording() -> None:
    told = math_measures(QUESTION, read_solution(RIGHT), True)
    assert {name: told[name] for name in EVIDENCE} == pytest.approx(facts(RIGHT, True), rel=1e-6)
    more = {name: value for name, value in told.items() if name not in EVIDENCE}
    # The answer's numbers are 4, 12, 48, 3 and 51: two of them are not the question's.
    assert more == pytest.approx(
        {
            "length_of_answer": np.log1p(len(RIGHT)),
            "length_over_question": np.log1p(len(RIGHT) / len(QUESTION)),
            "numbers": np.log1p(5),
            "numbers_not_of_question": np.log1p(2),
            "figures_not_told": 0.0,
            "answer_is_a_figure": 0.0,
            "equals_signs": np.log1p(2),
            "question_marks": 0.0,
            "rates_in_question": 0.0,
            "multiples_in_question": 0.0,
        }
    )
    asked = "Each of 4 boys eats half of 12 pies, twice. How many?"
    odd = math_measures(asked, read_solution("Is it 12? The answer is 12."), None)
    assert (odd["rates_in_question"], odd["multiples_in_question"]) == (1, 2)
    assert (odd["question_marks"], odd["answer_is_a_figure"]) == (1, 1)
    assert odd["figures_not_told"] == pytest.approx(np.log1p(1))


def test_a_check_tells_what_it_measured_also_where_it_cannot_decide() -> None:
    unchecked = check_math(QUESTION, "The answer is 51.")
    assert unchecked.passed is None and unchecked.measured["steps"] == 0
    assert check_math(" ", "The answer is 51.").measured == {}
