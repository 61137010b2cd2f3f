"""Play a policy over a table, round by round, exactly as the live graph would.

One step serves all rows that are still open. What was chosen is revealed: how the call
ended, the verdict, the tokens and the cost, never the score. Every attempt is paid for.
A policy that needs what the table lacks is refused by `why_not`; nothing is imputed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.table import SIGNS, Table, case_of
from policies.case import STOP, AttemptBlock, CaseBatch, Outcome, PolicyError
from policies.policy import Policy

__all__ = ["Played", "play", "revealed", "why_not"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BLOCK = 2**17
"""Rows that are asked at once."""


@dataclass(frozen=True)
class Played:
    """How every row ended; K is the longest run."""

    tried: Ints
    """(n, K) columns in the order they were tried, -1 for padding."""
    returned: Ints
    """(n,) the column whose answer the caller gets, -1 where nothing was returned."""
    score: Floats
    """(n,) of what was returned; 0 where nothing was."""
    cost: Floats
    """(n,) USD of all attempts."""

    def used(self, columns: tuple[int, ...]) -> NDArray[np.bool_]:
        """(n,) whether one of these arms was called."""
        return np.asarray(np.isin(self.tried, columns).any(axis=1))


def why_not(policy: Policy, table: Table) -> str | None:
    """What the policy needs and the table lacks; None where it can be replayed."""
    features = set(table.features.blocks) if table.features else set()
    lacking = sorted(policy.needs.features - features)
    if lacking:
        return f"the table has no feature block {', '.join(lacking)}"
    if policy.needs.features and table.features and not table.features.known.all():
        texts = int((~table.features.known).sum())
        return f"{texts} of {len(table)} queries have no published text, so no features"
    if {"passed", "confidence"} & policy.needs.attempts and not table.checked:
        return "the source ran no check on the answers, so it has no verdicts"
    for name in SIGNS:
        if name in policy.needs.attempts and np.isnan(getattr(table, name)).all():
            return f"the source recorded no {name} of the attempts"
    if "measured" in policy.needs.attempts and not table.measured:
        return "no check measured the answers: `ockham outcomes verify` does, where texts are kept"
    return None


def play(policy: Policy, table: Table, predicted_cost: Floats) -> Played:
    """Ask the policy until it stops on every row, or every arm has been tried.

    Raises:
        PolicyError: the table lacks what the policy needs, or the policy answered nonsense.
    """
    lacks = why_not(policy, table)
    if lacks:
        raise PolicyError(f"{policy.name} is not replayable on this table: {lacks}")
    n = len(table)
    # A policy decides row by row, so blocks give the same, and memory stays with the table's.
    parts = [
        _rounds(policy, table if n <= BLOCK else table.span(i, i + BLOCK), predicted_cost)
        for i in range(0, max(n, 1), BLOCK)
    ]
    if len(parts) == 1:
        return parts[0]
    return Played(
        tried=np.concatenate([p.tried for p in parts]),
        returned=np.concatenate([p.returned for p in parts]),
        score=np.concatenate([p.score for p in parts]),
        cost=np.concatenate([p.cost for p in parts]),
    )


def _rounds(policy: Policy, table: Table, predicted_cost: Floats) -> Played:
    n, limit = len(table), len(table.arms)
    tried = np.full((n, limit), -1, dtype=np.int64)
    returned = np.full(n, -1, dtype=np.int64)
    open_rows = np.arange(n)
    for step in range(limit + 1):
        part = table if len(open_rows) == n else table.take(open_rows)
        cases = case_of(part, predicted_cost, revealed(part, tried[open_rows, :step]))
        arm, attempt = _ask(policy, cases)
        stopped = arm == STOP
        done = open_rows[stopped & (attempt >= 0)]
        returned[done] = tried[done, attempt[stopped & (attempt >= 0)]]
        open_rows = open_rows[~stopped]
        if not len(open_rows):
            break
        tried[open_rows, step] = arm[~stopped]
    return _count(table, tried, returned)


def _ask(policy: Policy, cases: CaseBatch) -> tuple[Ints, Ints]:
    choice = policy.choose(cases)
    choice.check(cases)
    rows = np.nonzero(choice.arm != STOP)[0]
    if not cases.open[rows, choice.arm[rows]].all():
        raise PolicyError(f"policy {policy.name!r} chose an arm that was tried already")
    return choice.arm, choice.attempt


def revealed(table: Table, tried: Ints) -> AttemptBlock:
    """What is known of attempts: `tried` is (n, k) columns, -1 for padding. Never the score."""
    rows = np.arange(len(table))[:, None]
    slot = np.clip(tried, 0, None)
    made = tried >= 0
    nan = np.nan
    return AttemptBlock(
        arm=tried.copy(),
        outcome=np.where(made, table.outcome[rows, slot], Outcome.NONE),
        passed=np.where(made, table.passed[rows, slot], nan),
        confidence=np.where(made, table.confidence[rows, slot], nan),
        cost_usd=np.where(made, table.cost[rows, slot], 0.0),
        completion_tokens=np.where(made, table.tokens[rows, slot], 0),
        **{name: np.where(made, getattr(table, name)[rows, slot], nan) for name in SIGNS},
        measured={
            name: np.where(made, value[rows, slot], nan) for name, value in table.measured.items()
        },
    )


def _count(table: Table, tried: Ints, returned: Ints) -> Played:
    rows = np.arange(len(table))
    score = np.where(returned >= 0, table.score[rows, np.clip(returned, 0, None)], 0.0)
    paid = np.where(tried >= 0, table.cost[rows[:, None], np.clip(tried, 0, None)], 0.0)
    return Played(tried, returned, score, paid.sum(axis=1))
