"""The fit of retrieval-value: parameters that are known are found again; what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from eval.fit.retrieval_value import fit_retrieval_value
from eval.fit.usable import Unusable
from eval.play import play
from eval.table import Table, answerable_of, case_of, table_of
from policies.case import Arm, Outcome
from router.errors import InputError
from router.knowledge.retrieving import LEAST_KNOWLEDGE

from ..hand import features_by_hand, outcome_set, row, table_by_hand  # noqa: TID252

N = 3000
USD = np.array([1e-5, 2e-5, 1e-3, 1.1e-3])
ARMS = (
    Arm("small", "small"),
    Arm("small+index", "small", "index"),
    Arm("large", "large"),
    Arm("large+index", "large", "index"),
)


def drawn(seed: int = 0) -> Table:
    """Outcomes drawn from the policy's own form: read 0.8 and 0.95, miss 0.1 and 0.3."""
    rng = np.random.default_rng(seed)
    features = features_by_hand(N, seed)
    axes = features.blocks["axes"].astype(np.float64)
    p = rng.random(N)
    odds = -2.0 + 3.0 * axes[:, 0], 1.0 - 1.0 * axes[:, 1]
    chance = np.column_stack(
        [1 / (1 + np.exp(-odds[0])), p * 0.8 + (1 - p) * 0.1, 1 / (1 + np.exp(-odds[1])),
         p * 0.95 + (1 - p) * 0.3]
    )  # fmt: skip
    score = (rng.random((N, 4)) < chance).astype(float)
    base = table_by_hand([0.0] * N, [0.0] * N, features=features)
    wide = {
        name: np.tile(getattr(base, name)[:, :1], (1, 4))
        for name in ("outcome", "passed", "confidence", "tokens", "agreement", "logprob",
                     "logprob_answer", "certainty")
    }  # fmt: skip
    told = np.full((N, 4), np.nan)
    told[:, 1] = told[:, 3] = p
    return replace(
        base, arms=ARMS, score=score, cost=np.tile(USD, (N, 1)), measured={"answerable": told},
        checked=True, **wide,
    )  # fmt: skip


def test_parameters_that_made_the_outcomes_are_found_again() -> None:
    made = {arm.name: arm for arm in fit_retrieval_value(drawn()).arms}
    assert made["small"].weights == pytest.approx((3.0, 0.0), abs=0.35)
    assert made["small"].bias == pytest.approx(-2.0, abs=0.3)
    assert (made["small+index"].read, made["small+index"].miss) == pytest.approx(
        (0.8, 0.1), abs=0.05
    )
    assert (made["large+index"].read, made["large+index"].miss) == pytest.approx(
        (0.95, 0.3), abs=0.05
    )


def test_what_was_refused_and_yet_right_is_counted() -> None:
    table = drawn()
    passed = table.passed.copy()
    passed[:300, 1] = 0.0
    outcome = table.outcome.copy()
    outcome[300:400, 1] = Outcome.ABSTAINED
    made = fit_retrieval_value(replace(table, passed=passed, outcome=outcome))
    assert made.arms[1].refused == pytest.approx(table.score[:400, 1].mean())
    assert made.arms[0].refused == 0.0


def test_replay_shows_the_policy_what_was_judged_and_it_beats_every_single_arm() -> None:
    table, fresh = drawn(0), drawn(1)
    features = fresh.features
    assert features is not None
    sought = features.blocks["axes"][:, 1] >= LEAST_KNOWLEDGE
    shown = case_of(fresh, USD).block("answerability")[:, 0]
    assert 0 < sought.sum() < N and np.isnan(shown[~sought]).all()  # live nobody would look there
    assert shown[sought] == pytest.approx(fresh.measured["answerable"][sought, 1])
    made = fit_retrieval_value(table).model_copy(update={"price": 100.0})
    run = play(made, fresh, USD)
    singles = (fresh.score - 100.0 * USD).mean(axis=0)
    assert (run.score - 100.0 * run.cost).mean() > singles.max() + 0.02


def test_a_table_without_readers_makes_a_policy_of_memory() -> None:
    made = fit_retrieval_value(drawn().pick([0, 2]))
    assert [arm.context for arm in made.arms] == ["none", "none"]


def test_readers_whose_passages_nobody_judged_are_refused() -> None:
    with pytest.raises(Unusable, match=r"no row of small\+index says how likely"):
        fit_retrieval_value(replace(drawn(), measured={}))
    with pytest.raises(InputError, match="has no features"):
        fit_retrieval_value(replace(drawn(), features=None))


def test_a_set_of_outcomes_names_its_readers() -> None:
    measured = [{"name": "answerable", "value": 0.7}]
    rows = [row("q", "s"), row("q", "s+index", verdict="passed", verdict_measured=measured)]
    made = table_of(outcome_set(rows), "s", "s+index")
    assert [arm.context for arm in made.arms] == ["none", "index"]
    told = answerable_of(made)
    assert told is not None and told.tolist() == [0.7]
