"""The reasoning-gym set: seeded, interleaved, full marks or none."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks.benchmark import Question
from eval.benchmarks.reasoning_gym import TASKS, ReasoningGym
from policies.outcome import Status
from router.errors import InputError

from .checkers import EVALUATES, calls_of_checker
from .hostile import HOSTILE, graded


@pytest.fixture(scope="module")
def gym() -> ReasoningGym:
    return ReasoningGym()


@pytest.fixture(scope="module")
def questions(gym: ReasoningGym) -> list[Question]:
    return list(gym.questions(None, 0))


def entry(question: Question) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(question.gold)
    return found


def test_the_seed_makes_the_set(gym: ReasoningGym, questions: list[Question]) -> None:
    assert questions == gym.questions(None, 0)
    other = gym.questions(None, 1)
    same = [a.id for a, b in zip(questions, other, strict=True) if a.prompt == b.prompt]
    assert len(same) < len(questions) / 10
    assert len({q.id for q in [*questions, *other]}) == 2 * len(questions)


def test_any_limit_takes_all_tasks(questions: list[Question]) -> None:
    assert len(TASKS) >= 12 and len(questions) >= 200
    assert [q.subject for q in questions[: len(TASKS)]] == list(TASKS)
    assert questions[0].id == "reasoning_gym:chain_sum:0:0"
    assert questions[len(TASKS)].id == "reasoning_gym:chain_sum:0:1"
    assert all(q.cluster_id == f"reasoning_gym:{q.subject}" for q in questions)


@pytest.mark.parametrize(
    "form",
    ["Answer: {}", "so\n**Answer:** {}", "\\boxed{{{}}}", "The answer is {}.", "Hm.\n{}", "{}"],
)
def test_the_packages_own_answers_are_right(
    gym: ReasoningGym, questions: list[Question], form: str
) -> None:
    results = [graded(gym, q, form.format(entry(q)["answer"])) for q in questions]
    wrong = [q.id for q, r in zip(questions, results, strict=True) if r.score != 1.0]
    assert wrong == []


def test_part_of_the_marks_is_none(gym: ReasoningGym, questions: list[Question]) -> None:
    for question in questions[: 2 * len(TASKS)]:
        gold = entry(question)["answer"]
        for wrong in (f"{gold} {gold}", f"{gold}1", "no", gold[:-1] or "no"):
            result = graded(gym, question, f"Answer: {wrong}")
            is_same = wrong.rstrip(".") == gold.rstrip(".") or not wrong.strip()
            assert result.score == 0.0 or is_same or question.subject == "knights_knaves"


def of(questions: list[Question], task: str) -> Question:
    return next(q for q in questions if q.subject == task)


def test_ordinary_dress_comes_off(gym: ReasoningGym, questions: list[Question]) -> None:
    equation = of(questions, "simple_equations")
    gold = entry(equation)["answer"]
    assert graded(gym, equation, f"Answer: $x = {gold}$").score == 1.0
    product = next(
        q for q in questions if q.subject == "products" and len(entry(q)["answer"].strip("-")) > 3
    )
    assert graded(gym, product, f"\\boxed{{{int(entry(product)['answer']):,}}}").score == 1.0
    factors = of(questions, "prime_factorization")
    latex = entry(factors)["answer"].replace("×", "\\times")
    assert graded(gym, factors, f"\\boxed{{{latex}}}").score == 1.0
    fraction = of(questions, "fraction_simplification")
    top, _, bottom = entry(fraction)["answer"].partition("/")
    assert graded(gym, fraction, f"\\boxed{{\\frac{{{top}}}{{{bottom}}}}}").score == 1.0


@pytest.mark.parametrize("task", TASKS)
def test_no_checker_evaluates_what_a_model_wrote(task: str) -> None:
    called = calls_of_checker(task, TASKS[task])
    assert called and not called & EVALUATES


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("task", TASKS)
def test_hostile(gym: ReasoningGym, questions: list[Question], task: str, name: str) -> None:
    result = graded(gym, of(questions, task), HOSTILE[name])
    assert result.score == 0.0
    assert len(result.answer or "") <= 500


def test_nothing_is_unparsed(gym: ReasoningGym, questions: list[Question]) -> None:
    result = graded(gym, questions[0], "<think>Answer: 3")
    assert (result.answer, result.status) == (None, Status.UNPARSED)


def test_there_is_no_file_to_give(gym: ReasoningGym, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="seed"):
        gym.questions(tmp_path / "x.jsonl", 0)
    assert gym.checksums(None).keys() == {"reasoning-gym"}
