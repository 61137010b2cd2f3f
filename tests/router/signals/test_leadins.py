"""Sentences that say nothing are dropped beside one that does."""

import time

import pytest

from router.signals.leadins import count_words, without_lead_ins

ASK = "A train travels 240 km in 3 hours. How far does it get in 5 hours?"


@pytest.mark.parametrize(
    "form",
    [
        "I have a question: {}",
        "Could you help me with the following? {}",
        "Here's something I need sorted out.\n\n{}",
        "Hello there! Can you please look at this one for me?\n{}",
        "I've been thinking about this. I can't figure it out. {}",
        "{}\n\nWhat do you say?",
        "{} Let me know what you think.",
        "Next question: {} Any help would be appreciated!",
    ],
)
def test_empty_sentences_go(form: str) -> None:
    assert without_lead_ins(form.format(ASK)) == ASK


@pytest.mark.parametrize(
    "text",
    [
        ASK,
        "Translate the following: good morning, everyone at the station.",
        "Can you help me?",
        "What do you think?",
        "Who are you?",
        "Let\n\\[x = 1\\] be a number. What is it?",
        "Which is right?\nA. a cat\nB. a dog\nC. both\nD. all of the above",
        "Is it so? Tell me.",
        "",
    ],
)
def test_what_says_something_stays(text: str) -> None:
    assert without_lead_ins(text) == text


def test_scripts_without_spaces_have_words() -> None:
    assert count_words("how many words") == 3
    assert count_words("这是什么") == 4
    assert count_words("バミューダ") == 5
    assert count_words("...") == 0


@pytest.mark.parametrize("bait", ["a ", "what is it? ", "please: ", "? ", "\n", "the\n\n"])
def test_long_runs_take_bounded_time(bait: str) -> None:
    started = time.perf_counter()
    without_lead_ins(bait * (1_000_000 // len(bait)))
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes
