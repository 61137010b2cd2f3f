"""Puzzles: full marks or none, safe tasks only."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from router.errors import SetupError
from router.verify import logic
from router.verify.logic import SAFE_TASKS, check_logic, full_marks, need_package, prepare
from router.verify.workers import Workers

reasoning_gym = pytest.importorskip("reasoning_gym", reason="the eval extra is not installed")
EVALUATES = {"eval", "exec", "compile", "parse_expr", "sympify", "parse_latex", "S", "__import__"}


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    one = Workers(1, prepare)
    yield one
    one.close()


def entry(task: str) -> dict[str, Any]:
    found: dict[str, Any] = reasoning_gym.create_dataset(task, size=1, seed=3)[0]
    return found


@pytest.mark.parametrize("task", sorted(SAFE_TASKS))
def test_the_packages_own_answer_has_full_marks(task: str) -> None:
    made = entry(task)
    assert full_marks(task, made, made["answer"])
    assert not full_marks(task, made, "none of these")


def test_no_safe_checker_evaluates_what_the_model_wrote() -> None:
    for task in SAFE_TASKS:
        kind = type(reasoning_gym.create_dataset(task, size=1, seed=0))
        source = textwrap.dedent(inspect.getsource(kind.score_answer))
        calls = {
            node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Call)
        }
        assert not calls & EVALUATES, task


def test_verdicts(workers: Workers) -> None:
    made = entry("chain_sum")
    right = check_logic("chain_sum", made, f"So.\nAnswer: {made['answer']}", workers)
    assert (right.kind, right.passed, right.status) == ("logic", True, "passed")
    wrong = check_logic("chain_sum", made, "Answer: 1", workers)
    assert (wrong.passed, wrong.status) == (False, "failed")
    assert check_logic("chain_sum", made, "<think>", workers).status == "no_answer"
    assert check_logic("chain_sum", made, "9" * 501, workers).passed is False


@pytest.mark.parametrize("form", ["x = {}", "{}", "\\boxed{{{}}}"])
def test_a_name_before_the_answer_is_dress(workers: Workers, form: str) -> None:
    made = entry("chain_sum")
    assert check_logic("chain_sum", made, form.format(made["answer"]), workers).passed is True


@pytest.mark.parametrize("form", ["3 = {}", "x = 3 = {}", "\\boxed{{3}} \\boxed{{{}}}"])
def test_a_second_value_before_the_answer_has_no_marks(workers: Workers, form: str) -> None:
    made = entry("chain_sum")
    told = check_logic("chain_sum", made, form.format(made["answer"]), workers)
    assert told.passed is not True


def test_part_of_the_marks_is_none(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    class Checker:
        def score_answer(self, answer: str, entry: object) -> float:
            return {"a": 0.99, "b": 1.0}[answer]

    monkeypatch.setattr(logic, "_checker", lambda task: Checker())
    assert not full_marks("gcd", {}, "a")
    assert full_marks("gcd", {}, "b")
    assert not full_marks("gcd", {}, "raises")


@pytest.mark.parametrize(
    ("task", "given", "status"),
    [
        ("n_queens", {"answer": "1", "metadata": {}}, "unknown_task"),
        ("gcd", {"answer": "1"}, "bad_entry"),
        ("gcd", {"metadata": {}}, "bad_entry"),
    ],
)
def test_what_cannot_be_checked_is_undecided(
    workers: Workers, task: str, given: dict[str, Any], status: str
) -> None:
    verdict = check_logic(task, given, "1", workers)
    assert (verdict.passed, verdict.status) == (None, status)


def test_without_the_package(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    made = entry("gcd")
    monkeypatch.setattr(logic, "find_spec", lambda name: None)
    assert check_logic("gcd", made, made["answer"], workers).status == "unchecked"
    with pytest.raises(SetupError, match="reasoning-gym"):
        need_package()
