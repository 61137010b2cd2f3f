"""Six defects, every fit that there is: an error that names the defect, or a stated fallback."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from eval.features import Features
from eval.fit.fitted import CASCADES, FITTED
from eval.fit.usable import QUESTIONS, Unusable, check_scores, checked_fit, notes
from eval.gate import prepare
from eval.play import play
from eval.replay import Plan, Record, replay
from eval.table import Table, case_of, table_of
from eval.tuning import promote, tune
from policies.policy import Policy
from policies.threshold import PromptLength, ThresholdPolicy
from router.errors import InputError

from ..hand import (  # noqa: TID252  tests are no package
    features_by_hand,
    learnable,
    outcome_set,
    row,
    table_by_hand,
)

ALL = {**FITTED, **CASCADES}
N = 90


def sound(n: int = N) -> Table:
    """All that any fit may want: features, prices, verdicts, votes, log-probabilities, measures."""
    return shown(learnable(n))


def shown(table: Table) -> Table:
    rng = np.random.default_rng(3)
    told = np.clip(0.6 * table.score + 0.4 * rng.random(table.score.shape), 0, 1)
    return replace(
        table,
        passed=np.where(told > 0.7, 1.0, np.where(told < 0.2, 0.0, np.nan)),
        confidence=told,
        agreement=told,
        logprob=told - 1,
        logprob_answer=told - 1,
        certainty=told,
        measured={"steps": told},
        checked=True,
    )


def one_model(table: Table) -> Table:
    cut = {
        name: value[:, :1]
        for name, value in vars(table).items()
        if isinstance(value, np.ndarray) and value.ndim == 2
    }
    measured = {name: value[:, :1] for name, value in table.measured.items()}
    return replace(table, arms=table.arms[:1], measured=measured, **cut)


def unpriced(table: Table) -> Table:
    cost = table.cost.copy()
    cost[::3, 1] = np.nan
    return replace(table, cost=cost)


def with_block(table: Table, name: str, column: int | None) -> Table:
    """A constant column, or (None) the whole block constant."""
    assert table.features is not None
    features = table.features.take(np.arange(len(table)))
    features.blocks[name][:, slice(None) if column is None else column] = 0.5
    return replace(table, features=features)


def half_missing(table: Table) -> Table:
    """Through the table maker, from rows: the large arm has every second query only."""
    rows = [row(f"q{i}", "s", float(table.score[i, 0])) for i in range(len(table))]
    rows += [row(f"q{i}", "l", float(table.score[i, 1])) for i in range(0, len(table), 2)]
    made = table_of(outcome_set(rows), "s", "l")
    assert table.features is not None
    return shown(replace(made, features=table.features.take(np.arange(0, len(table), 2))))


DEFECTS: dict[str, tuple[Callable[[Table], Table], str]] = {
    "one model": (one_model, "one arm"),
    "all scores equal": (lambda t: replace(t, score=np.ones_like(t.score)), "same on every row"),
    "no query differs": (
        lambda t: replace(t, score=np.tile((0.0, 1.0), (len(t), 1))), "every query has the same",
    ),
    "NaN prices": (unpriced, "NaN on 30 rows|have no cost"),
    "ten rows": (lambda t: t.take(np.arange(10)), "10 questions to learn from, at least 20"),
    "a constant feature": (lambda t: with_block(t, "embedding", 0), "1 of embedding's 4 columns"),
    "half missing": (half_missing, "45 of 90 queries are left out"),
    "a NaN feature": (
        lambda t: replace(t, features=broken(t)), "embedding is not finite on 1 rows",
    ),
    "a NaN score": (lambda t: replace(t, score=np.where(t.score > 9, 0, np.nan)), "score is NaN"),
}  # fmt: skip


def broken(table: Table):
    assert table.features is not None
    features = table.features.take(np.arange(len(table)))
    features.blocks["embedding"][4, 1] = np.nan
    return features


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("name", ALL)
def test_every_fit_refuses_or_says_what_is_odd(name: str, defect: str) -> None:
    spoil, told = DEFECTS[defect]
    table = spoil(sound())
    try:
        policy = ALL[name](table)
    except Unusable as error:
        assert name in str(error)
        assert any(word in str(error) for word in told.split("|")), str(error)
        assert isinstance(error, InputError)
        return
    assert not (defect == "NaN prices" and name in CASCADES)
    said = " ".join(notes(table))
    assert any(word in said for word in told.split("|")), f"nothing is said: {said!r}"
    assert not constant(policy, table)


@pytest.mark.parametrize("name", ALL)
def test_a_sound_table_is_learned_from_and_nothing_is_said(name: str) -> None:
    table = sound()
    assert notes(table) == ()
    assert not constant(ALL[name](table), table)


def constant(policy: Policy, table: Table) -> bool:
    """Every row treated alike, at every threshold or price."""
    usd = np.nanmean(table.cost, axis=0)
    if isinstance(policy, ThresholdPolicy):
        return len(np.unique(policy.score(case_of(table, usd)))) == 1
    prices = (0.0, 1.0, 10.0, 40.0, 70.0, 100.0, 200.0)
    runs = [play(policy.model_copy(update={"price": p}), table, usd).returned for p in prices]
    return all((run == run[0]).all() for run in runs)


def test_a_fit_that_came_out_constant_is_an_error() -> None:
    class Flat(PromptLength):
        def score(self, cases):
            return np.full(len(cases), 0.25)

    with pytest.raises(Unusable, match=r"flat: the fit gives every row the same score \(0.25\)"):
        checked_fit("flat", lambda table: Flat())(sound())
    assert checked_fit("length", lambda table: PromptLength())(sound()).name == "prompt-length"


def test_twenty_questions_are_enough_and_samples_are_no_questions() -> None:
    check_scores(sound().take(np.arange(QUESTIONS)), "x")
    with pytest.raises(Unusable, match="x: 19 questions"):
        check_scores(replace(sound(), cluster=np.arange(N) % 19), "x")


def test_no_feature_at_all_is_an_error_for_what_reads_the_text_alone() -> None:
    table = sound()
    for name in ("embedding", "lengths", "terms", "cues", "axes"):
        table = with_block(table, name, None)
    for name in FITTED:
        with pytest.raises(Unusable, match=f"{name}: no feature differs"):
            FITTED[name](table)


@pytest.mark.parametrize("aim", ["tune", "promote"])
@pytest.mark.parametrize(
    "defect", ["one model", "all scores equal", "no query differs", "NaN prices", "ten rows"]
)
def test_tuning_refuses_with_the_defects_name(aim: str, defect: str) -> None:
    spoil, told = DEFECTS[defect]
    with pytest.raises(InputError, match=told):
        if aim == "tune":
            tune(spoil(sound()), "text-logistic", budget=5.0)
        else:
            promote(spoil(sound()), "text-logistic")


def test_the_gate_refuses_what_nothing_can_be_learned_from() -> None:
    for defect in ("one model", "all scores equal", "ten rows"):
        spoil, told = DEFECTS[defect]
        with pytest.raises(InputError, match=told):
            prepare(spoil(sound()), "text-logistic")


def test_a_cascade_has_no_threshold_to_tune() -> None:
    for name in CASCADES:
        with pytest.raises(InputError, match="ockham policy frontier"):
            tune(sound(), name, budget=5.0)
        with pytest.raises(InputError, match="no score"):
            prepare(sound(), name)


def test_replay_says_what_is_odd_once_and_enters_what_can_be() -> None:
    plan = Plan(policies=("text-logistic",), resamples=10, seeds=(0, 1))
    made = [r for r in replay(unpriced(sound()), plan) if isinstance(r, Record)]
    told = [r.note for r in made if r.metric == "note"]
    assert told == ["30 of 90 rows have no cost: no figure of money is given"]
    flat = replace(sound(), score=np.ones((N, 2)))
    refused = {
        r.policy: r.note for r in replay(flat, plan) if getattr(r, "metric", "") == "not-replayable"
    }
    assert "all arms score the same" in refused["text-logistic"]


def test_a_small_table_by_hand_has_notes_of_nothing() -> None:
    table = table_by_hand([0.0, 1.0], [1.0, 1.0])
    assert notes(table) == ()
    both = replace(table, features=features_by_hand(2), incomplete=3)
    assert notes(both)[0].startswith("3 of 5 queries are left out")


@pytest.mark.parametrize("name", FITTED)
def test_what_learns_from_texts_needs_all_of_them(name: str) -> None:
    table = learnable(40)
    own = table.features
    lacking = replace(table, features=Features(own.blocks, np.arange(40) != 7, own.fingerprint))
    with pytest.raises(Unusable, match=f"{name}: b has 1 queries without a published text"):
        FITTED[name](lacking)
    with pytest.raises(Unusable, match=f"{name}: b has no features"):
        FITTED[name](replace(table, features=None))
