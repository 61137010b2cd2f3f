"""Voting arms made from recorded samples: what `small-vote-4` would have answered, and cost.

Each sample of a question begins one draw: the sample itself is the arm `<arm>`, and it is the
first of the samples that the voting arms of the same row walk, in one random order a question
(`eval/scaling/replay.py`), sample after sample until the product's own method stops. A row of a
voting arm holds

    status, score, verdict, log-probabilities   of the chosen sample
    agreement                                   the method's share of votes
    tokens, cost_usd, latency_s                 of all samples walked (one after the other)

so that a cascade of `small-vote-4` and a large arm replays on an ordinary table. Nothing is
re-used between arms: the vote pays for its first sample although `<arm>` shows the same one, and
a cascade that asks both pays for it twice. Rows of a question are one cluster.

`check_usd` is charged for every answer whose verdict is recorded: one a row, and one a walked
sample where the method gives each of them to the verifier.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from eval.scaling.pool import Asked, Pool, pools_of
from eval.scaling.replay import orders, shown, stop_after
from policies.outcome import OUTCOMES, OutcomeSet
from router.arms.methods import Sampled
from router.errors import InputError

__all__ = ["Derived", "derive"]

Row = Mapping[str, Any]
_SUMMED = ("prompt_tokens", "completion_tokens", "cost_usd", "latency_s")
"""Columns that are of all samples walked; the rest is the chosen sample's."""


class Derived(NamedTuple):
    """A voting arm to make: its name and its method, `k` and all."""

    name: str
    method: Sampled


def derive(
    data: OutcomeSet,
    arms: Sequence[Derived],
    draws: int | None = None,
    seed: int = 0,
    check_usd: float = 0.0,
    by_question: bool = False,
) -> OutcomeSet:
    """The samples as rows of `<arm>`, and beside each the voting arms of its draw.

    Args:
        draws: rows a question; None: as many as it has samples, each being first once.
        by_question: every question is a cluster of its own, whatever template it was made from.

    Raises:
        InputError: several arms in the set, an arm named twice, too few samples for a k.
    """
    _check(data, arms)
    rows: dict[tuple[str, str], list[Row]] = {}
    for row in data.outcomes.sort("sample").iter_rows(named=True):
        rows.setdefault((row["benchmark"], row["query_id"]), []).append(row)
    made: list[dict[str, Any]] = []
    for pool in pools_of(data, "plain", str(data.about.get("name", "the set"))):
        short = [d for d in arms if d.method.k > pool.k]
        if short:
            raise InputError(
                f"--k {short[0].method.k}: {pool.benchmark} has {pool.k} samples a question"
            )
        made += _of_pool(pool, rows, arms, draws or pool.k, seed, check_usd)
    frame = pl.DataFrame(made, schema=dict(OUTCOMES), infer_schema_length=None)
    keep = data.queries.join(frame, on=["benchmark", "query_id"], how="semi")
    if by_question:
        frame, keep = (part.with_columns(cluster_id="query_id") for part in (frame, keep))
    return OutcomeSet(frame, keep, _about(data, arms, seed, check_usd, by_question))


def _check(data: OutcomeSet, arms: Sequence[Derived]) -> None:
    names = [*data.arms, *(d.name for d in arms)]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputError(f"--as {twice[0]}: there is an arm of that name; give another")
    if not arms:
        raise InputError("--k: give the number of samples of at least one voting arm")


def _of_pool(
    pool: Pool,
    rows: Mapping[tuple[str, str], Sequence[Row]],
    arms: Sequence[Derived],
    draws: int,
    seed: int,
    check_usd: float,
) -> Iterator[dict[str, Any]]:
    places = orders(pool, draws, seed)[:, :draws]
    for asked, own in zip(pool.asked, places.tolist(), strict=True):
        recorded = rows[pool.benchmark, asked.id][: pool.k]
        for draw, order in enumerate(own):
            first = dict(recorded[order[0]])
            first.update(
                sample=draw, cost_usd=_plus(first["cost_usd"], _checks([first], check_usd))
            )
            yield first
            for each in arms:
                yield _voted(each, asked, recorded, order, draw, check_usd)


def _voted(
    arm: Derived,
    asked: Asked,
    recorded: Sequence[Row],
    order: Sequence[int],
    draw: int,
    check_usd: float,
) -> dict[str, Any]:
    """The row of one walk over the first k samples of the order."""
    seen = [asked.samples[i].candidate for i in order[: arm.method.k]]
    stop = stop_after(arm.method, seen)
    walked = order[:stop]
    told = arm.method.choose(seen[:stop])
    place = shown(asked, walked) if told.sample is None else told.sample
    chosen, paid = recorded[walked[place]], [recorded[i] for i in walked]
    checked = paid if arm.method.verifies else [chosen]
    summed = {name: _sum(row[name] for row in paid) for name in _SUMMED}
    return {
        **chosen,
        **summed,
        "cost_usd": _plus(summed["cost_usd"], _checks(checked, check_usd)),
        "arm": arm.name,
        "sample": draw,
        "agreement": told.share,
    }


def _checks(rows: Sequence[Row], usd: float) -> float:
    return usd * sum(row["verdict"] is not None for row in rows)


def _plus(cost: float | None, more: float) -> float | None:
    return None if cost is None else cost + more


def _sum(values: Iterator[Any]) -> Any:
    """None where one is not known: a part of a cost is no cost."""
    every = list(values)
    return None if None in every else sum(every)


def _about(
    data: OutcomeSet, arms: Sequence[Derived], seed: int, check_usd: float, by_question: bool
) -> dict[str, Any]:
    first = ", ".join(data.arms)
    return {
        "name": f"{data.about.get('name', 'the set')} with votes",
        "kind": "derived",
        "first": dict(data.about),
        "arms": {d.name: d.method.model_dump(mode="json") for d in arms},
        "seed": seed,
        "check_usd": check_usd,
        "notes": [
            f"{', '.join(d.name for d in arms)}: replayed from samples of {first}, no calls of "
            "their own; a vote pays for all samples that it walked, and re-uses no other arm's",
            f"each recorded verdict is charged USD {check_usd:g}",
            *(["each question is a cluster: kinds of questions are known"] if by_question else []),
        ],
    }
