"""From a table to a gate: parts, arms, messages; what it certifies is what it does in replay."""

from dataclasses import replace

import numpy as np
import pytest

from eval.bench.replay import made_up
from eval.contenders import LARGE, SMALL, mean_cost
from eval.features import Features
from eval.fit.conformal import risk
from eval.gate import calibrate_gate, prepare, repeat_gate, trust_of
from eval.play import play
from eval.table import Table
from policies import ConformalGate, VerifiabilityThreshold
from policies.policy import Policy
from router.errors import InputError

from .hand import learnable

N = 3000


def table(seed: int = 0, n: int = N) -> Table:
    """P(small right) is axis 0; verdicts whose confidence is the same, one in ten without."""
    rng = np.random.default_rng(seed)
    axes = rng.random((n, 2))
    score = np.stack([rng.random(n) < axes[:, 0], rng.random(n) < 0.9], axis=1).astype(float)
    confidence = np.stack([axes[:, 0], np.full(n, np.nan)], axis=1)
    confidence[::10] = np.nan
    return replace(
        made_up(n),
        score=score,
        confidence=confidence,
        checked=True,
        cost=np.tile([1e-4, 4e-3], (n, 1)),
        features=Features({"axes": axes}, np.ones(n, dtype=bool), "made"),
        benchmarks=("made",) * n,
        query_id=tuple(str(i) for i in range(n)),
    )


@pytest.mark.parametrize("score", ["verifiability-threshold", "confidence"])
def test_what_was_certified_is_what_replay_does(score: str) -> None:
    made = prepare(table(), score)
    done = calibrate_gate(made, 0.3, 0.1)
    assert done.certified.limit <= 0.3 and np.isfinite(done.gate.tau)
    assert done.error.value <= 0.3 and done.kept.value >= 0.7 * done.best.share
    held = made.table.take(made.score)
    played = play(done.gate, held, mean_cost(held))
    kept = made.trust[made.score] >= done.gate.tau
    assert ((played.returned == SMALL) == kept).all()
    assert (played.returned[~kept] == LARGE).all()
    assert kept.mean() == done.kept.value
    assert Policy.from_state(done.gate.to_state()) == done.gate


def test_the_parts_share_no_question_and_the_gate_holds_the_fingerprint() -> None:
    made = prepare(replace(table(), cluster=np.arange(N) // 3), "verifiability-threshold")
    parts = [set(made.table.cluster[r]) for r in (made.design, made.calibrate, made.score)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    done = calibrate_gate(made, 0.3, 0.1)
    assert done.gate.calibrated == done.certified.n == len(parts[1])
    assert done.gate.scorer is not None and done.gate.scorer.fingerprint == "made"


def test_a_fitted_scorer_is_trusted_by_its_quality() -> None:
    made = prepare(learnable(600), "text-logistic")
    assert made.by == "quality" and made.fitted + len(made.design) == 240
    done = calibrate_gate(made, 0.3, 0.1)
    held = made.table.take(made.score)
    returned = play(done.gate, held, mean_cost(held)).returned
    assert ((returned == SMALL) == (made.trust[made.score] >= done.gate.tau)).all()
    assert prepare(learnable(600), "text-logistic", "need").by == "need"


def test_a_question_that_stands_twice_is_not_fitted_and_then_calibrated() -> None:
    once = learnable(600)
    pairs = np.arange(600) // 2
    made = prepare(replace(once, row_key=pairs.astype(np.uint64)), "text-logistic")
    later = set(pairs[np.r_[made.calibrate, made.score]])
    # 40 % of the rows are there to fit, and 40 % of those have their twin there too.
    assert not later & set(pairs[made.design]) and made.fitted + len(made.design) < 140


def test_repeated_splits_leave_the_fitting_rows_out() -> None:
    made = prepare(table(), "verifiability-threshold")
    again = repeat_gate(made, 0.3, 0.1, 20, None)
    assert again.calibrated + again.tested == len(made.calibrate) + len(made.score)
    assert again.calibrated == 0.2 * 0.6 * N
    assert again.violations <= 6 and np.nanmean(again.ratio) >= 0.7


def test_nothing_certified_keeps_nothing_and_says_so() -> None:
    wrong = replace(table(), score=np.tile([0.0, 1.0], (N, 1)))
    done = calibrate_gate(prepare(wrong, "verifiability-threshold"), 0.2, 0.1)
    assert done.gate.tau == np.inf and done.kept.value == 0 and np.isnan(done.error.value)
    assert "so nothing is kept" in done.gate.bound
    played = play(done.gate, wrong, mean_cost(wrong))
    assert (played.returned == LARGE).all() and (played.tried[:, 1:] == -1).all()


def test_a_half_right_answer_is_wrong() -> None:
    half = replace(table(), score=np.full((N, 2), 0.5))
    assert prepare(half, "verifiability-threshold").wrong.all()


def test_a_constant_score_is_said() -> None:
    axes = np.full((N, 2), 0.5)
    flat = replace(table(), features=Features({"axes": axes}, np.ones(N, dtype=bool), "made"))
    done = calibrate_gate(prepare(flat, "verifiability-threshold"), 0.2, 0.1)
    assert done.constant and done.gate.tau == np.inf
    assert not calibrate_gate(prepare(table(), "confidence"), 0.2, 0.1).constant


@pytest.mark.parametrize(
    ("score", "by", "message"),
    [
        ("random", None, "it has no score"),
        ("prompt-length", None, "no feature block lengths"),
        ("my.json", None, "may have seen these labels"),
        ("confidence", "need", "the verdict's confidence"),
        ("verifiability-threshold", "confidence", "goes with --score confidence"),
        ("verifiability-threshold", "quality", "NaN on 3,000 of 3,000 rows"),
    ],
)
def test_scores_that_cannot_be_wrapped(score: str, by: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepare(table(), score, by)  # type: ignore[arg-type]


def test_nan_scores_unchecked_tables_and_too_few_rows_are_errors() -> None:
    bad = table()
    assert bad.features is not None
    axes = np.array(bad.features.blocks["axes"])
    axes[7] = np.nan
    bad = replace(bad, features=Features({"axes": axes}, bad.features.known, "made"))
    with pytest.raises(InputError, match="NaN on 1 of 3,000 rows"):
        prepare(bad, "verifiability-threshold")
    with pytest.raises(InputError, match="ran no check"):
        prepare(replace(table(), checked=False), "confidence")
    with pytest.raises(InputError, match="NaN on 3,000 of 3,000"):
        prepare(replace(table(), confidence=np.full((N, 2), np.nan)), "confidence")
    with pytest.raises(InputError, match="at least 30"):
        prepare(table().take(np.arange(10)), "confidence")
    few = prepare(table().take(np.arange(45)), "confidence")
    with pytest.raises(InputError, match="calibration questions: even"):
        calibrate_gate(few, 0.2, 0.1)
    for alpha, delta in ((0.0, 0.1), (0.2, 1.0)):
        with pytest.raises(InputError, match="must lie between 0 and 1"):
            calibrate_gate(few, alpha, delta)


def test_trust_is_the_gates_own() -> None:
    scorer = VerifiabilityThreshold()
    gate = ConformalGate(alpha=0.2, delta=0.1, tau=0.0, calibrated=0, by="need", scorer=scorer)
    made = table()
    assert made.features is not None
    assert np.allclose(trust_of(gate, made), made.features.blocks["axes"][:, 0] - 1)
    assert risk(trust_of(gate, made), made.score[:, 0] < 1, np.ones(N), -0.4)[0] < 0.25
