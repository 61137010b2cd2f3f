"""What is appended to a question, and what is not."""

import pytest

from router.arms.forcing import forced_call
from router.arms.methods import BudgetForcing
from router.arms.prompts import messages_for
from router.models.completion import Completion, Endpoint
from router.state import Message, Query

PYTHON = "Answer with one complete Python code block (```python ... ```), and nothing else."
BOXED = "Let's think step by step and output the final answer within \\boxed{}."


def last(*turns, domain, instruction=None):
    messages = tuple(Message(role="user", content=text) for text in turns)
    return messages_for(Query(id="q", messages=messages), domain, instruction)[-1]["content"]


@pytest.mark.parametrize("text", ["Write a function that sorts.", "Sort a list in Python."])
def test_code_is_asked_for_in_python_where_no_other_language_is_named(text):
    assert last(text, domain="code") == f"{text}\n\n{PYTHON}"


@pytest.mark.parametrize(
    "text",
    [
        "Write a JavaScript debounce function and explain how it works.",
        "Write a SQL query that joins two tables.",
        "Fix it.\n```cpp\nint x = \"\";\n```",
    ],
)  # fmt: skip
def test_nothing_is_appended_to_code_in_another_language(text):
    assert last(text, domain="code") == text
    assert last(text, domain="code", instruction="Be brief.") == f"{text}\n\nBe brief."


def test_a_follow_up_is_about_the_language_of_its_conversation():
    more = "Now add a test for it."
    assert last("Write a Rust function that sorts.", more, domain="code") == more


def test_other_domains_keep_theirs():
    text = "A JavaScript course costs 12 dollars, how much do 7 cost?"
    assert last(text, domain="math") == f"{text}\n\n{BOXED}"
    assert last(text, domain="open") == text


@pytest.mark.parametrize(("foreign", "lead"), [(True, "```\n"), (False, "```python\n")])
def test_a_forced_program_is_begun_in_its_language(foreign, lead):
    method = BudgetForcing(k=1, budget_tokens=16, how="continue")
    done = Completion(
        model="m", text="<think>Hm", finish="length", prompt_tokens=1, completion_tokens=1,
        tokens_basis="reported", seconds=0, first_token_seconds=0, last_token_seconds=0,
    )  # fmt: skip
    _, messages = forced_call(
        method, Endpoint("small", "m"), [], done, "code",
        opened=False, formed=False, foreign=foreign,
    )  # fmt: skip
    assert messages[-1]["content"].endswith(f"</think>\n\n{lead}")
