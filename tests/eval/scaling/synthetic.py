"""Pools made by hand: outcome sets of one arm, a few samples a question."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from policies.outcome import OutcomeSet

Answers = Sequence[Sequence[int | None]]


def samples(answers: Answers, gold: int = 0, **columns: Any) -> OutcomeSet:
    """One question a row of `answers`: cluster numbers, None for a failed sample.

    A sample is right where its answer is `gold`; it costs 100 + 10 tokens, and nothing of it is
    checked. `columns`: name -> value, or (question, sample) -> value.
    """
    return of_rows(rows(answers, gold, **columns))


def rows(answers: Answers, gold: int = 0, **columns: Any) -> list[dict[str, Any]]:
    return [
        _row(q, s, answer, gold, columns)
        for q, own in enumerate(answers)
        for s, answer in enumerate(own)
    ]


def of_rows(own: Sequence[dict[str, Any]]) -> OutcomeSet:
    outcomes = pl.DataFrame(list(own), infer_schema_length=None)
    queries = outcomes.select("source", "benchmark", "query_id").unique(maintain_order=True)
    return OutcomeSet(outcomes, queries, {"name": "hand"})


def _row(q: int, s: int, answer: int | None, gold: int, columns: dict[str, Any]) -> dict[str, Any]:
    row = {
        "source": "hand",
        "benchmark": "sums",
        "query_id": f"q{q:03d}",
        "arm": "small",
        "model": "maker/tiny-1m",
        "sample": s,
        "status": "failed" if answer is None else "ok",
        "score": None if answer is None else float(answer == gold),
        "answer": None if answer is None else str(answer),
        "answer_cluster": answer,
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "cost_usd": 0.001,
        "cost_basis": "billed",
    }
    for name, value in columns.items():
        row[name] = value(q, s) if isinstance(value, Callable) else value
    return row


def realistic(n: int = 60, k: int = 8, seed: int = 0, benchmark: str = "sums") -> OutcomeSet:
    """Questions of different difficulty, with hints that know a little about the answer."""
    rng = np.random.default_rng(seed)
    hard = rng.beta(1.2, 1.2, n)
    answers = [[0 if rng.random() > h else int(rng.integers(1, 5)) for _ in range(k)] for h in hard]

    def right(q: int, s: int) -> bool:
        return answers[q][s] == 0

    noise = rng.normal(size=(n, k))
    lengths = rng.integers(80, 400, (n, k))
    return samples(
        answers,
        benchmark=benchmark,
        completion_tokens=lambda q, s: int(lengths[q, s]),
        logprob_mean=lambda q, s: float(-0.5 + 0.2 * right(q, s) + 0.2 * noise[q, s]),
        logprob_answer=lambda q, s: float(-0.3 + 0.2 * right(q, s) + 0.3 * noise[q, s]),
        certainty=lambda q, s: float(3 + 0.5 * right(q, s) + 0.5 * noise[q, s]),
        verdict=lambda q, s: (
            "passed"
            if noise[q, s] > 1 - right(q, s)
            else "failed"
            if noise[q, s] < -1
            else "unknown"
        ),
        verdict_confidence=lambda q, s: float(np.clip(0.4 + 0.3 * right(q, s), 0, 1)),
    )
