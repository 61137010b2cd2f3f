"""A made-up large arm: right as often as said, the same in every run, and marked as made up."""

import polars as pl
import pytest
from typer.testing import CliRunner

from eval.sources.commands import app
from eval.sources.price_list import price_list
from eval.sources.synthetic import add_synthetic
from policies.outcome import OutcomeSet
from router.errors import InputError
from router.outcomes import read_outcomes, write_outcomes

PRICE_OF = "gpt-4o-mini-2024-07-18"


def hand(n=1000, samples=2, **more):
    rows = [
        {
            "source": "hand", "benchmark": "b", "domain": "math", "query_id": f"q{i}",
            "arm": "small", "sample": s, "status": "ok", "score": 0.0, "prompt_tokens": 50,
            "cost_usd": 1e-5, "cost_basis": "local", **more,
        }
        for i in range(n)
        for s in range(samples)
    ]  # fmt: skip
    frame = pl.DataFrame(rows, infer_schema_length=None)
    queries = frame.select("source", "benchmark", "query_id").unique(maintain_order=True)
    return OutcomeSet(frame, queries, {"name": "hand", "notes": ["a note"]})


def large(data, right=0.9, **more):
    made = add_synthetic(data, "synthetic-large", right, PRICE_OF, **more)
    return made.outcomes.filter(pl.col("arm") == "synthetic-large")


def test_it_is_right_as_often_as_said_and_the_same_for_all_samples_of_a_question():
    out = large(hand())
    # 1,000 draws at .9: five standard deviations are .047.
    assert out["score"].mean() == pytest.approx(0.9, abs=0.047)
    per_question = out.group_by("query_id").agg(pl.col("score").n_unique(), pl.len())
    assert (per_question["score"] == 1).all() and (per_question["len"] == 2).all()


def test_the_draw_depends_on_the_question_and_the_seed_alone():
    wrong = large(hand(score=1.0))["score"]
    assert wrong.equals(large(hand())["score"])
    assert not large(hand(), seed=1)["score"].equals(large(hand())["score"])
    assert large(hand(10), right=0.0)["score"].sum() == 0
    assert large(hand(10), right=1.0)["score"].sum() == 20


def test_it_costs_what_the_named_model_would():
    price, tokens = price_list().of(PRICE_OF), price_list().tokens
    written = tokens.completion["math"]
    wanted = (50 * price.input + written * price.output) / 1e6
    assert large(hand(3))["cost_usd"].to_list() == pytest.approx([wanted] * 6)
    assumed = (tokens.prompt["math"] * price.input + written * price.output) / 1e6
    assert large(hand(3, prompt_tokens=None))["cost_usd"].to_list() == pytest.approx([assumed] * 6)


def test_it_is_marked_wherever_one_may_look():
    made = add_synthetic(hand(3), "synthetic-large", 0.9, PRICE_OF)
    row = made.outcomes.filter(pl.col("arm") == "synthetic-large").row(0, named=True)
    assert row["source"] == row["label_source"] == "synthetic"
    assert row["model"] == f"synthetic:{PRICE_OF}"
    assert row["price_snapshot"].startswith("synthetic: price of")
    assert "synthetic" in made.about["name"] and made.about["kind"] == "synthetic"
    assert made.about["notes"][0] == "a note"
    assert "right with probability 0.9 by a hash of seed 0" in made.about["notes"][1]


@pytest.mark.parametrize(
    ("name", "right", "model", "message"),
    [
        ("synthetic", 1.1, PRICE_OF, "--right 1.1"),
        ("large", 0.9, PRICE_OF, "--as large: a made-up arm has 'synthetic' in its name"),
        ("synthetic", 0.9, "nobody's", "nobody's"),
    ],
)
def test_what_cannot_be_made_is_said(name, right, model, message):
    with pytest.raises(InputError, match=message):
        add_synthetic(hand(2), name, right, model)


def test_an_arm_of_that_name_is_not_replaced():
    made = add_synthetic(hand(2), "synthetic", 0.9, PRICE_OF)
    with pytest.raises(InputError, match="there is an arm of that name"):
        add_synthetic(made, "synthetic", 0.9, PRICE_OF)


def test_the_command_keeps_one_benchmark(tmp_path, monkeypatch):
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path))
    write_outcomes(hand(2), "mine")
    words = ["synthetic", "mine", "--price-of", PRICE_OF, "--benchmark", "b", "--out", "made"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert read_outcomes("made").arms == ("small", "synthetic-large")
