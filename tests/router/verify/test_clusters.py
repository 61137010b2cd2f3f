"""Which samples vote, and for the same answer."""

import pytest

from router.verify.clusters import AnswerClusters
from router.verify.equivalence import EquivalenceChecker
from router.verify.sandbox import Sandbox


@pytest.fixture(scope="module")
def checker():
    with EquivalenceChecker() as made:
        yield made


@pytest.fixture
def numbers(checker):
    async def run(*texts, question="What is it?", kind="math"):
        clusters = AnswerClusters(question, kind, Sandbox(), checker)
        answers = [clusters.read(text) for text in texts]
        return [None if a is None else await clusters.number(a) for a in answers]

    return run


async def test_equivalent_values(numbers):
    texts = ["\\boxed{\\frac{1}{2}}", "The answer is 0.5.", "The answer is 2/4", "\\boxed{2}"]
    assert await numbers(*texts) == [0, 0, 0, 1]


async def test_algebra_is_asked_of_math_verify(numbers):
    assert await numbers("\\boxed{x^2+2x+1}", "\\boxed{(x+1)^2}", "\\boxed{x^2+1}") == [0, 0, 1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<think> \\boxed{5}",
        "It is \\boxed{5} or maybe \\boxed{6}",
        "It is not \\boxed{5}",
        "Let me think about this in a long line that goes on and on and says nothing at all, truly",
        "Two\nlines",
    ],
)
async def test_without_a_closed_answer_there_is_no_vote(numbers, text):
    assert (await numbers(text, "\\boxed{5}"))[0] is None


async def test_short_words_are_their_own_answer(numbers):
    assert await numbers("Thimphu.", "thimphu", "Paris", kind="none") == [0, 0, 1]


async def test_the_order_of_a_list_counts_where_it_is_asked_for(numbers):
    lists = ("Answer: 1, 2, 3", "Answer: 3, 2, 1", "Answer: 1,2,3")
    assert await numbers(*lists, question="Sort 2, 3, 1 in ascending order.") == [0, 1, 0]
    roots = ("Answer: x = 1, x = 2", "Answer: x = 2, x = 1")
    assert await numbers(*roots, question="Solve (x-1)(x-2) = 0.") == [0, 0]


async def test_json_is_the_same_value(numbers):
    texts = ('{"a": 1, "b": [2]}', '{"b": [2], "a": 1}', '{"a": 1, "b": []}', "no JSON")
    assert await numbers(*texts, kind="format") == [0, 0, 1, 2]


# -- programs --------------------------------------------------------------------------

HEAD = "def mean(xs: list[float]) -> float:\n    "
ASKED = f'{HEAD}"""The mean, 0 for none.\n    >>> mean([1.0])\n    1.0\n    """\n'
ONE = f"{HEAD}return sum(xs) / len(xs) if xs else 0"
OTHER = f"{HEAD}t = 0\n    for x in xs:\n        t += x\n    return t / len(xs) if xs else 0"
SUM = f"{HEAD}return sum(xs)"
BROKEN = f"{HEAD}return nothing"
ALSO_BROKEN = f"{HEAD}return nobody + 1"
LOOP = f"{HEAD}while True: pass"


def block(program):
    return f"```python\n{program}\n```"


async def test_programs_vote_by_behaviour(numbers):
    texts = [block(p) for p in (ONE, OTHER, SUM)]
    assert await numbers(*texts, question=ASKED, kind="code") == [0, 0, 1]


async def test_broken_programs_do_not_vote_together(numbers):
    """Two that raise the same error everywhere agree for no good reason."""
    texts = [block(p) for p in (BROKEN, ALSO_BROKEN, LOOP, "def mean(xs:", ONE)]
    found = await numbers(*texts, question=ASKED, kind="code")
    assert found == [None, None, None, None, 0]


async def test_where_no_input_can_be_made_the_text_decides(numbers):
    question = "Write a function walk(tree) that visits a Tree."
    a = "class Tree: pass\ndef walk(tree: Tree) -> int:\n    return 1"
    b = f"{a}  # the same"
    c = a.replace("1", "2")
    broken = "def walk(tree: Missing) -> int:\n    return 1"
    texts = [block(p) for p in (broken, broken, a, b, c)]
    assert await numbers(*texts, question=question, kind="code") == [None, None, 0, 0, 1]


async def test_a_wrong_signature_does_not_decide_the_inputs(numbers):
    question = "Write a Python function add that adds two numbers."
    wrong = "def add(a: int):\n    return a"
    right = "def add(a: int, b: int):\n    return a + b"
    also = "def add(x: int, y: int):\n    return y + x"
    texts = [block(p) for p in (wrong, right, also)]
    assert await numbers(*texts, question=question, kind="code") == [0, 1, 1]


async def test_what_a_program_does_to_its_arguments_is_behaviour(numbers):
    question = "Write a Python function fix that sorts a list in place."
    bodies = ("xs.sort()", "xs.sort(reverse=True)", "pass", "print(xs)", "xs[:] = sorted(xs)")
    texts = [block(f"def fix(xs: list[int]):\n    {body}") for body in bodies]
    assert await numbers(*texts, question=question, kind="code") == [0, 1, None, None, 0]


async def test_values_that_cannot_be_compared_are_no_agreement(numbers):
    question = "Write a Python function f."
    bodies = ("return (x for x in xs)", "return iter(xs)", "return object()")
    texts = [block(f"def f(xs: list[int]):\n    {body}") for body in bodies]
    assert await numbers(*texts, question=question, kind="code") == [None, None, None]


async def test_the_prompts_own_examples_are_inputs(numbers):
    """Made-up texts are no dates, so that every program raises on them; the example is one."""
    question = (
        "Write a Python function year(s: str) -> int. For example:\n>>> year('2024-05-01')\n2024\n"
    )
    right = "def year(s: str) -> int:\n    y, m, d = s.split('-')\n    return int(y)"
    also = "def year(s: str) -> int:\n    y, _, _ = s.split('-')\n    return int(y)"
    wrong = "def year(s: str) -> int:\n    y, m, d = s.split('-')\n    return int(m)"
    texts = [block(p) for p in (wrong, right, also)]
    assert await numbers(*texts, question=question, kind="code") == [0, 1, 1]


async def test_a_program_is_run_once_however_often_it_comes(checker):
    runs = []

    class Counting(Sandbox):
        async def run(self, *args, **kwargs):
            runs.append(1)
            return await super().run(*args, **kwargs)

    clusters = AnswerClusters(ASKED, "code", Counting(), checker)
    for program in (ONE, OTHER, SUM, ONE, OTHER):
        await clusters.number(program)
    assert len(runs) == 3


# -- what a fresh look found ---------------------------------------------------------------


async def test_numbers_are_never_taken_back(numbers):
    """5 equals 5 km and 5 m, which are not equal: what came first stays what it was."""
    assert await numbers("\\boxed{5\\text{ km}}", "\\boxed{5\\text{ m}}", "\\boxed{5}") == [0, 1, 0]
    assert await numbers("\\boxed{5}", "\\boxed{5\\text{ km}}", "\\boxed{5\\text{ m}}") == [0, 0, 0]


@pytest.mark.parametrize(
    "question", ["How many ordered pairs are there?", "Find the sequence's sum in simple steps."]
)
async def test_order_is_a_matter_of_lists_only(numbers, question):
    texts = ("\\boxed{\\frac12}", "\\boxed{0.5}", "\\boxed{1/2}", "\\boxed{7}")
    assert await numbers(*texts, question=question) == [0, 0, 0, 1]


async def test_a_number_in_a_sentence_is_no_answer_outside_of_mathematics(numbers):
    texts = (
        "I would visit Lyon.\nIt is home to 2 million people.",
        "I would visit Paris.\nIt is home to 2 million people.",
    )
    assert await numbers(*texts, question="Which city shall I visit?", kind="none") == [None, None]


@pytest.mark.parametrize("kind", ["math", "none"])
@pytest.mark.parametrize(
    "text", ["I'm sorry, I cannot help with that.", "I don't know.", "\\boxed{}", "\\boxed{42"]
)
async def test_no_answers_do_not_agree(numbers, text, kind):
    assert await numbers(text, text, kind=kind) == [None, None]


async def test_json_in_a_fence_and_whole_floats(numbers):
    texts = ('{"a": 1}', '```json\n{"a": 1.0}\n```', '{"a": 1.5}')
    assert await numbers(*texts, kind="format") == [0, 0, 1]
