"""What a table lacks: rows, costs, tokens, sizes, golds, texts, samples, log-probabilities."""

from collections.abc import Iterator

import polars as pl

from eval.sources.traps.finding import Finding, listed, some
from policies.outcome import OutcomeSet, Status

__all__ = ["absent_fields", "impossible_tokens", "incomplete_arms", "unknown_sizes"]

BYTES_PER_CHAR = 4  # UTF-8: a token covers a byte at least, a character has four at most
SPECIAL_TOKENS = 16  # role marks and the end mark that some servers count


def incomplete_arms(data: OutcomeSet) -> Iterator[Finding]:
    """Arms that lack rows of a benchmark they were run on, and what is complete without them.

    A benchmark that an arm was never run on is a second, milder finding.
    """
    key = ["benchmark", "query_id"]
    have = data.outcomes.filter(pl.col("status") != Status.MISSING)
    have = have.select(*key, "arm").unique()
    sizes = dict(data.queries.group_by("benchmark").len().iter_rows())
    run = have.group_by("arm", "benchmark", maintain_order=True).len()
    lacking = {
        (arm, b): sizes[b] - n for arm, b, n in run.iter_rows() if n < sizes[b]
    }  # counts of queries
    if lacking:
        arms_of = run.group_by("benchmark").agg(pl.len().alias("arms"))
        complete = (
            have.group_by(key)
            .len()
            .join(arms_of, on="benchmark")
            .filter(pl.col("len") == pl.col("arms"))
        )
        worst = sorted(lacking.items(), key=lambda item: -item[1])
        names = [f"{arm} {n} of {sizes[b]} on {b}" for (arm, b), n in worst]
        yield Finding(
            code="incomplete_arms",
            severity="warning",
            message=f"{len(lacking)} arm x benchmark cells lack rows ({listed(names)}); "
            f"{len(complete)} of {len(data.queries)} queries are complete over the arms of "
            "their benchmark",
            rows=sum(lacking.values()),
            queries=len(data.queries) - len(complete),
            examples=some([f"{arm}/{b}" for (arm, b), _ in worst]),
            advice="compare on complete queries only, or leave the arms out; the rest of an "
            "incomplete arm is no random sample",
        )
    yield from _absent_cells(data, {(arm, b) for arm, b, _ in run.iter_rows()})


def _absent_cells(data: OutcomeSet, run: set[tuple[str, str]]) -> Iterator[Finding]:
    benchmarks = data.queries["benchmark"].unique(maintain_order=True).to_list()
    absent = [(arm, b) for arm in data.arms for b in benchmarks if (arm, b) not in run]
    if absent:
        arms = sorted({arm for arm, _ in absent})
        yield Finding(
            code="absent_cells",
            severity="note",
            message=f"{len(arms)} of {len(data.arms)} arms were not run on every benchmark: "
            f"{listed(arms)}",
            examples=some([f"{arm}/{b}" for arm, b in absent]),
            advice="means over benchmarks compare only arms that were run on the same ones",
        )


def unknown_sizes(data: OutcomeSet) -> Iterator[Finding]:
    """Arms without a parameter count."""
    known = data.outcomes.group_by("arm", maintain_order=True).agg(
        pl.col("params_b").count(), pl.len()
    )
    bad = known.filter(pl.col("params_b") == 0)
    if len(bad):
        yield Finding(
            code="no_params",
            severity="note",
            message=f"{len(bad)} of {len(known)} arms have no parameter count: "
            f"{listed(bad['arm'])}",
            rows=int(bad["len"].sum()),
            examples=some(bad["arm"].to_list()),
            advice="show them, and leave them out of every fit on size",
        )


def impossible_tokens(data: OutcomeSet) -> Iterator[Finding]:
    """Token counts that the text beside them rules out.

    No prompt tokens for a query; no completion tokens for an answer that has characters;
    an answer with fewer tokens than it has characters is possible, one with more tokens than
    bytes is not, unless hidden reasoning is counted in.
    """
    chars = pl.coalesce(pl.col("response_chars"), pl.col("answer").str.len_chars().cast(pl.Int64))
    ran = ~pl.col("status").is_in([Status.FAILED, Status.MISSING])
    completion = pl.col("completion_tokens")
    rules = {
        "no prompt tokens": pl.col("prompt_tokens") == 0,
        "no completion tokens for an answer that has text": (completion == 0) & (chars > 0),
        "more completion tokens than the answer has bytes": completion
        > BYTES_PER_CHAR * chars + SPECIAL_TOKENS,
    }
    for what, rule in rules.items():
        bad = data.outcomes.filter(ran & rule)
        if len(bad):
            arms = bad["arm"].unique(maintain_order=True)
            yield Finding(
                code="impossible_tokens",
                severity="warning",
                message=f"{len(bad)} rows have {what} ({listed(arms)})",
                rows=len(bad),
                queries=bad.select("benchmark", "query_id").n_unique(),
                examples=some(bad["query_id"].unique(maintain_order=True).to_list()),
                advice="their costs follow a wrong count, or one of text that is not shown "
                "(hidden reasoning): recount or leave them out of cost metrics",
            )


_FIELDS = (  # code, columns, what, advice
    ("no_cost", ("cost_usd",), "cost", "price it (eval/sources/prices.yaml) and vary the ratio"),
    (
        "no_tokens",
        ("prompt_tokens", "completion_tokens"),
        "token counts",
        "a cost is then an estimate from a named token model",
    ),
    (
        "no_logprobs",
        ("logprob_mean", "logprob_min", "logprob_answer"),
        "log-probabilities",
        "policies that need them are not replayable on this table",
    ),
    (
        "no_answers",
        ("answer",),
        "answer texts",
        "verifiers and agreement of answers cannot be replayed on it",
    ),
    ("no_latency", ("latency_s",), "latencies", "speed cannot be compared on it"),
)


def absent_fields(data: OutcomeSet) -> Iterator[Finding]:
    """Fields that no row, or not every row, has; single samples; missing golds and texts."""
    frame = data.outcomes.filter(~pl.col("status").is_in([Status.FAILED, Status.MISSING]))
    for code, columns, what, advice in _FIELDS:
        lacking = frame.filter(pl.all_horizontal(pl.col(c).is_null() for c in columns)).height
        if lacking:
            yield Finding(
                code=code,
                severity="note",
                message=f"{lacking} of {len(frame)} rows have no {what}",
                rows=lacking,
                advice=advice,
            )
    if len(frame) and frame["sample"].n_unique() == 1:
        yield Finding(
            code="single_sample",
            severity="note",
            message=f"there is one sample only for each of {len(frame)} query x arm rows",
            rows=len(frame),
            advice="nothing about votes, consistency or the noise of one answer can be read "
            "from it",
        )
    yield from _absent_in_queries(data)


def _absent_in_queries(data: OutcomeSet) -> Iterator[Finding]:
    for code, column, what, advice in (
        ("no_gold", "gold", "gold answer", "they cannot be scored again"),
        ("no_texts", "query", "text", "policies that read the query are not replayable on them"),
    ):
        bad = data.queries.filter(pl.col(column).is_null())
        if len(bad):
            by = bad.group_by("benchmark").len().sort("len", descending=True)
            names = [f"{b} {n}" for b, n in by.iter_rows()]
            yield Finding(
                code=code,
                severity="note",
                message=f"{len(bad)} of {len(data.queries)} queries have no {what}: "
                f"{listed(names)}",
                queries=len(bad),
                examples=some(bad["query_id"].to_list()),
                advice=advice,
            )
