"""Seeing through wrappers, and not seeing wrappers where there are none."""

import time

import pytest

from eval.fit.prompts import PROMPTS, read_prompts
from router.signals.wrappers import MAX_CHARS, unwrap

# Code, options, configurations, logs, poems, puzzles, mails to be written: no wrapper.
PLAIN = [
    "What is 2+3?\nA: 4\nB: 5\nC: 6",
    "Which is prime?\nA) 4\nB) 5\nAnswer with the letter.",
    'Fix this JSON: {"question": "what", }',
    'Why is this wrong?\n{"task": "build", "x": 1}',
    '{"name": "my-app", "version": "1.0.0", "description": "A small web app", "scripts": {"test": "jest"}}',  # noqa: E501
    '{"error": {"message": "Invalid API key provided", "code": 401}}',
    '{"a": 1, "b": [1, 2, 3]}',
    'How do I validate this form with jQuery?\n<form><label>Name</label><input type="text" name="q"></form>',  # noqa: E501
    "Write an XPath that selects every <question> in this XML: <quiz><question>What?</question></quiz>",  # noqa: E501
    "Parse this with BeautifulSoup and print the text:\n<question>Who?</question>",
    "Explain this compose file:\n\nservices:\n  db:\n    image: postgres\n    user: postgres\n    volumes: none",  # noqa: E501
    'def f(xs):\n    """Sum the list.\n\n    Input: list of ints\n    Output: int\n    Note: may be empty\n    """',  # noqa: E501
    "Review:\n```python\n# Question: why\n# Input: none\nTask: do it\n```\nIs it fine?",
    "Write a program.\nInput: the first line holds n\nOutput: the sum",
    "What does this log mean?\n12:03:01 client: connected to db\n12:03:02 agent: refused by server",
    "Summarise this chat:\n\nCustomer: my order is late\nAgent: sorry\nCustomer: I want a refund for it",  # noqa: E501
    "Customer: my order is late\nAgent: sorry about that\n\nSummarise the chat above.",
    "SELECT id FROM users\nWHERE a > 3\n-- \n  AND b = 2;",
    "from typing import List\n\ndef f(x: List[int]) -> int:\n>>> f([1])\n1",
    "-- comment\nSELECT 1;\n--\nSELECT (2);",
    "Roses are red,\nA: violets are blue.\nB: sugar is sweet",
    "Find a:\n2a = 6",
    "Solve for a:",
    "What is the output:",
    "From: Paris\nTo: Rome\nFind the cheapest flight in May.",
    "Subject: my broken bike\nTone: friendly\nWrite the mail to the shop.",
    "Draft a confidential memo about the merger.\n\nKeep it short.",
    "Is this message confidential? Explain why.",
    "You are an explorer with 5 coins. You buy 2 maps at 1 coin. How many are left?",
    "You are standing on a bridge. What do you see?",
    "{'question': 'python dict', 'n': 3}",
    'Explain: x = {"prompt": "hi"}',
    "user: root\nhost: db\nport: 5432\nmodel: x\nsystem: y",
    "> 5 is the condition. Why?",
    "Note: the limit is 3.\nHow many subsets are there?",
    "Hint: use induction. Prove that 2^n > n.",
    "Background: I live in Bern. Where can I swim?",
    "Rules: no vowels. Write a line.",
    "Route this ticket.\n\nTicket: the app is down",
    "The prompt: an essay about trees. Where do I start?",
    "a: 1\nb: 2\nc: 3",
    "Solve the following problem in Rust: reverse a list.",
    "Dear team,\nthe meeting is on Monday.\nMake it more formal.\n\nBest\nAnna",
    'Convert to YAML:\n{"task": "x"}',
    "Explain `<task>a thing</task>` in this file.",
    "x" * 300,
    "",
    "<html><body><question>What is it about?</question></body></html>",
    "The error was:\nmodel: not found\nuser: unknown\nWhat now?",
]


@pytest.mark.parametrize("text", PLAIN, ids=lambda t: repr(t[:30]))
def test_what_is_no_wrapper_comes_back_unchanged(text: str) -> None:
    assert unwrap(text) == (text.strip(), "")


SEEN = [
    ("<question>What is it?</question>", "What is it?"),
    ("Use it.\n<query>\nwhat is it\n</query>\nBe brief.", "what is it"),
    ("<task>Translate.</task><input>Hallo Welt</input>", "Translate.\nHallo Welt"),
    ("Answer inside <answer> tags. <question>What is it?</question>", "What is it?"),
    ("<a><question>lost <task>Do the thing</task>", "Do the thing"),
    ('{"question": "What is it?"}', "What is it?"),
    ('```json\n{"task": "Sum up", "input": "a b"}\n```', "Sum up\na b"),
    (
        '{"messages": [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "What is it?"}]}',  # noqa: E501
        "What is it?",
    ),
    (
        "User: hi\nAssistant: hello\nUser: What is the capital of Peru, and since when is it so?",
        "What is the capital of Peru, and since when is it so?",
    ),
    ("User: Solve x^2 = 49\nAssistant: 7\nUser: and for 50?", "Solve x^2 = 49\nand for 50?"),
    (
        "[12:01] Customer: hello\n[12:02] Agent: hi\n[12:03] Customer: my parcel is lost, what now?",  # noqa: E501
        "my parcel is lost, what now?",
    ),
    ("Q: 1+1?\nA: 2\n\nQ: 2+2?\nA:", "2+2?"),
    ("Q: What is 2+2? A:", "What is 2+2?"),
    ("Question: Which is prime?\nA: 4\nB: 5\nAnswer:", "Which is prime?\nA: 4\nB: 5"),
    (
        "Translate to French.\n\nInput: dog\nOutput: chien\n\nInput: cat\nOutput:",
        "Translate to French.\ncat",
    ),
    ("Answer the following question: What is it?", "What is it?"),
    ("You are a helpful assistant. What is it?", "What is it?"),
    ("What is it? Think step by step.", "What is it?"),
    ("What is it?\n\nAnswer:", "What is it?"),
    ("What is it?\n\n-- \nAnna Meier\nBern", "What is it?"),
    ("From: a@b.c\nTo: d@e.f\nSubject: hm\n\nWhat is it?", "What is it?"),
    ("Can you fix it?\n\nOn Monday Anna wrote:\n> it is broken", "Can you fix it?"),
    ("### Instruction:\nDo it now\n\n### Response:", "Do it now"),
    ("Instruction: Translate the text.\nInput: Hallo", "Translate the text.\nHallo"),
    ("Frage: Was ist es?", "Was ist es?"),
    ("x " * 30_000 + "\nQuestion: What is it?", "What is it?"),
    ("<USER_QUERY>what is it</USER_QUERY>", "what is it"),
    (
        "Continue the conversation.\nHuman: What is a mole in chemistry, please tell me?\nAI:",
        "What is a mole in chemistry, please tell me?",
    ),
]


@pytest.mark.parametrize(("text", "core"), SEEN, ids=[repr(t[:30]) for t, _ in SEEN])
def test_the_question_is_found(text: str, core: str) -> None:
    assert unwrap(text).core == core


def test_what_stood_around_is_kept() -> None:
    found = unwrap("<context>The Aare is long.</context><question>How long?</question>")
    assert found == ("How long?", "The Aare is long.")
    quoted = unwrap("Can you fix it?\n\nOn Monday Anna wrote:\n> it is broken")
    assert quoted == ("Can you fix it?", "> it is broken")


def test_wrappers_in_wrappers_are_opened_to_a_depth() -> None:
    assert unwrap('{"messages": [{"role": "user", "content": "Q: Who is it?\\nA:"}]}').core == (
        "Who is it?"
    )
    deep = '{"task": ' * 500 + '"x"' + "}" * 500
    assert unwrap(deep).core == deep


def test_of_a_long_text_both_ends_are_read() -> None:
    core = unwrap("begin " + "x" * 1_000_000 + " end").core
    assert len(core) <= MAX_CHARS and core.startswith("begin") and core.endswith("end")


# Of the prompts that stand for themselves; the files left out are made of wrappers.
CHANGED = {"number_theory": "closing formula", "sdk_rewrite": "an agent's persona"}


def test_written_prompts_without_wrapper_come_back_unchanged() -> None:
    changed = {
        p.group.partition(":")[2]
        for p in read_prompts(PROMPTS)
        if p.file not in ("conversations", "forms", "agents") and len(p.query.messages) == 1
        if unwrap(p.query.text) != (p.query.text.strip(), "")
    }
    assert changed <= set(CHANGED)


MARKS = ["user", "user:", "<question", "<task>", "a", "a:", "answer", "```", "```\n", "`", "on ",
         "you are a bot", "answer the following", "from:", "--", "{", "\n", "task:", "Q:", "> ",
         "disclaimer", "12:12", "put your answer in", "message ", "subject: x\n", "key: v\n"]  # fmt: skip  # noqa: E501


@pytest.mark.parametrize("mark", MARKS, ids=repr)
@pytest.mark.parametrize("pad", ["", " ", "\n", " " * 100, " " * 9_000, "\n" * 9_000],
                         ids=lambda p: f"{p[:1]!r}x{len(p)}")  # fmt: skip
def test_long_runs_take_bounded_time(mark: str, pad: str) -> None:
    bait = (mark + pad) * (MAX_CHARS // len(mark + pad) + 1)
    started = time.perf_counter()
    unwrap(f"x\n{bait}"[: MAX_CHARS - 2] + "y")
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes


@pytest.mark.parametrize(
    "text",
    [
        "<payload>Who painted the ceiling of the Sistine Chapel?</payload>",
        "<root>\n <item n='1'>Who painted the ceiling of the Sistine Chapel?</item>\n</root>",
        '{"value": "Who painted the ceiling of the Sistine Chapel?", "lang": "auto"}',
    ],
)
def test_an_unknown_name_around_the_whole_text(text: str) -> None:
    assert unwrap(text).core == "Who painted the ceiling of the Sistine Chapel?"


@pytest.mark.parametrize(
    "text",
    [
        "<root><a>one two three</a><b>four five six</b></root>",
        "<div>Who painted the ceiling of the chapel?</div>",
        "<a>who is it</a> and <a>who is that</a>",
        "<note>hi",
    ],
)
def test_elements_that_are_the_subject_stay(text: str) -> None:
    assert unwrap(text).core == text
