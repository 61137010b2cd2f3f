"""Audits on a real router and a real ledger: labelled, paid for, capped, and never in the way."""

import asyncio
import logging

import pytest
from typer.testing import CliRunner

from policies import AlwaysLarge, AlwaysSmall, Shadow
from router.errors import ConfigError
from router.labels.commands import app
from router.labels.labels import Labels
from router.ledger.tenants import PURSES, Tenant, set_tenant

from .conftest import always, number_in, question, right, said

ALL = {"share": 1.0, "uncertain_weight": 1.0, "at_once": 4}


def sometimes(messages):
    """Wrong for every third item."""
    n = number_in(messages)
    return said(n if n % 3 == 0 else n * 3)


async def settled(labels: Labels) -> None:
    """Until nothing runs."""
    for runs in labels._runs.values():
        await runs.drain(30)


async def test_an_audit_is_a_label_with_its_probability_and_a_request_of_its_own(served):
    async with served(small=sometimes, audits=ALL) as s:
        answers = [await s.ask(question(i)) for i in range(1, 7)]
        await settled(s.labels)
        found = {one.request: one for one in await s.ledger.labels(source="audit")}
        assert len(found) == 6
        for i, answer in enumerate(answers, start=1):
            label = found[answer.trace.id]
            assert (label.arm, label.probability) == ("small", 1.0)
            assert label.score == (0.0 if i % 3 == 0 else 1.0)
            assert label.meta["state"] == ("disagree" if i % 3 == 0 else "agree")
            assert label.meta["kept"] and label.cost_usd > 0
            assert (await s.ledger.trace(answer.trace.id, "default"))["arm"] == "small"
        runs = await s.ledger.requests(tenant="audits")
        assert len(runs) == 6 and {r["endpoint"] for r in runs} == {"audit"}
        spent = (await s.ledger.usage("audits"))["day"]["spent_usd"]
        assert spent == pytest.approx(sum(one.cost_usd for one in found.values()), abs=1e-7)
        # The caller's own bill knows nothing of it.
        own = (await s.ledger.usage("default"))["day"]["spent_usd"]
        assert own == pytest.approx(sum(a.cost_usd for a in answers), abs=1e-7)


async def test_an_audit_never_delays_the_answer(served, other_fake_model):
    async with served(audits=ALL) as s:
        other_fake_model.mode = "hang"
        await asyncio.wait_for(s.ask(question(1)), 10)
        await asyncio.wait_for(s.ask(question(2)), 10)
        assert s.labels._runs["audit"].pending == 2
        other_fake_model.hung_up.set()
        await settled(s.labels)


async def test_texts_of_prompts_and_answers_are_stored_nowhere(served, tmp_path):
    secret = "Which value does the very secret table give for item 4711?"
    async with served(audits=ALL) as s:
        await s.ask(secret)
        await settled(s.labels)
        (run,) = await s.ledger.requests(tenant="audits")
        told = await s.ledger.trace(run["id"], None)
        assert "secret table" not in str(told) and "14133" not in str(told)
    files = list((tmp_path / "data").rglob("ledger*"))
    assert files and not any(b"very secret" in f.read_bytes() for f in files if f.is_file())


async def test_the_daily_cap_holds_and_the_lot_then_falls_on_nobody(served):
    async with served(audits={**ALL, "at_once": 1, "max_usd_per_day": 0.0001}) as s:
        for i in range(4):
            await s.ask(question(i))
            await settled(s.labels)
        assert await s.ledger.labels(source="audit") != []
        (label,) = await s.ledger.labels(source="audit")
        assert (label.score, label.meta["why"]) == (None, "BudgetError")
        assert s.labels.uncovered == 3
        usage = (await s.ledger.usage("audits"))["day"]
        assert usage["spent_usd"] == 0 and usage["reserved_usd"] == 0
        status = await s.labels.status()
        assert status["audits"]["uncovered"] == 3


async def test_a_reference_that_fails_leaves_an_undecided_label(served, other_fake_model):
    async with served(audits=ALL) as s:
        other_fake_model.mode = "error"
        await s.ask(question(1))
        await settled(s.labels)
        (label,) = await s.ledger.labels(source="audit")
        assert (label.score, label.meta["state"]) == (None, "undecided")


async def test_prose_is_not_compared(served):
    async with served(
        audits=ALL, small=lambda _: "It was a long day. " * 9, large=lambda _: "Nobody knows. " * 9
    ) as s:
        await s.ask("Tell me something nice.")
        await settled(s.labels)
        (label,) = await s.ledger.labels(source="audit")
        assert (label.score, label.meta["how"]) == (None, "unread")
        assert label.cost_usd > 0


async def test_a_drain_cuts_off_and_loses_no_money(served, other_fake_model):
    async with served(audits=ALL) as s:
        other_fake_model.mode = "hang"
        await s.ask(question(1))
        for _ in range(500):
            if (await s.ledger.usage("audits"))["day"]["reserved_usd"] > 0:
                break
            await asyncio.sleep(0.01)
        await s.labels.close(0.05)
        (label,) = await s.ledger.labels(source="audit")
        assert (label.score, label.meta["why"]) == (None, "drained")
        (run,) = await s.ledger.requests(tenant="audits")
        assert run["ending"] == "cancelled"
        assert (await s.ledger.usage("audits"))["day"]["reserved_usd"] == 0
        await s.labels.open()
        other_fake_model.hung_up.set()


async def test_a_share_of_the_shadow_is_run_and_never_answered_with(served, other_fake_model):
    policy = Shadow(inner=AlwaysSmall(), shadow=AlwaysLarge())
    shadow = {"share": 1.0, "max_usd_per_day": 1.0}
    async with served(policy, small=lambda m: said(7), shadow=shadow) as s:
        answer = await s.ask(question(5))
        await settled(s.labels)
        assert answer.arm == "small" and "7" in answer.answer
        (label,) = await s.ledger.labels(source="shadow")
        assert (label.arm, label.probability, label.score) == ("large", 1.0, 1.0)
        assert label.meta["state"] == "disagree" and label.cost_usd > 0
        assert (await s.ledger.usage(PURSES["shadow"]))["day"]["spent_usd"] > 0
        told = await s.ledger.trace(answer.trace.id, "default")
        decided = next(x["decision"] for x in told["trace"]["steps"] if x.get("decision"))
        assert decided["shadow"][0]["arm"] == "large"


async def test_off_means_off_and_the_status_says_what_it_would_take(served, other_fake_model):
    async with served() as s:
        before = len(other_fake_model.requests)
        await s.ask(question(1))
        await settled(s.labels)
        assert len(other_fake_model.requests) == before
        status = await s.labels.status()
        assert status["bound"]["state"] == "not_monitored"
        assert status["bound"]["said"].startswith("no labels: bound not monitored; 59 error-free")
        assert status["alarms"] == []


async def test_the_bound_is_seen_to_break_and_the_alarm_is_logged_once(served, caplog):
    caplog.set_level(logging.WARNING)
    async with served(small=lambda m: said(1), audits={**ALL, "at_once": 8}) as s:
        for i in range(20):
            await s.ask(question(i + 1))
        await settled(s.labels)
        status = await s.labels.status()
        assert status["bound"]["state"] == "broken"
        assert status["bound"]["lower"] > 0.05
        assert len(status["alarms"]) == 1 and "bound broken" in status["alarms"][0]
        # Another rule has labels of its own.
        s.labels.use(s.router.settings, AlwaysLarge())
        assert (await s.labels.look()).state == "not_monitored"


async def test_feedback_is_in_no_bound(served):
    async with served() as s:
        answer = await s.ask(question(1))
        await s.ledger.label(answer.trace.id, source="feedback", score=0.0)
        status = await s.labels.status()
        assert status["feedback"]["labels"] == 1 and status["feedback"]["mean"] == 0.0
        assert status["bound"]["state"] == "not_monitored"


async def test_a_purse_that_is_there_gets_the_cap_of_the_settings(served):
    async with served(audits={**ALL, "max_usd_per_day": 2.0}) as s:
        assert (await s.ledger.usage("audits"))["day"]["limit_usd"] == 2.0
        s.ledger.run(lambda c: set_tenant(c, Tenant("audits", daily_usd=9.0)))
        await s.labels.cap()
        assert (await s.ledger.usage("audits"))["day"]["limit_usd"] == 2.0
        again = Labels(s.router.settings, s.router.policy, s.ledger, lambda: always(s.router))
        await again.open()
        await again.close()


async def test_the_commands_read_the_same_ledger(served, other_fake_model):
    async with served(small=sometimes, audits=ALL) as s:
        for i in range(1, 4):
            await s.ask(question(i))
        await settled(s.labels)
        # In a thread: the command runs a loop of its own.
        status, listed = [
            await asyncio.to_thread(CliRunner().invoke, app, args)
            for args in (["status"], ["list", "--source", "audit"])
        ]
    assert "2 agree" in status.output and "1 disagree" in status.output
    assert listed.output.count("audit") == 3 and "disagree" in listed.output


def test_a_reference_that_is_no_arm_is_refused(make_router, fake_model):
    with pytest.raises(ConfigError, match=r"audits\.reference: no arm 'huge'"):
        make_router(fake_model, fake_model, audits={"share": 0.1, "reference": "huge"})


def test_right_is_right():
    assert right([{"content": question(4)}]) == said(12)
