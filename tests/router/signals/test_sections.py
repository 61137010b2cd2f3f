"""Prompts in sections: the one whose heading asks is the ask."""

import time

import pytest

from router.signals.conversation import read
from router.signals.sections import asking_section
from router.state import Message, Query

ASK = "A train travels 240 km in 3 hours. How far does it get in 5?"


@pytest.mark.parametrize(
    "text",
    [
        f"You are an agent.\n\n## Task\n{ASK}\n\n## Rules\n- At most eight steps",
        f"# Your task:\n{ASK}",
        f"[AGENT STATE]\nstep: 1/10\n[OBJECTIVE]\n{ASK}\n[END]",
        f"### Context ###\nnothing\n### Question ###\n{ASK}",
        f"## Task\nSay hello to the nice people in the room.\n## Question\n{ASK}",
    ],
)
def test_the_asking_section_is_read(text: str) -> None:
    found = asking_section(text)
    assert found is not None
    assert found[0] == ASK
    assert ASK not in found[1]


@pytest.mark.parametrize(
    "text",
    [
        ASK,
        "# Recipe\nBoil two eggs for six minutes and peel them.",
        "## Steps\n1. open it\n## Request\nPlease provide a patch.",
        "def f(x):\n    # task\n    return x",
        "Write a function that reverses a list.\n>>> rev([1, 2])\n[2, 1]",
        "[task force] report on floods in the valley and beyond",
    ],
)
def test_other_texts_have_none(text: str) -> None:
    assert asking_section(text) is None


def test_one_field_that_says_something_is_the_ask() -> None:
    def ask(text: str) -> str:
        return read(Query(id="q", messages=(Message(role="user", content=text),))).ask

    assert ask(f'{{"id": 7, "payload": "{ASK}", "lang": "auto"}}') == ASK
    both = f'{{"title": "A question of trains", "payload": "{ASK}"}}'
    assert ask(both) == both


@pytest.mark.parametrize("unit", ["# ", "[A", "## Task\n", "#" * 7, "[task] "])
def test_hostile_text_takes_no_time(unit: str) -> None:
    start = time.perf_counter()
    asking_section(unit * (200_000 // len(unit)))
    assert time.perf_counter() - start < 10  # a runaway pattern takes minutes
