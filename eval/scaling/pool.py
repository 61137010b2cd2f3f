"""Pools: recorded samples of one arm, several a question, that methods are replayed on.

A pool is made from an outcome set (`policies/outcome.py`). What a row counts is TREATMENT's
word there: a failed sample scores 0, has no vote, and its tokens were paid; a question with
a `missing` row leaves.

A sample votes where the set gives its answer a cluster (`answer_cluster`): for a live run that
is equivalence, or behaviour for programs, of answers that were closed, as in a running arm. The
rest has no vote; it keeps its score, for `single` and the oracle.

Kinds:

    plain      bare samples
    clr        with their claims and checks: the tokens are of all calls, `reliability` is filled
    forced     samples whose answer was forced at a cap
    spectrum   samples of several prompts in turn: sample j is of variant j mod V
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from policies.outcome import OutcomeSet, Status, counted_score
from router.arms.voting import Candidate
from router.errors import InputError

__all__ = ["KINDS", "Asked", "Floats", "Kind", "Pool", "Sample", "pools_of"]

Floats = NDArray[np.float64]
Kind = Literal["plain", "clr", "forced", "spectrum"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_PASSED = {"passed": True, "failed": False}


class Sample(NamedTuple):
    """One recorded sample: what a method may look at, and what only the scoring knows."""

    candidate: Candidate
    score: float
    """What the row counts, 0..1."""
    tokens: int
    """Prompt and completion of all its calls."""
    usd: float | None
    status: str
    answer: str | None = None


class Asked(NamedTuple):
    """A question with its samples, in the order in which they were recorded."""

    id: str
    cluster: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Pool:
    """Samples of one arm on one benchmark: `k` of each question."""

    kind: Kind
    benchmark: str
    arm: str
    model: str
    asked: tuple[Asked, ...]
    k: int
    turns: int = 1
    """Variants that the samples are of in turn; `k` is a multiple of it."""
    notes: tuple[str, ...] = ()
    """What was left out, in words."""

    @cached_property
    def score(self) -> Floats:
        """(questions, k): what each sample counts."""
        return np.array([[s.score for s in one.samples] for one in self.asked], np.float64)

    @cached_property
    def tokens(self) -> Floats:
        """(questions, k): prompt and completion tokens."""
        return np.array([[s.tokens for s in one.samples] for one in self.asked], np.float64)

    @cached_property
    def usd(self) -> Floats | None:
        """(questions, k); None where a sample's cost is not recorded."""
        costs = [[s.usd for s in one.samples] for one in self.asked]
        if any(cost is None for row in costs for cost in row):
            return None
        return np.array(costs, np.float64)

    @property
    def clusters(self) -> list[str]:
        """(questions,): what a bootstrap keeps whole."""
        return [one.cluster for one in self.asked]

    @cached_property
    def checksum(self) -> str:
        """16 hex digits over ids and all that methods and scores are made of."""
        return hashlib.sha256(repr(self.asked).encode()).hexdigest()[:16]

    def knows(self, field: str) -> bool:
        """Is this field of `Candidate` filled for any sample that votes?"""
        seen = (s.candidate for one in self.asked for s in one.samples)
        return any(c.cluster is not None and getattr(c, field) is not None for c in seen)


def pools_of(data: OutcomeSet, kind: Kind, where: str) -> list[Pool]:
    """One pool a benchmark of the set. `where` names the set in errors.

    K is what most questions have (the smaller of two equally frequent): a question with
    fewer leaves, more are not used; both are counted in `notes`.

    Raises:
        InputError: several arms, a policy's attempts, or nothing left with two samples.
    """
    import polars as pl

    rows = data.outcomes
    if len(data.arms) != 1:
        raise InputError(
            f"--pool {where}: a pool is of one arm, this set has {len(data.arms)} "
            f"({', '.join(data.arms)}): store each as a set of its own"
        )
    if len(rows.filter(pl.col("attempt") > 0)):
        raise InputError(f"--pool {where}: holds a policy's attempts: a pool is of a bare arm")
    rows = rows.with_columns(counted=counted_score())
    return [
        _pool(list(part.iter_rows(named=True)), kind, where, data.about.get("notes") or ())
        for _, part in rows.group_by("benchmark", maintain_order=True)
    ]


def _pool(rows: Sequence[Mapping[str, Any]], kind: Kind, where: str, said: Sequence[str]) -> Pool:
    held: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: int(row["sample"])):
        held.setdefault(row["query_id"], []).append(row)
    missing = [q for q, own in held.items() if any(r["counted"] is None for r in own)]
    whole = {q: own for q, own in held.items() if q not in set(missing)}
    k = _usual(Counter(len(own) for own in whole.values()))
    least = 1 if kind == "spectrum" else 2
    if k < least:
        raise InputError(
            f"--pool {where}: most questions of {rows[0]['benchmark']} have {k} samples: "
            f"record more (`ockham eval run --samples 8`, at a temperature above 0)"
        )
    short = sum(len(own) < k for own in whole.values())
    long = sum(len(own) > k for own in whole.values())
    asked = tuple(
        Asked(q, str(own[0]["cluster_id"]), tuple(_sample(r, where) for r in own[:k]))
        for q, own in sorted(whole.items())
        if len(own) >= k
    )
    every = [s for one in asked for s in one.samples]
    failed = sum(s.status == Status.FAILED for s in every)
    mute = [s for s in every if s.candidate.cluster is None and s.status != Status.FAILED]
    right = sum(s.score > 0 for s in mute)
    told = (
        (len(missing), f"{len(missing)} questions with a missing sample left out"),
        (short, f"{short} questions with fewer than {k} samples left out"),
        (long, f"{long} questions have more than {k} samples: the first {k} are used"),
        (
            len(mute),
            f"{len(mute)} of {len(every)} samples were cut off or gave no answer: no vote "
            f"({right} of them count as right, for single and the oracle)",
        ),
        (failed, f"{failed} of {len(every)} samples failed: score 0, no vote, tokens paid"),
    )
    first = rows[0]
    label = str(first["arm"]) if kind == "spectrum" else kind  # of which there are several
    model = next((str(r["model"]) for r in rows if r["status"] != Status.FAILED), first["model"])
    return Pool(
        kind=kind,
        benchmark=str(first["benchmark"]),
        arm=str(first["arm"]),
        model=model.rpartition("/")[2],
        asked=asked,
        k=k,
        notes=tuple(f"{label}: {text}" for text in (*said, *(t for count, t in told if count))),
    )


def _usual(counts: "Counter[int]") -> int:
    """The most frequent number; of several the smallest; 0 where there is none."""
    return max(counts, key=lambda n: (counts[n], -n), default=0)


def _sample(row: Mapping[str, Any], where: str) -> Sample:
    status = str(row["status"])
    tokens = [row["prompt_tokens"], row["completion_tokens"]]
    if None in tokens and status != Status.FAILED:
        raise InputError(
            f"--pool {where}: {row['query_id']}, sample {row['sample']} has no token counts: "
            "methods cannot be compared at equal tokens without them"
        )
    candidate = Candidate(
        cluster=row["answer_cluster"],
        completion_tokens=tokens[1] or 0,
        logprob=row["logprob_mean"],
        answer_logprob=row["logprob_answer"],
        certainty=row["certainty"],
        passed=_PASSED.get(row["verdict"]),
        confidence=row["verdict_confidence"],
        reliability=row["reliability"],
    )
    paid = sum(n or 0 for n in tokens)
    return Sample(candidate, row["counted"], paid, row["cost_usd"], status, row["answer"])
