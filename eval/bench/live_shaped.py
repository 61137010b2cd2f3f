"""Made-up cases in the shape of live ones, and a table to fit on: what the policy bench asks.

Features and outcomes are random numbers with live widths and types; nothing of quality can be
read from them. A batch holds float32 blocks, as the feature store does; one case is built from
lists in float64, as `router.cases` does.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.features import Features
from eval.table import Table
from policies.case import Arm, AttemptBlock, CaseBatch, Outcome
from router.signals.cues import CUES
from router.signals.features import LENGTHS
from router.signals.terms import BUCKETS
from router.state import DOMAINS, NEEDS

__all__ = ["FINGERPRINT", "WIDTHS", "built", "live_cases", "one_case", "training"]

ARMS = (
    Arm("small", "small"),
    Arm("small+index", "small", "index"),
    Arm("large", "large"),
    Arm("large+index", "large", "index"),
)
USD = np.array([2e-5, 4e-5, 4e-3, 5e-3])
WIDTHS: Mapping[str, int] = {
    "embedding": 384,
    "cues": len(CUES),
    "lengths": len(LENGTHS),
    "axes": 2,
    "domains": len(DOMAINS),
    "needs": len(NEEDS),
    "confidence": 1,
}
"""The feature blocks beside `terms`, and their columns."""
TERMS = 60
"""Hashed terms of a prompt of ordinary length."""
FINGERPRINT = "made up"


def training(rows: int, seed: int = 1) -> Table:
    """A table of a small and a large arm to fit on: the small one fails where the first column
    of the embedding is high; every check and sign of an attempt is there."""
    rng = np.random.default_rng(seed)
    blocks = _blocks(rng, rows)
    easy = blocks["embedding"][:, 0] < 0
    right = np.where(easy, 0.9, 0.4)
    score = np.column_stack([rng.random(rows) < right, rng.random(rows) < 0.85]).astype(float)
    trust = np.clip(0.3 + 0.4 * score + 0.3 * rng.random((rows, 2)), 0, 1)
    ids = tuple(f"q{i}" for i in range(rows))
    nats = np.log(trust + 0.01)
    return Table(
        source=FINGERPRINT,
        benchmark="made up",
        arms=(ARMS[0], ARMS[2]),
        benchmarks=("made up",) * rows,
        query_id=ids,
        cluster=np.arange(rows),
        row_key=rng.integers(0, 2**63, rows, dtype=np.uint64),
        score=score,
        outcome=np.full((rows, 2), int(Outcome.ANSWERED)),
        passed=(trust > 0.5).astype(np.float64),
        confidence=trust,
        cost=np.tile(USD[[0, 2]], (rows, 1)) * rng.uniform(0.5, 1.5, (rows, 2)),
        tokens=rng.integers(20, 400, (rows, 2)),
        agreement=trust,
        logprob=nats,
        logprob_answer=nats,
        certainty=-nats,
        checked=True,
        incomplete=0,
        features=Features(blocks, np.ones(rows, dtype=bool), FINGERPRINT),
    )


def live_cases(rows: int, seed: int = 0) -> CaseBatch:
    """A batch: the even rows are new requests, on the odd ones the small arm has answered."""
    rng = np.random.default_rng(seed)
    blocks = _blocks(rng, rows)
    usd = np.tile(USD, (rows, 1)) * rng.uniform(0.5, 1.5, (rows, 1))
    key = rng.integers(0, 2**63, rows, dtype=np.uint64)
    return _cases(blocks, key, usd, _answered(np.arange(rows) % 2 == 1))


def one_case(tried: bool = False, seed: int = 0) -> dict[str, Any]:
    """What a live decision starts from: blocks as lists, the key, whether small has answered."""
    rng = np.random.default_rng(seed)
    blocks = {name: block[0].tolist() for name, block in _blocks(rng, 1).items()}
    return {"blocks": blocks, "key": rng.integers(0, 2**63, 1, dtype=np.uint64), "tried": tried}


def built(facts: Mapping[str, Any]) -> CaseBatch:
    """The case of `one_case`, made as `router.cases` makes it."""
    blocks = {k: np.asarray([v], dtype=np.float64) for k, v in facts["blocks"].items()}
    attempts = _answered(np.array([True])) if facts["tried"] else AttemptBlock.empty(1)
    return _cases(blocks, facts["key"].copy(), USD[None, :].copy(), attempts)


def _answered(made: NDArray[np.bool_]) -> AttemptBlock:
    """One attempt of the small arm where `made`, with all that an attempt may show."""
    yes = made[:, None]
    empty = AttemptBlock.empty(len(made))
    shown = np.where(yes, 0.6, np.nan)
    nats = np.where(yes, -0.4, np.nan)
    return replace(
        empty,
        arm=np.where(yes, 0, -1),
        outcome=np.where(yes, int(Outcome.ANSWERED), int(Outcome.NONE)),
        passed=np.full(yes.shape, np.nan),
        confidence=shown,
        cost_usd=np.where(yes, USD[0], 0.0),
        completion_tokens=np.where(yes, 120, 0),
        agreement=shown.copy(),
        logprob=nats,
        logprob_answer=nats.copy(),
        certainty=-nats,
    )


def _cases(
    blocks: dict[str, Any],
    key: NDArray[np.uint64],
    usd: NDArray[np.float64],
    attempts: AttemptBlock,
) -> CaseBatch:
    shape = usd.shape
    return CaseBatch(
        arms=ARMS,
        features=blocks,
        fingerprint=FINGERPRINT,
        predicted_cost=usd,
        worst_cost=usd * 4,
        predicted_seconds=np.full(shape, np.nan),
        available=np.ones(shape, dtype=bool),
        capable=np.ones(shape, dtype=bool),
        request_left=np.full(len(usd), 0.25),
        tenant_left=np.full(len(usd), np.inf),
        row_key=key,
        attempts=attempts,
    )


def _blocks(rng: np.random.Generator, rows: int) -> dict[str, NDArray[Any]]:
    made: dict[str, NDArray[Any]] = {
        name: rng.random((rows, width), dtype=np.float32) for name, width in WIDTHS.items()
    }
    embedding = rng.standard_normal((rows, WIDTHS["embedding"]), dtype=np.float32)
    made["embedding"] = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    made["lengths"] = 3 + 4 * made["lengths"]
    # Words follow Zipf's law: a vocabulary of those that two rows share stays a real one.
    made["terms"] = ((rng.zipf(1.3, (rows, TERMS)) - 1) % BUCKETS).astype(np.int32)
    return made
