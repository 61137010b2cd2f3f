"""Puzzles of reasoning-gym, scored by the package's own checker of the task.

    task    `chain_sum`, `knights_knaves`, ...: one of `SAFE_TASKS`
    entry   what the package made: {"question", "answer", "metadata"}

What: a tried answer passes where the checker gives exactly 1.0 (it gives partial credit by
default); it is tried as written and tidied. Runs in a process that can be killed. What not:
tasks whose checker evaluates what the model wrote: in 0.1.25 `eval` in string_insertion,
spiral_matrix, binary_matrix, n_queens, and (of sympy's `parse_expr`, which evals) in
simple_integration, intermediate_integration, polynomial_multiplication, puzzle24, countdown.
The package is part of the eval extra; without it nothing is checked.
"""

import re
import time
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from router.errors import SetupError
from router.state import Verdict
from router.verify.finding import Finding, as_verdict
from router.verify.reading import marked, tidy
from router.verify.text import boxes, strip_thinking, word_set
from router.verify.workers import Workers

__all__ = [
    "MAX_ANSWER",
    "SAFE_TASKS",
    "check_logic",
    "full_marks",
    "need_package",
    "prepare",
    "read_answer",
]

SAFE_TASKS = word_set(
    "base_conversion caesar_cipher calendar_arithmetic chain_sum count_primes"
    " fraction_simplification gcd knights_knaves lcm letter_counting prime_factorization products"
    " shortest_path simple_equations simple_geometry spell_backward word_sorting zebra_puzzles"
)
MAX_ANSWER = 500
"""Of one answer: the checkers are not made for more, and int() of more is slow."""

SECONDS = 2.0
SURE = 0.99


def need_package() -> None:
    """Raises `SetupError` where reasoning-gym is not installed."""
    if find_spec("reasoning_gym") is None:
        raise SetupError("this needs the package reasoning-gym: install [eval]")


def prepare() -> None:
    """For the worker: the package's import is not on the clock."""
    import reasoning_gym  # noqa: F401


def check_logic(task: str, entry: Mapping[str, Any], response: str, workers: Workers) -> Verdict:
    """Check a response to a puzzle. Never raises for what the response holds."""
    started = time.perf_counter()
    return as_verdict("logic", _check(task, entry, response, workers), started)


def _check(task: str, entry: Mapping[str, Any], response: str, workers: Workers) -> Finding:
    if task not in SAFE_TASKS:
        return Finding(None, "unknown_task", evidence=(f"No safe checker for task {task!r}.",))
    if not isinstance(entry.get("answer"), str) or not isinstance(entry.get("metadata"), Mapping):
        return Finding(None, "bad_entry", evidence=("The entry needs answer and metadata.",))
    if find_spec("reasoning_gym") is None:
        return Finding(None, "unchecked", evidence=("reasoning-gym is not installed.",))
    if len(set(boxes(strip_thinking(response)))) > 1:
        return Finding(None, "ambiguous", evidence=("Several different answers are boxed.",))
    answer = read_answer(response)
    if not answer:
        return Finding(False, "no_answer", 1 - SURE, ("There is no final answer.",))
    done = workers.submit(full_marks, task, dict(entry), answer, seconds=SECONDS).result()
    if done.value is None:
        return Finding(None, done.lost or "ended", evidence=("The checker did not finish.",))
    told = f"The checker of {task} gives {'full marks' if done.value else 'no full marks'}."
    if done.value:
        return Finding(True, "passed", SURE, (told,))
    return Finding(False, "failed", 1 - SURE, (told,))


def full_marks(task: str, entry: Mapping[str, Any], answer: str) -> bool:
    """Does the task's own checker give 1.0 for the answer, in some dress?"""
    if len(answer) > MAX_ANSWER:
        return False
    return any(_score(task, form, entry) for form in {answer, tidy(answer), _bare(answer)})


def read_answer(text: str) -> str:
    """The final answer as written; empty where there is none."""
    seen = strip_thinking(text).replace("\x00", "")
    return marked(seen) or seen.rpartition("\n")[2].strip()


def _bare(answer: str) -> str:
    """`x = 1,200` as `1200`, `2 \\times 3` as `2 × 3`, `\\frac{1}{2}` as `1/2`."""
    plain = tidy(answer).replace("\\times", "×").replace("\\cdot", "×").strip()
    plain = re.sub(r"^[A-Za-z]\s*=(?!.*=)\s*", "", plain)  # a name, not one more value: `3 = 2`
    plain = re.sub(r"\\[dt]?frac\{(-?\d+)\}\{(\d+)\}", r"\1/\2", plain)
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain)


def _score(task: str, answer: str, entry: Mapping[str, Any]) -> bool:
    try:
        return bool(_checker(task).score_answer(answer, entry) == 1.0)
    except Exception:  # the checkers raise what they like on text they did not expect
        return False


@lru_cache(maxsize=len(SAFE_TASKS))
def _checker(task: str) -> Any:
    need_package()
    import reasoning_gym

    return reasoning_gym.create_dataset(task, size=1, seed=0)
