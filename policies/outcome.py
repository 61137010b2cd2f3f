"""The outcome record: everything that is ever measured, one row a query x arm x sample.

Imported tables, live runs and exported traffic share this one schema. `OutcomeSet` is a
table of outcomes with the table of queries they belong to; both are polars frames held in
memory. Reading and writing files is `router/outcomes.py`'s work.

An outcome is never dropped. `status` tells how the sample ended, `TREATMENT` what it counts:

    status      the answer                                 counts as
    ok          complete and read                          its score
    unparsed    complete, no answer could be read in it    the source's score, 0 where it has none
    truncated   cut at the token cap                       the same
    abstained   the model said that it does not know       the same
    failed      the call died                              0, at the cost that was paid
    missing     the source has no such row                 nothing: the query leaves every
                                                           comparison over that arm, counted

What is not here: how texts are compared (scorers in `eval/benchmarks`), and what a policy may
know of a row (`policies/case.py`: never the score).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import polars as pl

from policies.case import PolicyError

__all__ = [
    "KEY",
    "OUTCOMES",
    "QUERIES",
    "SCHEMA_VERSION",
    "TREATMENT",
    "OutcomeError",
    "OutcomeSet",
    "Status",
    "counted_score",
    "query_hash",
    "validate_outcomes",
    "validate_queries",
]

SCHEMA_VERSION = 1


class OutcomeError(PolicyError):
    """A table does not fit the outcome schema; the message names column, row and remedy."""


class Status(StrEnum):
    """How a sample ended; every row has exactly one."""

    OK = "ok"
    UNPARSED = "unparsed"
    TRUNCATED = "truncated"
    ABSTAINED = "abstained"
    FAILED = "failed"
    MISSING = "missing"


TREATMENT: Mapping[Status, str] = {
    Status.OK: "its score",
    Status.UNPARSED: "its score where the source gave one, else 0",
    Status.TRUNCATED: "its score where the source gave one, else 0",
    Status.ABSTAINED: "its score where the source gave one, else 0",
    Status.FAILED: "0, at the cost that was paid",
    Status.MISSING: "nothing: the query leaves every comparison over that arm, and is counted",
}

_TEXT, _REAL, _COUNT = pl.String(), pl.Float64(), pl.Int64()


def _enum(*values: str) -> pl.Enum:
    return pl.Enum([str(v) for v in values])


OUTCOMES: Mapping[str, pl.DataType] = {
    # what was asked
    "source": _TEXT,
    "benchmark": _TEXT,
    "domain": _TEXT,
    "subject": _TEXT,
    "query_id": _TEXT,
    "cluster_id": _TEXT,  # what a bootstrap keeps whole: template, passage; default: query_id
    # what was run
    "arm": _TEXT,
    "model": _TEXT,
    "params_b": _REAL,  # total parameters, billions
    "params_active_b": _REAL,  # mixtures of experts: active; null for dense models
    "sample": pl.Int32(),  # 0, 1, ...: repeated runs of the same query and arm
    "attempt": pl.Int16(),  # place in its run: 0 for a bare arm, 0, 1, ... for a policy's attempts
    "returned": pl.Boolean(),  # this attempt's answer is what the caller got
    # how it ended
    "status": _enum(*Status),
    "score": _REAL,  # 0..1
    "answer": _TEXT,
    "answer_cluster": pl.Int32(),  # equal for the equivalent answers to one query
    "error": _TEXT,
    # what a check said at run time; null: no check was run
    "verdict": _enum("passed", "failed", "unknown"),
    "verdict_kind": _TEXT,
    "verdict_confidence": _REAL,
    # what the check measured of the answer, by name: `Verdict.measured`
    "verdict_measured": pl.List(pl.Struct({"name": pl.String, "value": pl.Float64})),
    # nats per token: mean and minimum over the completion, mean over the final answer
    "logprob_mean": _REAL,
    "logprob_min": _REAL,
    "logprob_answer": _REAL,
    "certainty": _REAL,  # minus the mean log-probability of the candidates listed for each token
    "agreement": _REAL,  # share of the votes that the answer got, where samples voted
    "reliability": _REAL,  # of a sample's claims, as the model itself checked them
    # what it cost
    "prompt_tokens": _COUNT,
    "completion_tokens": _COUNT,
    "tokens_basis": _enum("reported", "counted", "estimated"),
    "cost_usd": _REAL,
    "cost_basis": _enum("billed", "priced", "local", "worst_case"),
    "price_snapshot": _TEXT,  # which price list: name and date, or the Price's own words
    "latency_s": _REAL,
    "response_chars": _COUNT,
    "created": _TEXT,  # UTC, ISO 8601
    # how it was decided (live runs and exported traffic)
    "policy": _TEXT,
    "policy_version": _TEXT,
    "arm_probability": pl.List(pl.Struct({"arm": pl.String, "probability": pl.Float64})),
    "features": pl.List(pl.Float32),
    "fingerprint": _TEXT,  # of the featuriser that made `features`
    # where the score comes from
    "label_source": _TEXT,  # gold, verifier, judge, feedback, audit
    "label_probability": _REAL,  # with which this row was chosen to be labelled
    "tenant": _TEXT,  # a hash, never a name
}
"""Column -> type. All but `_REQUIRED` may be absent from a frame that is validated."""

QUERIES: Mapping[str, pl.DataType] = {
    "source": _TEXT,
    "benchmark": _TEXT,
    "domain": _TEXT,
    "subject": _TEXT,
    "query_id": _TEXT,
    "cluster_id": _TEXT,
    "query": _TEXT,  # null where the text may not be kept (GPQA) or is not published
    "query_hash": _TEXT,  # SHA-256 of the text, hex, first 32 digits
    "gold": _TEXT,
}

KEY = ("benchmark", "query_id", "arm", "sample", "policy", "attempt")
"""No two rows of one set agree in all of these."""

_REQUIRED = ("source", "benchmark", "query_id", "arm", "status")
_DEFAULTS: Mapping[str, pl.Expr] = {
    "cluster_id": pl.col("query_id"),
    "model": pl.col("arm"),
    "sample": pl.lit(0, pl.Int32),
    "attempt": pl.lit(0, pl.Int16),
    "returned": pl.lit(True),
}
_UNIT = ("score", "verdict_confidence", "label_probability", "reliability", "agreement")
_NOT_NEGATIVE = (
    "prompt_tokens",
    "completion_tokens",
    "cost_usd",
    "latency_s",
    "response_chars",
    "sample",
    "attempt",
)
_POSITIVE = ("params_b", "params_active_b")


@dataclass(frozen=True)
class OutcomeSet:
    """One source's outcomes and queries, and what is known about them.

    `about` is plain JSON data: name, licence, checksums of the files it came from, notes.
    Raises `OutcomeError` where the two tables do not fit the schema or each other.
    """

    outcomes: pl.DataFrame
    queries: pl.DataFrame
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcomes", validate_outcomes(self.outcomes))
        object.__setattr__(self, "queries", validate_queries(self.queries))
        orphans = self.outcomes.join(self.queries, on=["benchmark", "query_id"], how="anti")
        if len(orphans):
            row = orphans.row(0, named=True)
            raise OutcomeError(
                f"{len(orphans)} outcome rows have no query, the first is "
                f"{row['benchmark']}/{row['query_id']}: add it to the queries"
            )

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, in order of first appearance."""
        return tuple(self.outcomes["arm"].unique(maintain_order=True))

    def only(
        self, benchmarks: Iterable[str] | None = None, arms: Iterable[str] | None = None
    ) -> "OutcomeSet":
        """The part of some benchmarks and arms; `OutcomeError` names an unknown one."""
        kept, queries = self.outcomes, self.queries
        for column, wanted in (("benchmark", benchmarks), ("arm", arms)):
            if wanted is None:
                continue
            names = list(wanted)
            have = set(self.outcomes[column].unique())
            unknown = [n for n in names if n not in have]
            if unknown:
                raise OutcomeError(
                    f"no {column} {unknown[0]!r} here; there are: {', '.join(sorted(have))}"
                )
            kept = kept.filter(pl.col(column).is_in(names))
            if column == "benchmark":
                queries = queries.filter(pl.col(column).is_in(names))
        return OutcomeSet(kept, queries, self.about)


def query_hash(text: str) -> str:
    """SHA-256 of the text, hex, first 32 digits: the column of that name."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def counted_score() -> pl.Expr:
    """What a row counts (see `TREATMENT`): 0..1, null for `missing`."""
    status = pl.col("status")
    return (
        pl.when(status == Status.MISSING)
        .then(None)
        .when(status == Status.FAILED)
        .then(0.0)
        .otherwise(pl.col("score").fill_null(0.0))
    )


def validate_outcomes(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every column of `OUTCOMES`, in order and cast, or `OutcomeError`."""
    frame = _conform(frame, OUTCOMES, _REQUIRED, _DEFAULTS, "outcomes")
    for name in _UNIT:
        _reject(frame, ~pl.col(name).is_between(0, 1), f"{name} must lie in 0..1")
    for name in _NOT_NEGATIVE:
        _reject(frame, pl.col(name) < 0, f"{name} must not be negative")
    for name in _POSITIVE:
        _reject(frame, pl.col(name) <= 0, f"{name} must be positive, or null where it is unknown")
    for name in (n for n, kind in OUTCOMES.items() if kind == _REAL):
        _reject(frame, ~pl.col(name).is_finite(), f"{name} must be finite, or null")
    status, score = pl.col("status"), pl.col("score")
    _reject(frame, (status == Status.OK) & score.is_null(), "status ok needs a score")
    nothing = status.is_in([Status.FAILED, Status.MISSING])
    _reject(frame, nothing & score.is_not_null(), "status failed or missing has no score")
    _reject(
        frame,
        pl.col("cost_usd").is_not_null() & pl.col("cost_basis").is_null(),
        "cost_usd needs a cost_basis",
    )
    _reject(frame, pl.struct(KEY).is_duplicated(), f"rows repeat ({', '.join(KEY)})")
    return frame


def validate_queries(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every column of `QUERIES`, in order and cast, or `OutcomeError`."""
    required = ("source", "benchmark", "query_id")
    frame = _conform(frame, QUERIES, required, {"cluster_id": pl.col("query_id")}, "queries")
    _reject(
        frame,
        pl.struct("benchmark", "query_id").is_duplicated(),
        "queries repeat (benchmark, query_id)",
    )
    return frame


def _conform(
    frame: pl.DataFrame,
    schema: Mapping[str, pl.DataType],
    required: Iterable[str],
    defaults: Mapping[str, pl.Expr],
    what: str,
) -> pl.DataFrame:
    unknown = [c for c in frame.columns if c not in schema]
    if unknown:
        raise OutcomeError(
            f"{what}: unknown column {unknown[0]!r}; the schema has: {', '.join(schema)}"
        )
    absent = [c for c in required if c not in frame.columns]
    if absent:
        raise OutcomeError(f"{what}: column {absent[0]!r} is missing")
    blank = [
        pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in frame.columns
    ]
    frame = frame.with_columns(blank)
    frame = frame.with_columns(_cast(frame, name, kind, what) for name, kind in schema.items())
    frame = frame.with_columns(pl.col(n).fill_null(value) for n, value in defaults.items()).select(
        list(schema)
    )
    for name in required:
        _reject(frame, pl.col(name).is_null(), f"{what}: {name} must not be null")
    return frame


def _cast(frame: pl.DataFrame, name: str, kind: pl.DataType, what: str) -> pl.Series:
    column = frame[name]
    if kind.is_integer() and column.dtype.is_float():
        # A cast would cut the fraction off without a word.
        _reject(frame, pl.col(name) != pl.col(name).round(), f"{what}: {name} holds whole numbers")
    try:
        return column.cast(kind)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise OutcomeError(f"{what}: column {name!r} does not hold {kind}: {reason}") from None


def _reject(frame: pl.DataFrame, bad: pl.Expr, rule: str) -> None:
    rows = frame.with_row_index("_row").filter(bad.fill_null(False))
    if len(rows):
        first = rows.row(0, named=True)
        where = "/".join(str(first[c]) for c in ("benchmark", "query_id", "arm") if c in first)
        raise OutcomeError(
            f"{rule}: {len(rows)} rows break this, the first is row {first['_row']} ({where})"
        )
