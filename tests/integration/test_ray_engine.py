"""A local Ray cluster: two actors before a fake hosted model, one of them killed."""

import asyncio
import os
import re
import signal
import threading

import pytest

from eval.bench.fake_model import FakeModel
from eval.benchmarks.benchmark import Benchmark, Graded, Question
from eval.live import Limits, Plan, run_plan
from eval.runs.journal import Journal
from eval.runs.ray_engine import ray_subject, shared_settings
from eval.runs.subject import RouterSubject, SubjectSpec
from policies.outcome import Status
from router.config import Settings, load_settings
from router.errors import ConfigError
from router.facade import Router


class Sums(Benchmark):
    name = "sums"
    protocol = "the last number"
    benchmark_id = "sums_test"

    def questions(self, path, seed):
        return [
            Question(id=f"s:{i}", prompt=f"What is {i} + {i}?", gold=str(2 * i)) for i in range(12)
        ]

    async def score(self, question, text):
        numbers = re.findall(r"\d+", text)
        if not numbers:
            return Graded(score=0, answer=None, status=Status.UNPARSED)
        return Graded(score=numbers[-1] == question.gold, answer=numbers[-1])


@pytest.fixture
def fake(real_env):
    gate, seen = threading.Event(), []

    def say(messages):
        found = re.findall(r"What is (\d+) \+", messages[-1]["content"])
        if not found:
            return "one two three"
        seen.append(int(found[-1]))
        if len(seen) > 4:
            gate.wait(60)
        return f"The sum is {2 * int(found[-1])}"

    model = FakeModel(say)
    model.gate, model.seen = gate, seen
    yield model
    gate.set()
    model.close()


def settings_of(fake):
    priced = {"usd_per_hour": 3.6, "api_base": fake.api_base, "api_key": "the-key"}
    return load_settings(models={"small": {**priced, "max_tokens": 64}})


async def kill_one(subject, fake, pids):
    """Wait until two questions hang, then kill one of the two actors."""
    while len(fake.seen) < 6:  # noqa: ASYNC110  a thread of the fake appends
        await asyncio.sleep(0.05)
    os.kill(pids[0], signal.SIGKILL)
    await asyncio.sleep(1)
    fake.gate.set()


async def test_a_killed_actor_costs_one_try_and_no_sample(fake, tmp_path):
    settings, spec = settings_of(fake), SubjectSpec(arm="small")
    policy = spec.make(settings)
    plan = Plan(Sums(), Sums().questions(None, 0), 1, spec, policy)
    with Journal.open(tmp_path) as journal:
        async with Router(settings, policy) as router:
            local = RouterSubject(router, policy, None)
            async with ray_subject(router, local, spec, None, 2) as subject:
                pids = await subject.pids()
                assert len(set(pids)) == 2 and os.getpid() not in pids
                killer = asyncio.create_task(kill_one(subject, fake, pids))
                ended = await run_plan(plan, subject, journal, Limits(concurrency=2), print)
                await killer
                assert pids[0] not in await subject.pids(), "another one took its place"
        tries = journal.tries()
    assert ended.reason == "complete" and ended.tally.score == 12
    assert ended.tally.interrupted == 1
    (lost,) = [t for t in tries if t.state == "interrupted"]
    assert "Ray actor died" in lost.reason and lost.charged_usd == lost.reserved_usd > 0
    assert sorted(fake.seen) == sorted([*range(12), int(lost.question[2:])])
    row = next(t for t in tries if t.finished).result["rows"][0]
    assert row["cost_basis"] == "local" and row["price_snapshot"].startswith("USD 3.6/h")
    assert row["cost_usd"] > 0


async def test_actors_do_not_start_servers_of_their_own(real_env):
    settings = load_settings()
    async with Router(settings) as router:
        plain = shared_settings(settings, router.models)
        endpoint = router.models.endpoint("small")
        told = Settings(**plain).models["small"]
        assert told.serve is None and told.api_base == endpoint.api_base
        assert told.api_key.get_secret_value() == endpoint.api_key
        assert told.temperature == 0 and told.max_tokens == settings.models["small"].max_tokens
        price = router.models.price("small")
        assert told.output_usd_per_million == pytest.approx(price.output_usd * 1e6)
        async with Router(Settings(**plain)) as other:
            assert other.models.server_pid("small") is None
            assert other.models.why_not("small") is None


async def test_a_broken_policy_in_an_actor_ends_the_run_in_our_words(fake, tmp_path):
    fake.gate.set()
    settings = settings_of(fake)
    good = SubjectSpec(arm="small")
    policy = good.make(settings)
    async with Router(settings, policy) as router:
        local = RouterSubject(router, policy, None)
        bad = SubjectSpec(policy="no-such-policy")
        async with ray_subject(router, local, bad, None, 1) as subject:
            with pytest.raises(ConfigError, match="no-such-policy"):
                await subject.answer(Sums().questions(None, 0)[0])
