"""Recorded traffic in the order in which it came: what an alarm is fed.

A request is what one policy made of one query once: its attempts, of which the caller got one.

    strong   a large arm was called
    label    the score of what was returned; NaN where nobody scored it
    best     the score of the best single arm on the same query, where an audit ran it bare
    score    what the policy decides by, or a number that the record holds
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from eval.features import features_of
from eval.labelling import cases_of
from policies.conformal import ConformalGate
from policies.outcome import OutcomeSet, Status, counted_score
from policies.policy import Policy
from policies.threshold import ThresholdPolicy
from policies.wrapper import layers
from router.errors import InputError
from router.signals import Featuriser

__all__ = ["SCORES", "Traffic", "large_arms", "scored_by", "traffic_of"]

Floats = NDArray[np.float64]
SCORES = ("verdict_confidence", "agreement", "logprob_mean", "prompt_tokens", "cost_usd")
"""Columns that may stand for a score, of a request's first attempt; the first that is there."""
_REQUEST = ["benchmark", "query_id", "sample"]


@dataclass(frozen=True)
class Traffic:
    """n requests, in order."""

    policy: str
    query: tuple[tuple[str, str], ...]
    """(benchmark, query_id)."""
    created: tuple[str | None, ...]
    strong: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    """A small arm's answer was returned, and no large arm was called."""
    label: Floats
    best: Floats
    score: Floats
    score_name: str
    cost: Floats
    explored: float
    """Share of requests whose first arm had a recorded chance below 1."""

    def __len__(self) -> int:
        return len(self.query)


def large_arms(data: OutcomeSet, named: Sequence[str]) -> tuple[str, ...]:
    """The large arms: those named, else the pair's, else those called large or large+...

    Raises:
        InputError: a name that the set does not have, or none can be told.
    """
    for name in named:
        if name not in data.arms:
            raise InputError(f"--large: no arm {name!r}; there are: {', '.join(data.arms)}")
    paired = [str(large) for _, large in data.about.get("pairs", ())]
    found = [a for a in data.arms if a in paired or a.partition("+")[0] == "large"]
    if named or found:
        return tuple(named or found)
    raise InputError(f"--large: which of these arms are large: {', '.join(data.arms)}?")


def traffic_of(
    data: OutcomeSet,
    policy: str | None,
    large: Sequence[str],
    best: str | None = None,
    score: str | None = None,
) -> Traffic:
    """The requests of one policy, by the time at which they were made, else in the set's order.

    Raises:
        InputError: no such policy, several of them and none named, or no such score.
    """
    served = data.outcomes.filter(pl.col("policy").is_not_null())
    name = _policy(served, policy)
    rows = served.filter(pl.col("policy") == name).with_row_index("place")
    rows = rows.with_columns(
        # Without a score and a source of labels a row is not known to be wrong.
        counted=pl.when(
            pl.col("score").is_not_null()
            | pl.col("label_source").is_not_null()
            | (pl.col("status") == Status.FAILED)
        ).then(counted_score()),
        big=pl.col("arm").is_in(list(large)),
    )
    column = _score(rows, score)
    # Attempts in their order, so that `first` is the first call.
    requests = (
        rows.sort("place", "attempt")
        .group_by(_REQUEST, maintain_order=True)
        .agg(
            place=pl.col("place").min(),
            created=pl.col("created").first(),
            strong=pl.col("big").any(),
            label=pl.col("counted").filter(pl.col("returned")).first(),
            returned=pl.col("returned").any(),
            score=pl.col(column).cast(pl.Float64).sort_by("attempt").first(),
            cost=pl.col("cost_usd").sum(),
            chance=pl.col("arm_probability").sort_by("attempt").first(),
            arm=pl.col("arm").sort_by("attempt").first(),
        )
        .sort("created", "place", nulls_last=True)
    )
    audits = _audits(data, best)
    query = tuple(requests.select("benchmark", "query_id").iter_rows())
    strong = requests["strong"].to_numpy()
    return Traffic(
        policy=name,
        query=query,
        created=tuple(requests["created"].to_list()),
        strong=strong,
        kept=~strong & requests["returned"].to_numpy(),
        label=_numbers(requests["label"]),
        best=np.array([audits.get(q, np.nan) for q in query], dtype=np.float64),
        score=_numbers(requests["score"]),
        score_name=column,
        cost=_numbers(requests["cost"]),
        explored=_explored(requests),
    )


def scored_by(
    traffic: Traffic, data: OutcomeSet, policy: Policy, featuriser: Featuriser | None = None
) -> Traffic:
    """The traffic with the score that the policy decides by, of its queries' texts; as it was
    where the policy has none, or a text is not kept."""
    rule = _rule(policy)
    texts = {
        (b, q): text
        for b, q, text in data.queries.select("benchmark", "query_id", "query").iter_rows()
    }
    asked = [texts.get(query) for query in traffic.query]
    if rule is None or any(text is None for text in asked):
        return traffic
    score = rule.score(cases_of(features_of(asked, featuriser)))
    return replace(traffic, score=score, score_name=f"the score of {rule.name}")


def _rule(policy: Policy) -> ThresholdPolicy | None:
    """What stands inside wrappers and a gate and has a score."""
    rule = layers(policy)[-1]
    inner = rule.scorer if isinstance(rule, ConformalGate) else rule
    return inner if isinstance(inner, ThresholdPolicy) else None


def _policy(served: pl.DataFrame, asked: str | None) -> str:
    have = served["policy"].unique(maintain_order=True).to_list()
    if not have:
        raise InputError("--source: holds no routed traffic, only bare arms: no row names a policy")
    if asked is None and len(have) > 1:
        raise InputError(f"--policy: whose traffic? There are: {', '.join(have)}")
    if asked is not None and asked not in have:
        raise InputError(f"--policy: no traffic of {asked!r}; there is: {', '.join(have)}")
    return asked or str(have[0])


def _score(rows: pl.DataFrame, asked: str | None) -> str:
    if asked is not None:
        if asked not in SCORES:
            raise InputError(f"--score: no {asked!r}; one of: {', '.join(SCORES)}")
        return asked
    whole = [name for name in SCORES if rows[name].is_not_null().all()]
    return whole[0] if whole else SCORES[-1]


def _audits(data: OutcomeSet, best: str | None) -> dict[tuple[str, str], float]:
    """(benchmark, query) -> the mean score of the best single arm, run bare."""
    if best is None:
        return {}
    rows = data.outcomes.filter(pl.col("policy").is_null() & (pl.col("arm") == best))
    means = rows.group_by("benchmark", "query_id").agg(counted_score().mean().alias("score"))
    return {(b, q): s for b, q, s in means.drop_nulls().iter_rows()}


def _explored(requests: pl.DataFrame) -> float:
    chances = [
        next((c["probability"] for c in listed if c["arm"] == arm), None)
        for listed, arm in requests.select("chance", "arm").iter_rows()
        if listed is not None
    ]
    return float(np.mean([c is not None and c < 1 for c in chances])) if chances else 0.0


def _numbers(series: pl.Series) -> Floats:
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
