"""P3: do renumbered problems hurt the small model much more than the large one?

(canonical - perturbed) of the small model less the same of the large one, in points, paired by
template: the instances of a template are averaged first, templates are resampled. Which question
is which stands in its subject (`eval/benchmarks/gsm8k_renumbered.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from eval.benchmarks.gsm8k_renumbered import CANONICAL, PERTURBED
from eval.hypothesis.families import family_of
from eval.hypothesis.registration import Registration
from eval.hypothesis.rules import NOTHING, Estimate, Verdict, decide, undecided
from eval.hypothesis.slope_ratio import interval
from policies.outcome import OutcomeSet, Status, counted_score

__all__ = ["NAME", "SETS", "Drops", "drops_of", "memorisation_verdict"]

NAME = "P3_memorisation"
POPULATION = "live_fresh_seed"
SETS = {
    "gsm8k_test": "GSM8K renumbered",
    "reasoning_gym_small": "reasoning-gym twins",
}
"""Beginnings of the live set's templates, and what they are called."""
LEAST, MOST = 0.10, 0.95
"""Of the canonical questions right: the pre-registered guard."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Drops:
    """One arm: (t,) templates with the mean score of each kind."""

    arm: str
    model: str
    templates: tuple[str, ...]
    canonical: Floats
    perturbed: Floats
    questions: int

    @property
    def points(self) -> Floats:
        """(t,) canonical less perturbed."""
        return 100 * (self.canonical - self.perturbed)

    @property
    def kinds(self) -> list[str]:
        """The beginnings of the templates' names: which sets they are of."""
        return sorted({_set_of(t) for t in self.templates})

    def of(self, kind: str) -> "Drops":
        """The same for the templates of one set; `questions` stays that of all."""
        kept = np.array([_set_of(t) == kind for t in self.templates])
        return replace(
            self,
            templates=tuple(t for t in self.templates if _set_of(t) == kind),
            canonical=self.canonical[kept],
            perturbed=self.perturbed[kept],
        )


def _set_of(template: str) -> str:
    return template.partition(":")[0]


def drops_of(data: OutcomeSet) -> Drops:
    """The templates of one live run (or of several, joined) that have both kinds."""
    rows = (
        data.outcomes.filter(pl.col("returned") & (pl.col("status") != Status.MISSING))
        .with_columns(counted_score().alias("counted"))
        .group_by("cluster_id", "subject", "query_id")
        .agg(pl.col("counted").mean())
        .group_by("cluster_id", "subject")
        .agg(pl.col("counted").mean(), pl.len().alias("asked"))
    )
    one, two = (rows.filter(pl.col("subject") == kind) for kind in (CANONICAL, PERTURBED))
    both = one.join(two, on="cluster_id", suffix="_new").sort("cluster_id")
    first = data.outcomes.row(0, named=True)
    return Drops(
        arm=str(first["arm"]),
        model=str(first["model"]),
        templates=tuple(both["cluster_id"]),
        canonical=both["counted"].to_numpy(),
        perturbed=both["counted_new"].to_numpy(),
        questions=int((both["asked"] + both["asked_new"]).sum()),
    )


def memorisation_verdict(
    registration: Registration,
    found: Mapping[str, Drops],
    small: str,
    large: str | None,
    seed: int,
    notes: tuple[str, ...] = (),
) -> Verdict:
    """The verdict on the arms of a live run; `found` is by arm."""
    kind = registration.kind(POPULATION)
    if small not in found:
        return undecided(NAME, POPULATION, kind, "no live run (ockham hypothesis --live)")
    own = found[small]
    beside: dict[str, object] = {}
    for drops in found.values():
        beside |= _said(drops, registration, seed)
        for one in drops.kinds if len(drops.kinds) > 1 else ():
            part = drops.of(one)
            name = f", {SETS.get(one, one)} ({len(part.templates)} templates)"
            beside |= _said(part, registration, seed, name)
    other = found.get(large) if large else None
    names = {d.model for d in found.values()}
    failed = _guards(own, other)
    estimate = _difference(own, other, registration, seed) if other else NOTHING
    word, reason = decide(registration.prediction(NAME), estimate, failed)
    return Verdict(
        NAME, POPULATION, kind, word, reason, estimate, models=len(names),
        families=len({family_of(n)[0] for n in names}), questions=own.questions, beside=beside,
        notes=(f"{', '.join(sorted(names))}; {len(own.templates)} templates", *notes),
    )  # fmt: skip


def _said(
    drops: Drops, registration: Registration, seed: int, name: str = ""
) -> dict[str, Estimate]:
    """What is printed of one arm."""
    rows = {
        "right, canonical": drops.canonical,
        "right, fresh figures": drops.perturbed,
        "drop, points": drops.points,
    }
    return {f"{drops.arm}: {k}{name}": _mean(v, registration, seed) for k, v in rows.items()}


def _guards(small: Drops, large: Drops | None) -> list[str]:
    failed = [] if large else ["no large model was asked the same questions"]
    for one in (small, large):
        if one is not None and not LEAST <= float(one.canonical.mean()) <= MOST:
            failed.append(
                f"{one.arm} is right on {one.canonical.mean():.1%} of the canonical questions, "
                f"{LEAST:.0%} to {MOST:.0%} are needed"
            )
    return failed


def _difference(small: Drops, large: Drops, registration: Registration, seed: int) -> Estimate:
    common = sorted(set(small.templates) & set(large.templates))
    gap = np.array([
        small.points[small.templates.index(t)] - large.points[large.templates.index(t)]
        for t in common
    ])  # fmt: skip
    return _mean(gap, registration, seed)


def _mean(values: Floats, registration: Registration, seed: int) -> Estimate:
    if not len(values):
        return NOTHING
    rng = np.random.default_rng([seed, 11])
    drawn = rng.integers(0, len(values), (registration.resamples, len(values)))
    return interval(values[drawn].mean(axis=1), float(values.mean()))
