"""Arms whose rows slipped against the prompts: the mean stays, the correlation goes."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from eval.sources.traps.finding import Finding, listed, per_query
from eval.sources.traps.options import guess_floors
from policies.outcome import OutcomeSet

__all__ = ["misaligned_arms"]

ENOUGH = 100  # queries; below, a correlation near zero is nothing unusual
TOGETHER = 0.15  # median correlation of the arms from which one at zero stands out
NOTHING = 0.1  # the correlation of a slipped arm may reach this by chance
ABOVE = 0.1  # over the guess floor; an arm that guesses is uncorrelated by right
CEILING = 0.97  # an arm that knows all is, too


def misaligned_arms(data: OutcomeSet) -> Iterator[Finding]:
    """Arms whose scores do not go with the mean score of the other arms, query by query.

    Asked on each benchmark of arms with an ordinary mean (clear of floor and ceiling, at
    least half of the arms' median), and only where the other arms do go together. Of two
    arms it cannot be told which one slipped: both are named.
    """
    floors = dict(guess_floors(data).select("benchmark", "floor").iter_rows())
    for (name,), part in per_query(data).group_by("benchmark", maintain_order=True):
        benchmark = str(name)
        wide = part.pivot(on="arm", index="query_id", values="score").drop("query_id")
        arms, scores = wide.columns, wide.to_numpy().astype(float)
        for arm in _slipped(scores, arms, floors.get(benchmark, 0.0) + ABOVE):
            rows = part.filter(pl.col("arm") == arm).height
            others = listed(a for a in arms if a != arm)
            yield Finding(
                code="misaligned_arm",
                severity="error",
                message=f"scores of {arm} on {benchmark} ({rows} queries) do not go with those "
                f"of {others}, though its mean is ordinary: misaligned?",
                rows=rows,
                queries=rows,
                examples=(f"{arm}/{benchmark}",),
                advice="compare some of its answers with the prompts of the same ids; leave "
                "the arm out until they fit",
            )


def _slipped(scores: np.ndarray, arms: list[str], least: float) -> list[str]:
    """Names of the columns of `scores` (queries x arms, NaN: no row) that stand alone."""
    if len(scores) < ENOUGH or len(arms) < 2:
        return []
    means = np.nanmean(scores, axis=0)
    ordinary = (means >= least) & (means <= CEILING) & (means >= np.median(means) / 2)
    if ordinary.sum() < 2:
        return []
    kept = scores[:, ordinary]
    names = [arm for arm, usable in zip(arms, ordinary, strict=True) if usable]
    found = [_with_rest(kept, k) for k in range(len(names))]
    r = np.array([value for value, _ in found])
    upper = np.array([bound for _, bound in found])
    if np.isnan(r).all():
        return []
    usual = float(np.nanmedian(r)) if len(names) > 2 else 2 * TOGETHER
    if usual < TOGETHER:
        return []
    alone = (r < NOTHING) & (upper < usual / 2)
    slipped = [arm for arm, bad in zip(names, alone, strict=True) if bad]
    return slipped[:1] if len(names) == 2 else slipped


def _with_rest(scores: np.ndarray, k: int) -> tuple[float, float]:
    """Correlation of column k with the mean of the others, and its upper 95 % bound (Fisher)."""
    others = np.delete(scores, k, axis=1)
    use = ~np.isnan(scores[:, k]) & ~np.isnan(others).all(axis=1)
    if use.sum() < ENOUGH:
        return float("nan"), float("nan")
    mine, rest = scores[use, k], np.nanmean(others[use], axis=1)
    if mine.std() == 0 or rest.std() == 0:
        return float("nan"), float("nan")
    r = float(np.corrcoef(mine, rest)[0, 1])
    bound = np.tanh(np.arctanh(np.clip(r, -0.999, 0.999)) + 1.96 / np.sqrt(use.sum() - 3))
    return r, float(bound)
