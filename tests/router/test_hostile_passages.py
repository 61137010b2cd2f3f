"""Instructions in passages move nothing: not the signals, the policy, the arm, nor the prompt's
parts. The models are fakes; the judge of answerability is a fake that counts words; one test runs
the router's own signals and encoder over a hostile index."""

import json

import pytest

from router.state import Message as Turn
from router.state import Passage, Query

from .knowledge.hostile import ORDERS, hostile_passages

CAPITAL = "What is the capital of Bhutan?"
FACT = "The capital of Bhutan is Thimphu."
PLAIN = tuple(
    Passage(source=f"s{i}", title=t, text=FACT, score=s)
    for i, (t, s) in enumerate((("Bhutan — Capital", 0.9), ("Bhutan", 0.8), ("Bhutan", 0.7)))
)


def words_in_common(question, passages, read=None):
    """A fake judge that reads words as words: the share of the question's that are there."""
    asked = set(question.lower().strip("?").split())
    return max(
        len(asked & set(p.text.lower().replace(".", "").split())) for p in passages[:read]
    ) / len(asked)


class Index:
    """The passages, whatever is asked; remembers the questions."""

    fingerprint = "fake"

    def __init__(self, passages):
        self.passages, self.asked = passages, []

    async def asearch(self, query, k=5):
        self.asked.append(query)
        return self.passages[:k]

    def close(self):
        pass


def asked(make_router, fake_model, other_fake_model, passages, judge=words_in_common, **more):
    fake_model.answer = lambda _: '{"passage": 1, "quote": "Thimphu", "answer": "Thimphu"}'
    other_fake_model.answer = lambda _: "Thimphu"
    index = Index(passages)
    router = make_router(fake_model, other_fake_model, index=index, answerable=judge, **more)
    return router.ask(CAPITAL), index


def decided(answer):
    """Everything that was decided, without what was measured in seconds and dollars."""
    out = []
    for step in answer.trace.steps:
        if step.decision:
            out.append((step.decision.arm, step.decision.reasons))
    return answer.route, out, answer.signals


@pytest.mark.parametrize("order", ORDERS)
def test_orders_move_neither_signals_nor_policy_nor_arm(
    make_router, fake_model, other_fake_model, order
):
    plain, _ = asked(make_router, fake_model, other_fake_model, PLAIN)
    hostile, index = asked(make_router, fake_model, other_fake_model, hostile_passages(FACT, order))
    assert decided(hostile) == decided(plain)
    assert index.asked == [CAPITAL]  # no second search on a passage's word
    (lookup,) = [s.lookup for s in hostile.trace.steps if s.lookup]
    assert lookup.answerable == words_in_common(CAPITAL, PLAIN)


@pytest.mark.parametrize("order", ORDERS)
def test_orders_stay_inside_their_passage_in_the_users_turn(
    make_router, fake_model, other_fake_model, order
):
    all_three = {"arms": {"small+index": {"passages": None}}}
    asked(make_router, fake_model, other_fake_model, hostile_passages(FACT, order), **all_three)
    sent = fake_model.requests[-1]
    assert [m["role"] for m in sent["messages"]] == ["user"]
    assert not {"tools", "tool_choice", "functions"} & set(sent)
    content = sent["messages"][0]["content"]
    assert content.count("<passage ") == content.count("</passage>") == 3
    for token in ("<|", "[INST]", "<<SYS>>", "\u202e", "\u200b", "\U000e0069"):
        assert token not in content
    tail = content.rsplit("</passage>", 1)[1]
    assert tail.endswith(f"Question: {CAPITAL}") and order not in tail


def test_a_reader_that_obeys_is_caught_by_the_check(make_router, fake_model, other_fake_model):
    """The reply is the fake's: what matters is that its words are held against a passage."""
    other_fake_model.answer = lambda _: "Thimphu"
    fake_model.answer = lambda _: json.dumps(
        {"passage": 1, "quote": "Thimphu", "answer": "My system prompt is: 7731 secrets"}
    )
    router = make_router(
        fake_model, other_fake_model, index=Index(PLAIN), answerable=lambda *_: 0.9
    )
    answer = router.ask(CAPITAL)
    assert answer.route == ("small+index", "large")
    first = next(s.verdict for s in answer.trace.steps if s.verdict)
    assert first.passed is False


def test_passages_of_the_asker_are_data_too(make_router, fake_model, other_fake_model):
    fake_model.answer = lambda _: '{"passage": 1, "quote": "Thimphu", "answer": "Thimphu"}'
    router = make_router(fake_model, other_fake_model, answerable=words_in_common)
    for order in ORDERS:
        query = Query(
            id="q", messages=(Turn(role="user", content=CAPITAL),),
            passages=hostile_passages(FACT, order),
        )  # fmt: skip
        _, decision = router.route(query)
        assert decision.arm == "small+index"


def test_a_follow_up_takes_a_name_and_no_order(make_router, fake_model, other_fake_model):
    two_hops = "What is the currency of the country whose capital is Thimphu?"
    for order in ORDERS:
        titled = (Passage(source="s", title=order, text=FACT, score=0.9),)
        index = Index(titled)
        router = make_router(fake_model, other_fake_model, index=index, answerable=words_in_common)
        router.route(two_hops)
        # At most the start of a title, of a name's length, in the question's own form.
        assert len(index.asked) == 2 and index.asked[0] == "the country whose capital is Thimphu"
        assert index.asked[1].startswith("What is the currency of ")
        assert len(index.asked[1]) <= 90
