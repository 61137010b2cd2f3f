"""Texts that no scorer may trip over, and a run of one score."""

import asyncio

from eval.benchmarks.benchmark import Benchmark, Graded, Question

HOSTILE = {
    "empty": "",
    "blank": " \n\t ",
    "nul": "\x00\x00",
    "open think": "<think> the answer is 18",
    "only a close": "</think>",
    "huge": "blah blah " * 100_000,
    "huge word": "a" * 1_000_000,
    "huge number": "9" * 1_000_000,
    "marks": "answer is " * 20_000,
    "answers": "Answer: " * 20_000,
    "open boxes": "\\boxed{" * 20_000,
    "nested braces": "\\boxed" + "{" * 5_000 + "}" * 5_000,
    "escaped braces": "\\boxed{\\{\\}",
    "open fence": "```python\n",
    "fences": "```\n" * 20_000,
    "spaces": "answer" + " " * 200_000 + ":",
    "right to left": "\u202e\u05d0\u05d1\u202c",
    "lone surrogate": "\ud800",
    "minus signs": "-" * 100_000,
    "money": "$" * 100_000,
    "commas": "1" + "," * 200_000,
    "division by zero": "\\boxed{1/0}",
    "line separators": "\u2028\u2029\x85",
}


def graded(benchmark: Benchmark, question: Question, text: str) -> Graded:
    return asyncio.run(benchmark.score(question, text))
