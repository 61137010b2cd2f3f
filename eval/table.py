"""Recorded outcomes as arrays: one row a question and sample, one column an arm.

A `Table` is what replay plays on. It is made from an `OutcomeSet` and nothing is guessed:
a query that lacks one of the arms leaves the table and is counted in `incomplete`; a cost
that is not there is NaN until prices are put on it. Repeated samples of a query are rows of
one cluster, so that whatever is averaged or resampled keeps them together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from eval.features import Features, row_keys
from policies.case import Arm, AttemptBlock, CaseBatch, Outcome
from policies.outcome import OutcomeSet, Status, counted_score
from router.errors import InputError
from router.knowledge.retrieving import LEAST_KNOWLEDGE

__all__ = ["ANSWERABLE", "SIGNS", "Table", "Twins", "answerable_of", "case_of", "table_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SIGNS = ("agreement", "logprob", "logprob_answer", "certainty")
"""What an attempt may show beside its verdict: columns of the record, fields of a case."""
MEASURED = "verdict_measured"
ANSWERABLE = "answerable"
"""What the check of an arm that reads passages records of them: P(they hold the answer)."""
_READS = "+index"
"""End of the name of an arm that reads the index: a set of outcomes names arms and no contexts."""
_ROWS = (
    *("cluster", "row_key", "score", "outcome", "passed", "confidence", "cost", "tokens"),
    *SIGNS,
)
_WIDE = tuple(name for name in _ROWS if name not in ("cluster", "row_key"))
_OUTCOME: Mapping[str, Outcome] = {
    Status.OK: Outcome.ANSWERED,
    # At run time nobody knows that an answer cannot be parsed by a benchmark's scorer.
    Status.UNPARSED: Outcome.ANSWERED,
    Status.TRUNCATED: Outcome.INCOMPLETE,
    Status.ABSTAINED: Outcome.ABSTAINED,
    Status.FAILED: Outcome.FAILED,
}


@dataclass(frozen=True)
class Table:
    """n rows, A arms; all (n, A) arrays share the order of `arms`."""

    source: str
    benchmark: str
    arms: tuple[Arm, ...]
    benchmarks: tuple[str, ...]
    """(n,) of every row: a table may be a pool."""
    query_id: tuple[str, ...]
    cluster: Ints
    """(n,) what a fold and a bootstrap keep whole."""
    row_key: NDArray[np.uint64]
    score: Floats
    """0..1, by `policies.outcome.TREATMENT`. No policy sees it."""
    outcome: Ints
    passed: Floats
    """1 passed, 0 failed, NaN unknown or not checked."""
    confidence: Floats
    cost: Floats
    """USD."""
    tokens: Ints
    agreement: Floats
    logprob: Floats
    logprob_answer: Floats
    certainty: Floats
    """NaN where the source has none; see `AttemptBlock`."""
    checked: bool
    """False: the source ran no check, so nothing that reads a verdict can be replayed."""
    incomplete: int
    """Queries left out because an arm lacks them."""
    features: Features | None = None
    twins: "Twins | None" = None
    """Perturbed versions of some rows, for robustness."""
    measured: Mapping[str, Floats] = field(default_factory=dict)
    """What checks measured of the answers, by name, (n, A) each; NaN where nothing."""

    def __len__(self) -> int:
        return len(self.row_key)

    def span(self, start: int, stop: int) -> "Table":
        """Rows start to stop, as views: no copy of the arrays."""
        part = slice(start, stop)
        return replace(
            self,
            benchmarks=self.benchmarks[part],
            query_id=self.query_id[part],
            features=self.features.take(part) if self.features else None,
            measured={name: value[part] for name, value in self.measured.items()},
            twins=None,
            **{name: getattr(self, name)[part] for name in _ROWS},
        )

    @property
    def questions(self) -> int:
        """Clusters: the n of every interval."""
        return len(np.unique(self.cluster))

    def take(self, rows: NDArray[Any]) -> "Table":
        """The same for some rows, given by index or flag."""
        index = np.arange(len(self))[rows]
        return replace(
            self,
            benchmarks=tuple(self.benchmarks[i] for i in index),
            query_id=tuple(self.query_id[i] for i in index),
            features=self.features.take(index) if self.features else None,
            measured={name: value[index] for name, value in self.measured.items()},
            twins=None,
            **{name: getattr(self, name)[index] for name in _ROWS},
        )

    def pick(self, columns: Sequence[int]) -> "Table":
        """The same for some arms, in this order."""
        own = list(columns)
        wide: dict[str, Any] = {name: getattr(self, name)[:, own] for name in _WIDE}
        measured = {name: value[:, own] for name, value in self.measured.items()}
        return replace(self, arms=tuple(self.arms[i] for i in own), measured=measured, **wide)

    @property
    def pair(self) -> tuple[int, int]:
        """The first small arm and the first large one: what a pair policy decides between."""
        tiers = [arm.tier for arm in self.arms]
        return tiers.index("small"), tiers.index("large")

    def column(self, arm: str) -> int:
        """Position of an arm."""
        return [a.name for a in self.arms].index(arm)


@dataclass(frozen=True)
class Twins:
    """Perturbed prompts: row i was made from row `origin[i]` of the table."""

    features: Features
    row_key: NDArray[np.uint64]
    origin: Ints

    def of(self, table: Table, rows: Any = ...) -> Table:
        """A table of all twins, or of some by flag: their prompts, nothing else new."""
        index = np.arange(len(self.origin))[rows]
        part = table.take(self.origin[index])
        features = self.features.take(index)
        return replace(part, features=features, row_key=self.row_key[index], twins=None)


def table_of(
    data: OutcomeSet,
    small: str,
    large: str,
    benchmarks: Sequence[str] | None = None,
    others: Sequence[str] = (),
    exclude: pl.Expr | None = None,
) -> Table:
    """The table of a pair of arms (and other large ones), without features.

    Args:
        exclude: rows of queries to leave out, for example contaminated ones.

    Raises:
        InputError: an arm or benchmark is not there, or no query has all arms.
    """
    if len({small, large, *others}) != 2 + len(others):
        raise InputError(f"--pair: {small!r} and {large!r} must be two different arms")
    arms = (_arm(small, "small"), _arm(large, "large"), *(_arm(o, "large") for o in others))
    names = [a.name for a in arms]
    part = data.only(benchmarks, names)
    rows = part.outcomes.filter(pl.col("policy").is_null())
    if exclude is not None:
        rows = rows.filter(~exclude.fill_null(False))
    several = rows.filter(pl.struct("benchmark", "query_id", "arm", "sample").is_duplicated())
    if len(several):
        raise InputError(
            f"{len(several)} rows are several attempts at one query by one arm, the first at "
            f"{several['benchmark'][0]}/{several['query_id'][0]}: name the policy that made them"
        )
    wide = _wide(rows, names)
    if not len(wide):
        where = "/".join([str(data.about.get("name", "the set")), "+".join(benchmarks or ["*"])])
        raise InputError(f"no query of {where} has all of: {', '.join(names)}")
    asked = rows.select(pl.struct("benchmark", "query_id").n_unique()).item()
    kept = wide.select(pl.struct("benchmark", "query_id").n_unique()).item()
    key = ["benchmark", "query_id"]
    wide = wide.join(
        part.queries.select("benchmark", "query_id", "query", template="cluster_id"),
        on=key,
        how="left",
        maintain_order="left",
    )
    texts = wide["query"].to_list()
    ids = wide["query_id"].to_list()

    def block(name: str, kind: Any = np.float64) -> NDArray[Any]:
        return np.stack([wide[f"{name}:{i}"].to_numpy() for i in range(len(names))], 1).astype(kind)

    return Table(
        source=str(data.about.get("name", part.outcomes["source"][0])),
        benchmark="+".join(wide["benchmark"].unique(maintain_order=True)),
        arms=arms,
        benchmarks=tuple(wide["benchmark"]),
        query_id=tuple(ids),
        cluster=_clusters(wide),
        row_key=row_keys(texts, [f"{b}/{i}" for b, i in wide.select(key).iter_rows()]),
        score=block("counted"),
        outcome=block("outcome", np.int64),
        passed=block("passed"),
        confidence=block("verdict_confidence"),
        cost=block("cost_usd"),
        tokens=block("completion_tokens", np.int64),
        agreement=block("agreement"),
        logprob=block("logprob"),
        logprob_answer=block("logprob_answer"),
        certainty=block("certainty"),
        checked=rows["verdict"].is_not_null().any(),
        incomplete=asked - kept,
        measured=_measured(wide, len(names)),
    )


def _arm(name: str, tier: Literal["small", "large"]) -> Arm:
    return Arm(name, tier, "index" if name.endswith(_READS) else "none")


def answerable_of(table: Table) -> Floats | None:
    """(n,) P(the passages hold the answer), judged before any arm read them; NaN where no arm of
    the row recorded it, None where no row did."""
    told = table.measured.get(ANSWERABLE)
    return None if told is None else np.asarray(np.fmax.reduce(told, axis=1))


def _wide(rows: pl.DataFrame, arms: Sequence[str]) -> pl.DataFrame:
    """One row a (query, sample) that all arms have, in the order of the source."""
    facts = {
        "counted": counted_score(),
        "outcome": pl.col("status").cast(pl.String).replace_strict(
            {str(k): int(v) for k, v in _OUTCOME.items()}, default=None, return_dtype=pl.Int64
        ),
        "passed": pl.col("verdict").cast(pl.String).replace_strict(
            {"passed": 1.0, "failed": 0.0}, default=None, return_dtype=pl.Float64
        ),
        "verdict_confidence": pl.col("verdict_confidence"),
        "cost_usd": pl.col("cost_usd"),
        "completion_tokens": pl.col("completion_tokens").fill_null(0),
        **{name: pl.col("logprob_mean" if name == "logprob" else name) for name in SIGNS},
        MEASURED: pl.col(MEASURED),
    }  # fmt: skip
    key = ["benchmark", "query_id", "sample"]
    present = rows.filter(pl.col("status") != Status.MISSING)
    wide: pl.DataFrame | None = None
    for i, arm in enumerate(arms):
        own = present.filter(pl.col("arm") == arm).select(
            *key, *([pl.col("cluster_id")] if wide is None else []),
            *(expr.alias(f"{name}:{i}") for name, expr in facts.items()),
        )  # fmt: skip
        wide = own if wide is None else wide.join(own, on=key, how="inner", maintain_order="left")
    assert wide is not None
    return wide


def _measured(wide: pl.DataFrame, arms: int) -> dict[str, Floats]:
    """Name -> (n, A), NaN where the check of that answer did not measure it."""
    out: dict[str, Floats] = {}
    for column in range(arms):
        for place, told in enumerate(wide[f"{MEASURED}:{column}"].to_list()):
            for one in told or ():
                block = out.setdefault(one["name"], np.full((len(wide), arms), np.nan))
                block[place, column] = one["value"]
    return out


def _clusters(wide: pl.DataFrame) -> Ints:
    """(n,) numbers from 0. All samples of a query share one: what the queries' table says, else
    the first row's (each is filled in from the query's id where a source names no cluster)."""
    named = pl.col("template") != pl.col("query_id")
    own = pl.col("cluster_id").first().over("benchmark", "query_id")
    cluster = pl.when(named).then(pl.col("template")).otherwise(own)
    code = wide.select(pl.struct("benchmark", cluster.alias("cluster")).rank("dense"))
    return code.to_series().to_numpy().astype(np.int64) - 1


def case_of(
    table: Table, predicted_cost: Floats, attempts: AttemptBlock | None = None
) -> CaseBatch:
    """What a policy is asked in replay: the same facts as live, never the score.

    `predicted_cost` is (A,) USD: what is known of an arm before it runs (a mean over rows),
    not what this query cost.
    """
    n, a = len(table), len(table.arms)
    expected = np.broadcast_to(predicted_cost, (n, a))
    yes = np.broadcast_to(np.True_, (n, a))
    endless = np.broadcast_to(np.inf, (n,))
    features = table.features
    blocks = dict(features.blocks) if features else {}
    looked = answerable_of(table)
    if looked is not None:
        if "axes" in blocks:  # live, nobody looks where no facts are asked for
            looked = np.where(blocks["axes"][:, 1] >= LEAST_KNOWLEDGE, looked, np.nan)
        blocks["answerability"] = looked[:, None]
    return CaseBatch(
        arms=table.arms,
        features=blocks,
        fingerprint=features.fingerprint if features else "none",
        predicted_cost=expected,
        worst_cost=expected,
        predicted_seconds=np.broadcast_to(np.nan, (n, a)),
        available=yes,
        capable=yes,
        request_left=endless,
        tenant_left=endless,
        row_key=table.row_key,
        attempts=attempts if attempts is not None else AttemptBlock.empty(n),
    )
