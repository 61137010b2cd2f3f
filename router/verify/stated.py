"""The checks that a query states itself (`Query.checks`): every one has to hold.

What: runs them in processes that can be killed, and makes one verdict of theirs: failed if
one fails, undecided if one cannot be decided, else passed. What not: it reads no question;
a stated check stands in for the checks that would be guessed from the text.
"""

from collections.abc import Sequence
from typing import Literal

from router.state import Check, JsonSchemaCheck, ReasoningGymCheck, RegexCheck, Verdict
from router.verify.format import check_json, check_regex
from router.verify.format import prepare as prepare_format
from router.verify.logic import check_logic
from router.verify.logic import prepare as prepare_logic
from router.verify.workers import Workers

__all__ = ["StatedChecks", "kind_of"]

PROCESSES = 2


def kind_of(checks: Sequence[Check]) -> Literal["format", "logic"]:
    """Logic where a puzzle's checker is among them: it judges the content too."""
    puzzle = any(isinstance(check, ReasoningGymCheck) for check in checks)
    return "logic" if puzzle else "format"


class StatedChecks:
    """Owns the processes; they start with the first check that needs them."""

    def __init__(self) -> None:
        self._forms = Workers(PROCESSES, prepare_format)
        self._puzzles = Workers(1, prepare_logic)

    def close(self) -> None:
        """End the processes."""
        self._forms.close()
        self._puzzles.close()

    def verdict(self, checks: Sequence[Check], response: str) -> Verdict:
        """One verdict of all checks, of which there is at least one."""
        found = [self._one(check, response) for check in checks]
        worst = next((v for v in found if v.passed is False), None)
        worst = worst or next((v for v in found if v.passed is None), None) or found[0]
        told = tuple(line for one in found for line in one.evidence)
        return worst.model_copy(update={"kind": kind_of(checks), "evidence": told})

    def _one(self, check: Check, response: str) -> Verdict:
        if isinstance(check, JsonSchemaCheck):
            return check_json(check.definition, response, self._forms)
        if isinstance(check, RegexCheck):
            return check_regex(check.pattern, response, self._forms)
        return check_logic(check.task, check.entry, response, self._puzzles)
