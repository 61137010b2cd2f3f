"""The worst case bounds what an upstream can count, whatever the request holds.

The upstream of these tests is the most expensive tokenizer there is: one token a byte of every
word that it was sent, and every completion as long as it may be.
"""

import json

import numpy as np
import pytest

from policies import OnlyArm
from router.cases import CaseBuilder
from router.config import load_settings
from router.models.pool import Models
from router.state import JsonSchemaCheck, Message, Query, Sampling

ALPHABETS = ("abc xyz,.", "äöü ß€ ", "中文字符日本", "\U0001f600\U0001f680 ", '{"\\n": 1}\t')
TOOL = {"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}


def words(rng, most):
    letters = list(ALPHABETS[rng.integers(len(ALPHABETS))])
    return "".join(rng.choice(letters, size=int(rng.integers(1, most))))


def query_of(rng):
    """A random request: several turns, sometimes a schema, sometimes tools and choices."""
    turns = [
        Message(role=str(rng.choice(["system", "user", "assistant"])), content=words(rng, 3000))
        for _ in range(int(rng.integers(0, 6)))
    ]
    turns.append(Message(role="user", content=words(rng, 3000)))
    call, checks = {}, ()
    if rng.random() < 0.3:
        schema = {"type": "object", "description": words(rng, 2000)}
        checks = (JsonSchemaCheck(definition=schema),)
    if rng.random() < 0.4:
        tool = json.loads(json.dumps(TOOL))
        tool["function"]["description"] = words(rng, 3000)
        call = {"tools": [tool] * int(rng.integers(1, 4)), "n": int(rng.integers(1, 5))}
    most = int(rng.integers(1, 4000)) if rng.random() < 0.5 else None
    sampling = Sampling(max_tokens=most)
    return Query(id="q", messages=tuple(turns), call=call, checks=checks, sampling=sampling)


def counted(sent):
    """Tokens of a request as that upstream counts them: prompt, completion."""
    texts = [m["content"] if isinstance(m["content"], str) else json.dumps(m["content"])
             for m in sent["messages"]]  # fmt: skip
    for key in ("tools", "response_format"):
        if sent.get(key):
            texts.append(json.dumps(sent[key]))
    template = 8 * len(sent["messages"]) + 16
    return sum(len(t.encode()) for t in texts) + template, sent["max_tokens"] * (sent.get("n") or 1)


@pytest.mark.parametrize("seed", range(8))
async def test_no_upstream_can_count_more(make_router, fake_model, index, seed):
    rng = np.random.default_rng(seed)
    fake_model.answer = lambda _: "Hello."
    models = {"small": {
        "tier": "small", "api_base": fake_model.api_base, "api_key": "k", "usd_per_hour": None,
        "input_usd_per_million": 1, "output_usd_per_million": 4, "can": ["tools", "n"],
        "context_tokens": 100_000, "languages": None, "max_tokens": 2000,
    }}  # fmt: skip
    router = make_router(fake_model, index=index, models=models)
    async with router:
        for policy in (OnlyArm(arm="small"), OnlyArm(arm="small+index"), router.concrete("small")):
            query = query_of(rng)
            asked = len(fake_model.requests)
            try:
                answer = await router.aask(query, policy=policy)
            except Exception as error:  # said in words, and before anything was sent
                assert len(fake_model.requests) == asked or "no answer" in str(error)
                continue
            worst = next(s.decision for s in answer.trace.steps if s.decision).arms
            prompt, completion = counted(fake_model.requests[-1])
            assert prompt * 1e-6 + completion * 4e-6 <= worst[policy.arm].worst_cost_usd


async def test_retries_and_samples_are_in_the_worst_case(clean_env):
    """Of a method and its retries, all together: what is reserved is what may be spent."""
    models = {"small": {
        "tier": "small", "model": "gpt-5.4", "serve": None, "usd_per_hour": None, "retries": 2,
        "max_tokens": 100,
    }}  # fmt: skip
    arms = {
        "one": {"model": "small"},
        "vote": {"model": "small", "method": {"name": "majority", "k": 4, "temperature": 0.7}},
    }
    settings = load_settings(models=models, arms=arms, limits={"max_cost_usd": 100})
    builder = CaseBuilder(settings, Models(settings, {}), "no index")
    from tests.router.conftest import FakeSignals

    query = Query(id="q", messages=(Message(role="user", content="Hello there!"),))
    features, signals = await FakeSignals().aclassify(query)
    state = {"query": query, "features": features, "signals": signals,
             "attempts": [], "verdicts": [], "steps": []}  # fmt: skip
    _, estimates = builder.build(state)
    one = estimates["one"].worst_cost_usd
    assert one >= 3 * 100 * 15e-6
    assert estimates["vote"].worst_cost_usd == pytest.approx(4 * one)
    _, tight = builder.build(state, one / 2)
    assert tight["vote"].worst_cost_usd <= one / 2, "it stops at what is left"
