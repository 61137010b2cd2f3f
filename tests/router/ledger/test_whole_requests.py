"""Requests through the real graph on a fake hosted model: row, texts, story, export."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from policies.outcome import query_hash
from router.errors import InputError
from router.ledger import commands
from router.ledger.explain_command import explain
from router.ledger.ledger import Ledger
from router.ledger.reads import stats
from router.ledger.records import Closing, Principal
from router.ledger.redact import own_words
from router.outcomes import read_outcomes

from .conftest import bytes_of, start

MARK = "zebracrossing"
ASKED = f"What is 12 * 7 {MARK}?"
SAID = f"{MARK}: 12 * 7 = 84\n\nThe answer is \\boxed{{84}}."


@pytest.fixture
def serve(make_router, fake_model, other_fake_model, index, ledger: Ledger) -> Any:
    """`await serve("r1", who)`: one request, as the gateway does it."""
    fake_model.answer, other_fake_model.answer = lambda _: SAID, lambda _: SAID
    router = make_router(fake_model, other_fake_model, index=index)

    async def one(ident: str, who: Principal, asked: str = ASKED, **more: Any) -> Any:
        booking = ledger.book(who, start(ident))
        await booking.open()
        answer = await router.aask(asked, purse=booking, **more)
        await booking.close(Closing("answered", 200, answer=answer, first_token_seconds=0.5))
        return answer

    return one


async def test_the_row_holds_what_the_run_was_decided_by_and_what_it_cost(serve, ledger, tenant):
    answer = await serve("r1", tenant(daily_usd=1))
    told = await ledger.trace("r1", "acme")
    assert (told["ending"], told["http_status"], told["policy"]) == (
        "answered",
        200,
        "verifiability",
    )
    assert told["route"] == " > ".join(answer.route) and told["verdict"] == "passed"
    assert told["cost_usd"] == pytest.approx(answer.cost_usd, abs=3e-9)
    assert told["all_large_usd_estimate"] == pytest.approx(answer.all_large_usd_estimate, abs=3e-9)
    assert told["prompt_hash"] == query_hash(ASKED) and told["fingerprint"] == "fake"
    assert told["first_token_seconds"] == 0.5
    assert [a["basis"] for a in told["attempts"]] == ["reported"]
    arms = next(s["decision"]["arms"] for s in told["trace"]["steps"] if s["decision"])
    assert arms["large"]["worst_cost_usd"] > arms["small"]["worst_cost_usd"] > 0
    assert [name for name, _ in told["features"]] == ["axes", "needs"]


async def test_no_text_stands_in_the_file_of_a_tenant_that_does_not_store_them(
    serve, ledger, tenant, tmp_path
):
    who = tenant()
    await serve("r1", who)
    await serve("r2", who, f"Where is {MARK} in Bhutan?")  # with passages
    broken = Closing("failed", 500, error="server_error")
    await ledger.book(who, start("r3")).close(broken)
    told = await ledger.trace("r1", "acme")
    assert told["trace"]["steps"] and "messages" not in told["trace"]["query"]
    ledger.close()
    held = bytes_of(tmp_path)
    assert b"verifiability" in held and MARK.encode() not in held and b"Thimphu" not in held


async def test_texts_are_kept_where_the_tenant_says_so(serve, ledger, tenant, tmp_path):
    await serve("r1", tenant(stores_prompts=True))
    told = await ledger.trace("r1", "acme")
    assert told["trace"]["query"]["messages"][0]["content"] == ASKED
    assert told["answer"]["answer"] == SAID
    ledger.close()
    assert MARK.encode() in bytes_of(tmp_path)


async def test_a_failed_call_is_told_in_our_words(serve, ledger, tenant, fake_model):
    fake_model.mode_of = lambda nth: "ok" if nth == 0 else "cut"  # the first asks if it is there
    answer = await serve("r1", tenant())
    told = await ledger.trace("r1", "acme")
    assert answer.route == ("small", "large")
    failed = next(s["attempt"] for s in told["trace"]["steps"] if s["attempt"])
    assert failed["status"] == "failed" and failed["error"].startswith("models.small: ")
    assert own_words(f"models.small: the server rejected the request: {MARK}: {MARK}") == (
        "models.small: the server rejected the request"
    )
    assert own_words(f"{MARK}: broke") == "failed" and own_words(None) is None


async def test_another_tenants_request_is_as_unknown_as_a_missing_one(serve, ledger, tenant):
    await serve("r1", tenant())
    tenant("other")
    assert await ledger.trace("r1", "other") is None is await ledger.trace("no", "other")
    assert await ledger.label("r1", source="feedback", score=1.0, tenant="other") is None
    assert await ledger.requests("other") == []


async def test_text_that_no_database_takes_is_kept_as_far_as_it_can_be(ledger, tenant, serve):
    who = tenant(stores_prompts=True)
    answer = await serve("r1", who, ASKED)
    odd = answer.model_copy(update={"answer": "half a \ud83d pair \x00"})
    booking = ledger.book(who, start("r2", conversation="a\x00b\ud83d"))
    await booking.close(Closing("answered", 200, answer=odd))
    second = await ledger.trace("r2", "acme")
    assert second["answer"]["answer"] == "half a \ud83d pair \x00"
    assert second["conversation"] == "a\ufffdb?"


async def test_the_story_tells_it_in_words(serve, ledger, tenant, tmp_path, monkeypatch):
    answer = await serve("r1", tenant(stores_prompts=True))
    await ledger.label("r1", source="feedback", score=1.0, meta={"via": "thumb"})
    monkeypatch.setenv("OCKHAM_LEDGER__URL", f"sqlite:///{tmp_path}/ledger.sqlite")
    out = run(explain_app(), "r1")
    for part in (
        "tenant acme", f"user: {ASKED}", "because an answer can be checked", "worst cases, USD: ",
        "attempt 1: small", "check math: passed", "P(right)", "(reported), reserved USD",
        "all-large would have cost", "label from feedback of small: 1", "stop, return attempt 1",
    ):  # fmt: skip
        assert part in out, part
    assert f"{answer.cost_usd:.9f}" in out
    told = json.loads(run(explain_app(), "r1", "--json"))
    assert told["labels"][0]["meta"] == {"via": "thumb"}
    assert isinstance(fails(explain_app(), "nobody"), InputError)


async def test_the_export_is_an_outcome_table(serve, ledger, tenant, tmp_path, monkeypatch):
    who = tenant()
    for i in range(3):
        await serve(f"r{i}", who)
    await ledger.label("r0", source="feedback", score=0.0)
    await ledger.label("r0", source="audit", score=1.0, probability=0.25, cost_usd=0.01)
    await ledger.label(
        "r1", source="shadow", arm="large", score=1.0, probability=0.5, cost_usd=0.02
    )
    await ledger.book(who, start("r9")).close(Closing("refused", 429, error="budget"))
    monkeypatch.setenv("OCKHAM_LEDGER__URL", f"sqlite:///{tmp_path}/ledger.sqlite")
    said = run(commands.ledger, "export", str(tmp_path / "set"), "--tenant", "acme")
    assert "4 requests, 2 labelled rows" in said
    made = read_outcomes(tmp_path / "set")
    rows = {(r["query_id"], r["arm"]): r for r in made.outcomes.iter_rows(named=True)}
    first = rows["r0", "small"]
    assert (first["score"], first["label_source"], first["label_probability"]) == (1, "audit", 0.25)
    assert first["status"] == "ok" and first["returned"] and first["policy"] == "verifiability"
    assert {a["arm"] for a in first["arm_probability"]} >= {"small", "large"}
    layout = made.about["features"][first["fingerprint"]]
    assert np.allclose(first["features"][slice(*layout["axes"])], [0.95, 0.05])
    assert rows["r2", "small"]["status"] == "missing" and rows["r2", "small"]["cost_usd"] > 0
    bare = rows["r1", "large"]
    assert (bare["policy"], bare["score"], bare["cost_usd"]) == (None, 1.0, 0.02)
    assert rows["r9", "none"]["status"] == "failed" and rows["r9", "none"]["error"] == "budget"
    assert made.about["arms"]["large"]["tier"] == "large"
    assert made.queries["query"].is_null().all() and "acme" not in str(made.outcomes["tenant"][0])
    import polars as pl

    decisions = pl.read_parquet(tmp_path / "set" / "decisions.parquet")
    one = decisions.filter(pl.col("query_id") == "r0").to_dicts()
    assert [d["arm"] for d in one] == ["small", None] and one[0]["probability"] == 1.0
    assert len(pl.read_parquet(tmp_path / "set" / "labels.parquet")) == 3


async def test_old_requests_go_with_their_bills_and_labels_and_what_was_spent_stays(
    serve, ledger, tenant, tmp_path, monkeypatch
):
    who = tenant(daily_usd=1)
    await serve("old", who)
    await ledger.label("old", source="feedback", score=1.0)
    running = ledger.book(who, start("running"))
    await running.open()
    await running.reserve("small", 0.01)
    spent = (await ledger.usage("acme"))["day"]["spent_usd"]
    monkeypatch.setenv("OCKHAM_LEDGER__URL", f"sqlite:///{tmp_path}/ledger.sqlite")
    assert run(commands.ledger, "prune", "--before", "1d") == "0 requests deleted\n"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert "1 requests would go" in run(commands.ledger, "prune", "--before", tomorrow, "--dry-run")
    assert await ledger.trace("old", "acme") is not None
    assert "1 requests deleted" in run(commands.ledger, "prune", "--before", tomorrow)
    assert await ledger.trace("old", "acme") is None
    assert [row["id"] for row in await ledger.requests("acme")] == ["running"]
    counted = ledger.read(stats)
    assert counted["labels"] == {} and [a["state"] for a in counted["attempts"]] == ["open"]
    assert (await ledger.usage("acme"))["day"]["spent_usd"] == spent > 0
    await running.close(Closing("failed", 503, error="server_error"))


def explain_app() -> Any:
    import typer

    app = typer.Typer()
    app.command()(explain)
    return app


def run(app: Any, *arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None:
        raise done.exception
    return done.stdout


def fails(app: Any, *arguments: str) -> BaseException | None:
    return CliRunner().invoke(app, list(arguments)).exception
