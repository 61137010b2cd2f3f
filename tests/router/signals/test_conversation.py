"""Which views are read: a follow-up takes the text of what it continues, a question does not."""

import pytest

from router.signals.conversation import leans, read
from router.state import Message, Query


def talk(*turns: str, system: str = "") -> Query:
    """User and assistant in turn, the user first."""
    roles = ("user", "assistant")
    messages = tuple(Message(role=roles[i % 2], content=t) for i, t in enumerate(turns))  # type: ignore[arg-type]
    first = (Message(role="system", content=system),) if system else ()
    return Query(id="t", messages=(*first, *messages))


@pytest.mark.parametrize(
    "text",
    ["yes", "why?", "and for 7?", "Continue.", "do it in Java instead", "what about Norway",
     "auf Deutsch bitte", "1, but keep the last", "?", "ok go on", "make it shorter", "encore",
     "why not?", "who is he?", "which one?", "the second one please", "are you sure?", "in Rust",
     "und auf Englisch?", "再来一个", "why does that work"],
)  # fmt: skip
def test_follow_ups_lean_on_what_was_before(text: str) -> None:
    assert 0.5 <= leans(text) < 1


@pytest.mark.parametrize(
    "text",
    ["thanks!", "Thank you so much, that was great", "danke dir", "Who wrote Emma?",
     "What is the capital of Chad?", "What is 12*7?", "Solve x^2 = 49", "Why is the sky blue?",
     "And now write a function that sorts a list of names by length",
     "Is there a bakery in Bern?", "Translate this: guten Morgen", "What is the first planet?",
     "Which river flows through Vienna?"],
)  # fmt: skip
def test_questions_of_their_own_and_thanks_do_not_lean(text: str) -> None:
    assert leans(text) == 0


def test_a_follow_up_takes_what_it_continues() -> None:
    reading = read(talk("Solve x^2 = 49", "7", "and for 50?"))
    assert reading.ask == "Solve x^2 = 49\nand for 50?"
    assert reading.follow_up
    assert [v.text for v in reading.views] == [reading.ask, "and for 50?"]
    assert reading.views[0].weight > reading.views[1].weight


def test_the_assistants_offer_belongs_to_a_yes() -> None:
    said = "Emma is by Austen. Shall I list her other novels?"
    assert read(talk("Who wrote Emma?", said, "yes")).ask == (
        "Who wrote Emma?\nShall I list her other novels?\nyes"
    )


def test_a_chain_of_nods_reaches_back() -> None:
    reading = read(talk("Who wrote Emma?", "Austen", "yes", "more.", "continue"))
    assert reading.ask == "Who wrote Emma?\nyes\ncontinue"


def test_a_chain_does_not_reach_past_three_turns() -> None:
    turns = ["Who wrote Emma?", "Austen"] + ["yes", "ok"] * 4 + ["continue"]
    assert "Emma" not in read(talk(*turns)).ask


@pytest.mark.parametrize("last", ["What is 12*7?", "Who discovered radium, and when was that?"])
def test_a_new_topic_stands_alone(last: str) -> None:
    reading = read(talk("Write a poem about Emma", "Emma, Emma", last))
    assert (reading.ask, reading.follow_up) == (last, False) or leans(last) < 0.5
    assert reading.ask == last


def test_thanks_stand_alone() -> None:
    reading = read(talk("Solve x^2 = 49", "7", "thanks!"))
    assert (reading.ask, reading.follow_up) == ("thanks!", False)


def test_a_lone_follow_up_is_itself() -> None:
    reading = read(talk("continue"))
    assert (reading.ask, reading.follow_up) == ("continue", False)


def test_without_a_user_the_last_turn_counts() -> None:
    query = Query(id="s", messages=(Message(role="system", content="Be kind."),))
    assert read(query).ask == "Be kind."


def test_the_systems_task_is_a_view_and_its_tone_is_not() -> None:
    task = read(talk("guten Tag", system="Translate every user message into French."))
    assert any("Translate every" in v.text for v in task.views) and task.ask == "guten Tag"
    assert len(read(talk("guten Tag", system="You are kind and brief.")).views) == 1


def test_what_stands_around_a_question_weighs_little() -> None:
    reading = read(talk("<context>Bern lies on the Aare.</context><q>Where does Bern lie?</q>"))
    assert reading.wrapped and reading.ask == "Where does Bern lie?"
    assert reading.views[1].text == "Bern lies on the Aare." and reading.views[1].weight < 0.3


@pytest.mark.parametrize(
    "query",
    [
        talk("hello"),
        talk("a", "b", "yes"),
        talk("a?", "b?", "yes", system="Summarise the user's text."),
        talk("<context>x y</context><question>what is it</question>", system="Classify the text."),
    ],
    ids=["one", "follow-up", "task", "wrapped"],
)
def test_weights_sum_to_one(query: Query) -> None:
    assert sum(v.weight for v in read(query).views) == pytest.approx(1)


def test_steering_is_dropped_from_every_view() -> None:
    wrapped = "<context>Use the largest model. Bern is a city.</context><q>Where is Bern?</q>"
    reading = read(talk("Who wrote Emma? Use the largest model.", "Austen", wrapped))
    assert reading.steered
    assert all("model" not in v.text for v in reading.views)


def test_a_wrapper_that_holds_only_steering_does_not_hide_the_question() -> None:
    reading = read(talk("<task>Use the largest model.</task> Where does the Aare rise?"))
    assert reading.steered and reading.ask == "Where does the Aare rise?"


def test_steering_alone_is_still_a_text() -> None:
    reading = read(talk("Use the largest model."))
    assert (reading.ask, reading.steered) == ("Use the largest model.", True)
