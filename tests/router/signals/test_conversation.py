"""Which turn is judged: a short follow-up takes the text of what it continues."""

import pytest

from router.signals.conversation import is_follow_up, judged_text
from router.state import Message, Query


def talk(*turns: str) -> Query:
    """User and assistant in turn, the user first."""
    roles = ("user", "assistant")
    messages = tuple(Message(role=roles[i % 2], content=t) for i, t in enumerate(turns))  # type: ignore[arg-type]
    return Query(id="t", messages=messages)


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "Continue.",
        "and for 7?",
        "ok go on",
        "?",
        "why?",
        "what about Niger?",
        "make it shorter",
    ],
)
def test_follow_ups(text: str) -> None:
    assert is_follow_up(text)


@pytest.mark.parametrize(
    "text",
    ["What is the capital of Chad?", "Who wrote Emma?", "What is 12*7?", "Solve x^2 = 49",
     "And now write a function that sorts a list of names by length"],
)  # fmt: skip
def test_questions_of_their_own(text: str) -> None:
    assert not is_follow_up(text)


def test_a_follow_up_takes_what_it_continues() -> None:
    assert judged_text(talk("Solve x^2 = 49", "7", "and for 50?")) == "Solve x^2 = 49\nand for 50?"


def test_a_chain_of_nods_reaches_back() -> None:
    query = talk("Who wrote Emma?", "Austen", "yes", "more?", "continue")
    assert judged_text(query) == "Who wrote Emma?\ncontinue"


def test_a_new_question_stands_alone() -> None:
    assert judged_text(talk("Who wrote Emma?", "Austen", "What is 12*7?")) == "What is 12*7?"


def test_a_lone_follow_up_is_itself() -> None:
    assert judged_text(talk("continue")) == "continue"


def test_without_a_user_the_last_turn_counts() -> None:
    query = Query(id="s", messages=(Message(role="system", content="Be kind."),))
    assert judged_text(query) == "Be kind."
