"""A synthetic large arm, for tables whose questions no large model was recorded on.

Right with a stated probability, whatever the question: a hash of seed, benchmark and query id
draws it, so it is the same in every run and knows nothing of the small arm. It costs what a
named model of the price list would: the question's own prompt tokens as the first arm counted
them (the token model's mean where it did not), and the domain's mean completion.

Made up, and marked so: its source and model say `synthetic`, its label source too, and the set's
notes. It answers how a cascade *would* do beside such an arm, and no more than that.
"""

import hashlib
from typing import Any

import polars as pl

from eval.sources.price_list import PriceList, price_list
from policies.outcome import OUTCOMES, OutcomeSet, Status
from router.errors import InputError

__all__ = ["SYNTHETIC", "add_synthetic"]

SYNTHETIC = "synthetic"
KEY = ["benchmark", "query_id"]


def add_synthetic(
    data: OutcomeSet,
    name: str,
    right: float,
    price_of: str,
    seed: int = 0,
    prices: PriceList | None = None,
) -> OutcomeSet:
    """The set with one more arm, beside every sample of every question.

    Raises:
        InputError: a probability outside 0..1, an arm of that name, or no such price.
    """
    if not 0 <= right <= 1:
        raise InputError(f"--right {right:g}: a probability between 0 and 1 is expected")
    if SYNTHETIC not in name:
        raise InputError(f"--as {name}: a made-up arm has {SYNTHETIC!r} in its name")
    if name in data.arms:
        raise InputError(f"--as {name}: there is an arm of that name; give another")
    known = prices or price_list()
    price = known.of(price_of)
    places = data.outcomes.select(
        "source", *KEY, "sample", "domain", "subject", "cluster_id", "prompt_tokens"
    ).unique([*KEY, "sample"], keep="first", maintain_order=True)
    drawn = [_draw(seed, b, q) < right for b, q in places.select(KEY).iter_rows()]
    prompt, written = known.tokens.prompt, known.tokens.completion
    asked = pl.coalesce("prompt_tokens", _mean(prompt)).cast(pl.Float64)
    cost = (asked * price.input + _mean(written) * price.output) / 1e6
    words = f"{SYNTHETIC}: price of {price_of}, {known.snapshot(price.kind)}"
    rows = places.with_columns(
        source=pl.lit(SYNTHETIC),
        arm=pl.lit(name),
        model=pl.lit(f"{SYNTHETIC}:{price_of}"),
        status=pl.lit(str(Status.OK), OUTCOMES["status"]),
        score=pl.Series(drawn).cast(pl.Float64),
        prompt_tokens=asked.ceil().cast(pl.Int64),
        completion_tokens=_mean(written).ceil().cast(pl.Int64),
        tokens_basis=pl.lit("estimated", OUTCOMES["tokens_basis"]),
        cost_usd=cost,
        cost_basis=pl.lit("priced", OUTCOMES["cost_basis"]),
        price_snapshot=pl.lit(words),
        label_source=pl.lit(SYNTHETIC),
    )
    both = pl.concat([data.outcomes, rows], how="diagonal_relaxed")
    return OutcomeSet(both, data.queries, _about(data, name, right, price_of, seed))


def _mean(means: Any) -> pl.Expr:
    return pl.col("domain").replace_strict(
        dict(means), default=means["other"], return_dtype=pl.Float64
    )


def _draw(seed: int, benchmark: str, query_id: str) -> float:
    """A number in [0, 1) that a question always gets."""
    digest = hashlib.sha256(f"{seed}/{benchmark}/{query_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _about(data: OutcomeSet, name: str, right: float, price_of: str, seed: int) -> dict[str, Any]:
    said = list(data.about.get("notes", ()))
    told = (
        f"{name} is {SYNTHETIC}: right with probability {right:g} by a hash of seed {seed}, "
        f"at the price of {price_of}"
    )
    return {
        **data.about,
        "name": f"{data.about.get('name', 'the set')}+{name}",
        "kind": SYNTHETIC,
        "notes": [*said, told],
    }
