"""Which queries to label next: where the outcome is nearest to a coin toss, spread out.

    weight   w(x) = mean over arms of exp(-strength * D(p_m(x)))
             D(p) = p log(p / 0.5) + (1 - p) log((1 - p) / 0.5)        0 at 1/2, log 2 at 0 and 1
    spread   the next query is drawn with probability ~ w(x) * d(x)^2

d is the distance of the embedding to the nearest query that is labelled or chosen already. The
weight is the one that VibeThinker's training puts on a problem by its pass rate (MGPO,
arXiv 2511.06221), the draw is k-means++'s (Arthur & Vassilvitskii 2007) with weights. p_m is the
estimate of a `text-logistic` fitted on the labels so far; before there are any, w is 1 everywhere.

One round chooses a batch, its labels come in, the model is fitted again. What this does not do:
undo the shift it makes. A model fitted on such labels sees more hard queries than it will serve.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eval.features import Features
from eval.fit.text_logistic import fit_text_logistic
from policies.case import Arm, AttemptBlock, CaseBatch
from policies.text_logistic import TextLogistic
from router.errors import InputError

__all__ = [
    "LEAST",
    "STRENGTH",
    "cases_of",
    "choose_next",
    "coin_toss_weight",
    "fit_labels",
    "label_in_rounds",
    "weight_of",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STRENGTH = 1.0
"""A certain outcome weighs 1/2 of a coin toss. Of 1, 4 and 16 none was better than another on two
pairs of MMLU-Pro, so it is MGPO's plain exponent."""
LEAST = 20
"""Labels before a model is fitted; below, the draw is spread alone."""
SMALL, LARGE = 0, 1


def coin_toss_weight(p: Floats, strength: float = STRENGTH) -> Floats:
    """exp(-strength * KL(p || 1/2)) of each probability; 1 at one half."""
    q = np.clip(np.asarray(p, dtype=np.float64), 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(v > 0, v * np.log(v / 0.5), 0.0) for v in (q, 1.0 - q)]
    return np.asarray(np.exp(-strength * (parts[0] + parts[1])))


def weight_of(model: TextLogistic, features: Features, strength: float = STRENGTH) -> Floats:
    """(n,) weight of every row: the mean of its arms'."""
    p = model.correct(cases_of(features))
    return np.asarray(coin_toss_weight(p, strength).mean(axis=1))


def fit_labels(features: Features, score: Floats) -> TextLogistic:
    """A text-logistic on (n, 2) scores of the small and the large arm."""
    return fit_text_logistic(features, score[:, SMALL], score[:, LARGE])


def choose_next(
    rows: NDArray[np.float32], weight: Floats, known: Ints, count: int, seed: Sequence[int]
) -> Ints:
    """`count` rows, in the order drawn; never one of `known`, never one twice.

    Raises:
        InputError: fewer than `count` rows are left.
    """
    embedding = np.ascontiguousarray(rows, dtype=np.float32)
    n = len(embedding)
    free = np.ones(n, dtype=bool)
    free[known] = False
    if count > free.sum():
        raise InputError(f"--budget {count}: only {int(free.sum()):,} queries are unlabelled")
    rng = np.random.default_rng(seed)
    length = np.einsum("ij,ij->i", embedding, embedding, dtype=np.float64)
    near = np.full(n, np.inf)
    for row in known:
        near = np.minimum(near, _squares(embedding, length, int(row)))
    chosen: list[int] = []
    for _ in range(count):
        # Far from nothing yet: the weight alone draws the first.
        mass = np.where(free, weight * (near if np.isfinite(near).any() else 1.0), 0.0)
        if not mass.sum() > 0:
            # Only copies of what is known are left, or nothing has weight.
            mass = free.astype(np.float64)
        row = int(np.searchsorted(np.cumsum(mass), rng.random() * mass.sum(), side="right"))
        row = min(row, int(np.flatnonzero(mass)[-1]))
        chosen.append(row)
        free[row] = False
        near = np.minimum(near, _squares(embedding, length, row))
    return np.array(chosen, dtype=np.int64)


def _squares(embedding: NDArray[np.float32], length: Floats, row: int) -> Floats:
    """(n,) squared distances to one row."""
    return np.asarray(np.maximum(length + length[row] - 2.0 * (embedding @ embedding[row]), 0.0))


def label_in_rounds(
    features: Features,
    score: Floats,
    pool: Ints,
    sizes: Sequence[int],
    seed: Sequence[int],
    strength: float = STRENGTH,
) -> list[Ints]:
    """Rows of the pool that are labelled at each size, rising: one round leads to the next.

    Reads the scores of rows that it has chosen, and of no other.
    """
    part = features.take(pool)
    known = np.empty(0, dtype=np.int64)
    out = []
    for step, size in enumerate(sizes):
        weight = np.ones(len(pool))
        if len(known) >= LEAST:
            model = fit_labels(part.take(known), score[pool[known]])
            weight = weight_of(model, part, strength)
        embedding = part.blocks["embedding"]
        more = choose_next(embedding, weight, known, size - len(known), [*seed, step])
        known = np.concatenate([known, more])
        out.append(pool[known])
    return out


def cases_of(features: Features) -> CaseBatch:
    """The rows as a policy is asked; it reads nothing but the blocks."""
    n = len(features.known)
    flat, yes = np.zeros((n, 2)), np.ones((n, 2), dtype=bool)
    return CaseBatch(
        arms=(Arm("small", "small"), Arm("large", "large")),
        features=features.blocks,
        fingerprint=features.fingerprint,
        predicted_cost=flat,
        worst_cost=flat,
        predicted_seconds=flat,
        available=yes,
        capable=yes,
        request_left=np.zeros(n),
        tenant_left=np.zeros(n),
        row_key=np.zeros(n, dtype=np.uint64),
        attempts=AttemptBlock.empty(n),
    )
