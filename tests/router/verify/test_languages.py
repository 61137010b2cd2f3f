"""Which programming language is meant, where it is not Python."""

import time

import pytest

from router.verify.languages import language_of, other_language


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Write a JavaScript debounce function and explain how it works.", "JavaScript"),
        ("Write a JavaScript function add(a, b).", "JavaScript"),
        ("Why is foldl considered harmful in Haskell?", "Haskell"),
        ("Write it in C++ please", "C++"),
        ("peak amounts of a drug as a list. c++17", "c++17"),
        ("Sort an array in C#", "C#"),
        ("Write a function in C.", "C"),
        ("Write a C program that prints hello.", "C"),
        ("Implement quicksort in Go.", "Go"),
        ("implement quicksort in go", "go"),
        ("In R with dplyr: the mean of body_mass_g for every species.", "R"),
        ("R, vegan package: an NMDS from plots.csv.", "R"),
        ("Write an R script that plots x.", "R"),
        ("Write a Rust function that reverses a list.", "Rust"),
        ("Explain what this Rust code does.", "Rust"),
        ("Write a java program that prints primes.", "java"),
        ("Write a bash script that deletes old logs.", "bash"),
        ("React: a button that disables itself.", "React"),
        ("Write a SQL query that joins two tables.", "SQL"),
        ("Write SQL to get the second highest salary.", "SQL"),
        ("Create an HTML page with a red button.", "HTML"),
        ("How do I center a div in CSS?", "CSS"),
        ("base64url in Lua or JavaScript", "Lua"),
        ("Fix this:\n```js\nlet a = 1\n```", "js"),
        ("Why does this not compile?\n```rust\nlet a: i32 = 1u8;\n```", "rust"),
        ("Fix it.\n#include <stdio.h>\nint main() {}", "the language shown"),
        ("Explain.\nfunction add(a, b) {\n  return a + b;\n}", "the language shown"),
        ("What does it do?\nSELECT name FROM users", "the language shown"),
        ("Convert this Python script to Go.", "Go"),
        ("Rewrite it in TypeScript:\ndef f(x):\n    return x", "TypeScript"),
    ],
)
def test_another_language_is_meant(question: str, language: str) -> None:
    assert other_language(question) == language


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Write a function that sorts.",
        "Port this Java method to Python.",
        "Write a Python function that calls JavaScript.",
        "def go(java):\n    pass",
        "Complete it.\n```python\nx = 'JavaScript'\n```",
        "Write a function that counts vowels.\nassert f('in CSS') == 0",
        "Use BeautifulSoup to extract all links from HTML code.",
        "Write a function that converts a temperature in C to F.",
        "Write a function that heats water; the temperature is given in C.",
        "Let f(x) = x^2 for x in R. Write a function that evaluates it.",
        "Write a function go(c, r) that moves c to r.",
        "Write a function that plays the game Go.",
        "Write a function that says which letters to go to next, r times.",
        "Write a function that counts java beans, rusty nails and rubies.",
        "Julia wrote a program that adds numbers. Write a function that does the same.",
        "Ruby has 5 apples and Swift has 3. Write a function that adds them.",
        "Write a swift function to sort numbers.",
        "Write a function that strips HTML tags from a string.",
        "Write a function to convert a list of dicts to SQL insert statements.",
        "Write a function to create an HTML table from a list.",
        "Write a function that validates an SQL query.",
        "Why does it fail?\n```bash\n$ ./run\n```",
        "How many nights did Taylor Swift play at Wembley?",
    ],
)
def test_no_other_language_is_meant(question: str) -> None:
    assert other_language(question) is None


def test_the_last_turn_that_tells_decides() -> None:
    asked, more = "Write a TypeScript debounce.", "Now add a test for it."
    assert language_of([asked, "```ts\nlet a = 1\n```", more]) is not None
    assert language_of([asked, more, "And the same in Python."]) is None
    assert language_of(["Write a function that sorts.", more]) is None
    assert language_of(["You write nothing but Kotlin.", "Write a function."]) == "Kotlin"


@pytest.mark.parametrize(
    "piece",
    ["in C ", "a function that SQL query ", "function ", "convert ", "write a a a ", "```",
     "SELECT ", "const a ", "in  ", " ", "\n", "C C temp "],
)  # fmt: skip
def test_hostile_texts_take_no_time(piece: str) -> None:
    started = time.perf_counter()
    other_language(piece * 20_000)
    assert time.perf_counter() - started < 1
