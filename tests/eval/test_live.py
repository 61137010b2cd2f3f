"""The runner, on a real router before a fake hosted model."""

import asyncio

import pytest

from eval.live import Limits, run_plan
from eval.runs.journal import Journal
from eval.runs.rate import RateLimit
from eval.runs.subject import RouterSubject, WorkerLost
from router.errors import ConfigError, NoAnswerError, OckhamError, SetupError

from .conftest import Sums, add, fake_router, fake_settings, plan_of

PRICE = 11e-6  # one prompt of the fake, at USD 1 a million


def settings_of(fake, large=None, **overrides):
    fake.answer = add
    return fake_settings(fake, large, overrides)


async def run(settings, folder, n=6, limits=None, samples=1, show=lambda _: None, **subject):
    """One sitting; returns how it ended, and the tries."""
    plan = plan_of(settings, n, samples, **(subject or {"arm": "small"}))
    with Journal.open(folder) as journal:
        async with fake_router(settings, plan.policy) as router:
            asker = RouterSubject(router, plan.policy, None)
            ended = await run_plan(plan, asker, journal, limits or Limits(), show)
        return ended, journal.tries()


def asked(fake):
    """The questions that the fake was asked (not the health check)."""
    prompts = [r["messages"][-1]["content"] for r in fake.requests]
    return [p for p in prompts if "What is" in p]


def rows(tries):
    return [row for t in tries if t.result for row in t.result["rows"]]


async def test_every_question_is_asked_once_and_graded(clean_env, tmp_path, fake_model):
    seen = []
    ended, tries = await run(settings_of(fake_model), tmp_path, show=seen.append)
    assert ended.reason == "complete" and ended.tally.score == 6
    assert len(asked(fake_model)) == 6 and all(t.state == "done" for t in tries)
    assert [t.finished for t in seen] == list(range(7))
    row = rows(tries)[0]
    assert row["status"] == "ok" and row["score"] == 1 and row["returned"] and row["attempt"] == 0
    assert row["cost_basis"] == "priced" and row["cost_usd"] > 0 and row["policy"] is None
    assert row["price_snapshot"] == "configuration: models.small"
    assert row["prompt_tokens"] == 11 and row["tokens_basis"] == "reported"
    assert row["fingerprint"] == "fake" and row["created"] and row["latency_s"] > 0
    assert {"arm": "small", "probability": 1.0} in row["arm_probability"]


async def test_repeats_are_samples(clean_env, tmp_path, fake_model):
    _, tries = await run(settings_of(fake_model), tmp_path, n=2, samples=3)
    assert sorted((t.question, t.sample) for t in tries) == [
        (f"sums:{q}", s) for q in range(2) for s in range(3)
    ]


async def test_questions_are_asked_in_the_benchmarks_order(clean_env, tmp_path, fake_model):
    _, tries = await run(settings_of(fake_model), tmp_path, limits=Limits(concurrency=1))
    assert [t.question for t in tries] == [f"sums:{i}" for i in range(6)]


async def test_a_second_sitting_asks_nothing_that_is_finished(clean_env, tmp_path, fake_model):
    settings = settings_of(fake_model)
    await run(settings, tmp_path, n=3)
    ended, _ = await run(settings, tmp_path, n=6)
    assert ended.tally.finished == 6 and len(asked(fake_model)) == 6


async def test_every_attempt_of_a_policy_is_a_row(
    clean_env, tmp_path, fake_model, other_fake_model
):
    settings = settings_of(fake_model, other_fake_model)
    fake_model.answer = lambda messages: "It is 1 + 1 = 3, so the sum is 3"
    other_fake_model.answer = add
    _, tries = await run(settings, tmp_path, n=2, policy="verifiability")
    for t in tries:
        first, second = t.result["rows"]
        assert (first["arm"], first["attempt"], first["returned"]) == ("small", 0, False)
        assert (second["arm"], second["attempt"], second["returned"]) == ("large", 1, True)
        assert first["score"] == 0 and second["score"] == 1
        assert first["verdict"] == "failed" and first["verdict_kind"] == "math"
        assert first["policy"] == "verifiability" and first["policy_version"]
        assert {"arm": "large", "probability": 1.0} in second["arm_probability"]
        assert t.cost_usd == pytest.approx(first["cost_usd"] + second["cost_usd"])


MODES = {
    "cut": "failed", "reset": "failed", "bad_json": "failed", "garbage": "failed",
    "empty": "failed", "auth": "failed", "busy": "failed", "error": "failed",
    "overflow": "failed", "stall": "failed", "hang": "failed",
    "length": "truncated", "slow": "ok", "negative": "ok",
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
async def test_a_failure_is_a_row_and_never_dropped(clean_env, tmp_path, fake_model, mode):
    settings = settings_of(fake_model, models={"small": small(fake_model)})
    plan = plan_of(settings, 2, arm="small")
    with Journal.open(tmp_path) as journal:
        async with fake_router(settings, plan.policy) as router:
            fake_model.mode = mode  # after the health check
            asker = RouterSubject(router, plan.policy, None)
            ended = await run_plan(plan, asker, journal, Limits(), lambda _: None)
        found = rows(journal.tries())
    assert ended.reason == "complete" and ended.tally.finished == 2
    assert [r["status"] for r in found] == [MODES[mode]] * 2
    assert all(r["returned"] and r["cost_usd"] >= 0 for r in found)
    if MODES[mode] == "failed":
        assert all(r["error"] and r.get("score") is None for r in found)
        assert ended.tally.failed == 2 and ended.tally.score == 0
        assert all("fake-key" not in r["error"] for r in found)


def small(fake):
    """The fake as the small model, impatient."""
    return {
        "api_base": fake.api_base, "api_key": "fake-key", "usd_per_hour": None,
        "input_usd_per_million": 1.0, "output_usd_per_million": 4.0, "stall_s": 0.3,
        "context_tokens": 2048, "max_tokens": 384, "languages": ["en"],
    }  # fmt: skip


async def test_thinking_without_an_answer_is_unparsed_and_counts_zero(
    clean_env, tmp_path, fake_model
):
    settings = settings_of(fake_model)
    fake_model.answer = lambda _: "<think> I never stop 4"
    ended, tries = await run(settings, tmp_path, n=1)
    (row,) = rows(tries)
    assert (row["status"], row["score"], row["answer"]) == ("unparsed", 0.0, None)
    assert row["returned"] and ended.tally.done == 1 and row["cost_usd"] > 0


async def test_an_unreadable_answer_is_unparsed(clean_env, tmp_path, fake_model):
    settings = settings_of(fake_model)
    fake_model.answer = lambda _: "I do not know"
    _, tries = await run(settings, tmp_path, n=1)
    assert rows(tries)[0]["status"] == "unparsed"


async def test_a_prompt_that_the_router_refuses_is_a_failed_row(clean_env, tmp_path, fake_model):
    settings = settings_of(fake_model, limits={"max_query_chars": 3})
    _, tries = await run(settings, tmp_path, n=1)
    (row,) = rows(tries)
    assert row["status"] == "failed" and "max_query_chars" in row["error"]
    assert (row["arm"], row["cost_usd"]) == ("small", 0.0)
    assert tries[0].reserved_usd == 0


async def test_many_failures_in_a_row_end_the_run(clean_env, tmp_path, fake_model):
    settings = settings_of(fake_model)
    limits = Limits(concurrency=1, failures_in_a_row=3)
    plan = plan_of(settings, 6, arm="small")
    with Journal.open(tmp_path) as journal:
        async with fake_router(settings, plan.policy) as router:
            fake_model.mode = "auth"
            asker = RouterSubject(router, plan.policy, None)
            ended = await run_plan(plan, asker, journal, limits, lambda _: None)
            assert ended.reason == "failing" and ended.tally.failed == 3
            assert "--retry-failed" in ended.message and "api_key" in ended.message
    fake_model.mode = "ok"
    with Journal.open(tmp_path) as journal:
        journal.supersede_failed()
    ended, _ = await run(settings, tmp_path, limits=limits)
    assert ended.reason == "complete" and ended.tally.score == 6


async def test_an_arm_that_cannot_be_run_is_said_before_anything_is_asked(
    clean_env, tmp_path, fake_model
):
    settings = settings_of(fake_model)
    plan = plan_of(settings, 1, arm="small+index")
    async with fake_router(settings, plan.policy) as router:
        with pytest.raises(NoAnswerError, match=r"small\+index: no index"):
            await RouterSubject(router, plan.policy, None).check(plan.questions[0])


# -- the ceiling --------------------------------------------------------------------


async def test_the_ceiling_is_never_exceeded_and_can_be_raised(clean_env, tmp_path, fake_model):
    settings = settings_of(fake_model)
    worst = await worst_of(settings)
    ceiling = worst + 3.5 * (11 + 4 * 4) * 1e-6
    limits = Limits(concurrency=4, max_cost_usd=ceiling)
    ended, _ = await run(settings, tmp_path, limits=limits, n=10)
    assert ended.reason == "ceiling" and "--max-cost" in ended.message
    assert 0 < ended.tally.finished < 10
    assert ended.tally.spent_usd <= ceiling
    assert ended.tally.spent_usd + worst > ceiling
    ended, _ = await run(settings, tmp_path, limits=Limits(max_cost_usd=1), n=10)
    assert ended.reason == "complete" and len(asked(fake_model)) == 10


async def test_a_ceiling_below_one_sample_asks_nothing(clean_env, tmp_path, fake_model):
    limits = Limits(max_cost_usd=0)
    ended, tries = await run(settings_of(fake_model), tmp_path, limits=limits)
    assert ended.reason == "ceiling" and tries == [] and asked(fake_model) == []


async def test_interrupted_tries_count_under_the_ceiling(clean_env, tmp_path, fake_model):
    settings = settings_of(fake_model)
    with Journal.open(tmp_path) as journal:
        journal.start("sums:0", 0, 0.9)
    ended, tries = await run(settings, tmp_path, limits=Limits(max_cost_usd=0.9))
    assert ended.reason == "ceiling" and ended.tally.spent_usd == 0.9
    assert [t.state for t in tries] == ["interrupted"]


async def worst_of(settings):
    plan = plan_of(settings, 1, arm="small")
    async with fake_router(settings, plan.policy) as router:
        return await RouterSubject(router, plan.policy, None).worst_case_usd(plan.questions[0])


async def test_a_policys_worst_case_is_that_of_all_its_attempts(
    clean_env, fake_model, other_fake_model
):
    settings = settings_of(fake_model, other_fake_model)
    plan = plan_of(settings, 1, policy="verifiability")
    async with fake_router(settings, plan.policy) as router:
        worst = await RouterSubject(router, plan.policy, None).worst_case_usd(plan.questions[0])
    assert await worst_of(settings) < worst <= settings.limits.max_cost_usd


# -- stopping -----------------------------------------------------------------------


async def test_cancelling_leaves_the_journal_whole(clean_env, tmp_path, fake_model):
    settings = settings_of(fake_model)
    plan = plan_of(settings, 5, arm="small")
    with Journal.open(tmp_path) as journal:
        async with fake_router(settings, plan.policy) as router:
            fake_model.mode = "hang"
            asker = RouterSubject(router, plan.policy, None)
            work = asyncio.create_task(
                run_plan(plan, asker, journal, Limits(concurrency=2), lambda _: None)
            )
            while len(asked(fake_model)) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
        assert [t.state for t in journal.tries()] == ["interrupted"] * 2
    fake_model.hung_up.set()
    fake_model.mode = "ok"
    ended, tries = await run(settings, tmp_path, n=5)
    assert ended.reason == "complete" and ended.tally.interrupted == 2
    assert sum(t.finished for t in tries) == 5


class Fragile:
    """A subject whose worker dies the first few times."""

    def __init__(self, subject, deaths):
        self.subject, self.deaths = subject, deaths

    async def worst_case_usd(self, question):
        return 0.01

    async def answer(self, question):
        if self.deaths:
            self.deaths -= 1
            raise WorkerLost("the worker died")
        return await self.subject.answer(question)


@pytest.mark.parametrize("deaths", [1, 9])
async def test_a_lost_workers_sample_is_asked_again_but_not_for_ever(
    clean_env, tmp_path, fake_model, deaths
):
    settings = settings_of(fake_model)
    plan = plan_of(settings, 2, arm="small")
    with Journal.open(tmp_path) as journal:
        async with fake_router(settings, plan.policy) as router:
            subject = Fragile(RouterSubject(router, plan.policy, None), deaths)
            work = run_plan(plan, subject, journal, Limits(concurrency=1), lambda _: None)
            if deaths > 4:
                with pytest.raises(OckhamError, match="died 4 times"):
                    await work
                return
            ended = await work
        assert ended.reason == "complete" and ended.tally.interrupted == 1
        assert ended.tally.spent_usd == pytest.approx(sum(t.charged_usd for t in journal.tries()))
        assert ended.tally.spent_usd > 0.01


async def test_a_broken_policy_ends_the_run(clean_env, tmp_path, fake_model, monkeypatch):
    from policies.always import AlwaysSmall

    monkeypatch.setattr(AlwaysSmall, "choose", lambda self, cases: 1 / 0)
    with pytest.raises(ConfigError, match="always-small"):
        await run(settings_of(fake_model), tmp_path, policy="always-small")


async def test_a_scorer_without_its_tool_ends_the_run_and_says_so(
    clean_env, tmp_path, fake_model, monkeypatch
):
    async def score(self, question, text):
        raise SetupError("no sandbox")

    monkeypatch.setattr(Sums, "score", score)
    with pytest.raises(SetupError, match="no sandbox"):
        await run(settings_of(fake_model), tmp_path, limits=Limits(concurrency=1))
    with Journal.open(tmp_path) as journal:
        assert [(t.state, t.reason) for t in journal.tries()] == [("interrupted", "no sandbox")]


# -- the rate -----------------------------------------------------------------------


async def test_calls_start_at_even_distances_and_further_attempts_are_charged():
    time, naps = [0.0], []

    async def sleep(seconds):
        naps.append(seconds)
        time[0] += seconds

    limit = RateLimit(2, clock=lambda: time[0], sleep=sleep)
    for _ in range(3):
        await limit.wait()
    assert naps == [0.5, 0.5]
    limit.charge(2)
    await limit.wait()
    assert naps[-1] == pytest.approx(1.5)


async def test_no_rate_never_waits():
    limit = RateLimit(None, sleep=None)
    await limit.wait()
    limit.charge(3)
    await limit.wait()


async def test_the_runner_waits_for_the_rate_before_each_sample(
    clean_env, tmp_path, fake_model, monkeypatch
):
    waits = []

    async def wait(self):
        waits.append(len(asked(fake_model)))

    monkeypatch.setattr(RateLimit, "wait", wait)
    await run(settings_of(fake_model), tmp_path, limits=Limits(concurrency=1), n=4)
    assert waits == [0, 1, 2, 3]
