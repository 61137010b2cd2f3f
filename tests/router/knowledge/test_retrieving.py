"""Looking up: when, what is judged, what a broken index says. The index and the judge are fakes."""

import asyncio

import pytest

from policies import Needs
from router.errors import KnowledgeError
from router.knowledge.retrieving import Retriever, wanted
from router.state import Message, Passage, Query, Signals

READS = Needs(optional=frozenset({"answerability"}))
CAPITAL = Passage(
    source="f/bt#Capital", title="Bhutan — Capital", text="Bhutan. Capital: Thimphu.", score=0.9
)
MONEY = Passage(
    source="f/bt#Money", title="Bhutan — Exchange rates", text="Bhutan. Ngultrum.", score=0.8
)
OTHER = Passage(
    source="f/np#Money", title="Nepal — Exchange rates", text="Nepal. Rupee.", score=0.7
)


class FakeIndex:
    """Says what it is told to; counts."""

    fingerprint = "fake-1"

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def asearch(self, query, k=5):
        self.asked.append(query)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            await asyncio.sleep(30)
        return tuple(answer)[:k]


def query(text="What is the capital of Bhutan?", passages=None):
    return Query(id="q", messages=(Message(role="user", content=text),), passages=passages)


def signals(knowledge):
    return Signals(
        verifiability=0.1, knowledge_demand=knowledge, domains={"knowledge": 1.0}, chars=3,
        featuriser="f",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("needs", "knowledge", "readable", "passages", "looks"),
    [
        (READS, 0.9, True, None, True),
        (Needs(features=frozenset({"answerability"})), 0.9, True, None, True),
        (READS, 0.1, True, None, False),  # arithmetic does not wait for an index
        (READS, 0.1, True, (CAPITAL,), True),  # but what the asker brings is judged
        (READS, 0.9, False, None, False),
        (Needs(features=frozenset({"axes"})), 0.9, True, None, False),
    ],
)
def test_when_it_looks(needs, knowledge, readable, passages, looks):
    assert wanted(needs, query(passages=passages), signals(knowledge), readable) is looks


async def test_passages_are_found_and_judged():
    seen = []

    def judge(question, passages, read):
        seen.append((question, passages, read))
        return 0.75

    found = await Retriever(FakeIndex([CAPITAL, OTHER]), 1, judge).look_up(query())
    assert found.passages == (CAPITAL,)  # the other one is background
    assert (found.answerable, found.index, found.brought) == (0.75, "fake-1", False)
    assert seen == [("What is the capital of Bhutan?", (CAPITAL, OTHER), 1)]
    assert found.seconds > 0 and found.cost_usd == 0.0


async def test_nothing_found_answers_nothing_and_no_judge_says_nothing():
    assert (await Retriever(FakeIndex([]), 3, lambda *_: 0.9).look_up(query())).answerable == 0.0
    assert (await Retriever(FakeIndex([CAPITAL]), 3).look_up(query())).answerable is None


async def test_what_the_asker_brings_takes_the_place_of_a_search():
    index = FakeIndex([OTHER])
    retriever = Retriever(index, 3, lambda _, passages, read: read / 4, usd_per_hour=36.0)
    found = await retriever.look_up(query(passages=(CAPITAL,)))
    assert (found.passages, found.answerable, found.brought) == ((CAPITAL,), 0.25, True)
    assert index.asked == [] and found.cost_usd == 0.0


async def test_one_follow_up_and_no_more():
    index = FakeIndex([CAPITAL, OTHER], [MONEY, OTHER], [OTHER])
    asked = query("What is the currency of the country whose capital is Thimphu?")
    found = await Retriever(index, 3).look_up(asked)
    assert found.follow_up == "What is the currency of Bhutan?"
    assert index.asked == [
        "the country whose capital is Thimphu", "What is the currency of Bhutan?",
    ]  # fmt: skip
    assert found.passages == (MONEY, OTHER, CAPITAL)


async def test_what_the_reader_gets_of_two_searches_is_judged_first():
    seen = []
    index = FakeIndex([CAPITAL, OTHER], [MONEY, OTHER])
    asked = query("What is the currency of the country whose capital is Thimphu?")
    judge = lambda question, passages, read: seen.append((question, passages, read)) or 0.5  # noqa: E731
    found = await Retriever(index, 2, judge).look_up(asked)
    assert found.passages == (MONEY, CAPITAL)
    assert seen == [("What is the currency of Bhutan?", (MONEY, CAPITAL, OTHER), 2)]


async def test_a_priced_machine_is_paid_by_the_second():
    found = await Retriever(FakeIndex([CAPITAL]), 1, None, usd_per_hour=36.0).look_up(query())
    assert found.cost_usd == pytest.approx(found.seconds * 0.01)


async def test_a_broken_index_is_a_sentence_not_a_crash():
    broken = await Retriever(FakeIndex(KnowledgeError("it is damaged")), 3).look_up(query())
    assert (broken.error, broken.passages) == ("it is damaged", ())
    slow = await Retriever(FakeIndex(None), 3).look_up(query(), timeout_s=0.05)
    assert slow.error is not None and "time" in slow.error
    none = await Retriever(None, 3).look_up(query())
    assert none.error is not None and "ockham index build" in none.error
