"""What comes with a question: options in odd notation, passages, orders on the format."""

import time

import pytest

from router.signals.materials import (
    has_passage,
    plain_options,
    without_format,
    without_manners,
)

HF = "Is rust a gas?\nChoices: {'text': ['Yes', 'No', \"can't say\"], 'label': ['A', 'B', 'C']}"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (HF, "Is rust a gas?\nA. Yes\nB. No\nC. can't say"),
        ('Pick. options: ["red", "blue"]', "Pick. A. red\nB. blue"),
        ('Options = {"1": "red", "2": "blue"}', "A. red\nB. blue"),
    ],
)
def test_options_are_written_out(text: str, plain: str) -> None:
    assert plain_options(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "Options: {'text': [broken",
        "choices: [open('x').read(), 2]",
        "options = {'a': {'b': 1}}",
        "Which options: red or blue?",
        "def f(options=[]): pass",
    ],
)
def test_what_is_no_list_of_options_stays(text: str) -> None:
    assert plain_options(text) == text


@pytest.mark.parametrize(
    "closing",
    [
        " Put your final answer in \\boxed{}.",
        "\n\nProvide the correct answer in \\boxed{X}, where X is the answer. "
        "Keep the explanation or feedback within 3 sentences.",
        " Please answer with the letter only.",
        "\nRespond with the correct letter choice.",
        " Give the answer as a fraction. Keep your response under 50 words.",
    ],
)
def test_orders_on_the_format_are_dropped(closing: str) -> None:
    question = "Which of the two trains arrives first?"
    assert without_format(question + closing) == question


@pytest.mark.parametrize(
    "text",
    [
        "I have a test tomorrow. Give an explanation of photosynthesis.",
        "Write a function that returns the final answer of a quiz.",
        "Put your final answer in \\boxed{}.",
        "Who was Ada Lovelace? Where did she live?",
        "Provide a report on our sales.",
    ],
)
def test_asks_are_not_orders_on_the_format(text: str) -> None:
    assert without_format(text) == text


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("Hello! Could you please help me with this?\n\n", "\n\nThank you very much in advance!"),
        ("Hi, a question: ", ""),
        ("hey there, ", " Thanks!"),
        ("Good morning. I have a quick question: ", "\nKind regards, Sam"),
        ("", "\nAny help would be appreciated."),
    ],
)
def test_manners_are_dropped(opening: str, closing: str) -> None:
    question = "Which of the two trains arrives first?"
    assert without_manners(opening + question + closing) == question


@pytest.mark.parametrize(
    "text",
    [
        "Hello!",
        "Thanks, that was helpful! How are you today?",
        "Hi there, how are",
        "High tide is at noon. When is the next one?",
        "Write a card that says: thank you",
        "Nice, thanks a lot!",
    ],
)
def test_manners_alone_are_the_ask(text: str) -> None:
    assert without_manners(text) == text


def test_a_passage_is_named_and_long_enough() -> None:
    story = "Once there was a keeper who lost the lamp of his tower. " * 4
    assert has_passage(f"Context: {story}")
    assert not has_passage(story)
    assert not has_passage("Context: None")


@pytest.mark.parametrize(
    "unit",
    [
        "Choices: {",
        "options: [",
        "Put the answer in ",
        "answer ",
        "letter ",
        "[" * 50,
        "hi ",
        "thanks ",
    ],
)
def test_hostile_text_takes_no_time(unit: str) -> None:
    text = (unit * (1_000_000 // len(unit)))[:1_000_000]
    start = time.perf_counter()
    plain_options(text[:20_000])
    plain_options(text)
    without_format(text)
    without_manners(text)
    has_passage(text)
    assert time.perf_counter() - start < 10  # a runaway pattern takes minutes
