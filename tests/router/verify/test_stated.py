"""Several stated checks make one verdict."""

from collections.abc import Iterator

import pytest

from router.state import Check, JsonSchemaCheck, ReasoningGymCheck, RegexCheck
from router.verify.stated import StatedChecks, kind_of

JSON = JsonSchemaCheck(definition={"type": "integer"})
SHORT = RegexCheck(pattern=".{1,2}")
BAD = RegexCheck(pattern="(")


@pytest.fixture(scope="module")
def stated() -> Iterator[StatedChecks]:
    one = StatedChecks()
    yield one
    one.close()


@pytest.mark.parametrize(
    ("checks", "response", "passed", "status"),
    [
        ([JSON, SHORT], "12", True, "passed"),
        ([JSON, SHORT], "123", False, "failed"),
        ([SHORT, JSON], "a", False, "unparsed"),
        ([JSON, BAD], "12", None, "bad_pattern"),
        ([BAD, JSON], "a", False, "unparsed"),
    ],
)
def test_all_have_to_hold(
    stated: StatedChecks, checks: list[Check], response: str, passed: bool | None, status: str
) -> None:
    verdict = stated.verdict(checks, response)
    assert (verdict.kind, verdict.passed, verdict.status) == ("format", passed, status)
    assert len(verdict.evidence) == len(checks)


def test_a_puzzle_makes_it_logic(stated: StatedChecks) -> None:
    pytest.importorskip("reasoning_gym", reason="the eval extra is not installed")
    puzzle = ReasoningGymCheck(task="gcd", entry={"answer": "12", "metadata": {}})
    assert kind_of([JSON]) == "format"
    assert kind_of([JSON, puzzle]) == "logic"
    verdict = stated.verdict([SHORT, puzzle], "12")
    assert (verdict.kind, verdict.passed) == ("logic", True)
    assert stated.verdict([SHORT, puzzle], "13").passed is False


def test_closing_ends_the_processes_and_a_later_check_starts_others() -> None:
    one = StatedChecks()
    assert one.verdict([SHORT], "a").passed is True
    one.close()
    assert one.verdict([SHORT], "a").passed is True
    one.close()
