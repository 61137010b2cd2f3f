"""Costs for tables without them: the committed price list times (estimated) tokens.

A priced cost is an estimate: `prices.yaml` says for each price where it comes from and what is
assumed. Tokens are estimated where the table has none: characters divided by a constant of the
named token model, or a mean of the domain where the text is unknown. Not covered: few-shot
examples, cached prompts, batch discounts; what a GPU of your own costs.
"""

import math
from collections.abc import Mapping

import polars as pl

from eval.sources.price_list import PRICES, Price, PriceList, TokenModel, price_list
from policies.outcome import OUTCOMES, OutcomeSet, Status
from router.errors import InputError

__all__ = ["PRICES", "Price", "PriceList", "TokenModel", "price", "price_list"]


def price(data: OutcomeSet, ratio: float = 1.0, prices: PriceList | None = None) -> OutcomeSet:
    """The set with `cost_usd` filled where it was null; a `missing` row never has a cost.

    `ratio` scales how much dearer than the cheapest arm the others are: 2.0 doubles the price
    ratio, 0.5 halves it, but an arm never becomes cheaper than the cheapest was. It also scales
    costs that the table brought, so give it a set at ratio 1. Arms are ranked by their listed
    prices where rows were priced here, else by their mean cost a row.

    Raises:
        InputError: a model of a row without a cost has no price, or `ratio` is not positive.
    """
    if not (math.isfinite(ratio) and ratio > 0):
        raise InputError(f"the price ratio is {ratio}: a positive number is expected")
    known = prices or price_list()
    rows = _filled(_estimated(data, known.tokens), known)
    if ratio != 1.0:
        rows = _scaled(rows, ratio, known)
    return OutcomeSet(rows.select(list(OUTCOMES)), data.queries, data.about)


def _blank() -> pl.Expr:
    return pl.col("cost_usd").is_null() & (pl.col("status") != str(Status.MISSING))


def _estimated(data: OutcomeSet, tokens: TokenModel) -> pl.DataFrame:
    """Token counts for the rows without a cost; `tokens_basis` says which were estimated."""
    lengths = data.queries.select(
        "benchmark", "query_id", _chars=pl.col("query").str.len_chars().cast(pl.Float64)
    )
    rows = data.outcomes.join(
        lengths, on=["benchmark", "query_id"], how="left", maintain_order="left"
    )
    guesses = {
        "prompt_tokens": _guess(pl.col("_chars"), tokens, tokens.prompt),
        "completion_tokens": _guess(pl.col("response_chars"), tokens, tokens.completion),
    }
    lacking = pl.any_horizontal(*(pl.col(name).is_null() for name in guesses))
    return rows.with_columns(
        pl.when(_blank() & lacking)
        .then(pl.lit("estimated", OUTCOMES["tokens_basis"]))
        .otherwise(pl.col("tokens_basis"))
        .alias("tokens_basis"),
        *(
            pl.when(_blank() & pl.col(name).is_null())
            .then(guess)
            .otherwise(pl.col(name))
            .alias(name)
            for name, guess in guesses.items()
        ),
    )


def _guess(chars: pl.Expr, tokens: TokenModel, means: Mapping[str, float]) -> pl.Expr:
    mean = pl.col("domain").replace_strict(
        dict(means), default=means["other"], return_dtype=pl.Float64
    )
    return (chars / tokens.chars_per_token).fill_null(mean).ceil().cast(pl.Int64)


def _filled(rows: pl.DataFrame, known: PriceList) -> pl.DataFrame:
    """Costs, their basis and the snapshot, for the rows that had none."""
    names = rows.filter(_blank())["model"].unique(maintain_order=True)
    used = [known.of(name) for name in names]
    table = pl.DataFrame(
        {
            "model": [p.model for p in used],
            "_in": [p.input for p in used],
            "_out": [p.output for p in used],
            "_words": [known.snapshot(p.kind) for p in used],
        },
        schema={"model": pl.String, "_in": pl.Float64, "_out": pl.Float64, "_words": pl.String},
    )
    rows = rows.join(table, on="model", how="left", maintain_order="left")
    cost = pl.col("prompt_tokens") * pl.col("_in") + pl.col("completion_tokens") * pl.col("_out")
    fills = {
        "cost_usd": cost / 1e6,
        "cost_basis": pl.lit("priced", OUTCOMES["cost_basis"]),
        "price_snapshot": pl.col("_words"),
    }
    return rows.with_columns(
        pl.when(_blank()).then(value).otherwise(pl.col(name)).alias(name)
        for name, value in fills.items()
    )


def _scaled(rows: pl.DataFrame, ratio: float, known: PriceList) -> pl.DataFrame:
    """Every arm but the cheapest dearer (or cheaper) by the ratio."""
    levels = _levels(rows, known)
    if not levels:
        return rows
    cheapest = min(levels.values())
    factors = {
        arm: max(cheapest, level * ratio) / level if level > cheapest else 1.0
        for arm, level in levels.items()
    }
    factor = pl.col("arm").replace_strict(factors, default=1.0, return_dtype=pl.Float64)
    words = pl.col("price_snapshot").fill_null("") + pl.lit(f" (price ratio x {ratio:g})")
    return rows.with_columns(
        cost_usd=pl.col("cost_usd") * factor,
        price_snapshot=pl.when(pl.col("cost_usd").is_not_null()).then(words),
    )


def _levels(rows: pl.DataFrame, known: PriceList) -> dict[str, float]:
    """Arm -> how dear it is: its listed price, or its mean cost where the table brought costs."""
    ours = pl.col("price_snapshot").str.starts_with(known.name).fill_null(False)
    paid = rows.filter(pl.col("cost_usd").is_not_null())
    models = dict(paid.unique("arm", maintain_order=True).select("arm", "model").iter_rows())
    if len(paid.filter(ours)) and all(model in known.prices for model in models.values()):
        return {arm: known.of(model).blended for arm, model in models.items()}
    return dict(paid.group_by("arm", maintain_order=True).agg(pl.mean("cost_usd")).iter_rows())
