"""Tables made by hand: outcome sets from a few rows, replay tables from a few arrays, and a
featuriser that reads nothing but the text's letters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from eval.features import Features
from eval.table import SIGNS, Table
from policies.case import Arm, Outcome
from policies.outcome import OutcomeSet
from router.signals.cues import CUES
from router.signals.terms import terms

WIDTHS = {
    "embedding": 4,
    "cues": len(CUES),
    "lengths": 5,
    "axes": 2,
    "domains": 5,
    "needs": 5,
    "confidence": 1,
}


def row(query: str, arm: str, score: float | None = 1.0, **more: Any) -> dict[str, Any]:
    """One outcome row; `status` is ok, and the cost 1 (small) or 10 (large) thousandths."""
    cost = 0.001 if arm == "s" else 0.01
    return {
        "source": "hand",
        "benchmark": "b",
        "query_id": query,
        "arm": arm,
        "status": "ok",
        "score": score,
        "cost_usd": cost,
        "cost_basis": "billed",
        **more,
    }


def outcome_set(rows: Sequence[Mapping[str, Any]], **about: Any) -> OutcomeSet:
    """A set of those rows, each query with a text of its own."""
    outcomes = pl.DataFrame(list(rows), infer_schema_length=None)
    queries = outcomes.select("source", "benchmark", "query_id").unique(maintain_order=True)
    text = pl.concat_str(pl.lit("What of "), "benchmark", pl.lit(" "), "query_id", pl.lit("?"))
    return OutcomeSet(
        outcomes, queries.with_columns(query=text), {"name": "hand", "pairs": [["s", "l"]], **about}
    )


def features_by_hand(n: int, seed: int = 0) -> Features:
    """Blocks of random numbers, and a few terms a row."""
    rng = np.random.default_rng(seed)
    blocks: dict[str, Any] = {
        name: rng.random((n, width)).astype(np.float32) for name, width in WIDTHS.items()
    }
    blocks["terms"] = rng.integers(0, 12, (n, 6)).astype(np.int32)
    blocks["needs"][:] = 0
    return Features(blocks, np.ones(n, dtype=bool), "hand")


def table_by_hand(
    small: Sequence[float],
    large: Sequence[float],
    cost: tuple[float, float] = (0.001, 0.01),
    **more: Any,
) -> Table:
    """A table of two arms; every row its own cluster, answered, unchecked, at a flat cost."""
    score = np.array([small, large], dtype=np.float64).T
    n = len(score)
    facts: dict[str, Any] = {
        "source": "hand",
        "benchmark": "b",
        "arms": (Arm("s", "small"), Arm("l", "large")),
        "benchmarks": ("b",) * n,
        "query_id": tuple(f"q{i}" for i in range(n)),
        "cluster": np.arange(n),
        "row_key": np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15),
        "score": score,
        "outcome": np.full((n, 2), int(Outcome.ANSWERED)),
        "passed": np.full((n, 2), np.nan),
        "confidence": np.full((n, 2), np.nan),
        "cost": np.tile(np.array(cost, dtype=np.float64), (n, 1)),
        "tokens": np.full((n, 2), 10),
        **{name: np.full((n, 2), np.nan) for name in SIGNS},
        "checked": False,
        "incomplete": 0,
    }
    return Table(**{**facts, **more})


def learnable(n: int = 60, seed: int = 0, **more: Any) -> Table:
    """A table whose small arm is right where the first embedding column is small."""
    features = features_by_hand(n, seed)
    x = features.blocks["embedding"][:, 0]
    rng = np.random.default_rng(seed + 1)
    small = (x + 0.2 * rng.random(n) < 0.6).astype(float)
    large = np.maximum(small, (rng.random(n) < 0.8).astype(float))
    return table_by_hand(small.tolist(), large.tolist(), features=features, **more)


class LetterFeaturiser:
    """Counts what it was asked; blocks are made of the text's length and letters."""

    def __init__(self, fingerprint: str = "letters-1", break_after: int | None = None) -> None:
        self.fingerprint = fingerprint
        self.asked: list[str] = []
        self.calls = 0
        self.break_after = break_after

    def blocks(self, queries: Sequence[Any]) -> dict[str, Any]:
        self.calls += 1
        if self.break_after is not None and self.calls > self.break_after:
            raise KeyboardInterrupt
        texts = [q.text for q in queries]
        self.asked += texts
        ends = [sum(map(ord, t)) for t in texts]
        made: dict[str, Any] = {
            name: np.array([[e % (j + 5) / (j + 5) for j in range(width)] for e in ends], "f4")
            for name, width in WIDTHS.items()
        }
        made["lengths"][:, 0] = [np.log1p(len(t)) for t in texts]
        made["terms"] = terms(texts)
        return made
