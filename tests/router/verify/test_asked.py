"""Is a program asked for, and under which name?"""

import pytest

from router.verify.asked import asked_names, asks_for_code, preamble


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Write a function called add that adds.", ("add",)),
        ("Write a function `is_prime` that tells primes.", ("is_prime",)),
        ("Implement reverse(s) in Python.", ("reverse",)),
        ("Write a Python function is_even(n).", ("is_even",)),
        ("def helper(x):\n    return x\n\n\ndef target(x):\n    pass", ("target",)),
        ("Write a function that adds two numbers.", ()),
        ("What is the capital of Bhutan?", ()),
    ],
)
def test_names(question: str, names: tuple[str, ...]) -> None:
    assert asked_names(question) == names


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("Write a Python function that sorts.", True),
        ("def f(x):", True),
        ("Give me code for bubble sort.", True),
        ("What is a function in mathematics?", False),
        ("Write a poem about the sea.", False),
    ],
)
def test_asks_for_code(question: str, asks: bool) -> None:
    assert asks_for_code(question) is asks


def test_preamble_keeps_imports_and_whole_helpers_only() -> None:
    prompt = (
        'import math\n\n\ndef helper(x):\n    """Doubles."""\n    return 2 * x\n\n\n'
        'def target(x):\n    """Uses helper."""\n'
    )
    kept = preamble(prompt)
    assert "import math" in kept
    assert "def helper" in kept
    assert "def target" not in kept


def test_preamble_of_prose_keeps_valid_imports() -> None:
    assert preamble("Please complete:\nimport math\nimport of goods\n") == "import math"
    assert preamble("Nothing here") == ""


@pytest.mark.parametrize("piece", ["(", "-", "a.", "not ", "x if y else ", "lambda:", "\x00"])
def test_hostile_prompts_do_not_raise(piece: str) -> None:
    assert preamble(piece * 30_000) == ""
    assert asked_names(piece * 30_000) == ()
