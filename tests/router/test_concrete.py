"""Requests that name a model: the same graph over one arm. And embeddings."""

import numpy as np
import pytest

from policies import OnlyArm
from router import InputError
from router.concrete import OnlyModel, concrete_names, concrete_policy
from router.config import load_settings
from router.embedding import PACKAGED, Embedder, embedding_price
from router.errors import BudgetError, NoAnswerError
from router.state import Bounds, JsonSchemaCheck, Message, Query, Sampling

from .wallet import Wallet

MATH = "What is 12 * 7?"
WRONG = "12 * 7 = 88\n\nThe answer is \\boxed{88}."


def test_a_model_an_arm_or_litellms_name(clean_env):
    clean_env.setenv("OPENAI_API_KEY", "k")
    settings = load_settings()
    assert concrete_policy(settings, "small") == OnlyModel(arm="small")
    assert concrete_policy(settings, "small+index") == OnlyArm(arm="small+index")
    assert concrete_policy(settings, "gpt-5.4") == OnlyModel(arm="large")
    assert "gpt-5.4" in concrete_names(settings)
    with pytest.raises(InputError, match="no model 'gpt-2' here; there are small, small"):
        concrete_policy(settings, "gpt-2")


def test_an_arm_of_its_own_stands_for_a_model_without_a_plain_one(clean_env):
    settings = load_settings(models={"odd": {"tier": "small", "model": "gpt-5.4"}})
    with pytest.raises(InputError, match="no arm uses the model 'odd'"):
        concrete_policy(settings, "odd")


def test_an_arm_of_a_models_name_that_does_more_is_that_arm(clean_env):
    vote = {"model": "small", "method": {"name": "majority", "k": 4, "temperature": 0.7}}
    settings = load_settings(arms={"small": vote, "tiny": {"model": "small"}})
    assert concrete_policy(settings, "small") == OnlyArm(arm="small")
    assert concrete_policy(settings, "tiny") == OnlyArm(arm="tiny")


@pytest.mark.parametrize("question", [MATH, "Write a function that sorts."])
def test_a_model_is_asked_nothing_but_the_question(make_router, fake_model, question):
    router = make_router(fake_model)
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]
    answer = router.ask(turns, policy=router.concrete("small"))
    assert fake_model.requests[-1]["messages"] == turns
    assert answer.answer == "Hello from the fake model." and answer.choices
    assert (answer.verdict.kind, answer.verdict.status) == ("none", "unchecked")
    assert not answer.verified and answer.cost_usd > 0
    router.ask(turns, policy=OnlyArm(arm="small"))
    assert fake_model.requests[-1]["messages"][1]["content"].startswith(f"{question}\n\n")


def test_what_the_asker_states_is_checked(make_router, fake_model):
    router = make_router(fake_model)
    schema = {"type": "object", "required": ["a"]}
    query = Query(
        id="q", messages=(Message(role="user", content=MATH),),
        checks=(JsonSchemaCheck(definition=schema),),
    )  # fmt: skip
    answer = router.ask(query, policy=router.concrete("small"))
    assert (answer.verdict.kind, answer.verdict.passed) == ("format", False)
    assert answer.answer == "Hello from the fake model."
    assert fake_model.requests[-1]["response_format"]["json_schema"]["schema"] == schema
    fake_model.answer = lambda _: '{"a": 1}'
    assert router.ask(query, policy=router.concrete("small")).verified


@pytest.mark.parametrize(("asked", "clipped"), [(9000, 384), (384, None), (5, None), (None, None)])
def test_an_attempt_knows_that_its_cap_was_lowered(make_router, fake_model, asked, clipped):
    router = make_router(fake_model)
    query = Query(
        id="q", messages=(Message(role="user", content="Hello!"),),
        sampling=Sampling(max_tokens=asked),
    )  # fmt: skip
    for policy in (router.concrete("small"), OnlyArm(arm="small")):
        answer = router.ask(query, policy=policy)
        (attempt,) = [step.attempt for step in answer.trace.steps if step.attempt]
        assert attempt.clipped == clipped
        assert fake_model.requests[-1]["max_tokens"] == min(asked or 384, 384)


def test_no_other_arm_is_tried(make_router, fake_model, other_fake_model):
    fake_model.answer = lambda _: WRONG
    router = make_router(fake_model, other_fake_model)
    assert router.ask(MATH).route == ("small", "large")
    sure = Query(
        id="q", messages=(Message(role="user", content=MATH),), bounds=Bounds(min_confidence=0.99)
    )
    assert router.ask(sure, policy=router.concrete("small")).route == ("small",)
    assert router.ask(MATH, policy=router.concrete("large")).route == ("large",)
    fake_model.mode = "error"
    with pytest.raises(NoAnswerError):
        router.ask(MATH, policy=router.concrete("small"))


class Rows:
    """An encoder of three dimensions."""

    def encode(self, texts, batch_size=32):
        return np.eye(3, dtype=np.float32)[: len(texts)]

    def count_pieces(self, texts):
        return [len(t.split()) for t in texts]


async def test_the_packaged_encoder_costs_the_machines_time(clean_env):
    settings = load_settings(embeddings={"usd_per_hour": 3600.0})
    wallet = Wallet(1e6)
    done = await Embedder(settings, Rows()).embed(["a b", "c"], PACKAGED, purse=wallet)
    assert done.vectors == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)) and done.tokens == 3
    assert done.cost_usd == pytest.approx(done.seconds, rel=1e-6)
    assert wallet.spent == done.cost_usd and not wallet.open
    with pytest.raises(InputError, match="gives 3, and no other"):
        await Embedder(settings, Rows()).embed(["a"], PACKAGED, dimensions=8)
    with pytest.raises(BudgetError, match="above what the budget has left"):
        await Embedder(settings, Rows()).embed(["a"], PACKAGED, purse=Wallet(0))


async def test_an_unknown_embedding_model_is_refused_by_name(clean_env):
    with pytest.raises(InputError, match="no embedding model 'x' here; there are ockham/embed"):
        await Embedder(load_settings(), Rows()).embed(["a"], "x")


async def test_a_hosted_embedding_model_is_paid_by_its_own_count(clean_env, embedding_server):
    models = {"text": {"model": "openai/e", "api_base": embedding_server, "api_key": "k",
                       "input_usd_per_million": 20}}  # fmt: skip
    settings = load_settings(embeddings={"models": models})
    wallet = Wallet(1.0)
    done = await Embedder(settings, Rows()).embed(["hello", "you"], "text", purse=wallet)
    assert done.vectors == ((0.0, 0.5), (1.0, 0.5)) and done.tokens == 7
    assert wallet.spent == pytest.approx(7 * 20e-6)
    ((lease, bill),) = wallet.settled
    assert bill.basis == "reported" and lease.usd >= 8 * 20e-6


def test_a_price_is_needed(clean_env):
    models = {"text": {"model": "nobody/knows"}}
    settings = load_settings(embeddings={"models": models})
    with pytest.raises(InputError, match="input_usd_per_million"):
        embedding_price("text", settings.embeddings.models["text"])
