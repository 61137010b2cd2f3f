"""Arms of one set beside those of another, by benchmark and query id.

For tables that were recorded apart: samples of a small model of your own, and a large model's
published answers to the same questions. A recorded answer of the other set stands beside every
sample of the first: its luck is shared by all samples of the question, which are one cluster in
every interval. What not: deciding that two questions are the same; ids have to agree. Where
both sets hold a question's text, the other's is kept: an instruction of ours is no part of the
question.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from policies.outcome import OutcomeSet
from router.errors import InputError

__all__ = ["join"]

KEY = ["benchmark", "query_id"]


def join(first: OutcomeSet, other: OutcomeSet, arms: Sequence[str]) -> OutcomeSet:
    """The queries that the first set and all of the other's `arms` have.

    Raises:
        InputError: the sets share an arm or no query, or the other has no such arm or several
            samples of it.
    """
    _check(first, other, arms)
    theirs = other.outcomes.filter(pl.col("arm").is_in(list(arms)))
    if len(theirs.filter(pl.col("sample") > 0)):
        raise InputError("--arm: the other set has several samples a query: it must have one")
    per_query = theirs.group_by(KEY).agg(pl.col("arm").n_unique().alias("found"))
    common = per_query.filter(pl.col("found") == len(arms)).select(KEY)
    own = first.outcomes.join(common, on=KEY, how="semi", maintain_order="left")
    if not len(own):
        raise InputError(
            f"no query of {_name(first)} is in {_name(other)} with {', '.join(arms)}: "
            "ids and benchmarks have to agree"
        )
    places = own.select(*KEY, "sample").unique(maintain_order=True)
    beside = places.join(theirs.drop("sample"), on=KEY, how="inner").select(theirs.columns)
    return OutcomeSet(
        pl.concat([own, beside]),
        _queries(first, other, own.select(KEY).unique()),
        _about(first, other, arms, left=len(first.queries) - own.select(KEY).n_unique()),
    )


def _check(first: OutcomeSet, other: OutcomeSet, arms: Sequence[str]) -> None:
    unknown = [arm for arm in arms if arm not in other.arms]
    if unknown:
        raise InputError(
            f"--arm: {_name(other)} has no {unknown[0]!r}; there are: {', '.join(other.arms)}"
        )
    both = sorted(set(arms) & set(first.arms))
    if both:
        raise InputError(f"--arm: both sets have an arm {both[0]!r}")


def _queries(first: OutcomeSet, other: OutcomeSet, kept: pl.DataFrame) -> pl.DataFrame:
    texts = other.queries.select(
        *KEY, text="query", text_hash="query_hash", text_gold="gold"
    ).filter(pl.col("text").is_not_null())
    wide = first.queries.join(kept, on=KEY, how="semi").join(texts, on=KEY, how="left")
    return wide.with_columns(
        query=pl.coalesce("text", "query"),
        query_hash=pl.coalesce("text_hash", "query_hash"),
        gold=pl.coalesce("text_gold", "gold"),
    ).select(first.queries.columns)


def _about(
    first: OutcomeSet, other: OutcomeSet, arms: Sequence[str], *, left: int
) -> dict[str, Any]:
    return {
        "name": f"{_name(first)}+{_name(other)}",
        "kind": "joined",
        "first": dict(first.about),
        "other": {**other.about, "arms": list(arms)},
        "notes": [
            f"{', '.join(arms)} of {_name(other)}: one recorded answer beside every sample",
            *([f"{left} queries of {_name(first)} that the other lacks left out"] if left else []),
        ],
    }


def _name(data: OutcomeSet) -> str:
    return str(data.about.get("name", "the set"))
