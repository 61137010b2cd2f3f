"""A simulated world where it is known when claim-level reliability beats a majority vote.

A question has a right answer of probability p per sample, and wrong ones. A trajectory has M
claims: all true where its answer is right, a stated number of them false where it is wrong. A
checker validates a true claim with probability `keeps_true` (its sensitivity), a false one with
`keeps_false` (1 - its specificity), each claim independently. A sample's vote weighs
r = (validated / M) ** M (arXiv 2606.16140, section 3.1), a majority's weighs 1.

In the limit of many samples an answer's votes grow like P(answer) * E[r | answer]. With q the
most likely wrong answer's probability, E_right and E_wrong the mean reliabilities:

    CLR is right where the majority is wrong   iff  p < q  and  p * E_right > q * E_wrong
    CLR is wrong where the majority is right   iff  p > q  and  p * E_right < q * E_wrong

so in the limit it never gains unless E_right > E_wrong (nothing from a checker that cannot tell),
and loses only where E_right < E_wrong (a checker that prefers false claims). **Not so for a few
samples**: r differs among equals, which is noise, and noise pulls any vote towards the luck of
one sample. That costs where the majority is mostly right, and *gains* where it is mostly wrong,
with a checker that knows nothing. `p_right` is exact for any K, so both effects can be told apart.

Equal K is not equal tokens: CLR also pays 1 + M calls a sample.

Assumed: samples independent and alike, every sample closes with an answer, claims judged
independently. Real claims of one trajectory fail together, and a model that checks its own
errors validates them too often: that is `keeps_false` near `keeps_true`.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from router.arms.claims import reliability
from router.arms.methods import Clr, Majority
from router.arms.voting import Candidate
from router.record import Record

__all__ = [
    "Simulated",
    "World",
    "clr_gains",
    "clr_loses",
    "limit",
    "mean_reliability",
    "p_right",
    "scattered",
    "simulate",
]

Part = Annotated[float, Field(ge=0, le=1)]
Vote = Literal["majority", "clr"]
Floats = NDArray[np.float64]


class World(Record):
    """One question, its samples, and the checker of their claims. All parts are probabilities."""

    right: Part
    """p: a sample has the right answer."""
    wrong: tuple[Part, ...]
    """A sample has this wrong answer; with `right` they sum to 1."""
    claims: int = Field(default=5, ge=1, le=10)
    """M."""
    false_claims: int = Field(default=2, ge=0)
    """Of a wrong trajectory's M; a right one has none."""
    keeps_true: Part
    """P(validated | the claim is true): sensitivity."""
    keeps_false: Part
    """P(validated | the claim is false): 1 - specificity."""

    @model_validator(mode="after")
    def _adds_up(self) -> "World":
        if not math.isclose(self.right + sum(self.wrong), 1.0):
            raise ValueError(f"the answers' probabilities sum to {self.right + sum(self.wrong):g}")
        if self.false_claims > self.claims:
            raise ValueError(f"{self.false_claims} of {self.claims} claims cannot be false")
        return self


def scattered(right: float, distractor: float, others: int) -> tuple[float, ...]:
    """`World.wrong`: one distractor, and what is left over `others` equally likely answers."""
    return (distractor, *[(1.0 - right - distractor) / others] * others)


def _validated(world: World, right: bool) -> Floats:
    """(M + 1,) P(v of the M claims of a right or a wrong trajectory are validated)."""
    false = 0 if right else world.false_claims
    told = np.ones(1)
    for claim in range(world.claims):
        keeps = world.keeps_false if claim < false else world.keeps_true
        told = np.convolve(told, (1.0 - keeps, keeps))
    return told


def mean_reliability(world: World, right: bool) -> float:
    """E[r | the trajectory is right, or wrong], in [0, 1]."""
    r = [reliability([True] * v, world.claims) for v in range(world.claims + 1)]
    return float(_validated(world, right) @ r)


def limit(world: World, vote: Vote) -> Literal["right", "wrong", "tie"]:
    """Which answer wins as K grows: the largest P(answer), or P(answer) * E[r | answer]."""
    ours, theirs = world.right, max(world.wrong, default=0.0)
    if vote == "clr":
        ours, theirs = ours * mean_reliability(world, True), theirs * mean_reliability(world, False)
    if math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-15):
        return "tie"
    return "right" if ours > theirs else "wrong"


def clr_gains(world: World) -> bool:
    """CLR's limit is right and the majority's is wrong: p < q and p * E_right > q * E_wrong."""
    p, q = world.right, max(world.wrong, default=0.0)
    return p < q and p * mean_reliability(world, True) > q * mean_reliability(world, False)


def clr_loses(world: World) -> bool:
    """CLR's limit is wrong and the majority's is right: p > q and p * E_right < q * E_wrong."""
    p, q = world.right, max(world.wrong, default=0.0)
    return p > q and p * mean_reliability(world, True) < q * mean_reliability(world, False)


class _Sums(NamedTuple):
    """The weight of one answer that has a stated number of samples. Both (s,), by rising value."""

    value: NDArray[np.int64]
    """In units of M ** -M, so that equal sums are equal."""
    chance: Floats


def _sums(told: Floats, k: int) -> list[_Sums]:
    """For 0 .. k samples of an answer, the distribution of the sum of v ** M."""
    m = len(told) - 1
    step = np.arange(m + 1, dtype=np.int64)[told > 0] ** m
    sums = [_Sums(np.zeros(1, dtype=np.int64), np.ones(1))]
    for _ in range(k):
        last = sums[-1]
        each = np.outer(last.chance, told[told > 0]).ravel()
        value, place = np.unique(np.add.outer(last.value, step).ravel(), return_inverse=True)
        sums.append(_Sums(value, np.bincount(place, weights=each).astype(np.float64)))
    return sums


def p_right(world: World, k: int, vote: Vote) -> float:
    """P(the right answer is chosen of k samples), exactly, with the product's tie rule.

    Sums over all numbers of samples an answer and all values of its weight. Equal weights go to
    more samples, then to the answer seen first: of t answers alike in both, each is first with
    probability 1 / t, since all orders are equally likely. A majority is the vote whose checker
    validates everything. Sums are exact here; the product's are floats, in which equal sums may
    differ by their order. Time and memory grow like C(k + M, M): a second at k = 32, M = 5.
    """
    if vote == "majority":
        world = world.model_copy(update={"keeps_true": 1.0, "keeps_false": 1.0})
    ours, theirs = (_sums(_validated(world, right), k) for right in (True, False))
    total = 0.0
    for n in range(1, k + 1):
        ways = math.factorial(k) / math.factorial(n) * world.right**n
        total += ways * float(ours[n].chance @ _none_above(ours[n].value, n, theirs, world, k - n))
    return total


def _none_above(
    value: NDArray[np.int64], n: int, theirs: list[_Sums], world: World, left: int
) -> Floats:
    """(s,) For each value of the right answer's weight: P(it is chosen and the `left` other
    samples are of wrong answers) / left!.

    A product over the wrong answers of generating functions in the number of samples. Its
    factor for a lighter answer is 1 and for an equal one u: the integral of u ** t over 0 .. 1
    is 1 / (t + 1), the right answer's chance among t equals. Gauss-Legendre is exact here.
    """
    nodes, weights = np.polynomial.legendre.leggauss(len(world.wrong) // 2 + 1)
    places = [_against(value, n, theirs[j], j) for j in range(left + 1)]
    total = np.zeros(len(value))
    for u, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        each = [(below + u * equal) / math.factorial(j) for j, (below, equal) in enumerate(places)]
        ways = np.zeros((left + 1, len(value)))
        ways[0] = 1.0
        for q in world.wrong:
            factor = np.array([part * q**j for j, part in enumerate(each)])
            ways = np.array([(ways[: i + 1] * factor[i::-1]).sum(axis=0) for i in range(left + 1)])
        total += weight * ways[left]
    return total


def _against(value: NDArray[np.int64], n: int, other: _Sums, samples: int) -> tuple[Floats, Floats]:
    """(s,) twice: P(an answer of `samples` samples stands below, equal to) one of n and `value`."""
    upto = np.concatenate(([0.0], np.cumsum(other.chance)))
    less = upto[np.searchsorted(other.value, value, side="left")]
    same = upto[np.searchsorted(other.value, value, side="right")] - less
    if samples == n:
        return less, same
    return (less + same if samples < n else less), np.zeros(len(value))


class Simulated(NamedTuple):
    """What the product's own votes chose, on the same samples."""

    questions: int
    majority: float
    """Part of the questions with the right answer."""
    clr: float
    gained: int
    """Questions that only CLR had right."""
    lost: int
    """Questions that only the majority had right."""

    @property
    def difference(self) -> float:
        """CLR minus majority, paired."""
        return (self.gained - self.lost) / self.questions

    @property
    def error(self) -> float:
        """Standard error of the difference."""
        discordant = (self.gained + self.lost) / self.questions
        return math.sqrt(max(discordant - self.difference**2, 0.0) / self.questions)


def simulate(world: World, k: int, questions: int, seed: int | Sequence[int]) -> Simulated:
    """Draw k samples a question and have `Majority` and `Clr` choose among the same ones."""
    rng = np.random.default_rng(seed)
    odds = np.array((world.right, *world.wrong))
    answers = rng.choice(len(odds), size=(questions, k), p=odds / odds.sum())
    false = np.arange(world.claims) < world.false_claims
    keeps = np.where((answers > 0)[..., None] & false, world.keeps_false, world.keeps_true)
    checks = rng.random(keeps.shape) < keeps
    votes = Majority(k=k), Clr(k=k, claims=world.claims)
    right = np.zeros((questions, 2), dtype=bool)
    for row in range(questions):
        seen = [
            Candidate(answer, reliability=reliability(told, world.claims))
            for answer, told in zip(answers[row].tolist(), checks[row].tolist(), strict=True)
        ]
        chosen = [vote.choose(seen).sample for vote in votes]
        right[row] = [one is not None and seen[one].cluster == 0 for one in chosen]
    majority, clr = right.T
    gained, lost = int((clr & ~majority).sum()), int((majority & ~clr).sum())
    return Simulated(questions, float(majority.mean()), float(clr.mean()), gained, lost)
