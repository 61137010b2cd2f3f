"""A mixed set from reasoning-gym: puzzles made from a seed, each with its own checker.

An entry as the package makes it (own words), one task a kind of puzzle:

    {"question": "Spell this word backward (example: sun -> nus): lamp", "answer": "pmal",
     "metadata": {"source_dataset": "spell_backward", "source_index": 0, ...}}

Protocol: Stojanovski et al. 2025 (arXiv 2505.24760), with one change: correct is
`score_answer(...) == 1.0` and nothing else, since the package gives partial credit by default.
Reading: the last box, else after "Answer:" or "the answer is", else the last line; tried as
written and tidied (no LaTeX dress, no thousands commas, the side after "=").

Which tasks: answers of one line, a unique or checkable result, nothing but the prompt needed.
Never a task whose checker evaluates what the model wrote. In 0.1.25 those are: `eval` in
string_insertion, spiral_matrix, binary_matrix, n_queens, and (of sympy's `parse_expr`, which
evals) simple_integration, intermediate_integration, polynomial_multiplication, puzzle24,
countdown. A test reads the checkers of our tasks for such calls.
"""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eval.benchmarks.benchmark import Benchmark, Graded, Question, benchmark
from eval.benchmarks.reading import marked, tidy, visible
from policies.outcome import Status
from router.errors import InputError, SetupError

__all__ = ["TASKS", "ReasoningGym"]

INSTRUCTION = 'Think step by step. End with the line "Answer: X", X the final answer alone.'
PER_TASK = 25
MAX_ANSWER = 500
"""Of one answer: the checkers are not made for more, and int() of more is slow."""

TASKS: Mapping[str, Mapping[str, Any]] = {
    "chain_sum": {"max_terms": 5, "max_digits": 3},
    "caesar_cipher": {"max_words": 5, "max_rotation": 5},
    "knights_knaves": {},
    "gcd": {},
    "letter_counting": {"max_words": 10},
    "simple_equations": {"max_terms": 3},
    "base_conversion": {"max_value": 300},
    "zebra_puzzles": {"num_people": 3, "num_characteristics": 3},
    "products": {"max_digits": 3},
    "spell_backward": {},
    "calendar_arithmetic": {},
    "lcm": {},
    "word_sorting": {"max_words": 6},
    "shortest_path": {"max_rows": 5, "max_cols": 5},
    "fraction_simplification": {"styles": ("plain",), "max_value": 100, "max_factor": 20},
    "prime_factorization": {"max_value": 500},
    "simple_geometry": {},
    "count_primes": {"max_n": 200},
}
"""Task -> its settings where they are easier than the package's own. The order is part of it."""


@benchmark
class ReasoningGym(Benchmark):
    """Eighteen kinds of puzzles, interleaved."""

    name = "reasoning-gym"
    protocol = (
        "Question, then one instruction (step by step, last line 'Answer: X'). Read: last box, "
        "else after 'Answer:', else the last line. Score: the task's own checker gives 1.0."
    )
    benchmark_id = "reasoning_gym"

    def __init__(self) -> None:
        self._checkers: dict[str, Any] = {}

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """One of each task, then the second of each, and so on: any limit gets a mixture."""
        if path is not None:
            raise InputError("reasoning-gym makes its questions from the seed: leave --path out")
        made = {task: self._made(task, seed) for task in TASKS}
        return [made[task][i] for i in range(PER_TASK) for task in TASKS]

    def _made(self, task: str, seed: int) -> list[Question]:
        return [
            Question(
                id=f"reasoning_gym:{task}:{seed}:{i}",
                prompt=f"{entry['question'].strip()}\n\n{INSTRUCTION}",
                gold=json.dumps({"task": task, **entry}, ensure_ascii=False),
                cluster_id=f"reasoning_gym:{task}",
                subject=task,
            )
            for i, entry in enumerate(_dataset(task, PER_TASK, seed))
        ]

    async def score(self, question: Question, text: str) -> Graded:
        """1 where the task's checker is wholly content."""
        answer = read_answer(text)
        if not answer:
            return Graded(score=0.0, answer=None, status=Status.UNPARSED)
        entry = json.loads(question.gold)
        task = entry.pop("task")
        if task not in self._checkers:
            self._checkers[task] = _dataset(task, 1, 0)
        checker = self._checkers[task]
        forms = {answer, tidy(answer), _bare(answer)} if len(answer) <= MAX_ANSWER else set()
        is_right = any(_full_marks(checker, form, entry) for form in forms)
        return Graded(score=float(is_right), answer=answer[:MAX_ANSWER])

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        """The package's version: with the seed it fixes every question."""
        return {"reasoning-gym": version("reasoning-gym")}


def _dataset(task: str, size: int, seed: int) -> Any:
    try:
        import reasoning_gym
    except ImportError:
        raise SetupError("this needs the package reasoning-gym: install [eval]") from None
    return reasoning_gym.create_dataset(task, size=size, seed=seed, **TASKS[task])


def _full_marks(checker: Any, answer: str, entry: Mapping[str, Any]) -> bool:
    try:
        return bool(checker.score_answer(answer, entry) == 1.0)
    except Exception:  # the checkers raise what they like on text they did not expect
        return False


def read_answer(text: str) -> str:
    """The final answer as written; empty where there is none."""
    seen = visible(text)
    return marked(seen) or seen.rpartition("\n")[2].strip()


def _bare(answer: str) -> str:
    """`x = 1,200` as `1200`, `2 \\times 3` as `2 × 3`, `\\frac{1}{2}` as `1/2`."""
    plain = tidy(answer).replace("\\times", "×").replace("\\cdot", "×").rpartition("=")[2].strip()
    plain = re.sub(r"\\[dt]?frac\{(-?\d+)\}\{(\d+)\}", r"\1/\2", plain)
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain)
