"""From samples to one answer: votes, ties, and when more samples can change nothing.

Pure arithmetic on `Candidate`s, so the same functions choose in a running arm and in a replay
of recorded samples. What not: drawing samples, and deciding which answers are equivalent
(`router.verify.clusters`).

Ties go to the cluster with more samples, then to the one seen first. A sample without a
cluster (failed, cut off, no closed answer) has no vote.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["Candidate", "Chosen", "borda", "by_votes", "decided", "probably_decided", "tally"]


class Candidate(NamedTuple):
    """What a method may look at of one sample. Unknown is None. Log-probabilities in nats."""

    cluster: int | None
    completion_tokens: int = 0
    logprob: float | None = None
    """Mean over the completion's tokens."""
    answer_logprob: float | None = None
    """Mean over the final answer's tokens."""
    certainty: float | None = None
    passed: bool | None = None
    """What the verifier said."""
    confidence: float | None = None
    """P(right) after the verifier."""
    reliability: float | None = None
    """Of the sample's claims."""


class Chosen(NamedTuple):
    """Which sample's text is the answer (None: no sample has one), and by what votes."""

    sample: int | None
    """Its place among the samples."""
    share: float | None = None
    """Of all votes' weight, the chosen cluster's; None where nobody voted."""
    weights: tuple[float | None, ...] = ()
    """What each sample's vote counted; None: it had none."""
    reasons: tuple[str, ...] = ()


def tally(seen: Sequence[Candidate], weights: Sequence[float] | None = None) -> dict[int, float]:
    """Cluster -> sum of its samples' weights (1 each without `weights`)."""
    members: dict[int, list[float]] = {}
    for place, one in enumerate(seen):
        if one.cluster is not None:
            weight = 1.0 if weights is None else weights[place]
            members.setdefault(one.cluster, []).append(weight)
    # fsum: the same weights in another order must tie, not differ in the last bit.
    return {cluster: math.fsum(each) for cluster, each in members.items()}


def by_votes(
    seen: Sequence[Candidate],
    weights: Sequence[float] | None = None,
    reasons: tuple[str, ...] = (),
) -> Chosen:
    """The heaviest cluster, and in it the heaviest sample, the first among equals.

    Where no weight is above zero, every vote counts one.
    """
    votes = tally(seen, weights)
    if weights is not None and votes and max(votes.values()) <= 0:
        return by_votes(seen, None, (*reasons, "no vote has any weight: each counts one"))
    if not votes:
        return Chosen(None, None, (None,) * len(seen), (*reasons, "no sample has a closed answer"))
    each = [1.0] * len(seen) if weights is None else list(weights)
    sizes = tally(seen)
    best = max(votes, key=lambda cluster: (votes[cluster], sizes[cluster], -_first(seen, cluster)))
    members = [i for i, one in enumerate(seen) if one.cluster == best]
    best_member = max(members, key=lambda i: (each[i], -i))
    whole = sum(votes.values())
    told = tuple(each[i] if one.cluster is not None else None for i, one in enumerate(seen))
    return Chosen(best_member, votes[best] / whole, told, reasons)


def _first(seen: Sequence[Candidate], cluster: int) -> int:
    return next(i for i, one in enumerate(seen) if one.cluster == cluster)


def decided(votes: Mapping[int, float], left: int, most: float = 1.0) -> bool:
    """Can `left` more votes, of at most `most` each, no longer change the winner?

    Strictly: a lead that could be evened out is not decided, since ties are broken by what
    was seen first.
    """
    first, second = _top_two(votes)
    return first - second > left * most


def probably_decided(votes: Mapping[int, float], confidence: float) -> bool:
    """Is the leading answer the more frequent of the top two with that probability?

    Adaptive-Consistency's Beta criterion (Aggarwal et al. 2023, arXiv 2305.11860): with v1
    and v2 votes, P(p > 1/2) under Beta(v1 + 1, v2 + 1).
    """
    from scipy.special import betainc

    first, second = _top_two(votes)
    if first == 0:
        return False
    return float(1.0 - betainc(first + 1, second + 1, 0.5)) >= confidence


def _top_two(votes: Mapping[int, float]) -> tuple[float, float]:
    first, second, *_ = [*sorted(votes.values(), reverse=True), 0.0, 0.0]
    return first, second


def borda(values: Sequence[float], power: float) -> list[float]:
    """Votes by rank: (n - rank + 1) ** power, the best of n having rank 1; equals share the
    better rank. Kang et al. 2025, arXiv 2502.18581, section 3.3."""
    n = len(values)
    ranks = [1 + sum(other > value for other in values) for value in values]
    return [float((n - rank + 1) ** power) for rank in ranks]
