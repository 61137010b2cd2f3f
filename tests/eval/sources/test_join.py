"""Samples of one set beside the answers of another; a cascade replays on them."""

import numpy as np
import polars as pl
import pytest

from eval.play import play, why_not
from eval.sources.join import join
from eval.table import table_of
from policies import (
    STOP,
    AttemptBlock,
    CaseBatch,
    ChoiceBatch,
    Needs,
    Policy,
    choose_from,
    first_open,
)
from policies.outcome import OutcomeSet
from router.errors import InputError


def row(query, arm, sample=0, **more):
    base = {
        "source": "hand", "benchmark": "sums", "query_id": query, "arm": arm, "sample": sample,
        "status": "ok", "score": 0.0, "cost_usd": 0.001, "cost_basis": "priced",
        "completion_tokens": 5,
    }  # fmt: skip
    return {**base, **more}


def of(rows, texts=None, name="here"):
    frame = pl.DataFrame(rows, infer_schema_length=None)
    queries = frame.select("source", "benchmark", "query_id").unique(maintain_order=True)
    if texts:
        queries = queries.with_columns(query=pl.Series(texts))
    return OutcomeSet(frame, queries, {"name": name})


@pytest.fixture
def mine():
    """Three questions, two samples; one of each passes its check, and only q0's is right."""
    return of(
        [
            row("q0", "small", 0, score=1.0, verdict="passed", verdict_kind="math"),
            row("q0", "small", 1, verdict="failed", verdict_kind="math"),
            row("q1", "small", 0, verdict="passed", verdict_kind="math"),
            row("q1", "small", 1, verdict="failed", verdict_kind="math"),
            row("q2", "small", 0),
            row("q2", "small", 1),
        ]
    )


@pytest.fixture
def theirs():
    rows = [row(q, "gpt", score=1.0, cost_usd=0.01, cost_basis="priced") for q in ("q1", "q0")]
    return of([*rows, row("q1", "other"), row("q0", "other")], ["text 1", "text 0"], "there")


def test_each_sample_gets_the_recorded_answer(mine, theirs):
    made = join(mine, theirs, ["gpt"])
    assert made.arms == ("small", "gpt")
    large = made.outcomes.filter(pl.col("arm") == "gpt")
    assert sorted(large.select("query_id", "sample").rows()) == [
        ("q0", 0),
        ("q0", 1),
        ("q1", 0),
        ("q1", 1),
    ]
    assert large["score"].to_list() == [1.0] * 4
    assert dict(made.queries.select("query_id", "query").rows()) == {"q0": "text 0", "q1": "text 1"}
    assert "1 queries of here that the other lacks left out" in made.about["notes"]


class Escalate(Policy):
    """Verify, then escalate: small, and large where its check failed."""

    name = "escalate-for-this-test"
    needs = Needs(attempts=frozenset({"passed"}))

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        block: AttemptBlock = cases.attempts
        failed = cases.tried.any(axis=1) & (block.passed == 0).any(axis=1)
        again = failed & (block.arm >= 0).sum(axis=1).__eq__(1)
        small = first_open(cases.open, cases.columns("small", "none"))
        large = first_open(cases.open, cases.columns("large"))
        first = ~cases.tried.any(axis=1)
        arm = np.where(first, small, np.where(again, large, STOP))
        return choose_from(cases, arm, {"it": np.ones(len(arm), bool)}, {"it": "said"})


def test_a_cascade_replays_on_the_joined_samples(mine, theirs):
    table = table_of(join(mine, theirs, ["gpt"]), "small", "gpt")
    assert table.questions == 2
    assert why_not(Escalate(), table) is None
    played = play(Escalate(), table, np.array([0.001, 0.01]))
    # q0: right at 0.001, then failed and large; q1: passed though wrong, then failed and large.
    assert played.score.tolist() == [1.0, 1.0, 0.0, 1.0]
    assert played.cost == pytest.approx([0.001, 0.011, 0.001, 0.011])


@pytest.mark.parametrize(
    ("arms", "said"),
    [(["nobody"], "has no 'nobody'; there are: gpt, other"), (["small"], "no 'small'")],
)
def test_arms_that_are_not_there(mine, theirs, arms, said):
    with pytest.raises(InputError, match=said):
        join(mine, theirs, arms)


def test_nothing_in_common(mine):
    with pytest.raises(InputError, match="ids and benchmarks have to agree"):
        join(mine, of([row("x9", "gpt")]), ["gpt"])


def test_an_arm_that_both_have(mine):
    with pytest.raises(InputError, match="both sets have an arm 'small'"):
        join(mine, of([row("q0", "small")]), ["small"])
