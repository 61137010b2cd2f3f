"""Made-up tables without a trap, for the tests of the traps."""

import random
from typing import Any

import polars as pl

from eval.sources.check import Finding
from policies.outcome import OutcomeSet

ARMS = ("small", "middle", "large")
OPTIONS = "\nA. red\nB. green\nC. blue\nD. black"


def text(k: int) -> str:
    """A question of words that no other question has."""
    pick = random.Random(k)
    return " ".join(f"w{pick.randrange(10**6)}" for _ in range(12)) + "?"


def ability(arm: str, k: int, benchmark: str = "b") -> float:
    """Harder questions are missed by more arms: what an aligned table looks like."""
    hard = random.Random(f"{benchmark}{k}").random()
    return float(hard < {"small": 0.45, "middle": 0.65, "large": 0.8}.get(arm, 0.6))


def row(arm: str, k: int, benchmark: str = "b", **fields: Any) -> dict[str, Any]:
    """A complete row: no trap looks at it."""
    return {
        "source": "made_up",
        "benchmark": benchmark,
        "query_id": f"{benchmark}:{k}",
        "arm": arm,
        "status": "ok",
        "score": ability(arm, k, benchmark),
        "params_b": 7.0,
        "prompt_tokens": 20,
        "completion_tokens": 10,
        "cost_usd": {"small": 0.1, "middle": 0.2}.get(arm, 0.3),
        "cost_basis": "billed",
        "answer": "an answer of some length",
        "response_chars": 24,
        "logprob_mean": -0.1,
        "latency_s": 1.0,
        **fields,
    }


def query(k: int, benchmark: str = "b", **fields: Any) -> dict[str, Any]:
    return {
        "source": "made_up",
        "benchmark": benchmark,
        "query_id": f"{benchmark}:{k}",
        "query": text(k),
        "gold": str(k),
        **fields,
    }


def table(outcomes: list[dict[str, Any]], queries: list[dict[str, Any]]) -> OutcomeSet:
    return OutcomeSet(
        pl.DataFrame(outcomes, infer_schema_length=None),
        pl.DataFrame(queries, infer_schema_length=None),
    )


def clean(n: int = 40, start: int = 0, **fields: Any) -> OutcomeSet:
    """A table without a trap: three arms, two samples each."""
    places = range(start, start + n)
    return table(
        [row(a, k, sample=s, **fields) for a in ARMS for k in places for s in (0, 1)],
        [query(k) for k in places],
    )


def only(found: list[Finding], code: str) -> Finding:
    (finding,) = [f for f in found if f.code == code]
    return finding


def codes(found: list[Finding]) -> set[str]:
    return {f.code for f in found}
