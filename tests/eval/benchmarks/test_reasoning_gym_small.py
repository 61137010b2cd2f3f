"""The small reasoning-gym set: the first set's rules, its own words and reading."""

import json
import os
import subprocess
import sys

import pytest

from eval.benchmarks.benchmark import Question
from eval.benchmarks.reasoning_gym import ReasoningGym
from eval.benchmarks.reasoning_gym_small import SMALL_TASKS, ReasoningGymSmall
from policies.outcome import Status

from .checkers import EVALUATES, calls_of_checker
from .hostile import HOSTILE, graded


@pytest.fixture(scope="module")
def gym() -> ReasoningGymSmall:
    return ReasoningGymSmall()


@pytest.fixture(scope="module")
def questions(gym: ReasoningGymSmall) -> list[Question]:
    return list(gym.questions(None, 0))


def gold(question: Question) -> str:
    return str(json.loads(question.gold)["answer"])


def test_the_seed_makes_the_set(gym: ReasoningGymSmall, questions: list[Question]) -> None:
    assert questions == gym.questions(None, 0)
    assert [q.prompt for q in questions] != [q.prompt for q in gym.questions(None, 50)]


def test_ids_are_of_this_set_alone(questions: list[Question]) -> None:
    ids = {q.id for q in questions}
    assert len(ids) == len(questions) == 204 and len(SMALL_TASKS) == 6
    assert not ids & {q.id for q in ReasoningGym().questions(None, 0)}
    assert [q.subject for q in questions[:6]] == list(SMALL_TASKS)
    assert questions[6].id == f"reasoning_gym_small:{questions[6].subject}:0:1"


def test_each_question_stands_in_its_prompt(questions: list[Question]) -> None:
    for question in questions:
        entry = json.loads(question.gold)
        asked = entry["question"].strip().splitlines()[-1]
        shown = [w for w in asked.replace(".", " ").split() if any(c.isdigit() for c in w)]
        assert all(word.strip(",") in question.prompt for word in shown)
        assert len(question.prompt) < 1000


@pytest.mark.parametrize(
    "form", ["{}", "The answer is {}.", "It is **{}**\n\nSince 7 is 8.", "= {}"]
)
def test_the_gold_is_right(gym: ReasoningGymSmall, questions: list[Question], form: str) -> None:
    results = [graded(gym, q, form.format(gold(q))) for q in questions]
    assert [q.id for q, r in zip(questions, results, strict=True) if r.score != 1.0] == []


@pytest.mark.parametrize("form", ["{}7", "{} and 999", "No idea"])
def test_another_is_wrong(gym: ReasoningGymSmall, questions: list[Question], form: str) -> None:
    results = [graded(gym, q, form.format(gold(q))) for q in questions]
    right = [q.id for q, r in zip(questions, results, strict=True) if r.score]
    assert right == []


def test_only_the_first_line_counts(gym: ReasoningGymSmall, questions: list[Question]) -> None:
    assert graded(gym, questions[0], f"Hm\n{gold(questions[0])}").score == 0.0


@pytest.mark.parametrize("task", SMALL_TASKS)
def test_no_checker_evaluates_what_a_model_wrote(task: str) -> None:
    called = calls_of_checker(task, SMALL_TASKS[task])
    assert not called & EVALUATES


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(gym: ReasoningGymSmall, questions: list[Question], name: str) -> None:
    for question in questions[: len(SMALL_TASKS)]:
        result = graded(gym, question, HOSTILE[name])
        is_one = result.answer == gold(question) == "1"  # of "commas", which does begin with it
        assert result.score == float(is_one) and len(result.answer or "") <= 500


def test_nothing_is_unparsed(gym: ReasoningGymSmall, questions: list[Question]) -> None:
    result = graded(gym, questions[0], "<think>3")
    assert (result.answer, result.status) == (None, Status.UNPARSED)


@pytest.mark.parametrize("name", ["reasoning-gym", "reasoning-gym-small"])
def test_the_seed_alone_makes_the_questions(name):
    """Some tasks of the package go through a set of words: another process would ask others."""
    code = (
        "import hashlib; from eval.benchmarks.benchmark import create; "
        f"found = create({name!r}).questions(None, 5); "
        "print(hashlib.sha256(repr([(q.prompt, q.gold) for q in found]).encode()).hexdigest())"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert told[0] == told[1] != ""
