"""Scores that measure something else than ability: formats, empty answers, prices turned round.

Messages name cells, never their scores (see `finding`).
"""

from collections.abc import Iterator

import polars as pl

from eval.sources.traps.finding import (
    ENOUGH,
    Finding,
    cell_names,
    cell_queries,
    cells,
    listed,
    per_query,
    some,
)
from policies.outcome import OutcomeSet, Status

__all__ = [
    "dearer_is_worse",
    "empty_answers",
    "format_zeros",
    "low_everywhere",
    "unparsed_cells",
]

UNPARSED = 0.2  # share from which the pre-registration leaves a cell out
ZERO, WELL = 0.05, 0.3  # a cell "at zero", and the score from which others do well
LOW, HIGH = 0.3, 0.5  # best arm here, median arm elsewhere


def unparsed_cells(data: OutcomeSet) -> Iterator[Finding]:
    """Rows in which no answer could be read; a warning from one cell of over a fifth on."""
    ran = data.outcomes.filter(pl.col("status") != Status.MISSING)
    total = ran.filter(pl.col("status") == Status.UNPARSED).height
    if not total:
        return
    share = (pl.col("status") == Status.UNPARSED).mean().alias("share")
    by = ran.group_by("benchmark", "arm", maintain_order=True).agg(share, pl.len().alias("n"))
    many = by.filter((pl.col("share") > UNPARSED) & (pl.col("n") >= ENOUGH))
    many = many.sort("share", descending=True)
    much = f", over {UNPARSED:.0%} in: {listed(cell_names(many))}" if len(many) else ""
    yield Finding(
        code="unparsed",
        severity="warning" if len(many) else "note",
        message=f"{total} of {len(ran)} rows hold no answer that could be read, in "
        f"{by.filter(pl.col('share') > 0).height} arm x benchmark cells{much}",
        rows=total,
        queries=ran.filter(pl.col("status") == Status.UNPARSED)
        .select("benchmark", "query_id")
        .n_unique(),
        examples=some(cell_names(many if len(many) else by.filter(pl.col("share") > 0))),
        advice="they count as wrong (some sources fill at random): leave cells over "
        f"{UNPARSED:.0%} out, and say what counted",
    )


def format_zeros(data: OutcomeSet) -> Iterator[Finding]:
    """An arm at zero on one benchmark, well on another, where the other arms do well."""
    table = cells(data).filter(pl.col("n") >= ENOUGH)
    bad = []
    for row in table.filter(pl.col("score") <= ZERO).iter_rows(named=True):
        same_arm, same_benchmark = (
            pl.col("arm") == row["arm"],
            pl.col("benchmark") == row["benchmark"],
        )
        elsewhere = table.filter(same_arm & ~same_benchmark)["score"].to_list()
        rivals = table.filter(same_benchmark & ~same_arm)["score"].median()
        if max(elsewhere, default=0.0) >= WELL and _number(rivals) >= WELL:
            bad.append(row)
    if bad:
        frame = pl.DataFrame(bad, schema=table.schema)
        yield Finding(
            code="format_zeros",
            severity="warning",
            message=f"{len(frame)} arm x benchmark cells are at zero, though the arm does well "
            f"elsewhere and others do well there: {listed(cell_names(frame))}",
            rows=int(frame["n"].sum()),
            queries=cell_queries(frame, data),
            examples=some(cell_names(frame)),
            advice="read as failures of the answer format, not of ability: leave them out of "
            "slopes and routing gains",
        )


def low_everywhere(data: OutcomeSet) -> Iterator[Finding]:
    """A benchmark low for all arms, of all sizes, that do well elsewhere: hard, or misread."""
    table = cells(data).filter(pl.col("n") >= ENOUGH)
    bad = []
    for (benchmark,), part in table.group_by("benchmark", maintain_order=True):
        others = table.filter(pl.col("benchmark") != benchmark)
        others = others.join(part, on="arm", how="semi").group_by("arm").agg(pl.col("score").max())
        known = len(part) >= 3 and len(others) >= 3
        if (
            known
            and _number(part["score"].max()) < LOW
            and _number(others["score"].median()) >= HIGH
        ):
            bad.append(str(benchmark))
    if bad:
        here = data.outcomes.filter(pl.col("benchmark").is_in(bad))
        yield Finding(
            code="low_everywhere",
            severity="warning",
            message=f"{len(bad)} benchmarks are low for every arm, whatever its size, though "
            f"the arms do well elsewhere: {listed(bad)}",
            rows=len(here),
            queries=here.select("benchmark", "query_id").n_unique(),
            examples=some(bad),
            advice="hard, or scored by a rule that right answers fail: read some answers, and "
            "fit no size slope on it before",
        )


def empty_answers(data: OutcomeSet) -> Iterator[Finding]:
    """Rows that count as answered and hold nothing."""
    blank = (pl.col("response_chars") == 0) | (pl.col("answer").str.strip_chars() == "")
    bad = data.outcomes.filter((pl.col("status") == Status.OK) & blank.fill_null(False))
    if len(bad):
        yield Finding(
            code="empty_answers",
            severity="warning",
            message=f"{len(bad)} rows count as answered and are empty "
            f"({listed(bad['arm'].unique(maintain_order=True))})",
            rows=len(bad),
            queries=bad.select("benchmark", "query_id").n_unique(),
            examples=some(bad["query_id"].unique(maintain_order=True).to_list()),
            advice="give them the status unparsed or failed",
        )


def dearer_is_worse(data: OutcomeSet) -> Iterator[Finding]:
    """Pairs of arms, paired by query, of which the dearer one has the lower mean score."""
    cost = (
        data.outcomes.drop_nulls("cost_usd")
        .group_by("benchmark", "query_id", "arm")
        .agg(pl.col("cost_usd").mean())
    )
    both = per_query(data).join(cost, on=["benchmark", "query_id", "arm"])
    arms = [a for a in data.arms if a in set(both["arm"])]
    for k, first in enumerate(arms):
        for second in arms[k + 1 :]:
            pair = both.filter(pl.col("arm") == first).join(
                both.filter(pl.col("arm") == second), on=["benchmark", "query_id"], suffix="_2"
            )
            score = _number((pair["score"] - pair["score_2"]).mean())
            money = _number((pair["cost_usd"] - pair["cost_usd_2"]).mean())
            if len(pair) >= ENOUGH and score * money < 0:
                dear, cheap = (first, second) if money > 0 else (second, first)
                yield Finding(
                    code="dearer_is_worse",
                    severity="warning",
                    message=f"{dear} costs more than {cheap} and scores worse, over {len(pair)} "
                    "queries",
                    rows=2 * len(pair),
                    queries=len(pair),
                    examples=(dear, cheap),
                    advice="routing to the dearer arm can only lose here on average: name the "
                    "tiers by score, or do not use the pair for a weak/strong curve",
                )


def _number(value: object) -> float:
    """A mean or median of polars, which types them as anything; nothing counts as 0."""
    return float(value) if isinstance(value, (int, float)) else 0.0
