"""Voting arms from recorded samples: by hand, and as a table that a cascade replays on."""

import polars as pl
import pytest
from typer.testing import CliRunner

from eval.play import play, why_not
from eval.sources.commands import app
from eval.sources.derive import Derived, derive
from eval.sources.texts import with_texts
from eval.table import table_of
from policies import SelfConsistency
from policies.calibrated import Calibrated
from policies.ladder import Rung
from policies.outcome import OutcomeSet, query_hash
from policies.utility import FittedArm
from router.arms.methods import BestOfN, Majority
from router.errors import InputError
from router.outcomes import read_outcomes, write_outcomes


def sample(query, i, cluster, **more):
    return {
        "source": "hand", "benchmark": "sums", "query_id": query, "arm": "small", "sample": i,
        "status": "ok", "score": float(cluster == 0), "answer": str(cluster),
        "answer_cluster": cluster, "prompt_tokens": 100, "completion_tokens": 10 + i,
        "cost_usd": 0.001 * (i + 1), "cost_basis": "billed", "latency_s": 1.0,
        "logprob_mean": -0.1 * (i + 1), "verdict": "passed" if cluster == 0 else "failed",
        "cluster_id": "family", **more,
    }  # fmt: skip


def recorded(answers, **more):
    """One question a row: cluster numbers of its samples."""
    rows = [
        sample(f"q{q}", i, cluster, **more)
        for q, own in enumerate(answers)
        for i, cluster in enumerate(own)
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    queries = frame.select("source", "benchmark", "query_id", "cluster_id").unique(
        maintain_order=True
    )
    return OutcomeSet(frame, queries, {"name": "hand"})


def vote(k, **more):
    return Derived(f"vote-{k}", Majority(k=k, **more))


def made(data, *arms, **more):
    return derive(data, arms, **more).outcomes


def test_every_sample_begins_one_draw_and_the_small_arm_is_that_sample():
    out = made(recorded([[0, 1, 1, 2]]), vote(3)).filter(pl.col("arm") == "small")
    assert sorted(out["completion_tokens"]) == [10, 11, 12, 13]
    assert sorted(out["sample"]) == [0, 1, 2, 3]
    assert out["agreement"].is_null().all()


def test_a_vote_is_the_chosen_sample_at_the_price_of_all_that_were_walked():
    # All four agree: of three samples two settle it, and the first of the draw is shown.
    out = made(recorded([[0, 0, 0, 0]]), vote(3), draws=1)
    small, voted = out.sort("arm").iter_rows(named=True)
    assert voted["agreement"] == 1.0 and voted["score"] == 1.0 and voted["verdict"] == "passed"
    assert voted["prompt_tokens"] == 200 and voted["latency_s"] == 2.0
    assert voted["completion_tokens"] > small["completion_tokens"]
    assert voted["logprob_mean"] == small["logprob_mean"]
    whole = made(recorded([[0, 0, 0, 0]]), vote(3, early_stop=False), draws=1)
    assert whole.filter(pl.col("arm") == "vote-3")["prompt_tokens"].to_list() == [300]


def test_the_share_and_the_score_are_the_majoritys():
    out = made(recorded([[1, 0, 0, 1, 1]]), vote(5)).filter(pl.col("arm") == "vote-5")
    # Votes 3 to 2 whatever the order, or 3 to 1 or 3 to 0 where it stopped before the end.
    assert (out["score"] == 0.0).all() and (out["answer"] == "1").all()
    allowed = {round(x, 6) for x in (3 / 5, 3 / 4, 1.0)}
    assert {round(x, 6) for x in out["agreement"]} <= allowed
    shares = dict(zip(out["agreement"], out["prompt_tokens"], strict=True))
    assert all(round(300 / share) == tokens for share, tokens in shares.items())


def test_without_votes_there_is_no_share_and_the_first_text_is_the_answer():
    data = recorded([[None, None, None]], status="unparsed", score=0.0, answer=None)
    out = made(data, vote(2), draws=1).filter(pl.col("arm") == "vote-2")
    assert out["agreement"].to_list() == [None] and out["status"].to_list() == ["unparsed"]


def test_checks_are_paid_once_a_row_or_once_a_sample_where_the_method_checks_each():
    data = recorded([[1, 1, 1]])
    best = Derived("best-3", BestOfN(k=3))
    free = {
        r["arm"]: r["cost_usd"] for r in made(data, vote(3), best, draws=1).iter_rows(named=True)
    }
    paid = {
        r["arm"]: r["cost_usd"]
        for r in made(data, vote(3), best, draws=1, check_usd=0.5).iter_rows(named=True)
    }
    extra = {arm: paid[arm] - free[arm] for arm in free}
    assert extra == pytest.approx({"small": 0.5, "vote-3": 0.5, "best-3": 1.5})
    unchecked = recorded([[1, 1, 1]], verdict=None)
    costs = made(unchecked, vote(3), draws=1, check_usd=0.5)["cost_usd"]
    assert max(costs) < 0.5


def test_a_cost_that_is_not_known_stays_unknown():
    data = recorded([[0, 0]], cost_usd=None, cost_basis=None)
    assert made(data, vote(2), check_usd=0.5)["cost_usd"].is_null().all()


def test_the_seed_draws_the_order_and_clusters_are_the_questions_if_asked():
    data = recorded([[0, 1, 2, 3, 4, 5, 6, 7]] * 3)
    one, same = made(data, vote(4), seed=1), made(data, vote(4), seed=1)
    other = made(data, vote(4), seed=2)
    assert one.equals(same) and not one.equals(other)
    assert set(one["cluster_id"]) == {"family"}
    by_question = derive(data, [vote(4)], by_question=True)
    assert set(by_question.outcomes["cluster_id"]) == {"q0", "q1", "q2"}
    assert set(by_question.queries["cluster_id"]) == {"q0", "q1", "q2"}


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ((vote(5),), "--k 5: sums has 4 samples"),
        ((), "--k: give the number"),
        ((Derived("small", Majority(k=2)),), "--as small: there is an arm of that name"),
    ],
)
def test_what_cannot_be_derived_is_said(arms, message):
    with pytest.raises(InputError, match=message):
        derive(recorded([[0, 0, 1, 1]]), arms)


def test_a_cascade_of_votes_replays_on_the_ordinary_table():
    # q0 agrees and is right; q1 disagrees: two votes are split, so large is asked.
    data = derive(recorded([[0, 0], [1, 2]]), [vote(2)])
    large = data.outcomes.filter(pl.col("arm") == "small").with_columns(
        arm=pl.lit("large"), score=pl.lit(1.0), cost_usd=pl.lit(0.1), agreement=None
    )
    both = OutcomeSet(pl.concat([data.outcomes, large]), data.queries, data.about)
    table = table_of(both, "vote-2", "large")
    line = Calibrated(at=(0.0, 1.0), value=(0.0, 1.0), blank=0.5)
    policy = SelfConsistency(
        arms=(FittedArm(name="vote-2", tier="small"), FittedArm(name="large", tier="large")),
        quality=(0.5, 1.0),
        rungs=(Rung(kinds=(line, line), ahead=(line, Calibrated(blank=1.0))),) * 2,
        price=4.9,  # a split vote is right by .5: the gain of .5 is worth USD .1 up to 5
    )
    assert why_not(policy, table) is None
    played = play(policy, table, table.cost.mean(axis=0))
    asked = {q: t[1] for q, t in zip(table.query_id, played.tried.tolist(), strict=True)}
    assert asked == {"q0": -1, "q1": 1}
    assert played.score.tolist() == [1.0] * 4
    lone = table_of(both, "small", "large")
    assert why_not(policy, lone) == "the source recorded no agreement of the attempts"


def test_the_command_stores_what_it_derived(tmp_path, monkeypatch):
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path))
    write_outcomes(recorded([[0, 0, 1, 1]]), "mine")
    done = CliRunner().invoke(app, ["derive", "mine", "--k", "2", "--k", "4", "--out", "votes"])
    assert done.exit_code == 0, done.output
    assert read_outcomes("votes").arms == ("small", "small-vote-2", "small-vote-4")
    for method in ("single", "nothing", "clr"):
        words = ["derive", "mine", "--k", "2", "--out", "v", "--method", method]
        failed = CliRunner().invoke(app, words).exception
        assert isinstance(failed, InputError)
        assert str(failed).startswith(f"--method {method}: ")


def test_texts_come_back_where_their_hash_is_the_recorded_one(sums):
    asked = sums().questions(None, 0)[0]
    about = {"runs": [{"manifest": {"arguments": {"benchmark": "sums", "seed": 0}}}]}
    row = sample(asked.id, 0, 0)

    def stored(digest):
        frame = pl.DataFrame([row])
        queries = frame.select("source", "benchmark", "query_id").with_columns(
            query_hash=pl.lit(digest)
        )
        return OutcomeSet(frame, queries, about)

    filled = with_texts(stored(query_hash(asked.prompt)))
    assert filled.queries["query"].to_list() == [asked.prompt]
    with pytest.raises(InputError, match="1 questions are not those that were recorded"):
        with_texts(stored(query_hash("another")))
    with pytest.raises(InputError, match="does not say which benchmarks"):
        with_texts(OutcomeSet(pl.DataFrame([row]), filled.queries, {}))
