"""Arms whose rows slipped against the prompts: the mean stays, the correlation goes."""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from eval.sources.traps.finding import Finding, per_query
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
    asked: Counter[str] = Counter()
    alone: dict[tuple[str, str], int] = {}
    for (name,), part in _centred(data).group_by("benchmark", maintain_order=True):
        means = dict(part.group_by("arm", maintain_order=True).agg(pl.col("score").mean()).rows())
        wide = part.pivot(on="arm", index="query_id", values="own").drop("query_id")
        scores = wide.to_numpy().astype(float)
        least = floors.get(str(name), 0.0) + ABOVE
        for arm, slipped in _slipped(scores, means, least).items():
            asked[arm] += 1
            if slipped:
                alone[arm, str(name)] = wide[arm].count()
    for (arm, benchmark), rows in alone.items():
        times = sum(a == arm for a, _ in alone)
        yield Finding(
            code="misaligned_arm",
            # A slipped file slips everywhere; on one benchmark of many it may be a format.
            severity="error" if 2 * times >= asked[arm] else "warning",
            message=f"scores of {arm} on {benchmark} ({rows} queries) do not go with those of "
            f"the other arms, though its mean is ordinary: misaligned, or answers lost at "
            f"random? ({times} of {asked[arm]} benchmarks)",
            rows=rows,
            queries=rows,
            examples=(f"{arm}/{benchmark}",),
            advice="compare some of its answers with the prompts of the same ids; leave the "
            "arm out until they fit",
        )


def _centred(data: OutcomeSet) -> pl.DataFrame:
    """Scores by query and arm, and `own`: less the arm's mean on the query's subject.

    Rows that slip by one mostly stay in their subject, so its difficulty proves nothing.
    """
    subjects = data.queries.select("benchmark", "query_id", "subject")
    mean = pl.col("score").mean().over("benchmark", "subject", "arm")
    return (
        per_query(data)
        .join(subjects, on=["benchmark", "query_id"], maintain_order="left")
        .with_columns(own=pl.col("score") - mean)
    )


def _slipped(scores: np.ndarray, means: Mapping[str, float], least: float) -> dict[str, bool]:
    """Of the columns (queries x arms, NaN: no row) that could be asked: does it stand alone?"""
    if len(scores) < ENOUGH:
        return {}
    half = float(np.median(list(means.values()))) / 2
    ordinary = [max(least, half) <= mean <= CEILING for mean in means.values()]
    names = [arm for arm, usable in zip(means, ordinary, strict=True) if usable]
    if len(names) < 2:
        return {}
    kept = scores[:, ordinary]
    found = {arm: _with_rest(kept, k) for k, arm in enumerate(names)}
    found = {arm: pair for arm, pair in found.items() if not np.isnan(pair[0])}
    if not found:
        return {}
    # Two arms have one correlation between them: nothing shows what is usual here.
    usual = 2 * TOGETHER if len(names) == 2 else float(np.median([r for r, _ in found.values()]))
    if usual < TOGETHER:
        return {}
    return {arm: r < NOTHING and upper < usual / 2 for arm, (r, upper) in found.items()}


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
