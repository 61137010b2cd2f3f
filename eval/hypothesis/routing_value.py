"""P4: does verifiability tell where the small model matches the large one, beyond difficulty?

A pair of arms on the queries that both were asked. y is 1 where small scores at least as high.
Two logistic models, out of fold: on (difficulty, log length), and on those with verifiability;
the gain is the difference of their AUROC. Folds and resamples keep clusters whole; where the
pairs of a table are of several families, the families are resampled too. The coefficient's sign
decides as well: a gain with a negative coefficient refutes.

Difficulty is one minus the mean score of the other models on the query; with two models only,
what a text model fitted on other folds expects of both.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from eval.hypothesis.families import family_of
from eval.hypothesis.populations import axis_of, excluded_cells
from eval.hypothesis.rules import NOTHING, Estimate, Word, decide
from eval.hypothesis.slope_ratio import interval
from policies.outcome import OutcomeSet, Status, counted_score

__all__ = ["NAME", "SIDE", "PairData", "Routed", "judge_routing", "pair_data", "route"]

NAME = "P4_routing_value"
SIDE = 200
"""Queries on each side of the label: the pre-registered guard."""
FOLDS = 5
BATCH = 64
RIDGE = 1e-6
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PairData:
    """(n,) queries of one pair of arms that have a label and a text."""

    small: str
    large: str
    clusters: NDArray[np.int64]
    query_ids: tuple[str, ...]
    texts: tuple[str, ...]
    matches: Floats  # 1 where small scores at least as high
    others: Floats  # mean score of the other arms; nan where there are none
    both: Floats  # mean score of the two
    length: Floats  # log of characters
    verifiable: Floats  # 1 or 0, the benchmark's label
    notes: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """Of the small model."""
        return family_of(self.small)[0]


@dataclass(frozen=True)
class Routed:
    """One pair, scored: resampled gains and coefficients, and the value on all rows."""

    pair: PairData
    gain: Estimate
    coefficient: Estimate
    base: float
    """AUROC of difficulty and length alone."""
    draws: Floats  # (r, 2) gain, coefficient


def pair_data(data: OutcomeSet, small: str, large: str) -> PairData | str:
    """The rows of a pair, or why there are none."""
    left = excluded_cells(data)
    rows = data.outcomes.filter(pl.col("status") != Status.MISSING).with_columns(
        counted_score().alias("counted")
    )
    out = [f"{arm}/{b}: {why}" for (arm, b), why in left.items() if arm in (small, large)]
    names = {"arm": pl.String(), "benchmark": pl.String()}
    gone = pl.DataFrame([{"arm": a, "benchmark": b} for a, b in left], schema=names)
    rows = rows.join(gone, on=["arm", "benchmark"], how="anti")
    key = ["benchmark", "query_id"]
    mean = rows.group_by(*key, "arm").agg(pl.col("counted").mean())
    two = mean.filter(pl.col("arm") == small).join(mean.filter(pl.col("arm") == large), on=key,
                                                   suffix="_large")  # fmt: skip
    rest = (
        mean.filter(~pl.col("arm").is_in([small, large]))
        .group_by(key)
        .agg(others=pl.col("counted").mean())
    )
    about = data.queries.select(*key, "cluster_id", "subject", "query")
    both = two.join(about, on=key).join(rest, on=key, how="left").sort(key)
    axis = [axis_of(b, s) for b, s in both.select("benchmark", "subject").iter_rows()]
    both = both.with_columns(axis=pl.Series(axis, dtype=pl.String)).drop_nulls("axis")
    if not len(both):
        return "; ".join(["no query with a label that both arms were asked", *out])
    if both["query"].null_count() == len(both):
        return "query texts are not published, so neither length nor a text model can be had"
    both = both.drop_nulls("query")
    return PairData(
        small=small,
        large=large,
        clusters=np.unique(both["cluster_id"].to_numpy(), return_inverse=True)[1].astype(np.int64),
        query_ids=tuple(both["query_id"]),
        texts=tuple(both["query"]),
        matches=(both["counted"] >= both["counted_large"]).cast(pl.Float64).to_numpy(),
        others=both["others"].cast(pl.Float64).to_numpy(),
        both=((both["counted"] + both["counted_large"]) / 2).to_numpy(),
        length=np.log(np.maximum(both["query"].str.len_chars().to_numpy(), 1)),
        verifiable=(both["axis"] == "verifiable").cast(pl.Float64).to_numpy(),
        notes=tuple(out),
    )


def route(
    pair: PairData, resamples: int, seed: int, verifiable: Floats | None = None
) -> Routed | str:
    """The gain on one pair, or why it cannot be had.

    verifiable: in place of the benchmark's label; the signals head's estimate.
    """
    label = pair.verifiable if verifiable is None else verifiable
    ones = int(pair.matches.sum())
    if not 0 < ones < len(pair.matches):
        return "small matches large on every query, or on none"
    folds = _folds(pair.clusters, seed)
    difficulty = _difficulty(pair, folds, seed)
    plain = np.column_stack([difficulty, pair.length])
    full = np.column_stack([plain, label])
    scores = [_out_of_fold(x, pair.matches, folds) for x in (plain, full)]
    area = [_Area(s, pair.matches) for s in scores]
    base, more = (float(a.under(np.ones((1, len(folds))))[0]) for a in area)
    start = _logistic(full, pair.matches)
    gains, signs = [], []
    for weight in _draws(pair.clusters, resamples, seed):
        gains.append(area[1].under(weight) - area[0].under(weight))
        signs.append(start[-1] + _steps(full, pair.matches, start, weight)[:, -1])
    drawn = np.column_stack([np.concatenate(gains), np.concatenate(signs)])
    return Routed(
        pair,
        interval(drawn[:, 0], more - base),
        interval(drawn[:, 1], float(start[-1])),
        base,
        drawn,
    )


def judge_routing(
    prediction: Mapping[str, object], routed: Sequence[Routed], seed: int, why: str = "none given"
) -> tuple[Word, str, Estimate, Estimate]:
    """(verdict, reason, gain, coefficient) of a table's pairs together.

    Gains are averaged over pairs; families of pairs are drawn beside the queries.

    Args:
        why: what to say where no pair could be scored.
    """
    if not routed:
        failed = [f"no pair of models can be scored: {why}"]
        return *decide(prediction, NOTHING, failed), NOTHING, NOTHING
    families = sorted({r.pair.family for r in routed})
    of = np.array([families.index(r.pair.family) for r in routed])
    draws = np.stack([r.draws for r in routed])  # (p, r, 2)
    rng = np.random.default_rng([seed, 7])
    times = rng.multinomial(len(families), np.full(len(families), 1 / len(families)),
                            size=draws.shape[1])[:, of].T  # fmt: skip
    mean = (draws * times[:, :, None]).sum(axis=0) / np.maximum(times.sum(axis=0), 1)[:, None]
    gain = interval(mean[:, 0], float(np.mean([r.gain.value for r in routed])))
    sign = interval(mean[:, 1], float(np.mean([r.coefficient.value for r in routed])))
    sides = [np.bincount(r.pair.verifiable > 0.5, minlength=2).min() for r in routed]
    least = int(min(sides))
    failed = [] if least >= SIDE else [f"{least} queries on one side of the label, {SIDE} needed"]
    word, reason = decide(prediction, gain, failed)
    if word == "supported":
        word, reason = _directed(reason, sign)
    return word, reason, gain, sign


def _directed(reason: str, sign: Estimate) -> tuple[Word, str]:
    """A gain supports only where small matches large *more* on verifiable queries."""
    said = f"the coefficient of verifiability is {sign.says(2)}"
    if sign.high < 0:
        return "refuted", f"direction: there is a gain, but {said}, upper bound < 0"
    if not sign.low > 0:
        return "undecided", f"direction: there is a gain, but {said}, its sign is open"
    return "supported", f"{reason}; {said}"


def _folds(clusters: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """(n,) fold of each row, clusters whole."""
    rng = np.random.default_rng([seed, 8])
    of = rng.permutation(int(clusters.max()) + 1) % FOLDS
    return of[clusters].astype(np.int64)


def _draws(clusters: NDArray[np.int64], resamples: int, seed: int) -> Iterator[Floats]:
    """(b, n) row weights of some resamples of whole clusters at a time."""
    rng, k = np.random.default_rng([seed, 9]), int(clusters.max()) + 1
    for first in range(0, resamples, BATCH):
        rows = min(BATCH, resamples - first)
        counts = [np.bincount(rng.integers(0, k, k), minlength=k) for _ in range(rows)]
        yield np.array(counts, dtype=np.float64)[:, clusters]


class _Area:
    """AUROC of one score as a function of row weights, many at once; sorted once."""

    def __init__(self, score: Floats, truth: Floats) -> None:
        self._order = np.argsort(score, kind="stable")
        ranked = score[self._order]
        self._starts = np.flatnonzero(np.concatenate([[True], np.diff(ranked) > 0]))
        self._truth = truth[self._order]

    def under(self, weight: Floats) -> Floats:
        """(b,) areas; ties count half."""
        ranked = weight[:, self._order]
        ones = np.add.reduceat(ranked * self._truth, self._starts, axis=1)
        zeros = np.add.reduceat(ranked * (1 - self._truth), self._starts, axis=1)
        below = np.cumsum(zeros, axis=1) - zeros / 2
        area: Floats = (ones * below).sum(axis=1) / (ones.sum(axis=1) * zeros.sum(axis=1))
        return area


def _difficulty(pair: PairData, folds: NDArray[np.int64], seed: int) -> Floats:
    if not np.isnan(pair.others).any():
        return 1 - pair.others
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.linear_model import Ridge

    rows = HashingVectorizer(n_features=2**16, alternate_sign=False).transform(pair.texts)
    out = np.empty(len(folds))
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        scale = TfidfTransformer().fit(rows[train])
        model = Ridge(alpha=3.0, solver="lsqr", random_state=seed)
        model.fit(scale.transform(rows[train]), pair.both[train])
        out[test] = 1 - model.predict(scale.transform(rows[test]))
    return out


def _out_of_fold(x: Floats, y: Floats, folds: NDArray[np.int64]) -> Floats:
    out = np.empty(len(y))
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        weights = _logistic(x[train], y[train])
        out[test] = weights[0] + (x[test] @ weights[1:])
    return out


def _logistic(x: Floats, y: Floats) -> Floats:
    """(1 + d,) constant and coefficients by Newton's steps, a touch of ridge."""
    beta = np.zeros(x.shape[1] + 1)
    for _ in range(25):
        step = _steps(x, y, beta, np.ones((1, len(y))))[0]
        beta = beta + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-8:
            break
    return beta


def _steps(x: Floats, y: Floats, beta: Floats, weight: Floats) -> Floats:
    """(b, 1 + d) Newton's step from beta under each row of weights."""
    full = np.column_stack([np.ones(len(x)), x])
    p = 1 / (1 + np.exp(-np.clip(full @ beta, -30, 30)))
    wide = full.shape[1]
    squares = (full[:, :, None] * full[:, None, :]).reshape(len(x), -1) * (p * (1 - p))[:, None]
    info: Floats = (weight @ squares).reshape(-1, wide, wide) + RIDGE * np.eye(wide)
    pull: Floats = weight @ (full * (y - p)[:, None]) - RIDGE * beta
    return np.asarray(np.linalg.solve(info, pull[:, :, None])[:, :, 0], dtype=np.float64)
