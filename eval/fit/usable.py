"""Is a table good enough to learn from? One place, asked before every fit and every tuning.

    defect                              what happens
    one arm                             error: nothing to choose between
    fewer than `QUESTIONS` questions    error
    every score the same, or the arms
    never differ                        error: a constant does as well
    a score or a feature that is NaN    error
    no feature differs between rows     error, for what reads the text alone
    some features constant              stated; nothing is learned from them
    costs that are NaN                  error where a price decides; stated where none does
    queries that an arm lacks           stated; they are no part of the table
    a fit that gives every row the
    same score                          error: a constant policy is never returned

What is stated stands in the entry's records (metric `note`) and under the printed table.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from eval.features import Features
from eval.table import Table, case_of
from policies.case import PolicyError
from policies.policy import Policy
from policies.threshold import ThresholdPolicy
from router.errors import InputError

__all__ = [
    "QUESTIONS",
    "Unusable",
    "check_prices",
    "check_scores",
    "checked_fit",
    "known_features",
    "notes",
]

P = TypeVar("P", bound=Policy)
QUESTIONS = 20
"""Fewer cannot hold both outcomes of both arms in every inner fold."""
PROBED = 256
"""Training rows on which a fitted score is looked at: enough to see that it is constant."""
_TEXT = ("embedding", "lengths", "terms", "cues", "axes")


class Unusable(PolicyError, InputError):
    """A table that nothing can be learned from: an entry that is refused, or a wrong argument."""


def checked_fit(name: str, fit: Callable[[Table], P], priced: bool = False) -> Callable[[Table], P]:
    """The fit, behind the checks. `priced`: the policy cannot decide without costs."""

    def checked(table: Table) -> P:
        check_scores(table, name)
        _check_features(table, name, alone=not priced)
        if priced:
            check_prices(table, name)
        policy = fit(table)
        _check_constant(policy, table, name)
        return policy

    return checked


def check_scores(table: Table, who: str) -> None:
    """`Unusable` where the recorded scores give nothing to learn; the message begins with `who`."""
    if len(table.arms) < 2:
        raise Unusable(
            f"{who}: the table has one arm ({table.arms[0].name}); give outcomes of two at least"
        )
    if not np.isfinite(table.score).all():
        bad = int((~np.isfinite(table.score)).any(axis=1).sum())
        raise Unusable(f"{who}: score is NaN on {bad:,} rows; leave these queries out")
    if table.questions < QUESTIONS:
        raise Unusable(
            f"{who}: {table.questions} questions to learn from, at least {QUESTIONS} are needed"
        )
    if (table.score == table.score[:, :1]).all():
        raise Unusable(
            f"{who}: all arms score the same on every row, so there is no gain to learn; the "
            "cheapest arm does as well (`--policies all-small`)"
        )
    if (table.score == table.score[:1]).all():
        raise Unusable(
            f"{who}: every query has the same scores, so no query differs from another; the best "
            "single arm does as well (`best-single`)"
        )


def known_features(table: Table, who: str) -> Features:
    """The features of the texts, every one known; else `Unusable`."""
    if table.features is None:
        raise Unusable(f"{who}: {table.benchmark} has no features, for want of texts")
    if not table.features.known.all():
        lacking = int((~table.features.known).sum())
        raise Unusable(f"{who}: {table.benchmark} has {lacking:,} queries without a published text")
    return table.features


def check_prices(table: Table, who: str) -> None:
    """`Unusable` where an answer has no cost, for what decides by money."""
    lacking = ~np.isfinite(table.cost)
    if lacking.any():
        names = ", ".join(a.name for i, a in enumerate(table.arms) if lacking[:, i].any())
        raise Unusable(
            f"{who}: cost is NaN on {int(lacking.any(axis=1).sum()):,} rows ({names}); record "
            "cost_usd, or put the models on the price list"
        )


def notes(table: Table) -> tuple[str, ...]:
    """What is odd about a table and yet no error, one sentence each."""
    out = []
    if table.incomplete:
        asked = len(set(table.query_id)) + table.incomplete
        out.append(
            f"{table.incomplete:,} of {asked:,} queries are left out: an arm lacks them; the "
            "figures are of the others, which may be no random part"
        )
    lacking = int((~np.isfinite(table.cost)).any(axis=1).sum())
    if lacking:
        out.append(f"{lacking:,} of {len(table):,} rows have no cost: no figure of money is given")
    constant = _constant(table)
    if constant:
        told = ", ".join(f"{n} of {block}'s {of} columns" for block, (n, of) in constant.items())
        out.append(f"constant on every row, so nothing is learned from them: {told}")
    return tuple(out)


def _constant(table: Table) -> dict[str, tuple[int, int]]:
    """Block -> (constant columns, columns), of the dense blocks of the text that have any."""
    out: dict[str, tuple[int, int]] = {}
    for name in ("embedding", "lengths"):
        block = table.features.blocks.get(name) if table.features else None
        if block is not None and len(block) > 1:
            same = int((block == block[:1]).all(axis=0).sum())
            if same:
                out[name] = (same, block.shape[1])
    return out


def _check_features(table: Table, who: str, alone: bool) -> None:
    if table.features is None:
        return
    blocks = {n: b for n, b in table.features.blocks.items() if n in _TEXT}
    for name, block in blocks.items():
        rows = int((~np.isfinite(block[table.features.known])).any(axis=1).sum())
        if rows:
            raise Unusable(f"{who}: feature block {name} is not finite on {rows:,} rows")
    if alone and blocks and all((b == b[:1]).all() for b in blocks.values()):
        raise Unusable(f"{who}: no feature differs between the rows ({', '.join(blocks)})")


def _check_constant(policy: Policy, table: Table, who: str) -> None:
    """A pair policy whose score is the same everywhere would be all-small or all-large."""
    if not isinstance(policy, ThresholdPolicy):
        return
    rows = np.unique(np.linspace(0, len(table) - 1, PROBED).astype(int))
    part = table.take(rows)
    score = policy.score(case_of(part, table.cost.mean(axis=0)))
    if (score == score[0]).all():
        raise Unusable(
            f"{who}: the fit gives every row the same score ({score[0]:.4g}), a constant policy; "
            "the best single arm does as well (`best-single`)"
        )
