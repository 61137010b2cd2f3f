"""The knowledge route on the real graph: what is looked up, by whom, and who pays. The index,
the judge and the models are fakes."""

import asyncio

import pytest

from router import Query
from router.arms.run import ArmRunner
from router.config import load_settings
from router.errors import InputError, KnowledgeError
from router.knowledge.retrieving import Retriever
from router.state import Message, Passage, Signals

CAPITAL = "What is the capital of Bhutan?"
SIGNALS = Signals(
    verifiability=0.1, knowledge_demand=0.9, domains={"knowledge": 1.0}, chars=3, featuriser="f"
)
BROUGHT = Passage(source="mine", title="Bhutan", text="Bhutan's capital is Thimphu.", score=1.0)


def cited(_messages):
    return '{"passage": 1, "quote": "Thimphu", "answer": "Thimphu"}'


class Counting:
    """An index that counts its searches, or breaks."""

    fingerprint = "fake-2"

    def __init__(self, passages=(BROUGHT,), error=None):
        self.passages, self.error, self.asked = tuple(passages), error, []

    async def asearch(self, query, k=5):
        self.asked.append(query)
        if self.error:
            raise self.error
        return self.passages[:k]

    def close(self):
        pass


def nodes(answer):
    return [s.node for s in answer.trace.steps]


def test_found_is_read_by_the_small_model_with_one_search(make_router, fake_model):
    fake_model.answer, index = cited, Counting()
    answer = make_router(fake_model, index=index, answerable=lambda *_: 0.9).ask(CAPITAL)
    assert nodes(answer)[:3] == ["classify", "retrieve", "decide"]
    assert answer.route == ("small+index",) and answer.verified
    assert index.asked == [CAPITAL]
    (seen,) = [s.lookup for s in answer.trace.steps if s.lookup]
    assert (seen.answerable, seen.index, seen.passages) == (0.9, "fake-2", (BROUGHT,))
    (attempt,) = [s.attempt for s in answer.trace.steps if s.attempt]
    assert attempt.passages == (BROUGHT,) and attempt.answerable == 0.9
    told = answer.trace.steps[2].decision.reasons
    assert any("probably hold the answer" in reason for reason in told)


def test_not_found_goes_to_large(make_router, fake_model, other_fake_model):
    other_fake_model.answer = lambda _: "Thimphu"
    router = make_router(fake_model, other_fake_model, index=Counting(), answerable=lambda *_: 0.1)
    answer = router.ask(CAPITAL)
    assert answer.route == ("large",)
    assert any("hardly hold" in r for r in answer.trace.steps[2].decision.reasons)


def test_not_found_without_large_still_asks_the_index(make_router, fake_model):
    fake_model.answer = cited
    router = make_router(fake_model, index=Counting(), answerable=lambda *_: 0.1)
    assert router.ask(CAPITAL).route == ("small+index",)


def test_arithmetic_does_not_wait_for_the_index(make_router, fake_model):
    fake_model.answer, index = (lambda _: "\\boxed{84}"), Counting()
    answer = make_router(fake_model, index=index, answerable=lambda *_: 0.9).ask("What is 12 * 7?")
    assert "retrieve" not in nodes(answer) and index.asked == []


def test_a_policy_that_does_not_look_pays_no_search(make_router, fake_model):
    index = Counting()
    router = make_router(fake_model, index=index, policy="always-small", answerable=lambda *_: 0.9)
    assert "retrieve" not in nodes(router.ask(CAPITAL)) and index.asked == []


def test_a_broken_index_leaves_the_other_arms(make_router, fake_model, other_fake_model):
    other_fake_model.answer = lambda _: "Thimphu"
    index = Counting(error=KnowledgeError("the index is damaged"))
    answer = make_router(fake_model, other_fake_model, index=index, answerable=lambda *_: 0.9).ask(
        CAPITAL
    )
    assert answer.route == ("large",)
    decision = next(s.decision for s in answer.trace.steps if s.decision)
    assert decision.arms["small+index"].why_not == "the index is damaged"


def test_passages_of_the_asker_are_read_without_an_index(make_router, fake_model):
    fake_model.answer = cited
    asked = Query(id="q", messages=(Message(role="user", content=CAPITAL),), passages=(BROUGHT,))
    answer = make_router(fake_model, answerable=lambda *_: 0.9).ask(asked)
    assert answer.route == ("small+index",) and answer.citations[0].source == "mine"
    assert "Bhutan's capital is Thimphu." in fake_model.requests[-1]["messages"][-1]["content"]


def test_an_arm_shows_its_model_the_best_passages_of_those_found(make_router, fake_model):
    fake_model.answer = cited
    other = BROUGHT.model_copy(update={"source": "worse", "text": "Nepal's capital is Kathmandu."})
    costs = []
    for shown in (1, 2, None):
        router = make_router(
            fake_model, index=Counting([BROUGHT, other]), answerable=lambda *_: 0.9,
            arms={"small+index": {"passages": shown}},
        )  # fmt: skip
        answer = router.ask(CAPITAL)
        (attempt,) = [s.attempt for s in answer.trace.steps if s.attempt]
        read = [p.source for p in attempt.passages]
        assert read == ["mine", "worse"][: shown or 2]
        prompt = fake_model.requests[-1]["messages"][-1]["content"]
        assert ("Kathmandu" in prompt) is (shown != 1)
        (lookup,) = [s.lookup for s in answer.trace.steps if s.lookup]
        assert len(lookup.passages) == 2, "the judge and a larger arm see all of them"
        decision = next(s.decision for s in answer.trace.steps if s.decision)
        estimate = decision.arms["small+index"]
        assert attempt.cost_usd <= estimate.worst_cost_usd
        costs.append((estimate.predicted_cost_usd, estimate.worst_cost_usd))
    assert costs[0][0] < costs[1][0] and costs[0][1] < costs[1][1]
    assert costs[1] == costs[2]


def test_passages_of_the_asker_are_checked_like_a_query(make_router, fake_model):
    hello = (Message(role="user", content=CAPITAL),)
    router = make_router(fake_model)
    with pytest.raises(InputError, match="brings 0 passages"):
        router.ask(Query(id="q", messages=hello, passages=()))
    long = BROUGHT.model_copy(update={"text": "x" * 300_000})
    with pytest.raises(InputError, match="max_query_chars"):
        router.ask(Query(id="q", messages=hello, passages=(long,)))
    binary = BROUGHT.model_copy(update={"text": "a\x00b"})
    with pytest.raises(InputError, match="binary"):
        router.ask(Query(id="q", messages=hello, passages=(binary,)))


def test_a_search_that_is_priced_is_paid_once(make_router, fake_model, other_fake_model):
    other_fake_model.answer = lambda _: "Thimphu"
    router = make_router(
        fake_model, other_fake_model, index=Counting(), answerable=lambda *_: 0.1,
        knowledge={"usd_per_hour": 3600.0},
    )  # fmt: skip
    answer = router.ask(CAPITAL)
    (lookup,) = [s.lookup for s in answer.trace.steps if s.lookup]
    (attempt,) = [s.attempt for s in answer.trace.steps if s.attempt]
    tokens = attempt.price.cost(attempt.prompt_tokens, attempt.completion_tokens)
    assert lookup.cost_usd == pytest.approx(lookup.seconds)
    assert answer.cost_usd == pytest.approx(tokens + lookup.cost_usd)


def test_a_search_counts_against_the_limit_of_the_request(make_router, fake_model):
    def first(usd_per_hour):
        router = make_router(
            fake_model, index=Counting(), answerable=lambda *_: 0.9, limits={"max_cost_usd": 0.01},
            knowledge={"usd_per_hour": usd_per_hour},
        )  # fmt: skip
        return router.route(CAPITAL)[1]

    assert first(None).arm == "small+index"
    spent = first(3.6e9)  # a thousand dollars a millisecond
    assert spent.lookup is not None and spent.lookup.cost_usd > 0.01
    assert spent.arm is None
    assert "above the USD 0.0000 left" in (spent.arms["small+index"].why_not or "")


class Reachable:
    """A pool whose one model is there, and is never asked."""

    def price(self, _name):
        return None

    def endpoint(self, _name):
        return None


def test_a_search_that_breaks_is_paid_all_the_same():
    broken = Counting(error=KnowledgeError("the index is damaged"))
    runner = ArmRunner(Reachable(), Retriever(broken, 3, usd_per_hour=3600.0), None)
    arm = load_settings().arms["small+index"]
    asked = Query(id="q", messages=(Message(role="user", content=CAPITAL),))
    attempt = asyncio.run(
        runner.run("small+index", arm, asked, SIGNALS, timeout_s=5.0, left_usd=1.0)
    )
    assert attempt.error == "the index is damaged"
    assert 0 < attempt.cost_usd <= attempt.seconds


def test_real_passages_make_the_predicted_cost(make_router, fake_model):
    short, long = (BROUGHT.model_copy(update={"text": "Thimphu. " * n}) for n in (1, 80))
    costs = []
    for passage in (short, long):
        router = make_router(fake_model, index=Counting([passage]), answerable=lambda *_: 0.9)
        _, decision = router.route(CAPITAL)
        assert decision.lookup is not None and decision.lookup.passages == (passage,)
        costs.append(decision.arms["small+index"].predicted_cost_usd)
    per_char = 1e-6 / 3.6
    assert costs[1] - costs[0] == pytest.approx(79 * 9 * per_char, abs=1e-6)
