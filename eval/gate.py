"""A conformal gate from a table of recorded outcomes, and what it does on rows not seen.

Questions are split as in `eval/tuning.py` (40 % fit, 20 % calibrate, 40 % score). DESIGN of the
fitting part fixes the sequence of thresholds (all of it where nothing is fitted), the rest fits
the scorer. No row does two of these.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, bootstrap, epoch_weight
from eval.contenders import SMALL, mean_cost
from eval.fit.conformal import (
    Certified,
    Hindsight,
    Repeated,
    candidates,
    certify,
    hindsight,
    one_a_cluster,
    repeat,
)
from eval.fit.fitted import CASCADES, FITTED
from eval.fit.usable import check_scores, known_features
from eval.play import revealed, why_not
from eval.table import Table, case_of
from eval.tuning import split_of
from policies.conformal import By, ConformalGate
from policies.threshold import ThresholdPolicy
from router.config import make_policy
from router.errors import InputError

__all__ = ["Gated", "Prepared", "calibrate_gate", "prepare", "repeat_gate", "trust_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DESIGN = 0.25
RESAMPLES = 2000


@dataclass(frozen=True)
class Prepared:
    """A gate without its threshold, and the rows that are left for it."""

    table: Table
    scorer: ThresholdPolicy | None
    by: By
    fitted: int
    """Rows that fitted the scorer; 0 where nothing was fitted."""
    design: Ints
    calibrate: Ints
    score: Ints
    trust: Floats
    """(n,) of all rows of the table."""
    wrong: NDArray[np.bool_]


@dataclass(frozen=True)
class Gated:
    """The gate, what certified it, and what it did on the scoring rows."""

    gate: ConformalGate
    certified: Certified
    error: Interval
    """Among kept rows; NaN where none is kept."""
    kept: Interval
    best: Hindsight
    """On the scoring rows' own labels."""
    base_error: float
    """Of the small arm on all scoring rows."""
    constant: bool
    """All trust scores are equal: the gate keeps all or nothing, and no score helps it."""


def prepare(table: Table, score: str, by: By | None = None, seed: int = 0) -> Prepared:
    """Fit the scorer where it needs to be, and give every row its trust.

    Args:
        score: a policy with a threshold, or `confidence` for the verdict on small's answer.
        by: what of the policy is trusted; default: its P(small correct) if it estimates one.

    Raises:
        InputError: no such score, a table that lacks what it needs, NaN scores, too few rows.
    """
    if score in CASCADES:
        raise InputError(f"--score {score}: it has a price and no score; give a policy with one")
    if score in FITTED:
        check_scores(table, f"--score {score}")
    split = split_of(table, None, seed)
    if score == "confidence":
        if by not in (None, "confidence"):
            raise InputError(f"--by {by}: --score confidence is the verdict's confidence")
        scorer, by, fit, design = None, "confidence", split.fit[:0], split.fit
    else:
        if by == "confidence":
            raise InputError("--by confidence goes with --score confidence")
        # A question that stands in the table twice must not be fitted and then calibrate.
        later = table.row_key[np.r_[split.choose, split.score]]
        own = split.fit[~np.isin(table.row_key[split.fit], later)]
        scorer, fit, design = _scorer(table, score, own, seed)
        by = by or ("quality" if _estimates(scorer, table) else "need")
    gate = ConformalGate(alpha=0.5, delta=0.5, tau=np.inf, calibrated=0, by=by, scorer=scorer)
    return Prepared(
        table=table,
        scorer=scorer,
        by=by,
        fitted=len(fit),
        design=design,
        calibrate=split.choose,
        score=split.score,
        trust=trust_of(gate, table),
        wrong=table.score[:, SMALL] < 1,
    )


def trust_of(gate: ConformalGate, table: Table) -> Floats:
    """(n,) trust of every row, as the gate itself sees it; NaN only for a lacking confidence.

    Raises:
        InputError: the table lacks what the gate reads, or its scorer gives NaN.
    """
    lacks = why_not(gate, table)
    if lacks:
        raise InputError(f"--score: not replayable on this table: {lacks}")
    small = np.zeros((len(table), 1), dtype=np.int64)
    attempts = revealed(table, small) if gate.scorer is None else None
    trust = gate.trust(case_of(table, mean_cost(table), attempts))
    missing = int(np.isnan(trust).sum())
    if missing and (gate.scorer is not None or missing == len(trust)):
        raise InputError(
            f"--score: the trust (by {gate.by}) is NaN on {missing:,} of {len(trust):,} rows"
        )
    return trust


def calibrate_gate(made: Prepared, alpha: float, delta: float, seed: int = 0) -> Gated:
    """Certify the threshold and score it; the gate keeps nothing where none is certified.

    Raises:
        InputError: alpha or delta outside (0, 1), or too few calibration questions for them.
    """
    _check(alpha, delta)
    table, rng = made.table, np.random.default_rng([seed, 11])
    rows = made.calibrate[one_a_cluster(table.cluster[made.calibrate], rng)]
    grid = candidates(*_design(made), len(rows), alpha, delta)
    done = certify(made.trust[rows], made.wrong[rows], grid, alpha, delta)
    gate = ConformalGate(
        alpha=alpha, delta=delta, tau=done.tau, calibrated=done.n, by=made.by, scorer=made.scorer
    )
    trust, wrong = made.trust[made.score], made.wrong[made.score]
    cluster = table.cluster[made.score]
    weight = epoch_weight(cluster)
    kept = ((trust >= done.tau) & (done.tau != np.inf)).astype(np.float64)

    def error(w: Floats) -> float:
        mass = float((w * weight) @ kept)
        return float((w * weight * kept) @ wrong) / mass if mass else np.nan

    def share(w: Floats) -> float:
        return float((w * weight) @ kept / (w @ weight))

    return Gated(
        gate=gate,
        certified=done,
        error=bootstrap(error, cluster, RESAMPLES, seed),
        kept=bootstrap(share, cluster, RESAMPLES, seed),
        best=hindsight(trust, wrong, weight, alpha),
        base_error=float(weight @ wrong / weight.sum()),
        constant=len(np.unique(made.trust[~np.isnan(made.trust)])) == 1,
    )


def repeat_gate(
    made: Prepared, alpha: float, delta: float, splits: int, calibrate: int | None, seed: int = 0
) -> Repeated:
    """`splits` random calibration and test parts of all rows that fitted nothing.

    `calibrate` is in questions; default: a fifth of them, so that the test part is large and
    its own noise adds little to what counts as a violation.
    """
    _check(alpha, delta)
    rows = np.sort(np.r_[made.calibrate, made.score])
    cluster = made.table.cluster[rows]
    return repeat(
        made.trust[rows],
        made.wrong[rows],
        cluster,
        _design(made),
        alpha,
        delta,
        calibrate=calibrate or len(np.unique(cluster)) // 5,
        splits=splits,
        seed=seed,
    )


def _design(made: Prepared) -> tuple[Floats, NDArray[np.bool_]]:
    return made.trust[made.design], made.wrong[made.design]


def _check(alpha: float, delta: float) -> None:
    for name, value in (("--alpha", alpha), ("--delta", delta)):
        if not 0 < value < 1:
            raise InputError(f"{name} {value}: must lie between 0 and 1")


def _scorer(table: Table, name: str, part: Ints, seed: int) -> tuple[ThresholdPolicy, Ints, Ints]:
    """The scorer, the rows that fitted it, and the rows that will fix the sequence."""
    mark = table.features.fingerprint if table.features else ""
    if name in FITTED:
        known_features(table, f"--score {name}")
        clusters = np.unique(table.cluster[part])
        drawn = np.random.default_rng([seed, 5]).permutation(clusters)
        held = np.isin(table.cluster[part], drawn[: round(DESIGN * len(clusters))])
        fit, design = part[~held], part[held]
        made = FITTED[name](table.take(fit))
        return made, fit, design
    if name.endswith(".json"):
        raise InputError(f"--score {name}: a preset may have seen these labels; name a policy")
    policy = make_policy(name)
    if not isinstance(policy, ThresholdPolicy):
        raise InputError(f"--score {name}: it has no score; give a policy with a threshold")
    lacks = why_not(policy, table)
    if lacks:
        raise InputError(f"--score {name}: not replayable on this table: {lacks}")
    if policy.needs.features:
        policy = policy.model_copy(update={"fingerprint": mark})
    return policy, part[:0], part


def _estimates(scorer: ThresholdPolicy, table: Table) -> bool:
    few = table.take(np.arange(min(len(table), 8)))
    return not bool(np.isnan(scorer.estimate(case_of(few, mean_cost(table)))[:, SMALL]).all())
